package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"nightstand/app/control"
	"nightstand/app/session"
	"nightstand/app/watch"
	"nightstand/tray/notify"
)

// lockSeen takes in whether the session is locked: on a locked screen a
// notification carries the severity only, and the alarm's window comes to the
// front when it is unlocked.
func (a *Agent) lockSeen(lock session.Lock) {
	a.log.Info("session", "lock", lock)
	a.desk.update(func(d *control.Desk) { d.Lock = string(lock) })
	a.changed.tell()
}

// behindTheLock takes out of notifications what only the user may read.
func behindTheLock(all []notify.Note, s watch.State) []notify.Note {
	const body = "Unlock to read it."
	calling, _, asking, _ := sortOut(s)
	for i := range all {
		note := &all[i]
		note.Body = body
		switch {
		case note.Key == noteAlarm && len(calling) > 0:
			note.Title = capital(string(calling[0].Severity)) + " page"
			if len(calling) > 1 {
				note.Title = fmt.Sprintf("%d pages, the worst %s", len(calling), calling[0].Severity)
			}
		case note.Key == noteStill && len(asking) > 0:
			note.Title = "Still on it?"
		case note.Key == noteBlind:
			note.Title = "Blind: pages cannot be seen"
		}
	}
	return all
}

// wakeEvery is how often the screen is lit up again while something rings.
const wakeEvery = 20 * time.Second

// wakeFace lights the screen up when something begins to ring, and keeps it lit.
type wakeFace struct {
	wake func(context.Context) (how []string)
	log  *slog.Logger
	now  func() time.Time

	wanted map[string]bool
	last   time.Time
}

func newWakeFace(log *slog.Logger) *wakeFace {
	return &wakeFace{wake: session.WakeScreen, log: log, now: time.Now}
}

// Show lights the screen up for what is new in the state.
func (f *wakeFace) Show(s watch.State) {
	wanted, fresh := wantedFor(s), false
	for what := range wanted {
		fresh = fresh || !f.wanted[what]
	}
	f.wanted = wanted
	now := f.now()
	if len(wanted) == 0 || !fresh && now.Sub(f.last) < wakeEvery {
		return
	}
	f.last = now
	go func() { f.log.Info("the screen was lit up", "by", f.wake(context.Background())) }()
}
