package app

import "sync"

// broadcast tells listeners that something changed. A listener that is busy
// is told once for everything it missed.
type broadcast struct {
	mu        sync.Mutex
	listeners map[chan struct{}]bool
}

func (b *broadcast) listen() (changed <-chan struct{}, end func()) {
	mine := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[chan struct{}]bool{}
	}
	b.listeners[mine] = true
	return mine, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, mine)
	}
}

func (b *broadcast) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for listener := range b.listeners {
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}
