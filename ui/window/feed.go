package window

import (
	"context"
	"errors"
	"sync"
	"time"

	"nightstand/app/control"
)

// again is the pause before an agent that does not answer is looked for again.
const again = 300 * time.Millisecond

// news is what the feed knows: the newest state, or why there is none.
type news struct {
	state   control.State
	problem string
}

// follow keeps the newest of the agent's states and tells that there is
// something new, until ctx ends. It finds the agent again when that has been
// started anew. A reader that is slow misses states in between, never the last
// one. The first state is asked for at once; but the agent takes a follower for a
// window that can be seen, so it is followed only once the window is shown.
func follow(ctx context.Context, dial func() (*control.Client, error), face string, shown <-chan struct{}, tell func(*mailbox)) {
	box := &mailbox{}
	if client, err := dial(); err == nil {
		if state, err := client.State(ctx); err == nil && box.put(news{state: state}) {
			tell(box)
		}
	}
	select {
	case <-shown:
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		err := func() error {
			client, err := dial()
			if err != nil {
				return err
			}
			return client.FollowAs(ctx, face, func(s control.State) {
				if box.put(news{state: s}) {
					tell(box)
				}
			})
		}()
		if ctx.Err() != nil {
			return
		}
		if box.put(news{problem: problemWords(err)}) {
			tell(box)
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
}

// problemWords are what a person reads while the agent cannot be seen.
func problemWords(err error) string {
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return "The Nightstand agent is not running, so no page can ring on this machine. Start it with “nightstand”; this window finds it by itself."
	case err == nil:
		return "The agent went away. This window looks for it again by itself."
	}
	return err.Error()
}

// mailbox holds the newest news for the one reader.
type mailbox struct {
	mu      sync.Mutex
	newest  news
	waiting bool
}

// put says whether the reader has to be told: it has taken what was there.
func (m *mailbox) put(n news) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.newest = n
	told := m.waiting
	m.waiting = true
	return !told
}

// take returns the newest.
func (m *mailbox) take() news {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = false
	return m.newest
}
