//go:build unix

package supervise

import (
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killed is how the guard describes a child that was killed.
const killed = "was killed"

func notifyStop(stop chan os.Signal) {
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
}

func kill(t *testing.T, pid int) { send(t, pid, syscall.SIGKILL) }

func send(t *testing.T, pid int, how syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, how); err != nil {
		t.Fatal(err)
	}
}

func TestAStoppedChildIsKilledAndBack(t *testing.T) {
	diary, _, _ := guardInTest(t, "lives", Options{BeatTimeout: time.Second})
	first := await(t, diary, "start", 1)
	time.Sleep(200 * time.Millisecond) // until it has given its first beat
	stopped := time.Now()
	send(t, first.pid, syscall.SIGSTOP)
	second := await(t, diary, "start", 2)
	back := second.at.Sub(stopped)
	t.Logf("back after %v with a beat time-out of 1 s", back.Round(time.Millisecond))
	if back < 900*time.Millisecond || back > 5*time.Second {
		t.Errorf("the child was back after %v", back)
	}
	if second.detail != "1 hung" {
		t.Errorf("the second child was told %q about the life before", second.detail)
	}
	if err := syscall.Kill(first.pid, 0); err == nil {
		t.Error("the hung child is still there")
	}
}

// startParent runs a guarding parent as a process of its own.
func startParent(t *testing.T) (parent *exec.Cmd, diary string) {
	t.Helper()
	diary = filepath.Join(t.TempDir(), "diary")
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), roleVariable+"=parent", diaryVariable+"="+diary, quickRace)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Either may be gone already.
		_ = parent.Process.Kill()
		for _, e := range read(t, diary) {
			if e.what == "start" {
				_ = syscall.Kill(e.pid, syscall.SIGKILL)
			}
		}
	})
	return parent, diary
}

func TestTheChildNoticesThatItsParentDiedAndLivesOn(t *testing.T) {
	parent, diary := startParent(t)
	child := await(t, diary, "start", 1)
	time.Sleep(200 * time.Millisecond) // until it beats
	killed := time.Now()
	kill(t, parent.Process.Pid)
	_ = parent.Wait() // it was killed, that is the error
	alone := await(t, diary, "alone", 1)
	t.Logf("noticed after %v", alone.at.Sub(killed).Round(time.Millisecond))
	if alone.pid != child.pid {
		t.Errorf("process %d noticed, the child was %d", alone.pid, child.pid)
	}
	// Long enough for many beats into the broken pipe.
	time.Sleep(500 * time.Millisecond)
	if err := syscall.Kill(child.pid, 0); err != nil {
		t.Errorf("the child died with its parent: %v", err)
	}
	for _, e := range read(t, diary) {
		if e.what == "stopped" {
			t.Errorf("the child was asked to stop: %v", e)
		}
	}
}

func TestSignalsAreHandedToTheChild(t *testing.T) {
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(how.String(), func(t *testing.T) {
			parent, diary := startParent(t)
			await(t, diary, "start", 1)
			time.Sleep(200 * time.Millisecond) // until it listens for signals
			send(t, parent.Process.Pid, how)
			if err := parent.Wait(); err != nil {
				t.Errorf("the parent ended with %v", err)
			}
			if stopped := await(t, diary, "stopped", 1); stopped.detail != how.String() {
				t.Errorf("the child got %q, the parent %q", stopped.detail, how)
			}
		})
	}
}

// notifySocket is systemd's end of a service, as far as a test needs it.
func notifySocket(t *testing.T) <-chan string {
	t.Helper()
	directory, err := os.MkdirTemp("", "sd") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	path := filepath.Join(directory, "n")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	said := make(chan string, 64)
	go func() {
		defer close(said)
		for buffer := make([]byte, 4096); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			said <- string(buffer[:n])
		}
	}()
	t.Setenv("NOTIFY_SOCKET", path)
	return said
}

func next(t *testing.T, said <-chan string) string {
	t.Helper()
	select {
	case state := <-said:
		return state
	case <-time.After(5 * time.Second):
		t.Fatal("systemd was told nothing")
		return ""
	}
}

func TestSystemdHearsTheHeart(t *testing.T) {
	said := notifySocket(t)
	t.Setenv("WATCHDOG_USEC", "400000")
	t.Setenv("WATCHDOG_PID", "")
	t.Setenv(guardedVariable, "")
	t.Setenv(supervisorVariable, string(Systemd))
	heart := Listen()

	heart.Ready()
	if got := next(t, said); got != "READY=1" {
		t.Fatalf("got %q", got)
	}
	heart.Status("Armed: you would hear\na page.")
	heart.Status("Armed: you would hear\na page.")
	if got := next(t, said); got != "STATUS=Armed: you would hear a page." {
		t.Fatalf("got %q", got)
	}
	// One second of beats every 20 ms: a ping each 100 ms, a quarter of the period.
	end := time.Now().Add(time.Second)
	for time.Now().Before(end) {
		heart.Beat()
		time.Sleep(20 * time.Millisecond)
	}
	heart.Stopping()
	var pings []string
	for {
		got := next(t, said)
		if got == "STOPPING=1" {
			break
		}
		pings = append(pings, got)
	}
	if slices.ContainsFunc(pings, func(s string) bool { return s != "WATCHDOG=1" }) || len(pings) < 3 || len(pings) > 11 {
		t.Errorf("a second of beats told systemd %d times: %q", len(pings), pings)
	}
	guardian := heart.Guardian()
	if guardian.Who != Systemd || !guardian.Safe() {
		t.Errorf("the guardian is %+v", guardian)
	}
}

func TestASystemdThatNoLongerReadsBlocksNothing(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(directory, "nobody"))
	t.Setenv("WATCHDOG_USEC", "1000")
	t.Setenv("WATCHDOG_PID", "")
	t.Setenv(guardedVariable, "")
	heart := Listen()
	began := time.Now()
	for range 1000 {
		heart.Beat()
		heart.Ready()
	}
	heart.Stopping()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a thousand beats took %v", took)
	}
}

func TestGuardians(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	t.Setenv(guardedVariable, "")
	t.Setenv(supervisorVariable, "")
	nobody := Listen().Guardian()
	if nobody.Who != Nobody || nobody.Safe() || !strings.Contains(nobody.Sentence, "nobody restarts me") {
		t.Errorf("with nobody there: %+v", nobody)
	}
	notifySocket(t)
	t.Setenv(supervisorVariable, string(Systemd))
	unwatched := Listen().Guardian()
	if unwatched.Who != Systemd || !unwatched.AfterCrash || unwatched.AfterHang {
		t.Errorf("with systemd and no watchdog: %+v", unwatched)
	}
	t.Setenv("WATCHDOG_USEC", "12000000")
	t.Setenv("WATCHDOG_PID", "1")
	if other := Listen().Guardian(); other.AfterHang {
		t.Errorf("a watchdog for another process counts: %+v", other)
	}
	mute := &Heart{guarded: true, parentMute: true}
	if g := mute.Guardian(); g.Who != Nobody || g.Safe() || !strings.Contains(g.Sentence, "no longer answers") {
		t.Errorf("with a parent that stands still: %+v", g)
	}
	gone := &Heart{guarded: true, parentGone: true, named: Launchd}
	if g := gone.Guardian(); g.Who != Launchd || g.Safe() {
		t.Errorf("under launchd, with the parent gone: %+v", g)
	}
}

func TestAParentThatStandsStillNoLongerCounts(t *testing.T) {
	theirs, ours := io.Pipe()
	defer ours.Close()
	start := time.Now().Add(-time.Minute)
	heart := &Heart{guarded: true, messages: make(chan message, 1000), stop: make(chan struct{}), parentWait: newPatience(start, parentPatience)}
	go heart.hearParent(theirs)
	say := func() {
		t.Helper()
		if _, err := io.WriteString(ours, hereLine+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	say()
	for taken := false; !taken; time.Sleep(time.Millisecond) {
		heart.mu.Lock()
		taken = heart.parentWait.since != start
		heart.mu.Unlock()
	}
	if g := heart.Guardian(); g.Who != Parent {
		t.Fatalf("with a parent that speaks: %+v", g)
	}
	// The parent falls silent 16 s ago, while our own loop went round.
	heart.mu.Lock()
	heart.parentWait.since = time.Now().Add(-16 * time.Second)
	heart.parentWait.last = time.Now().Add(-time.Second)
	heart.mu.Unlock()
	heart.Beat()
	if g := heart.Guardian(); g.Who != Nobody {
		t.Errorf("with a parent silent for 16 s: %+v", g)
	}
	say()
	say() // when the second is read, the first was taken in
	if g := heart.Guardian(); g.Who != Parent {
		t.Errorf("with a parent that speaks again: %+v", g)
	}
}

func TestTheHeartHidesTheGuardFromOthers(t *testing.T) {
	_, diary := startParent(t)
	child := await(t, diary, "start", 1)
	environment, err := os.ReadFile("/proc/" + strconv.Itoa(child.pid) + "/environ")
	if err != nil {
		t.Skipf("this system does not show a process's environment: %v", err)
	}
	if !strings.Contains(string(environment), guardedVariable+"=1") {
		t.Errorf("the child was not told that it is guarded: %q", environment)
	}
	t.Setenv(restartsVariable, "3")
	t.Setenv(lastEndVariable, "hung")
	t.Setenv(guardedVariable, "")
	heart := Listen()
	if count, how := heart.Restarts(); count != 3 || how != "hung" {
		t.Errorf("read %d, %q", count, how)
	}
	for _, variable := range []string{guardedVariable, restartsVariable, lastEndVariable} {
		if _, there := os.LookupEnv(variable); there {
			t.Errorf("%s is still in the environment", variable)
		}
	}
}
