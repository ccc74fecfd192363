package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/drill"
	"nightstand/sync/drill/drilltest"
	"nightstand/sync/pagerduty"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	ana  = "PANA0001"
	bela = "PBELA002"
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

// night is a provider that speaks to a drill, with somebody between them who
// listens and may interfere.
type night struct {
	*clock
	service  *drill.Service
	provider *pagerduty.Provider

	mutex sync.Mutex
	heard []string
	// between, when set, may answer instead of the drill by returning true.
	between func(w http.ResponseWriter, r *http.Request) bool
}

func (n *night) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mutex.Lock()
	n.heard = append(n.heard, r.Method+" "+r.URL.Path)
	between := n.between
	n.mutex.Unlock()
	if between == nil || !between(w, r) {
		n.service.ServeHTTP(w, r)
	}
}

func (n *night) interfere(between func(http.ResponseWriter, *http.Request) bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.between = between
}

func (n *night) count(what string) int {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	found := 0
	for _, one := range n.heard {
		if strings.HasPrefix(one, what) {
			found++
		}
	}
	return found
}

func begin(t *testing.T, options drill.Options, change ...func(*pagerduty.Options)) *night {
	t.Helper()
	n := &night{clock: &clock{at: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)}}
	options.Now = n.now
	service, err := drill.New(options)
	if err != nil {
		t.Fatal(err)
	}
	n.service = service
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.provider = connect(t, server.URL, change...)
	return n
}

func connect(t *testing.T, url string, change ...func(*pagerduty.Options)) *pagerduty.Provider {
	t.Helper()
	options := pagerduty.Options{Account: "work", URL: url, Secret: drill.DefaultKey}
	for _, one := range change {
		one(&options)
	}
	p, err := pagerduty.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
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
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{
		Title: "Orders \x1b[31mlost\u202e", Service: "Orders", Priority: "P1", Severity: "critical",
		Details: map[string]string{"host": "db-2"},
		Links:   []drill.Link{{Text: "Runbook", URL: "https://runbooks.example/orders"}, {Text: "Trap", URL: "javascript:alert(1)"}},
	})
	got := only(t, n.provider)
	if got.UpstreamID != id || got.Account != "work" || got.ID != page.NewID("work", id) || got.Number != "#1" ||
		got.Title != "Orders lost" || got.Service != "Orders" || got.Severity != page.Critical || got.Status != page.Triggered {
		t.Errorf("%+v", got)
	}
	if !got.Mine || !got.Assigned || !got.HandedOn || !got.TriggeredAt.Equal(n.now()) || !got.EscalatesAt.Equal(n.now().Add(5*time.Minute)) {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.Links, []page.Link{{Text: "Runbook", URL: "https://runbooks.example/orders"}}) || !slices.Contains(got.Labels, page.Label{Name: "host", Value: "db-2"}) {
		t.Errorf("links %v, labels %v", got.Links, got.Labels)
	}
}

func TestSeverityGoesByPriorityThenAlertThenUrgency(t *testing.T) {
	own := func(o *pagerduty.Options) {
		o.Severities = map[string]page.Severity{"p5": page.Other, "Info": page.Minor}
	}
	n := begin(t, drill.Options{}, own)
	want := map[string]page.Severity{}
	for _, c := range []struct {
		trigger drill.Trigger
		want    page.Severity
	}{
		{drill.Trigger{Priority: "P2", Severity: "critical"}, page.Degraded},
		{drill.Trigger{Priority: "P4", Severity: "critical"}, page.Hidden},
		{drill.Trigger{Priority: "P5"}, page.Other},
		{drill.Trigger{Severity: "warning", Urgency: "low"}, page.Minor},
		{drill.Trigger{Severity: "info"}, page.Minor},
		{drill.Trigger{Severity: "catastrophe", Urgency: "low"}, page.Degraded},
	} {
		c.trigger.Title = fmt.Sprintf("%+v", c.trigger)
		want[n.service.Trigger(c.trigger)] = c.want
	}
	for _, got := range open(t, n.provider) {
		if got.Severity != want[got.UpstreamID] {
			t.Errorf("%s is %s, want %s", got.Title, got.Severity, want[got.UpstreamID])
		}
	}
}

func TestNothingIsQuietBecauseItCouldNotBeRead(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "a", Urgency: "low"})
	n.service.Trigger(drill.Trigger{Title: "b", Urgency: "low", Priority: "P5"})
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/alerts") || r.URL.Path == "/priorities" {
			w.WriteHeader(503)
			return true
		}
		return false
	})
	for _, got := range open(t, n.provider) {
		if got.Severity != page.Degraded {
			t.Errorf("%q is %s", got.Title, got.Severity)
		}
	}
}

func TestAcknowledgementIsSentOnceReadBackAndSaysHowLongItLasts(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	got, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != page.Acknowledged || !got.AcknowledgedByMe || got.AcknowledgedBy != "Ana Lima" ||
		!got.AcknowledgedAt.Equal(n.now()) || !got.AckExpiresAt.Equal(n.now().Add(30*time.Minute)) || !got.EscalatesAt.IsZero() {
		t.Errorf("%+v", got)
	}
	if n.count("PUT") != 1 {
		t.Errorf("%d changes were sent", n.count("PUT"))
	}
	n.pass(10 * time.Minute)
	got, err = n.provider.Acknowledge(t.Context(), got)
	if err != nil || !got.AckExpiresAt.Equal(n.now().Add(30*time.Minute)) {
		t.Errorf("answering again gave %v, %v", got.AckExpiresAt, err)
	}
	n.pass(31 * time.Minute)
	if again := only(t, n.provider); again.Status != page.Triggered || again.AcknowledgedBy != "" {
		t.Errorf("after it ran out: %+v", again)
	}
}

func TestLateAnswerOpensNothingAgain(t *testing.T) {
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	wanted := only(t, n.provider)
	if err := n.service.Resolve(id, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := n.provider.Acknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
	if n.count("PUT") != 0 {
		t.Error("an acknowledgement was sent for a resolved incident")
	}
}

func TestAnswerThatSomebodyElseGaveIsNotRepeated(t *testing.T) {
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	wanted := only(t, n.provider)
	if err := n.service.Acknowledge(id, bela); err != nil {
		t.Fatal(err)
	}
	var taken *provider.TakenError
	if _, err := n.provider.Acknowledge(t.Context(), wanted); !errors.As(err, &taken) || taken.By != "Béla Kovács" {
		t.Errorf("it says %v", err)
	}
	if got := only(t, n.provider); got.AcknowledgedByMe || got.AcknowledgedBy != "Béla Kovács" {
		t.Errorf("%+v", got)
	}
	if n.count("PUT") != 0 {
		t.Error("an acknowledgement was sent")
	}
}

func TestPageThatWasGivenAwayIsToldOnceAndNotAnswered(t *testing.T) {
	n := begin(t, drill.Options{EscalateAfter: time.Minute})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	wanted := only(t, n.provider)
	n.pass(time.Minute)
	_, err := n.provider.Acknowledge(t.Context(), wanted)
	if provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "Béla Kovács") || n.count("PUT") != 0 {
		t.Errorf("it says %v", err)
	}
	if got := only(t, n.provider); got.Mine || !got.Open() || got.AssignedTo != "Béla Kovács" {
		t.Errorf("%+v", got)
	}
	if pages := open(t, n.provider); len(pages) != 0 {
		t.Errorf("it is told again: %+v", pages)
	}
}

func TestResolvedPageIsToldOnce(t *testing.T) {
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	open(t, n.provider)
	if err := n.service.Resolve(id, ""); err != nil {
		t.Fatal(err)
	}
	if got := only(t, n.provider); got.Status != page.Resolved {
		t.Errorf("%+v", got)
	}
	if pages := open(t, n.provider); len(pages) != 0 {
		t.Errorf("%+v", pages)
	}
}

func TestAcknowledgementCannotBeTakenBack(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	_, err := n.provider.Unacknowledge(t.Context(), only(t, n.provider))
	if !errors.Is(err, provider.ErrUnsupported) || !strings.Contains(provider.Sentence(err), "secondary") {
		t.Errorf("it says %v", err)
	}
	if able := n.provider.Capabilities(); able.Unacknowledge || !able.AssignsPages {
		t.Errorf("%+v", able)
	}
}

func TestLongListIsReadWhole(t *testing.T) {
	n := begin(t, drill.Options{})
	for number := range 250 {
		n.service.Trigger(drill.Trigger{Title: fmt.Sprint(number), Priority: "P1"})
	}
	if pages := open(t, n.provider); len(pages) != 250 {
		t.Errorf("%d pages", len(pages))
	}
	if n.count("GET /incidents/") > 8 {
		t.Errorf("%d alerts were read in one poll", n.count("GET /incidents/"))
	}
}

func TestOldPageIsStillListed(t *testing.T) {
	n := begin(t, drill.Options{EscalateAfter: -1})
	n.service.Trigger(drill.Trigger{Title: "Open since last spring"})
	n.pass(200 * 24 * time.Hour)
	if got := only(t, n.provider); got.Title != "Open since last spring" {
		t.Errorf("%+v", got)
	}
}

func TestSlowPollHoldsUpNoAnswer(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	wanted := only(t, n.provider)
	arrived := make(chan struct{})
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/incidents" {
			return false
		}
		close(arrived)
		<-r.Context().Done()
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := n.provider.Open(ctx); ended <- err }()
	<-arrived
	if got, err := n.provider.Acknowledge(t.Context(), wanted); err != nil || !got.AcknowledgedByMe {
		t.Errorf("%+v, %v", got, err)
	}
	cancel()
	if err := <-ended; provider.KindOf(err) != provider.Unreachable || err == nil {
		t.Errorf("the poll said %v", err)
	}
}

func TestPieceThatFailsIsNoSnapshot(t *testing.T) {
	n := begin(t, drill.Options{})
	for number := range 150 {
		n.service.Trigger(drill.Trigger{Title: fmt.Sprint(number)})
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if offset := r.URL.Query().Get("offset"); offset != "" && offset != "0" {
			w.WriteHeader(500)
			return true
		}
		return false
	})
	if snapshot, err := n.provider.Open(t.Context()); provider.KindOf(err) != provider.Broken || err == nil || len(snapshot.Pages) != 0 {
		t.Errorf("%d pages and %v", len(snapshot.Pages), err)
	}
}

func TestListThatShrinksWhileItIsReadIsReadAgain(t *testing.T) {
	n := begin(t, drill.Options{})
	var ids []string
	for number := range 150 {
		ids = append(ids, n.service.Trigger(drill.Trigger{Title: fmt.Sprint(number), Priority: "P1"}))
	}
	once := sync.Once{}
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if offset := r.URL.Query().Get("offset"); offset != "" && offset != "0" {
			once.Do(func() {
				for _, id := range ids[:5] {
					if err := n.service.Resolve(id, ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		return false
	})
	pages := open(t, n.provider)
	if len(pages) != 145 {
		t.Errorf("%d pages, want 145", len(pages))
	}
}

func TestTestSaysWhoseKeyItIs(t *testing.T) {
	n := begin(t, drill.Options{}, func(o *pagerduty.Options) { o.User = "carla@drill.example" })
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	got, err := n.provider.Test(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(got.Notes, "\n")
	if got.User != "Ana Lima" || got.Service != "PagerDuty" || len(got.Open) != 1 || !strings.Contains(notes, "ana@drill.example") || !strings.Contains(notes, "carla@drill.example") || !strings.Contains(notes, "P5") {
		t.Errorf("%+v", got)
	}
}

func TestFaultsAreSentencesOfTheRightKind(t *testing.T) {
	const secret = drill.DefaultKey
	body := func(status int, kind, text string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	const isJSON = "application/json"
	for why, c := range map[string]struct {
		handler http.HandlerFunc
		kind    provider.Kind
		wait    time.Duration
	}{
		"wrong key":           {body(401, isJSON, `{"error":{"code":2006,"message":"x"}}`), provider.Refused, 0},
		"an account's key":    {body(400, isJSON, `{"error":{"code":2001,"errors":"no user"}}`), provider.Refused, 0},
		"not allowed":         {body(403, isJSON, `{"error":{"errors":{"a":"b"}}}`), provider.Refused, 0},
		"too often":           {body(429, isJSON, `{"error":{"code":2020}}`, "ratelimit-reset", "17"), provider.RateLimited, 17 * time.Second},
		"trouble":             {body(502, "text/html", `<html>`), provider.Broken, 0},
		"a web page":          {body(200, "text/html", `<html>`), provider.NotTheAPI, 0},
		"a redirect":          {body(302, "text/html", ``, "Location", "https://login.example/"), provider.NotTheAPI, 0},
		"half an answer":      {body(200, isJSON, `{"user":{"id":"P1","email":"a@b.ex`, "Content-Length", "400"), provider.Unreachable, 0},
		"no sense":            {body(200, isJSON, `{"user":`), provider.Broken, 0},
		"nobody":              {body(200, isJSON, `{"user":null}`), provider.Broken, 0},
		"a list":              {body(200, isJSON, `[]`), provider.Broken, 0},
		"a user to break out": {body(200, isJSON, `{"user":{"id":"../x","email":"a@b.ex"}}`), provider.Broken, 0},
		"a line in the email": {body(200, isJSON, `{"user":{"id":"P1","email":"a@b.ex\r\nX: y"}}`), provider.Broken, 0},
		"a hang":              {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, provider.Unreachable, 0},
	} {
		t.Run(why, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := connect(t, server.URL).Open(ctx)
			var ours *provider.Error
			if !errors.As(err, &ours) || ours.Kind != c.kind || ours.RetryAfter != c.wait {
				t.Fatalf("it says %#v", err)
			}
			if strings.Contains(err.Error(), secret) || !strings.HasSuffix(ours.Sentence, ".") || !strings.HasPrefix(ours.Sentence, "PagerDuty") {
				t.Errorf("the sentence is %q", err)
			}
		})
	}
	if _, err := connect(t, "http://127.0.0.1:1").Open(t.Context()); provider.KindOf(err) != provider.Unreachable {
		t.Errorf("nobody there: %v", err)
	}
}

func TestRedirectDoesNotCarryTheKeyAnywhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request went elsewhere, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	if _, err := connect(t, server.URL).Open(t.Context()); provider.KindOf(err) != provider.NotTheAPI {
		t.Errorf("it says %v", err)
	}
}

// lists answers with one user and this list of incidents.
func lists(incidents string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.pagerduty+json;version=2")
		switch {
		case r.URL.Path == "/users/me":
			_, _ = io.WriteString(w, `{"user":{"id":"P1","name":null,"summary":"Me","email":"me@x.example"}}`)
		case r.URL.Path == "/incidents":
			_, _ = io.WriteString(w, incidents)
		default:
			w.WriteHeader(500)
		}
	})
}

func TestNullAndUnknownAnywhereIsSurvivedAndRings(t *testing.T) {
	server := httptest.NewServer(lists(`{"incidents":[
		{"id":"Q1","title":null,"summary":null,"html_url":null,"created_at":null,"status":"escalating","urgency":"extreme","priority":null,"service":null,"assignments":null,"acknowledgements":null,"pending_actions":null,"alert_counts":null,"conference_bridge":null},
		{"id":"Q2","incident_number":"7","title":"x","created_at":"2026-11-23T03:02-05:00","status":"acknowledged","urgency":"low","priority":"P1","service":"s","assignments":[null,{"assignee":null}],"acknowledgements":[null],"pending_actions":[null,{"type":"dance","at":"x"},{"type":"escalate","at":"2026-11-23T03:30:00+01:00"}]}
	],"more":null,"limit":null,"offset":null}`))
	defer server.Close()
	pages := open(t, connect(t, server.URL))
	if len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	if p := pages[0]; p.Status != page.Triggered || p.Severity != page.Degraded || p.Title != "An incident without a title" || !p.Mine {
		t.Errorf("%+v", p)
	}
	if p := pages[1]; p.Status != page.Acknowledged || p.AcknowledgedByMe || p.AcknowledgedBy != "somebody whose name PagerDuty does not tell" || !p.HandedOn ||
		!p.EscalatesAt.Equal(time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC)) || !p.TriggeredAt.Equal(time.Date(2026, 11, 23, 8, 2, 0, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
}

func TestWhatCannotBeReadIsNotNothing(t *testing.T) {
	for _, list := range []string{`{}`, `{"incidents":null}`, `{"incidents":{}}`, `{"incidents":[null]}`, `{"incidents":[{"id":null}]}`, `{"incidents":[{"id":"../users"}]}`, `{"incidents":[],"more":true}`} {
		server := httptest.NewServer(lists(list))
		if snapshot, err := connect(t, server.URL).Open(t.Context()); provider.KindOf(err) != provider.Broken || err == nil {
			t.Errorf("%s became %d pages and %v", list, len(snapshot.Pages), err)
		}
		server.Close()
	}
}

func TestServicesOwnComplaintsAboutAnAnswer(t *testing.T) {
	for code, want := range map[int]error{1001: provider.ErrGone, 1002: nil, 1005: nil} {
		n := begin(t, drill.Options{})
		id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
		once := sync.Once{}
		n.interfere(func(w http.ResponseWriter, r *http.Request) (instead bool) {
			if r.Method == http.MethodPut {
				once.Do(func() {
					if code == 1002 { // it got through, and the answer was lost
						if err := n.service.Acknowledge(id, ana); err != nil {
							t.Error(err)
						}
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(400)
					fmt.Fprintf(w, `{"error":{"code":%d,"message":"no"}}`, code)
					instead = true
				})
			}
			return instead
		})
		got, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
		if !errors.Is(err, want) || want == nil && !got.AcknowledgedByMe {
			t.Errorf("code %d gave %v, %+v", code, err, got)
		}
	}
}

func TestListFromBeforeTheAnswerDoesNotUndoIt(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full", Priority: "P1"})
	wanted := only(t, n.provider)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/incidents" {
			return false
		}
		// The list is written down first and arrives after the answer.
		written := httptest.NewRecorder()
		n.service.ServeHTTP(written, r)
		n.interfere(nil)
		if _, err := n.provider.Acknowledge(t.Context(), wanted); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(written.Body.Bytes())
		return true
	})
	if got := only(t, n.provider); got.Status != page.Acknowledged || !got.AcknowledgedByMe {
		t.Errorf("%+v", got)
	}
}

func TestCredentialIsShownByItsShape(t *testing.T) {
	for secret, want := range map[string]string{
		"abcdefghij0123456789":       "Token token=abcdefghij0123456789",
		"u+abcdefghij01234567":       "Token token=u+abcdefghij01234567",
		"pdus+_0XBPWQQ_longer-token": "Bearer pdus+_0XBPWQQ_longer-token",
		"Token token=short":          "Token token=short",
	} {
		got := make(chan string, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got <- r.Header.Get("Authorization")
			w.WriteHeader(401)
		}))
		_, _ = connect(t, server.URL, func(o *pagerduty.Options) { o.Secret = secret }).Open(t.Context()) // refused, of course
		if shown := <-got; shown != want {
			t.Errorf("%q is shown as %q", secret, shown)
		}
		server.Close()
	}
	none := connect(t, "", func(o *pagerduty.Options) { o.Secret = "" })
	if _, err := none.Open(t.Context()); provider.KindOf(err) != provider.Refused {
		t.Errorf("without a key it says %v", err)
	}
}

func TestSettingsThatCannotBeAreRefusedInWords(t *testing.T) {
	for why, options := range map[string]pagerduty.Options{
		"without encryption":   {URL: "http://pagerduty.example", Secret: "x"},
		"a password in it":     {URL: "https://a:hunter2@pagerduty.example", Secret: "x"},
		"no address":           {URL: "pagerduty", Secret: "x"},
		"a severity":           {Severities: map[string]page.Severity{"P1": "awful"}},
		"a key with a newline": {Secret: "abc\ndef"},
		"a proxy's password":   {Way: web.Way{Proxy: "http://a:hunter2@proxy.example"}},
		"no authority":         {Way: web.Way{CAFile: "nowhere.pem"}},
	} {
		_, err := pagerduty.New(options)
		if err == nil || provider.KindOf(err) != provider.Invalid || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestWholeConversationKeepsToTheOfficialDocument(t *testing.T) {
	contract := drilltest.Official(t)
	service, err := drill.New(drill.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(contract.Watch(t, service))
	defer server.Close()
	p := connect(t, server.URL)
	service.Trigger(drill.Trigger{Title: "Disk full", Priority: "P1", Links: []drill.Link{{Text: "Runbook", URL: "https://runbooks.example/disk"}}})
	id := service.Trigger(drill.Trigger{Title: "Other"})
	if _, err := p.Test(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, one := range open(t, p) {
		if _, err := p.Acknowledge(t.Context(), one); err != nil {
			t.Error(err)
		}
	}
	if err := service.Reassign(id, bela); err != nil {
		t.Fatal(err)
	}
	open(t, p)
	for _, operation := range []string{"GET /incidents", "GET /incidents/{id}", "PUT /incidents/{id}", "GET /incidents/{id}/alerts", "GET /users/me", "GET /priorities", "GET /oncalls"} {
		if contract.Held()[operation] == 0 {
			t.Errorf("%s was not held against the document", operation)
		}
	}
}
