// Package app is the agent: it brings observations to the core, carries out
// what the core decides, and publishes one state to every face.
package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"nightstand/app/config"
	"nightstand/app/power"
	"nightstand/app/session"
	"nightstand/app/store"
	"nightstand/app/watch"
)

// Bell is the alarm you hear. None of its methods may wait for a sound system.
type Bell interface {
	// Ring asks for this sound from now on.
	Ring(watch.Alarm)
	// Tone plays the short tone of an ending.
	Tone(watch.Ending)
	// Beat says that the core is alive.
	Beat()
	// Sounding says whether an output takes the alarm, on which device, and
	// what is wrong.
	Sounding() (sounding bool, device, trouble string)
}

// Face is where the state is drawn: the tray icon, the notifications. Show
// must not block; the newest state wins.
type Face interface {
	Show(watch.State)
}

// Heart is the sign of life towards whoever supervises the agent.
type Heart interface {
	Beat()
	Ready()
	Status(sentence string)
	Stopping()
}

// Parts are what an agent is made of. Bell and Heart are required; a nil Store
// means that nothing can be kept, and Trouble says why.
type Parts struct {
	Settings config.Settings
	Store    *store.Store
	Accounts *Accounts
	Bell     Bell
	Heart    Heart
	Log      *slog.Logger
	Version  string
	// Signals are known before the agent starts (settings, storage, …).
	Signals []watch.SignalSeen
}

// Agent is the one process that watches, decides and rings.
type Agent struct {
	parts    Parts
	log      *slog.Logger
	started  time.Time
	watch    *watch.Watch // belongs to the loop
	inputs   chan input
	faces    []Face
	recorder *recorder
	lines    *lines
	ending   chan struct{} // closed when the loop takes nothing in any more
	quit     chan struct{}
	quitOnce sync.Once

	said      map[string]watch.SignalSeen // the last of each name; belongs to the loop
	idleTicks int                         // belongs to the loop
	state     atomic.Pointer[watch.State]
	changed   broadcast

	attendance attendance
	desk       desk
	windows    *windows // nil where there is no screen, or no window is wanted
	drilling   sync.Mutex
	listen     func(device string) (ear, error) // opens an ear on an output
}

// input is one thing for the core, and for whoever asked the state after it.
type input struct {
	of   watch.Input
	ask  func(*watch.Watch) // run on the loop instead of an input
	done chan<- struct{}    // closed when it has been taken in; may be nil
}

// tick is how often time is let pass in the core, and the beat of the agent.
const tick = time.Second

// redraw is after how many uneventful ticks the faces are drawn again: what
// only the passing of time changes may come that much late.
const redraw = 5

// New prepares an agent with what an earlier run remembered.
func New(ctx context.Context, parts Parts) *Agent {
	a := &Agent{
		parts:   parts,
		log:     parts.Log,
		started: time.Now(),
		said:    map[string]watch.SignalSeen{},
		inputs:  make(chan input, 256),
		ending:  make(chan struct{}),
		quit:    make(chan struct{}),
		listen:  listenTo,
	}
	a.desk.now.Lock = string(session.LockUnknown)
	memory := recall(ctx, parts.Store, a.log)
	a.watch = watch.New(spans(parts.Settings), a.now(), memory)
	a.recorder = newRecorder(parts.Store, parts.Log, func(s watch.SignalSeen) { a.Observe(s) })
	a.lines = newLines(a, parts.Settings.Poll, parts.Log)
	for _, s := range parts.Signals {
		a.watch.Step(a.now(), s)
	}
	a.publish()
	return a
}

// AddFace lets a face draw every state from now on. Call it before Run.
func (a *Agent) AddFace(f Face) { a.faces = append(a.faces, f) }

// Observe brings one observation or command to the core. It waits only while
// many others are ahead of it, and is dropped once the agent ends.
func (a *Agent) Observe(in watch.Input) {
	select {
	case a.inputs <- input{of: in}:
	case <-a.ending:
	}
}

// ask runs a question on the loop, where the watch may be read. The answer
// comes through a channel: the loop may get to a question only after whoever
// asked has left.
func ask[Answer any](ctx context.Context, a *Agent, question func(*watch.Watch) Answer) (answer Answer, err error) {
	answers := make(chan Answer, 1)
	if err := a.send(ctx, input{ask: func(w *watch.Watch) { answers <- question(w) }}); err != nil {
		return answer, err
	}
	return <-answers, nil
}

// do brings a command to the core and waits until it was taken in.
func (a *Agent) do(ctx context.Context, command watch.Input) error {
	return a.send(ctx, input{of: command})
}

func (a *Agent) send(ctx context.Context, in input) error {
	done := make(chan struct{})
	in.done = done
	select {
	case a.inputs <- in:
	case <-a.ending:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-a.ending:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errEnding answers commands that come while the agent ends.
var errEnding = errors.New("the agent is ending")

// Quit asks Run to end.
func (a *Agent) Quit() { a.quitOnce.Do(func() { close(a.quit) }) }

// Run watches until ctx ends or Quit is called. What was decided is on the
// disk when it returns.
func (a *Agent) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var around sync.WaitGroup
	around.Go(func() { a.recorder.run(ctx) })
	around.Go(func() { a.draw(ctx) })
	around.Go(func() { a.takeUpAccounts(ctx) })
	if a.windows != nil {
		around.Go(func() { a.windows.run(ctx) })
	}

	clock := time.NewTicker(tick)
	defer clock.Stop()
	gaps := power.Watch()
	a.parts.Heart.Ready()
	for running := true; running; {
		select {
		case in := <-a.inputs:
			a.take(in)
		case <-clock.C:
			if slept, worth := gaps.Since(); worth {
				a.lines.dropConnections()
				a.step(watch.Resumed{Asleep: slept})
			}
			a.step(watch.Tick{})
			a.parts.Heart.Beat()
			a.parts.Bell.Beat()
		case <-ctx.Done():
			running = false
		case <-a.quit:
			running = false
		}
	}
	close(a.ending)
	a.parts.Heart.Stopping()
	a.parts.Bell.Ring(watch.Alarm{})
	cancel()
	around.Wait()
	a.lines.wait()
}

func (a *Agent) take(in input) {
	if in.ask != nil {
		in.ask(a.watch)
	} else {
		a.step(in.of)
	}
	if in.done != nil {
		close(in.done)
	}
}

// step lets the core decide and carries out what it says. A signal that says
// what it said before is not worth drawing every face again.
func (a *Agent) step(in watch.Input) {
	if seen, is := in.(watch.SignalSeen); is {
		if before, known := a.said[seen.Name]; known && before == seen {
			return
		}
		a.said[seen.Name] = seen
	}
	if press, is := in.(watch.Acknowledge); is && a.parts.Settings.Answer.JoinSameKey {
		in = watch.Acknowledge{IDs: joined(press.IDs, a.state.Load().Pages)}
	}
	effects := a.watch.Step(a.now(), in)
	for _, effect := range effects {
		a.carryOut(effect)
	}
	if _, tick := in.(watch.Tick); tick && len(effects) == 0 {
		if a.idleTicks++; a.idleTicks%redraw != 0 {
			return // nothing happened; waking every face would only cost power
		}
	}
	a.publish()
}

// carryOut starts one effect; nothing here waits for anything outside.
func (a *Agent) carryOut(effect watch.Effect) {
	switch effect := effect.(type) {
	case watch.Sound:
		a.log.Info("alarm", "pattern", effect.Alarm.Pattern, "step", effect.Alarm.Step, "page", effect.Alarm.PageID)
		a.parts.Bell.Ring(effect.Alarm)
	case watch.Tone:
		a.parts.Bell.Tone(effect.Ending)
	case watch.SendAnswer:
		a.lines.answer(effect)
	case watch.SendTakeBack:
		a.lines.takeBack(effect)
	case watch.LookAgain:
		a.lines.lookNow(effect.Account)
	default:
		a.recorder.put(effect)
	}
}

func (a *Agent) publish() {
	state := a.watch.State()
	a.state.Store(&state)
	a.changed.tell()
}

// draw hands every state to the faces, away from the loop.
func (a *Agent) draw(ctx context.Context) {
	changed, end := a.changed.listen()
	defer end()
	for {
		state := *a.state.Load()
		for _, f := range a.faces {
			f.Show(state)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// now is the present instant on both clocks.
func (a *Agent) now() watch.Instant { return a.instant(time.Now()) }

// instant places a time that carries a monotonic reading on the core's clocks.
func (a *Agent) instant(at time.Time) watch.Instant {
	return watch.Instant{Wall: at.Round(0), Mono: time.Hour + at.Sub(a.started)}
}

// spans puts the user's settings over the core's defaults.
func spans(s config.Settings) watch.Settings {
	spans := watch.Defaults()
	spans.BlindAfter = time.Duration(s.Alarm.BlindAfter) - tick // looked at once a tick
	spans.BlindKnown = time.Duration(s.Alarm.BlindKnown)
	spans.FreshOnShift = 2*time.Duration(s.Poll.OnShift) + patienceOnShift
	spans.FreshOffShift = 2*time.Duration(s.Poll.OffShift) + patienceOffShift
	spans.Hush = time.Duration(s.Alarm.Hush)
	spans.StillOnIt = time.Duration(s.Alarm.StillOnIt)
	return spans
}
