// Package drill is a paging service in one process: it speaks the dialect of
// PagerDuty's REST API v2 as far as Nightstand uses it, keeps its state in
// memory, and plays scripted nights. It is for fire drills and for trying
// Nightstand without an account; nothing it says comes from a real service.
//
// It runs nothing beside the requests it answers. Whatever should have
// happened by the clock since the last request (a step of a night, an
// escalation, an acknowledgement running out) happens, at its own time, before
// the next request is looked at.
package drill

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Person is somebody on the drill's roster.
type Person struct {
	// ID is the identity in the API ("PANA0001").
	ID    string
	Name  string
	Email string
	// TimeZone is an IANA name; empty means UTC.
	TimeZone string
	// Key is the API key that speaks for this person; empty where none may.
	Key string
	// Role is the API's word for what the person may do; empty means "user".
	// A read_only_user and a read_only_limited_user may change nothing.
	Role string
	// Contacts are the ways to reach the person; empty means by e-mail.
	Contacts []Contact
}

// Contact is a way to reach a person.
type Contact struct {
	// Kind is email, phone, sms or push_notification.
	Kind string
	// Label is what the person calls it, such as "Work".
	Label string
	// Address is the number without its country code, or the e-mail address.
	Address     string
	CountryCode int  // of a number
	Off         bool // PagerDuty would not use it
}

// Change is something that was deployed or altered.
type Change struct {
	// Service is what was changed, by its name.
	Service string
	Summary string
	Source  string
	At      time.Time
	Links   []Link
}

// Options describe the account that the drill pretends to be. The zero value
// is a roster of two, to be asked with DefaultKey.
type Options struct {
	// Roster holds one person for each level of the only escalation policy,
	// primary first; empty means DefaultRoster.
	Roster []Person
	// AccountKey is a key of the whole account: it belongs to nobody, and the
	// From header says for whom it acts. ReadOnlyKey is one that only reads.
	// Empty means that there is none.
	AccountKey, ReadOnlyKey string
	// EscalateAfter is how long a page waits unanswered at each level; zero
	// means 5 minutes, negative means it waits for ever.
	EscalateAfter time.Duration
	// Rounds is how often the policy begins anew after its last level.
	Rounds int
	// AckLasts is how long an acknowledgement holds; zero means 30 minutes,
	// negative means it holds for ever.
	AckLasts time.Duration
	// ResolveAfter is when an open page resolves itself, counted from its
	// trigger; zero means never.
	ResolveAfter time.Duration
	// ShiftStarts and ShiftEnds are the on-call shift of the whole roster;
	// both zero means that everybody is on call permanently.
	ShiftStarts, ShiftEnds time.Time
	// RequestsPerMinute is what one key may ask; zero means 960.
	RequestsPerMinute int
	// Now is the clock everything goes by; nil means time.Now.
	Now func() time.Time
}

// DefaultKey is the API key of the default roster's primary.
const DefaultKey = "drill-key-of-ana-000"

// DefaultRoster is a primary, whom the pages are for, and a secondary.
func DefaultRoster() []Person {
	return []Person{
		{ID: "PANA0001", Name: "Ana Lima", Email: "ana@drill.example", TimeZone: "America/Lima", Key: DefaultKey},
		{ID: "PBELA002", Name: "Béla Kovács", Email: "bela@drill.example", TimeZone: "Europe/Budapest", Key: "drill-key-of-bela-00"},
	}
}

// Service is the drill's paging service. It is an http.Handler; all its
// methods may be called from several goroutines.
type Service struct {
	options Options
	now     func() time.Time
	mux     *http.ServeMux

	mutex     sync.Mutex
	incidents []*incident // in the order they were triggered
	log       []Entry     // oldest first
	changes   []Change    // in the order they were told
	nights    []*playing
	spent     map[string]window // key → what it has asked in this minute
	counter   int
}

// New prepares a service without pages. Its errors say which option does not fit.
func New(options Options) (*Service, error) {
	if len(options.Roster) == 0 {
		options.Roster = DefaultRoster()
	}
	options.Roster = slices.Clone(options.Roster)
	ids, emails, keys := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range options.Roster {
		one := &options.Roster[i]
		if one.ID == "" || one.Name == "" || one.Email == "" {
			return nil, errors.New("everybody on the drill's roster needs an ID, a name and an e-mail address")
		}
		if ids[one.ID] || emails[one.Email] || one.Key != "" && keys[one.Key] {
			return nil, fmt.Errorf("%s shares an ID, an e-mail address or a key with somebody else on the drill's roster", one.Name)
		}
		ids[one.ID], emails[one.Email], keys[one.Key] = true, true, true
		one.TimeZone, one.Role = cmp.Or(one.TimeZone, "UTC"), cmp.Or(one.Role, "user")
		if len(one.Contacts) == 0 {
			one.Contacts = []Contact{{Kind: "email", Label: "Work", Address: one.Email}}
		}
	}
	for _, key := range []string{options.AccountKey, options.ReadOnlyKey} {
		if key != "" && (keys[key] || options.AccountKey == options.ReadOnlyKey) {
			return nil, errors.New("a key of the drill's account belongs to somebody on its roster, or is both of its keys")
		}
	}
	options.EscalateAfter = cmp.Or(options.EscalateAfter, 5*time.Minute)
	options.AckLasts = cmp.Or(options.AckLasts, 30*time.Minute)
	options.RequestsPerMinute = cmp.Or(options.RequestsPerMinute, 960)
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Service{options: options, now: options.Now, spent: map[string]window{}}
	s.mux = s.routes()
	return s, nil
}

// Listen answers on a free port of the loopback interface until stop is
// called, and returns the base URL to be given to a provider.
func (s *Service) Listen() (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("the drill's paging service found no free port on this machine: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // ends with ErrServerClosed, by stop
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-ended
	}, nil
}

// Roster returns the people, one for each level, primary first.
func (s *Service) Roster() []Person { return slices.Clone(s.options.Roster) }

// Log returns everything that has happened by now, oldest first.
func (s *Service) Log() []Entry {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.advance()
	return slices.Clone(s.log)
}

// Trigger opens a page now and returns its ID.
func (s *Service) Trigger(t Trigger) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.trigger(s.advance(), t).id
}

// Acknowledge answers a page for somebody on the roster, as if that person had
// done it elsewhere.
func (s *Service) Acknowledge(id, personID string) error {
	return s.actFor(id, personID, func(at time.Time, one *incident, by *Person) *refusal { return s.acknowledge(at, one, by) })
}

// Resolve ends a page; an empty personID means that it resolved itself.
func (s *Service) Resolve(id, personID string) error {
	return s.actFor(id, personID, func(at time.Time, one *incident, by *Person) *refusal { return s.resolve(at, one, by, "") })
}

// Reopen makes an ended page call again; an empty personID means that it did
// so by itself.
func (s *Service) Reopen(id, personID string) error {
	return s.actFor(id, personID, func(at time.Time, one *incident, by *Person) *refusal { return s.reopen(at, one, by) })
}

// Reassign gives a page directly to somebody on the roster.
func (s *Service) Reassign(id, toPersonID string) error {
	return s.actFor(id, toPersonID, func(at time.Time, one *incident, to *Person) *refusal {
		if to == nil {
			return invalidInput("Assignee cannot be empty")
		}
		return s.assign(at, one, to, []*Person{to})
	})
}

// Merge resolves a page because it goes on in another one.
func (s *Service) Merge(id, intoID, personID string) error {
	return s.actFor(id, personID, func(at time.Time, one *incident, by *Person) *refusal {
		into := s.find(intoID)
		if into == nil || into == one || into.status == resolved {
			return invalidInput("The target incident is not open")
		}
		if refused := s.resolve(at, one, by, ""); refused != nil {
			return refused
		}
		one.mergedInto = into
		return nil
	})
}

// Changed tells the service of a change; a zero time is now.
func (s *Service) Changed(change Change) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if at := s.advance(); change.At.IsZero() {
		change.At = at
	}
	s.changes = append(s.changes, change)
}

func (s *Service) actFor(id, personID string, act func(time.Time, *incident, *Person) *refusal) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at := s.advance()
	one := s.find(id)
	if one == nil {
		return fmt.Errorf("the drill has no page %s", id)
	}
	by := s.person(personID)
	if by == nil && personID != "" {
		return fmt.Errorf("nobody on the drill's roster is %s", personID)
	}
	if refused := act(at, one, by); refused != nil {
		return errors.New(refused.message)
	}
	return nil
}

func (s *Service) person(id string) *Person {
	for i := range s.options.Roster {
		if s.options.Roster[i].ID == id {
			return &s.options.Roster[i]
		}
	}
	return nil
}

// find looks a page up by its ID or its number.
func (s *Service) find(id string) *incident {
	for _, one := range s.incidents {
		if one.id == id || fmt.Sprint(one.number) == id {
			return one
		}
	}
	return nil
}
