package app

import (
	"log/slog"

	"golang.org/x/sys/unix"

	"nightstand/app/session"
)

func busThere() bool { return session.Address() != "" }

// noCoreDumps keeps credentials out of what a crash leaves behind.
func noCoreDumps(log *slog.Logger) {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		log.Warn("core dumps could not be switched off", "error", err)
	}
	// Some systems hand dumps to a program, whatever the limit says.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		log.Warn("core dumps could not be switched off", "error", err)
	}
}
