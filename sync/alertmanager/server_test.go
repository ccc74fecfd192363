package alertmanager_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// The tests of this file speak to a real Alertmanager.

var (
	checkout = map[string]string{"alertname": "HighErrorRate", "instance": "web-1", "severity": "critical", "team": "web", "service": "checkout"}
	diskFull = map[string]string{"alertname": "DiskFull", "instance": "db-2", "severity": "warning", "team": "db"}
	watchdog = map[string]string{"alertname": "Watchdog", "severity": "none"}
)

func with(labels map[string]string, name, value string) map[string]string {
	more := map[string]string{name: value}
	for n, v := range labels {
		if n != name {
			more[n] = v
		}
	}
	return more
}

func fire(server *alertmanagertest.Server, labels map[string]string) {
	server.Post(firing(labels))
}

// firing is an alert as Prometheus sends it, with its start in whole seconds.
func firing(labels map[string]string) alertmanagertest.Alert {
	return alertmanagertest.Alert{
		Labels:      labels,
		Annotations: map[string]string{"summary": labels["alertname"] + " on " + labels["instance"]},
		StartsAt:    time.Now().Add(-time.Minute).Truncate(time.Second),
	}
}

func account(tb testing.TB, options alertmanager.Options) *alertmanager.Provider {
	tb.Helper()
	if options.User == "" {
		options.User = "anna"
	}
	options.Account = "work"
	p, err := alertmanager.New(options)
	if err != nil {
		tb.Fatalf("the account was refused: %v", err)
	}
	tb.Cleanup(p.Close)
	return p
}

func open(tb testing.TB, p *alertmanager.Provider) provider.Snapshot {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	snapshot, err := p.Open(ctx)
	if err != nil {
		tb.Fatalf("cannot list: %v", err)
	}
	return snapshot
}

// only returns the one page of the snapshot.
func only(tb testing.TB, p *alertmanager.Provider) page.Page {
	tb.Helper()
	pages := open(tb, p).Pages
	if len(pages) != 1 {
		tb.Fatalf("want one page, got %d: %+v", len(pages), pages)
	}
	return pages[0]
}

// named returns the page whose title begins with the alert's name.
func named(tb testing.TB, pages []page.Page, label, value string) page.Page {
	tb.Helper()
	for _, one := range pages {
		if slices.Contains(one.Labels, page.Label{Name: label, Value: value}) {
			return one
		}
	}
	tb.Fatalf("no page has %s=%q among %+v", label, value, pages)
	return page.Page{}
}

func TestAPageIsDescribed(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	started := time.Now().Add(-4 * time.Minute).UTC().Truncate(time.Millisecond)
	server.Post(alertmanagertest.Alert{
		Labels: checkout,
		Annotations: map[string]string{"summary": "5xx over \x1b[31m10 %", "description": "line one\nline two",
			"runbook_url": "https://runbooks.example.org/5xx", "dashboard_url": "javascript:alert(1)"},
		StartsAt: started, GeneratorURL: "http://prometheus.example.org/graph?g0.expr=x",
	})
	got := only(t, account(t, alertmanager.Options{URL: server.URL}))

	fingerprint := server.Alerts()[0].Fingerprint
	if want := fingerprint + "@" + started.Format(time.RFC3339Nano); got.UpstreamID != want {
		t.Errorf("identity %q, want %q", got.UpstreamID, want)
	}
	if got.ID != page.NewID("work", got.UpstreamID) || got.Account != "work" {
		t.Errorf("id %q of account %q", got.ID, got.Account)
	}
	if got.Title != "5xx over 10 %" || got.Details != "line one\nline two" || got.Service != "checkout" {
		t.Errorf("title %q, details %q, service %q", got.Title, got.Details, got.Service)
	}
	if got.Severity != page.Critical || got.Status != page.Triggered || !got.TriggeredAt.Equal(started) || got.TriggeredAt.Location() != time.UTC {
		t.Errorf("severity %s, status %s, at %s", got.Severity, got.Status, got.TriggeredAt)
	}
	if !got.Mine || got.Assigned || got.HandedOn || got.MutedBy != "" {
		t.Errorf("mine %v, assigned %v, handed on %v, muted by %q", got.Mine, got.Assigned, got.HandedOn, got.MutedBy)
	}
	links := []page.Link{{Text: "Runbook", URL: "https://runbooks.example.org/5xx"}, {Text: "Source", URL: "http://prometheus.example.org/graph?g0.expr=x"}}
	if !slices.Equal(got.Links, links) {
		t.Errorf("links %+v, want %+v: only the web may be clicked", got.Links, links)
	}
	if got.AnswerMutes != "silences this alert for the whole team for 30 minutes" {
		t.Errorf("answer mutes: %q", got.AnswerMutes)
	}
	if !strings.HasPrefix(got.URL, server.URL+"/#/alerts?") || !strings.Contains(got.URL, "HighErrorRate") {
		t.Errorf("URL %q", got.URL)
	}
	if !slices.IsSortedFunc(got.Labels, func(a, b page.Label) int { return strings.Compare(a.Name, b.Name) }) || len(got.Labels) != len(checkout) {
		t.Errorf("labels %+v", got.Labels)
	}
}

func TestAcknowledgeExtendAndTakeBack(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	p := account(t, alertmanager.Options{URL: server.URL, AckLasts: 10 * time.Minute})
	before := only(t, p)

	got, err := p.Acknowledge(t.Context(), before)
	if err != nil {
		t.Fatalf("acknowledge: %v", err)
	}
	if got.Status != page.Acknowledged || got.AcknowledgedBy != "anna" || !got.AcknowledgedByMe || got.UpstreamID != before.UpstreamID {
		t.Fatalf("after the acknowledgement: %+v", got)
	}
	if age := time.Since(got.AcknowledgedAt); age < -2*time.Second || age > 10*time.Second {
		t.Errorf("acknowledged %s ago", age)
	}
	if lasts := time.Until(got.AckExpiresAt); lasts < 9*time.Minute || lasts > 11*time.Minute {
		t.Errorf("runs out in %s, want ten minutes", lasts)
	}
	silences := server.ActiveSilences()
	if len(silences) != 1 {
		t.Fatalf("want one silence, got %+v", silences)
	}
	first := silences[0]
	if first.CreatedBy != "anna" || first.Comment != "Acknowledged by anna in Nightstand [nightstand:"+before.UpstreamID+"]" {
		t.Errorf("the silence is by %q: %q", first.CreatedBy, first.Comment)
	}
	if len(first.Matchers) != len(checkout) {
		t.Errorf("want all %d labels as matchers, got %+v", len(checkout), first.Matchers)
	}
	for _, matcher := range first.Matchers {
		if checkout[matcher.Name] != matcher.Value || matcher.IsRegex || !matcher.IsEqual {
			t.Errorf("matcher %+v", matcher)
		}
	}
	if polled := only(t, p); polled.Status != page.Acknowledged || !polled.AckExpiresAt.Equal(got.AckExpiresAt) {
		t.Errorf("the poll after says %+v", polled)
	}

	longer := account(t, alertmanager.Options{URL: server.URL, AckLasts: time.Hour})
	open(t, longer)
	again, err := longer.Acknowledge(t.Context(), got)
	if err != nil {
		t.Fatalf("acknowledge again: %v", err)
	}
	silences = server.ActiveSilences()
	if len(silences) != 1 || silences[0].ID != first.ID {
		t.Fatalf("an answer twice must prolong the one silence %s, got %+v", first.ID, silences)
	}
	if lasts := time.Until(again.AckExpiresAt); lasts < 59*time.Minute {
		t.Errorf("prolonged, it runs out in %s", lasts)
	}
	if polled := only(t, longer); !polled.AckExpiresAt.Equal(again.AckExpiresAt) {
		t.Errorf("the poll after gives %s, prolonged to %s", polled.AckExpiresAt, again.AckExpiresAt)
	}
	if shorter, err := p.Acknowledge(t.Context(), got); err != nil || !shorter.AckExpiresAt.Equal(again.AckExpiresAt) {
		t.Errorf("a shorter answer must not shorten: %s became %s (%v)", again.AckExpiresAt, shorter.AckExpiresAt, err)
	}

	back, err := p.Unacknowledge(t.Context(), again)
	if err != nil {
		t.Fatalf("take back: %v", err)
	}
	if back.Status != page.Triggered || back.AcknowledgedBy != "" || !back.AckExpiresAt.IsZero() {
		t.Errorf("taken back, yet %+v", back)
	}
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Errorf("taken back, still silenced: %+v", left)
	}
	if polled := only(t, p); polled.Status != page.Triggered {
		t.Errorf("the poll after says %s", polled.Status)
	}
}

func TestLabelsOfAllKindsCanBeAcknowledged(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	odd := map[string]string{"alertname": `Quote " and \ backslash`, "lines": "one\ntwo", "words": "Öl & Gas <b> 🛢 {a=\"b\"}, c=~.*",
		"hidden": "a\u202eb", "long": strings.Repeat("x y ", 1500), "spaces": "  two  "}
	server.Post(firing(odd), firing(with(odd, "words", "another")))
	p := account(t, alertmanager.Options{URL: server.URL})
	for _, wanted := range open(t, p).Pages {
		if got, err := p.Acknowledge(t.Context(), wanted); err != nil || got.Status != page.Acknowledged || got.UpstreamID != wanted.UpstreamID {
			t.Fatalf("acknowledge: %+v, %v", got, err)
		}
	}
	// An agent that has not listed anything yet knows no labels.
	fresh := account(t, alertmanager.Options{URL: server.URL})
	for _, known := range open(t, p).Pages {
		if got, err := fresh.Unacknowledge(t.Context(), known); err != nil || got.Status != page.Triggered {
			t.Fatalf("take back: %+v, %v", got, err)
		}
	}
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Fatalf("left: %+v", left)
	}
}

func TestAServerThatStandsStill(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	p := account(t, alertmanager.Options{URL: server.URL})
	wanted := only(t, p)
	server.Pause()
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := p.Acknowledge(brief, wanted)
	server.Resume()
	checkSentence(t, err, provider.Unreachable, "did not answer in time")
	if got, err := p.Acknowledge(t.Context(), wanted); err != nil || got.Status != page.Acknowledged {
		t.Fatalf("awake again: %+v, %v", got, err)
	}
}

func TestTakingBackEndsEverySilenceOfOurs(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	p := account(t, alertmanager.Options{URL: server.URL})
	wanted := only(t, p)
	for range 2 {
		server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(checkout), CreatedBy: "anna",
			Comment: "Acknowledged by anna in Nightstand [nightstand:" + wanted.UpstreamID + "]"})
	}
	if got, err := p.Unacknowledge(t.Context(), wanted); err != nil || got.Status != page.Triggered {
		t.Fatalf("take back: %+v, %v", got, err)
	}
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Fatalf("still silenced: %+v", left)
	}
}

func TestOurSilenceDoesNotAnswerAnotherAlert(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	more := with(checkout, "pod", "checkout-7")
	server.Post(firing(checkout), firing(more))
	p := account(t, alertmanager.Options{URL: server.URL})
	var plain page.Page
	for _, one := range open(t, p).Pages {
		if len(one.Labels) == len(checkout) {
			plain = one
		}
	}
	if _, err := p.Acknowledge(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	for _, listed := range server.Alerts() {
		if listed.Status.State != "suppressed" {
			t.Fatalf("the premise fails: the server should hold both alerts back, got %+v", listed.Status)
		}
	}
	pages := open(t, p).Pages
	if pod := named(t, pages, "pod", "checkout-7"); pod.Status != page.Triggered || pod.MutedBy != "" {
		t.Errorf("the alert with one label more must ring, got %s muted by %q", pod.Status, pod.MutedBy)
	}
	for _, one := range pages {
		if one.UpstreamID == plain.UpstreamID && one.Status != page.Acknowledged {
			t.Errorf("the acknowledged one is %s", one.Status)
		}
	}
}

func TestANewFiringUnderALiveSilenceRings(t *testing.T) {
	for name, restarted := range map[string]bool{"same agent": false, "agent started in between": true} {
		t.Run(name, func(t *testing.T) {
			server := alertmanagertest.Start(t, alertmanagertest.Options{})
			fire(server, checkout)
			p := account(t, alertmanager.Options{URL: server.URL})
			first := only(t, p)
			if _, err := p.Acknowledge(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			server.Resolve(checkout)
			again := firing(checkout)
			again.StartsAt = time.Now().UTC()
			server.Post(again)
			if restarted {
				p = account(t, alertmanager.Options{URL: server.URL})
			}
			second := only(t, p)
			if second.UpstreamID == first.UpstreamID || second.ID == first.ID {
				t.Fatalf("a new firing is a new page, got %q twice", first.UpstreamID)
			}
			if second.Status != page.Triggered || second.MutedBy != "" {
				t.Fatalf("the new firing must ring, got %s muted by %q", second.Status, second.MutedBy)
			}
			if left := server.ActiveSilences(); len(left) != 0 {
				t.Fatalf("the old firing's silence should be ended by the same poll, got %+v", left)
			}
			if _, err := p.Acknowledge(t.Context(), first); !errors.Is(err, provider.ErrGone) {
				t.Fatalf("the first firing is over, acknowledging it gave %v", err)
			}
		})
	}
}

func TestAnEndedFiringTakesItsSilenceAlong(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	server.Post(firing(checkout), firing(diskFull))
	p := account(t, alertmanager.Options{URL: server.URL})
	wanted := named(t, open(t, p).Pages, "service", "checkout")
	if _, err := p.Acknowledge(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	open(t, p)
	if active := server.ActiveSilences(); len(active) != 1 {
		t.Fatalf("a live firing keeps its silence, got %+v", active)
	}
	server.Resolve(checkout)
	if pages := open(t, p).Pages; len(pages) != 1 {
		t.Fatalf("want only the disk, got %+v", pages)
	}
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Fatalf("the firing is over, its silence holds on: %+v", left)
	}
	if _, err := p.Acknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Fatalf("acknowledging what has ended gave %v", err)
	}
	if _, err := p.Unacknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Fatalf("taking back what has ended gave %v", err)
	}
}

func TestOtherPeoplesSilencesAreLeftAlone(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	old := "Acknowledged by ben in Nightstand [nightstand:0123456789abcdef@2026-01-02T03:04:05Z]"
	server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(diskFull), CreatedBy: "ben", Comment: old})
	server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(diskFull), CreatedBy: "anna", Comment: "by hand"})
	fire(server, checkout)
	p := account(t, alertmanager.Options{URL: server.URL})
	open(t, p)
	open(t, p)
	if left := server.ActiveSilences(); len(left) != 2 {
		t.Fatalf("only silences of ours may be ended, left: %+v", left)
	}
}

func TestClocksDoNotMatter(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ours an hour behind": -time.Hour, "ours an hour ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			server := alertmanagertest.Start(t, alertmanagertest.Options{})
			early := firing(checkout)
			early.StartsAt = time.Now().Add(3 * time.Minute).UTC().Truncate(time.Second) // the sender's clock is ahead
			early.EndsAt = early.StartsAt.Add(time.Hour)
			server.Post(early)
			p := account(t, alertmanager.Options{URL: server.URL, Now: func() time.Time { return time.Now().Add(skew) }})
			wanted := only(t, p)
			if wanted.Status != page.Triggered {
				t.Fatalf("an alert that starts in the future rings, got %s", wanted.Status)
			}
			got, err := p.Acknowledge(t.Context(), wanted)
			if err != nil {
				t.Fatalf("acknowledge: %v", err)
			}
			if lasts := time.Until(got.AckExpiresAt); lasts < 29*time.Minute || lasts > 31*time.Minute {
				t.Errorf("it should last half an hour by the server's clock, not %s", lasts)
			}
			if polled := only(t, p); polled.Status != page.Acknowledged {
				t.Errorf("the poll after says %s", polled.Status)
			}
			if snapshot := open(t, p); time.Since(snapshot.ServerTime).Abs() > 5*time.Second {
				t.Errorf("the server's time is given as %s", snapshot.ServerTime)
			}
		})
	}
}

func TestSomebodyElseHasIt(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	anna := account(t, alertmanager.Options{URL: server.URL})
	ben := account(t, alertmanager.Options{URL: server.URL, User: "ben"})
	wanted := only(t, anna)
	if _, err := ben.Acknowledge(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	seen := only(t, anna)
	if seen.Status != page.Acknowledged || seen.AcknowledgedBy != "ben" || seen.AcknowledgedByMe || seen.MutedBy != "" {
		t.Fatalf("anna sees %+v", seen)
	}
	_, err := anna.Acknowledge(t.Context(), wanted)
	var taken *provider.TakenError
	if !errors.As(err, &taken) || taken.By != "ben" {
		t.Fatalf("anna's answer gave %v", err)
	}
	if still, err := anna.Unacknowledge(t.Context(), wanted); err != nil || still.AcknowledgedBy != "ben" {
		t.Fatalf("anna cannot take ben's answer back: %+v, %v", still, err)
	}
	if active := server.ActiveSilences(); len(active) != 1 || active[0].CreatedBy != "ben" {
		t.Fatalf("want ben's silence alone, got %+v", active)
	}
}

func TestTwoPeopleHaveIt(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	anna := account(t, alertmanager.Options{URL: server.URL})
	wanted := only(t, anna)
	for _, who := range []string{"ben", "anna", "chloé"} {
		time.Sleep(5 * time.Millisecond) // the server's times have whole milliseconds
		server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(checkout), CreatedBy: who,
			Comment: "Acknowledged by " + who + " in Nightstand [nightstand:" + wanted.UpstreamID + "]"})
	}
	if got := only(t, anna); got.AcknowledgedBy != "anna" || !got.AcknowledgedByMe {
		t.Errorf("anna is one of those who have it, she sees %+v", got)
	}
	dora := account(t, alertmanager.Options{URL: server.URL, User: "dora"})
	if got := only(t, dora); got.AcknowledgedBy != "ben" || got.AcknowledgedByMe {
		t.Errorf("ben was the first, dora sees %+v", got)
	}
}

func TestMutedUpstreamIsShownAndNotAnswered(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	ends := time.Now().Add(time.Hour).UTC()
	server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(map[string]string{"alertname": "DiskFull"}),
		CreatedBy: "ben", Comment: "deploying", EndsAt: ends})
	held := with(diskFull, "alertname", "SlowAnswers")
	held["instance"] = checkout["instance"]
	server.Post(firing(checkout), firing(diskFull), firing(held))
	p := account(t, alertmanager.Options{URL: server.URL})
	pages := open(t, p).Pages

	silenced := named(t, pages, "alertname", "DiskFull")
	if want := "silenced by ben until " + ends.Format("15:04 UTC") + ": deploying"; silenced.MutedBy != want || silenced.Status != page.Triggered {
		t.Errorf("muted by %q and %s, want %q", silenced.MutedBy, silenced.Status, want)
	}
	if inhibited := named(t, pages, "alertname", "SlowAnswers"); inhibited.MutedBy != "held back because another alert explains it: HighErrorRate" {
		t.Errorf("muted by %q", inhibited.MutedBy)
	}
	if loud := named(t, pages, "alertname", "HighErrorRate"); loud.MutedBy != "" {
		t.Errorf("muted by %q", loud.MutedBy)
	}
	if got, err := p.Acknowledge(t.Context(), silenced); err != nil || got.Status != page.Acknowledged {
		t.Errorf("a muted alert can be acknowledged too: %+v, %v", got, err)
	}
}

func TestARestartIsNotARecovery(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	server.Post(firing(checkout), firing(diskFull))
	p := account(t, alertmanager.Options{URL: server.URL})
	before := open(t, p)
	wanted := named(t, before.Pages, "alertname", "HighErrorRate")
	if _, err := p.Acknowledge(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	if open(t, p); before.Instance == "" {
		t.Fatal("the snapshot names no instance")
	}

	server.Stop()
	if _, err := p.Open(t.Context()); provider.KindOf(err) != provider.Unreachable || !strings.Contains(provider.Sentence(err), "refuses connections") {
		t.Fatalf("a stopped server gave %v", err)
	}
	server.Restart()
	after := open(t, p)
	if len(after.Pages) != 0 || after.Instance == before.Instance {
		t.Fatalf("after the restart: %d pages, instance %q and before %q", len(after.Pages), after.Instance, before.Instance)
	}
	open(t, p)
	if active := server.ActiveSilences(); len(active) != 1 {
		t.Fatalf("right after a restart an absent firing is not gone, yet its silence was ended: %+v", active)
	}
	if _, err := p.Acknowledge(t.Context(), named(t, before.Pages, "alertname", "DiskFull")); err == nil || errors.Is(err, provider.ErrGone) ||
		!strings.Contains(provider.Sentence(err), "restarted") {
		t.Fatalf("acknowledging what the server has forgotten gave %v", err)
	}

	// Prometheus sends it again, with the start it always had.
	again := firing(checkout)
	again.StartsAt = wanted.TriggeredAt
	server.Post(again)
	if back := only(t, p); back.UpstreamID != wanted.UpstreamID || back.Status != page.Acknowledged {
		t.Fatalf("sent again: %+v", back)
	}
	server.Resolve(checkout)
	open(t, p)
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Fatalf("seen since the restart and gone now, its silence should be ended: %+v", left)
	}
}

func TestMineByReceiverAndFilter(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	server.Post(firing(checkout), firing(diskFull), firing(watchdog), firing(with(diskFull, "instance", "db-9")))
	now := time.Now()
	clock := func() time.Time { return now }
	p := account(t, alertmanager.Options{URL: server.URL, Receiver: "team-db", Filters: []string{`instance=~"db-[0-5]"`}, Now: clock})
	first := open(t, p)
	if len(first.Pages) != 1 || first.Pages[0].Title != "DiskFull on db-2" {
		t.Fatalf("want the one disk of mine, got %+v", first.Pages)
	}
	if first.Heartbeat != provider.HeartbeatSeen {
		t.Fatalf("the heartbeat reaches another receiver and must be looked for, got %v", first.Heartbeat)
	}
	if next := open(t, p); next.Heartbeat != provider.HeartbeatNotRead {
		t.Fatalf("it need not be looked for in each poll, got %v", next.Heartbeat)
	}
	server.Resolve(watchdog)
	now = now.Add(31 * time.Second)
	if later := open(t, p); later.Heartbeat != provider.HeartbeatMissing {
		t.Fatalf("gone, yet %v", later.Heartbeat)
	}

	// The silence of a firing that this account does not list stays.
	other := account(t, alertmanager.Options{URL: server.URL})
	if _, err := other.Acknowledge(t.Context(), named(t, open(t, other).Pages, "alertname", "HighErrorRate")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(31 * time.Second)
	open(t, p)
	if active := server.ActiveSilences(); len(active) != 1 {
		t.Fatalf("the other account's acknowledgement was ended: %+v", active)
	}
}

func TestTheHeartbeatNeverBecomesAPage(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	p := account(t, alertmanager.Options{URL: server.URL})
	if missing := open(t, p); missing.Heartbeat != provider.HeartbeatMissing {
		t.Fatalf("nothing fires, yet %v", missing.Heartbeat)
	}
	fire(server, watchdog)
	seen := open(t, p)
	if len(seen.Pages) != 0 || seen.Heartbeat != provider.HeartbeatSeen {
		t.Fatalf("pages %+v, heartbeat %v", seen.Pages, seen.Heartbeat)
	}
	none := account(t, alertmanager.Options{URL: server.URL, Heartbeats: []string{}})
	if unasked := open(t, none); unasked.Heartbeat != provider.HeartbeatNotRead || len(unasked.Pages) != 1 {
		t.Fatalf("without a heartbeat it is a page like others: %+v", unasked)
	}
}

func TestPasswordTLSAndPrefix(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true, TLS: true, RoutePrefix: "/paging"})
	fire(server, checkout)
	right := alertmanager.Options{URL: server.URL + "/#/alerts", User: alertmanagertest.User, Secret: alertmanagertest.Password, Way: web.Way{CAFile: server.CAFile}}
	p := account(t, right)
	if got, err := p.Acknowledge(t.Context(), only(t, p)); err != nil || got.AcknowledgedBy != alertmanagertest.User {
		t.Fatalf("acknowledge: %+v, %v", got, err)
	}
	login := right
	login.URL = strings.Replace(server.URL, "https://", "https://"+alertmanagertest.User+"@", 1) + "/api/v2/"
	login.User = "Anna Berger"
	open(t, account(t, login))

	for name, one := range map[string]struct {
		change func(*alertmanager.Options)
		kind   provider.Kind
		says   string
	}{
		"unknown authority": {func(o *alertmanager.Options) { o.Way.CAFile = "" }, provider.Untrusted, "--ca"},
		"wrong name":        {func(o *alertmanager.Options) { o.URL = strings.Replace(o.URL, "127.0.0.1", "localhost", 1) }, provider.Untrusted, "another name"},
		"wrong password":    {func(o *alertmanager.Options) { o.Secret = "sesame" }, provider.Refused, "user name or password"},
		"no password":       {func(o *alertmanager.Options) { o.Secret = "" }, provider.Refused, "asks for a password"},
		"a token instead":   {func(o *alertmanager.Options) { o.Auth = "bearer" }, provider.Refused, "token"},
		"http on its port":  {func(o *alertmanager.Options) { o.URL = strings.Replace(o.URL, "https", "http", 1) }, provider.NotTheAPI, "https://"},
		"no prefix":         {func(o *alertmanager.Options) { o.URL = strings.Replace(o.URL, "/paging", "", 1) }, provider.NotTheAPI, "route prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := right
			one.change(&wrong)
			_, err := account(t, wrong).Open(t.Context())
			if provider.KindOf(err) != one.kind || !strings.Contains(provider.Sentence(err), one.says) {
				t.Fatalf("kind %s: %v; want %s with %q", provider.KindOf(err), err, one.kind, one.says)
			}
			for _, secret := range []string{alertmanagertest.Password, "sesame", alertmanagertest.User + "@"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
}

func TestIntroduction(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, diskFull)
	got, err := account(t, alertmanager.Options{URL: server.URL, Secret: "unneeded"}).Test(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Service, "Alertmanager 0.") || got.User != "anna" || len(got.Open) != 1 {
		t.Errorf("introduced as %+v", got)
	}
	if !slices.Equal(got.Receivers, []string{"default", "team-db", "team-web"}) {
		t.Errorf("receivers %q", got.Receivers)
	}
	notes := strings.Join(got.Notes, "\n")
	for _, want := range []string{"is taken as yours", "asks for no password", "Prometheus goes quiet"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q: %s", want, notes)
		}
	}
	misspelt, err := account(t, alertmanager.Options{URL: server.URL, Receiver: "team-bd"}).Test(t.Context())
	if err != nil || !strings.Contains(strings.Join(misspelt.Notes, "\n"), "No receiver") {
		t.Errorf("a misspelt receiver gave %+v, %v", misspelt.Notes, err)
	}
	_, err = account(t, alertmanager.Options{URL: server.URL, Filters: []string{"team"}}).Test(t.Context())
	if provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "bad matcher format") {
		t.Errorf("a bad filter gave %v", err)
	}
}

func TestManyAtOnceStayUnderTheServersLimit(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	var alerts []alertmanagertest.Alert
	for i := range 40 {
		alerts = append(alerts, firing(with(diskFull, "instance", "db-"+string(rune('a'+i%26))+string(rune('a'+i/26)))))
	}
	server.Post(alerts...)
	p := account(t, alertmanager.Options{URL: server.URL})
	pages := open(t, p).Pages
	var all sync.WaitGroup
	for _, one := range pages {
		all.Go(func() {
			if got, err := p.Acknowledge(t.Context(), one); err != nil || got.UpstreamID != one.UpstreamID || got.Status != page.Acknowledged {
				t.Errorf("acknowledge: %+v, %v", got, err)
			}
		})
		all.Go(func() {
			if _, err := p.Open(t.Context()); err != nil {
				t.Errorf("open: %v", err)
			}
		})
	}
	all.Wait()
	for _, one := range open(t, p).Pages {
		if one.Status != page.Acknowledged {
			t.Errorf("%s is %s", one.Title, one.Status)
		}
	}
	if active := server.ActiveSilences(); len(active) != len(pages) {
		t.Errorf("%d pages, %d silences", len(pages), len(active))
	}
}
