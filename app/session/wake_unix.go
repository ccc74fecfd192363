//go:build unix && !darwin

package session

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/dpms"
	"github.com/jezek/xgb/xproto"
)

func waysToWake() []way {
	return []way{
		{"screen saver", simulateActivity("org.freedesktop.ScreenSaver")},
		{"gnome screen saver", simulateActivity("org.gnome.ScreenSaver")},
		{"mutter", powerMutter},
		{"x11", wakeX},
	}
}

// simulateActivity asks a screen saver to do as if somebody had touched a key.
func simulateActivity(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		return onDesktop(ctx, name, func(object dbus.BusObject) error {
			return call(ctx, object, name+".SimulateUserActivity", nil)
		})
	}
}

// powerMutter switches the screens on in GNOME, whose own screen saver knows no
// simulated activity.
func powerMutter(ctx context.Context) error {
	const name = "org.gnome.Mutter.DisplayConfig"
	const on = int32(0)
	return onDesktop(ctx, name, func(object dbus.BusObject) error {
		return call(ctx, object, "org.freedesktop.DBus.Properties.Set", []any{name, "PowerSaveMode", dbus.MakeVariant(on)})
	})
}

// onDesktop does something with the object of a program on the session bus, if
// the program runs.
func onDesktop(ctx context.Context, name string, do func(dbus.BusObject) error) error {
	connection, err := join(ctx, Address())
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := runs(ctx, connection, name); err != nil {
		return err
	}
	return do(connection.Object(name, pathOf(name)))
}

// pathOf is the object of a program that calls its object as it is itself.
func pathOf(name string) dbus.ObjectPath {
	return dbus.ObjectPath("/" + strings.ReplaceAll(name, ".", "/"))
}

// The library would print what goes wrong; it is returned as well.
func init() { xgb.Logger = log.New(io.Discard, "", 0) }

var (
	errNoScreen = errors.New("there is no X screen")
	errWaiting  = errors.New("the X server has not answered the last time yet")
)

// atX is held while the X server is spoken to. The library waits for as long as
// it takes, so a server that hangs must not be waited for again and again.
var atX sync.Mutex

// wakeX ends the blank screen of the X server's own screen saver and switches
// monitors on that it has switched off to save power.
func wakeX(context.Context) error {
	if os.Getenv("DISPLAY") == "" {
		return errNoScreen
	}
	if !atX.TryLock() {
		return errWaiting
	}
	defer atX.Unlock()
	server, err := xgb.NewConn()
	if err != nil {
		return err
	}
	defer server.Close()
	if err := xproto.ForceScreenSaverChecked(server, xproto.ScreenSaverReset).Check(); err != nil {
		return err
	}
	if err := dpms.Init(server); err != nil {
		return nil // it never switches a monitor off
	}
	power, err := dpms.Info(server).Reply()
	if err != nil || !power.State || power.PowerLevel == dpms.DPMSModeOn {
		return err
	}
	return dpms.ForceLevelChecked(server, dpms.DPMSModeOn).Check()
}
