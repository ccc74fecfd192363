//go:build linux

package endtoend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const notificationsName = "org.freedesktop.Notifications"

// Action is one button of a notification.
type Action struct{ Key, Label string }

// Notification is one call of Notify, as it went over the bus.
type Notification struct {
	// ID is the daemon's number; 0 until it has answered.
	ID uint32
	// Replaces is the number of the notification this one takes the place of;
	// 0 if it is a new one.
	Replaces      uint32
	Application   string
	Summary, Body string
	Actions       []Action
	// Urgency is 0 low, 1 normal, 2 critical; 1 also if it was not given.
	Urgency byte
	Hints   map[string]dbus.Variant
	// Timeout is in milliseconds; 0 stays, -1 is as the daemon likes.
	Timeout int32
	// At is when the call went over the bus.
	At time.Time
	// ClosedAt is when the daemon said that it is gone; zero while it stands.
	ClosedAt time.Time

	sender string
	serial uint32
}

// Open says that it stands on the screen, as far as the daemon has told.
func (n Notification) Open() bool { return n.ID != 0 && n.ClosedAt.IsZero() }

// Notifications is everything the notification daemon was told, and what it
// told back, since the watching began.
type Notifications struct {
	desktop *Desktop

	mu      sync.Mutex
	all     []*Notification
	invoked []Invocation
}

// Invocation is one press of a notification's button, as the daemon told it.
type Invocation struct {
	ID  uint32
	Key string
	At  time.Time
}

// notificationSettings let "dunstctl context" work without a hand: the menu
// program is a script that chooses what stands in a file.
const notificationSettings = `[global]
    monitor = 0
    follow = none
    width = 380
    origin = top-right
    offset = 12x48
    font = Monospace 10
    dmenu = %s
    sticky_history = yes
    mouse_left_click = close_current

[urgency_low]
    timeout = 10

[urgency_normal]
    timeout = 30

[urgency_critical]
    timeout = 0
`

const menuScript = `#!/bin/sh
# Chooses the line that is wanted from those the daemon offers.
exec grep -F -m 1 -e "$(cat '%s')"
`

// StartNotificationDaemon starts dunst, late or at the start of the desktop.
func (d *Desktop) StartNotificationDaemon() {
	d.tb.Helper()
	settings, menu := filepath.Join(d.Directory, "dunstrc"), filepath.Join(d.Directory, "menu")
	d.write(menu, fmt.Sprintf(menuScript, d.menuChoice()), 0o700)
	d.write(settings, fmt.Sprintf(notificationSettings, menu), 0o600)
	d.daemon = d.Run(nil, "dunst", "-config", settings)
	d.daemon.awaitReady(d.tb, readyWithin, func() error {
		if !d.Owned(notificationsName) {
			return errors.New("nobody shows notifications")
		}
		return nil
	})
}

// StopNotificationDaemon ends dunst, as when it crashes.
func (d *Desktop) StopNotificationDaemon() { d.daemon.Stop() }

func (d *Desktop) menuChoice() string { return filepath.Join(d.Directory, "menu-choice") }

// Notifications watches the bus from the first call on; later calls return the
// same watcher.
func (d *Desktop) Notifications() *Notifications {
	d.tb.Helper()
	if d.notifications != nil {
		return d.notifications
	}
	monitor, err := dbus.Connect(d.BusAddress)
	if err != nil {
		d.tb.Fatal(err)
	}
	d.tb.Cleanup(func() { monitor.Close() })
	// From here on everything comes through the channel, the answer to
	// BecomeMonitor included: a monitor that answers a call is thrown out.
	messages := make(chan *dbus.Message, 4096)
	monitor.Eavesdrop(messages)
	rules := []string{
		"type='method_call',interface='" + notificationsName + "'",
		"type='signal',interface='" + notificationsName + "'",
		"type='method_return'",
	}
	monitor.BusObject().Go("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, nil, rules, uint32(0))
	timeout := time.After(readyWithin)
	for ready := false; !ready; {
		select {
		case m := <-messages:
			if m.Type == dbus.TypeError {
				d.tb.Fatalf("the bus cannot be watched: %v", m.Body)
			}
			ready = m.Type == dbus.TypeMethodReply
		case <-timeout:
			d.tb.Fatal("the bus did not answer the wish to watch it")
		}
	}
	d.notifications = &Notifications{desktop: d}
	go func() {
		for m := range messages {
			d.notifications.see(m, time.Now())
		}
	}()
	return d.notifications
}

// see takes one message of the bus in.
func (n *Notifications) see(m *dbus.Message, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	header := func(field dbus.HeaderField) string {
		text, _ := m.Headers[field].Value().(string) // absent is empty
		return text
	}
	member := header(dbus.FieldMember)
	switch {
	case m.Type == dbus.TypeMethodCall && member == "Notify":
		var seen Notification
		var actions []string
		if err := dbus.Store(m.Body, &seen.Application, &seen.Replaces, new(string), &seen.Summary, &seen.Body,
			&actions, &seen.Hints, &seen.Timeout); err != nil {
			return // not what the specification calls Notify; the daemon refuses it too
		}
		for i := 0; i+1 < len(actions); i += 2 {
			seen.Actions = append(seen.Actions, Action{Key: actions[i], Label: actions[i+1]})
		}
		seen.Urgency = 1
		if urgency, given := seen.Hints["urgency"].Value().(byte); given {
			seen.Urgency = urgency
		}
		seen.At, seen.sender, seen.serial = at, header(dbus.FieldSender), m.Serial()
		n.all = append(n.all, &seen)
	case m.Type == dbus.TypeMethodReply:
		serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
		for _, seen := range n.all {
			if seen.ID == 0 && seen.serial == serial && seen.sender == header(dbus.FieldDestination) && len(m.Body) == 1 {
				seen.ID, _ = m.Body[0].(uint32)
			}
		}
	case m.Type == dbus.TypeSignal && member == "NotificationClosed":
		var id, reason uint32
		if dbus.Store(m.Body, &id, &reason) == nil {
			for _, seen := range n.all {
				if seen.ID == id && seen.ClosedAt.IsZero() {
					seen.ClosedAt = at
				}
			}
		}
	case m.Type == dbus.TypeSignal && member == "ActionInvoked":
		var press Invocation
		if dbus.Store(m.Body, &press.ID, &press.Key) == nil {
			press.At = at
			n.invoked = append(n.invoked, press)
		}
	}
}

// All are the notifications seen so far, oldest first.
func (n *Notifications) All() []Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []Notification
	for _, seen := range n.all {
		all = append(all, *seen)
	}
	return all
}

// Invoked are the buttons pressed so far, oldest first.
func (n *Notifications) Invoked() []Invocation {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.invoked)
}

// Wait returns the first notification that the daemon has taken and that is
// wanted, and fails the test when none came within the time.
func (n *Notifications) Wait(within time.Duration, wanted func(Notification) bool) Notification {
	n.desktop.tb.Helper()
	var found Notification
	Eventually(n.desktop.tb, within, func() error {
		all := n.All()
		for _, seen := range all {
			if seen.ID != 0 && wanted(seen) {
				found = seen
				return nil
			}
		}
		return fmt.Errorf("the notification that was waited for did not come; these did: %+v", all)
	})
	return found
}

// Invoke presses the button with this label, through the daemon's own menu, as
// a person would. It returns the instant at which the daemon told the program.
func (n *Notifications) Invoke(notification Notification, label string) time.Time {
	d := n.desktop
	d.tb.Helper()
	index := slices.IndexFunc(notification.Actions, func(a Action) bool { return a.Label == label })
	if index < 0 {
		d.tb.Fatalf("the notification %q has no button %q, only %+v", notification.Summary, label, notification.Actions)
	}
	before := len(n.Invoked())
	// One line of dunst's menu: the button, the summary, and in brackets what
	// makes it unique.
	line := fmt.Sprintf("[%d,%s]", notification.ID, notification.Actions[index].Key)
	if err := os.WriteFile(d.menuChoice(), []byte(line), 0o600); err != nil {
		d.tb.Fatal(err)
	}
	d.Output("dunstctl", "context")
	var press Invocation
	Eventually(d.tb, 10*time.Second, func() error {
		for _, p := range n.Invoked()[before:] {
			if p.ID == notification.ID && p.Key == notification.Actions[index].Key {
				press = p
				return nil
			}
		}
		return fmt.Errorf("the daemon did not press %q of notification %d", label, notification.ID)
	})
	return press.At
}

// Paused says whether the daemon holds notifications back, as "do not disturb"
// does; it holds critical ones too.
func (n *Notifications) Paused() bool {
	n.desktop.tb.Helper()
	return strings.TrimSpace(n.desktop.Output("dunstctl", "is-paused")) == "true"
}

// SetPaused switches "do not disturb".
func (n *Notifications) SetPaused(paused bool) {
	n.desktop.tb.Helper()
	n.desktop.Output("dunstctl", "set-paused", fmt.Sprint(paused))
}
