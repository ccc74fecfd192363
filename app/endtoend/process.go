//go:build linux

package endtoend

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopPatience is how long a process may take to end before it is killed.
const stopPatience = 3 * time.Second

// Process is a program that runs on the desktop, in a process group of its
// own. It is ended with the test, and also when the test binary dies.
type Process struct {
	Name string
	// Log is the file that holds what it printed, standard error included.
	Log string

	command *exec.Cmd
	ended   chan struct{}
	err     error
}

// starting is one thread that never ends. The kernel ends our processes with
// the thread that started them, so this must not be one of those that Go
// creates and drops.
var starting = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

// startProcess runs the command with its output in a log file under directory.
// Standard output goes there too unless the command has its own.
func startProcess(tb testing.TB, name, directory string, command *exec.Cmd) *Process {
	tb.Helper()
	log, err := os.CreateTemp(directory, name+"-*.log")
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close() // the process has its own copy
	command.Stderr = log
	if command.Stdout == nil {
		command.Stdout = log
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starting() <- func() { started <- command.Start() }
	if err := <-started; err != nil {
		tb.Fatalf("%s could not be started: %v", name, err)
	}
	p := &Process{Name: name, Log: log.Name(), command: command, ended: make(chan struct{})}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s printed:\n%s", name, p.tail())
		}
	})
	tb.Cleanup(p.Stop)
	return p
}

// ID is the process id.
func (p *Process) ID() int { return p.command.Process.Pid }

// Signal sends a signal to this one process.
func (p *Process) Signal(how syscall.Signal) error { return p.command.Process.Signal(how) }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// ExitCode waits for the end and returns the exit code, -1 after a signal.
func (p *Process) ExitCode() int {
	<-p.ended
	return p.command.ProcessState.ExitCode()
}

// Alive says whether it still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Stop asks the process and its children to end, and ends them by force after
// three seconds. Stopping what has ended does nothing.
func (p *Process) Stop() {
	group := -p.ID()
	if p.Alive() {
		_ = syscall.Kill(group, syscall.SIGTERM)
		_ = syscall.Kill(group, syscall.SIGCONT)
		select {
		case <-p.ended:
		case <-time.After(stopPatience):
		}
	}
	// Children of a process that has gone are ended too. There may be none.
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-p.ended
}

// Kill ends this one process as a crash would, and waits for it.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may have ended this moment
	<-p.ended
}

// tail is the end of the log, for a failed test.
func (p *Process) tail() string {
	const most = 4000
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(text)
}

// awaitReady looks every 10 ms until ready says nil, and fails the test after
// the time-out or when the process has ended.
func (p *Process) awaitReady(tb testing.TB, timeout time.Duration, ready func() error) {
	tb.Helper()
	err := errors.New("it was never asked")
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = ready(); err == nil {
			return
		}
		if !p.Alive() {
			tb.Fatalf("%s ended before it was ready (%v; %v):\n%s", p.Name, p.err, err, p.tail())
		}
	}
	tb.Fatalf("%s was not ready within %v: %v\n%s", p.Name, timeout, err, p.tail())
}

// Eventually looks every 10 ms until check says nil, and fails the test with
// its last error after the time-out.
func Eventually(tb testing.TB, timeout time.Duration, check func() error) {
	tb.Helper()
	err := check()
	for deadline := time.Now().Add(timeout); err != nil && time.Now().Before(deadline); err = check() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		tb.Fatalf("after %v: %v", timeout, err)
	}
}

// packages are the Debian packages that bring the programs of the rig.
var packages = map[string]string{
	"Xvfb":                    "xvfb",
	"openbox":                 "openbox",
	"xprop":                   "x11-utils",
	"scrot":                   "scrot",
	"dbus-daemon":             "dbus",
	"gnome-keyring-daemon":    "gnome-keyring",
	"dunst":                   "dunst",
	"dunstctl":                "dunst",
	"pulseaudio":              "pulseaudio",
	"pactl":                   "pulseaudio-utils",
	"pacat":                   "pulseaudio-utils",
	"parec":                   "pulseaudio-utils",
	"xfce4-panel":             "xfce4-panel",
	"prometheus-alertmanager": "prometheus-alertmanager",
	"amtool":                  "prometheus-alertmanager",
}

// need skips the test, or fails it under NIGHTSTAND_RIG=1, when a program of
// the rig is not installed.
func need(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		reason := fmt.Sprintf("%s is not installed (Debian package %s); \"make deps\" installs it", program, packages[program])
		if os.Getenv("NIGHTSTAND_RIG") == "1" {
			tb.Fatal(reason)
		}
		tb.Skip(reason)
	}
}

// keep returns the path for a file to be looked at later, or nothing when
// nobody asked for it.
func keep(name string) string {
	directory := os.Getenv("NIGHTSTAND_SHOTS")
	if directory == "" {
		return ""
	}
	return filepath.Join(directory, name)
}
