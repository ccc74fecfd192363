//go:build unix && !darwin

package session

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/godbus/dbus/v5"
)

const (
	logindName    = "org.freedesktop.login1"
	logindPath    = "/org/freedesktop/login1"
	logindManager = "org.freedesktop.login1.Manager"
)

// logind keeps the sessions of a Linux system. Desktops tell it when they lock.
var logind = busWitness{
	address: systemAddress,
	name:    logindName,
	signals: [][]dbus.MatchOption{
		{ // the lock of any session, and which session is the user's
			dbus.WithMatchSender(logindName),
			dbus.WithMatchPathNamespace(logindPath),
			dbus.WithMatchInterface("org.freedesktop.DBus.Properties"),
			dbus.WithMatchMember("PropertiesChanged"),
		},
		{ // sessions come and go, the machine wakes up
			dbus.WithMatchSender(logindName),
			dbus.WithMatchInterface(logindManager),
		},
	},
	ask: func(ctx context.Context, connection *dbus.Conn) (locked bool, err error) {
		session, err := graphicalSession(ctx, connection)
		if err != nil {
			return false, err
		}
		err = property(ctx, session, "org.freedesktop.login1.Session", "LockedHint", &locked)
		return locked, err
	},
}

// systemAddress is where the system bus listens, if there is one.
func systemAddress() string {
	if address := os.Getenv(systemVariable); address != "" {
		return address
	}
	return "unix:path=/var/run/dbus/system_bus_socket"
}

var errNoSession = errors.New("this user has no graphical session")

// graphicalSession is the session with this user's screen: the one we run in,
// else, as for a service of the user's and over SSH, the one that logind takes
// for the user's own. A session without a screen is never locked and proves
// nothing.
func graphicalSession(ctx context.Context, connection *dbus.Conn) (dbus.BusObject, error) {
	manager := connection.Object(logindName, logindPath)
	for _, find := range []func() (dbus.ObjectPath, error){
		func() (path dbus.ObjectPath, err error) {
			// Without the variable this finds nothing, or again what runs us.
			err = call(ctx, manager, logindManager+".GetSession", []any{os.Getenv("XDG_SESSION_ID")}, &path)
			return path, err
		},
		func() (path dbus.ObjectPath, err error) {
			err = call(ctx, manager, logindManager+".GetSessionByPID", []any{uint32(os.Getpid())}, &path)
			return path, err
		},
		func() (dbus.ObjectPath, error) {
			var user dbus.ObjectPath
			if err := call(ctx, manager, logindManager+".GetUser", []any{uint32(os.Getuid())}, &user); err != nil {
				return "", err
			}
			var display struct {
				ID   string
				Path dbus.ObjectPath
			}
			err := property(ctx, connection.Object(logindName, user), "org.freedesktop.login1.User", "Display", &display)
			return display.Path, err
		},
	} {
		path, err := find()
		if err != nil {
			continue
		}
		session := connection.Object(logindName, path)
		var kind string
		if err := property(ctx, session, "org.freedesktop.login1.Session", "Type", &kind); err != nil {
			continue
		}
		if slices.Contains([]string{"x11", "wayland", "mir"}, kind) {
			return session, nil
		}
	}
	return nil, errNoSession
}

// property reads a property of an object into a value, until the context ends.
func property(ctx context.Context, object dbus.BusObject, of, name string, value any) error {
	var answer dbus.Variant
	if err := call(ctx, object, "org.freedesktop.DBus.Properties.Get", []any{of, name}, &answer); err != nil {
		return err
	}
	return answer.Store(value)
}
