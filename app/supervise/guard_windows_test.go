package supervise

import (
	"os"
	"os/signal"
	"testing"
)

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
