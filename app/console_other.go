//go:build !windows

package app

import "syscall"

// withoutConsole is only a matter of Windows.
func withoutConsole() *syscall.SysProcAttr { return nil }
