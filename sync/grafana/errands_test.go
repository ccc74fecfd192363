package grafana_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
)

func TestASnoozeIsASilenceWithAnEndThatWeKnow(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	until := n.now().Add(90 * time.Minute)
	after, err := n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: until})
	if err != nil || !after.SnoozedUntil.Equal(until) || after.MutedBy == "" || after.Status != page.Triggered {
		t.Fatalf("%v, %+v", err, after)
	}
	n.provider = n.connect() // the agent was started anew
	n.provider.Remember([]page.Page{after})
	if got := n.see(id); !got.SnoozedUntil.Equal(until) {
		t.Errorf("%+v", got)
	}
	n.pass(time.Minute)
	n.service.Silence(id, time.Time{}) // by somebody else, for ever
	if got := n.see(id); !got.SnoozedUntil.IsZero() || got.MutedBy == "" {
		t.Errorf("%+v", got)
	}
}

func TestASnoozeEnds(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	if _, err := n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	n.pass(time.Hour + 2*time.Second)
	if got := n.see(id); got.MutedBy != "" || !got.SnoozedUntil.IsZero() || got.Status != page.Triggered {
		t.Errorf("%+v", got)
	}
}

func TestASnoozeCanBeTakenBack(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	after, err := n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if after, err = n.provider.Unacknowledge(t.Context(), after); err != nil || after.MutedBy != "" {
		t.Errorf("%v, %+v", err, after)
	}
	n.service.Silence(id, time.Time{})
	if after, err = n.provider.Unacknowledge(t.Context(), after); err != nil || after.MutedBy == "" {
		t.Errorf("somebody else's silence was ended: %v, %+v", err, after)
	}
	if did := n.service.Applied(id); !slices.Equal(did, []string{"snooze", "unsilence"}) {
		t.Errorf("the service did %v", did)
	}
}

func TestWhatIHaveAcknowledgedIsNotSilencedBehindMyBack(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	mine, err := n.provider.Acknowledge(t.Context(), n.see(id))
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.do(mine, provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)})
	if refused(t, err, "Take your acknowledgement back first"); errors.Is(err, provider.ErrUnsupported) {
		t.Error("snoozing is possible here")
	}
	if did := n.service.Applied(id); !slices.Equal(did, []string{"acknowledge"}) {
		t.Errorf("the service did %v", did)
	}
}

func TestASnoozeThatComesTooLate(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	_, err := n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(-time.Second)})
	refused(t, err, "is over")

	n.before("/silence/", func() { n.service.Acknowledge(id, "Bela") })
	var taken *provider.TakenError
	if _, err = n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)}); !errors.As(err, &taken) {
		t.Errorf("it says %v", err)
	}
	n.before("/silence/", func() { n.service.Resolve(id) })
	n.service.RunOut(id)
	if _, err = n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)}); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}

func TestASnoozeGoesByTheServicesClock(t *testing.T) {
	n := begin(t)
	n.provider = n.connect(func(o *grafana.Options) {
		o.Now = func() time.Time { return n.now().Add(10 * time.Minute) } // this machine is fast
	})
	id := n.service.Page("Disk full")
	if _, err := n.do(n.see(id), provider.Errand{Deed: provider.Snooze, Until: n.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	n.pass(time.Hour - 2*time.Second)
	if got := n.see(id); got.MutedBy == "" {
		t.Error("it ended too early")
	}
	n.pass(4 * time.Second)
	if got := n.see(id); got.MutedBy != "" {
		t.Error("it ended too late")
	}
}

func TestEscalatingPagesSomebodyInAddition(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	bela := page.Person{ID: grafanatest.Bela, Name: "Bela"}
	after, err := n.do(n.see(id), provider.Errand{Deed: provider.Escalate, To: bela})
	if err != nil || after.UpstreamID != id || after.Status != page.Triggered || !slices.Equal(n.service.Paged(id), []string{grafanatest.Bela}) {
		t.Errorf("%v, %+v, paged %v", err, after, n.service.Paged(id))
	}
	_, err = n.do(after, provider.Errand{Deed: provider.Escalate})
	refused(t, err, "Choose whom")
	_, err = n.do(after, provider.Errand{Deed: provider.Escalate, To: page.Person{ID: "UNOBODY"}})
	refused(t, err, "there is no user UNOBODY")
	n.before("/escalation/", func() { n.service.Resolve(id) })
	if _, err = n.do(after, provider.Errand{Deed: provider.Escalate, To: bela}); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}

func TestHowItWasResolvedBecomesANote(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	errand := provider.Errand{Deed: provider.Resolve, Text: "Old logs deleted.", Asked: n.now()}
	after, err := n.do(n.see(id), errand)
	if err != nil || after.Open() {
		t.Fatalf("%v, %+v", err, after)
	}
	errand.Tried = true
	if _, err = n.do(after, errand); err != nil {
		t.Error(err)
	}
	if did := n.service.Applied(id); !slices.Equal(did, []string{"resolve", "note"}) {
		t.Errorf("the service did %v", did)
	}
	n.service.Delete(id)
	if _, err = n.do(after, errand); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}

func TestTheSameWordsOnAnotherNightAreAnotherNote(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	errand := provider.Errand{Deed: provider.Note, Text: "Same as yesterday.", Asked: n.now()}
	if _, err := n.do(n.see(id), errand); err != nil {
		t.Fatal(err)
	}
	n.pass(24 * time.Hour)
	errand.Asked, errand.Tried = n.now(), true
	if _, err := n.do(n.see(id), errand); err != nil {
		t.Fatal(err)
	}
	if notes := n.service.Notes(id); len(notes) != 2 {
		t.Errorf("%q", notes)
	}
	_, err := n.do(n.see(id), provider.Errand{Deed: provider.Note, Text: " \n"})
	refused(t, err, "without words")
	_, err = n.do(page.Page{UpstreamID: "a/b"}, provider.Errand{Deed: provider.Note, Text: "Hello."})
	refused(t, err, "no identity")
}

func TestAPageIsNotHandedOver(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	_, err := n.do(n.see(id), provider.Errand{Deed: provider.Reassign, To: page.Person{ID: grafanatest.Bela}})
	if refused(t, err, "Escalate it"); !errors.Is(err, provider.ErrUnsupported) || n.heard("POST") != 0 {
		t.Errorf("%v, and %d orders", err, n.heard("POST"))
	}
}
