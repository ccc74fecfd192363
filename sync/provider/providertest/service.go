// Package providertest is the suite that every provider has to pass. A room
// that speaks to a paging service brings the service (a real one, or a fake
// that keeps state and was written from its specification) and runs the suite
// over it.
package providertest

import (
	"net/http"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Service is a paging service that a test holds in its hands: what it answers
// over HTTP, and what other people do at it. Methods whose event never happens
// at this service, see Subject.Never, are not called.
type Service interface {
	http.Handler
	// Page opens a page for the user and returns its identity at the service
	// as it stands in page.Page.UpstreamID.
	Page(title string) string
	// Acknowledge is somebody else answering.
	Acknowledge(id, somebody string)
	// Resolve is somebody else resolving it, or it resolving itself.
	Resolve(id string)
	// RunOut takes every acknowledgement away, as a time-out of the service's does.
	RunOut(id string)
	// Reopen brings a resolved page back under the same identity.
	Reopen(id string)
	// GiveAway makes the page another person's.
	GiveAway(id, somebody string)
	// Applied is what was done to a page over HTTP, in order, one word each:
	// "acknowledge", "unacknowledge", or a provider.Deed. Asking twice for what
	// the service ignores the second time is one entry.
	Applied(id string) []string
}

// Restarter is a Service that loses its pages when it is restarted.
type Restarter interface {
	Restart()
}

// Event is something that happens at a service without us.
type Event string

// The events.
const (
	AcknowledgedByAnother Event = "acknowledged by another"
	ResolvedThere         Event = "resolved"
	AckRunsOut            Event = "acknowledgement runs out"
	ReopenedThere         Event = "reopened"
	GivenAway             Event = "given away"
	ManyPages             Event = "more pages than one answer holds"
)

// Answer is what a service says instead of what was asked for.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Kind is what it must be understood as.
	Kind provider.Kind
	// RetryAfter is how long it asks us to wait, if it does.
	RetryAfter time.Duration
}

// Subject is a provider with a service behind it.
type Subject struct {
	// Start gives a service without pages.
	Start func(t testing.TB) Service
	// Connect makes the provider for the service at this address. The account
	// is called "prod". The suite closes it.
	Connect func(t testing.TB, address string) provider.Provider
	// Secret is the part of the credential that would be found in a request;
	// it may be seen by the service and by nobody else.
	Secret string
	// AtOnce is how many pages one answer of the service holds at most.
	AtOnce int
	// Errors are the shapes in which this service says no, 401, 403 and 429
	// among them.
	Errors []Answer
	// Colleague is whom a page can be given to, and whom an escalation pages
	// where the service wants a name. Empty takes somebody from the roster.
	Colleague page.Person
	// Never are the events that cannot happen at this service, each with the
	// reason.
	Never map[Event]string
	// Forgets says that the service loses its pages when it is restarted; then
	// an empty list may follow on a full one without anything being resolved.
	// Its Service is a Restarter.
	Forgets bool
}
