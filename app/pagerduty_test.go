package app

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/config"
	"nightstand/app/control"
	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/drill"
)

// opensDrill is the bundled paging service on this machine, with Ana's account.
func opensDrill(t *testing.T) (*drill.Service, control.NewAccount) {
	t.Helper()
	service, err := drill.New(drill.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := service.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return service, control.NewAccount{Name: "work", Provider: "pagerduty", URL: url, Secret: drill.DefaultKey, MemoryOnly: true}
}

// said is whether a sentence is kept for the user.
func (e *evening) said(words string) bool {
	return slices.ContainsFunc(e.agent.State().Notices, func(n control.Notice) bool { return n.Text == words })
}

const wentToBela = "Nobody answered “Orders are lost” in time, so it went to Béla Kovács."

func TestAPagerDutyPageRingsAndGoesToTheSecondaryWhenNobodyAnswers(t *testing.T) {
	service, work := opensDrill(t)
	o := opensOffice(t)
	report, err := o.agent.AddAccount(t.Context(), work)
	if err != nil || !report.OK || !report.Kept || report.User != "Ana Lima" || report.Service != "PagerDuty" {
		t.Fatalf("the account gave %+v (%v)", report, err)
	}
	o.until("the account is seen", func() bool { return o.seen("work") })
	if mine := o.account("work").Mine; mine != "what is assigned to you" {
		t.Errorf("mine is %q", mine)
	}
	service.Trigger(drill.Trigger{Title: "Orders are lost", Priority: "P1", EscalateAfter: 8 * time.Second})
	o.until("it rings and is shown", func() bool { return o.bell.pattern() == watch.Critical && len(o.agent.Pages(false)) == 1 })
	p := o.agent.Pages(false)[0]
	if p.AssignedTo != "Ana Lima" || p.EscalatesTo != "Béla Kovács" || p.EscalatesAt == nil {
		t.Errorf("the page is %+v", p)
	}
	body := one(t, *o.agent.state.Load(), noteAlarm).Body
	if want := "Goes to Béla Kovács at " + p.EscalatesAt.In(time.Local).Format("15:04") + "."; !strings.Contains(body, want) {
		t.Errorf("the notification says %q, want %q in it", body, want)
	}

	o.until("it is said that it went to Béla", func() bool { return o.said(wentToBela) })
	o.mustSound(t, watch.Silent, "for a page of Béla's")
	ended := o.page(t, p.ID)
	if ended.Ending != watch.EndedReassigned || ended.AssignedTo != "Béla Kovács" {
		t.Errorf("it is %+v", ended)
	}
	if outcomes, err := o.agent.Acknowledge(t.Context(), []string{p.ID}, false); err != nil || outcomes[0].Sentence != "Béla Kovács has the page now; there is nothing to do here." {
		t.Errorf("answering it now gave %+v (%v)", outcomes, err)
	}

	service.Trigger(drill.Trigger{Title: "Another", Priority: "P2"})
	o.until("another page rings", func() bool { return o.bell.pattern() == watch.Degraded && len(o.agent.Pages(false)) == 1 })
	outcomes, err := o.agent.Acknowledge(t.Context(), []string{o.agent.Pages(false)[0].ID}, false)
	if err != nil || len(outcomes) != 1 || !outcomes[0].Done {
		t.Errorf("answering gave %+v (%v)", outcomes, err)
	}
	log := service.Log()
	if last := log[len(log)-1]; last.Kind != "acknowledge" || last.By != "Ana Lima" {
		t.Errorf("the service's log ends with %+v", last)
	}
	if strings.Contains(o.log.String(), drill.DefaultKey) {
		t.Error("the key is in the log")
	}
}

func TestAPageThatWentOnWhileTheAgentWasAwayIsNotCalledResolved(t *testing.T) {
	service, work := opensDrill(t)
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
	id := service.Trigger(drill.Trigger{Title: "Orders are lost", Priority: "P1"})
	first.until("it rings", func() bool { return first.bell.pattern() == watch.Critical })
	first.end()
	if err := service.Reassign(id, "PBELA002"); err != nil {
		t.Fatal(err)
	}

	second := &office{evening: runs(t, parts, nil), t: t}
	defer second.end()
	second.until("the page is over", func() bool { return len(second.agent.Pages(false)) == 0 })
	ended := second.agent.Pages(true)
	if len(ended) != 1 || ended[0].Ending != string(watch.EndedReassigned) || ended[0].AssignedTo != "Béla Kovács" {
		t.Errorf("it is told as %+v", ended)
	}
}

func TestWhatOnlyAnAlertmanagerHasIsRefusedForPagerDuty(t *testing.T) {
	o := opensOffice(t)
	for name, change := range map[string]func(*control.NewAccount){
		"a receiver":       func(a *control.NewAccount) { a.Receiver = "team-db" },
		"a filter":         func(a *control.NewAccount) { a.Filters = []string{`team="db"`} },
		"a way to log in":  func(a *control.NewAccount) { a.Auth = "bearer" },
		"a severity label": func(a *control.NewAccount) { a.SeverityLabel = "priority" },
		"a heartbeat":      func(a *control.NewAccount) { a.Heartbeats = []string{"Watchdog"} },
	} {
		new := control.NewAccount{Name: "work", Provider: "pagerduty", NoTest: true}
		change(&new)
		if _, err := o.agent.AddAccount(t.Context(), new); err == nil || !strings.Contains(err.Error(), "means nothing to pagerduty") {
			t.Errorf("%s gave %v", name, err)
		}
	}
	new := control.NewAccount{Name: "work", Provider: "pagerduty", URL: "http://pagerduty.example", NoTest: true}
	if _, err := o.agent.AddAccount(t.Context(), new); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("an address without encryption gave %v", err)
	}
}
