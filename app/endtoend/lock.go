//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"

	"nightstand/app/session/sessiontest"
)

// Logind is what the desktop tells when it locks and unlocks its session.
type Logind = sessiontest.Logind

// ScreenSaver is what a program calls to light the screen up.
type ScreenSaver = sessiontest.ScreenSaver

// systemSocket is where a program on this desktop looks for the system bus.
func (d *Desktop) systemSocket() string { return filepath.Join(d.RuntimeDirectory, "system-bus") }

// Logind starts a system bus with a logind on it, whose session is unlocked.
// Without it the desktop has no system bus, and nobody knows of a lock; a
// program that runs already finds it within ten seconds. Once a desktop.
func (d *Desktop) Logind() *Logind {
	d.tb.Helper()
	need(d.tb, "dbus-daemon")
	socket := d.systemSocket()
	if _, err := os.Stat(socket); err == nil {
		d.tb.Fatal("this desktop has a logind already")
	}
	// What is not there must not be activated here either.
	configuration := filepath.Join(d.Directory, "system-bus.conf")
	d.write(configuration, fmt.Sprintf(busConfiguration, socket, filepath.Join(d.Directory, "system-services")), 0o600)
	process := d.Run(nil, "dbus-daemon", "--nofork", "--nopidfile", "--config-file="+configuration)
	address := "unix:path=" + socket
	process.awaitReady(d.tb, readyWithin, func() error {
		bus, err := dbus.Connect(address)
		if err == nil {
			bus.Close()
		}
		return err
	})
	return sessiontest.NewLogind(d.tb, address)
}

// ScreenSaver puts a screen saver on the session bus, which is not active. Once
// a desktop.
func (d *Desktop) ScreenSaver() *ScreenSaver {
	d.tb.Helper()
	d.Bus() // there must be one
	return sessiontest.NewScreenSaver(d.tb, d.BusAddress, sessiontest.FreedesktopScreenSaver)
}
