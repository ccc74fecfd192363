// Package provider owns the words between Nightstand and a paging service:
// what every service must be able to tell, what it may be able to do, and the
// kinds of failure that are treated differently. Each service lives in a room
// of its own beside this one.
package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightstand/app/page"
)

// Provider speaks to one account at one paging service. Every method may be
// called from several goroutines, returns when ctx is done, and returns errors
// of type *Error whose Sentence can be shown to a person.
type Provider interface {
	// Capabilities says what this service can do beyond listing.
	Capabilities() Capabilities
	// Test asks the service who we are and what would ring now.
	Test(ctx context.Context) (Introduction, error)
	// Open reads all open pages. It returns either everything or an error.
	Open(ctx context.Context) (Snapshot, error)
	// Acknowledge answers one firing and returns it as the service describes
	// it afterwards, re-read. It first looks whether the answer is still
	// wanted: a *TakenError when somebody else has it, ErrGone when it ended.
	// Acknowledging what this user already has acknowledged extends the
	// acknowledgement where it can run out.
	Acknowledge(ctx context.Context, p page.Page) (page.Page, error)
	// Unacknowledge takes our own answer back and returns the page re-read.
	Unacknowledge(ctx context.Context, p page.Page) (page.Page, error)
	// Close lets go of connections. No method is called after it.
	Close()
}

// Batcher is a Provider that answers many firings at little more than the cost
// of one. Where a service is none, each is acknowledged by itself.
type Batcher interface {
	// AcknowledgeAll does for each of these pages what Acknowledge does for
	// one, and returns when all are re-read or ctx is done: one answer a page,
	// in the order of the pages. What befalls one page is no other's business.
	// No page may be among them twice.
	AcknowledgeAll(ctx context.Context, pages []page.Page) []Answer
}

// Rememberer is a Provider that tells once, in Open, what became of a page that
// has left its list since the last time.
type Rememberer interface {
	// Remember says what an earlier connection listed last, so that a page
	// that was given away meanwhile is not taken for resolved. It is called
	// before the first Open.
	Remember(pages []page.Page)
}

// Answer is what came of acknowledging one of many pages.
type Answer struct {
	// After is the page re-read; empty when there is an error.
	After page.Page
	// Err is what Acknowledge would have returned.
	Err error
}

// Capabilities are the things that not every service can do. A face shows no
// button for what is false here.
type Capabilities struct {
	Unacknowledge bool
	// AssignsPages is false where pages only match labels or receivers.
	AssignsPages bool
	// AckLasts is how long an acknowledgement holds before it runs out at the
	// service; zero when it does not.
	AckLasts time.Duration
	// Deeds are what else can be done to a page, see Doer.
	Deeds []Deed
	// LongestSnooze is the longest span a page can be snoozed for; zero where
	// there is no bound.
	LongestSnooze time.Duration
	// LeastPause is how far apart two readings must be so that the service's
	// limit leaves enough for everything else; zero where any pace is welcome.
	LeastPause time.Duration
	// Expires is when the credential runs out, UTC; zero when that is not known.
	Expires time.Time
}

// Introduction is what a service says when it is asked for the first time.
type Introduction struct {
	// User is the name acknowledgements will carry.
	User string
	// Service names the software and its version ("Alertmanager 0.25.0").
	Service string
	// Receivers are the names one can choose "mine" from; empty where pages
	// are assigned to users.
	Receivers []string
	// Open is what would be listed now.
	Open []page.Page
	// Notes are sentences the user should read (everything is taken as mine, …).
	Notes []string
	// Lacks are sentences on what this credential may not do although the
	// service could.
	Lacks []string
}

// Snapshot is everything open at one instant.
type Snapshot struct {
	Pages []page.Page
	// ServerTime is the service's own clock at the answer, UTC; zero if unknown.
	ServerTime time.Time
	// Instance changes when the server was restarted and may have forgotten
	// its alerts; empty where services do not forget.
	Instance string
	// Heartbeat tells of the alert that must always fire (Watchdog).
	Heartbeat Heartbeat
}

// Heartbeat is what one snapshot knows of the always-firing alert.
type Heartbeat int

// A snapshot either did not look for the heartbeat, saw it, or missed it.
const (
	HeartbeatNotRead Heartbeat = iota
	HeartbeatSeen
	HeartbeatMissing
)

// Kind sorts failures by what has to happen next.
type Kind string

// The kinds of failure a service can answer with.
const (
	Unreachable Kind = "unreachable"  // no connection, time-out, DNS, half an answer
	Refused     Kind = "refused"      // 401, 403: the credential does not do
	Untrusted   Kind = "untrusted"    // TLS: unknown authority, wrong name, expired
	NotTheAPI   Kind = "not_the_api"  // HTML, a redirect to a login page, 404
	RateLimited Kind = "rate_limited" // 429, or 503 because of too many at once
	Broken      Kind = "broken"       // 5xx, an answer that makes no sense or is too large
	Invalid     Kind = "invalid"      // the service understood and said no
)

// Error is a failure in words for people. Sentence holds no secret and no raw
// page text; Cause is for the log.
type Error struct {
	Kind     Kind
	Sentence string
	// RetryAfter is how long the service asked us to wait; zero if it did not.
	RetryAfter time.Duration
	Cause      error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s (%v)", e.Sentence, e.Cause)
	}
	return e.Sentence
}

func (e *Error) Unwrap() error { return e.Cause }

// Answers to Acknowledge that are facts rather than failures.
var (
	// ErrGone says the page has ended; there is nothing to acknowledge.
	ErrGone = errors.New("the page has ended")
	// ErrUnsupported says the service cannot do this at all.
	ErrUnsupported = errors.New("this paging service cannot do that")
)

// TakenError says that somebody else has answered meanwhile.
type TakenError struct{ By string }

func (e *TakenError) Error() string { return e.By + " has already acknowledged it" }

// Sentence turns any error into one sentence for people.
func Sentence(err error) string {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.Sentence
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the paging service did not answer in time"
	}
	return err.Error()
}

// KindOf returns the kind of a failure; Unreachable for errors of others.
func KindOf(err error) Kind {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.Kind
	}
	return Unreachable
}
