//go:build linux

package secret

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// answersWithin is how long any call may take: three seconds of patience and a
// little for a busy machine.
const answersWithin = 4 * time.Second

// bus is a message bus of the test's own, on which the keyring may be.
type bus struct {
	t        *testing.T
	folder   string
	services string // what the bus may start
}

// newBus starts a bus and points the test's environment at it. Without the
// programs the test is skipped, unless NIGHTSTAND_RIG=1 says they must be there.
func newBus(t *testing.T) *bus {
	t.Helper()
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("NIGHTSTAND_RIG") == "1" {
			t.Fatalf("%s is not installed, and NIGHTSTAND_RIG=1 says that it must be", program)
		}
		t.Skipf("%s is not installed here", program)
	}
	folder, err := os.MkdirTemp("", "keys") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	b := &bus{t: t, folder: folder, services: filepath.Join(folder, "services")}
	if err := os.Mkdir(b.services, 0o700); err != nil {
		t.Fatal(err)
	}
	address := "unix:path=" + filepath.Join(folder, "bus")
	for name, value := range map[string]string{
		"HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_DATA_HOME": filepath.Join(folder, "data"), "DISPLAY": "", "WAYLAND_DISPLAY": "",
		"DBUS_SESSION_BUS_ADDRESS": address,
	} {
		t.Setenv(name, value)
	}
	settings := filepath.Join(folder, "bus.conf")
	content := `<busconfig><type>session</type><listen>` + address + `</listen><servicedir>` + b.services + `</servicedir>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(settings, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start(exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+settings))
	b.until("the bus listens", func() bool {
		connection, err := net.Dial("unix", filepath.Join(folder, "bus"))
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
	return b
}

// start runs a program until the test ends.
func (b *bus) start(command *exec.Cmd) *os.Process {
	b.t.Helper()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // it may have ended by itself
		_ = command.Wait()
	})
	return command.Process
}

// keyring starts an open gnome-keyring.
func (b *bus) keyring() *os.Process {
	b.t.Helper()
	daemon := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	daemon.Stdin = strings.NewReader("a password for the night\n")
	process := b.start(daemon)
	b.until("the keyring is open", func() bool { return Look(context.Background()) == nil })
	return process
}

func (b *bus) until(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// lock locks every collection, as a session without auto-login leaves them.
func (b *bus) lock() {
	b.t.Helper()
	connection, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer connection.Close()
	var collection dbus.ObjectPath
	service := connection.Object(secretService, "/org/freedesktop/secrets")
	if err := service.Call("org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&collection); err != nil {
		b.t.Fatal(err)
	}
	if call := service.Call("org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{collection}); call.Err != nil {
		b.t.Fatal(call.Err)
	}
	b.until("the keyring is locked", func() bool { return errors.Is(Look(context.Background()), ErrLocked) })
}

// mustRefuse asks everything there is, and wants a no of that kind in time.
func mustRefuse(t *testing.T, kind error) {
	t.Helper()
	const password = "hears-every-page"
	ctx, k := context.Background(), ForHome("/home/anna/.local/share/nightstand")
	var asked sync.WaitGroup
	defer asked.Wait()
	for name, ask := range map[string]func() error{
		"Look":   func() error { return Look(ctx) },
		"Get":    func() error { _, err := k.Get(ctx, "prod"); return err },
		"Set":    func() error { return k.Set(ctx, "prod", password) },
		"Delete": func() error { return k.Delete(ctx, "prod") },
	} {
		asked.Go(func() {
			start := time.Now()
			err := ask()
			var ours *Error
			if !errors.Is(err, kind) || !errors.As(err, &ours) {
				t.Errorf("%s gave %v, want %v", name, err, kind)
				return
			}
			if took := time.Since(start); took > answersWithin {
				t.Errorf("%s took %v", name, took)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("%s tells the secret: %v", name, err)
			}
		})
	}
}

func TestAnOpenKeyringKeepsAndForgets(t *testing.T) {
	b := newBus(t)
	b.keyring()
	ctx, mine, other := context.Background(), ForHome("/one"), ForHome("/two")
	const password = "wörd with spaces\nand \x00 lines"
	if _, err := mine.Get(ctx, "prod"); !errors.Is(err, ErrNotThere) {
		t.Errorf("before it was kept: %v", err)
	}
	for _, value := range []string{password, "another one"} {
		if err := mine.Set(ctx, "prod", value); err != nil {
			t.Fatal(err)
		}
		if got, err := mine.Get(ctx, "prod"); err != nil || got != value {
			t.Errorf("it gave back %q (%v)", got, err)
		}
	}
	if got, err := other.Get(ctx, "prod"); !errors.Is(err, ErrNotThere) {
		t.Errorf("another home reads %q (%v)", got, err)
	}
	for range 2 {
		if err := mine.Delete(ctx, "prod"); err != nil {
			t.Errorf("forgetting: %v", err)
		}
	}
	if got, err := mine.Get(ctx, "prod"); !errors.Is(err, ErrNotThere) {
		t.Errorf("forgotten, and it gives %q (%v)", got, err)
	}
}

func TestALockedKeyringSaysSoInTime(t *testing.T) {
	b := newBus(t)
	b.keyring()
	b.lock()
	mustRefuse(t, ErrLocked)
}

func TestAKeyringThatHangsSaysSoInTime(t *testing.T) {
	b := newBus(t)
	daemon := b.keyring()
	if err := daemon.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = daemon.Signal(syscall.SIGCONT) }()
	mustRefuse(t, ErrLocked)
}

func TestABusWithoutAKeyringSaysSo(t *testing.T) {
	newBus(t)
	mustRefuse(t, ErrAbsent)
}

func TestAKeyringThatCouldOnlyBeStartedIsNotStarted(t *testing.T) {
	b := newBus(t)
	mark := filepath.Join(b.folder, "started")
	service := "[D-BUS Service]\nName=" + secretService + "\nExec=/bin/sh -c 'touch " + mark + "; sleep 60'\n"
	if err := os.WriteFile(filepath.Join(b.services, secretService+".service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRefuse(t, ErrAbsent)
	if _, err := os.Stat(mark); err == nil {
		t.Error("asking for the keyring started a program that never answers")
	}
}

func TestASessionWithoutABusSaysSoAndStartsNone(t *testing.T) {
	folder := t.TempDir()
	started := filepath.Join(folder, "started")
	launcher := "#!/bin/sh\ntouch " + started + "\n"
	if err := os.WriteFile(filepath.Join(folder, "dbus-launch"), []byte(launcher), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	t.Setenv("XDG_RUNTIME_DIR", folder)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	mustRefuse(t, ErrAbsent)
	if _, err := os.Stat(started); err == nil {
		t.Error("a bus was started")
	}
}

func TestAKeyringThatComesBackIsUsedAgain(t *testing.T) {
	b := newBus(t)
	mustRefuse(t, ErrAbsent)
	b.keyring()
	k := ForHome("/one")
	if err := k.Set(context.Background(), "prod", "secret"); err != nil {
		t.Errorf("the keyring is there now: %v", err)
	}
}
