package power

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepClock counts the time spent suspended since boot: the boot clock goes
// on in sleep, the monotonic one stands still, and neither follows when
// somebody sets the wall clock.
func sleepClock() func() time.Duration {
	return func() time.Duration {
		var boot, awake unix.Timespec
		if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &awake) != nil {
			return 0
		}
		return time.Duration(boot.Nano() - awake.Nano())
	}
}
