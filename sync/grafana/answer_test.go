package grafana_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nightstand/app/page"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
)

func TestWhatHappensWhileAnAnswerIsOnItsWay(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*night, string)
		fits    func(page.Page, error) bool
	}{
		"another was quicker": {
			func(n *night, id string) { n.service.Acknowledge(id, "Bela") },
			func(_ page.Page, err error) bool {
				var taken *provider.TakenError
				return errors.As(err, &taken) && taken.By == "bela"
			},
		},
		"I was quicker in Grafana itself": {
			func(n *night, id string) { n.service.Acknowledge(id, "ana") },
			func(p page.Page, err error) bool { return err == nil && p.AcknowledgedByMe },
		},
		"it ended": {
			func(n *night, id string) { n.service.Resolve(id) },
			func(_ page.Page, err error) bool { return errors.Is(err, provider.ErrGone) },
		},
		"it was deleted": {
			func(n *night, id string) { n.service.Delete(id) },
			func(_ page.Page, err error) bool { return errors.Is(err, provider.ErrGone) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := begin(t)
			id := n.service.Page("Disk full")
			wanted := n.see(id)
			n.before("/acknowledge/", func() { c.happens(n, id) })
			if after, err := n.provider.Acknowledge(t.Context(), wanted); !c.fits(after, err) {
				t.Errorf("%v, %+v", err, after)
			}
			if did := n.service.Applied(id); len(did) > 0 {
				t.Errorf("the service did %v", did)
			}
		})
	}
}

func TestAnAnswerToWhatWasDeletedIsTooLate(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	wanted := n.see(id)
	n.service.Delete(id)
	if _, err := n.provider.Acknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}

func TestAnAnswerOutOfASilenceEndsIt(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.service.Silence(id, n.now().Add(time.Hour))
	after, err := n.provider.Acknowledge(t.Context(), n.see(id))
	if err != nil || after.Status != page.Acknowledged || !after.AcknowledgedByMe || after.MutedBy != "" {
		t.Errorf("%v, %+v", err, after)
	}
}

func TestAnAnswerThatTheServiceTakesItsTimeToShow(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	wanted := n.see(id)
	looks := 0
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+id+"/") {
			if looks++; looks == 2 { // the look after the answer
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"id":"` + id + `","state":"firing"}`))
				return true
			}
		}
		return false
	})
	if after, err := n.provider.Acknowledge(t.Context(), wanted); err != nil || !after.AcknowledgedByMe {
		t.Errorf("%v, %+v", err, after)
	}
}

func TestAListOlderThanAnAnswerDoesNotUndoIt(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	wanted := n.see(id)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("state") != "new" {
			return false
		}
		n.service.ServeHTTP(w, r) // as it was
		n.interfere(nil)
		if _, err := n.provider.Acknowledge(t.Context(), wanted); err != nil {
			t.Error(err)
		}
		return true
	})
	if got := n.see(id); got.Status != page.Acknowledged {
		t.Errorf("%+v", got)
	}
}

func TestAnothersAnswerIsNotTakenBack(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.service.Acknowledge(id, "Bela")
	var taken *provider.TakenError
	if _, err := n.provider.Unacknowledge(t.Context(), n.see(id)); !errors.As(err, &taken) || taken.By != "bela" {
		t.Errorf("it says %v", err)
	}
	n.service.RunOut(id)
	if after, err := n.provider.Unacknowledge(t.Context(), n.see(id)); err != nil || after.Status != page.Triggered {
		t.Errorf("%v, %+v", err, after)
	}
	n.service.Resolve(id)
	if _, err := n.provider.Unacknowledge(t.Context(), page.Page{UpstreamID: id}); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
	if did := n.service.Applied(id); len(did) > 0 {
		t.Errorf("the service did %v", did)
	}
}

func TestWhoeverAnsweredWithoutANameIsStillSomebody(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{Title: "Disk full", State: "acknowledged"})
	if got := n.see(id); got.Status != page.Acknowledged || got.AcknowledgedBy == "" || got.AcknowledgedByMe {
		t.Errorf("%+v", got)
	}
	var taken *provider.TakenError
	if _, err := n.provider.Acknowledge(t.Context(), n.see(id)); !errors.As(err, &taken) || taken.By == "" {
		t.Errorf("it says %v", err)
	}
}

func TestASlowListHoldsUpNoAnswer(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	wanted := n.see(id)
	waiting, over := make(chan struct{}), make(chan struct{})
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("state") == "silenced" {
			close(waiting)
			<-over
		}
		return false
	})
	done := make(chan error)
	go func() {
		_, err := n.provider.Open(context.Background())
		done <- err
	}()
	<-waiting
	if _, err := n.provider.Acknowledge(t.Context(), wanted); err != nil {
		t.Error(err)
	}
	close(over)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhoeverWaitsForAnotherGivesUpInTime(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	wanted := n.see(id)
	over := make(chan struct{})
	waiting := make(chan struct{}, 10)
	n.interfere(func(http.ResponseWriter, *http.Request) bool {
		waiting <- struct{}{}
		<-over
		return false
	})
	asks := map[string]func(context.Context) error{
		"the list":            func(ctx context.Context) error { _, err := n.provider.Open(ctx); return err },
		"the acknowledgement": func(ctx context.Context) error { _, err := n.provider.Acknowledge(ctx, wanted); return err },
		"the description":     func(ctx context.Context) error { _, err := n.provider.Describe(ctx, wanted); return err },
	}
	var first sync.WaitGroup
	for name, ask := range asks {
		first.Go(func() {
			if err := ask(context.Background()); err != nil {
				t.Errorf("%s was disturbed: %v", name, err)
			}
		})
		<-waiting
	}
	asks["the people"] = func(ctx context.Context) error { _, err := n.provider.People(ctx); return err }
	for name, ask := range asks {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if said := refused(t, ask(ctx), "did not answer in time"); said.Kind != provider.Unreachable {
			t.Errorf("%s is %s", name, said.Kind)
		}
		cancel()
	}
	close(over)
	first.Wait()
}

func TestNothingGoesOnAfterTheEnd(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.see(id)
	n.provider.Close()
	before := goleak.IgnoreCurrent()
	other := n.connect()
	ctx, cancel := context.WithCancel(t.Context())
	n.interfere(func(http.ResponseWriter, *http.Request) bool {
		cancel()
		return false
	})
	if _, err := other.Open(ctx); err == nil {
		t.Error("a list came although nobody waited any more")
	}
	n.interfere(nil)
	if _, err := other.Acknowledge(t.Context(), page.Page{UpstreamID: id}); err != nil {
		t.Error(err)
	}
	other.Close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
