package siren

import (
	"errors"
	"fmt"
	"time"
)

const (
	beatPatience = 15 * time.Second        // how long the core may be silent
	overslept    = 2 * time.Second         // so late to wake means that the machine slept
	beatStep     = 30 * time.Second        // how long each loudness step of the siren's own blind alarm lasts
	lossAfter    = 300 * time.Millisecond  // a device that takes no sound for so long is lost
	wakeAfter    = 2500 * time.Millisecond // unless it has only just been woken
	firstFill    = 20 * time.Millisecond   // requests within it belong to the first fill
	openPatience = 3 * time.Second         // how long a device may take to open
	yieldFor     = 300 * time.Millisecond  // how long the old stream may take to go before a new one is opened
	retryEvery   = 1500 * time.Millisecond
	lookEvery    = 2 * time.Second // how often the list of devices is read while an alarm sounds
	avoidFor     = 30 * time.Second
	shortLived   = 5 * time.Second // a stream lost sooner than this makes its device one to avoid
	idleFor      = time.Second     // how long a stream stays open in silence, for the tone that may follow
	tonePatience = 3 * time.Second // how late a tone may begin
	watchEvery   = 50 * time.Millisecond
	deepBuffer   = 80 * time.Millisecond // more than this held by the sound system is cut off, not faded out
	fewPending   = 4                     // calls that hang before new ones are made slowly
	mostPending  = 64                    // calls that hang before no more are made
	slowly       = 30 * time.Second
)

// errDeaf is the cause when an output opens and takes no sound.
var errDeaf = errors.New("the sound output takes no sound")

// errHanging is the cause when a call to the sound system does not return.
var errHanging = errors.New("the sound system does not answer")

const coreSilent = "The core of Nightstand has given no sign of life for 15 seconds, so nobody is watching your paging service. The blind alarm sounds until it does; look at your phone or at the service's own page."

// attendant is what the attending goroutine knows.
type attendant struct {
	sounding   Alarm // what the mixer was last told
	order      *order
	turns      uint64
	tone       *order
	toneEnds   time.Time // when a tone that has not finished is given up
	unattended time.Time // since when the core is silent; zero while it beats
	due        time.Time // when it meant to look again

	current  *output  // the open stream
	trying   *output  // the stream being opened
	queue    []string // devices to try next
	retryAt  time.Time
	yieldTo  time.Time // until when a closing stream is waited for
	idle     time.Time // since when nothing is wanted of the stream
	hushed   bool      // an alarm was the last to be heard, and it was ended
	pending  int       // calls to the sound system that have not returned
	lost     map[string]time.Time
	cause    error
	failing  bool   // NoDevice was said and holds
	trouble  string // the last sentence about a device lost or missing
	lookAt   time.Time
	looking  bool
	known    []Device
	lastName string // where it sounded last, for the words of a change
}

// output is one stream, from the attempt to open it to its end.
type output struct {
	device string // as asked for: "" is the default
	name   string // as people call it, empty while not known
	amiss  string // a sentence when it is not the device that was chosen
	intake *intake
	stream stream
	began  time.Time
	told   bool // it was told that the present alarm sounds here
}

type outcome struct {
	output *output
	stream stream
	err    error
}

type listing struct {
	devices []Device
	err     error
}

// attend is the siren's life: it looks at what is wanted and at what is, does
// the next thing, and sleeps until something changes or is due.
func (s *Siren) attend() {
	defer close(s.done)
	defer close(s.events)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		s.forgive(now)
		s.due = s.look(now)
		timer.Reset(time.Until(s.due))
		select {
		case <-s.wake:
		case <-timer.C:
		case o := <-s.opened:
			s.pending--
			s.settle(o)
		case l := <-s.listed:
			s.pending--
			s.compare(l)
		case <-s.closed:
			s.pending--
			s.yieldTo = time.Time{}
		case <-s.closing:
			s.end()
			return
		}
	}
}

// forgive counts no silence of the core while the machine slept or the whole
// program was stopped: the siren overslept as well then, and the core gets its
// full patience to come round.
func (s *Siren) forgive(now time.Time) {
	if s.due.IsZero() || now.Sub(s.due) < overslept {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wishes.beat.IsZero() && s.unattended.IsZero() {
		s.wishes.beat = now
	}
}

// look does what is due and says when to look again.
func (s *Siren) look(now time.Time) time.Time {
	next := s.decide(now)
	wanted := s.order != nil || s.tone != nil

	switch {
	case s.current != nil && wanted:
		s.idle = time.Time{}
		if s.current.intake.lost() {
			s.lose(now)
			return now
		}
		if s.order != nil && !s.current.told && s.current.intake.steady.Load() {
			s.announce()
		}
		if s.order != nil && !s.looking && !now.Before(s.lookAt) && s.pending < fewPending {
			s.list(now)
		}
		next = earlier(next, now.Add(watchEvery))
	case s.current != nil:
		if s.idle.IsZero() {
			s.idle = now
		}
		cut := s.hushed && s.current.intake.ahead() > deepBuffer
		if cut || now.Sub(s.idle) >= idleFor {
			s.release(now)
		} else {
			next = earlier(next, now.Add(watchEvery))
		}
	case s.trying != nil:
		patience := s.trying.began.Add(openPatience)
		if !now.Before(patience) {
			s.giveUp(now)
			return now
		}
		next = earlier(next, patience)
	case wanted:
		due := later(s.retryAt, s.yieldTo)
		if now.Before(due) {
			next = earlier(next, due)
		} else {
			s.try(now)
			next = earlier(next, now.Add(openPatience))
		}
	default:
		s.queue, s.retryAt, s.failing, s.cause, s.lastName = nil, time.Time{}, false, nil, ""
		clear(s.lost)
	}
	s.publish()
	return next
}

// decide turns the wishes into the mixer's order and says when time alone
// will change it.
func (s *Siren) decide(now time.Time) time.Time {
	s.mu.Lock()
	w := s.wishes
	s.wishes.tone = ""
	s.mu.Unlock()

	next := now.Add(time.Hour)
	alarm := w.alarm
	switch silent := now.Sub(w.beat); {
	case w.beat.IsZero():
	case silent >= beatPatience:
		if s.unattended.IsZero() {
			s.unattended = now
			s.say(Event{Kind: Unresponsive, Sentence: coreSilent})
		}
		alarm = Alarm{Pattern: Blind, Step: within(int(now.Sub(s.unattended) / beatStep))}
		next = now.Add(beatStep - now.Sub(s.unattended)%beatStep)
	default:
		if !s.unattended.IsZero() {
			s.unattended = time.Time{}
			s.say(Event{Kind: Responsive, Sentence: "The core of Nightstand is alive again and says what should sound."})
		}
		next = w.beat.Add(beatPatience)
	}

	if alarm != s.sounding {
		s.change(alarm)
	}
	s.ring(w, now)
	return next
}

// change gives the mixer another alarm.
func (s *Siren) change(alarm Alarm) {
	before := s.sounding
	s.sounding = alarm
	switch {
	case alarm.Pattern == Silent:
		s.order, s.hushed = nil, true
		s.mixer.wanted.Store(nil)
		s.say(Event{Kind: Quiet, Device: s.deviceName(), Sentence: "The siren is quiet."})
		if s.current != nil {
			s.current.told = false
		}
		return
	case alarm.Pattern == before.Pattern:
		s.instruct(s.order.turn, s.order.score)
		return
	}
	s.tone = nil
	s.turns++
	s.instruct(s.turns, alarmScore(alarm.Pattern))
}

// instruct hands the present alarm to the mixer.
func (s *Siren) instruct(turn uint64, score *score) {
	s.order = &order{turn: turn, score: score, gain: score.gain(s.sounding.Step), step: s.sounding.Step, sparse: s.sounding.Sparse}
	s.mixer.wanted.Store(s.order)
}

// ring starts a tone that was asked for and ends one that is over.
func (s *Siren) ring(w wishes, now time.Time) {
	if s.tone != nil && (s.mixer.finished.Load() == s.tone.turn || now.After(s.toneEnds)) {
		s.tone = nil
		s.mixer.wanted.Store(nil)
	}
	if w.tone == "" || s.order != nil || now.Sub(w.toneAt) > tonePatience {
		return
	}
	score := toneScore(w.tone)
	if score == nil {
		return
	}
	s.turns++
	s.tone = &order{turn: s.turns, score: score, gain: score.gain(0)}
	s.toneEnds = now.Add(tonePatience + length(score.burst))
	s.hushed = false
	s.mixer.wanted.Store(s.tone)
}

// try opens the next device of the queue on a goroutine of its own.
func (s *Siren) try(now time.Time) {
	if s.pending >= mostPending {
		s.fail(now, errHanging)
		return
	}
	if len(s.queue) == 0 {
		s.queue = s.candidates(now)
	}
	attempt := &output{device: s.queue[0], intake: &intake{began: now}, began: now}
	s.queue = s.queue[1:]
	s.trying = attempt
	if s.order != nil {
		// What was sounding on a lost device begins anew on the next, so that
		// a long gap cannot fall between them.
		s.turns++
		s.instruct(s.turns, s.order.score)
	}
	s.pending++
	go func() {
		stream, err := s.engine.open(attempt.device, func(out []float32) {
			if attempt.intake.retired.Load() {
				clear(out)
				return
			}
			s.mixer.fill(out)
			attempt.intake.fed(len(out))
		})
		select {
		case s.opened <- outcome{attempt, stream, err}:
		case <-s.done:
			if err == nil {
				stream.close()
			}
		}
	}()
}

// candidates are the devices to try, best first. Those lost a moment ago are
// left out, unless there is no other.
func (s *Siren) candidates(now time.Time) []string {
	if usable := s.usable(now); len(usable) > 0 {
		return usable
	}
	clear(s.lost)
	return s.usable(now)
}

// usable are the devices not lost a moment ago: the chosen one, the default,
// then every other that is known.
func (s *Siren) usable(now time.Time) []string {
	var usable []string
	add := func(device string) {
		if s.mayUse(device, now) {
			usable = append(usable, device)
		}
	}
	if s.options.Device != "" {
		add(s.options.Device)
	}
	add("")
	for _, d := range s.known {
		if !d.Default && !d.is(s.options.Device) {
			add(d.ID)
		}
	}
	return usable
}

func (s *Siren) mayUse(device string, now time.Time) bool {
	at, was := s.lost[device]
	return !was || now.Sub(at) > avoidFor
}

// settle takes what became of an attempt to open a device.
func (s *Siren) settle(o outcome) {
	now := time.Now()
	if s.trying != o.output {
		// Given up before, and answered after all: not wanted any more, but a
		// sign that the sound system is back.
		s.retryAt = time.Time{}
		if o.err == nil {
			s.dispose(o.stream)
		}
		return
	}
	s.trying = nil
	if o.err != nil {
		if s.cause == nil || errors.Is(s.cause, errAbsent) {
			s.cause = o.err
		}
		if len(s.queue) == 0 {
			s.fail(now, s.cause)
			s.cause = nil
		}
		return
	}

	s.current = o.output
	s.current.stream = o.stream
	if o.output.device != "" {
		// The name of the default output is read when it sounds already.
		s.current.name = s.nameOf(o.output.device)
	}
	s.queue, s.cause, s.idle, s.lookAt = nil, nil, time.Time{}, now
	if chosen := s.options.Device; chosen != "" && o.output.device != chosen {
		s.current.amiss = fmt.Sprintf("The chosen sound output “%s” cannot be used, so the siren sounds on %s. Plug it in again or choose another.", chosen, s.where())
	}
}

// announce tells where the alarm sounds, once the output takes sound: that it
// could be opened means little.
func (s *Siren) announce() {
	s.current.told, s.failing = true, false
	switch {
	case s.current.amiss != "":
		s.say(Event{Kind: DeviceChanged, Device: s.current.name, Sentence: s.current.amiss})
	case s.lastName != "" && s.current.name != "" && s.lastName != s.current.name:
		s.say(Event{Kind: DeviceChanged, Device: s.current.name, Sentence: fmt.Sprintf("The siren no longer sounds on “%s”; it sounds on %s.", s.lastName, s.where())})
	}
	s.say(Event{Kind: Playing, Device: s.deviceName(), Sentence: fmt.Sprintf("The siren sounds on %s.", s.where())})
}

// fail says once that nothing can be heard and sets the next attempt.
func (s *Siren) fail(now time.Time, cause error) {
	s.retryAt = now.Add(retryEvery)
	if s.pending >= fewPending {
		s.retryAt = now.Add(slowly)
	}
	if s.failing || s.order == nil {
		return
	}
	s.failing = true
	sentence := "The siren should sound now, but this machine has no sound output that works. Plug in or switch on a speaker; the siren starts by itself as soon as there is one."
	if errors.Is(cause, errHanging) {
		sentence = "The siren should sound now, but the sound system of this machine does not answer. Restart it (or the machine); the siren starts by itself as soon as it answers."
	}
	s.say(Event{Kind: NoDevice, Sentence: sentence, cause: cause})
}

// giveUp leaves an attempt that hangs to its goroutine.
func (s *Siren) giveUp(now time.Time) {
	s.trying.intake.retired.Store(true)
	s.lost[s.trying.device] = now
	s.trying = nil
	s.cause = errHanging
	if len(s.queue) == 0 {
		s.fail(now, errHanging)
	}
}

// lose gives up a stream that takes no more sound.
func (s *Siren) lose(now time.Time) {
	name := s.deviceName()
	if now.Sub(s.current.began) < shortLived {
		s.lost[s.current.device] = now
	}
	s.queue, s.retryAt = nil, time.Time{}
	switch {
	case s.current.told:
		s.say(Event{Kind: DeviceLost, Device: name, Sentence: fmt.Sprintf("The siren is not heard right now: %s stopped taking sound. It looks for an output that works.", quoted(name))})
	case len(s.usable(now)) == 0:
		s.fail(now, errDeaf)
	}
	s.release(now)
}

// release ends the open stream without waiting for it.
func (s *Siren) release(now time.Time) {
	s.lastName = s.current.name
	s.current.intake.retired.Store(true)
	s.dispose(s.current.stream)
	s.yieldTo = now.Add(yieldFor)
	s.current, s.idle = nil, time.Time{}
}

// dispose closes a stream on a goroutine of its own.
func (s *Siren) dispose(stream stream) {
	s.pending++
	go func() {
		stream.close()
		select {
		case s.closed <- struct{}{}:
		case <-s.done:
		}
	}()
}

// list reads which devices there are, on a goroutine of its own.
func (s *Siren) list(now time.Time) {
	s.lookAt, s.looking = now.Add(lookEvery), true
	s.pending++
	go func() {
		devices, err := s.engine.devices()
		select {
		case s.listed <- listing{devices, err}:
		case <-s.done:
		}
	}()
}

// compare notices that sound goes elsewhere than before, that it goes nowhere,
// and that the chosen device is back.
func (s *Siren) compare(l listing) {
	s.looking = false
	if l.err != nil {
		return // the stream itself tells whether it is alive
	}
	s.known = l.devices
	if s.current == nil || s.order == nil {
		return
	}
	now := time.Now()
	if len(l.devices) == 0 {
		s.current.name = ""
		s.fail(now, nil)
		return
	}
	if chosen := s.options.Device; chosen != "" && s.current.device != chosen && s.mayUse(chosen, now) && s.has(chosen) {
		s.queue, s.retryAt = []string{chosen, ""}, time.Time{}
		s.release(now)
		return
	}
	before, name := s.current.name, s.nameOf(s.current.device)
	if !s.current.told {
		s.current.name = name
		return
	}
	if before == "" && s.lastName != "" {
		before = s.lastName
	}
	s.current.name = name
	moved := before != "" && name != "" && before != name
	if moved || s.failing {
		s.say(Event{Kind: DeviceChanged, Device: name, Sentence: fmt.Sprintf("The siren now sounds on %s.", s.where())})
	}
	s.lastName = name
	s.failing = false
}

func (s *Siren) has(chosen string) bool {
	for _, d := range s.known {
		if d.is(chosen) {
			return true
		}
	}
	return false
}

// nameOf is what people call a device that was asked for; empty when the list
// has not been read.
func (s *Siren) nameOf(device string) string {
	for _, d := range s.known {
		if device == "" && d.Default || device != "" && d.is(device) {
			return d.Name
		}
	}
	return device
}

// end makes everything quiet, gives the fade its moment, and leaves.
func (s *Siren) end() {
	s.mixer.wanted.Store(nil)
	if s.trying != nil {
		s.trying.intake.retired.Store(true)
	}
	if s.current != nil {
		if s.order != nil || s.tone != nil {
			time.Sleep(watchEvery)
		}
		s.release(time.Now())
		gone := time.NewTimer(500 * time.Millisecond)
		defer gone.Stop()
		for s.pending > 0 {
			select {
			case <-s.closed:
				s.pending--
			case o := <-s.opened:
				s.pending--
				if o.err == nil {
					s.dispose(o.stream)
				}
			case <-s.listed:
				s.pending--
			case <-gone.C:
				s.pending = 0
			}
		}
	}
	s.order, s.tone, s.sounding = nil, nil, Alarm{}
	s.publish()
}

// publish makes the state readable.
func (s *Siren) publish() {
	state := State{
		Alarm:    s.sounding,
		Sounding: s.order != nil && s.current != nil && s.current.told && !s.failing,
		Device:   s.deviceName(),
	}
	switch {
	case s.order != nil && !state.Sounding:
		state.Trouble = s.trouble
	case !s.unattended.IsZero():
		state.Trouble = coreSilent
	case s.current != nil:
		state.Trouble = s.current.amiss
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *Siren) deviceName() string {
	if s.current == nil {
		return ""
	}
	return s.current.name
}

func (s *Siren) where() string { return quoted(s.deviceName()) }

func quoted(name string) string {
	if name == "" {
		return "the default output"
	}
	return "“" + name + "”"
}

// say queues an event; when nobody takes them, the oldest goes.
func (s *Siren) say(event Event) {
	event.At = time.Now()
	if event.Kind == NoDevice || event.Kind == DeviceLost {
		s.trouble = event.Sentence
	}
	for {
		select {
		case s.events <- event:
			return
		default:
		}
		select {
		case <-s.events:
		default:
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
