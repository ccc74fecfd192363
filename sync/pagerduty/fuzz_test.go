package pagerduty_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/drill"
	"nightstand/sync/pagerduty"
)

// FuzzIncidents answers with any text as the list of incidents: it is an error,
// or every page can be shown.
func FuzzIncidents(f *testing.F) {
	f.Add(`{"incidents":[{"id":"PT4KHLK","title":"Orders are lost","status":"triggered","urgency":"high","created_at":"2026-11-22T10:00:00Z","assignments":[{"assignee":{"id":"PANA0001"}}],"pending_actions":[{"type":"escalate","at":"2026-11-22T10:30:00Z"}]}],"limit":100,"offset":0,"more":false}`)
	f.Add(`{"incidents":[null,{"id":null}],"more":null}`)
	f.Add(`{"incidents":[{"id":"a/b","status":7}],"more":true}`)
	f.Add(`[]`)
	service, err := drill.New(drill.Options{})
	if err != nil {
		f.Fatal(err)
	}
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/incidents" {
			service.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(body))
	}))
	f.Cleanup(server.Close)
	p, err := pagerduty.New(pagerduty.Options{Account: "prod", URL: server.URL, Secret: drill.DefaultKey})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.Close)
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
