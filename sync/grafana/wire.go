package grafana

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"nightstand/app/page"
)

// The longest name, and the most labels and links, that a page keeps.
const (
	maxName   = 120
	maxLabels = 40
	maxLinks  = 20
)

func plain(text string, limit int) string { return page.Plain(text, limit) }

// user is somebody at the service.
type user struct {
	ID            string   `json:"id"`
	Username      string   `json:"username"`
	Email         string   `json:"email"`
	Role          string   `json:"role"`
	Zone          string   `json:"timezone"`
	Teams         []string `json:"teams"`
	PhoneVerified *bool    `json:"is_phone_number_verified"`
}

// name is what to call somebody, or words that stand in its place.
func (u user) name() string {
	return cmp.Or(plain(u.Username, maxName), plain(u.Email, maxName), plain(u.ID, maxName), "somebody whose name Grafana does not tell")
}

func (u user) fullName() string {
	if email := plain(u.Email, maxName); email != "" && email != u.name() {
		return fmt.Sprintf("%s (%s)", u.name(), email)
	}
	return u.name()
}

func (u user) answersTo(name string) bool {
	return strings.EqualFold(name, u.Username) || strings.EqualFold(name, u.Email) || name == u.ID
}

// onlyLooks says that a role may not answer. What other roles are called is
// the service's business; a right that is missing shows when it is used.
func (u user) onlyLooks() bool {
	return u.Role == "viewer" || u.Role == "observer" || u.Role == "none"
}

// The states of an alert group. What is in none of them still wants somebody.
const (
	firing       = "firing" // the list calls it "new"
	acknowledged = "acknowledged"
	silenced     = "silenced"
	resolved     = "resolved"
)

// group is one alert group. Times are read by hand, so that one odd time
// cannot make the whole list unreadable.
type group struct {
	ID             string  `json:"id"`
	Number         int     `json:"alert_group_number"`
	Title          string  `json:"title"`
	State          string  `json:"state"`
	Integration    string  `json:"integration_id"`
	Route          string  `json:"route_id"`
	Team           string  `json:"team_id"`
	AttachedTo     string  `json:"root_alert_group_id"`
	CreatedAt      string  `json:"created_at"`
	AcknowledgedAt string  `json:"acknowledged_at"`
	AcknowledgedBy string  `json:"acknowledged_by"`
	ResolvedAt     string  `json:"resolved_at"`
	ResolvedBy     string  `json:"resolved_by"`
	SilencedAt     string  `json:"silenced_at"`
	AlertsCount    int     `json:"alerts_count"`
	Labels         []label `json:"labels"`
	Permalinks     struct {
		Web      string `json:"web"`
		Slack    string `json:"slack"`
		Telegram string `json:"telegram"`
	} `json:"permalinks"`
	LastAlert alert `json:"last_alert"`
}

// people are those whose names belong to the group.
func (g *group) people() []string { return []string{g.AcknowledgedBy, g.ResolvedBy} }

// label is one of a group's own.
type label struct {
	Key   struct{ ID, Name string } `json:"key"`
	Value struct{ ID, Name string } `json:"value"`
}

// alert is one of the things a group is made of; its payload is whatever the
// source sent.
type alert struct {
	ID        string         `json:"id"`
	CreatedAt string         `json:"created_at"`
	Payload   map[string]any `json:"payload"`
}

// note is a resolution note.
type note struct {
	ID        string `json:"id"`
	Author    string `json:"author"`
	CreatedAt string `json:"created_at"`
	Text      string `json:"text"`
}

// named is anything that has a name and may belong to a team.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Team string `json:"team_id"`
}

// schedule is a rotation and who has it now.
type schedule struct {
	named
	OnCall []string `json:"on_call_now"`
}

// route leads the alerts of an integration to an escalation chain.
type route struct {
	ID    string `json:"id"`
	Chain string `json:"escalation_chain_id"`
}

// step is one step of an escalation chain; the service calls it a policy.
type step struct {
	ID       string   `json:"id"`
	Chain    string   `json:"escalation_chain_id"`
	Persons  []string `json:"persons_to_notify"`
	InTurn   []string `json:"persons_to_notify_next_each_time"`
	Schedule string   `json:"notify_on_call_from_schedule"`
	Team     string   `json:"team_to_notify"`
	Users    string   `json:"group_to_notify"`
}

// shift is one span of somebody in a schedule.
type shift struct {
	Person   string `json:"user_pk"`
	Email    string `json:"user_email"`
	Username string `json:"user_username"`
	Start    string `json:"shift_start"`
	End      string `json:"shift_end"`
}

var identity = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// validID makes sure that an identity can stand in a path.
func validID(id string) bool { return identity.MatchString(id) }

// identified is an identity that can be used, or nothing.
func identified(id string) string {
	if !validID(id) {
		return ""
	}
	return id
}

// readTime reads a time as UTC, in RFC 3339 and in the ways that are about:
// without seconds, with a short zone, and without a zone, which is UTC here.
// What cannot be read is zero.
func readTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
