// Package goalerttest is a GoAlert that a test holds in its hands: it keeps its
// alerts and their logs, lets people log in, takes API keys, and answers
// GraphQL in the shapes in which GoAlert (after 0.34.1) was met. Requests are
// checked against GoAlert's own schema where that is at hand.
package goalerttest

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"nightstand/sync/provider/providertest"
)

// Who is there from the start. Anna is the user.
const (
	User     = "anna"
	Password = "correct horse battery staple"
	Anna     = "Anna Berger"
	Ben      = "Ben Öztürk"
	Chloe    = "Chloé Martin"
	// Checkout is the service of which Page opens alerts: Anna is on call at its
	// first step, Ben at the second, Anna and Chloé at the third.
	Checkout = "Checkout API"
)

// Options describe a GoAlert; the zero value is a usual one.
type Options struct {
	// PublicURL is what GoAlert calls its own address; empty takes the one that
	// it is reached by.
	PublicURL string
	// Now is its clock; nil is the machine's.
	Now func() time.Time
}

// Setup is a service at GoAlert, with its escalation policy.
type Setup struct {
	Name string
	// OnCall names who is on call at each step.
	OnCall [][]string
	// Delays are the minutes after which each step hands on to the next.
	Delays []int
	Repeat int
	Labels map[string]string
	// Maintained is when its maintenance ends; zero when there is none.
	Maintained time.Time
}

// Alert is something that happens to a service.
type Alert struct {
	Summary, Details string
	// Service is the name of one that was set up; empty is Checkout.
	Service string
	Meta    map[string]string
	Noise   string
	// Paged names those to whom GoAlert has sent it.
	Paged []string
	// Step is where its escalation stands; Fresh says that the engine has not
	// looked at it yet.
	Step    int
	Repeats int
	Fresh   bool
}

// Shift is somebody's time on a schedule.
type Shift struct {
	Who        string
	Start, End time.Time
}

// Server is a GoAlert without a database. It may be used from several
// goroutines; it answers one request after the other, as GoAlert does to one
// session.
type Server struct {
	options Options
	schema  *ast.Schema

	mutex     sync.Mutex
	people    []string
	services  []*Setup
	schedules map[string][]Shift
	overrides []object
	alerts    []*alert
	lines     int
	sessions  map[string]bool
	keys      map[string]key
	logins    int
	heard     []string
	documents map[string]*ast.QueryDocument // that were read and found right
}

var _ providertest.Service = (*Server)(nil)

// alert is an alert with everything that happened to it.
type alert struct {
	Alert
	id        int
	status    string
	created   time.Time
	service   *Setup
	escalated time.Time
	pending   bool // an escalation was asked for, and the engine has not come round
	log       []object
	applied   []string
}

// New starts a GoAlert with three people, a service, a schedule and no alerts.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{
		options: options, schema: schema(), people: []string{Anna, Ben, Chloe},
		sessions: map[string]bool{}, documents: map[string]*ast.QueryDocument{}, keys: map[string]key{}, schedules: map[string][]Shift{},
	}
	s.Serve(Setup{Name: Checkout, OnCall: [][]string{{Anna}, {Ben}, {Anna, Chloe}}, Delays: []int{5, 10, 15}, Repeat: 2})
	week := s.now().Truncate(24*time.Hour).AddDate(0, 0, -3)
	for n := range 12 {
		s.Schedule("Platform on-call", Shift{s.people[n%3], week.AddDate(0, 0, 7*n), week.AddDate(0, 0, 7*n+7)})
	}
	return s
}

func (s *Server) now() time.Time { return s.options.Now().UTC() }

// Serve sets a service up, or sets it up anew.
func (s *Server) Serve(setup Setup) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, one := range s.services {
		if one.Name == setup.Name {
			*one = setup
			return
		}
	}
	s.services = append(s.services, &setup)
}

// Schedule adds shifts to a schedule.
func (s *Server) Schedule(name string, shifts ...Shift) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.schedules[name] = append(s.schedules[name], shifts...)
}

// Override lets somebody stand in for somebody else.
func (s *Server) Override(schedule, instead, of string, start, end time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.overrides = append(s.overrides, object{
		"id": identity(instead + of), "start": stamp(start), "end": stamp(end),
		"addUserID": identity(instead), "removeUserID": identity(of), "target": object{"id": identity(schedule)},
	})
}

// Page opens an alert for which Anna was paged, and returns its number.
func (s *Server) Page(title string) string {
	return s.Trigger(Alert{Summary: title, Paged: []string{Anna}})
}

// Trigger opens an alert and returns its number.
func (s *Server) Trigger(told Alert) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if told.Service == "" {
		told.Service = Checkout
	}
	at := slices.IndexFunc(s.services, func(one *Setup) bool { return one.Name == told.Service })
	one := &alert{Alert: told, id: len(s.alerts) + 1, status: unacknowledged, created: s.now(), service: s.services[at], escalated: s.now()}
	s.alerts = append(s.alerts, one)
	s.write(one, "Created via generic-service integration (Generic API)")
	if !told.Fresh {
		s.write(one, fmt.Sprintf("Escalated to step #%d", told.Step+1))
	}
	for _, who := range told.Paged {
		s.write(one, "Notification sent to "+who+" (Webhook)")
		one.log[len(one.log)-1]["state"] = object{"details": "Sent", "status": "OK", "formattedSrcValue": ""}
	}
	return strconv.Itoa(one.id)
}

// Acknowledge is somebody else answering.
func (s *Server) Acknowledge(id, somebody string) { s.move(id, acknowledged, somebody+" (Web)") }

// Resolve is somebody else closing it.
func (s *Server) Resolve(id string) { s.move(id, closed, Ben+" (Web)") }

// RunOut is somebody else escalating it: at GoAlert nothing else takes an
// acknowledgement away.
func (s *Server) RunOut(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.escalate(s.find(id), Ben)
	s.cycle()
}

// Reopen does not happen at GoAlert: closed is final.
func (s *Server) Reopen(string) { panic("a closed alert of GoAlert never comes back") }

// GiveAway lets the escalation policy begin anew without the user. It can befall
// only an alert that was never sent to the user.
func (s *Server) GiveAway(id, somebody string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.find(id)
	one.Paged = nil
	one.service.OnCall = [][]string{{somebody}}
}

// Clear removes a closed alert, as GoAlert's clean-up does after days.
func (s *Server) Clear(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.find(id).id = 0
}

// Cycle lets the engine come round: what was escalated gets to its next step.
func (s *Server) Cycle() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.cycle()
}

func (s *Server) cycle() {
	for _, one := range s.alerts {
		if !one.pending {
			continue
		}
		one.pending, one.Fresh = false, false
		one.Step = (one.Step + 1) % max(1, len(one.service.Delays))
		one.escalated = s.now().Add(time.Millisecond)
		s.write(one, fmt.Sprintf("Escalated to step #%d due to manual escalation", one.Step+1))
	}
}

// Applied is what was done to an alert over HTTP.
func (s *Server) Applied(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if one := s.find(id); one != nil {
		return slices.Clone(one.applied)
	}
	return nil
}

// EndSessions logs everybody out.
func (s *Server) EndSessions() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	clear(s.sessions)
}

// Logins is how often a password was looked at.
func (s *Server) Logins() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.logins
}

// Heard are the names of the operations that were asked, in order.
func (s *Server) Heard() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.heard)
}

// Validates says whether requests are checked against GoAlert's schema.
func (s *Server) Validates() bool { return s.schema != nil }

// The states of an alert.
const (
	unacknowledged = "StatusUnacknowledged"
	acknowledged   = "StatusAcknowledged"
	closed         = "StatusClosed"
)

var order = []string{unacknowledged, acknowledged, closed}

func (s *Server) find(id string) *alert {
	number, err := strconv.Atoi(id)
	if at := slices.IndexFunc(s.alerts, func(one *alert) bool { return one.id == number }); err == nil && number > 0 && at >= 0 {
		return s.alerts[at]
	}
	return nil
}

func (s *Server) move(id, status, by string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.advance(s.find(id), status, by)
}

// advance moves an alert forward and says whether it did. Whoever has no name
// leaves none in the log.
func (s *Server) advance(one *alert, status, by string) bool {
	if one == nil || slices.Index(order, status) <= slices.Index(order, one.status) {
		return false
	}
	one.status = status
	word := map[string]string{acknowledged: "Acknowledged", closed: "Closed"}[status]
	if by != "" {
		word += " by " + by
	}
	s.write(one, word)
	return true
}

func (s *Server) escalate(one *alert, by string) {
	one.status, one.pending = unacknowledged, true
	s.write(one, "Escalation requested by "+by+" (Web)")
}

func (s *Server) write(one *alert, message string) {
	s.lines++
	line := object{"id": s.lines, "alertID": one.id, "timestamp": stamp(s.now()), "message": message, "state": nil, "messageID": ""}
	one.log = append(one.log, line)
}

// identity is a UUID that stands for a name.
func identity(name string) string {
	sum := sha1.Sum([]byte(name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// ID is the identity of a person, a service or a schedule of this name.
func ID(name string) string { return identity(name) }

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// ServeHTTP answers as GoAlert does: on two addresses, and closing every
// connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/api/v2/identity/providers/basic":
		s.login(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/api/graphql":
		s.graph(w, r)
	default:
		http.NotFound(w, r)
	}
}
