package app

import (
	"sync"

	"nightstand/sync/outbox"
)

// results are the last word on the errands of one account, for the commands
// that wait for them.
type results struct {
	mu    sync.Mutex
	last  map[int64]outbox.Result
	order []int64
}

// mostResults is how many are remembered; a command asks within seconds.
const mostResults = 100

func (r *results) put(result outbox.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[int64]outbox.Result{}
	}
	id := result.Waiting.ID
	if _, known := r.last[id]; !known {
		r.order = append(r.order, id)
	}
	r.last[id] = result
	if len(r.order) > mostResults {
		delete(r.last, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *results) of(id int64) (outbox.Result, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result, known := r.last[id]
	return result, known
}
