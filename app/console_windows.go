package app

import "syscall"

// withoutConsole keeps Windows from opening an empty console beside a window of
// an agent that has none (CREATE_NO_WINDOW; it hides no window of our own).
func withoutConsole() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: 0x08000000}
}
