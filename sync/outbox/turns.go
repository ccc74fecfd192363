package outbox

import (
	"slices"
	"sync"
)

// turns let only one request at a time change a page. An acknowledgement looks
// whether it is still wanted before it is made; a page that were resolved in
// between would come to life again by it.
type turns struct {
	mu    sync.Mutex
	taken map[string]bool
	freed *sync.Cond
}

func newTurns() *turns {
	t := &turns{taken: map[string]bool{}}
	t.freed = sync.NewCond(&t.mu)
	return t
}

// take waits until nobody else is at any of these pages, and returns what
// leaves them.
func (t *turns) take(keys ...string) (leave func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for slices.ContainsFunc(keys, func(key string) bool { return t.taken[key] }) {
		t.freed.Wait()
	}
	for _, key := range keys {
		t.taken[key] = true
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, key := range keys {
			delete(t.taken, key)
		}
		t.freed.Broadcast()
	}
}
