// Package power notices when the machine slept. (Keeping it awake on shift is
// not here yet; the light says so.)
package power

import "time"

// Gaps tells how long the machine slept between two looks.
type Gaps struct {
	asleep func() time.Duration
	before time.Duration
}

// worthTelling is how long a sleep must be to be told; clocks tick unevenly.
const worthTelling = 3 * time.Second

// Watch begins to look for gaps.
func Watch() *Gaps {
	asleep := sleepClock()
	return &Gaps{asleep: asleep, before: asleep()}
}

// Since returns how long the machine slept since the last call, and whether
// that was long enough to matter. Call it every second or so.
func (g *Gaps) Since() (time.Duration, bool) {
	now := g.asleep()
	slept := now - g.before
	g.before = now
	return slept, slept >= worthTelling
}
