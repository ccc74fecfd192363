// Package notify owns the notifications on the desktop: what one says, that
// it is replaced and not stacked, and what a press on one of its buttons or
// on the notification itself means. It makes no sound; the siren does that.
package notify

import (
	"log/slog"
	"slices"
)

// Note is one notification.
type Note struct {
	// Key names the note: showing another one with the same Key replaces it.
	Key string
	// Title and Body are plain text; no markup in them is obeyed. They are
	// used only where text cannot do harm (see Fixed).
	Title, Body string
	// Urgent notes break through where the desktop lets them and are never
	// taken away by time.
	Urgent bool
	// Actions are the buttons. A press on the note itself is never one of
	// them: it comes as Open.
	Actions []Action
	// Resident notes stay until they are dismissed or withdrawn.
	Resident bool
	// Fixed is a sentence of the program's own, without a word from a page.
	// On Windows and macOS, where notifications can pass through scripts, it
	// is all that is shown, together with Count.
	Fixed string
	// Count is how many pages an urgent note is about; zero when it is about
	// none. It is drawn on the note's lamp.
	Count int
}

// Action is one button.
type Action struct {
	// Key comes back in OnAction.
	Key   string
	Label string
}

// Open is the action key of a press on the note itself. Every note offers it,
// because some desktops take such a press for the only button there is, and a
// stray press must not answer a page.
const Open = "default"

func (n Note) equal(other Note) bool {
	return slices.Equal(n.Actions, other.Actions) &&
		n.Key == other.Key && n.Title == other.Title && n.Body == other.Body &&
		n.Urgent == other.Urgent && n.Resident == other.Resident &&
		n.Fixed == other.Fixed && n.Count == other.Count
}

// Reason names what notifications can do here.
type Reason string

// The reasons that a Health can carry.
const (
	Working      Reason = "working"        // shown, with buttons
	NoButtons    Reason = "no_buttons"     // shown, without buttons
	Paused       Reason = "paused"         // the desktop holds them back
	NoDaemon     Reason = "no_daemon"      // a desktop session without notifications
	NoSessionBus Reason = "no_session_bus" // no desktop session
	Failing      Reason = "failing"        // the system refuses them
)

// Health says whether notifications reach the screen, in a sentence for
// people.
type Health struct {
	// Shown says that a note appears on the screen now.
	Shown    bool
	Reason   Reason
	Sentence string
}

// Options are what a Notifier needs from the program around it. The functions
// are called one after the other from the notifier's own goroutine, so a slow
// one delays the next notification; each may be nil.
type Options struct {
	// Log gets what is of no use to people; nil is silent.
	Log *slog.Logger
	// OnAction hears which button of which note was pressed. A press within a
	// second of a replacement counts for the button that was there before.
	OnAction func(noteKey, actionKey string)
	// OnDismiss hears that the user closed a note without pressing a button.
	OnDismiss func(noteKey string)
	// Health is called at the start and whenever the answer changes.
	Health func(Health)
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnAction == nil {
		o.OnAction = func(string, string) {}
	}
	if o.OnDismiss == nil {
		o.OnDismiss = func(string) {}
	}
	if o.Health == nil {
		o.Health = func(Health) {}
	}
	return o
}
