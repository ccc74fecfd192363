package drilltest

import (
	"sync"
	"testing"
	"time"

	"nightstand/sync/drill"
	"nightstand/sync/provider"
)

// AckLasts is how long an acknowledgement holds at a Service.
const AckLasts = 30 * time.Minute

// Service is a drill as a paging service that a test holds in its hands: its
// primary is the user, and its secondary is everybody else.
type Service struct {
	*drill.Service
	t testing.TB

	mutex sync.Mutex
	ahead time.Duration
}

// New prepares a service without pages. Its clock is this machine's, until a
// page's acknowledgement is made to run out. Nothing is handed on by itself,
// and everything may be asked as often as a test likes.
func New(t testing.TB, options drill.Options) *Service {
	t.Helper()
	s := &Service{t: t}
	options.EscalateAfter, options.AckLasts, options.RequestsPerMinute, options.Now = -1, AckLasts, 1<<30, s.now
	made, err := drill.New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Service = made
	return s
}

func (s *Service) now() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Now().Add(s.ahead)
}

func (s *Service) user() drill.Person      { return s.Roster()[0] }
func (s *Service) colleague() drill.Person { return s.Roster()[1] }

// Page opens a page for the primary.
func (s *Service) Page(title string) string {
	return s.Trigger(drill.Trigger{Title: title, Service: "Orders", Details: map[string]string{"host": "db-2"}})
}

// Acknowledge is the secondary answering.
func (s *Service) Acknowledge(id, _ string) { s.must(s.Service.Acknowledge(id, s.colleague().ID)) }

// Resolve is the page resolving itself.
func (s *Service) Resolve(id string) { s.must(s.Service.Resolve(id, "")) }

// RunOut lets as much time pass as an acknowledgement lasts.
func (s *Service) RunOut(string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ahead += AckLasts + time.Second
}

// Reopen makes a resolved page call again.
func (s *Service) Reopen(id string) { s.must(s.Service.Reopen(id, "")) }

// GiveAway makes the page the secondary's.
func (s *Service) GiveAway(id, _ string) { s.must(s.Reassign(id, s.colleague().ID)) }

// words are what the log calls each thing that the user can do.
var words = map[string]string{
	"acknowledge": "acknowledge", "resolve": string(provider.Resolve), "snooze": string(provider.Snooze),
	"escalate": string(provider.Escalate), "assign": string(provider.Reassign), "annotate": string(provider.Note),
}

// Applied is what the primary did to a page, by the service's log.
func (s *Service) Applied(id string) []string {
	var did []string
	for _, entry := range s.Log() {
		if word := words[entry.Kind]; word != "" && entry.IncidentID == id && entry.By == s.user().Name {
			did = append(did, word)
		}
	}
	return did
}

func (s *Service) must(err error) {
	if err != nil {
		s.t.Error(err)
	}
}
