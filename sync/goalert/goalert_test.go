package goalert_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/goalert"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
)

// clock goes only when it is told to.
type clock struct {
	mutex sync.Mutex
	at    time.Time
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

func (c *clock) pass(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(by)
}

// night is a provider that speaks to a GoAlert, with somebody between them who
// may interfere.
type night struct {
	*clock
	*goalerttest.Server
	account *goalert.Provider
	address string

	mutex   sync.Mutex
	between func(w http.ResponseWriter, r *http.Request) bool
}

func (n *night) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mutex.Lock()
	between := n.between
	n.mutex.Unlock()
	w.Header().Set("Date", n.now().Format(http.TimeFormat))
	if between == nil || !between(w, r) {
		n.Server.ServeHTTP(w, r)
	}
}

// interfere lets somebody answer instead of GoAlert by returning true.
func (n *night) interfere(between func(http.ResponseWriter, *http.Request) bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.between = between
}

func begin(t *testing.T, change ...func(*goalerttest.Options)) *night {
	t.Helper()
	t.Parallel()
	n := &night{clock: &clock{at: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)}}
	options := goalerttest.Options{Now: n.now}
	for _, one := range change {
		one(&options)
	}
	n.Server = goalerttest.New(options)
	if !n.Validates() {
		t.Log("GoAlert's schema is not at hand, so the requests are not checked against it")
	}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.address = server.URL
	n.account = n.logIn(t)
	return n
}

func (n *night) logIn(t *testing.T, change ...func(*goalert.Options)) *goalert.Provider {
	t.Helper()
	options := goalert.Options{Account: "work", URL: n.address, User: goalerttest.User, Secret: goalerttest.Password, Now: n.now}
	for _, one := range change {
		one(&options)
	}
	return connect(t, options)
}

// withKey connects with an API key that was made for this query.
func (n *night) withKey(t *testing.T, query string, lasts time.Duration) *goalert.Provider {
	t.Helper()
	return n.logIn(t, func(o *goalert.Options) { o.User, o.Secret = "", n.Key(query, n.now().Add(lasts)) })
}

func open(t *testing.T, p provider.Provider) []page.Page {
	t.Helper()
	snapshot, err := p.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Pages
}

func only(t *testing.T, p provider.Provider) page.Page {
	t.Helper()
	pages := open(t, p)
	if len(pages) != 1 {
		t.Fatalf("%d pages are listed, want one: %+v", len(pages), pages)
	}
	return pages[0]
}

func TestPageTellsAllThatMattersTonight(t *testing.T) {
	n := begin(t)
	id := n.Trigger(goalerttest.Alert{
		Summary: "Orders \x1b[31mlost\u202e", Paged: []string{goalerttest.Anna}, Noise: "Not actionable",
		Details: "See [the runbook](https://runbooks.example/orders), https://dash.example/orders. And [this](javascript:alert(1)).\nSecond line",
		Meta:    map[string]string{"severity": "critical", "graph": "https://graph.example/1", "trap": "file:///etc/passwd"},
	})
	got := only(t, n.account)
	want := page.Page{
		ID: page.NewID("work", id), Account: "work", UpstreamID: id, Number: "#1", Title: "Orders lost", Service: goalerttest.Checkout,
		Details:  "See [the runbook](https://runbooks.example/orders), https://dash.example/orders. And [this](javascript:alert(1)).\nSecond line",
		Severity: page.Critical, Status: page.Triggered, TriggeredAt: n.now(), AssignedTo: goalerttest.Anna,
		EscalatesAt: n.now().Add(5 * time.Minute), EscalatesTo: goalerttest.Ben, Mine: true, Assigned: true, HandedOn: true,
		URL: n.address + "/alerts/1",
	}
	wantLinks := []page.Link{{Text: "graph", URL: "https://graph.example/1"}, {Text: "the runbook", URL: "https://runbooks.example/orders"}, {Text: "https://dash.example/orders", URL: "https://dash.example/orders"}}
	wantLabels := []page.Label{{Name: "marked as noise", Value: "Not actionable"}, {Name: "graph", Value: "https://graph.example/1"}, {Name: "severity", Value: "critical"}, {Name: "trap", Value: "file:///etc/passwd"}}
	if !slices.Equal(got.Links, wantLinks) || !slices.Equal(got.Labels, wantLabels) {
		t.Errorf("links %+v, labels %+v", got.Links, got.Labels)
	}
	got.Links, got.Labels = nil, nil
	if g, w := got, want; g.Title != w.Title || g.Details != w.Details || g.EscalatesAt != w.EscalatesAt || g.TriggeredAt != w.TriggeredAt ||
		g.ID != w.ID || g.Number != w.Number || g.Service != w.Service || g.Severity != w.Severity || g.Status != w.Status ||
		g.AssignedTo != w.AssignedTo || g.EscalatesTo != w.EscalatesTo || !g.Mine || !g.Assigned || !g.HandedOn || g.URL != w.URL || g.MutedBy != "" {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAnAlertWithoutATitleHasWords(t *testing.T) {
	n := begin(t)
	n.Page("\x00 \u200b")
	if got := only(t, n.account); got.Title != "An alert without a title #1" {
		t.Errorf("%q", got.Title)
	}
}

func TestNothingIsQuietBecauseItCannotBeRead(t *testing.T) {
	n := begin(t)
	n.account = n.logIn(t, func(o *goalert.Options) {
		o.Severities = map[string]page.Severity{"P9": page.Hidden, "Team=Toys": page.Other, "warning": page.Critical}
	})
	n.Serve(goalerttest.Setup{Name: "Quiet", Labels: map[string]string{"severity": "info"}})
	for _, c := range []struct {
		why, service string
		meta         map[string]string
		want         page.Severity
	}{
		{"nothing is said", "", nil, page.Degraded},
		{"the alert says it", "", map[string]string{"Severity": "Critical"}, page.Critical},
		{"the alert says it is minor", "", map[string]string{"priority": "minor"}, page.Minor},
		{"a word of nobody's", "", map[string]string{"severity": "whatever"}, page.Degraded},
		{"the user's own word", "", map[string]string{"severity": "p9"}, page.Hidden},
		{"the user's word over ours", "", map[string]string{"severity": "warning"}, page.Critical},
		{"the user's rule on a label", "", map[string]string{"team": "toys"}, page.Other},
		{"the worst of two", "", map[string]string{"severity": "info", "priority": "high"}, page.Degraded},
		{"the service says it", "Quiet", nil, page.Hidden},
		{"the alert knows better than the service", "Quiet", map[string]string{"severity": "error"}, page.Degraded},
		{"a word of nobody's on a quiet service", "Quiet", map[string]string{"severity": "?"}, page.Degraded},
	} {
		n.Trigger(goalerttest.Alert{Summary: c.why, Service: c.service, Meta: c.meta, Paged: []string{goalerttest.Anna}})
		pages := open(t, n.account)
		got := pages[slices.IndexFunc(pages, func(p page.Page) bool { return p.Title == c.why && p.Open() })]
		if got.Severity != c.want {
			t.Errorf("%s: %s, want %s", c.why, got.Severity, c.want)
		}
		n.Resolve(got.UpstreamID)
	}
	if _, err := goalert.New(goalert.Options{URL: "https://goalert.example", User: "a", Severities: map[string]page.Severity{"p1": "loud"}}); provider.KindOf(err) != provider.Invalid {
		t.Errorf("a severity that does not exist passes: %v", err)
	}
}

func TestWhereAnAlertGoesNext(t *testing.T) {
	n := begin(t)
	later := n.now().Add(2 * time.Hour)
	n.Serve(goalerttest.Setup{Name: "Once", OnCall: [][]string{{goalerttest.Anna}}, Delays: []int{5}})
	n.Serve(goalerttest.Setup{Name: "Cared for", OnCall: [][]string{{goalerttest.Anna}, {goalerttest.Ben}}, Delays: []int{5, 5}, Maintained: later})
	for _, c := range []struct {
		why      string
		alert    goalerttest.Alert
		at       time.Duration // 0 for no time
		to       string
		handedOn bool
		muted    bool
	}{
		{"to the second step", goalerttest.Alert{}, 5 * time.Minute, goalerttest.Ben, true, false},
		{"to several people", goalerttest.Alert{Step: 1}, 10 * time.Minute, goalerttest.Anna + " and " + goalerttest.Chloe, true, false},
		{"round again", goalerttest.Alert{Step: 2, Repeats: 1}, 15 * time.Minute, goalerttest.Anna, true, false},
		{"nowhere after the last round", goalerttest.Alert{Step: 2, Repeats: 2}, 0, "", false, false},
		{"nowhere where there is one step", goalerttest.Alert{Service: "Once"}, 0, "", false, false},
		{"not known yet", goalerttest.Alert{Fresh: true}, 0, "", true, false},
		{"a step that is not there any more", goalerttest.Alert{Step: 9}, 0, "", true, false},
		{"nowhere during maintenance", goalerttest.Alert{Service: "Cared for"}, 0, "", false, true},
	} {
		c.alert.Summary, c.alert.Paged = c.why, []string{goalerttest.Anna}
		id := n.Trigger(c.alert)
		pages := open(t, n.account)
		got := pages[slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == id })]
		want := time.Time{}
		if c.at > 0 {
			want = n.now().Add(c.at)
		}
		if got.EscalatesAt != want || got.EscalatesTo != c.to || got.HandedOn != c.handedOn || (got.MutedBy != "") != c.muted {
			t.Errorf("%s: at %s to %q, handed on %v, muted %q", c.why, got.EscalatesAt, got.EscalatesTo, got.HandedOn, got.MutedBy)
		}
		n.Resolve(id)
	}
	id := n.Page("Answered")
	n.Acknowledge(id, goalerttest.Ben)
	pages := open(t, n.account)
	answered := pages[slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == id })]
	if !answered.EscalatesAt.IsZero() || answered.HandedOn || answered.AcknowledgedAt != n.now() || answered.AcknowledgedBy != goalerttest.Ben {
		t.Errorf("an acknowledgement stops the escalation: %+v", answered)
	}
}

func TestWhatIsNotToldOfTheEscalationRings(t *testing.T) {
	n := begin(t)
	n.Trigger(goalerttest.Alert{Summary: "Disk full", Meta: map[string]string{"severity": "info"}, Paged: []string{goalerttest.Anna}})
	asked := 0
	n.interfere(operation("Policies", func(w http.ResponseWriter) {
		asked++
		http.Error(w, "no", http.StatusInternalServerError)
	}))
	for range 2 {
		if got := only(t, n.account); !got.HandedOn || got.Severity != page.Hidden {
			t.Errorf("%+v", got)
		}
	}
	if asked != 1 {
		t.Errorf("it was asked %d times within a moment", asked)
	}
	n.interfere(nil)
	n.pass(31 * time.Second)
	if got := only(t, n.account); got.EscalatesTo != goalerttest.Ben {
		t.Errorf("it is not asked again: %+v", got)
	}
}

func TestMineIsWhatPagedMeAndWhatHasComeToMyStep(t *testing.T) {
	n := begin(t)
	n.Serve(goalerttest.Setup{Name: "Bens", OnCall: [][]string{{goalerttest.Ben}}, Delays: []int{5}})
	n.Serve(goalerttest.Setup{Name: "Annas second", OnCall: [][]string{{goalerttest.Ben}, {goalerttest.Anna}}, Delays: []int{5, 5}})
	for _, c := range []struct {
		alert goalerttest.Alert
		mine  bool
	}{
		{goalerttest.Alert{Summary: "never sent, because of a delay"}, true},
		{goalerttest.Alert{Summary: "not looked at by the engine", Fresh: true}, true},
		{goalerttest.Alert{Summary: "of a service of others", Service: "Bens"}, false},
		{goalerttest.Alert{Summary: "sent to me earlier", Service: "Bens", Paged: []string{goalerttest.Anna}}, true},
		{goalerttest.Alert{Summary: "before my step", Service: "Annas second"}, false},
		{goalerttest.Alert{Summary: "fresh, before my step", Service: "Annas second", Fresh: true}, false},
		{goalerttest.Alert{Summary: "at my step", Service: "Annas second", Step: 1}, true},
	} {
		id := n.Trigger(c.alert)
		listed := slices.ContainsFunc(open(t, n.account), func(p page.Page) bool { return p.UpstreamID == id && p.Open() && p.Mine })
		if listed != c.mine {
			t.Errorf("%s: mine %v, want %v", c.alert.Summary, listed, c.mine)
		}
	}
}

func TestManyServicesAreAllAskedAbout(t *testing.T) {
	n := begin(t)
	for count := range 120 {
		name := "Service " + string(rune('A'+count/26)) + string(rune('a'+count%26))
		n.Serve(goalerttest.Setup{Name: name, OnCall: [][]string{{goalerttest.Anna}}, Delays: []int{5}})
		n.Trigger(goalerttest.Alert{Summary: name, Service: name})
	}
	if got := open(t, n.account); len(got) != 120 {
		t.Errorf("%d of 120 pages are listed", len(got))
	}
}

func TestWhatLeftTheListIsToldOnce(t *testing.T) {
	n := begin(t)
	n.Serve(goalerttest.Setup{Name: "Annas", OnCall: [][]string{{goalerttest.Anna}}, Delays: []int{5}})
	ends := n.Page("It ends")
	away := n.Trigger(goalerttest.Alert{Summary: "It goes to others", Service: "Annas"})
	cleared := n.Page("It is cleared away")
	before := open(t, n.account)
	n.Resolve(ends)
	n.Resolve(cleared)
	n.Clear(cleared)
	n.Serve(goalerttest.Setup{Name: "Annas", OnCall: [][]string{{goalerttest.Ben}}, Delays: []int{5}})
	anew := n.logIn(t)
	anew.Remember(before)
	for name, account := range map[string]*goalert.Provider{"the same connection": n.account, "a new one": anew} {
		told := map[string]page.Page{}
		for _, one := range open(t, account) {
			told[one.UpstreamID] = one
		}
		if len(told) != 2 || told[ends].Status != page.Resolved || !told[away].Open() || told[away].Mine {
			t.Errorf("%s tells %+v", name, told)
		}
		if again := open(t, account); len(again) != 0 {
			t.Errorf("%s tells it again: %+v", name, again)
		}
	}
}

func TestAQuietPollIsOneRequest(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	open(t, n.account)
	before := len(n.Heard())
	open(t, n.account)
	if asked := n.Heard()[before:]; !slices.Equal(asked, []string{"Mine"}) {
		t.Errorf("it asks %v", asked)
	}
}

func TestAnAlertThatWasClearedAwayHasEnded(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	wanted := only(t, n.account)
	n.Resolve(id)
	n.Clear(id)
	if _, err := n.account.Acknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Errorf("acknowledging it says %v", err)
	}
	if _, err := n.account.Describe(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Errorf("describing it says %v", err)
	}
	if after, err := n.account.Do(t.Context(), wanted, provider.Errand{Deed: provider.Resolve}); err != nil || after.Open() {
		t.Errorf("closing it: %v, %+v", err, after)
	}
	if _, err := n.account.Do(t.Context(), page.Page{UpstreamID: "12; drop"}, provider.Errand{Deed: provider.Resolve}); provider.KindOf(err) != provider.Invalid {
		t.Errorf("a number that is none: %v", err)
	}
}

// operation answers one of them instead of GoAlert.
func operation(name string, answer func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(peek(r), `"operationName":"`+name+`"`) {
			return false
		}
		answer(w)
		return true
	}
}

// peek reads what was asked and leaves it there.
func peek(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}
