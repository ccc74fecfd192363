package provider

import (
	"context"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
)

// Describer is a Provider that tells more of one page than stands in the list.
type Describer interface {
	Describe(ctx context.Context, p page.Page) (Detail, error)
}

// Detail is everything a service tells of one page. All text is as it came but
// for control characters and marks that turn the direction of writing; all
// times are UTC. What a service does not have is empty.
type Detail struct {
	// Page is the page re-read.
	Page   page.Page
	Body   string
	Alerts []Alert
	// Log is what happened to the page there, oldest first.
	Log []Event
	// Notes are oldest first.
	Notes []Remark
	// Changes are what was changed lately on what the page is about, newest first.
	Changes []Change
	// Missing says in sentences what could not be read beside the page itself.
	Missing []string
}

// Alert is one of the things that a page was made of.
type Alert struct {
	Title    string
	Severity string // in the service's own word
	Status   string // in the service's own word
	At       time.Time
	Details  string
	Links    []page.Link
}

// Event is a line of a page's log.
type Event struct {
	At   time.Time
	Who  string
	Text string
}

// Remark is a note that the service keeps.
type Remark struct {
	ID   string
	At   time.Time
	By   string
	ByMe bool
	Text string
}

// Change is something that was deployed or altered.
type Change struct {
	At      time.Time
	Summary string
	Source  string
	Links   []page.Link
}

// Roster is a Provider that knows who is on call.
type Roster interface {
	// OnCall returns the shifts that touch this span, of everybody whose
	// schedules the user may see, in the order of their start; each once.
	OnCall(ctx context.Context, from, to time.Time) ([]roster.Shift, error)
	// People returns whom a page can be given to, and the user with the ways
	// to be reached.
	People(ctx context.Context) ([]page.Person, error)
}
