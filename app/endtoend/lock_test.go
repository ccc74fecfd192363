//go:build linux

package endtoend

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"nightstand/app/session"
)

func init() {
	roles["lock"] = func() {
		session.WatchLock(context.Background(), func(l session.Lock) { fmt.Println("It is", l) })
	}
	roles["wake"] = func() { fmt.Printf("It answers: %q\n", session.WakeScreen(context.Background())) }
}

func TestTheDesktopCanBeLockedAndWoken(t *testing.T) {
	d := Start(t, Options{WithoutDisplay: true, WithoutSound: true, WithoutKeyring: true})
	watcher := d.Run([]string{roleVariable + "=lock"}, os.Args[0])
	says := func(want ...string) {
		t.Helper()
		Eventually(t, 15*time.Second, func() error {
			said, err := os.ReadFile(watcher.Log)
			if err == nil && strings.TrimSpace(string(said)) != strings.Join(want, "\n") {
				err = fmt.Errorf("it was told %q, want %q", said, want)
			}
			return err
		})
	}
	says("It is unknown")
	logind := d.Logind()
	says("It is unknown", "It is unlocked") // found while the program runs
	logind.Lock()
	says("It is unknown", "It is unlocked", "It is locked")
	logind.Unlock()
	says("It is unknown", "It is unlocked", "It is locked", "It is unlocked")

	saver := d.ScreenSaver()
	start := time.Now()
	sleeper := d.Run([]string{roleVariable + "=wake"}, os.Args[0])
	if code := sleeper.ExitCode(); code != 0 {
		t.Fatalf("it ended with %d", code)
	}
	if woken := saver.Woken(); len(woken) != 1 || woken[0].Before(start) {
		t.Errorf("the screen was woken at %v, want once after %v", woken, start)
	}
}
