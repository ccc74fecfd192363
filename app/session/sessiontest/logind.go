//go:build unix && !darwin

package sessiontest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// The sessions that the stand-in knows, under the paths that logind gives them.
const (
	// TerminalSession is the id of the session without a screen, as over SSH.
	TerminalSession = "1"
	// DesktopSession is the id of the session with the screen.
	DesktopSession = "2"

	terminalPath = dbus.ObjectPath("/org/freedesktop/login1/session/_31")
	desktopPath  = dbus.ObjectPath("/org/freedesktop/login1/session/_32")
)

const (
	logindName    = "org.freedesktop.login1"
	logindPath    = dbus.ObjectPath("/org/freedesktop/login1")
	logindManager = logindName + ".Manager"
	logindSession = logindName + ".Session"
	logindUser    = logindName + ".User"
	properties    = "org.freedesktop.DBus.Properties"
)

// Logind stands in for systemd's logind, with this user logged in twice: at a
// terminal, and at a desktop that is unlocked. It ends with the test.
type Logind struct {
	tb         testing.TB
	connection *dbus.Conn

	mu        sync.Mutex
	locked    bool // the desktop
	loggedOut bool // of the desktop
	detached  bool
}

// NewLogind offers a logind on the bus at this address.
func NewLogind(tb testing.TB, address string) *Logind {
	tb.Helper()
	l := &Logind{tb: tb, connection: connect(tb, address)}
	export(tb, l.connection, manager{l}, logindPath, logindManager)
	for _, path := range []dbus.ObjectPath{userPath(), terminalPath, desktopPath} {
		export(tb, l.connection, object{l, path}, path, properties)
	}
	claim(tb, l.connection, logindName)
	return l
}

// Lock is what a desktop tells logind when it has locked its session.
func (l *Logind) Lock() {
	l.tb.Helper()
	l.LockUnannounced()
	l.changed(desktopPath, logindSession, "LockedHint", true)
}

// LockUnannounced locks, and the signal is lost.
func (l *Logind) LockUnannounced() { l.set(func() { l.locked = true }) }

// Unlock is what a desktop tells logind when it has unlocked its session.
func (l *Logind) Unlock() {
	l.tb.Helper()
	l.set(func() { l.locked = false })
	l.changed(desktopPath, logindSession, "LockedHint", false)
}

// Detach makes every process one of the user's services, which belong to no
// session.
func (l *Logind) Detach() { l.set(func() { l.detached = true }) }

// Logout ends the session at the desktop.
func (l *Logind) Logout() {
	l.tb.Helper()
	l.set(func() { l.loggedOut = true })
	emit(l.tb, l.connection, logindPath, logindManager+".SessionRemoved", DesktopSession, desktopPath)
	l.changed(userPath(), logindUser, "Display", l.display())
}

// Login starts the session at the desktop again, unlocked.
func (l *Logind) Login() {
	l.tb.Helper()
	l.set(func() { l.loggedOut, l.locked = false, false })
	emit(l.tb, l.connection, logindPath, logindManager+".SessionNew", DesktopSession, desktopPath)
	l.changed(userPath(), logindUser, "Display", l.display())
}

// Hang keeps the name on the bus, and answers nothing from now on.
func (l *Logind) Hang() {
	// Who eavesdrops answers nothing; the messages are dropped.
	l.connection.Eavesdrop(make(chan *dbus.Message))
}

// Crash leaves the bus.
func (l *Logind) Crash() { l.connection.Close() }

func (l *Logind) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *Logind) changed(path dbus.ObjectPath, of, name string, value any) {
	l.tb.Helper()
	emit(l.tb, l.connection, path, properties+".PropertiesChanged", of,
		map[string]dbus.Variant{name: dbus.MakeVariant(value)}, []string{})
}

// session is a session as logind names it to others: (so).
type session struct {
	ID   string
	Path dbus.ObjectPath
}

// display is the session that logind takes for the user's own.
func (l *Logind) display() session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loggedOut {
		return session{"", "/"}
	}
	return session{DesktopSession, desktopPath}
}

func userPath() dbus.ObjectPath {
	return dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/login1/user/_%d", os.Getuid()))
}

func refuse(reason, sentence string, about any) *dbus.Error {
	return dbus.NewError(logindName+"."+reason, []any{fmt.Sprintf(sentence, about)})
}

// manager has the methods of logind's first object.
type manager struct{ *Logind }

// GetSession finds a session by its id.
func (m manager) GetSession(id string) (dbus.ObjectPath, *dbus.Error) {
	display := m.display()
	switch {
	case id == TerminalSession:
		return terminalPath, nil
	case id != "" && id == display.ID:
		return display.Path, nil
	default:
		return "/", refuse("NoSuchSession", "No session '%v' known", id)
	}
}

// GetSessionByPID finds the session that a process belongs to.
func (m manager) GetSessionByPID(process uint32) (dbus.ObjectPath, *dbus.Error) {
	display := m.display()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.detached || display.ID == "" {
		return "/", refuse("NoSessionForPID", "PID %v does not belong to any known session", process)
	}
	return display.Path, nil
}

// GetUser finds a user by number.
func (m manager) GetUser(user uint32) (dbus.ObjectPath, *dbus.Error) {
	if user != uint32(os.Getuid()) {
		return "/", refuse("NoSuchUser", "User ID %v is not logged in or lingering", user)
	}
	return userPath(), nil
}

// object has the properties of one of the other objects.
type object struct {
	*Logind
	path dbus.ObjectPath
}

// Get is how properties are read.
func (o object) Get(of, name string) (dbus.Variant, *dbus.Error) {
	display := o.display()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.path == desktopPath && o.loggedOut {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", []any{"Unknown object"})
	}
	kind := "x11"
	if o.path == terminalPath {
		kind = "tty"
	}
	switch {
	case o.path == userPath() && of == logindUser && name == "Display":
		return dbus.MakeVariant(display), nil
	case o.path != userPath() && of == logindSession && name == "Type":
		return dbus.MakeVariant(kind), nil
	case o.path != userPath() && of == logindSession && name == "LockedHint":
		return dbus.MakeVariant(o.path == desktopPath && o.locked), nil
	default:
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"Unknown property " + name})
	}
}
