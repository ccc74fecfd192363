package session

import (
	"context"
	"slices"
	"time"
)

// wakePatience is how long lighting the screen up may take. The siren rings
// already; this is for the eyes.
const wakePatience = time.Second

// way is one of the ways to light the screen up. Systems have them all or none.
type way struct {
	name string
	try  func(context.Context) error
}

// WakeScreen lights the screen up, for somebody who lies next to it and asleep.
// It tries all ways side by side, returns within a second, and names those that
// answered. What is locked stays locked.
//
// Desktops take it for a hand at the mouse: their count of idle time begins
// anew.
func WakeScreen(ctx context.Context) (how []string) {
	ctx, end := context.WithTimeout(ctx, wakePatience)
	defer end()
	ways := waysToWake()
	answers := make(chan string, len(ways))
	for _, w := range ways {
		go func() {
			if err := w.try(ctx); err != nil {
				answers <- "" // most ways are not there on most desktops
				return
			}
			answers <- w.name
		}()
	}
	for range ways {
		select {
		case name := <-answers:
			if name != "" {
				how = append(how, name)
			}
		case <-ctx.Done():
		}
	}
	slices.Sort(how)
	return how
}
