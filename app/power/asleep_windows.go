package power

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var unbiasedInterruptTime = windows.NewLazySystemDLL("kernel32.dll").NewProc("QueryUnbiasedInterruptTime")

// sleepClock counts the time spent asleep since boot. Go's own clock goes on in
// sleep here, and so does the time since boot; the unbiased time stands still,
// and neither follows when somebody sets the wall clock.
func sleepClock() func() time.Duration {
	return func() time.Duration {
		var awake uint64 // in units of 100 ns
		if ok, _, _ := unbiasedInterruptTime.Call(uintptr(unsafe.Pointer(&awake))); ok == 0 {
			return 0
		}
		return windows.DurationSinceBoot() - time.Duration(awake)*100
	}
}
