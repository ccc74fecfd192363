package goalert

import (
	"net/http/httptest"
	"testing"

	"nightstand/sync/goalert/goalerttest"
)

func TestNothingIsKeptOfWhatHasEnded(t *testing.T) {
	service := goalerttest.New(goalerttest.Options{})
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	p, err := New(Options{Account: "work", URL: server.URL, User: goalerttest.User, Secret: goalerttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	for range 3 {
		id := service.Page("Disk full")
		snapshot, err := p.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Acknowledge(t.Context(), snapshot.Pages[0]); err != nil {
			t.Fatal(err)
		}
		service.Resolve(id)
		for range 2 {
			if _, err := p.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if kept := len(p.answers) + len(p.taken) + p.confirmed.Len() + len(p.listed); kept > 0 {
			t.Errorf("%d things are kept of it", kept)
		}
	}
}
