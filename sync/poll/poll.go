// Package poll owns the pace at which one account is read: how often, how long
// one reading may take, how soon after a failure, and at once when asked.
package poll

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

	"nightstand/sync/provider"
)

// Pace is how an account is read at the moment.
type Pace struct {
	// Every is the time between the starts of two readings. A service that
	// takes nearly as long to answer gets a breath all the same.
	Every time.Duration
	// Patience is how long one reading may take.
	Patience time.Duration
	// LongestPause is the most that failures can stretch the pause to, unless
	// the service itself asks for more.
	LongestPause time.Duration
}

// Reading is the outcome of one look at an account.
type Reading struct {
	// Started is when it began; what is learnt of a page after that is newer.
	Started  time.Time
	Snapshot provider.Snapshot
	Err      error
}

// Source is what can be read; a provider.Provider is one.
type Source interface {
	Open(ctx context.Context) (provider.Snapshot, error)
}

// Loop reads one account for ever, one reading at a time.
type Loop struct {
	source  Source
	pace    func() Pace
	deliver func(Reading)
	now     chan struct{}
}

// jitter spreads the polls of many machines, as a share of the pause.
const jitter = 0.1

// firstRetry is how soon a failed reading is tried again the first time: most
// failures are a connection that died with the network.
const firstRetry = 500 * time.Millisecond

// leastPause is the breath between two readings, as a share of Every.
const leastPause = 0.25

// longestAsked is the longest pause that a service can ask for: one that says
// "tomorrow" is asked again tonight.
const longestAsked = 5 * time.Minute

// New makes a loop that asks for its pace before every pause and hands every
// reading to deliver, in order.
func New(source Source, pace func() Pace, deliver func(Reading)) *Loop {
	return &Loop{source: source, pace: pace, deliver: deliver, now: make(chan struct{}, 1)}
}

// Now ends the present pause; a reading under way is followed by another.
func (l *Loop) Now() {
	select {
	case l.now <- struct{}{}:
	default: // one is asked for already
	}
}

// Run reads until ctx ends.
func (l *Loop) Run(ctx context.Context) {
	failures := l.newBackOff()
	for ctx.Err() == nil {
		reading := l.read(ctx)
		if ctx.Err() != nil {
			return
		}
		l.deliver(reading)
		l.pause(ctx, l.next(reading, failures))
	}
}

func (l *Loop) read(ctx context.Context) Reading {
	ctx, cancel := context.WithTimeout(ctx, l.pace().Patience)
	defer cancel()
	reading := Reading{Started: time.Now()}
	reading.Snapshot, reading.Err = l.source.Open(ctx)
	return reading
}

func (l *Loop) newBackOff() *backoff.ExponentialBackOff {
	failures := backoff.NewExponentialBackOff()
	failures.InitialInterval = firstRetry
	failures.RandomizationFactor = jitter
	failures.Multiplier = 2
	failures.MaxInterval = l.pace().LongestPause
	failures.Reset()
	return failures
}

// next is how long to wait after a reading.
func (l *Loop) next(reading Reading, failures *backoff.ExponentialBackOff) time.Duration {
	pace := l.pace()
	if reading.Err == nil {
		failures.Reset()
		spread := 1 - jitter + 2*jitter*rand.Float64()
		least := time.Duration(leastPause * float64(pace.Every))
		return max(least, time.Duration(float64(pace.Every)*spread)-time.Since(reading.Started))
	}
	failures.MaxInterval = pace.LongestPause
	wait := min(failures.NextBackOff(), pace.LongestPause)
	var said *provider.Error
	if errors.As(reading.Err, &said) && said.RetryAfter > wait {
		wait = min(said.RetryAfter, longestAsked)
	}
	return wait
}

func (l *Loop) pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(max(0, length))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.now:
	case <-ctx.Done():
	}
}
