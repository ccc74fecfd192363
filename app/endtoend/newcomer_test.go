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

	"nightstand/sync/alertmanager/alertmanagertest"
)

// What "make run" does once the program is built: a newcomer hears the siren,
// answers on the notification and reads that it is a fact; Ctrl-C leaves
// nothing behind.
func TestANewcomersFirstPage(t *testing.T) {
	t.Parallel()
	need(t, alertmanagertest.Program, "amtool")
	desk := Start(t, Options{})
	ear, notes := desk.Listen(), desk.Notifications()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join("..", "..", ".ci", "first-page"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	run := desk.Run(nil, script, binary)
	said := func() string {
		text, err := os.ReadFile(run.Log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}

	mustHear(t, ear, began, readyWithin, "the first page of a newcomer")
	note := alarmNote(notes, "Checkout answers every third customer with an error")
	Eventually(t, 10*time.Second, func() error {
		if text := said(); !strings.Contains(text, "A page is ringing") {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	desk.Screenshot("newcomer-a-ringing")
	burst := nextBurst(t, ear)
	mustBeQuietThenTold(t, ear, burst, notes.Invoke(note, "Acknowledge"))
	Eventually(t, 10*time.Second, func() error {
		if text := said(); !strings.Contains(text, "acknowledged, confirmed by the service") {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	desk.Screenshot("newcomer-b-confirmed")

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
