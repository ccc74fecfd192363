//go:build unix && !darwin

package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	addressVariable = "DBUS_SESSION_BUS_ADDRESS"
	systemVariable  = "DBUS_SYSTEM_BUS_ADDRESS"
)

// Patience is how long the bus, or a program on it, may take to answer.
const Patience = 3 * time.Second

// ErrNoBus says that this session has no message bus at all, as over SSH or in
// a container.
var ErrNoBus = errors.New("there is no session bus")

// Address is where the running session bus listens: what the environment
// names, else the socket that systemd puts in the runtime directory. It is
// empty when there is none.
func Address() string {
	if address := os.Getenv(addressVariable); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return address
	}
	directory := os.Getenv("XDG_RUNTIME_DIR")
	if directory == "" {
		directory = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	}
	socket := filepath.Join(directory, "bus")
	if about, err := os.Stat(socket); err != nil || about.Mode()&os.ModeSocket == 0 {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(socket)
}

// Dial opens a connection of our own to the session bus, within Patience. The
// caller closes it.
func Dial() (*dbus.Conn, error) {
	deadline, end := context.WithTimeout(context.Background(), Patience)
	defer end()
	return join(deadline, Address())
}

// join opens a connection of our own to the bus at an address. It is given up
// when the context ends; once open, it stays until the caller closes it.
func join(ctx context.Context, address string) (*dbus.Conn, error) {
	if address == "" {
		return nil, ErrNoBus
	}
	// A bus that accepts and then says nothing would hold the greeting up for
	// ever; ending its lifetime closes the connection under it.
	lifetime, end := context.WithCancel(context.Background())
	patient := context.AfterFunc(ctx, end)
	connection, err := dbus.Connect(address,
		dbus.WithContext(lifetime),
		dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		patient()
		end()
		return nil, err
	}
	if !patient() {
		connection.Close()
		return nil, ctx.Err()
	}
	return connection, nil
}

// Publish names the bus in this process's environment, for libraries that look
// for it by themselves and would otherwise start one.
func Publish() error {
	address := Address()
	if address == "" {
		return ErrNoBus
	}
	return os.Setenv(addressVariable, address)
}

// Call asks a method of an object on the bus and stores the answer in results.
// It gives up after Patience. With wake the bus may start the program that
// owns the name, as desktops do for their notification daemon.
func Call(object dbus.BusObject, wake bool, method string, arguments []any, results ...any) error {
	deadline, end := context.WithTimeout(context.Background(), Patience)
	defer end()
	flags := dbus.FlagNoAutoStart
	if wake {
		flags = 0
	}
	return object.CallWithContext(deadline, method, flags, arguments...).Store(results...)
}

// Property reads one property of an object, within Patience, and never starts
// the program that would own it.
func Property(object dbus.BusObject, of, name string) (dbus.Variant, error) {
	var value dbus.Variant
	err := Call(object, false, "org.freedesktop.DBus.Properties.Get", []any{of, name}, &value)
	return value, err
}

// Owner is the unique name of the connection that owns a well-known name, or
// empty when nobody does.
func Owner(connection *dbus.Conn, name string) string {
	var owner string
	if err := Call(connection.BusObject(), false, "org.freedesktop.DBus.GetNameOwner", []any{name}, &owner); err != nil {
		return ""
	}
	return owner
}

// WatchOwner asks to be sent a NameOwnerChanged signal whenever the owner of a
// well-known name changes.
func WatchOwner(connection *dbus.Conn, name string) error {
	return Watch(connection,
		dbus.WithMatchSender("org.freedesktop.DBus"),
		dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, name))
}

// Watch asks the bus for the signals that match, within Patience.
func Watch(connection *dbus.Conn, match ...dbus.MatchOption) error {
	deadline, end := context.WithTimeout(context.Background(), Patience)
	defer end()
	return connection.AddMatchSignalContext(deadline, match...)
}

// NewOwner reads a NameOwnerChanged signal. It returns the name, its owner
// from now on (empty when it has none), and whether the signal was one.
func NewOwner(signal *dbus.Signal) (name, owner string, ok bool) {
	if signal.Name != "org.freedesktop.DBus.NameOwnerChanged" || len(signal.Body) < 3 {
		return "", "", false
	}
	name, _ = signal.Body[0].(string)
	owner, _ = signal.Body[2].(string)
	return name, owner, true
}
