// Package jsmtest is a Jira Service Management Operations, or an Opsgenie, that
// a test holds in its hands. It keeps state, takes changes in and carries them
// out a moment later, and was written from the services' specifications; no
// real one has ever been compared with it.
package jsmtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"nightstand/sync/jsm"
	"nightstand/sync/provider"
)

// What the service accepts: the user's address, and the token or key. Cloud is
// the id of its one site.
const (
	User   = "ana@example.org"
	Secret = "s3cret-jsm-token-0123456789"
	Cloud  = "11111111-2222-4333-8444-555555555555"
)

// Person is somebody whom the service knows.
type Person struct {
	ID, Name, Email string
}

// The two people who are always there. Ana is the user.
var (
	Ana  = Person{"5b10ac8d82e05b22cc7d4ef5", "Ana Lima", User}
	Bela = Person{"5b10ac8d82e05b22cc7d4ef6", "Béla Kovács", "bela@example.org"}
)

// The escalation policy and the team that new pages are also for.
const (
	Policy = "e1111111-0000-4000-8000-000000000001"
	Team   = "70000000-0000-4000-8000-000000000001"
)

// Options say how the service behaves.
type Options struct {
	Dialect jsm.Dialect
	// Moment is how long a change takes after it was taken in.
	Moment time.Duration
	// Now is the service's clock; nil is the machine's.
	Now func() time.Time
}

// Service is the service. Its zero value is not ready; see New.
type Service struct {
	options Options
	mux     *http.ServeMux

	mutex    sync.Mutex
	people   []Person
	alerts   []*Alert
	pending  []*change
	outcomes map[string]outcome
	refusals map[string]string
	teams    []string
}

// Alert is one alert. A test may alter it in Alter only.
type Alert struct {
	ID, Tiny, Message, Description, Priority string
	Properties                               map[string]any
	Responders                               []Responder
	Closed, Acknowledged                     bool
	Owner, AcknowledgedBy                    string // people's ids
	Created, AckedAt, SnoozedUntil           time.Time

	applied []string
	notes   []entry
	log     []entry
}

// Responder is whom an alert pages.
type Responder struct{ ID, Type string }

// entry is a note or a line of the log.
type entry struct {
	at         time.Time
	text, user string
}

// change is one that was taken in and is not carried out yet.
type change struct {
	request string
	due     time.Time
	apply   func() outcome
}

type outcome struct {
	success bool
	status  string
	alert   string
}

// New makes a service without alerts.
func New(options Options) *Service {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Dialect == "" {
		options.Dialect = jsm.JSM
	}
	s := &Service{options: options, people: []Person{Ana, Bela}, outcomes: map[string]outcome{}, refusals: map[string]string{}, teams: []string{Team}}
	s.mux = s.routes()
	return s
}

// ServeHTTP answers one request. What is due is carried out first.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.settle()
	if !s.accepted(r) {
		s.refuse(w, http.StatusUnauthorized, "Could not authenticate")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// settle carries out the changes whose moment has come.
func (s *Service) settle() {
	now := time.Now()
	s.pending = slices.DeleteFunc(s.pending, func(c *change) bool {
		if now.Before(c.due) {
			return false
		}
		s.outcomes[c.request] = c.apply()
		return true
	})
}

func (s *Service) now() time.Time { return s.options.Now().UTC() }

// Page opens an alert for the user.
func (s *Service) Page(title string) string {
	return s.Open(Alert{Message: title, Priority: "P2"})
}

// Open opens an alert; one without responders is for the user and goes on by
// the policy.
func (s *Service) Open(a Alert) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	number := len(s.alerts) + 1
	a.ID = fmt.Sprintf("70413a06-38d6-4c85-92b8-%012d-1790000000000", number)
	a.Tiny = fmt.Sprint(number)
	if a.Created.IsZero() {
		a.Created = s.now()
	}
	if a.Responders == nil {
		a.Responders = []Responder{{Ana.ID, "user"}, {Policy, "escalation"}}
	}
	a.log = append(a.log, entry{s.now(), "Alert created", ""})
	s.alerts = append(s.alerts, &a)
	return a.ID
}

// Alter changes an alert behind the user's back.
func (s *Service) Alter(id string, change func(*Alert)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.settle()
	change(s.alert(id))
}

// Acknowledge is somebody else acknowledging it.
func (s *Service) Acknowledge(id, somebody string) {
	s.Alter(id, func(a *Alert) { s.acknowledge(a, s.person(somebody)) })
}

// Resolve is somebody else closing it.
func (s *Service) Resolve(id string) {
	s.Alter(id, func(a *Alert) { a.Closed = true })
}

// RunOut is somebody taking the acknowledgement away; none runs out by itself.
func (s *Service) RunOut(id string) {
	s.Alter(id, func(a *Alert) { a.Acknowledged = false })
}

// Reopen opens it again under the same identity.
func (s *Service) Reopen(id string) {
	s.Alter(id, func(a *Alert) { a.Closed, a.Acknowledged, a.Owner = false, false, "" })
}

// GiveAway makes somebody else its owner.
func (s *Service) GiveAway(id, somebody string) {
	s.Alter(id, func(a *Alert) { a.Acknowledged, a.Owner = false, s.person(somebody).ID })
}

// Note is somebody writing a note.
func (s *Service) Note(id, somebody, text string) {
	s.Alter(id, func(a *Alert) { a.notes = append(a.notes, entry{s.now(), text, s.person(somebody).ID}) })
}

// Applied is what was asked of an alert over HTTP and not ignored, in order.
func (s *Service) Applied(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.alert(id).applied)
}

// Refuse lets the next change of this sort be taken in and come to nothing.
func (s *Service) Refuse(deed, reason string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refusals[deed] = reason
}

// LeaveTeams takes the user out of all teams.
func (s *Service) LeaveTeams() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.teams = nil
}

// Notes are the texts of an alert's notes.
func (s *Service) Notes(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.settle()
	var texts []string
	for _, one := range s.alert(id).notes {
		texts = append(texts, one.text)
	}
	return texts
}

func (s *Service) alert(id string) *Alert {
	at := slices.IndexFunc(s.alerts, func(a *Alert) bool { return a.ID == id })
	if at < 0 {
		return nil
	}
	return s.alerts[at]
}

// person finds somebody by any name, or makes them up.
func (s *Service) person(name string) Person {
	for _, one := range s.people {
		if one.ID == name || one.Email == name || one.Name == name || strings.HasPrefix(one.Email, strings.ToLower(name)+"@") {
			return one
		}
	}
	made := Person{fmt.Sprintf("5b10ac8d82e05b22cc7d%04d", len(s.people)), name, strings.ToLower(name) + "@example.org"}
	s.people = append(s.people, made)
	return made
}

// The changes themselves. Whoever answers first owns it, if nobody does.

func (s *Service) acknowledge(a *Alert, by Person) {
	if a.Closed || a.Acknowledged {
		return
	}
	a.Acknowledged, a.AcknowledgedBy, a.AckedAt = true, by.ID, s.now()
	if a.Owner == "" {
		a.Owner = by.ID
	}
}

// take takes a change in, unless it changes nothing, and returns the id of
// the request.
func (s *Service) take(a *Alert, by Person, deed, log string, changes func() bool, apply func()) string {
	request := fmt.Sprintf("9f3b2c1e-0000-4000-8000-%012d", len(s.outcomes)+len(s.pending)+1)
	reason := s.refusals[deed]
	delete(s.refusals, deed)
	ended := a.Closed && deed != string(provider.Note) && deed != string(provider.Resolve)
	if reason == "" && !ended && changes() {
		a.applied = append(a.applied, deed)
	}
	s.pending = append(s.pending, &change{request, time.Now().Add(s.options.Moment), func() outcome {
		switch {
		case reason != "":
			return outcome{false, reason, a.ID}
		case ended:
			return outcome{false, "Alert is already closed", a.ID}
		}
		apply()
		a.log = append(a.log, entry{s.now(), log, by.ID})
		return outcome{true, log, a.ID}
	}})
	return request
}
