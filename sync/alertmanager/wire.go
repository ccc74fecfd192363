package alertmanager

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// alert is one alert as the server lists it. Times are read by hand, so that
// one odd time cannot make the whole list unreadable.
type alert struct {
	Fingerprint  string            `json:"fingerprint"`
	StartsAt     string            `json:"startsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	Status       struct {
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
		// MutedBy names time intervals; servers before 0.28 do not send it.
		MutedBy []string `json:"mutedBy"`
	} `json:"status"`

	started time.Time
	firing  string
}

// settle works out what the alert's identity rests on. The same instant gives
// the same identity however the server writes it down.
func (a *alert) settle() {
	a.started = readTime(a.StartsAt)
	if a.Fingerprint == "" {
		a.Fingerprint = fingerprintOf(a.Labels)
	}
	a.firing = a.Fingerprint + "@" + a.started.Format(time.RFC3339Nano)
}

// fingerprintOf stands in where a server sends no fingerprint.
func fingerprintOf(labels map[string]string) string {
	hash := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(hash, "%q=%q,", name, labels[name])
	}
	return fmt.Sprintf("%016x", hash.Sum64())
}

// readTime reads an RFC 3339 time as UTC in milliseconds, which is as fine as
// every version of the server writes it. What cannot be read is the zero time.
func readTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC().Truncate(time.Millisecond)
}

// alertList refuses a null in place of an alert: what cannot be read must not
// look like nothing.
type alertList []*alert

func (l alertList) check() error {
	if l == nil {
		return fmt.Errorf("null instead of a list of alerts")
	}
	if slices.Contains(l, nil) {
		return fmt.Errorf("null instead of an alert")
	}
	return nil
}

// silence is one silence as the server lists it and takes it.
type silence struct {
	ID        string    `json:"id,omitempty"`
	Matchers  []matcher `json:"matchers"`
	StartsAt  string    `json:"startsAt"`
	EndsAt    string    `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	Status    *struct {
		State string `json:"state"`
	} `json:"status,omitempty"`
}

type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	// IsEqual is absent on very old servers, where it means true.
	IsEqual *bool `json:"isEqual,omitempty"`
}

func (s silence) active() bool { return s.Status != nil && s.Status.State == "active" }

// serverStatus is what we want of /status. Its config holds the team's
// secrets and is not even decoded.
type serverStatus struct {
	// Uptime is when the server was started, whatever its name says.
	Uptime      string `json:"uptime"`
	VersionInfo struct {
		Version string `json:"version"`
	} `json:"versionInfo"`
}

// errorWords finds the server's own words in the three shapes its errors come
// in: a bare JSON string, an object with a message, and plain text.
func errorWords(contentType string, body []byte) string {
	var words string
	if json.Unmarshal(body, &words) == nil {
		return plain(words, 200)
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &object) == nil {
		return plain(object.Message, 200)
	}
	if strings.HasPrefix(contentType, "text/plain") {
		return plain(string(body), 200)
	}
	return ""
}
