package goalert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// decode reads an answer and forgives fields of an unexpected type: they stay
// empty, like those that are null. Whoever needs a field looks whether it is
// there.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) {
		return nil
	}
	return err
}

func isNull(text json.RawMessage) bool {
	text = bytes.TrimSpace(text)
	return len(text) == 0 || bytes.Equal(text, []byte("null"))
}

// user is somebody at GoAlert.
type user struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Overview *struct {
		Assignments []*struct {
			ServiceID string `json:"serviceID"`
			Step      *int   `json:"stepNumber"`
		} `json:"serviceAssignments"`
	} `json:"onCallOverview"`
	Contacts []*contactMethod `json:"contactMethods"`
}

// nobody is whom an API key belongs to.
var nobody = user{Name: "an API key"}

func (u user) name() string {
	return cmp.Or(plain(u.Name, maxName), plain(u.Email, maxName), plain(u.ID, maxName))
}

type contactMethod struct {
	Disabled *bool `json:"disabled"`
	Pending  *bool `json:"pending"`
	To       struct {
		Type string            `json:"type"`
		Args map[string]string `json:"args"`
	} `json:"dest"`
}

// pair is a label, or a piece of an alert's own data.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// alert is one alert as GoAlert lists it. Times are read by hand, so that one
// odd time cannot make the whole list unreadable.
type alert struct {
	ID        string `json:"id"`
	Number    int    `json:"alertID"`
	Status    string `json:"status"`
	Summary   string `json:"summary"`
	Details   string `json:"details"`
	CreatedAt string `json:"createdAt"`
	ServiceID string `json:"serviceID"`
	Service   struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		Maintained string `json:"maintenanceExpiresAt"`
	} `json:"service"`
	// State is null before the engine has seen the alert and after it was closed.
	State *struct {
		LastEscalation string `json:"lastEscalation"`
		Step           *int   `json:"stepNumber"`
		Repeats        *int   `json:"repeatCount"`
	} `json:"state"`
	Noise string  `json:"noiseReason"`
	Meta  []*pair `json:"meta"`
	Log   *struct {
		Nodes []*entry `json:"nodes"`
		Info  pageInfo `json:"pageInfo"`
	} `json:"recentEvents"`
}

// The states of an alert. Any other still wants somebody.
const (
	statusAcknowledged = "StatusAcknowledged"
	statusClosed       = "StatusClosed"
	statusTriggered    = "StatusUnacknowledged"
)

// identity is the alert's number, which GoAlert tells twice; empty where it
// tells neither.
func (a *alert) identity() string {
	if a.Number > 0 {
		return strconv.Itoa(a.Number)
	}
	if number, err := readID(a.ID); err == nil {
		return strconv.Itoa(number)
	}
	return ""
}

func (a *alert) service() string { return cmp.Or(a.ServiceID, a.Service.ID) }

// escalated is when the alert came to its step, as text; it changes with
// everything that takes an acknowledgement away.
func (a *alert) escalated() string {
	if a.State == nil {
		return ""
	}
	return a.State.LastEscalation
}

// step is where the escalation stands, counted from 0.
func (a *alert) step() (step int, known bool) {
	if a.State == nil || a.State.Step == nil {
		return 0, false
	}
	return *a.State.Step, true
}

// entry is a line of an alert's log.
type entry struct {
	At      string `json:"timestamp"`
	Message string `json:"message"`
	State   struct {
		Details string `json:"details"`
		Status  string `json:"status"`
	} `json:"state"`
}

// pageInfo says how a list goes on; More is nil where that is not told.
type pageInfo struct {
	More *bool  `json:"hasNextPage"`
	End  string `json:"endCursor"`
}

// alertList is one piece of a list; nil where it could not be read.
type alertList struct {
	Nodes []*alert `json:"nodes"`
	Info  pageInfo `json:"pageInfo"`
}

var errNoID = errors.New("not the number of an alert")

// readID reads an alert's number, which has to fit into GraphQL's Int.
func readID(text string) (int, error) {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil || number <= 0 {
		return 0, errNoID
	}
	return int(number), nil
}

// readTime reads an RFC 3339 time as UTC, and what is nearly one. What cannot
// be read is zero.
func readTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
