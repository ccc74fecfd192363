package siren

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrCannotListen says that the system offers no way to listen to an output.
// The siren may well be heard there; whether it was is not known.
var ErrCannotListen = errors.New("this system does not let a program listen to its own speaker, so whether the alarm was played is not known")

// Why an ear no longer tells anything.
var (
	errEarClosed = errors.New("the speaker is not listened to any more, so whether the alarm was played is not known")
	errEarLost   = errors.New("the sound system went away while the speaker was listened to, so whether the alarm was played is not known")
	errEarHangs  = errors.New("the sound system of this machine does not answer, so whether the alarm was played is not known; restart it")
)

const (
	listenPatience = 3 * time.Second        // how long the sound system may take over any answer
	pingEvery      = 500 * time.Millisecond // how often it is asked at least, to notice when it hangs
	accuracy       = 20 * time.Millisecond  // how right the time of a hearing is
)

// lowest is the volume of an output or of our stream, 1 being full, at which
// even the last loudness step stays below what can be heard.
const lowest = 0.05

// Ear listens to what this machine plays and knows our alarm among it. That an
// alarm was handed to an output proves little; that the output's monitor
// carried it proves that it was played. It does not prove the way from the
// speaker to somebody's ear.
//
// It listens at every output and not only at the chosen one, from before the
// alarm on: the siren falls to another output when its own is lost, the default
// one changes, people move a stream by hand, and whoever begins to listen only
// then misses the beginning. What was played somewhere was played.
//
// An ear costs a few per cent of a core and a stream for each output, so it is
// opened for a drill and closed after it. All methods may be called from any
// goroutine.
type Ear struct {
	device string // the chosen output, as in Options
	life   context.Context
	end    context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	changed chan struct{} // closed, and another made, when anything below changes
	heard   []Hearing     // each burst, as it was recognised
	outlets []outlet
	player  *player // our own stream as it was last seen; nil when never
	lost    error
}

// Hearing is what became of waiting for the alarm.
type Hearing struct {
	// Heard says that an output carried our alarm, with neither the output nor
	// our stream muted.
	Heard bool
	// At is when the alarm's first audible sample was on the output's monitor,
	// right to about 20 ms. A speaker follows by what its own buffer holds.
	At time.Time
	// Level is the effective value (RMS) of the alarm alone in its first note,
	// in dBFS, right to about 3 dB. Volumes that are set behind the monitor, in
	// the hardware, are not in it.
	Level float64
	// Pattern is the alarm that was heard: a blind alarm is not a page's.
	Pattern Pattern
	// Device is the output's name for people: the one that carried the alarm,
	// or else the one that should have; empty when not known.
	Device string
	// Why is a sentence about what kept the alarm from being heard, without
	// capital letter and full stop; empty when it was heard.
	Why string
}

// outlet is an output as it stands now.
type outlet struct {
	Device
	muted  bool
	volume float64 // of its loudest channel; 1 is full
	doubt  string  // why what it carries proves nothing; empty when it does
}

// player is our own stream as it stands now.
type player struct {
	on     string // the ID of the output
	muted  bool
	volume float64 // as of an outlet
}

// Listen begins to listen, for a siren on this device (as in Options.Device).
// It takes at most three seconds. Where the system offers no way to listen, the
// error is ErrCannotListen.
func Listen(device string) (*Ear, error) {
	e := newEar(device)
	begun := make(chan error, 1)
	go func() {
		defer close(e.done)
		e.attend(begun)
	}()
	patience := time.NewTimer(listenPatience)
	defer patience.Stop()
	select {
	case err := <-begun:
		if err != nil {
			e.end()
			return nil, err
		}
		return e, nil
	case <-patience.C:
		e.end() // its goroutine goes when the sound system lets it
		return nil, errEarHangs
	}
}

func newEar(device string) *Ear {
	e := &Ear{device: device, done: make(chan struct{}), changed: make(chan struct{})}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

// Heard waits until a burst of our alarm is heard that began after since. It
// takes a burst's first second to know it (a blind alarm's first two), but At
// is its beginning. When the context ends before, the hearing says why nothing
// was heard. An error means that it is not known whether the alarm was played.
func (e *Ear) Heard(ctx context.Context, since time.Time) (Hearing, error) {
	for {
		e.mu.Lock()
		hearing, lost, changed := e.first(since), e.lost, e.changed
		e.mu.Unlock()
		switch {
		case hearing.Heard:
			return hearing, nil
		case lost != nil:
			return Hearing{}, lost
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e.unheard(), nil
		}
	}
}

// Close ends the listening and returns within a second, whatever the sound
// system does.
func (e *Ear) Close() {
	e.lose(errEarClosed)
	e.end()
	select {
	case <-e.done:
	case <-time.After(time.Second):
	}
}

// first is the earliest burst that began after since.
func (e *Ear) first(since time.Time) Hearing {
	var first Hearing
	for _, h := range e.heard {
		if h.At.After(since.Add(-accuracy)) && (!first.Heard || h.At.Before(first.At)) {
			first = h
		}
	}
	return first
}

// unheard says why nothing was heard.
func (e *Ear) unheard() Hearing {
	e.mu.Lock()
	defer e.mu.Unlock()
	on, known := e.expected()
	if !known {
		return Hearing{Why: "this machine has no sound output that works"}
	}
	return Hearing{Device: on.Name, Why: on.why(e.player)}
}

// expected is the output on which the alarm should have sounded: where our
// stream was, else the chosen one, else the default.
func (e *Ear) expected() (outlet, bool) {
	for _, is := range []func(outlet) bool{
		func(o outlet) bool { return e.player != nil && o.ID == e.player.on },
		func(o outlet) bool { return e.device != "" && o.is(e.device) },
		func(o outlet) bool { return o.Default },
		func(outlet) bool { return true },
	} {
		for _, o := range e.outlets {
			if is(o) {
				return o, true
			}
		}
	}
	return outlet{}, false
}

// why says what kept an alarm on this output from being heard.
func (o outlet) why(ours *player) string {
	switch {
	case ours != nil && ours.on == o.ID && ours.muted:
		return fmt.Sprintf("Nightstand's own stream on %s is muted", quoted(o.Name))
	case ours != nil && ours.on == o.ID && ours.volume < lowest:
		return fmt.Sprintf("the volume of Nightstand's own stream on %s is at %.0f %%", quoted(o.Name), 100*ours.volume)
	case o.muted:
		return fmt.Sprintf("the output %s is muted", quoted(o.Name))
	case o.volume < lowest:
		return fmt.Sprintf("the volume of the output %s is at %.0f %%", quoted(o.Name), 100*o.volume)
	case o.doubt != "":
		return fmt.Sprintf("what is played on the output %s is not known, because %s", quoted(o.Name), o.doubt)
	case ours != nil && ours.on == o.ID:
		return fmt.Sprintf("the siren had a stream on %s, but the alarm was not found in what that output carried", quoted(o.Name))
	}
	return "the alarm was not found in what any output of this machine carried"
}

// shut says that nothing of what the output's monitor carries can be heard. The
// monitor does not tell: with a volume that is set in the hardware, and mostly
// under PipeWire, it carries what comes before mute and volume.
func (o outlet) shut() bool { return o.muted || o.volume < lowest || o.doubt != "" }

// stands takes note of how outputs and our own stream stand now.
func (e *Ear) stands(outlets []outlet, ours *player) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outlets = outlets
	if ours != nil {
		e.player = ours
	}
}

// isShut says that nothing can be heard of this output now.
func (e *Ear) isShut(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.outlets {
		if o.ID == id {
			return o.shut()
		}
	}
	return true
}

// recognise takes note of an alarm that an output carried.
func (e *Ear) recognise(id string, pattern Pattern, at time.Time, level float64) {
	e.news(func() {
		for _, o := range e.outlets {
			if o.ID == id {
				e.heard = append(e.heard, Hearing{Heard: true, At: at, Level: level, Pattern: pattern, Device: o.Name})
			}
		}
	})
}

// lose takes note that nothing will be heard any more; the first reason counts.
func (e *Ear) lose(reason error) {
	e.news(func() {
		if e.lost == nil {
			e.lost = reason
		}
	})
}

// news changes what is known and wakes those who wait for it.
func (e *Ear) news(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.changed)
	e.changed = make(chan struct{})
}
