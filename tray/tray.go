// Package tray owns what reaches people with no window open: the lamp in the
// panel, its tooltip and its menu. It holds no truth of its own: it draws the
// last View it was shown and passes clicks on.
package tray

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"nightstand/assets"
)

// State is what the lamp says.
type State string

// The states of the lamp. NotArmed and Unknown share one look, because neither
// is a promise.
const (
	Armed        State = "armed"
	NotArmed     State = "not_armed"
	Unknown      State = "unknown"
	Page         State = "page"
	Acknowledged State = "acknowledged"
	Blind        State = "blind"
	OffShift     State = "off_shift"
)

// light is the lamp's look for a state; what is not known is never lit.
func (s State) light() assets.Light {
	switch s {
	case Armed:
		return assets.Lit
	case Page:
		return assets.Red
	case Acknowledged:
		return assets.Amber
	case Blind:
		return assets.Crossed
	case OffShift:
		return assets.Unlit
	}
	return assets.Half
}

// Item is one line that can be answered: an open page, or a sentence that
// stays until it is dismissed.
type Item struct {
	ID    string
	Title string
	// CanAcknowledge says that a click on the page acknowledges it; otherwise
	// the page is only listed.
	CanAcknowledge bool
	// CanUndo says that a click takes the user's own acknowledgement back.
	CanUndo bool
}

// View is everything the tray shows, in words that are ready to be read.
type View struct {
	State State
	// Count is the number on the lamp while State is Page.
	Count   int
	Tooltip string
	// Status is the first line of the menu. It must not change every second.
	Status string
	// Pages are the open pages, the most urgent first.
	Pages []Item
	// Notices are sentences kept until they are dismissed.
	Notices []Item
	// OnShift makes Quit ask first.
	OnShift bool
	// Hush is the entry that makes it quiet for a while; empty hides it.
	Hush string
}

// Actions are what the menu can ask for. They are called one after the other
// and may take their time; the menu does not wait for them.
type Actions struct {
	// Acknowledge gets exactly the pages that had been in the menu, listed or
	// counted, for at least a second.
	Acknowledge func(ids []string)
	// Undo takes the user's own acknowledgement of a page back.
	Undo    func(id string)
	Hush    func()
	Dismiss func(id string)
	Open    func()
	Quit    func()
}

// Reason names why the icon can or cannot be seen.
type Reason string

// The reasons that a Health can carry.
const (
	Shown        Reason = "shown"          // a panel has taken the icon
	NoSessionBus Reason = "no_session_bus" // no desktop session to show it in
	NoHost       Reason = "no_host"        // a desktop without a place for icons
	NotTaken     Reason = "not_taken"      // a place for icons that does not list ours
	Lost         Reason = "lost"           // it was there and is gone
	NotBuilt     Reason = "not_built"      // this build cannot show one
)

// Health says whether the icon can be seen, in a sentence for people.
type Health struct {
	Shown    bool
	Reason   Reason
	Sentence string
}

// Options are what a Tray needs from the program around it.
type Options struct {
	Actions Actions
	// Log gets what is of no use to people; nil is silent.
	Log *slog.Logger
	// Health is called, from the tray's own goroutine, at the start and
	// whenever the answer changes. It may be nil.
	Health func(Health)
}

// Tray is the icon of one process. There can be only one.
type Tray struct {
	actions Actions
	log     *slog.Logger
	health  func(Health)

	changed chan struct{} // a newer view waits
	asked   chan request

	mu      sync.Mutex
	view    View
	last    Health
	counter counter
}

// New prepares a tray that shows nothing yet; Run brings it up.
func New(options Options) *Tray {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Health == nil {
		options.Health = func(Health) {}
	}
	return &Tray{
		actions: options.Actions,
		log:     options.Log,
		health:  options.Health,
		changed: make(chan struct{}, 1),
		asked:   make(chan request, 64),
		view:    View{State: Unknown, Tooltip: "Nightstand is starting.", Status: "Nightstand is starting."},
	}
}

// Show replaces what the tray shows. It never blocks, the latest view wins,
// and a view equal to the one on screen changes nothing. It may be called at
// any time, before Run too.
func (t *Tray) Show(view View) {
	view.Pages = append([]Item(nil), view.Pages...)
	view.Notices = append([]Item(nil), view.Notices...)
	t.mu.Lock()
	same := reflect.DeepEqual(t.view, view)
	t.view = view
	t.mu.Unlock()
	if same {
		return // the state comes every few seconds; the panel is not bothered
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// painter is the part of the desktop that draws for us.
type painter interface {
	icon(png []byte)
	tooltip(text string)
	lay(was, is menu)
}

// draw keeps the painter up to date and answers clicks until ctx is done. It
// paints once before it calls ready.
func (t *Tray) draw(ctx context.Context, paint painter, ready func()) {
	go t.answer(ctx)
	var painted struct {
		light   assets.Light
		count   int
		tooltip string
		menu    menu
	}
	for first := true; ; first = false {
		t.mu.Lock()
		view := t.view
		t.mu.Unlock()

		if light := view.State.light(); first || light != painted.light || view.Count != painted.count {
			paint.icon(assets.TrayIcon(light, view.Count))
			painted.light, painted.count = light, view.Count
		}
		if text := tooltipText(view.Tooltip); first || text != painted.tooltip {
			paint.tooltip(text)
			painted.tooltip = text
		}
		if is := compose(view); first || !is.equal(painted.menu) {
			was := painted.menu
			paint.lay(was, is)
			painted.menu = is
			t.mu.Lock()
			t.counter.lay(is, time.Now())
			t.mu.Unlock()
		}
		if first && ready != nil {
			ready()
		}
		select {
		case <-ctx.Done():
			return
		case <-t.changed:
		}
	}
}

// pressed is called by the desktop when an entry of the menu was clicked. What
// the click means is settled at once, before the menu can change again.
func (t *Tray) pressed(at slot) {
	t.mu.Lock()
	wanted, ok := t.counter.press(at, time.Now())
	t.mu.Unlock()
	if !ok {
		t.log.Info("a click in the tray menu did not count: the entry is only to be read, or was there for less than a second")
		return
	}
	select {
	case t.asked <- wanted:
	default:
		t.log.Warn("a click in the tray menu was dropped: too many are waiting")
	}
}

// answer carries out clicks in their order, away from the desktop's threads.
func (t *Tray) answer(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case wanted := <-t.asked:
			t.carryOut(wanted)
		}
	}
}

func (t *Tray) carryOut(wanted request) {
	switch wanted.does {
	case acknowledge:
		if t.actions.Acknowledge != nil {
			t.actions.Acknowledge(wanted.ids)
		}
	case dismiss:
		if t.actions.Dismiss != nil {
			t.actions.Dismiss(wanted.ids[0])
		}
	case undo:
		if t.actions.Undo != nil {
			t.actions.Undo(wanted.ids[0])
		}
	case hush:
		run(t.actions.Hush)
	case open:
		run(t.actions.Open)
	case quit:
		run(t.actions.Quit)
	}
}

func run(action func()) {
	if action != nil {
		action()
	}
}

// report passes a change of health on.
func (t *Tray) report(health Health) {
	t.mu.Lock()
	same := t.last == health
	t.last = health
	t.mu.Unlock()
	if same {
		return
	}
	t.log.Info("tray icon", "reason", string(health.Reason))
	t.health(health)
}
