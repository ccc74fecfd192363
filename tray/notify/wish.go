package notify

import "sync"

// wishes are the notes that should be on screen. Callers write them without
// waiting; the notifier's goroutine makes them true.
type wishes struct {
	mu      sync.Mutex
	notes   map[string]Note
	order   []string // keys, the oldest wish first
	changed chan struct{}
}

func newWishes() *wishes {
	return &wishes{notes: map[string]Note{}, changed: make(chan struct{}, 1)}
}

func (w *wishes) show(note Note) {
	note.Actions = append([]Action(nil), note.Actions...)
	w.mu.Lock()
	wished, known := w.notes[note.Key]
	if known && wished.equal(note) {
		w.mu.Unlock()
		return // the state is drawn every second; the screen is not
	}
	if !known {
		w.order = append(w.order, note.Key)
	}
	w.notes[note.Key] = note
	w.mu.Unlock()
	w.wake()
}

func (w *wishes) withdraw(key string) {
	w.mu.Lock()
	delete(w.notes, key)
	kept := w.order[:0]
	for _, other := range w.order {
		if other != key {
			kept = append(kept, other)
		}
	}
	w.order = kept
	w.mu.Unlock()
	w.wake()
}

// wake makes the notifier look; one wake-up stands for many changes.
func (w *wishes) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// all lists what should be on screen, the oldest wish first.
func (w *wishes) all() []Note {
	w.mu.Lock()
	defer w.mu.Unlock()
	notes := make([]Note, 0, len(w.order))
	for _, key := range w.order {
		notes = append(notes, w.notes[key])
	}
	return notes
}
