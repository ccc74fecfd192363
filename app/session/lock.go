package session

import (
	"context"
	"slices"
	"sync"
)

// Lock says whether somebody has to unlock the session before its windows can
// be seen.
type Lock string

// What can be known of it. Unlocked means that nobody says it is locked: some
// screen lockers tell no one.
const (
	LockUnknown Lock = "unknown"
	Unlocked    Lock = "unlocked"
	Locked      Lock = "locked"
)

// WatchLock tells whether the session is locked: first when all who may know
// have answered or let two seconds pass, and then whenever it changes. It blocks
// until the context ends; nothing is told after that.
func WatchLock(ctx context.Context, told func(Lock)) {
	weigh(ctx, witnesses(), told)
}

// A witness watches one thing that knows whether the session is locked. It says
// so, as far as that thing tells, until the context ends.
type witness func(ctx context.Context, say func(Lock))

// weigh listens to the witnesses and tells what follows from them all.
func weigh(ctx context.Context, witnesses []witness, told func(Lock)) {
	type statement struct {
		by   int
		says Lock
	}
	statements := make(chan statement)
	var watching sync.WaitGroup
	defer watching.Wait()
	for by, watch := range witnesses {
		watching.Go(func() {
			watch(ctx, func(says Lock) {
				select {
				case statements <- statement{by, says}:
				case <-ctx.Done():
				}
			})
		})
	}
	heard := make([]Lock, len(witnesses))
	var last Lock
	for ctx.Err() == nil {
		if now := verdict(heard); now != "" && now != last {
			last = now
			told(now)
		}
		select {
		case new := <-statements:
			heard[new.by] = new.says
		case <-ctx.Done():
		}
	}
}

// verdict is what follows from what the witnesses said. One who says that it is
// locked is enough; for anything else all must have spoken, or a session would
// be called unlocked because one of them was the quicker to answer.
func verdict(heard []Lock) Lock {
	switch {
	case slices.Contains(heard, Locked):
		return Locked
	case slices.Contains(heard, ""):
		return ""
	case slices.Contains(heard, Unlocked):
		return Unlocked
	default:
		return LockUnknown
	}
}
