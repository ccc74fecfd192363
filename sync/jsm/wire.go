package jsm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"nightstand/sync/web"
)

// get reads one answer as it is.
func (p *Provider) get(ctx context.Context, path string, query url.Values) (json.RawMessage, web.Answer, error) {
	var body json.RawMessage
	answer, err := p.client.Do(ctx, web.Request{Method: http.MethodGet, Path: path, Query: query}, &body)
	return body, answer, err
}

// mostPieces bounds lists that go on and on, of notes, logs and schedules.
const mostPieces = 50

// readAll reads a list piece by piece, by the cursor of this name in the
// address of the next piece. The address itself is never gone to: it could
// lead anywhere.
func readAll[T any](ctx context.Context, p *Provider, path string, query url.Values, cursor string) ([]T, error) {
	var all []T
	for range mostPieces {
		body, _, err := p.get(ctx, path, query)
		if err != nil {
			return nil, err
		}
		rows, next := p.dialect.rows(body)
		var piece []T
		if decode(rows, &piece) != nil || piece == nil {
			return nil, p.nonsense("no list")
		}
		all = append(all, piece...)
		following, err := url.Parse(next)
		if err != nil || len(piece) == 0 {
			return all, nil
		}
		at := following.Query().Get(cursor)
		if at == "" || at == query.Get(cursor) {
			return all, nil
		}
		query.Set(cursor, at)
	}
	return nil, p.nonsense("a list without an end")
}

// decode reads an answer and forgives fields of an unexpected type: they stay
// empty, like those that are null. Whoever needs a field looks whether it is
// there.
func decode(body json.RawMessage, into any) error {
	err := json.Unmarshal(body, into)
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) {
		return nil
	}
	return err
}

// alert is one alert in either dialect. Times and numbers are read by hand, so
// that an odd one cannot make the whole list unreadable.
type alert struct {
	ID              string         `json:"id"`
	TinyID          string         `json:"tinyId"`
	Alias           string         `json:"alias"`
	Message         string         `json:"message"`
	Description     string         `json:"description"`
	Entity          string         `json:"entity"`
	Source          string         `json:"source"`
	Status          string         `json:"status"`
	Priority        string         `json:"priority"`
	Owner           string         `json:"owner"`
	Acknowledged    *bool          `json:"acknowledged"`
	Snoozed         *bool          `json:"snoozed"`
	SnoozedUntil    any            `json:"snoozedUntil"`
	CreatedAt       any            `json:"createdAt"`
	LastOccuredAt   any            `json:"lastOccuredAt"`  // JSM, spelt so
	LastOccurredAt  any            `json:"lastOccurredAt"` // Opsgenie
	Count           float64        `json:"count"`
	Tags            []any          `json:"tags"`
	ExtraProperties map[string]any `json:"extraProperties"` // JSM
	Details         map[string]any `json:"details"`         // Opsgenie
	Responders      []*responder   `json:"responders"`
	IntegrationName string         `json:"integrationName"` // JSM
	Integration     struct {
		Name string `json:"name"`
	} `json:"integration"` // Opsgenie
	AckTime float64 `json:"ackTime"` // JSM
	Report  struct {
		AckTime        float64 `json:"ackTime"`
		AcknowledgedBy string  `json:"acknowledgedBy"`
	} `json:"report"` // Opsgenie
}

// responder is a user, a team, a schedule or an escalation policy.
type responder struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

func (r responder) isUser() bool { return strings.EqualFold(r.Type, "user") || r.Type == "" }

// closed says that the alert has ended. A status that we do not know still
// wants somebody.
func (a *alert) closed() bool {
	return strings.EqualFold(a.Status, "closed") || strings.EqualFold(a.Status, "resolved")
}

// answered says that somebody has acknowledged it. The flag is surer than the
// status, which stays “open” in many answers.
func (a *alert) answered() bool {
	if a.Acknowledged != nil {
		return *a.Acknowledged
	}
	return strings.EqualFold(a.Status, "acked")
}

// sleepsUntil is when its snooze ends, zero where it has none.
func (a *alert) sleepsUntil() time.Time {
	if a.Snoozed != nil && !*a.Snoozed {
		return time.Time{}
	}
	return readTime(a.SnoozedUntil)
}

// answeredBy is whoever acknowledged it, as the service writes users. JSM only
// tells the owner, who is the first to acknowledge unless one was named before.
func (a *alert) answeredBy() string {
	if a.Report.AcknowledgedBy != "" {
		return a.Report.AcknowledgedBy
	}
	return a.Owner
}

// identity is the shape of everything that may stand in a path.
var identity = regexp.MustCompile(`^[A-Za-z0-9_:.-]{1,120}$`)

func validID(id string) bool { return identity.MatchString(id) && strings.Trim(id, ".") != "" }

// stamp writes a time as both services read it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// readTime reads a time as UTC: RFC 3339, with and without seconds and in
// every way of writing the zone that is about, or milliseconds since 1970.
// What cannot be read is zero.
func readTime(told any) time.Time {
	switch told := told.(type) {
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05"} {
			if at, err := time.Parse(layout, told); err == nil {
				return at.UTC()
			}
		}
	case float64:
		if told > 0 && told < 1e14 {
			return time.UnixMilli(int64(told)).UTC()
		}
	}
	return time.Time{}
}
