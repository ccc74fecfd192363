// Package roster owns the words of who is on call, when, and in which place.
package roster

import (
	"time"

	"nightstand/app/page"
)

// Level is the place of a shift: who is called first.
type Level int

// The first places; further ones count on. LevelNotKnown is for services that
// do not tell.
const (
	LevelNotKnown Level = 0
	Primary       Level = 1
	Secondary     Level = 2
)

// Shift is a span in which one person is on call in one place.
type Shift struct {
	Person   page.Person
	Schedule string // the name of the schedule; empty where a person is named directly
	Level    Level
	// Start and End are UTC; a zero time means that the service names no bound.
	Start, End time.Time
	// Override says that the person stands in for somebody else.
	Override bool
}

// Covers says that the shift runs at this instant; its end is the next shift's.
func (s Shift) Covers(at time.Time) bool {
	return !at.Before(s.Start) && (s.End.IsZero() || at.Before(s.End))
}
