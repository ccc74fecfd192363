// Package outbox carries what has to be told upstream: one line an account, in
// the order in which it was asked for, one at a time, and never behind a poll.
// Whether something is still worth telling is decided elsewhere, before it is
// put here; what did not arrive is reported, not repeated.
package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// patience is how long one request may take, its re-reading included. It is
// shorter than the span in which an acknowledgement has to be confirmed.
const patience = 8 * time.Second

// Letter is one thing to tell: that a page is acknowledged, or that it is not
// any more.
type Letter struct {
	Page page.Page
	// Number tells apart the tries for one page.
	Number int
	// TakeBack asks to undo our acknowledgement.
	TakeBack bool
}

// Reports hears what becomes of letters. Its methods must not block for long.
type Reports interface {
	// Started says that the request is on its way.
	Started(Letter)
	// Arrived hands over the page as re-read after the request.
	Arrived(Letter, page.Page)
	// Failed says why a letter did not arrive, or is not wanted any more.
	Failed(Letter, error)
}

// Line is the outbox of one account.
type Line struct {
	service provider.Provider
	reports Reports

	mu      sync.Mutex
	waiting []Letter
	ended   bool
	more    chan struct{}
}

// errEnded is why a letter comes back from a line that has ended.
var errEnded = &provider.Error{Kind: provider.Unreachable, Sentence: "the connection to the paging service was ended before the answer was sent"}

// NewLine makes an empty line. Run has to be started for anything to be sent.
func NewLine(service provider.Provider, reports Reports) *Line {
	return &Line{service: service, reports: reports, more: make(chan struct{}, 1)}
}

// Put adds a letter at the end and says whether the line still takes any; it
// never blocks.
func (l *Line) Put(letter Letter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.waiting = append(l.waiting, letter)
	select {
	case l.more <- struct{}{}:
	default:
	}
	return true
}

// Run sends until ctx ends. What still waits then is reported as failed.
func (l *Line) Run(ctx context.Context) {
	defer l.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.more:
		}
		for ctx.Err() == nil {
			letter, some := l.take()
			if !some {
				break
			}
			if err := l.send(ctx, letter); provider.KindOf(err) == provider.Unreachable && err != nil {
				l.returnAll(err)
			}
		}
	}
}

func (l *Line) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.returnAll(errEnded)
}

func (l *Line) take() (Letter, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return Letter{}, false
	}
	letter := l.waiting[0]
	l.waiting = l.waiting[1:]
	return letter, true
}

// send returns the error only when the service could not be reached.
func (l *Line) send(ctx context.Context, letter Letter) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l.reports.Started(letter)
	ask := l.service.Acknowledge
	if letter.TakeBack {
		ask = l.service.Unacknowledge
	}
	after, err := ask(ctx, letter.Page)
	if err == nil {
		l.reports.Arrived(letter, after)
		return nil
	}
	if errors.Is(err, context.Canceled) {
		err = errEnded // in words, whatever the provider made of being interrupted
	}
	l.reports.Failed(letter, err)
	var ours *provider.Error
	if errors.As(err, &ours) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// returnAll reports everything that waits as failed: a batch behind a dead
// connection must not stay quiet on the strength of requests nobody sends.
func (l *Line) returnAll(err error) {
	for letter, some := l.take(); some; letter, some = l.take() {
		l.reports.Failed(letter, err)
	}
}
