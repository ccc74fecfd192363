package poll

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nightstand/sync/provider"
)

// service is a source that answers as the test says.
type service struct {
	open func(ctx context.Context) error
}

func (s service) Open(ctx context.Context) (provider.Snapshot, error) {
	return provider.Snapshot{}, s.open(ctx)
}

// onShift is the pace of the defaults.
func onShift() Pace {
	return Pace{Every: 3 * time.Second, Patience: 5 * time.Second, LongestPause: 10 * time.Second}
}

// watched runs a loop for a while of made-up time and returns when each
// reading began, counted from the start.
func watched(t *testing.T, during time.Duration, open func(ctx context.Context) error, pace func() Pace) (starts []time.Duration, readings []Reading) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), during)
		defer cancel()
		loop := New(service{open}, pace, func(r Reading) {
			starts, readings = append(starts, r.Started.Sub(begin)), append(readings, r)
		})
		loop.Run(ctx)
	})
	return starts, readings
}

// pauses are the spans between the starts of readings.
func pauses(starts []time.Duration) []time.Duration {
	var between []time.Duration
	for at := 1; at < len(starts); at++ {
		between = append(between, starts[at]-starts[at-1])
	}
	return between
}

func TestAServiceThatAnswersIsReadAtItsPace(t *testing.T) {
	starts, readings := watched(t, time.Minute, func(context.Context) error { time.Sleep(200 * time.Millisecond); return nil }, onShift)
	if len(starts) < 18 || len(starts) > 23 {
		t.Errorf("read %d times in a minute", len(starts))
	}
	different := map[time.Duration]bool{}
	for _, pause := range pauses(starts) {
		different[pause] = true
		if pause < 2700*time.Millisecond || pause > 3300*time.Millisecond {
			t.Errorf("%v between two readings", pause)
		}
	}
	if len(different) < 2 {
		t.Error("the pauses are all the same, so many machines would ask at the same instant")
	}
	for _, r := range readings {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
}

func TestAServiceThatHangsIsGivenUpInTime(t *testing.T) {
	_, readings := watched(t, time.Minute, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, onShift)
	if len(readings) < 4 {
		t.Fatalf("%d readings in a minute", len(readings))
	}
	if !errors.Is(readings[0].Err, context.DeadlineExceeded) {
		t.Errorf("the reading ended with %v", readings[0].Err)
	}
}

func TestAFailureIsTriedAgainSoonThenLessOften(t *testing.T) {
	starts, _ := watched(t, 2*time.Minute, func(context.Context) error { return errors.New("no way") }, onShift)
	between := pauses(starts)
	if between[0] > time.Second {
		t.Errorf("the first failure is tried again after %v", between[0])
	}
	for _, pause := range between {
		if pause > 10*time.Second {
			t.Errorf("a pause of %v, longer than the longest", pause)
		}
	}
	if last := between[len(between)-1]; last < 8*time.Second {
		t.Errorf("after two minutes of failures it is still asked every %v", last)
	}
}

func TestOneGoodReadingMakesTheNextFailureFresh(t *testing.T) {
	count := 0
	starts, readings := watched(t, 2*time.Minute, func(context.Context) error {
		if count++; count%8 == 0 {
			return nil
		}
		return errors.New("no way")
	}, onShift)
	for at := 1; at < len(starts)-1; at++ {
		if readings[at-1].Err == nil && readings[at].Err != nil && starts[at+1]-starts[at] > time.Second {
			t.Errorf("the first failure after a success is tried again after %v", starts[at+1]-starts[at])
		}
	}
}

func TestAServiceIsGivenTheTimeItAsksForWithinReason(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{30 * time.Second: 30 * time.Second, 24 * time.Hour: longestAsked} {
		starts, _ := watched(t, time.Hour, func(context.Context) error {
			return &provider.Error{Kind: provider.RateLimited, Sentence: "too many", RetryAfter: asked}
		}, onShift)
		for _, pause := range pauses(starts) {
			if pause != want {
				t.Errorf("it asked for %v and was given %v, want %v", asked, pause, want)
			}
		}
		if len(starts) < 2 {
			t.Errorf("it asked for %v and was never read again", asked)
		}
	}
}

func TestASlowServiceGetsABreath(t *testing.T) {
	starts, _ := watched(t, time.Minute, func(context.Context) error { time.Sleep(4 * time.Second); return nil }, onShift)
	for _, pause := range pauses(starts) {
		if breath := pause - 4*time.Second; breath < 500*time.Millisecond {
			t.Errorf("it is asked again %v after it had answered", breath)
		}
	}
}

func TestAPaceThatChangesHoldsFromTheNextPause(t *testing.T) {
	every := 3 * time.Second
	count := 0
	starts, _ := watched(t, time.Minute, func(context.Context) error {
		if count++; count == 3 {
			every = 30 * time.Second
		}
		return nil
	}, func() Pace { return Pace{Every: every, Patience: 5 * time.Second, LongestPause: 10 * time.Second} })
	if pause := pauses(starts)[2]; pause < 27*time.Second {
		t.Errorf("the shift is over and it is still asked after %v", pause)
	}
}

func TestItIsReadAtOnceWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		under := 0
		readings := 0
		loop := New(service{func(context.Context) error {
			if under++; under > 1 {
				t.Error("two readings at once")
			}
			time.Sleep(time.Second)
			under--
			return nil
		}}, onShift, func(Reading) { readings++ })
		ended := make(chan struct{})
		go func() { loop.Run(ctx); close(ended) }()
		time.Sleep(1500 * time.Millisecond) // in the pause after the first
		for range 5 {
			loop.Now()
		}
		time.Sleep(500 * time.Millisecond) // the second is under way
		loop.Now()
		time.Sleep(1700 * time.Millisecond) // it ended at 2.5 s, the third at 3.5 s
		cancel()
		<-ended
		if readings != 3 {
			t.Errorf("%d readings, want the first and one for each time it was asked", readings)
		}
	})
}

func TestNothingIsDeliveredAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		loop := New(service{func(ctx context.Context) error {
			<-ctx.Done()
			return nil // it answers all the same
		}}, onShift, func(Reading) { t.Error("a reading that was interrupted was delivered") })
		time.AfterFunc(time.Second, cancel)
		loop.Run(ctx)
	})
}
