// Package outbox carries what has to be told upstream: one line an account, in
// the order in which it was asked for, and never behind a poll. It goes one at
// a time, or, where the service can, many acknowledgements in one batch.
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

// patience is how long one request or batch may take, its re-reading included.
// It is shorter than the span in which an acknowledgement has to be confirmed.
const patience = 8 * time.Second

// A batch begins small, because nobody knows yet how far the service is, and
// grows or shrinks with the time the last one took, so that a big one is not
// lost as a whole for want of patience.
const (
	smallestBatch = 2
	firstBatch    = 25
	largestBatch  = 500
	quick         = 2 * time.Second
	slow          = 4 * time.Second
)

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
	batcher provider.Batcher // the same service, nil when it takes one at a time
	reports Reports
	turns   *turns
	most    int // letters in the next batch; Run's alone

	mu      sync.Mutex
	waiting []Letter
	ended   bool
	more    chan struct{}
}

// errEnded is why a letter comes back from a line that has ended.
var errEnded = &provider.Error{Kind: provider.Unreachable, Sentence: "the connection to the paging service was ended before the answer was sent"}

// NewLine makes an empty line. Run has to be started for anything to be sent.
func NewLine(service provider.Provider, reports Reports) *Line {
	batcher, _ := service.(provider.Batcher)
	return &Line{service: service, batcher: batcher, reports: reports, turns: newTurns(), most: firstBatch, more: make(chan struct{}, 1)}
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
			letters := l.take()
			if len(letters) == 0 {
				break
			}
			if err := l.send(ctx, letters); err != nil {
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

// take removes what can be told next in one go: the first letter, and with it
// the acknowledgements right behind it, as far as a batch goes. A second letter
// for a page waits for what comes of the first.
func (l *Line) take() []Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := min(len(l.waiting), 1)
	if count > 0 && l.batcher != nil && !l.waiting[0].TakeBack {
		among := map[string]bool{l.waiting[0].Page.Key(): true}
		for _, next := range l.waiting[1:min(len(l.waiting), l.most)] {
			if next.TakeBack || among[next.Page.Key()] {
				break
			}
			among[next.Page.Key()] = true
			count++
		}
	}
	letters := l.waiting[:count:count]
	l.waiting = l.waiting[count:]
	return letters
}

// send tells what was taken, and returns the error only when the service could
// not be reached.
func (l *Line) send(ctx context.Context, letters []Letter) (lost error) {
	keys := make([]string, len(letters))
	for i, letter := range letters {
		keys[i] = letter.Page.Key()
	}
	defer l.turns.take(keys...)()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, letter := range letters {
		l.reports.Started(letter)
	}
	for i, answer := range l.ask(ctx, letters) {
		letter, err := letters[i], answer.Err
		if err == nil {
			l.reports.Arrived(letter, answer.After)
			continue
		}
		if errors.Is(err, context.Canceled) {
			err = errEnded // in words, whatever the provider made of being interrupted
		}
		l.reports.Failed(letter, err)
		if unreachable(err) {
			lost = err
		}
	}
	return lost
}

// ask returns one answer a letter.
func (l *Line) ask(ctx context.Context, letters []Letter) []provider.Answer {
	first := letters[0]
	switch {
	case first.TakeBack:
		after, err := l.service.Unacknowledge(ctx, first.Page)
		return []provider.Answer{{After: after, Err: err}}
	case len(letters) == 1:
		after, err := l.service.Acknowledge(ctx, first.Page)
		return []provider.Answer{{After: after, Err: err}}
	}
	pages := make([]page.Page, len(letters))
	for i, letter := range letters {
		pages[i] = letter.Page
	}
	began := time.Now()
	answers := l.batcher.AcknowledgeAll(ctx, pages)
	l.learn(len(letters), time.Since(began))
	return answers
}

// learn sizes the next batch by how long the last one took. One that was not
// full says nothing about bigger ones when it was quick.
func (l *Line) learn(count int, took time.Duration) {
	switch {
	case took < quick && count == l.most:
		l.most = min(2*l.most, largestBatch)
	case took > slow:
		l.most = max(count/2, smallestBatch)
	}
}

// unreachable tells a dead connection from a service that said no.
func unreachable(err error) bool {
	var ours *provider.Error
	if errors.As(err, &ours) {
		return ours.Kind == provider.Unreachable
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// returnAll reports everything that waits as failed: a batch behind a dead
// connection must not stay quiet on the strength of requests nobody sends.
func (l *Line) returnAll(err error) {
	l.mu.Lock()
	letters := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for _, letter := range letters {
		l.reports.Failed(letter, err)
	}
}
