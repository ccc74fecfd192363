//go:build unix && !darwin

package tray

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"

	"nightstand/app/session"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
)

// retry is the pause between two looks for a bus or a panel.
var retry = 10 * time.Second

var (
	noBus = Health{Reason: NoSessionBus, Sentence: "There is no desktop session here, so Nightstand has no tray icon. " +
		"Pages still ring; use the nightstand command to see and answer them."}
	noHost = Health{Reason: NoHost, Sentence: "This desktop has no place for tray icons, so Nightstand's lamp cannot be seen. " +
		"Pages still ring; use the window or the nightstand command, or switch on your desktop's extension for tray icons (on GNOME it is called AppIndicator)."}
	notTaken = Health{Reason: NotTaken, Sentence: "The panel has a place for tray icons but does not list Nightstand's lamp. " +
		"Pages still ring; use the window or the nightstand command, and restart the panel if the lamp stays away."}
	lost = Health{Reason: Lost, Sentence: "The panel that showed Nightstand's lamp has gone. " +
		"Pages still ring; the lamp returns by itself when the panel is back."}
	shown = Health{Shown: true, Reason: Shown, Sentence: "Nightstand's lamp is in the panel."}
)

// Run brings the icon up and keeps it up until ctx is done. It waits for a
// session bus and a panel as long as it takes and speaks to no D-Bus library
// before there is a bus. On macOS it must be called by the main goroutine, so
// main calls it last on every system.
func (t *Tray) Run(ctx context.Context) {
	icon := &statusNotifier{tray: t}
	defer icon.lower()
	for ctx.Err() == nil {
		bus, err := session.Dial()
		if err != nil {
			t.log.Debug("no session bus for the tray icon", "error", err)
			t.report(unlessSeen(icon.seen, noBus))
		} else {
			icon.stay(ctx, bus)
			bus.Close()
		}
		pause(ctx, retry)
	}
}

// unlessSeen says that the icon is lost rather than missing when it was there
// before.
func unlessSeen(seen bool, health Health) Health {
	if seen {
		return lost
	}
	return health
}

// statusNotifier is the life of the icon as a StatusNotifierItem.
type statusNotifier struct {
	tray   *Tray
	paint  *surface
	finish func() // takes the icon down; nil while it never was up
	seen   bool   // a panel has shown it at least once
}

// stay keeps the icon in the panel for as long as the bus lives.
func (n *statusNotifier) stay(ctx context.Context, bus *dbus.Conn) {
	signals := make(chan *dbus.Signal, 16)
	bus.Signal(signals)
	if err := session.WatchOwner(bus, watcherName); err != nil {
		n.tray.log.Debug("cannot watch for the panel", "error", err)
		n.tray.report(unlessSeen(n.seen, noBus))
		return
	}
	for raised := false; ctx.Err() == nil; {
		health := look(bus)
		if health.Reason == NotTaken && !raised {
			n.raise(ctx)
			raised = true
		}
		// A panel takes a moment to list an icon that is new to it.
		for tries := 0; health.Reason == NotTaken && tries < 20; tries++ {
			pause(ctx, 100*time.Millisecond)
			health = look(bus)
		}
		n.seen = n.seen || health.Shown
		if health.Reason == NoHost {
			health = unlessSeen(n.seen, health)
		}
		n.tray.report(health)
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry):
		case _, alive := <-signals:
			if !alive {
				n.tray.report(unlessSeen(n.seen, noBus))
				return
			}
		}
	}
}

// look asks the bus whether a panel shows our icon.
func look(bus *dbus.Conn) Health {
	if session.Owner(bus, watcherName) == "" {
		return noHost
	}
	watcher := bus.Object(watcherName, watcherPath)
	// A watcher that does not answer this question is given the benefit of
	// the doubt: the list below is the proof.
	if has, err := session.Property(watcher, watcherName, "IsStatusNotifierHostRegistered"); err == nil && has.Value() == false {
		return noHost
	}
	listed, err := session.Property(watcher, watcherName, "RegisteredStatusNotifierItems")
	if err != nil {
		return notTaken
	}
	ours := itemName()
	owner := session.Owner(bus, ours)
	items, _ := listed.Value().([]string)
	for _, item := range items {
		service, _, _ := strings.Cut(strings.ReplaceAll(item, "@", "/"), "/")
		if service != "" && (service == ours || service == owner) {
			return shown
		}
	}
	return notTaken
}

// itemName is the name that systray takes on the bus.
func itemName() string { return fmt.Sprintf("org.kde.StatusNotifierItem-%d-1", os.Getpid()) }

// raise puts the icon on the bus, the first time or after the bus was lost.
func (n *statusNotifier) raise(ctx context.Context) {
	if err := session.Publish(); err != nil {
		return
	}
	start, finish := systray.RunWithExternalLoop(nil, nil)
	if n.paint == nil {
		// The title is also the identity by which panels remember an icon.
		systray.SetTitle("Nightstand")
		n.paint = newSurface(n.tray.pressed, n.tray.log)
		painted := make(chan struct{})
		go n.tray.draw(ctx, n.paint, func() { close(painted) })
		<-painted
	}
	start()
	n.finish = finish
}

// lower takes the icon down. systray panics here when it never reached a bus.
func (n *statusNotifier) lower() {
	if n.finish != nil {
		n.paint.guarded(n.finish)
	}
}

// pause waits, or returns early when ctx is done.
func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
