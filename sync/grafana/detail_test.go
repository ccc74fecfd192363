package grafana_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
)

func (n *night) describe(id string) provider.Detail {
	n.t.Helper()
	told, err := n.provider.Describe(n.t.Context(), page.Page{UpstreamID: id})
	if err != nil {
		n.t.Fatal(err)
	}
	return told
}

func TestADescriptionHoldsAlertsTimesAndNotes(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{Title: "Disk full", Team: grafanatest.Databases, Payloads: []map[string]any{
		{"title": "First", "state": "alerting", "message": "90 %"},
		{"status": "firing", "commonLabels": map[string]any{"alertname": "DiskFull", "severity": "critical"}, "commonAnnotations": map[string]any{"runbook_url": "https://runbooks.example/disk"}},
	}})
	n.pass(time.Minute)
	n.service.Acknowledge(id, "Bela")
	for _, text := range []string{"one", "two\x1b[2J"} {
		n.pass(time.Minute)
		if _, err := n.do(n.see(id), provider.Errand{Deed: provider.Note, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	n.pass(time.Minute)
	n.service.Resolve(id)
	told := n.describe(id)
	if told.Page.UpstreamID != id || told.Page.Open() || len(told.Missing) != 0 {
		t.Errorf("%+v", told)
	}
	if len(told.Alerts) != 2 || told.Alerts[0].Title != "DiskFull" || told.Alerts[0].Severity != "critical" || told.Alerts[0].Status != "firing" ||
		len(told.Alerts[0].Links) != 1 || told.Alerts[1].Status != "alerting" || told.Alerts[1].Details != "90 %" {
		t.Errorf("%+v", told.Alerts)
	}
	var log []string
	for _, one := range told.Log {
		log = append(log, one.At.Format("15:04 ")+one.Who+one.Text)
	}
	if got := strings.Join(log, " "); got != "03:02 It fired. 03:03 belaIt was acknowledged. 03:06 It was resolved." {
		t.Errorf("%q", got)
	}
	if len(told.Notes) != 2 || told.Notes[0].Text != "one" || told.Notes[1].Text != "two" || told.Notes[0].By != "ana" || !told.Notes[0].ByMe {
		t.Errorf("%+v", told.Notes)
	}
}

func TestADescriptionSaysWhatIsMissing(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{Title: "Flood", Payloads: make([]map[string]any, 60)})
	if told := n.describe(id); len(told.Alerts) != 50 || len(told.Missing) != 1 || !strings.Contains(told.Missing[0], "newest 50 of its 60") {
		t.Errorf("%d alerts, %q", len(told.Alerts), told.Missing)
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v1/alerts/") || strings.HasPrefix(r.URL.Path, "/api/v1/resolution_notes/") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	if told := n.describe(id); len(told.Missing) != 2 || told.Page.Title != "Flood" {
		t.Errorf("%+v", told)
	}
	n.service.Delete(id)
	if _, err := n.provider.Describe(t.Context(), page.Page{UpstreamID: id}); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}
