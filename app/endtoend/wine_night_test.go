//go:build linux

package endtoend

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The Windows build of agent and window, with nothing set up: the first page of
// the scripted night is heard and shown, and answered through the control API.
//
// It runs beside no other night, because laying a Windows out keeps the whole
// machine busy.
func TestTheWindowsBuildRingsAndIsAnswered(t *testing.T) {
	needWine(t)
	desk := Start(t, Options{})
	windows := StartWindows(t, desk)
	night := windows.Install()
	if said := night.MustDo("version"); !strings.HasPrefix(said.Out, "nightstand ") {
		t.Errorf("its version is %q", said.Out)
	}

	const title = "Orders database is losing writes"
	ear, screen := desk.Listen(), desk.Screen()
	heard := mustHear(t, ear, windows.Demo(night), windowsReadyWithin, "the first page of the scripted night")
	screen.UntilReady(windowsReadyWithin)
	desk.Screenshot("wine-1-alarm")
	night.Until(10*time.Second, func(s Status) error {
		if s.Open != 1 || !s.Alarm.Sounding || s.Alarm.Pattern != "critical" || s.Signal("windows").State != "ok" {
			return fmt.Errorf("%d pages are open, the alarm is %+v and its window %+v", s.Open, s.Alarm, s.Signal("windows"))
		}
		return nil
	})
	if drawing := windows.Running("window alarm"); len(drawing) != 1 {
		t.Errorf("the alarm's window should be a process of its own, there are %v", drawing)
	}

	night.MustDo("ack", "--all")
	answered := time.Now()
	serviceLog(t, night).until(10*time.Second, "acknowledge", title, "Ana Lima")
	night.UntilConfirmed(10*time.Second, title)
	// The tone of the confirmation is the last that is heard.
	quiet, is := ear.QuietAfter(answered, 4*time.Second, 3*time.Second)
	if !is {
		t.Errorf("it is not quiet after the answer\n%s", ear.Picture(heard, time.Now()))
	}
	t.Logf("quiet %v after the answer was confirmed", quiet.Sub(answered).Round(time.Millisecond))
	screen.UntilNoKey(windowsReadyWithin)
	time.Sleep(500 * time.Millisecond) // the picture is for somebody to look at
	desk.Screenshot("wine-2-working")

	night.MustDo("quit")
	select {
	case <-night.Agent.Ended():
	case <-time.After(10 * time.Second):
		t.Fatal("the demonstration does not end")
	}
	if code := night.Agent.ExitCode(); code != 0 {
		t.Errorf("the demonstration ended with %d:\n%s", code, night.Agent.tail())
	}
	Eventually(t, 5*time.Second, func() error {
		if left, err := screen.Find(alarmTitle); err == nil {
			return fmt.Errorf("the window %+v is left behind", left)
		}
		return nil
	})
}
