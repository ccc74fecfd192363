package alertmanagertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/sync/provider"
)

// Service is a real Alertmanager as a paging service that a test holds in its
// hands. What is asked of it over HTTP goes through a proxy, which writes down
// what was done.
type Service struct {
	server *Server
	tb     testing.TB
	proxy  http.Handler
	labels map[string]map[string]string // firing → the labels of its alert

	mutex    sync.Mutex
	done     map[string][]string // firing → what the user did
	silences map[string]string   // silence of the user → its firing
}

// Hold takes a running server for one test, and empties it.
func Hold(tb testing.TB, server *Server) *Service {
	tb.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{DisableKeepAlives: true} // nothing of it may outlive a request
	s := &Service{server: server, tb: tb, proxy: proxy, labels: map[string]map[string]string{}, done: map[string][]string{}, silences: map[string]string{}}
	for _, one := range server.Alerts() {
		server.Resolve(one.Labels)
	}
	for _, one := range server.ActiveSilences() {
		server.Expire(one.ID)
	}
	return s
}

// ServeHTTP passes a request on, and notes what it did to silences.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.proxy.ServeHTTP(w, r)
		return
	}
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(asked))
	recorder := httptest.NewRecorder()
	s.proxy.ServeHTTP(recorder, r)
	if recorder.Code == http.StatusOK {
		s.note(r, asked, recorder.Body.Bytes())
	}
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes()) // a caller that has gone needs no answer
}

func (s *Service) note(r *http.Request, asked, answered []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if r.Method == http.MethodDelete {
		firing := s.silences[path.Base(r.URL.Path)]
		s.done[firing] = append(s.done[firing], "unacknowledge")
		return
	}
	var silence Silence
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	if json.Unmarshal(asked, &silence) != nil || json.Unmarshal(answered, &made) != nil {
		return // no silence
	}
	_, firing, _ := strings.Cut(silence.Comment, "[nightstand:")
	firing = strings.TrimSuffix(firing, "]")
	did := "acknowledge"
	if strings.HasPrefix(silence.Comment, "Snoozed") {
		did = string(provider.Snooze)
	}
	s.silences[made.SilenceID] = firing
	s.done[firing] = append(s.done[firing], did)
}

// Page fires an alert of its own.
func (s *Service) Page(title string) string {
	s.tb.Helper()
	labels := map[string]string{"alertname": "DiskFull", "instance": fmt.Sprintf("db-%d", len(s.labels)+1), "severity": "critical", "test": s.tb.Name()}
	s.server.Post(Alert{Labels: labels, Annotations: map[string]string{"summary": title}, StartsAt: time.Now().Add(-time.Minute).Truncate(time.Second)})
	for _, one := range s.server.Alerts() {
		if one.Labels["instance"] == labels["instance"] && one.Labels["test"] == labels["test"] {
			firing := one.Fingerprint + "@" + one.StartsAt.UTC().Format(time.RFC3339Nano)
			s.labels[firing] = labels
			return firing
		}
	}
	s.tb.Fatalf("the Alertmanager does not list what was posted: %v", labels)
	return ""
}

// Acknowledge is somebody else's Nightstand answering.
func (s *Service) Acknowledge(id, somebody string) {
	s.tb.Helper()
	s.server.Silence(Silence{Matchers: Equal(s.labels[id]), CreatedBy: somebody, Comment: "Acknowledged by " + somebody + " in Nightstand [nightstand:" + id + "]"})
}

// Resolve is the alert ceasing to fire.
func (s *Service) Resolve(id string) {
	s.tb.Helper()
	s.server.Resolve(s.labels[id])
}

// RunOut ends all silences of the firing, as their time would.
func (s *Service) RunOut(id string) {
	s.tb.Helper()
	for _, one := range s.server.ActiveSilences() {
		if strings.Contains(one.Comment, id) {
			s.server.Expire(one.ID)
		}
	}
}

// Reopen never happens: an alert that fires again is another page.
func (s *Service) Reopen(string) { s.tb.Fatal("an Alertmanager opens nothing again") }

// GiveAway never happens: nobody is assigned at an Alertmanager.
func (s *Service) GiveAway(string, string) { s.tb.Fatal("an Alertmanager assigns nothing") }

// Restart starts the server again, without its alerts.
func (s *Service) Restart() {
	s.tb.Helper()
	s.server.Restart()
}

// Applied is what went through the proxy for a firing.
func (s *Service) Applied(id string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string(nil), s.done[id]...)
}
