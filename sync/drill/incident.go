package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Trigger describes a page to be opened.
type Trigger struct {
	// Name is what the steps of a night call this page; it is not shown.
	Name  string
	Title string
	// Service is the name of what is in trouble; empty means "Drill".
	Service string
	// Urgency is "high" or "low"; empty means high.
	Urgency string
	// Priority is one of P1 to P5; empty means that it has none.
	Priority string
	// Severity is that of the page's alert: critical, error, warning or info;
	// empty means error.
	Severity string
	// Details are what the alert tells beside its title.
	Details map[string]string
	// Links are places to look: the text and the URL.
	Links []Link
	// EscalateAfter is how long this page waits at each level; zero means what
	// the service's options say.
	EscalateAfter time.Duration
	// AckLasts is the same for its acknowledgement.
	AckLasts time.Duration
}

// Link is a place to look, with the text that stands for it.
type Link struct{ Text, URL string }

// Entry is one line of the service's log.
type Entry struct {
	// ID is the entry's own; IncidentID and Title are its page's.
	ID         string
	At         time.Time // UTC
	IncidentID string
	Title      string
	// Kind is the API's word without its ending: trigger, assign, acknowledge,
	// unacknowledge, escalate, repeat_escalation_path,
	// exhaust_escalation_path, snooze, resolve, annotate, urgency_change.
	Kind string
	// By is who did it; empty where the service did it by itself.
	By string
	// To are the names of those who have the page from then on.
	To []string
	// Summary says it in words.
	Summary string

	agent    *Person
	assigned []*Person
	incident *incident
	note     string
}

type status string

const (
	triggered    status = "triggered"
	acknowledged status = "acknowledged"
	resolved     status = "resolved"
)

type acknowledgement struct {
	at time.Time
	by *Person
}

type note struct {
	id, content string
	at          time.Time
	by          *Person
}

// incident is a page as the service keeps it. What is zero is not pending.
type incident struct {
	Trigger
	id      string
	number  int
	status  status
	created time.Time
	updated time.Time
	changed time.Time // when the status last changed
	by      *Person   // who changed it; nil is the service
	ended   time.Time
	// mergedInto is where an ended page goes on; nil where it has just ended.
	mergedInto *incident

	assignees  []*Person
	assignedAt time.Time
	direct     bool // assigned to a person, not through the policy
	level      int  // of the policy, from 1
	round      int
	acks       []acknowledgement
	notes      []note

	escalatesAt time.Time
	unacksAt    time.Time // the acknowledgement or the snooze ends
	resolvesAt  time.Time
}

// advance lets everything happen that was due until now, in its order, and
// returns the present.
func (s *Service) advance() time.Time {
	now := s.now().UTC()
	for {
		at, happen := s.nextDue(now)
		if happen == nil {
			return now
		}
		happen(at)
	}
}

// nextDue finds what is due first until now. What happens at the same time
// happens in the order in which it is looked at here.
func (s *Service) nextDue(now time.Time) (first time.Time, happen func(time.Time)) {
	consider := func(at time.Time, what func(time.Time)) {
		if !at.IsZero() && !at.After(now) && (happen == nil || at.Before(first)) {
			first, happen = at, what
		}
	}
	for _, night := range s.nights {
		if at, step := night.next(); step != nil {
			consider(at, func(at time.Time) { s.play(at, night) })
		}
	}
	for _, one := range s.incidents {
		consider(one.resolvesAt, func(at time.Time) { s.resolve(at, one, nil, "") })
		consider(one.unacksAt, func(at time.Time) { s.unacknowledge(at, one) })
		consider(one.escalatesAt, func(at time.Time) { s.escalateByClock(at, one) })
	}
	return first, happen
}

func (s *Service) trigger(at time.Time, t Trigger) *incident {
	t.Service, t.Urgency, t.Severity = cmp.Or(t.Service, "Drill"), cmp.Or(t.Urgency, "high"), cmp.Or(t.Severity, "error")
	t.EscalateAfter = cmp.Or(t.EscalateAfter, s.options.EscalateAfter)
	t.AckLasts = cmp.Or(t.AckLasts, s.options.AckLasts)
	number := len(s.incidents) + 1
	one := &incident{
		Trigger: t, id: fmt.Sprintf("QDRILL%06d", number), number: number,
		status: triggered, created: at, changed: at, updated: at,
	}
	if s.options.ResolveAfter > 0 {
		one.resolvesAt = at.Add(s.options.ResolveAfter)
	}
	s.incidents = append(s.incidents, one)
	s.write(at, one, "trigger", nil, "Triggered by the drill")
	s.give(at, one, nil, 1, "assign")
	return one
}

// acknowledge answers a page. Answering again lets the acknowledgement begin
// anew; answering what has ended opens it again, for whoever answers.
func (s *Service) acknowledge(at time.Time, one *incident, by *Person) *refusal {
	if by == nil {
		return invalidInput("Requester User Not Found")
	}
	if one.status == resolved {
		one.ended, one.mergedInto = time.Time{}, nil
		one.assignees, one.assignedAt, one.direct = []*Person{by}, at, true
		if s.options.ResolveAfter > 0 {
			one.resolvesAt = at.Add(s.options.ResolveAfter)
		}
		s.write(at, one, "assign", by, "Reopened, and assigned to "+by.Name)
	}
	if one.status != acknowledged {
		one.change(at, acknowledged, by)
	}
	one.acks = slices.DeleteFunc(one.acks, func(a acknowledgement) bool { return a.by == by })
	one.acks = append(one.acks, acknowledgement{at, by})
	one.escalatesAt, one.unacksAt = time.Time{}, after(at, one.AckLasts)
	s.write(at, one, "acknowledge", by, "Acknowledged by "+by.Name)
	return nil
}

// unacknowledge is what the clock does when an acknowledgement or a snooze
// ends: the page calls again, whoever has it at its level.
func (s *Service) unacknowledge(at time.Time, one *incident) {
	one.change(at, triggered, nil)
	one.acks, one.unacksAt = nil, time.Time{}
	s.write(at, one, "unacknowledge", nil, "The acknowledgement ran out")
	s.wait(at, one)
}

// escalateByClock hands an unanswered page to the next level, begins another
// round after the last one, and gives up after the last round.
func (s *Service) escalateByClock(at time.Time, one *incident) {
	switch {
	case one.level < len(s.options.Roster):
		s.give(at, one, nil, one.level+1, "escalate")
	case one.round < s.options.Rounds:
		one.round++
		s.give(at, one, nil, 1, "repeat_escalation_path")
	default:
		one.escalatesAt = time.Time{}
		s.write(at, one, "exhaust_escalation_path", nil, "Nobody answered, and nobody is left to be asked")
	}
}

// give assigns a page through the policy and lets it wait there.
func (s *Service) give(at time.Time, one *incident, by *Person, level int, kind string) {
	one.level, one.direct = level, false
	one.assignees, one.assignedAt = []*Person{&s.options.Roster[level-1]}, at
	one.acks, one.unacksAt = nil, time.Time{}
	if one.status != triggered {
		one.change(at, triggered, by)
	}
	words := map[string]string{
		"assign": "Assigned to ", "escalate": "Escalated to ", "repeat_escalation_path": "Asked again from the beginning: ",
	}[kind]
	s.write(at, one, kind, by, words+strings.Join(names(one.assignees), ", "))
	s.wait(at, one)
}

// wait sets the time of the next escalation. What was assigned to a person
// directly is never handed on.
func (s *Service) wait(at time.Time, one *incident) {
	one.escalatesAt = time.Time{}
	if !one.direct {
		one.escalatesAt = after(at, one.EscalateAfter)
	}
}

// assign gives a page to people directly; it calls them, and is not handed on
// any more.
func (s *Service) assign(at time.Time, one *incident, by *Person, to []*Person) *refusal {
	if one.status == resolved {
		return alreadyResolved()
	}
	one.direct, one.assignees, one.assignedAt = true, to, at
	one.acks, one.unacksAt, one.escalatesAt = nil, time.Time{}, time.Time{}
	if one.status != triggered {
		one.change(at, triggered, by)
	}
	s.write(at, one, "assign", by, "Assigned to "+strings.Join(names(to), ", "))
	return nil
}

func (s *Service) escalate(at time.Time, one *incident, by *Person, level int) *refusal {
	switch {
	case one.status == resolved:
		return alreadyResolved()
	case level < 1 || level > len(s.options.Roster):
		return &refusal{400, 1006, "Incident Cannot Be Escalated", []string{"The escalation policy has no such level"}}
	}
	s.give(at, one, by, level, "escalate")
	return nil
}

// snooze keeps an answered page quiet; at its end the page calls again.
func (s *Service) snooze(at time.Time, one *incident, by *Person, lasts time.Duration) *refusal {
	switch one.status {
	case resolved:
		return alreadyResolved()
	case triggered:
		// The official document does not say what happens; refusing teaches
		// nobody to rely on it.
		return invalidInput("Incident must be acknowledged before it can be snoozed")
	}
	one.unacksAt = at.Add(lasts)
	s.write(at, one, "snooze", by, fmt.Sprintf("Snoozed by %s for %s", by.Name, lasts))
	return nil
}

// reopen makes an ended page call again, from the beginning of the policy.
func (s *Service) reopen(at time.Time, one *incident, by *Person) *refusal {
	switch one.status {
	case triggered:
		return nil
	case acknowledged:
		// As above: nothing says that an acknowledgement can be taken back.
		return invalidInput("Status of an acknowledged incident cannot be set to triggered")
	}
	one.ended, one.mergedInto, one.round = time.Time{}, nil, 0
	if s.options.ResolveAfter > 0 {
		one.resolvesAt = at.Add(s.options.ResolveAfter)
	}
	s.give(at, one, by, 1, "assign")
	return nil
}

func (s *Service) resolve(at time.Time, one *incident, by *Person, resolution string) *refusal {
	if one.status == resolved {
		return alreadyResolved()
	}
	one.change(at, resolved, by)
	one.ended, one.assignees, one.acks = at, nil, nil
	one.escalatesAt, one.unacksAt, one.resolvesAt = time.Time{}, time.Time{}, time.Time{}
	words := "Resolved itself"
	if by != nil {
		words = "Resolved by " + by.Name
	}
	s.write(at, one, "resolve", by, words)
	s.log[len(s.log)-1].note = resolution
	return nil
}

func (s *Service) annotate(at time.Time, one *incident, by *Person, content string) note {
	s.counter++
	written := note{fmt.Sprintf("PNOTE%05d", s.counter), content, at, by}
	one.notes = append(one.notes, written)
	s.write(at, one, "annotate", by, "Note by "+by.Name)
	s.log[len(s.log)-1].note = content
	return written
}

// write puts a line into the log; every change of a page has one.
func (s *Service) write(at time.Time, one *incident, kind string, by *Person, summary string) {
	one.updated = at
	entry := Entry{
		ID: fmt.Sprintf("RDRILL%06d", len(s.log)+1), At: at, IncidentID: one.id, Title: one.Title,
		Kind: kind, Summary: summary, agent: by, incident: one,
	}
	if by != nil {
		entry.By = by.Name
	}
	if kind == "assign" || kind == "escalate" || kind == "repeat_escalation_path" {
		entry.assigned = slices.Clone(one.assignees)
		entry.To = names(one.assignees)
	}
	s.log = append(s.log, entry)
}

func (one *incident) change(at time.Time, to status, by *Person) {
	one.status, one.changed, one.by = to, at, by
}

func after(at time.Time, wait time.Duration) time.Time {
	if wait < 0 {
		return time.Time{}
	}
	return at.Add(wait)
}

func names(people []*Person) []string {
	var all []string
	for _, one := range people {
		all = append(all, one.Name)
	}
	return all
}
