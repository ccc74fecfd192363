package power

import (
	"testing"
	"time"
)

func TestOnlyRealSleepIsTold(t *testing.T) {
	var asleep time.Duration
	gaps := &Gaps{asleep: func() time.Duration { return asleep }}
	for _, look := range []struct {
		why   string
		more  time.Duration
		worth bool
	}{
		{"awake", 0, false},
		{"clocks that tick unevenly", 40 * time.Millisecond, false},
		{"clocks that tick unevenly the other way", -40 * time.Millisecond, false},
		{"a nap", 3 * time.Second, true},
		{"awake again", 0, false},
		{"a night", 8 * time.Hour, true},
		{"a clock set back", -2 * time.Hour, false},
		{"a nap after that", time.Minute, true},
	} {
		asleep += look.more
		slept, worth := gaps.Since()
		if worth != look.worth || slept != look.more {
			t.Errorf("%s: %v, worth telling: %v; want %v, %v", look.why, slept, worth, look.more, look.worth)
		}
	}
}

func TestAMachineThatIsAwakeIsNotSaidToSleep(t *testing.T) {
	gaps := Watch()
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		if slept, worth := gaps.Since(); worth {
			t.Fatalf("it is said to have slept %v", slept)
		}
	}
}
