//go:build !linux && !windows

package power

import "time"

// sleepClock compares the wall clock with the monotonic one, which does not
// count sleep on these systems. A clock that is set forward looks like sleep:
// then a poll is made too many, and nothing else.
func sleepClock() func() time.Duration {
	start := time.Now()
	return func() time.Duration {
		now := time.Now()
		return now.Round(0).Sub(start.Round(0)) - now.Sub(start)
	}
}
