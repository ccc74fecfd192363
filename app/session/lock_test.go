package session

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestOneWhoSaysLockedIsEnough(t *testing.T) {
	const silent = Lock("")
	for _, c := range []struct {
		heard []Lock
		want  Lock
	}{
		{nil, LockUnknown},
		{[]Lock{silent, LockUnknown}, silent},
		{[]Lock{Unlocked, silent}, silent},
		{[]Lock{silent, Locked}, Locked},
		{[]Lock{LockUnknown, LockUnknown}, LockUnknown},
		{[]Lock{LockUnknown, Unlocked}, Unlocked},
		{[]Lock{Unlocked, LockUnknown}, Unlocked},
		{[]Lock{Unlocked, Locked, LockUnknown}, Locked},
	} {
		if got := verdict(c.heard); got != c.want {
			t.Errorf("from %q follows %q, want %q", c.heard, got, c.want)
		}
	}
}

func TestOnlyChangesAreToldAndNothingAfterTheEnd(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	var told []Lock
	talkative := func(ctx context.Context, say func(Lock)) {
		for _, says := range []Lock{Unlocked, Unlocked, Locked, Locked, LockUnknown, Unlocked} {
			say(says)
		}
		end()
		say(Locked) // in vain; it must not wait for a listener either
	}
	weigh(ctx, []witness{talkative}, func(l Lock) { told = append(told, l) })
	if want := []Lock{Unlocked, Locked, LockUnknown}; !slices.Equal(told[:min(len(told), 3)], want) || len(told) > 4 {
		t.Errorf("told was %q", told)
	}
}

func TestWithoutAnyWitnessTheLockIsUnknown(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	var told []Lock
	weigh(ctx, nil, func(l Lock) { told = append(told, l) })
	if !slices.Equal(told, []Lock{LockUnknown}) {
		t.Errorf("told was %q", told)
	}
}
