package supervise

import "time"

// A gap this long between two looks of our own means that the machine slept,
// or that we did not get to run at all; the child did not either.
const ownGap = 5 * time.Second

// patience measures the child's silence. Whether a system's steady clock goes
// on while the machine sleeps differs from system to system, so a gap seen on
// either the steady or the wall clock starts the period afresh.
type patience struct {
	last, since time.Time
	limit       time.Duration
}

func newPatience(now time.Time, limit time.Duration) *patience {
	return &patience{last: now, since: now, limit: limit}
}

// begin starts a new period.
func (p *patience) begin(now time.Time, limit time.Duration) {
	p.since, p.limit = now, limit
}

// over says, at one look, whether the period has run out.
func (p *patience) over(now time.Time) bool {
	steady, wall := now.Sub(p.last), now.Round(0).Sub(p.last.Round(0))
	p.last = now
	if steady > ownGap || wall > ownGap {
		p.since = now
		return false
	}
	return now.Sub(p.since) >= p.limit
}
