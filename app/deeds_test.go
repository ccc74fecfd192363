package app

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nightstand/app/config"
	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/drill"
)

// pages opens a page at the bundled service and waits until it rings.
func (o *office) pages(service *drill.Service, title string) (id, upstream string) {
	o.t.Helper()
	upstream = service.Trigger(drill.Trigger{Title: title, Priority: "P1"})
	o.until("it rings", func() bool {
		for _, p := range o.agent.Pages(false) {
			if p.UpstreamID == upstream && p.Ringing {
				id = p.ID
			}
		}
		return id != ""
	})
	return id, upstream
}

// done has a deed done and is not content with less.
func (o *office) done(id string, asked control.Deed) control.Outcome {
	o.t.Helper()
	outcome, err := o.agent.Do(o.t.Context(), id, asked)
	if err != nil || !outcome.Done {
		o.t.Fatalf("%s: %+v, %v", asked.Deed, outcome, err)
	}
	return outcome
}

// refused is a deed that must not be done, and why not.
func (o *office) refused(id string, asked control.Deed) string {
	o.t.Helper()
	outcome, err := o.agent.Do(o.t.Context(), id, asked)
	var said *control.RefusedError
	if !errors.As(err, &said) {
		o.t.Fatalf("%s: %+v, %v", asked.Deed, outcome, err)
	}
	return said.Sentence
}

// kinds are what the service's log says of a page, from the first answer on.
func kinds(service *drill.Service, upstream string) []string {
	var all []string
	for _, e := range service.Log() {
		if e.IncidentID == upstream && !slices.Contains([]string{"trigger", "assign", "notify"}, e.Kind) {
			all = append(all, e.Kind)
		}
	}
	return all
}

func (o *office) tells(id, kind string) bool {
	detail, err := o.agent.Page(o.t.Context(), id)
	return err == nil && slices.ContainsFunc(detail.Timeline, func(e control.Entry) bool { return e.Kind == kind })
}

func worksAt(t *testing.T) (*office, *drill.Service) {
	t.Helper()
	service, work := opensDrill(t)
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	o.until("the account is seen", func() bool { return o.seen("work") })
	return o, service
}

func TestSnoozingAnswersAndSaysUntilWhen(t *testing.T) {
	o, service := worksAt(t)
	id, upstream := o.pages(service, "Orders are lost")
	outcome := o.done(id, control.Deed{Deed: "snooze", ForSeconds: 3600})
	if !strings.HasPrefix(outcome.Sentence, "Snoozed until ") {
		t.Errorf("it says %q", outcome.Sentence)
	}
	o.mustSound(t, watch.Silent, "for a snoozed page")
	o.until("the page is known to be snoozed", func() bool {
		at := o.page(t, id).SnoozedUntil
		return !at.IsZero() && time.Until(at).Round(time.Minute) == time.Hour
	})
	if got := kinds(service, upstream); !slices.Equal(slices.Compact(got), []string{"acknowledge", "snooze"}) {
		t.Errorf("the service's log says %v", got)
	}
	o.until("the timeline tells of it", func() bool { return o.tells(id, "snoozed") })
	for _, asked := range []control.Deed{{Deed: "snooze", ForSeconds: 1}, {Deed: "snooze"}, {Deed: "snooze", ForSeconds: 8 * 24 * 3600}} {
		if said := o.refused(id, asked); !strings.HasSuffix(said, "Nothing was done.") {
			t.Errorf("%+v: %q", asked, said)
		}
	}
}

func TestResolvingEndsThePage(t *testing.T) {
	o, service := worksAt(t)
	id, upstream := o.pages(service, "Orders are lost")
	o.done(id, control.Deed{Deed: "resolve", Text: "restarted it"})
	o.until("it is over", func() bool { return len(o.agent.Pages(false)) == 0 })
	o.mustSound(t, watch.Silent, "for a resolved page")
	got := kinds(service, upstream)
	if last := len(got) - 1; last < 0 || got[last] != "resolve" && got[last] != "annotate" || slices.Contains(got, "reopen") {
		t.Errorf("the service's log says %v", got)
	}
}

func TestThePageGoesToWhoeverIsNamed(t *testing.T) {
	for name, asked := range map[string]control.Deed{
		"the next step": {Deed: "escalate"}, "the secondary": {Deed: "reassign", To: "secondary"},
		"a first name": {Deed: "reassign", To: "béla"}, "an identity": {Deed: "reassign", To: "PBELA002"},
	} {
		t.Run(name, func(t *testing.T) {
			o, service := worksAt(t)
			id, _ := o.pages(service, "Orders are lost")
			if outcome := o.done(id, asked); !strings.Contains(outcome.Sentence, "Béla Kovács") {
				t.Errorf("it says %q", outcome.Sentence)
			}
			o.until("it is Béla's", func() bool { return len(o.agent.Pages(false)) == 0 })
			if ended := o.page(t, id); ended.Ending != watch.EndedReassigned {
				t.Errorf("it ended as %q", ended.Ending)
			}
			o.mustSound(t, watch.Silent, "for a page of Béla's")
		})
	}
	o, service := worksAt(t)
	id, _ := o.pages(service, "Orders are lost")
	for to, want := range map[string]string{"nobody": "Nobody there is called “nobody”", "": "Say who gets the page", "primary": "The primary is you"} {
		if said := o.refused(id, control.Deed{Deed: "reassign", To: to}); !strings.Contains(said, want) || !strings.Contains(said, "Nothing was done") {
			t.Errorf("to %q: %q", to, said)
		}
	}
	o.mustSound(t, watch.Critical, "for a page that nobody was given")
}

func TestANoteGoesToTheServiceOnlyWhenItIsSent(t *testing.T) {
	o, service := worksAt(t)
	id, upstream := o.pages(service, "Orders are lost")
	for _, send := range []bool{false, true} {
		if _, err := o.agent.AddNote(t.Context(), id, control.NewNote{Text: "disk is full", Send: send}); err != nil {
			t.Fatal(err)
		}
	}
	o.until("the note is at the service", func() bool { return o.tells(id, "note_sent") })
	if got := kinds(service, upstream); !slices.Equal(got, []string{"annotate"}) {
		t.Errorf("the service's log says %v", got)
	}
	up, err := o.agent.Describe(t.Context(), id)
	if err != nil || len(up.Notes) != 1 || up.Notes[0].Text != "disk is full" || !up.Notes[0].ByMe {
		t.Errorf("the service tells %+v, %v", up.Notes, err)
	}
}

// What was asked for without a network is done when there is one again, also by
// the agent's next start, and only once.
func TestWhatWaitsSurvivesTheAgent(t *testing.T) {
	service, work := opensDrill(t)
	var away atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	work.URL = server.URL
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "n.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	log := slog.New(slog.DiscardHandler)
	parts := Parts{Store: kept, Accounts: NewAccounts(kept, secret.ForHome(t.TempDir()), config.Defaults(), log, true)}
	first := &office{evening: runs(t, parts, nil), t: t}
	if _, err := first.agent.AddAccount(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	id, upstream := first.pages(service, "Orders are lost")
	if outcomes, err := first.agent.Acknowledge(t.Context(), []string{id}, false); err != nil || !outcomes[0].Done {
		t.Fatalf("the answer gave %+v, %v", outcomes, err)
	}
	away.Store(true)
	outcome, err := first.agent.Do(t.Context(), id, control.Deed{Deed: "resolve"})
	if err != nil || outcome.Done || !strings.HasPrefix(outcome.Sentence, "Not yet: ") {
		t.Errorf("without a network it gave %+v, %v", outcome, err)
	}
	if _, err := first.agent.AddNote(t.Context(), id, control.NewNote{Text: "disk is full", Send: true}); err != nil {
		t.Fatal(err)
	}
	first.until("both wait", func() bool { return len(first.account("work").Waiting) == 2 })
	first.end()
	away.Store(false)
	second := &office{evening: runs(t, parts, nil), t: t}
	defer second.end()
	second.until("both are done", func() bool {
		got := kinds(service, upstream)
		return slices.Contains(got, "resolve") && slices.Contains(got, "annotate")
	})
	second.until("nothing waits", func() bool { return second.seen("work") && len(second.account("work").Waiting) == 0 })
	if got := kinds(service, upstream); !slices.Equal(got, []string{"acknowledge", "resolve", "annotate"}) {
		t.Errorf("the service's log says %v", got)
	}
}

func TestWhatAServiceCannotDoIsSaidAndNothingIsAnswered(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "prod", Provider: "alertmanager", URL: server.URL, User: "ben"}); err != nil {
		t.Fatal(err)
	}
	server.Post(alertmanagertest.Alert{Labels: map[string]string{"alertname": "DiskFull", "severity": "critical"}})
	o.until("it rings", func() bool { return o.bell.pattern() == watch.Critical && len(o.agent.Pages(false)) == 1 })
	id := o.agent.Pages(false)[0].ID
	for _, deed := range []string{"resolve", "escalate", "reassign", "dance"} {
		if said := o.refused(id, control.Deed{Deed: deed, To: "ben"}); said == "" {
			t.Errorf("%s is refused without a word", deed)
		}
	}
	if said := o.refused(id, control.Deed{Deed: "resolve"}); said != "The account prod (alertmanager) cannot resolve a page from here. It ends when its cause ends, or in the service itself." {
		t.Errorf("it says %q", said)
	}
	o.mustSound(t, watch.Critical, "for a page that nobody answered")
	if p := o.page(t, id); p.Status != page.Triggered {
		t.Errorf("the page is %s", p.Status)
	}
}

// The service's promises are by its own clock; countdowns here go by ours.
func TestCountdownsGoByTheServicesClock(t *testing.T) {
	service, err := drill.New(drill.Options{Now: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := service.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "work", Provider: "pagerduty", URL: url, Secret: drill.DefaultKey, MemoryOnly: true}); err != nil {
		t.Fatal(err)
	}
	service.Trigger(drill.Trigger{Title: "Orders are lost", Priority: "P1", EscalateAfter: 5 * time.Minute})
	o.until("it rings", func() bool { return o.bell.pattern() == watch.Critical && len(o.agent.Pages(false)) == 1 })
	left := time.Until(*o.agent.Pages(false)[0].EscalatesAt)
	if left < 4*time.Minute+50*time.Second || left > 5*time.Minute+10*time.Second {
		t.Errorf("by this machine's clock it goes on in %v", left)
	}
	if ahead := o.account("work").ClockAhead; ahead < 590 || ahead > 610 {
		t.Errorf("the service is said to be ahead by %v s", ahead)
	}
	o.until("it is said that the clocks differ", func() bool {
		return slices.ContainsFunc(o.agent.State().Armed.Signals, func(s control.Signal) bool {
			return s.Name == clockSignal && s.State == "warning" && strings.Contains(s.Detail, "10 min ahead of")
		})
	})
}
