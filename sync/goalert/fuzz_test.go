package goalert

import (
	"testing"
	"time"

	"nightstand/app/page"
)

// FuzzAnswer reads any answer as a list: nothing panics, and what passes for a
// list holds pages with an identity and a title only.
func FuzzAnswer(f *testing.F) {
	p, err := New(Options{Account: "work", URL: "https://goalert.example", User: "anna", Secret: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"alerts":{"nodes":[{"id":"5","alertID":5,"status":"StatusAcknowledged","summary":"x","createdAt":"2026-11-22T17:23:59.401175Z","service":{"id":"a"},"state":{"lastEscalation":"2026-11-22T17:24:03Z","stepNumber":0,"repeatCount":0},"meta":[null,{"key":"severity","value":"info"}],"recentEvents":{"nodes":[null,{"message":"Acknowledged by ("}],"pageInfo":null}}],"pageInfo":{"endCursor":"x","hasNextPage":false}}}`))
	f.Add([]byte(`{"alerts":{"nodes":[{"id":"-1"},{"id":7}],"pageInfo":{"hasNextPage":true}}}`))
	f.Add([]byte(`{"alerts":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer struct {
			Alerts alertList `json:"alerts"`
		}
		if decode(body, &answer) != nil || answer.Alerts.check("") != nil {
			return
		}
		for _, one := range answer.Alerts.Nodes {
			got := p.describe(one, user{Name: "Anna Berger"})
			if got.UpstreamID == "" || !page.ValidID(got.ID) || got.Title == "" || got.TriggeredAt.Location() != time.UTC {
				t.Errorf("%s becomes %+v", body, got)
			}
			one.events()
			policy{read: true}.next(one)
		}
	})
}
