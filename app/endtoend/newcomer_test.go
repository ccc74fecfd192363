//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What "make run" does once the program is built, for a newcomer who answers on
// the notification and reads that it is a fact; Ctrl-C leaves nothing behind.
func TestANewcomersFirstPage(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{})
	ear, notes := desk.Listen(), desk.Notifications()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	run := desk.Run(nil, binary, "demo", "--no-window")
	said := func() string {
		text, err := os.ReadFile(run.Log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}

	mustHear(t, ear, began, readyWithin, "the first page of a newcomer")
	note := alarmNote(notes, "Orders database is losing writes")
	Eventually(t, 10*time.Second, func() error {
		if text := said(); !strings.Contains(text, "Paged: Orders database is losing writes") {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	desk.Screenshot("newcomer-a-ringing")
	burst := nextBurst(t, ear)
	mustBeQuietThenTold(t, ear, burst, notes.Invoke(note, "Acknowledge"))
	Eventually(t, 10*time.Second, func() error {
		if text := said(); !strings.Contains(text, "Acknowledged by you at") || !strings.Contains(text, "confirmed by the service") {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	desk.Screenshot("newcomer-b-confirmed")
	night := demoHome(t, desk, binary)
	if words := strings.Join(strings.Fields(night.MustDo("status").Out), " "); !strings.Contains(words, "acknowledged, confirmed by the service: by you at ") {
		t.Errorf("status says %q", words)
	}

	if err := syscall.Kill(-run.ID(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-run.Ended():
	case <-time.After(20 * time.Second):
		t.Fatal("Ctrl-C does not end it")
	}
	if code := run.ExitCode(); code != 0 {
		t.Errorf("it ended with %d: %s", code, said())
	}
	left, err := os.ReadDir(filepath.Join(desk.Directory, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("%s is left behind", entry.Name())
	}
}

// mustBeQuietThenTold is mustBeQuiet where the service answers at once: the
// siren ends, and the tone of the confirmation is the last that is heard.
func mustBeQuietThenTold(t *testing.T, ear *Recording, burst, clicked time.Time) {
	t.Helper()
	quiet, is := ear.QuietAfter(clicked, 4*time.Second, 2*time.Second)
	if !is || quiet.Sub(clicked) > time.Second {
		t.Errorf("it is not quiet after the click\n%s", ear.Picture(burst, time.Now()))
	}
	t.Logf("the last of the tone was heard %v after the click", quiet.Sub(clicked).Round(time.Millisecond))
}
