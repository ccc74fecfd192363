//go:build !linux

package app

import "log/slog"

func busThere() bool { return true }

// noCoreDumps has nothing to do: these systems write none unless told to.
func noCoreDumps(*slog.Logger) {}
