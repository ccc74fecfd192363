package siren

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// desk is a sound system made of words: outputs that come, go, turn deaf and
// hang when the test says so. Its audio threads run on the test's clock.
type desk struct {
	mu       sync.Mutex
	outputs  []Device
	deaf     map[string]bool // takes no sound after the first fill
	stubborn map[string]bool // its streams do not close
	deep     int             // how many samples the first fill asks for, when not 10 ms
	hang     chan struct{}   // while not nil, calls wait for it to close
	opened   int             // calls of open so far
	streams  map[*deskStream]bool
	lastLoud map[string]time.Time
}

type deskStream struct {
	desk   *desk
	device string
	stop   chan struct{}
	once   sync.Once
}

func newDesk(outputs ...string) *desk {
	d := &desk{deaf: map[string]bool{}, streams: map[*deskStream]bool{}, lastLoud: map[string]time.Time{}}
	d.plug(outputs...)
	return d
}

// plug sets which outputs there are; the first is the default.
func (d *desk) plug(outputs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outputs = nil
	for i, name := range outputs {
		d.outputs = append(d.outputs, Device{ID: "id-" + name, Name: name, Default: i == 0})
	}
}

func (d *desk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *desk) waitIfHanging() {
	d.mu.Lock()
	hang := d.hang
	d.mu.Unlock()
	if hang != nil {
		<-hang
	}
}

func (d *desk) open(device string, fill func([]float32)) (stream, error) {
	d.set(func() { d.opened++ })
	d.waitIfHanging()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, output := range d.outputs {
		if device == "" && output.Default || device != "" && output.is(device) {
			first := max(d.deep, Rate/100)
			s := &deskStream{desk: d, device: output.Name, stop: make(chan struct{})}
			d.streams[s] = true
			go s.run(first, fill)
			return s, nil
		}
	}
	if device != "" {
		return nil, errAbsent
	}
	return nil, errors.New("no output")
}

func (d *desk) devices() ([]Device, error) {
	d.waitIfHanging()
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Device(nil), d.outputs...), nil
}

func (s *deskStream) run(first int, fill func([]float32)) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	fill(make([]float32, first))
	out := make([]float32, Rate/100)
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.desk.mu.Lock()
		there := s.desk.hang == nil && !s.desk.deaf[s.device]
		found := false
		for _, output := range s.desk.outputs {
			found = found || output.Name == s.device
		}
		s.desk.mu.Unlock()
		if !there || !found {
			continue
		}
		fill(out)
		if loudest(out) > 0.01 {
			s.desk.set(func() { s.desk.lastLoud[s.device] = time.Now() })
		}
	}
}

func (s *deskStream) close() {
	s.desk.waitIfHanging()
	s.desk.mu.Lock()
	stubborn := s.desk.stubborn[s.device]
	s.desk.mu.Unlock()
	if stubborn {
		return
	}
	s.once.Do(func() {
		close(s.stop)
		s.desk.set(func() { delete(s.desk.streams, s) })
	})
}

func (d *desk) playing() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.streams)
}

func (d *desk) tries() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened
}

// soundsOn says whether a device was loud within the last three seconds and a
// half, more than any gap of a critical alarm.
func (d *desk) soundsOn(device string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ever := d.lastLoud[device]
	return ever && time.Since(at) < 3500*time.Millisecond
}

type notes struct {
	mu     sync.Mutex
	events []Event
}

func (n *notes) take(e Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

func (n *notes) count(kind EventKind) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, e := range n.events {
		if e.Kind == kind {
			count++
		}
	}
	return count
}

func (n *notes) last(kind EventKind) Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.events) - 1; i >= 0; i-- {
		if n.events[i].Kind == kind {
			return n.events[i]
		}
	}
	return Event{}
}

// night runs a test on a clock of its own.
func night(t *testing.T, d *desk, options Options, test func(t *testing.T, s *Siren, n *notes)) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		if options.Events == nil {
			options.Events = n.take
		}
		s := newOn(d, options)
		test(t, s, n)
		d.set(func() {
			if d.hang != nil {
				close(d.hang)
				d.hang = nil
			}
		})
		s.Close()
		time.Sleep(5 * time.Second)
		if open := d.playing(); open != 0 {
			t.Errorf("%d streams are open after closing", open)
		}
	})
}

func TestOpensForAnAlarmAndClosesAfterIt(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		time.Sleep(time.Minute)
		if d.tries() != 0 {
			t.Fatal("a stream was opened with nothing to play")
		}
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(100 * time.Millisecond)
		if !d.soundsOn("speaker") {
			t.Fatal("nothing sounds after 100 ms")
		}
		time.Sleep(5 * time.Minute)
		if state := s.State(); !d.soundsOn("speaker") || !state.Sounding || state.Device != "speaker" || state.Trouble != "" {
			t.Errorf("after 5 minutes the state is %+v", s.State())
		}
		if d.tries() != 1 || n.count(Playing) != 1 {
			t.Errorf("%d streams were opened, Playing was told %d times", d.tries(), n.count(Playing))
		}
		silenced := time.Now()
		s.Sound(Alarm{})
		time.Sleep(2 * time.Second)
		d.set(func() {
			if after := d.lastLoud["speaker"].Sub(silenced); after > 50*time.Millisecond {
				t.Errorf("the device was given sound until %v after the click", after)
			}
		})
		if d.playing() != 0 || s.State().Sounding || n.count(Quiet) != 1 {
			t.Error("it is silent, and a stream or the state does not know")
		}
	})
}

func TestADeepBufferIsCutOffAndNotPlayedOut(t *testing.T) {
	d := newDesk("speaker")
	d.deep = 2 * Rate
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(time.Second)
		s.Sound(Alarm{})
		synctest.Wait()
		if d.playing() != 0 {
			t.Error("the sound server still has a second of alarm to play")
		}
		s.Play(AckConfirmed)
		time.Sleep(100 * time.Millisecond)
		if d.playing() != 1 {
			t.Error("the tone was cut off with its buffer")
		}
	})
}

func TestAFastClockDoesNotHideALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{began: time.Now()}
		i.fed(samples(40 * time.Millisecond))
		for range 60000 { // ten minutes of a device that runs one per cent fast
			time.Sleep(10 * time.Millisecond)
			i.fed(samples(10100 * time.Microsecond))
		}
		if held := i.ahead(); held > deepBuffer || i.lost() {
			t.Errorf("%v seem to be in store", held)
		}
		time.Sleep(400 * time.Millisecond)
		if !i.lost() {
			t.Error("the loss is not seen")
		}
	})
}

func TestASleepOfTheMachineIsNoSilenceOfTheCore(t *testing.T) {
	var s Siren
	asleep := time.Now()
	s.wishes.beat, s.due = asleep, asleep.Add(15*time.Second)
	awake := asleep.Add(8 * time.Hour)
	s.forgive(awake)
	if next := s.decide(awake); !s.unattended.IsZero() || next != awake.Add(beatPatience) {
		t.Error("waking up is taken for a core that hangs")
	}
	s.due = awake.Add(15 * time.Second)
	s.forgive(s.due)
	if s.wishes.beat != awake {
		t.Error("a siren that is in time forgives a silent core")
	}
}

func TestTheSameAlarmAgainChangesNothing(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Degraded, Step: 2})
		time.Sleep(time.Second)
		before := s.mixer.wanted.Load()
		for range 100 {
			s.Sound(Alarm{Pattern: Degraded, Step: 2})
			time.Sleep(10 * time.Millisecond)
		}
		if s.mixer.wanted.Load() != before || n.count(Playing) != 1 {
			t.Error("the alarm was begun anew")
		}
		s.Sound(Alarm{Pattern: Degraded, Step: 3})
		synctest.Wait()
		if after := s.mixer.wanted.Load(); after.turn != before.turn || after.gain <= before.gain {
			t.Errorf("a louder step became %+v", after)
		}
	})
}

func TestAWordNobodyKnowsStillRings(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: "catastrophe", Step: 99})
		time.Sleep(time.Second)
		if got := s.State().Alarm; got != (Alarm{Pattern: Degraded, Step: 3}) || !d.soundsOn("speaker") {
			t.Errorf("it became %+v", got)
		}
	})
}

func TestFallsToTheDefaultWhenTheChosenIsAbsentAndReturns(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{Device: "headset"}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(time.Second)
		if !d.soundsOn("speaker") || !strings.Contains(n.last(DeviceChanged).Sentence, "“headset” cannot be used") {
			t.Fatalf("the default does not sound, or nobody was told: %+v", n.last(DeviceChanged))
		}
		if s.State().Trouble == "" {
			t.Error("the state says that all is well")
		}
		d.plug("speaker", "headset")
		time.Sleep(4 * time.Second)
		if !d.soundsOn("headset") || s.State().Device != "headset" || s.State().Trouble != "" {
			t.Errorf("it did not return to the chosen output: %+v", s.State())
		}
		if d.playing() != 1 {
			t.Errorf("%d streams are open", d.playing())
		}
	})
}

func TestALostDeviceIsNoticedIn300Milliseconds(t *testing.T) {
	d := newDesk("speaker", "headset")
	night(t, d, Options{Device: "headset"}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(10 * time.Second)
		gone := time.Now()
		d.plug("speaker")
		time.Sleep(time.Second)
		lost := n.last(DeviceLost)
		if after := lost.At.Sub(gone); n.count(DeviceLost) != 1 || after < 250*time.Millisecond || after > 400*time.Millisecond {
			t.Errorf("the loss was told %d times, %v after it", n.count(DeviceLost), after)
		}
		if !d.soundsOn("speaker") || s.State().Device != "speaker" || n.count(DeviceChanged) == 0 {
			t.Errorf("it does not sound on the other output: %+v", s.State())
		}
	})
}

func TestANewDefaultIsTold(t *testing.T) {
	d := newDesk("speaker", "dock")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(3 * time.Second)
		d.plug("dock", "speaker")
		time.Sleep(3 * time.Second)
		if got := n.last(DeviceChanged); got.Device != "dock" || s.State().Device != "dock" {
			t.Errorf("told %+v, state %+v", got, s.State())
		}
	})
}

func TestAnOutputThatTakesNoSoundIsPassedOver(t *testing.T) {
	d := newDesk("dead", "alive")
	d.deaf["dead"] = true
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(4 * time.Second)
		if !d.soundsOn("alive") || s.State().Device != "alive" {
			t.Errorf("it does not sound on the output that lives: %+v", s.State())
		}
		if n.count(Playing) != 1 {
			t.Errorf("Playing was told %d times", n.count(Playing))
		}
	})
}

func TestAStreamGivenUpStaysSilentWhenItRevives(t *testing.T) {
	d := newDesk("speaker", "other")
	d.stubborn = map[string]bool{"speaker": true}
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(time.Second)
		d.set(func() { d.deaf["speaker"] = true })
		time.Sleep(5 * time.Second)
		if !d.soundsOn("other") {
			t.Fatal("it does not sound on the other output")
		}
		d.set(func() { delete(d.deaf, "speaker") })
		time.Sleep(10 * time.Second)
		if d.soundsOn("speaker") || !d.soundsOn("other") {
			t.Error("the stream that was given up sounds again, beside the new one")
		}
		d.set(func() {
			for s := range d.streams {
				if s.device == "speaker" {
					close(s.stop)
					delete(d.streams, s)
				}
			}
		})
	})
}

func TestNothingToSoundOnIsToldOnceAndTriedUntilThereIs(t *testing.T) {
	for name, d := range map[string]*desk{"none": newDesk(), "deaf": newDesk("dead")} {
		d.deaf["dead"] = true
		t.Run(name, func(t *testing.T) {
			night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
				s.Sound(Alarm{Pattern: Critical})
				time.Sleep(time.Minute)
				if n.count(NoDevice) != 1 || n.count(Playing) != 0 || s.State().Sounding || s.State().Trouble == "" {
					t.Errorf("NoDevice told %d times, Playing %d times, state %+v", n.count(NoDevice), n.count(Playing), s.State())
				}
				d.set(func() { d.deaf = map[string]bool{} })
				d.plug("speaker")
				time.Sleep(4500 * time.Millisecond)
				if !d.soundsOn("speaker") || !s.State().Sounding || s.State().Trouble != "" {
					t.Errorf("a speaker came and the state is %+v", s.State())
				}
				s.Sound(Alarm{})
				d.plug()
				time.Sleep(3 * time.Second)
				tries := d.tries()
				time.Sleep(time.Minute)
				if d.tries() != tries {
					t.Error("outputs are tried with nothing to play")
				}
			})
		})
	}
}

func TestAHangingSoundSystemStopsNobody(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(10 * time.Second)
		d.set(func() { d.hang = make(chan struct{}) })
		began := time.Now()
		s.Sound(Alarm{Pattern: Degraded})
		s.Play(Taken)
		s.Beat()
		s.State()
		if time.Since(began) != 0 {
			t.Error("a call waited for the sound system")
		}
		time.Sleep(10 * time.Second)
		if n.count(DeviceLost) != 1 || n.count(NoDevice) != 1 || !strings.Contains(n.last(NoDevice).Sentence, "does not answer") {
			t.Errorf("lost %d, none %d: %s", n.count(DeviceLost), n.count(NoDevice), n.last(NoDevice).Sentence)
		}
		time.Sleep(50 * time.Second)
		if d.tries() > 10 {
			t.Errorf("%d calls were made in a minute to a system that hangs", d.tries())
		}
		time.Sleep(time.Hour)
		if d.tries() > mostPending+10 {
			t.Errorf("%d calls were left hanging", d.tries())
		}
		d.set(func() { close(d.hang); d.hang = nil })
		time.Sleep(5 * time.Second)
		if !d.soundsOn("speaker") {
			t.Error("the sound system answers again and nothing sounds")
		}
		if d.playing() != 1 {
			t.Errorf("%d streams are open after the hang", d.playing())
		}
	})
}

func TestClosesWithinASecondWhateverHangs(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(time.Second)
		d.set(func() { d.hang = make(chan struct{}) })
		began := time.Now()
		s.Close()
		if took := time.Since(began); took > time.Second {
			t.Errorf("closing took %v", took)
		}
		s.Sound(Alarm{Pattern: Blind})
		s.Close()
	})
}

func TestRingsBlindByItselfWithoutBeats(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		time.Sleep(time.Minute)
		if s.State().Alarm != (Alarm{}) {
			t.Fatal("it rings before the first beat")
		}
		for range 60 {
			s.Beat()
			time.Sleep(5 * time.Second)
		}
		s.Sound(Alarm{Pattern: Minor, Step: 1})
		s.Beat()
		time.Sleep(14900 * time.Millisecond)
		if s.State().Alarm.Pattern != Minor {
			t.Fatalf("after 14.9 s: %+v", s.State().Alarm)
		}
		time.Sleep(200 * time.Millisecond)
		if got := s.State(); got.Alarm != (Alarm{Pattern: Blind}) || got.Trouble == "" || n.count(Unresponsive) != 1 {
			t.Fatalf("after 15.1 s: %+v", got)
		}
		for step := 1; step < Steps; step++ {
			time.Sleep(30 * time.Second)
			if got := s.State().Alarm; got != (Alarm{Pattern: Blind, Step: step}) {
				t.Errorf("30 s later: %+v", got)
			}
		}
		time.Sleep(5*time.Minute + 7*time.Millisecond) // between two looks of the siren
		if !s.State().Sounding {
			t.Error("the blind alarm stopped by itself")
		}
		s.Beat()
		synctest.Wait()
		if got := s.State(); got.Alarm != (Alarm{Pattern: Minor, Step: 1}) || got.Trouble != "" || n.count(Responsive) != 1 {
			t.Errorf("after the beats came back: %+v", got)
		}
	})
}

func TestATonePlaysOnceAndGivesWayToAnAlarm(t *testing.T) {
	d := newDesk("speaker")
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Play(Resolved)
		time.Sleep(100 * time.Millisecond)
		if !d.soundsOn("speaker") || s.State().Sounding {
			t.Fatal("the tone is not heard, or passes for an alarm")
		}
		time.Sleep(3 * time.Second)
		if d.playing() != 0 {
			t.Error("a stream is open after the tone")
		}

		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(50 * time.Millisecond)
		alarm := s.mixer.wanted.Load()
		s.Play(Taken)
		synctest.Wait()
		if s.mixer.wanted.Load() != alarm {
			t.Error("a tone broke into an alarm")
		}
		s.Sound(Alarm{})
		s.Play(AckConfirmed)
		synctest.Wait()
		if playing := s.mixer.wanted.Load(); playing == nil || playing == alarm {
			t.Error("the tone after an alarm was dropped")
		}
		s.Sound(Alarm{Pattern: Minor})
		time.Sleep(time.Second)
		if !s.State().Sounding {
			t.Error("a tone held an alarm back")
		}
	})
}

func TestAToneThatCannotBeginIsForgotten(t *testing.T) {
	d := newDesk()
	night(t, d, Options{}, func(t *testing.T, s *Siren, n *notes) {
		s.Play(Gentle)
		time.Sleep(4 * time.Second)
		d.plug("speaker")
		time.Sleep(10 * time.Second)
		if d.soundsOn("speaker") || n.count(NoDevice) != 0 {
			t.Error("a tone came late, or its absence was called an alarm unheard")
		}
	})
}

func TestAListenerThatHangsDoesNotStopTheSound(t *testing.T) {
	d := newDesk("speaker")
	release := make(chan struct{})
	options := Options{Events: func(Event) { <-release }}
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		s := newOn(d, options)
		for i := range 300 {
			s.Sound(Alarm{Pattern: []Pattern{Critical, Silent}[i%2]})
			time.Sleep(10 * time.Millisecond)
		}
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(time.Second)
		if !d.soundsOn("speaker") {
			t.Error("nothing sounds while the listener hangs")
		}
		s.Close()
		close(release)
	})
}

func TestEverySentenceIsOneForPeople(t *testing.T) {
	d := newDesk("speaker", "headset")
	night(t, d, Options{Device: "headset"}, func(t *testing.T, s *Siren, n *notes) {
		s.Beat()
		s.Sound(Alarm{Pattern: Critical})
		time.Sleep(10 * time.Second)
		d.plug("speaker")
		time.Sleep(20 * time.Second)
		d.plug()
		time.Sleep(20 * time.Second)
		s.Beat()
		s.Sound(Alarm{})
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		seen := map[EventKind]bool{}
		for _, e := range n.events {
			seen[e.Kind] = true
			if len(e.Sentence) < 15 || !strings.HasSuffix(e.Sentence, ".") || e.At.IsZero() ||
				strings.Contains(e.Sentence, "miniaudio") || strings.Contains(e.Sentence, "id-") {
				t.Errorf("%s: %q", e.Kind, e.Sentence)
			}
		}
		for _, kind := range []EventKind{Playing, Quiet, DeviceLost, DeviceChanged, NoDevice, Unresponsive, Responsive} {
			if !seen[kind] {
				t.Errorf("%s never happened", kind)
			}
		}
	})
}

func TestAllMethodsFromEverywhereAtOnce(t *testing.T) {
	d := newDesk("speaker")
	s := newOn(d, Options{Events: func(Event) {}})
	var people sync.WaitGroup
	for range 8 {
		people.Go(func() {
			for i := range 200 {
				s.Sound(Alarm{Pattern: alarms[i%len(alarms)], Step: i % Steps})
				s.Play(Gentle)
				s.Beat()
				_ = s.State()
				s.Sound(Alarm{})
			}
		})
	}
	people.Wait()
	s.Close()
	if s.State().Sounding {
		t.Error("it claims to sound after closing")
	}
}
