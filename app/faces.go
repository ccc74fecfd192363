package app

import (
	"context"
	"strings"
	"time"

	"nightstand/app/watch"
	"nightstand/tray"
	"nightstand/tray/notify"
)

// trayFace draws the state as the icon in the tray.
type trayFace struct{ tray *tray.Tray }

func (f trayFace) Show(s watch.State) { f.tray.Show(trayView(s)) }

// trayActions are what the menu can ask for.
func trayActions(a *Agent, notifier *notify.Notifier) tray.Actions {
	return tray.Actions{
		Acknowledge: func(ids []string) { a.Observe(watch.Acknowledge{IDs: ids}) },
		Undo:        func(id string) { a.Observe(watch.Unacknowledge{ID: id}) },
		Hush:        func() { a.Observe(watch.Hush{}) },
		Dismiss:     func(id string) { a.Observe(watch.Dismiss{ID: id}) },
		Open: func() {
			if a.ShowWindow(context.Background(), "now") == nil {
				return
			}
			// Without a screen for a window, the state in one notification.
			notifier.Withdraw(noteState)
			notifier.Show(stateNote(*a.state.Load()))
		},
		Quit: a.Quit,
	}
}

// noteFace draws the state as notifications.
type noteFace struct {
	notifier *notify.Notifier
	// reserved says that the screen is locked and must not show what pages say.
	reserved func() bool
	shown    map[string]bool
}

func (f *noteFace) Show(s watch.State) {
	wanted := map[string]bool{}
	all := notes(s)
	if f.reserved() {
		all = behindTheLock(all, s)
	}
	for _, note := range all {
		wanted[note.Key] = true
		f.notifier.Show(note)
	}
	for key := range f.shown {
		if !wanted[key] {
			f.notifier.Withdraw(key)
		}
	}
	f.shown = wanted
}

// notePressed does what a button of a notification says. The page ids are in
// its key, so that a press answers what was on the screen and nothing else.
func notePressed(a *Agent, actionKey string) {
	words := strings.Fields(actionKey)
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case actAcknowledge:
		a.Observe(watch.Acknowledge{IDs: words[1:]})
	case actHush:
		a.Observe(watch.Hush{})
	case actDismiss:
		for _, id := range words[1:] {
			a.Observe(watch.Dismiss{ID: id})
		}
	case actUndo:
		for _, id := range words[1:] {
			a.Observe(watch.Unacknowledge{ID: id})
		}
	}
}

// noteDismissed puts the sentence of a closed notification away. Closing the
// notification of an alarm answers nothing.
func noteDismissed(a *Agent, noteKey string) {
	if id, is := strings.CutPrefix(noteKey, notePrefix); is {
		a.Observe(watch.Dismiss{ID: id})
	}
}

// repeat calls look at once and then every so often until ctx ends.
func repeat(ctx context.Context, every time.Duration, look func()) {
	for ctx.Err() == nil {
		look()
		pause(ctx, every)
	}
}
