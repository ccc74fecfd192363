// Package siren is the alarm you hear. It is told what should sound and keeps
// it sounding: it renders the patterns, opens a sound output, notices when the
// output is lost and finds another, and sounds the blind alarm by itself when
// the core that commands it falls silent. It decides nothing about pages.
//
// Nothing here waits for a sound system. One goroutine attends to the siren
// and never calls anything that could hang; whatever could, runs on a
// goroutine of its own and is given up when it takes too long.
package siren

import (
	"log/slog"
	"sync"
	"time"
)

// Pattern is the rhythm of an alarm. It tells the priority.
type Pattern string

// The patterns. Blind is unlike any page: the paging service is out of sight.
const (
	Silent   Pattern = ""
	Critical Pattern = "critical"
	Degraded Pattern = "degraded"
	Minor    Pattern = "minor"
	Blind    Pattern = "blind"
)

// Alarm is what should sound until another is wanted. The zero Alarm is silence.
type Alarm struct {
	Pattern Pattern
	// Step is the loudness, 0 to Steps-1; what lies outside is taken as the
	// nearest. Whoever commands the siren raises it, over 90 seconds.
	Step int
	// Sparse leaves a minute between bursts, for an alarm that has gone on for hours.
	Sparse bool
}

// Tone is a short sound, played once, that tells how an alarm ended.
type Tone string

// The tones of the endings, each with a line of its own.
const (
	AckConfirmed Tone = "ack-confirmed" // the answer is confirmed
	AckElsewhere Tone = "ack-elsewhere" // answered by the same person on another device
	Taken        Tone = "taken"         // somebody else answered
	Resolved     Tone = "resolved"      // the page resolved itself
	Reassigned   Tone = "reassigned"    // handed to somebody else
	Forgotten    Tone = "forgotten"     // the service restarted and no longer lists it
	Gentle       Tone = "gentle"        // a notice that is no alarm
)

// EventKind says what happened to the siren.
type EventKind string

// The kinds of events.
const (
	Playing       EventKind = "playing"        // an alarm is handed to an output
	Quiet         EventKind = "silent"         // the alarm was ended
	DeviceLost    EventKind = "device-lost"    // the output stopped taking sound
	DeviceChanged EventKind = "device-changed" // it sounds on another output than before or than chosen
	NoDevice      EventKind = "no-device"      // it should sound and cannot
	Unresponsive  EventKind = "unresponsive"   // the core gave no beat; the blind alarm is wanted
	Responsive    EventKind = "responsive"     // the beats are back
)

// Event is something the siren did or met, in words for people.
type Event struct {
	At time.Time
	// Kind is for programs, Sentence for people.
	Kind EventKind
	// Device is the name of the output it is about, empty when not known.
	Device   string
	Sentence string
	// cause is for the log only.
	cause error
}

// Options are what a siren is made with.
type Options struct {
	// Device is the chosen output, by name or ID; empty for the default one.
	Device string
	// Log gets every event; nil for none.
	Log *slog.Logger
	// Events is called for each event in order, from a goroutine of its own.
	// While it does not return, at most 256 events wait and the oldest is
	// dropped for a new one; the sound goes on. May be nil.
	Events func(Event)
}

// State is how the siren stands, for a status line.
type State struct {
	// Sounding says that an alarm is being handed to an output that takes it.
	// It does not prove that anybody can hear it.
	Sounding bool
	// Alarm is what should sound now, the blind alarm of a silent core included.
	Alarm Alarm
	// Device is the name of the output in use, empty when none is open or its
	// name is not known yet.
	Device string
	// Trouble is a sentence about what is wrong now, empty when nothing is.
	Trouble string
}

// Siren sounds what it is told to. All methods may be called from any
// goroutine; none but Close waits for anything.
type Siren struct {
	options Options
	engine  engine
	mixer   mixer

	wake    chan struct{}
	opened  chan outcome
	listed  chan listing
	closed  chan struct{}
	closing chan struct{}
	done    chan struct{}
	events  chan Event
	ending  sync.Once

	mu     sync.Mutex
	wishes wishes
	state  State

	attendant // belongs to the goroutine that attends
}

// wishes are what the outside last asked for.
type wishes struct {
	alarm  Alarm
	tone   Tone
	toneAt time.Time
	beat   time.Time
}

// New makes a siren that is quiet. Close ends it.
func New(options Options) *Siren { return newOn(newEngine(), options) }

func newOn(engine engine, options Options) *Siren {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Siren{
		options: options,
		engine:  engine,
		wake:    make(chan struct{}, 1),
		opened:  make(chan outcome),
		listed:  make(chan listing),
		closed:  make(chan struct{}),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
		events:  make(chan Event, 256),
	}
	s.lost = make(map[string]time.Time)
	go s.report()
	go s.attend()
	return s
}

// Devices lists the sound outputs of this machine that can be heard. It may
// take as long as the sound system does.
func Devices() ([]Device, error) { return newEngine().devices() }

// Sound makes the alarm sound until another is wanted; the last wish counts.
// The zero Alarm is silence. A change of step or of Sparse goes on within the
// burst, a change of pattern begins anew at once.
func (s *Siren) Sound(alarm Alarm) {
	alarm.Step = within(alarm.Step)
	switch alarm.Pattern {
	case Critical, Degraded, Minor, Blind:
	case Silent:
		alarm = Alarm{}
	default:
		// A word that is not known must not make an alarm silent.
		alarm.Pattern = Degraded
	}
	s.wish(func(w *wishes) bool {
		changed := w.alarm != alarm
		w.alarm = alarm
		return changed
	})
}

// Play plays a tone once. It is dropped while an alarm sounds and when it
// cannot begin within three seconds.
func (s *Siren) Play(tone Tone) {
	s.wish(func(w *wishes) bool {
		w.tone, w.toneAt = tone, time.Now()
		return true
	})
}

// Beat says that the core is alive. Once the first has come, fifteen seconds
// without another make the siren sound the blind alarm until they return.
func (s *Siren) Beat() {
	s.wish(func(w *wishes) bool {
		// Only the first and a late one change what sounds.
		late := time.Since(w.beat) >= beatPatience
		w.beat = time.Now()
		return late
	})
}

// State tells how the siren stands.
func (s *Siren) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Close ends all sound and returns within a second, whatever the device does.
// Later calls of any method change nothing.
func (s *Siren) Close() {
	s.ending.Do(func() { close(s.closing) })
	select {
	case <-s.done:
	case <-time.After(time.Second):
	}
}

// wish changes the wishes and wakes the attendant if that matters.
func (s *Siren) wish(change func(*wishes) bool) {
	s.mu.Lock()
	matters := change(&s.wishes)
	s.mu.Unlock()
	if matters {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake already and will look again
		}
	}
}

// report hands the events on.
func (s *Siren) report() {
	for event := range s.events {
		attributes := []any{"kind", event.Kind, "device", event.Device}
		if event.cause != nil {
			attributes = append(attributes, "cause", event.cause)
		}
		s.options.Log.Info(event.Sentence, attributes...)
		if s.options.Events != nil {
			s.options.Events(event)
		}
	}
}
