package pagerduty_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"nightstand/sync/drill"
	"nightstand/sync/pagerduty"
)

// BenchmarkPoll is one look at so many open pages. The service is in the same
// process, so its own work counts too.
func BenchmarkPoll(b *testing.B) {
	for _, open := range []int{25, 1000, 5000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			service, err := drill.New(drill.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for number := range open {
				service.Trigger(drill.Trigger{Title: fmt.Sprintf("Orders are lost in shop %d", number), Priority: "P2"})
			}
			server := httptest.NewServer(service)
			defer server.Close()
			p, err := pagerduty.New(pagerduty.Options{Account: "prod", URL: server.URL, Secret: drill.DefaultKey})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			if _, err := p.Open(b.Context()); err != nil { // what every page is asked once
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				snapshot, err := p.Open(b.Context())
				if err != nil || len(snapshot.Pages) != open {
					b.Fatalf("%d pages, %v", len(snapshot.Pages), err)
				}
			}
		})
	}
}
