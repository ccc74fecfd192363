//go:build unix && !darwin

// Package sessiontest owns what the tests of the session and of the whole
// program have in common: a message bus of the test's own, and on it stand-ins
// for the programs that know whether the session is locked.
package sessiontest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Bus is one message bus. It ends with the test.
type Bus struct {
	// Address is where it listens, also before Start and after Kill.
	Address string

	tb        testing.TB
	directory string
	daemon    *exec.Cmd
}

// NewBus starts a bus. It skips the test where there is no dbus-daemon, unless
// NIGHTSTAND_RIG=1 says that all must be there.
func NewBus(tb testing.TB) *Bus {
	tb.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("NIGHTSTAND_RIG") == "1" {
			tb.Fatal("dbus-daemon is not installed, and NIGHTSTAND_RIG=1 says that it must be")
		}
		tb.Skip("dbus-daemon is not installed, so there is no bus to test on")
	}
	directory := ShortFolder(tb)
	b := &Bus{Address: "unix:path=" + filepath.Join(directory, "socket"), tb: tb, directory: directory}
	b.Start()
	tb.Cleanup(b.Kill)
	return b
}

// ShortFolder is an empty folder that goes with the test. Sockets fit into it:
// the name of the test, which is in the folders of testing's own, would make
// their paths too long.
func ShortFolder(tb testing.TB) string {
	tb.Helper()
	directory, err := os.MkdirTemp("", "bus")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}

const configuration = `<busconfig>
  <type>session</type>
  <listen>%s</listen>
  <auth>EXTERNAL</auth>
  <servicedir>%s</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Start starts the bus again, after Kill, at the same address.
func (b *Bus) Start() {
	b.tb.Helper()
	settings := filepath.Join(b.directory, "bus.conf")
	b.write(settings, fmt.Sprintf(configuration, b.Address, b.services()), 0o600)
	_ = os.Remove(filepath.Join(b.directory, "socket")) // left there by Kill
	var said bytes.Buffer
	b.daemon = exec.Command("dbus-daemon", "--config-file="+settings, "--nofork", "--nopidfile")
	b.daemon.Stdout, b.daemon.Stderr = &said, &said
	if err := b.daemon.Start(); err != nil {
		b.tb.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		connection, err := dbus.Connect(b.Address)
		if err == nil {
			connection.Close()
			return
		}
		if time.Now().After(deadline) {
			b.Kill()
			b.tb.Fatalf("the bus does not listen: %v\n%s", err, said.String())
		}
	}
}

// Kill ends the bus as a crash would.
func (b *Bus) Kill() {
	_ = b.daemon.Process.Kill() // it may have been killed already
	_ = b.daemon.Wait()
}

// Freeze leaves the bus listening, and answering nothing.
func (b *Bus) Freeze() {
	b.tb.Helper()
	if err := b.daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		b.tb.Fatal(err)
	}
}

func (b *Bus) services() string { return filepath.Join(b.directory, "services") }

// Tempt makes the bus ready to start a program for this name if anybody asks
// for it, and returns what says whether it has done so.
func (b *Bus) Tempt(name string) (started func() bool) {
	b.tb.Helper()
	script, mark := filepath.Join(b.directory, name), filepath.Join(b.directory, name+".started")
	b.write(script, "#!/bin/sh\n: > '"+mark+"'\n", 0o700)
	b.write(filepath.Join(b.services(), name+".service"), "[D-BUS Service]\nName="+name+"\nExec="+script+"\n", 0o600)
	connection := connect(b.tb, b.Address)
	defer connection.Close()
	if err := connection.BusObject().Call("org.freedesktop.DBus.ReloadConfig", 0).Err; err != nil {
		b.tb.Fatal(err)
	}
	return func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

func (b *Bus) write(path, text string, mode os.FileMode) {
	b.tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		b.tb.Fatal(err)
	}
}

// connect opens a connection that ends with the test.
func connect(tb testing.TB, address string) *dbus.Conn {
	tb.Helper()
	connection, err := dbus.Connect(address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { connection.Close() })
	return connection
}

// export offers the methods of a value as an object.
func export(tb testing.TB, connection *dbus.Conn, methods any, path dbus.ObjectPath, face string) {
	tb.Helper()
	if err := connection.Export(methods, path, face); err != nil {
		tb.Fatal(err)
	}
}

// claim takes a name on the bus, which must be free.
func claim(tb testing.TB, connection *dbus.Conn, name string) {
	tb.Helper()
	reply, err := connection.RequestName(name, dbus.NameFlagDoNotQueue)
	if err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
		err = fmt.Errorf("the name %s belongs to somebody else", name)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// emit sends a signal.
func emit(tb testing.TB, connection *dbus.Conn, path dbus.ObjectPath, name string, values ...any) {
	tb.Helper()
	if err := connection.Emit(path, name, values...); err != nil {
		tb.Fatal(err)
	}
}
