package alertmanager_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
)

// FuzzAlerts answers with any text as the list of alerts: it is an error, or
// every page can be shown.
func FuzzAlerts(f *testing.F) {
	f.Add(`[{"fingerprint":"a","startsAt":"2026-11-23T03:02:00.000Z","labels":{"alertname":"DiskFull","severity":"critical"},"annotations":{"summary":"x"},"status":{"state":"active","silencedBy":[],"inhibitedBy":[]},"receivers":[{"name":"db"}]}]`)
	f.Add(`[{"fingerprint":null,"startsAt":"yesterday","labels":null,"status":null,"receivers":[null]},null]`)
	f.Add(`{}`)
	f.Add(`"`)
	body := ""
	s := scripted(f)
	s.on("GET alerts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(body))
	})
	p := account(f, alertmanager.Options{URL: s.URL})
	f.Fuzz(func(t *testing.T, text string) {
		body = text
		snapshot, err := p.Open(t.Context())
		if err != nil && len(snapshot.Pages) > 0 {
			t.Errorf("%d pages and %v", len(snapshot.Pages), err)
		}
		for _, got := range snapshot.Pages {
			if got.UpstreamID == "" || got.Title == "" || !page.ValidID(got.ID) || got.TriggeredAt.Location() != time.UTC || got.Severity == "" {
				t.Errorf("%+v", got)
			}
		}
	})
}
