package outbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Waiting is an errand that has not been confirmed yet.
type Waiting struct {
	ID     int64
	Page   page.Page
	Errand provider.Errand
	// Problem is why the last try did not get through; empty before the first.
	Problem string
}

// Shelf keeps errands over the end of the process. What a method has done is
// on the disk when it returns.
type Shelf interface {
	// Keep stores a new errand and returns its number.
	Keep(ctx context.Context, w Waiting) (int64, error)
	// Tried notes that an errand is about to be sent, and may arrive.
	Tried(ctx context.Context, id int64) error
	// Drop forgets an errand.
	Drop(ctx context.Context, id int64) error
	// Waiting lists what was kept, oldest first.
	Waiting(ctx context.Context) ([]Waiting, error)
}

// Errands are the deeds of one account that still have to be told to its
// service: in order for each page, each once as far as the service allows, and
// never in the way of an acknowledgement, which has a lane of its own.
type Errands struct {
	doer   provider.Doer
	turns  *turns
	shelf  Shelf
	now    func() time.Time
	report func(Result)

	mu      sync.Mutex
	waiting []Waiting
	loaded  bool
	more    chan struct{}
}

// Result is what became of an errand.
type Result struct {
	Waiting Waiting
	// After is the page re-read; empty unless it was done.
	After page.Page
	// Err is why it was given up, or why it still waits; nil when it was done.
	Err error
	// Waits says that it is tried again.
	Waits bool
}

// stale is how old an errand may become. What a page needed a quarter of an
// hour ago may be wrong by now; a note stays true.
const stale = 15 * time.Minute

// The pause between tries grows with failures, unless something tells that the
// service can be seen again.
const (
	firstErrandPause   = time.Second
	longestErrandPause = time.Minute
)

// longestAsked is the longest pause that a service can ask for.
const longestAsked = 5 * time.Minute

// ErrStale says that an errand waited so long that it was not sent any more.
var ErrStale = &provider.Error{Kind: provider.Invalid, Sentence: "it waited for more than 15 minutes and was not sent, because by now it may be wrong"}

// Errands makes the errands of the line's account. A nil shelf keeps them in
// memory only. Their Run has to be started for anything to be sent.
func (l *Line) Errands(doer provider.Doer, shelf Shelf, now func() time.Time, report func(Result)) *Errands {
	return &Errands{doer: doer, turns: l.turns, shelf: shelf, now: now, report: report, more: make(chan struct{}, 1)}
}

// Put keeps an errand and sends it soon. The error says that it could not be
// kept; then it is not sent either.
func (e *Errands) Put(ctx context.Context, p page.Page, errand provider.Errand) (int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := Waiting{Page: p, Errand: errand}
	if e.shelf == nil {
		w.ID = int64(len(e.waiting)) + e.now().UnixNano()
	} else {
		id, err := e.shelf.Keep(ctx, w)
		if err != nil {
			return 0, err
		}
		w.ID = id
	}
	e.waiting = append(e.waiting, w)
	e.wake()
	return w.ID, nil
}

// Wake tries again at once what waits, as when the service was seen again.
func (e *Errands) Wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) > 0 {
		e.wake()
	}
}

func (e *Errands) wake() {
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// Waiting lists what has not been confirmed, oldest first.
func (e *Errands) Waiting() []Waiting {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.waiting)
}

// Run sends until ctx ends; what still waits then is on the shelf.
func (e *Errands) Run(ctx context.Context) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstErrandPause, longestErrandPause
	pauses.Reset()
	for ctx.Err() == nil {
		pause := longestErrandPause
		if e.load(ctx) {
			e.heard()
			asked, held := e.round(ctx)
			switch {
			case asked > 0:
				sleep(ctx, min(asked, longestAsked), nil) // the service said so; nothing makes it earlier
				continue
			case held:
				pause = pauses.NextBackOff()
			default:
				pauses.Reset()
			}
		}
		sleep(ctx, pause, e.more)
	}
}

// heard takes back the call for a round that begins now anyway.
func (e *Errands) heard() {
	select {
	case <-e.more:
	default:
	}
}

func sleep(ctx context.Context, length time.Duration, woken <-chan struct{}) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-woken:
	case <-timer.C:
	}
}

// load takes in what an earlier run left, and says whether that worked.
func (e *Errands) load(ctx context.Context) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loaded || e.shelf == nil {
		return true
	}
	kept, err := e.shelf.Waiting(ctx)
	if err != nil {
		return false
	}
	for _, w := range e.waiting { // put before the shelf could be read
		if !slices.ContainsFunc(kept, func(k Waiting) bool { return k.ID == w.ID }) {
			kept = append(kept, w)
		}
	}
	e.waiting, e.loaded = kept, true
	return true
}

// round tries the first errand of each page until nothing more gets through.
// It says whether anything is held up, and how long the service asked to wait.
func (e *Errands) round(ctx context.Context) (asked time.Duration, held bool) {
	stuck := map[string]bool{}
	for ctx.Err() == nil {
		w, any := e.next(stuck)
		if !any {
			break
		}
		if result := e.try(ctx, w); result.Waits {
			stuck[w.Page.Key()], held = true, true
			asked = max(asked, retryAfter(result.Err))
			if unreachable(result.Err) {
				break // the others would only wait for the same dead connection
			}
		}
	}
	return asked, held
}

// next is the oldest errand of a page that nothing holds up.
func (e *Errands) next(stuck map[string]bool) (Waiting, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.waiting {
		if !stuck[w.Page.Key()] {
			return w, true
		}
	}
	return Waiting{}, false
}

// try sends one errand and settles what became of it.
func (e *Errands) try(ctx context.Context, w Waiting) Result {
	result := Result{Waiting: w}
	switch {
	case w.Errand.Deed != provider.Note && e.now().Sub(w.Errand.Asked) > stale:
		result.Err = ErrStale
	case e.shelf != nil && e.shelf.Tried(ctx, w.ID) != nil:
		// Unmarked, it might be done twice after a crash.
		result.Err = &provider.Error{Kind: provider.Broken, Sentence: "the database cannot be written, so it could be sent twice; make room on the disk"}
	default:
		leave := e.turns.take(w.Page.Key())
		limited, cancel := context.WithTimeout(ctx, patience)
		result.After, result.Err = e.doer.Do(limited, w.Page, w.Errand)
		cancel()
		leave()
		w.Errand.Tried = true
	}
	if ctx.Err() != nil && result.Err != nil {
		result.Waits = true // the process ends; the next one goes on
		return result
	}
	result.Waits = result.Err != nil && passing(result.Err)
	if result.Waits {
		w.Problem = provider.Sentence(result.Err)
	}
	result.Waiting = w
	e.settle(ctx, w, result.Waits)
	e.report(result)
	return result
}

// settle notes what became of an errand. One that is done and cannot be taken
// from the shelf is read before it would be repeated.
func (e *Errands) settle(ctx context.Context, w Waiting, waits bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.IndexFunc(e.waiting, func(one Waiting) bool { return one.ID == w.ID })
	if waits {
		e.waiting[at] = w
		return
	}
	e.waiting = slices.Delete(e.waiting, at, at+1)
	if e.shelf != nil {
		_ = e.shelf.Drop(ctx, w.ID)
	}
}

// passing tells trouble that may be over soon from a service that said no.
func passing(err error) bool {
	var taken *provider.TakenError
	if errors.Is(err, provider.ErrGone) || errors.Is(err, provider.ErrUnsupported) || errors.As(err, &taken) {
		return false
	}
	kind := provider.KindOf(err)
	return kind != provider.Invalid && kind != provider.Refused
}

func retryAfter(err error) time.Duration {
	var said *provider.Error
	if errors.As(err, &said) {
		return said.RetryAfter
	}
	return 0
}
