package alertmanager_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
)

// stormBody is a list as the server sends it, about 2.6 MB for 5000 alerts.
// The minute goes into updatedAt, which moves with every re-send.
func stormBody(alerts, minute int) string {
	var body strings.Builder
	body.WriteByte('[')
	for i := range alerts {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"annotations":{"description":"Node node-%04d of cluster fra1 has been unreachable for five minutes, pods are being moved.","runbook_url":"https://runbooks.example.org/NodeDown","summary":"Node node-%04d unreachable"},`+
			`"endsAt":"2026-11-29T17:%02d:24.000Z","fingerprint":"%016x","receivers":[{"name":"team-db"}],"startsAt":"2026-11-22T16:52:24.000Z",`+
			`"status":{"inhibitedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-11-22T17:%02d:24.997Z","generatorURL":"http://prom.example.org/graph?g0.expr=NodeDown",`+
			`"labels":{"alertname":"NodeDown","cluster":"fra1","instance":"node-%04d","severity":"warning","team":"db"}}`, i, i, minute%60, i, minute%60, i)
	}
	body.WriteByte(']')
	return body.String()
}

// stormAccount lists the bodies in turn.
func stormAccount(tb testing.TB, bodies ...string) *alertmanager.Provider {
	tb.Helper()
	turn := 0
	s := scripted(tb)
	s.on("GET alerts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write([]byte(bodies[turn%len(bodies)])); err != nil {
			tb.Errorf("cannot send the storm: %v", err)
		}
		turn++
	})
	p := account(tb, alertmanager.Options{URL: s.URL})
	open(tb, p)
	return p
}

// BenchmarkOpen5000 is one poll in a storm: the same bytes again, and a list
// in which everything was sent again since. At a poll every three seconds,
// 150 ms an operation are five percent of a core.
func BenchmarkOpen5000(b *testing.B) {
	for name, bodies := range map[string][]string{
		"unchanged": {stormBody(5000, 1)},
		"resent":    {stormBody(5000, 1), stormBody(5000, 2)},
	} {
		b.Run(name, func(b *testing.B) {
			p := stormAccount(b, bodies...)
			b.SetBytes(int64(len(bodies[0])))
			b.ReportAllocs()
			for b.Loop() {
				if pages := open(b, p).Pages; len(pages) != 5000 {
					b.Fatalf("%d pages", len(pages))
				}
			}
		})
	}
}

func TestAStormOnARealServer(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{Config: "route: {receiver: default}\nreceivers: [{name: default}]\n"})
	var alerts []alertmanagertest.Alert
	for i := range 5000 {
		alerts = append(alerts, firing(with(diskFull, "instance", fmt.Sprintf("db-%04d", i))))
	}
	server.Post(alerts...)
	p := account(t, alertmanager.Options{URL: server.URL})
	pages := open(t, p).Pages
	ids := map[string]bool{}
	for _, one := range pages {
		ids[one.ID] = true
	}
	if len(pages) != 5000 || len(ids) != 5000 {
		t.Fatalf("%d pages with %d ids", len(pages), len(ids))
	}
	if again := open(t, p).Pages; len(again) != 5000 {
		t.Fatalf("%d pages in the second poll", len(again))
	}
}
