//go:build unix && !darwin

package session

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nightstand/app/session/sessiontest"
)

// soon is how long a change may take to be told.
const soon = time.Second

// alone points the environment away from the real session's buses and screen.
func alone(t *testing.T) {
	t.Helper()
	nowhere := t.TempDir()
	for name, value := range map[string]string{
		systemVariable:    "unix:path=" + filepath.Join(nowhere, "system"),
		addressVariable:   "",
		"XDG_RUNTIME_DIR": nowhere,
		"XDG_SESSION_ID":  "",
		"DISPLAY":         "",
	} {
		t.Setenv(name, value)
	}
}

// hastily looks again after this long, in tests of what no signal tells.
func hastily(t *testing.T, pause time.Duration) {
	before := lookAgain
	lookAgain = pause
	t.Cleanup(func() { lookAgain = before })
}

// ear hears what is told of the lock, in order.
type ear struct {
	t    *testing.T
	told chan Lock
}

// listen watches the lock until the test ends.
func listen(t *testing.T) ear {
	t.Helper()
	e := ear{t, make(chan Lock, 100)}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		WatchLock(ctx, func(l Lock) { e.told <- l })
		close(ended)
	}()
	t.Cleanup(func() {
		end()
		select {
		case <-ended:
		case <-time.After(soon):
			t.Error("it did not end with its context")
		}
	})
	return e
}

// hears says what must be told next, and within which time.
func (e ear) hears(want Lock, within time.Duration) {
	e.t.Helper()
	select {
	case got := <-e.told:
		if got != want {
			e.t.Fatalf("the session is told to be %s, want %s", got, want)
		}
	case <-time.After(within):
		e.t.Fatalf("nothing was told within %v, want %s", within, want)
	}
}

// hearsNothing says that nothing is told for a while.
func (e ear) hearsNothing(during time.Duration) {
	e.t.Helper()
	select {
	case got := <-e.told:
		e.t.Fatalf("the session is told to be %s, want silence", got)
	case <-time.After(during):
	}
}

// systemBus starts a bus that the program takes for the system's.
func systemBus(t *testing.T) *sessiontest.Bus {
	t.Helper()
	bus := sessiontest.NewBus(t)
	t.Setenv(systemVariable, bus.Address)
	return bus
}

// sessionBus starts a bus that the program takes for the session's.
func sessionBus(t *testing.T) *sessiontest.Bus {
	t.Helper()
	bus := sessiontest.NewBus(t)
	t.Setenv(addressVariable, bus.Address)
	return bus
}

func TestLogindTellsOfTheLock(t *testing.T) {
	alone(t)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	ear := listen(t)
	ear.hears(Unlocked, soon)
	for range 3 {
		logind.Lock()
		ear.hears(Locked, soon)
		logind.Unlock()
		ear.hears(Unlocked, soon)
	}
	ear.hearsNothing(100 * time.Millisecond)
}

func TestTheSessionWithTheScreenIsFound(t *testing.T) {
	for _, c := range []struct {
		why, variable string
		service       bool
	}{
		{"named by the environment", sessiontest.DesktopSession, true},
		{"of a program on the desktop", "", false},
		{"of a program at a terminal", sessiontest.TerminalSession, false},
		{"of a service of the user's", "", true},
		{"of a service that was started over SSH", sessiontest.TerminalSession, true},
		{"with a variable from a session that has ended", "77", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			alone(t)
			t.Setenv("XDG_SESSION_ID", c.variable)
			logind := sessiontest.NewLogind(t, systemBus(t).Address)
			if c.service {
				logind.Detach()
			}
			logind.LockUnannounced()
			listen(t).hears(Locked, soon)
		})
	}
}

func TestASessionThatEndsAndBeginsIsFollowed(t *testing.T) {
	alone(t)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	logind.Detach()
	ear := listen(t)
	ear.hears(Unlocked, soon)
	logind.Lock()
	ear.hears(Locked, soon)
	logind.Logout()
	ear.hears(LockUnknown, soon)
	logind.Login()
	ear.hears(Unlocked, soon)
}

func TestASessionWithoutAScreenProvesNothing(t *testing.T) {
	alone(t)
	t.Setenv("XDG_SESSION_ID", sessiontest.TerminalSession)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	logind.Logout()
	listen(t).hears(LockUnknown, soon)
}

func TestALostSignalIsMadeUpFor(t *testing.T) {
	alone(t)
	hastily(t, 300*time.Millisecond)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	ear := listen(t)
	ear.hears(Unlocked, soon)
	ear.hearsNothing(100 * time.Millisecond) // the bus greets with a signal, too
	logind.LockUnannounced()
	ear.hearsNothing(50 * time.Millisecond)
	ear.hears(Locked, soon)
}

func TestALogindThatHangsIsGivenUp(t *testing.T) {
	alone(t)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	logind.Hang()
	listen(t).hears(LockUnknown, 3*time.Second)
}

func TestALogindThatBeginsToHangIsGivenUp(t *testing.T) {
	alone(t)
	hastily(t, 300*time.Millisecond)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	ear := listen(t)
	ear.hears(Unlocked, soon)
	logind.Hang()
	ear.hears(LockUnknown, 3*time.Second)
}

func TestALogindThatCrashesIsNoticedAndFoundAgain(t *testing.T) {
	alone(t)
	bus := systemBus(t)
	logind := sessiontest.NewLogind(t, bus.Address)
	ear := listen(t)
	ear.hears(Unlocked, soon)
	logind.Crash()
	ear.hears(LockUnknown, soon)
	sessiontest.NewLogind(t, bus.Address)
	ear.hears(Unlocked, soon)
}

func TestABusThatDiesAndComesBackIsFoundAgain(t *testing.T) {
	alone(t)
	hastily(t, 300*time.Millisecond)
	bus := systemBus(t)
	sessiontest.NewLogind(t, bus.Address)
	ear := listen(t)
	for range 2 {
		ear.hears(Unlocked, 2*soon)
		bus.Kill()
		ear.hears(LockUnknown, soon)
		bus.Start()
		sessiontest.NewLogind(t, bus.Address)
	}
	ear.hears(Unlocked, 2*soon)
}

func TestABusThatHangsIsGivenUp(t *testing.T) {
	alone(t)
	systemBus(t).Freeze()
	sessionBus(t).Freeze()
	ear := listen(t)
	ear.hearsNothing(soon)
	ear.hears(LockUnknown, 2*time.Second)
}

func TestTheScreenSaverTellsOfTheLock(t *testing.T) {
	for _, name := range []string{sessiontest.FreedesktopScreenSaver, sessiontest.GnomeScreenSaver} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			bus := sessionBus(t)
			saver := sessiontest.NewScreenSaver(t, bus.Address, name)
			ear := listen(t)
			ear.hears(Unlocked, soon)
			saver.SetActive(true)
			ear.hears(Locked, soon)
			saver.Crash()
			ear.hears(LockUnknown, soon)
			sessiontest.NewScreenSaver(t, bus.Address, name)
			ear.hears(Unlocked, soon)
		})
	}
}

func TestEitherOfThemLocks(t *testing.T) {
	alone(t)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	saver := sessiontest.NewScreenSaver(t, sessionBus(t).Address, sessiontest.FreedesktopScreenSaver)
	ear := listen(t)
	ear.hears(Unlocked, soon)
	saver.SetActive(true)
	ear.hears(Locked, soon)
	logind.Lock()
	ear.hearsNothing(300 * time.Millisecond)
	saver.SetActive(false)
	ear.hearsNothing(300 * time.Millisecond)
	logind.Unlock()
	ear.hears(Unlocked, soon)
}

func TestAScreenSaverThatHangsHoldsNoLockBack(t *testing.T) {
	alone(t)
	logind := sessiontest.NewLogind(t, systemBus(t).Address)
	bus := sessionBus(t)
	sessiontest.NewScreenSaver(t, bus.Address, sessiontest.FreedesktopScreenSaver).Hang()
	sessiontest.NewScreenSaver(t, bus.Address, sessiontest.GnomeScreenSaver)
	logind.Lock()
	ear := listen(t)
	ear.hears(Locked, soon)
	logind.Unlock()
	ear.hears(Unlocked, 3*time.Second)
	logind.Lock()
	ear.hears(Locked, soon)
}

func TestWithoutABusNothingIsKnownAndNoneIsStarted(t *testing.T) {
	alone(t)
	hastily(t, 100*time.Millisecond)
	started := watchForLaunches(t)
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv(addressVariable, address)
		ear := listen(t)
		ear.hears(LockUnknown, soon)
		if how := WakeScreen(t.Context()); len(how) > 0 {
			t.Errorf("without a bus and a screen, %q answered", how)
		}
		ear.hearsNothing(500 * time.Millisecond) // some more looks
	}
	if who := started(); who != "" {
		t.Errorf("a bus was started: %s", who)
	}
}

func TestNobodyIsStartedByBeingAsked(t *testing.T) {
	alone(t)
	hastily(t, 100*time.Millisecond)
	system, desktop := systemBus(t), sessionBus(t)
	tempted := map[string]func() bool{logindName: system.Tempt(logindName)}
	for _, name := range []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.gnome.Mutter.DisplayConfig"} {
		tempted[name] = desktop.Tempt(name)
	}
	ear := listen(t)
	ear.hears(LockUnknown, soon)
	if how := WakeScreen(t.Context()); len(how) > 0 {
		t.Errorf("nobody is there, but %q answered", how)
	}
	ear.hearsNothing(500 * time.Millisecond)
	for name, started := range tempted {
		if started() {
			t.Errorf("%s was started", name)
		}
	}
}

// watchForLaunches puts a dbus-launch of its own into the path, and returns
// what names the programs that were started: that one, and whatever of D-Bus
// has been left behind with this test's environment.
func watchForLaunches(t *testing.T) (started func() string) {
	t.Helper()
	directory := t.TempDir()
	mark := filepath.Join(directory, "launched")
	script := "#!/bin/sh\necho \"$0\" >> '" + mark + "'\nexit 1\n"
	for _, program := range []string{"dbus-launch", "dbus-daemon"} {
		if err := os.WriteFile(filepath.Join(directory, program), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", directory+":"+os.Getenv("PATH"))
	t.Setenv("NIGHTSTAND_LAUNCHES", directory)
	return func() string {
		who, _ := os.ReadFile(mark) // absent is nobody
		return string(who) + leftBehind(t, "NIGHTSTAND_LAUNCHES="+directory)
	}
}

// leftBehind names the other processes that have this in their environment.
func leftBehind(t *testing.T, variable string) (names string) {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environments {
		process := filepath.Dir(path)
		if filepath.Base(process) == strconv.Itoa(os.Getpid()) {
			continue
		}
		environment, err := os.ReadFile(path)
		if err == nil && bytes.Contains(environment, []byte(variable)) {
			name, _ := os.ReadFile(filepath.Join(process, "comm"))
			names += string(name)
		}
	}
	return names
}
