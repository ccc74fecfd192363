//go:build unix && !darwin

package sessiontest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// The names under which desktops offer their screen savers.
const (
	FreedesktopScreenSaver = "org.freedesktop.ScreenSaver"
	GnomeScreenSaver       = "org.gnome.ScreenSaver"
)

// ScreenSaver stands in for a desktop's screen saver, which is not active. It
// ends with the test.
type ScreenSaver struct {
	tb         testing.TB
	connection *dbus.Conn
	name       string

	mu     sync.Mutex
	active bool
	woken  []time.Time
}

// NewScreenSaver offers a screen saver of this name on the bus at this address.
func NewScreenSaver(tb testing.TB, address, name string) *ScreenSaver {
	tb.Helper()
	s := &ScreenSaver{tb: tb, connection: connect(tb, address), name: name}
	export(tb, s.connection, screen{s}, s.path(), name)
	claim(tb, s.connection, name)
	return s
}

// SetActive blanks and locks the screen, or shows it again.
func (s *ScreenSaver) SetActive(active bool) {
	s.tb.Helper()
	s.mu.Lock()
	s.active = active
	s.mu.Unlock()
	emit(s.tb, s.connection, s.path(), s.name+".ActiveChanged", active)
}

// Woken are the instants at which somebody simulated the user's activity.
func (s *ScreenSaver) Woken() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.woken)
}

// Hang keeps the name on the bus, and answers nothing from now on.
func (s *ScreenSaver) Hang() { s.connection.Eavesdrop(make(chan *dbus.Message)) }

// Crash leaves the bus.
func (s *ScreenSaver) Crash() { s.connection.Close() }

func (s *ScreenSaver) path() dbus.ObjectPath {
	return dbus.ObjectPath("/" + strings.ReplaceAll(s.name, ".", "/"))
}

// screen has the methods that others call.
type screen struct{ *ScreenSaver }

// GetActive says whether the screen is blank and locked.
func (s screen) GetActive() (bool, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active, nil
}

// SimulateUserActivity is called to light the screen up.
func (s screen) SimulateUserActivity() *dbus.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = append(s.woken, time.Now())
	return nil
}
