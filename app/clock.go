package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/app/watch"
	"nightstand/sync/poll"
)

// clock is the distance between a service's clock and this machine's. What the
// service promises (escalations, the end of an acknowledgement) is by its own.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// steady is how far two measurements may be apart without the distance being
// taken for another one: a service tells its time in whole seconds, and an
// answer travels.
const steady = 3 * time.Second

// wrongBy is from when on a difference is worth a warning.
const wrongBy = 30 * time.Second

// read takes in what an answer told of the time.
func (c *clock) read(r poll.Reading, now time.Time) {
	if r.Snapshot.ServerTime.IsZero() {
		return
	}
	// Wall clocks are compared, so that a machine whose clock was set is seen.
	middle := r.Started.Round(0).Add(now.Round(0).Sub(r.Started.Round(0)) / 2)
	ahead := r.Snapshot.ServerTime.Add(500 * time.Millisecond).Sub(middle) // it comes in whole seconds
	c.mu.Lock()
	defer c.mu.Unlock()
	if (ahead - c.ahead).Abs() > steady {
		c.ahead = ahead.Round(time.Second)
	}
}

// difference is how far the service is ahead of this machine.
func (c *clock) difference() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// theirs is an instant as the service's clock shows it.
func (c *clock) theirs(ours time.Time) time.Time { return ours.Add(c.difference()) }

// oursOf is an instant of the service's clock as this machine's shows it.
func (c *clock) oursOf(theirs time.Time) time.Time { return theirs.Add(-c.difference()) }

// ours puts what the service promises on this machine's clock.
func (c *clock) ours(pages []page.Page) {
	ahead := c.difference()
	if ahead == 0 {
		return
	}
	for i := range pages {
		for _, at := range []*time.Time{&pages[i].EscalatesAt, &pages[i].AckExpiresAt, &pages[i].SnoozedUntil} {
			if !at.IsZero() {
				*at = at.Add(-ahead)
			}
		}
	}
}

// about is a span as people say it of a clock.
func about(d time.Duration) string {
	if d >= 2*time.Minute {
		return short(d.Round(time.Minute))
	}
	return short(d)
}

// clockSignal is the name of the advice about clocks.
const clockSignal = "clock"

// lookAtClocks says whether this machine and its services agree on the time.
func (a *Agent) lookAtClocks() {
	l := a.lines
	l.mu.Lock()
	var apart []string
	for _, name := range slices.Sorted(maps.Keys(l.open)) {
		if d := l.open[name].clock.difference(); d.Abs() > wrongBy {
			apart = append(apart, fmt.Sprintf("the clock of %s is %s %s this machine's", name, about(d.Abs()), choose(d > 0, "ahead of", "behind")))
		}
	}
	l.mu.Unlock()
	if len(apart) > 0 {
		a.Observe(watch.SignalSeen{Name: clockSignal, State: watch.SignalWarning, Detail: strings.Join(apart, "; ") + ". Countdowns go by the service; set this machine's clock, or have the service's set"})
		return
	}
	a.Observe(watch.SignalSeen{Name: clockSignal, State: watch.SignalOK, Detail: "this machine and its paging services agree on the time"})
}
