package pagerduty

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// user is somebody at PagerDuty.
type user struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Email   string `json:"email"`
	Role    string `json:"role"`
	Zone    string `json:"time_zone"`
	// byAccount says that the key is the account's and only acts for this user.
	byAccount bool
}

// mayOnlyLook says that the role allows nothing else.
func (u user) mayOnlyLook() bool {
	return u.Role == "read_only_user" || u.Role == "read_only_limited_user"
}

// called is the name to call somebody by, empty where PagerDuty tells none.
func (u user) called() string {
	for _, one := range []string{u.Name, u.Summary, u.Email} {
		if one = plain(one, maxName); one != "" {
			return one
		}
	}
	return ""
}

// name is called, or words that stand in its place.
func (u user) name() string {
	return cmp.Or(u.called(), plain(u.ID, maxName), "somebody whose name PagerDuty does not tell")
}

// thing is what PagerDuty says of another of its objects.
type thing struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

// incident is one incident as PagerDuty lists it. Times are read by hand, so
// that one odd time cannot make the whole list unreadable.
type incident struct {
	ID                 string `json:"id"`
	Number             int    `json:"incident_number"`
	Key                string `json:"incident_key"`
	Title              string `json:"title"`
	Summary            string `json:"summary"`
	URL                string `json:"html_url"`
	CreatedAt          string `json:"created_at"`
	UpdatedAt          string `json:"updated_at"`
	LastStatusChangeAt string `json:"last_status_change_at"`
	Status             string `json:"status"`
	Urgency            string `json:"urgency"`
	Priority           thing  `json:"priority"`
	Service            thing  `json:"service"`
	Policy             thing  `json:"escalation_policy"`
	Via                string `json:"assigned_via"`
	Assignments        []struct {
		At       string `json:"at"`
		Assignee user   `json:"assignee"`
	} `json:"assignments"`
	Acknowledgements []struct {
		At           string `json:"at"`
		Acknowledger user   `json:"acknowledger"`
	} `json:"acknowledgements"`
	PendingActions []struct {
		Type string `json:"type"`
		At   string `json:"at"`
	} `json:"pending_actions"`
	AlertCounts struct {
		All int `json:"all"`
	} `json:"alert_counts"`
	Conference struct {
		URL string `json:"conference_url"`
	} `json:"conference_bridge"`
	Body struct {
		Details any `json:"details"`
	} `json:"body"`
	ResolveReason struct {
		Type     string `json:"type"`
		Incident thing  `json:"incident"`
	} `json:"resolve_reason"`
}

// mergedInto is the incident that goes on in this one's place; empty where
// this one was not merged.
func (i *incident) mergedInto() string {
	into := i.ResolveReason.Incident.ID
	if i.ResolveReason.Type != "merge_resolve_reason" || !validID(into) || into == i.ID {
		return ""
	}
	return into
}

// runsOutAt is when the acknowledgement or the snooze ends, zero where neither does.
func (i *incident) runsOutAt() time.Time {
	for _, next := range i.PendingActions {
		if next.Type == "unacknowledge" || strings.Contains(next.Type, "snooze") {
			return readTime(next.At)
		}
	}
	return time.Time{}
}

func (i *incident) acknowledgedBy(id string) bool {
	for _, one := range i.Acknowledgements {
		if one.Acknowledger.ID == id {
			return true
		}
	}
	return false
}

// assignedTo says whether somebody has the incident. One that names nobody
// may still be anybody's.
func (i *incident) assignedTo(id string) bool {
	for _, one := range i.Assignments {
		if one.Assignee.ID == id {
			return true
		}
	}
	return len(i.Assignments) == 0
}

// heldSince is when somebody was given the incident, and whether they have it.
func (i *incident) heldSince(id string) (time.Time, bool) {
	for _, one := range i.Assignments {
		if one.Assignee.ID == id {
			return readTime(one.At), true
		}
	}
	return time.Time{}, false
}

// holders names those who have the incident, as far as they have names.
func (i *incident) holders() string {
	var names []string
	for _, one := range i.Assignments {
		if name := one.Assignee.called(); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// escalatesAt is when the incident is handed on, zero where it is not.
func (i *incident) escalatesAt() time.Time {
	for _, next := range i.PendingActions {
		if next.Type == "escalate" {
			return readTime(next.At)
		}
	}
	return time.Time{}
}

// piece is one piece of a list; its entries are nil where it could not be read.
type piece[T any] struct {
	name    string // the field that holds the entries
	entries []*T
	more    bool
}

// UnmarshalJSON reads what can be read. Without a word on it, a full piece is
// taken to be followed by another.
func (p *piece[T]) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := decode(text, &fields); err != nil {
		return err
	}
	var more *bool
	_ = decode(fields["more"], &more) // absent or odd is not known
	err := decode(fields[p.name], &p.entries)
	p.more = len(p.entries) >= pieceSize
	if more != nil {
		p.more = *more
	}
	if len(fields[p.name]) == 0 {
		return nil
	}
	return err
}

// alert is one alert of an incident.
type alert struct {
	Summary   string `json:"summary"`
	CreatedAt string `json:"created_at"`
	Status    string `json:"status"`
	Severity  string `json:"severity"`
	Body      struct {
		Details  any `json:"details"`
		Contexts []struct {
			Type string `json:"type"`
			URL  string `json:"href"`
			Text string `json:"text"`
		} `json:"contexts"`
	} `json:"body"`
}

// onCall is somebody who is on call at one level of an escalation policy.
type onCall struct {
	User     user  `json:"user"`
	Schedule thing `json:"schedule"`
	Policy   thing `json:"escalation_policy"`
	Level    int   `json:"escalation_level"`
	Start    any   `json:"start"`
	End      any   `json:"end"`
}

// bound reads the start or the end of an on-call. There is none where it is
// null; what is neither that nor a time is not known.
func (o *onCall) bound(told any) (at time.Time, known bool) {
	if told == nil {
		return time.Time{}, true
	}
	text, _ := told.(string)
	at = readTime(text)
	return at, !at.IsZero()
}

var identity = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// validID makes sure that an identity can stand in a path.
func validID(id string) bool { return identity.MatchString(id) }

// stamp writes a time as PagerDuty does: UTC, in whole seconds.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// readTime reads an ISO 8601 time as UTC, with and without seconds and in
// every way of writing the zone that is about. What cannot be read is zero.
func readTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
