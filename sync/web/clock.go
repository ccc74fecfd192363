package web

import (
	"net/http"
	"sync"
	"time"
)

// Clock is a service's clock, told by the distance to ours. It may be used from
// several goroutines.
type Clock struct {
	ours func() time.Time

	mutex sync.Mutex
	ahead time.Duration // how far the service's clock is ahead of ours
}

// NewClock goes by our own clock until a service has told its time; nil is the
// machine's.
func NewClock(ours func() time.Time) *Clock {
	if ours == nil {
		ours = time.Now
	}
	return &Clock{ours: ours}
}

// Compare reads the Date header of the answer to a question that was asked at
// this time, by our clock, and returns it; zero if the service does not tell.
// The header has whole seconds, so half of one is the best guess of the rest.
func (c *Clock) Compare(date string, asked time.Time) time.Time {
	at, err := http.ParseTime(date)
	if err != nil {
		return time.Time{}
	}
	middle := asked.Add(c.ours().Sub(asked) / 2)
	c.mutex.Lock()
	c.ahead = at.Add(500 * time.Millisecond).Sub(middle)
	c.mutex.Unlock()
	return at.UTC()
}

// Now is the time by the service's clock, UTC, to within a second or so.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.ours().Add(c.ahead).UTC()
}
