package jsm_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
)

func TestPageTellsAllThatMattersTonight(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		began := time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)
		id := n.service.Open(jsmtest.Alert{
			Message: "Orders \x1b[31mlost\u202e", Description: "See https://wiki.example.org/orders.\nThen call.", Priority: "P1", Created: began,
			Properties: map[string]any{"runbook": "https://runbooks.example.org/orders", "trap": "javascript:alert(1)", "host": "db-2"},
		})
		got := only(t, n.provider)
		if got.UpstreamID != id || got.ID != page.NewID("prod", id) || got.Number != "#1" || got.Title != "Orders lost" ||
			got.Severity != page.Critical || got.Status != page.Triggered || !got.TriggeredAt.Equal(began) {
			t.Errorf("%+v", got)
		}
		if !got.Mine || !got.Assigned || !got.HandedOn || got.AssignedTo != "Ana Lima" || got.Details != "See https://wiki.example.org/orders.\nThen call." {
			t.Errorf("%+v", got)
		}
		want := []page.Link{{Text: "runbook", URL: "https://runbooks.example.org/orders"}, {Text: "https://wiki.example.org/orders", URL: "https://wiki.example.org/orders"}}
		if !slices.Equal(got.Links, want) || !slices.Contains(got.Labels, page.Label{Name: "host", Value: "db-2"}) || !slices.Contains(got.Labels, page.Label{Name: "tag", Value: "night"}) {
			t.Errorf("links %v, labels %v", got.Links, got.Labels)
		}
	})
}

func TestSeverityGoesByPriorityAndByTheUsersOwnTableFirst(t *testing.T) {
	own := func(o *jsm.Options) { o.Severities = map[string]page.Severity{" p5": page.Minor} }
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken, own)
		want := map[string]page.Severity{}
		for priority, severity := range map[string]page.Severity{
			"P1": page.Critical, "P2": page.Degraded, "P3": page.Minor, "P4": page.Hidden, "P5": page.Minor, "": page.Degraded, "P9": page.Degraded,
		} {
			want[n.service.Open(jsmtest.Alert{Message: "Disk full", Priority: priority})] = severity
		}
		for _, got := range open(t, n.provider) {
			if got.Severity != want[got.UpstreamID] {
				t.Errorf("%s is %s, want %s", got.Number, got.Severity, want[got.UpstreamID])
			}
		}
	})
}

func TestOnlyWhatNamesMeIsMineUnlessISaySo(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		of := func(who ...jsmtest.Responder) jsmtest.Alert {
			return jsmtest.Alert{Message: "Disk full", Responders: who}
		}
		mine := n.service.Open(of(jsmtest.Responder{ID: jsmtest.Ana.ID, Type: "user"}))
		n.service.Open(of(jsmtest.Responder{ID: jsmtest.Bela.ID, Type: "user"}))
		n.service.Open(of(jsmtest.Responder{ID: jsmtest.Team, Type: "team"}))
		if got := only(t, n.provider); got.UpstreamID != mine || got.HandedOn {
			t.Errorf("%+v", got)
		}
		const own = `status:open AND tag:"night"`
		custom := n.connect(t, func(o *jsm.Options) { o.Query = own })
		pages := open(t, custom)
		if len(pages) != 3 || !pages[0].Assigned || pages[2].Assigned || !pages[2].Mine {
			t.Errorf("%+v", pages)
		}
		if asked := n.queries("GET " + alertsOf(spoken)); asked[len(asked)-1].Get("query") != own {
			t.Errorf("it was searched for %v", asked)
		}
	})
}

func alertsOf(spoken jsm.Dialect) string {
	if spoken == jsm.JSM {
		return "/v1/alerts"
	}
	return "/v2/alerts"
}

func TestPageThatWasGivenAwayIsToldOnceAndNotAnswered(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.service.GiveAway(id, "Bela")
		_, err := n.provider.Acknowledge(t.Context(), wanted)
		name := map[jsm.Dialect]string{jsm.JSM: "Béla Kovács", jsm.Opsgenie: "bela@example.org"}[spoken]
		if provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), name) || n.count("POST") != 0 {
			t.Errorf("it says %v", err)
		}
		if got := only(t, n.provider); got.Mine || !got.Open() || got.AssignedTo != name {
			t.Errorf("%+v", got)
		}
		if pages := open(t, n.provider); len(pages) != 0 {
			t.Errorf("it is told again: %+v", pages)
		}
	})
}

func TestSnoozedAndOddStatusesStillWantSomebody(t *testing.T) {
	p := lists(t, jsm.JSM, `{"values":[
		{"id":"a","message":"x","status":"snoozed","snoozed":true,"snoozedUntil":"2026-11-23T05:00:00.000+0100"},
		{"id":"b","message":"x","status":"acked","owner":"5b10ac8d82e05b22cc7d4ef5"},
		{"id":"c","message":"x","status":"acked","acknowledged":false},
		{"id":"d","message":null,"status":"dancing","owner":7,"responders":[null,"x",{"id":null}],"tags":{},"extraProperties":[],"count":3,"lastOccuredAt":1795489320000,"createdAt":"2026-11-23T03:02-05:00","priority":2},
		{"id":"e","message":"x","status":"resolved"},
		{"id":"f","message":"x","status":"closed","acknowledged":true}
	],"links":null}`)
	pages := open(t, p)
	if len(pages) != 4 {
		t.Fatalf("%d pages: %+v", len(pages), pages)
	}
	until := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	if one := pages[0]; one.Status != page.Triggered || !one.SnoozedUntil.Equal(until) {
		t.Errorf("%+v", one)
	}
	if one := pages[1]; one.Status != page.Acknowledged || !one.AcknowledgedByMe || one.AcknowledgedBy != "Ana Lima" {
		t.Errorf("%+v", one)
	}
	if one := pages[2]; one.Status != page.Triggered {
		t.Errorf("%+v", one)
	}
	if one := pages[3]; one.Status != page.Triggered || one.Title != "An alert without a title" || one.Severity != page.Degraded || one.TriggeredAt.Hour() != 8 ||
		!slices.Contains(one.Labels, page.Label{Name: "last occurrence", Value: time.UnixMilli(1795489320000).UTC().Format(time.RFC3339)}) {
		t.Errorf("%+v", one)
	}
}

func TestWhatCannotBeReadIsNotNothing(t *testing.T) {
	for spoken, bodies := range map[jsm.Dialect][]string{
		jsm.JSM:      {`{}`, `{"values":null}`, `{"values":{}}`, `{"values":[null]}`, `{"values":[{"id":null}]}`, `{"values":[{"id":"../users"}]}`, `{"values":[],"links":{"next":"x"}}`, `{"data":[]}`, `[]`},
		jsm.Opsgenie: {`{}`, `{"data":null}`, `{"data":[{"id":".."}]}`, `{"data":[],"paging":{"next":"x"}}`, `{"values":[]}`},
	} {
		for _, body := range bodies {
			if snapshot, err := lists(t, spoken, body).Open(t.Context()); err == nil || provider.KindOf(err) != provider.Broken {
				t.Errorf("%s: %s became %d pages and %v", spoken, body, len(snapshot.Pages), err)
			}
		}
	}
}

func TestNextPieceIsNeverLookedForElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request went elsewhere, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	n := begin(t, jsm.JSM)
	id := n.service.Page("Disk full")
	wanted := only(t, n.provider)
	n.interfere(says("/notes", 200, `{"values":[{"note":"a"}],"links":{"next":"`+elsewhere.URL+`/v1/alerts/x/notes?after=5"}}`))
	if _, err := n.provider.Describe(t.Context(), wanted); err != nil {
		t.Error(err)
	}
	if asked := n.queries(id + "/notes"); len(asked) < 2 || asked[1].Get("after") != "5" {
		t.Errorf("the cursor was not followed at the service itself: %v", asked)
	}
}

func TestListBeyondTheServicesBoundIsAnError(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/alerts") {
				return false
			}
			from, _ := strconv.Atoi(r.URL.Query().Get("offset")) // the provider's own
			var rows []string
			for number := from; number < from+100; number++ {
				rows = append(rows, fmt.Sprintf(`{"id":"a-%d"}`, number))
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"values":[%[1]s],"data":[%[1]s]}`, strings.Join(rows, ","))
			return true
		})
		_, err := n.provider.Open(t.Context())
		if err == nil || provider.KindOf(err) != provider.Broken || !strings.Contains(provider.Sentence(err), "20000") {
			t.Errorf("it says %v", err)
		}
		for _, asked := range n.queries("/alerts") {
			if from, _ := strconv.Atoi(asked.Get("offset")); from+100 >= 20_000 {
				t.Fatalf("it asked for what cannot be listed: %v", asked)
			}
		}
	})
}

func TestThoseThatLeaveInGreatNumberAreAllToldInTheEnd(t *testing.T) {
	n := begin(t, jsm.JSM)
	var ids []string
	for range 45 {
		ids = append(ids, n.service.Page("Disk full"))
	}
	open(t, n.provider)
	for _, id := range ids {
		n.service.Resolve(id)
	}
	told := map[string]bool{}
	for range 3 {
		before := n.count("GET /v1/alerts/7")
		for _, one := range open(t, n.provider) {
			if one.Status != page.Resolved || told[one.UpstreamID] {
				t.Errorf("%+v", one)
			}
			told[one.UpstreamID] = true
		}
		if asked := n.count("GET /v1/alerts/7") - before; asked > 20 {
			t.Errorf("%d alerts were asked about in one poll", asked)
		}
	}
	if len(told) != len(ids) {
		t.Errorf("%d of %d were told", len(told), len(ids))
	}
}

func TestPageThatWasDeletedEndsAndHoldsUpNothing(t *testing.T) {
	n := begin(t, jsm.JSM)
	ids := []string{n.service.Page("Disk full"), n.service.Page("Disk full")}
	open(t, n.provider)
	n.service.Alter(ids[0], func(a *jsmtest.Alert) { a.Closed = true })
	n.interfere(says("/alerts/"+ids[0], 404, ``))
	if got := only(t, n.provider); got.UpstreamID != ids[1] {
		t.Errorf("%+v", got)
	}
}

func TestPageWithoutNamesIsAPageAllTheSame(t *testing.T) {
	n := begin(t, jsm.JSM)
	id := n.service.Page("Disk full")
	n.service.Acknowledge(id, "Bela")
	n.interfere(says("/user/bulk", 403, `{"errorMessages":["no"]}`))
	if got := only(t, n.provider); got.AcknowledgedByMe || !strings.HasPrefix(got.AcknowledgedBy, "somebody whose name") {
		t.Errorf("%+v", got)
	}
	open(t, n.provider)
	if asked := n.count("/user/bulk"); asked != 1 {
		t.Errorf("the names were asked for %d times", asked)
	}
}

func TestKeyThatMayNotLookAtUsersListsAllTheSame(t *testing.T) {
	n := begin(t, jsm.Opsgenie)
	n.service.Page("Disk full")
	n.interfere(says("/users/"+jsmtest.User, 403, `{"message":"You are not authorized","took":0.0}`))
	got, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
	if err != nil || !got.AcknowledgedByMe || got.AcknowledgedBy != jsmtest.User {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestListFromBeforeTheAnswerDoesNotUndoIt(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/alerts") {
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
	})
}
