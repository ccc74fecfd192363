package provider

import (
	"context"
	"slices"
	"time"

	"nightstand/app/page"
)

// Deed is something that a person does to a page beside acknowledging it.
type Deed string

// The deeds. Which of them a service can do is in its Capabilities.
const (
	Resolve  Deed = "resolve"
	Snooze   Deed = "snooze"
	Escalate Deed = "escalate"
	Reassign Deed = "reassign"
	Note     Deed = "note"
)

// Deeds lists all of them.
func Deeds() []Deed { return []Deed{Resolve, Snooze, Escalate, Reassign, Note} }

// Errand is a deed with what it needs. It waits on the disk until it is done.
type Errand struct {
	Deed Deed `json:"deed"`
	// Until is when a snooze ends, UTC by the service's clock.
	Until time.Time `json:"until,omitzero"`
	// To is who gets a reassigned page, and, where the service can only page
	// more people, whom an escalation pages. Its ID is the service's.
	To page.Person `json:"to,omitzero"`
	// Text is the note, or how the page was resolved.
	Text string `json:"text,omitempty"`
	// Asked is when the person asked for it, UTC.
	Asked time.Time `json:"asked"`
	// Tried says that an earlier try may have arrived although no answer came.
	// Then the service is read first, and what is there already is not repeated.
	Tried bool `json:"tried,omitempty"`
}

// Doer is a Provider that can do more with a page than acknowledge it.
type Doer interface {
	// Do runs an errand and returns the page as the service describes it
	// afterwards, re-read. Resolving what has ended is done already and no
	// error; snoozing, escalating or reassigning it is ErrGone; it never comes to
	// life again by any of them. A note can be added to a page that has ended.
	// Snoozing acknowledges first where the service wants that; what somebody
	// else has is a *TakenError. A deed that is not among the capabilities is
	// an *Error that is ErrUnsupported and says what to do instead.
	Do(ctx context.Context, p page.Page, errand Errand) (page.Page, error)
}

// Can says that the service does this deed with this credential.
func (c Capabilities) Can(deed Deed) bool { return slices.Contains(c.Deeds, deed) }
