// Package grafanatest is a Grafana OnCall that lives in the test's own process.
// It keeps state and speaks the public HTTP API (v1) as its documentation and
// source describe it; it was never compared with a running one.
package grafanatest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is there from the start.
const (
	// Key is Ana's own API key, and Token that of a service account.
	Key   = "c0ffee5ec2e7a11ce0ddba11ca5cade5"
	Token = "glsa_VerySecretServiceAccountToken"

	Ana  = "UANA0000000001"
	Bela = "UBELA000000002"

	Databases = "TDATABASES0001" // Ana's team
	Networks  = "TNETWORKS00002" // Bela's team

	Orders  = "CORDERS000001" // an integration
	ToAna   = "RTOANA0000001" // a route whose chain pages Ana's schedule, then Bela
	ToBela  = "RTOBELA000002" // a route whose chain pages Bela alone
	ToChat  = "RTOCHAT000003" // a route whose chain calls no person
	Primary = "SPRIMARY00001" // a schedule
)

// Options say how the service behaves.
type Options struct {
	// Now is its clock; nil is the machine's.
	Now func() time.Time
	// AtOnce is how many entries one answer holds at most; zero means 100.
	AtOnce int
	// Allowance is how many requests a key may make in five minutes; zero means
	// any number.
	Allowance int
}

// Group is an alert group. Its times are UTC; zero is null on the wire.
type Group struct {
	ID, Title, State         string
	Number                   int
	Team, Integration, Route string
	AttachedTo               string
	CreatedAt                time.Time
	AcknowledgedAt           time.Time
	AcknowledgedBy           string
	ResolvedAt               time.Time
	ResolvedBy               string
	SilencedAt               time.Time
	SilencedUntil            time.Time // told to nobody; zero is for ever
	Labels                   map[string]string
	Payloads                 []map[string]any // one an alert, oldest first
	paged                    map[string]bool
}

// User is somebody at the service.
type User struct {
	ID, Name, Email, Role, Zone string
	Teams                       []string
	PhoneVerified               bool
}

// Schedule is a rotation with its shifts.
type Schedule struct {
	ID, Name, Team string
	Shifts         []Shift
}

// Shift is a span of one person, UTC.
type Shift struct {
	User       string
	Start, End time.Time
}

// Step is one step of an escalation chain; its fields stand as on the wire.
type Step map[string]any

type note struct {
	id, group, author, text string
	at                      time.Time
}

// Service is the whole of it. All methods may be called from several goroutines.
type Service struct {
	options Options
	mux     *http.ServeMux

	mutex     sync.Mutex
	groups    []*Group // in the order in which they fired
	users     []*User
	teams     map[string]string
	schedules []*Schedule
	routes    map[string]string // route → chain
	steps     map[string][]Step // chain → steps
	notes     []note
	applied   map[string][]string
	heard     []string
	window    time.Time
	asked     int
	counted   int
}

// New makes a service in which Ana is on call and there are no alert groups.
func New(options Options) *Service {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.AtOnce == 0 {
		options.AtOnce = 100
	}
	s := &Service{options: options, applied: map[string][]string{}}
	s.users = []*User{
		{ID: Ana, Name: "ana", Email: "ana@example.org", Role: "editor", Zone: "Europe/Lisbon", Teams: []string{Databases}, PhoneVerified: true},
		{ID: Bela, Name: "bela", Email: "bela@example.org", Role: "editor", Zone: "Europe/Budapest", Teams: []string{Networks}},
	}
	s.teams = map[string]string{Databases: "Databases", Networks: "Networks"}
	midnight := options.Now().UTC().Truncate(24 * time.Hour)
	s.schedules = []*Schedule{{ID: Primary, Name: "Databases primary", Team: Databases}}
	for d := -10; d < 20; d++ {
		who := Ana
		if d != 0 && (d+10)%2 == 1 {
			who = Bela
		}
		from := midnight.Add(time.Duration(d) * 24 * time.Hour)
		s.schedules[0].Shifts = append(s.schedules[0].Shifts, Shift{who, from, from.Add(24 * time.Hour)})
	}
	s.routes = map[string]string{ToAna: "FANA", ToBela: "FBELA", ToChat: "FCHAT"}
	s.steps = map[string][]Step{
		"FANA":  {{"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": Primary}, {"type": "wait", "duration": 300}, {"type": "notify_persons", "persons_to_notify": []string{Bela}}},
		"FBELA": {{"type": "notify_persons", "persons_to_notify": []string{Bela}}},
		"FCHAT": {{"type": "notify_whole_channel"}},
	}
	s.mux = s.paths()
	return s
}

// Fire opens a group as it is described and returns its identity. What it does
// not say is filled in: it is new, and of Ana's team.
func (s *Service) Fire(g Group) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counted++
	if g.ID == "" {
		g.ID = fmt.Sprintf("I%012d", s.counted)
	}
	if g.State == "" {
		g.State = "firing"
	}
	if g.Integration == "" {
		g.Integration = Orders
	}
	if g.CreatedAt.IsZero() {
		g.CreatedAt = s.now()
	}
	if g.Number == 0 {
		g.Number = s.counted
	}
	if g.Payloads == nil {
		g.Payloads = []map[string]any{{"message": "Only 1 % is free.", "severity": "critical"}}
	}
	g.paged = map[string]bool{}
	s.groups = append(s.groups, &g)
	return g.ID
}

// Page opens a group of Ana's team.
func (s *Service) Page(title string) string {
	return s.Fire(Group{Title: title, Team: Databases, Route: ToAna})
}

// Acknowledge is somebody answering in Grafana itself.
func (s *Service) Acknowledge(id, somebody string) {
	s.change(id, func(g *Group) { g.acknowledge(s.somebody(somebody), s.now()) })
}

// Resolve is the alert's source telling that it is over.
func (s *Service) Resolve(id string) {
	s.change(id, func(g *Group) { g.State, g.ResolvedAt, g.SilencedAt = "resolved", s.now(), time.Time{} })
}

// RunOut is the reminder that nobody answered.
func (s *Service) RunOut(id string) { s.change(id, (*Group).unacknowledge) }

// Reopen is somebody pressing “unresolve”.
func (s *Service) Reopen(id string) {
	s.change(id, func(g *Group) {
		g.unacknowledge()
		g.ResolvedAt, g.ResolvedBy = time.Time{}, ""
	})
}

// Silence is somebody else silencing; a zero time is for ever.
func (s *Service) Silence(id string, until time.Time) {
	s.change(id, func(g *Group) { g.silence(s.now(), until) })
}

// GiveAway cannot happen: the service gives groups to nobody.
func (s *Service) GiveAway(string, string) {}

// Delete makes a group vanish without a trace.
func (s *Service) Delete(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.groups = slices.DeleteFunc(s.groups, func(g *Group) bool { return g.ID == id })
}

// Applied is what was done to a group over HTTP. Paging somebody who is being
// paged already adds nobody, and no entry.
func (s *Service) Applied(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.applied[id])
}

// Paged are those who were paged in addition.
func (s *Service) Paged(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if g := s.group(id); g != nil {
		return slices.Sorted(maps.Keys(g.paged))
	}
	return nil
}

// Notes are the texts that were left at a group.
func (s *Service) Notes(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var texts []string
	for _, one := range s.notes {
		if one.group == id {
			texts = append(texts, one.text)
		}
	}
	return texts
}

// Heard are the requests so far, as method and address.
func (s *Service) Heard() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.heard)
}

// Arrange changes people, schedules and escalation before anybody asks.
func (s *Service) Arrange(change func(*Arrangement)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	change(&Arrangement{Users: &s.users, Teams: s.teams, Schedules: &s.schedules, Routes: s.routes, Steps: s.steps})
}

// Arrangement is all of the set-up, to be changed in place.
type Arrangement struct {
	Users     *[]*User
	Teams     map[string]string // identity → name
	Schedules *[]*Schedule
	Routes    map[string]string // route → chain
	Steps     map[string][]Step // chain → steps
}

func (s *Service) now() time.Time { return s.options.Now().UTC() }

func (s *Service) change(id string, how func(*Group)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if g := s.group(id); g != nil {
		how(g)
	}
}

func (s *Service) group(id string) *Group {
	for _, one := range s.groups {
		if one.ID == id {
			return one
		}
	}
	return nil
}

// somebody finds a person by name, or makes one.
func (s *Service) somebody(name string) string {
	for _, one := range s.users {
		if strings.EqualFold(one.Name, name) || one.ID == name {
			return one.ID
		}
	}
	s.users = append(s.users, &User{ID: fmt.Sprintf("U%012d", len(s.users)+1), Name: name, Role: "editor"})
	return s.users[len(s.users)-1].ID
}

// awake ends the silences whose time has come.
func (s *Service) awake() {
	for _, g := range s.groups {
		if g.State == "silenced" && !g.SilencedUntil.IsZero() && !s.now().Before(g.SilencedUntil) {
			g.State, g.SilencedAt, g.SilencedUntil = "firing", time.Time{}, time.Time{}
		}
	}
}

func (g *Group) acknowledge(who string, at time.Time) {
	g.State, g.AcknowledgedBy, g.AcknowledgedAt = "acknowledged", who, at
	g.SilencedAt, g.SilencedUntil = time.Time{}, time.Time{}
}

func (g *Group) unacknowledge() {
	g.State, g.AcknowledgedBy, g.AcknowledgedAt = "firing", "", time.Time{}
}

func (g *Group) silence(at, until time.Time) {
	g.State, g.SilencedAt, g.SilencedUntil = "silenced", at, until
}
