package supervise

import (
	"os"
	"os/signal"
	"testing"
)

// killed is how the guard describes a child that was killed: here, only a code
// is left of it.
const killed = "ended with code 1"

func notifyStop(stop chan os.Signal) { signal.Notify(stop, os.Interrupt) }

func kill(t *testing.T, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
}
