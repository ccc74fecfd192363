package alertmanagertest

import (
	"encoding/json"
	"net/http"
	"time"
)

// Alert is one alert as a sender posts it. Zero times are left out, and the
// server then puts in its own (start: now, end: five minutes on).
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// ListedAlert is one alert as the server lists it.
type ListedAlert struct {
	Alert
	Fingerprint string    `json:"fingerprint"`
	UpdatedAt   time.Time `json:"updatedAt"`
	Status      struct {
		State       string   `json:"state"`
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

// Matcher is one condition of a silence.
type Matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

// Silence is one silence, as posted (ID empty) and as listed.
type Silence struct {
	ID        string    `json:"id,omitempty"`
	Matchers  []Matcher `json:"matchers"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	Status    *struct {
		State string `json:"state"`
	} `json:"status,omitempty"`
}

// Active says that the silence holds now, by the server's word.
func (s Silence) Active() bool { return s.Status != nil && s.Status.State == "active" }

// Equal makes the matchers that demand exactly these labels.
func Equal(labels map[string]string) []Matcher {
	var matchers []Matcher
	for name, value := range labels {
		matchers = append(matchers, Matcher{Name: name, Value: value, IsEqual: true})
	}
	return matchers
}

// Post fires alerts, or sends them again.
func (s *Server) Post(alerts ...Alert) {
	s.tb.Helper()
	s.call(http.MethodPost, "/api/v2/alerts", alerts, nil)
}

// Resolve ends the alerts with these labels now.
func (s *Server) Resolve(labels ...map[string]string) {
	s.tb.Helper()
	now := time.Now()
	var alerts []Alert
	for _, one := range labels {
		// Without a start the server would put the alert's start to its end.
		alerts = append(alerts, Alert{Labels: one, StartsAt: now.Add(-time.Hour), EndsAt: now.Add(-time.Millisecond)})
	}
	s.Post(alerts...)
}

// Alerts lists every alert, silenced and held back ones included.
func (s *Server) Alerts() []ListedAlert {
	s.tb.Helper()
	var alerts []ListedAlert
	s.call(http.MethodGet, "/api/v2/alerts", nil, &alerts)
	return alerts
}

// Silence puts a silence in place and returns its id. Zero times mean from now
// for one hour; an empty comment becomes "deploying".
func (s *Server) Silence(silence Silence) string {
	s.tb.Helper()
	if silence.StartsAt.IsZero() {
		silence.StartsAt = time.Now()
	}
	if silence.EndsAt.IsZero() {
		silence.EndsAt = silence.StartsAt.Add(time.Hour)
	}
	if silence.Comment == "" {
		silence.Comment = "deploying"
	}
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	s.call(http.MethodPost, "/api/v2/silences", silence, &made)
	return made.SilenceID
}

// Expire ends a silence.
func (s *Server) Expire(id string) {
	s.tb.Helper()
	s.call(http.MethodDelete, "/api/v2/silence/"+id, nil, nil)
}

// Silences lists all silences, expired ones included.
func (s *Server) Silences() []Silence {
	s.tb.Helper()
	var silences []Silence
	s.call(http.MethodGet, "/api/v2/silences", nil, &silences)
	return silences
}

// ActiveSilences lists the silences that hold now.
func (s *Server) ActiveSilences() []Silence {
	s.tb.Helper()
	var active []Silence
	for _, silence := range s.Silences() {
		if silence.Active() {
			active = append(active, silence)
		}
	}
	return active
}

func (s *Server) call(method, path string, body, into any) {
	s.tb.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.tb.Fatalf("cannot put the request into words: %v", err)
		}
	}
	got, err := s.send(method, path, text)
	if err != nil {
		s.tb.Fatalf("%s %s at the Alertmanager: %v", method, path, err)
	}
	if got.status != http.StatusOK {
		s.tb.Fatalf("%s %s at the Alertmanager answered %d: %s", method, path, got.status, got.body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		s.tb.Fatalf("%s %s at the Alertmanager made no sense: %v", method, path, err)
	}
}
