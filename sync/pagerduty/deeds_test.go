package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/drill"
	"nightstand/sync/drill/drilltest"
	"nightstand/sync/pagerduty"
	"nightstand/sync/provider"
)

var carla = drill.Person{ID: "PCARLA03", Name: "Carla Nunes", Email: "carla@drill.example", Key: "drill-key-of-carla-0"}

// trio is a policy of three levels.
func trio() drill.Options { return drill.Options{Roster: append(drill.DefaultRoster(), carla)} }

func escalate(t *testing.T, n *night, p page.Page, tried bool) (page.Page, error) {
	t.Helper()
	return n.provider.Do(t.Context(), p, provider.Errand{Deed: provider.Escalate, Asked: n.now(), Tried: tried})
}

func TestEscalationGoesLevelByLevelAndSaysWhenNobodyIsLeft(t *testing.T) {
	n := begin(t, trio())
	n.provider = n.as(t, drill.DefaultKey, byNight(n.clock))
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	for _, holder := range []string{"Béla Kovács", "Carla Nunes"} {
		n.pass(10 * time.Second)
		for range 2 { // the first try may have been lost, and the second finds it there
			after, err := escalate(t, n, at, true)
			if err != nil || after.AssignedTo != holder || after.Status != page.Triggered {
				t.Fatalf("it should be %s's: %+v, %v", holder, after, err)
			}
		}
	}
	if _, err := escalate(t, n, at, false); provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "nobody on call above") {
		t.Errorf("above the last: %v", err)
	}
}

func TestEscalationOfWhatIsMineDirectlyGoesToTheLevelAboveMine(t *testing.T) {
	n := begin(t, trio())
	n.provider = n.as(t, "drill-key-of-bela-00")
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	if err := n.service.Reassign(id, bela); err != nil {
		t.Fatal(err)
	}
	if after, err := escalate(t, n, only(t, n.provider), false); err != nil || after.AssignedTo != "Carla Nunes" {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestWhereNobodysShiftsMayBeSeenTheSecondLevelIsAsked(t *testing.T) {
	n := begin(t, trio())
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/oncalls" {
			w.WriteHeader(403)
			return true
		}
		return false
	})
	if after, err := escalate(t, n, at, false); err != nil || after.AssignedTo != "Béla Kovács" {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestSnoozeHasBounds(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	for why, until := range map[string]time.Time{"over": n.now().Add(-time.Minute), "more than a week": n.now().Add(pagerduty.LongestSnooze + time.Minute)} {
		_, err := n.provider.Do(t.Context(), at, provider.Errand{Deed: provider.Snooze, Until: until, Asked: n.now()})
		if provider.KindOf(err) != provider.Invalid || err == nil {
			t.Errorf("%s: %v", why, err)
		}
	}
	if n.count("POST") != 0 || n.count("PUT") != 0 {
		t.Error("something was sent all the same")
	}
	after, err := n.provider.Do(t.Context(), at, provider.Errand{Deed: provider.Snooze, Until: n.now().Add(pagerduty.LongestSnooze - time.Minute), Asked: n.now()})
	if err != nil || !after.AcknowledgedByMe {
		t.Errorf("nearly a week: %+v, %v", after, err)
	}
}

func TestSnoozeOfWhatIsAcknowledgedAnswersNothingAgain(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	mine, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
	if err != nil {
		t.Fatal(err)
	}
	after, err := n.provider.Do(t.Context(), mine, provider.Errand{Deed: provider.Snooze, Until: n.now().Add(3 * time.Hour), Asked: n.now()})
	if err != nil || after.AckExpiresAt.Sub(n.now().Add(3*time.Hour)).Abs() > 2*time.Second || n.count("PUT") != 1 || n.count("POST") != 1 {
		t.Errorf("%+v, %v, after %d PUT and %d POST", after, err, n.count("PUT"), n.count("POST"))
	}
}

func TestNoteIsAddedAsOftenAsItIsWritten(t *testing.T) {
	n := begin(t, drill.Options{})
	n.provider = n.as(t, drill.DefaultKey, byNight(n.clock))
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	note := provider.Errand{Deed: provider.Note, Text: "Still looking", Asked: n.now()}
	for range 2 {
		if _, err := n.provider.Do(t.Context(), at, note); err != nil {
			t.Fatal(err)
		}
	}
	n.pass(time.Hour)
	note.Asked, note.Tried = n.now(), true // those of an hour ago are not this one
	if _, err := n.provider.Do(t.Context(), at, note); err != nil {
		t.Fatal(err)
	}
	if told, err := n.provider.Describe(t.Context(), at); err != nil || len(told.Notes) != 3 {
		t.Errorf("%v, %+v", err, told.Notes)
	}
	note.Text = " \n"
	if _, err := n.provider.Do(t.Context(), at, note); provider.KindOf(err) != provider.Invalid || err == nil {
		t.Errorf("an empty note: %v", err)
	}
}

func TestReassigningToWhoeverHasItDirectlySendsNothing(t *testing.T) {
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	if err := n.service.Reassign(id, bela); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]provider.Kind{bela: "", "../users": provider.Invalid, "PNOBODY9": provider.Invalid} {
		_, err := n.provider.Do(t.Context(), at, provider.Errand{Deed: provider.Reassign, To: page.Person{ID: to}, Asked: n.now()})
		if (err != nil) != (want != "") || err != nil && provider.KindOf(err) != want {
			t.Errorf("to %s: %v", to, err)
		}
	}
	if n.count("PUT") != 1 { // the one to somebody who is not there
		t.Errorf("%d orders were sent", n.count("PUT"))
	}
}

func TestResolvingSaysHow(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	at := only(t, n.provider)
	after, err := n.provider.Do(t.Context(), at, provider.Errand{Deed: provider.Resolve, Text: "Deleted old logs.", Asked: n.now()})
	if err != nil || after.Open() {
		t.Fatalf("%+v, %v", after, err)
	}
	told, err := n.provider.Describe(t.Context(), at)
	if err != nil || !strings.Contains(told.Log[len(told.Log)-1].Text, "Deleted old logs.") {
		t.Errorf("%v, %+v", err, told.Log)
	}
}

func TestServicesOwnComplaintsAboutADeed(t *testing.T) {
	for _, c := range []struct {
		deed provider.Deed
		code int
		want error
		kind provider.Kind
	}{
		{provider.Resolve, 1005, nil, ""}, {provider.Reassign, 1005, nil, ""}, {provider.Snooze, 1001, provider.ErrGone, ""},
		{provider.Reassign, 1001, provider.ErrGone, ""}, {provider.Escalate, 1006, nil, provider.Invalid}, {provider.Escalate, 1015, nil, provider.Invalid},
	} {
		t.Run(fmt.Sprint(c.deed, " ", c.code), func(t *testing.T) {
			n := begin(t, drill.Options{})
			n.service.Trigger(drill.Trigger{Title: "Disk full"})
			mine, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
			if err != nil {
				t.Fatal(err)
			}
			once := sync.Once{}
			n.interfere(func(w http.ResponseWriter, r *http.Request) (instead bool) {
				if r.Method != http.MethodGet {
					once.Do(func() {
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(400)
						fmt.Fprintf(w, `{"error":{"code":%d,"message":"no"}}`, c.code)
						instead = true
					})
				}
				return instead
			})
			_, err = n.provider.Do(t.Context(), mine, provider.Errand{Deed: c.deed, To: page.Person{ID: bela}, Until: n.now().Add(time.Hour), Asked: n.now()})
			if c.kind == "" && !errors.Is(err, c.want) || c.kind != "" && (err == nil || provider.KindOf(err) != c.kind) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestMergedIncidentIsFollowed(t *testing.T) {
	n := begin(t, drill.Options{})
	source := n.service.Trigger(drill.Trigger{Title: "Shop is slow"})
	target := n.service.Trigger(drill.Trigger{Title: "Database is slow"})
	before := open(t, n.provider)
	if err := n.service.Reassign(target, bela); err != nil {
		t.Fatal(err)
	}
	open(t, n.provider) // it is told that the other one is Béla's
	if err := n.service.Merge(source, target, bela); err != nil {
		t.Fatal(err)
	}
	pages := open(t, n.provider)
	ended := slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == source })
	goesOn := slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == target })
	if len(pages) != 2 || ended < 0 || goesOn < 0 {
		t.Fatalf("%+v", pages)
	}
	if pages[ended].Open() || !slices.Contains(pages[ended].Labels, page.Label{Name: "merged into", Value: "[#2] Database is slow"}) {
		t.Errorf("%+v", pages[ended])
	}
	if got := pages[goesOn]; !got.Open() || got.Mine || got.AssignedTo != "Béla Kovács" {
		t.Errorf("%+v", got)
	}
	if pages := open(t, n.provider); len(pages) != 0 {
		t.Errorf("it is told again: %+v", pages)
	}
	if _, err := n.provider.Acknowledge(t.Context(), before[0]); !errors.Is(err, provider.ErrGone) || n.count("PUT") != 0 {
		t.Errorf("answering what was merged: %v", err)
	}
}

func TestDescriptionTellsEverything(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full", Service: "Orders", Details: map[string]string{"host": "db-2\x1b[31m", "free": "0 MB"},
		Links: []drill.Link{{Text: "Runbook", URL: "https://runbooks.example/disk"}}})
	n.service.Changed(drill.Change{Service: "Orders", Summary: "Deployed 4.2", Source: "ci", At: n.now().Add(-time.Hour), Links: []drill.Link{{Text: "Build", URL: "https://ci.example/2"}, {Text: "Trap", URL: "javascript:x"}}})
	n.service.Changed(drill.Change{Service: "Orders", Summary: "Rolled back", Source: "ci", At: n.now().Add(-time.Minute)})
	n.service.Changed(drill.Change{Service: "Shop", Summary: "Another service"})
	told, err := n.provider.Describe(t.Context(), only(t, n.provider))
	if err != nil || len(told.Missing) > 0 {
		t.Fatal(err, told.Missing)
	}
	if told.Body != "free: 0 MB\nhost: db-2" || len(told.Alerts) != 1 || told.Alerts[0].Details != told.Body || told.Alerts[0].Severity != "error" ||
		!slices.Equal(told.Alerts[0].Links, []page.Link{{Text: "Runbook", URL: "https://runbooks.example/disk"}}) {
		t.Errorf("body %q, alerts %+v", told.Body, told.Alerts)
	}
	if len(told.Changes) != 2 || told.Changes[0].Summary != "Rolled back" || !slices.Equal(told.Changes[1].Links, []page.Link{{Text: "Build", URL: "https://ci.example/2"}}) {
		t.Errorf("changes %+v", told.Changes)
	}
	if len(told.Log) != 2 || told.Log[1].Text != "Assigned to Ana Lima" || !told.Log[0].At.Equal(n.now()) {
		t.Errorf("log %+v", told.Log)
	}
}

func TestRosterHasShiftsAndPeople(t *testing.T) {
	options := trio()
	options.Roster[0].Contacts = []drill.Contact{
		{Kind: "phone", Label: "Mobile", Address: "912345678", CountryCode: 51}, {Kind: "sms", Label: "Mobile", Address: "912345678", CountryCode: 51, Off: true},
		{Kind: "push_notification", Label: "Phone", Address: "device-token"}, {Kind: "email", Label: "Work", Address: "ana@drill.example"},
	}
	options.Roster = append(options.Roster, drill.Person{ID: "PDORA004", Name: "Dora Stake", Email: "dora@drill.example", Role: "read_only_user"})
	start := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	options.ShiftStarts, options.ShiftEnds = start, start.Add(12*time.Hour)
	n := begin(t, options)
	shifts, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(24*time.Hour))
	if err != nil || len(shifts) != 4 {
		t.Fatal(err, shifts)
	}
	if first := shifts[0]; first.Person.Name != "Ana Lima" || !first.Person.Me || first.Person.Zone != "America/Lima" || first.Level != roster.Primary || !first.Start.Equal(start) || !first.End.Equal(options.ShiftEnds) {
		t.Errorf("%+v", first)
	}
	if none, err := n.provider.OnCall(t.Context(), n.now().Add(24*time.Hour), n.now().Add(48*time.Hour)); err != nil || len(none) != 0 {
		t.Errorf("after the shift: %v, %v", none, err)
	}
	if far, err := n.provider.OnCall(t.Context(), n.now().Add(200*24*time.Hour), n.now().Add(201*24*time.Hour)); err != nil || len(far) != 0 {
		t.Errorf("farther than it can be told: %v, %v", far, err)
	}
	people, err := n.provider.People(t.Context())
	if err != nil || len(people) != 3 {
		t.Fatal(err, people)
	}
	if want := []page.Contact{
		{Kind: page.Phone, Address: "+51 912345678", Enabled: true}, {Kind: page.SMS, Address: "+51 912345678"}, {Kind: page.Push, Enabled: true}, {Kind: page.Mail, Address: "ana@drill.example", Enabled: true},
	}; !people[0].Me || !slices.Equal(people[0].Contacts, want) {
		t.Errorf("%+v", people[0])
	}
}

func TestShiftThatStandsOnSeveralPoliciesIsTold(t *testing.T) {
	once := `{"user":{"id":"P1","summary":"Me"},"schedule":{"id":"S1","summary":"Nights"},"escalation_policy":{"id":"E%d"},"escalation_level":1,"start":"2026-11-23T00:00:00-05:00","end":null}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/users/me":
			fmt.Fprint(w, `{"user":{"id":"P1","email":"me@x.example"}}`)
		default:
			fmt.Fprintf(w, `{"oncalls":[`+once+`,`+once+`],"more":false}`, 1, 2)
		}
	}))
	defer server.Close()
	at := time.Now()
	shifts, err := connect(t, server.URL).OnCall(t.Context(), at, at.Add(time.Hour))
	if err != nil || len(shifts) != 1 || shifts[0].Schedule != "Nights" || !shifts[0].Start.Equal(time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", shifts, err)
	}
}

func TestKeysThatMayOnlyLook(t *testing.T) {
	reader := drill.Person{ID: "PDORA004", Name: "Dora Stake", Email: "dora@drill.example", Key: "drill-key-of-dora-00", Role: "read_only_user"}
	options := drill.Options{Roster: append(drill.DefaultRoster(), reader), AccountKey: accountKey, ReadOnlyKey: "drill-readers-key-00"}
	for _, c := range []struct {
		secret, user, is string
		lacks            bool
	}{
		{drill.DefaultKey, "", "Ana Lima", false},
		{accountKey, "ANA@drill.example", "Ana Lima", false},
		{options.ReadOnlyKey, "ana@drill.example", "Ana Lima", true},
		{reader.Key, "", "Dora Stake", true},
	} {
		n := begin(t, options, func(o *pagerduty.Options) { o.Secret, o.User = c.secret, c.user })
		n.service.Trigger(drill.Trigger{Title: "Disk full"})
		told, err := n.provider.Test(t.Context())
		if err != nil || told.User != c.is || (len(told.Lacks) > 0) != c.lacks {
			t.Errorf("%s: %+v, %v", c.secret, told, err)
		}
		if able := n.provider.Capabilities(); able.Can(provider.Resolve) == c.lacks || !able.AssignsPages {
			t.Errorf("%s: %+v", c.secret, able)
		}
		if len(n.service.Log()) != 2 {
			t.Errorf("asking what the key may do has left something behind: %+v", n.service.Log())
		}
		if _, err := n.provider.Do(t.Context(), page.Page{UpstreamID: "QDRILL000001"}, provider.Errand{Deed: provider.Resolve, Asked: n.now()}); errors.Is(err, provider.ErrUnsupported) != c.lacks {
			t.Errorf("%s: %v", c.secret, err)
		}
	}
}

func TestTheAccountsKeyNeedsSomebodyToActFor(t *testing.T) {
	for user, words := range map[string]string{"": "--user", "ana": "--user", "nobody@drill.example": "knows nobody", "a@drill.example": "knows nobody"} {
		n := begin(t, drill.Options{AccountKey: accountKey}, func(o *pagerduty.Options) { o.Secret, o.User = accountKey, user })
		if _, err := n.provider.Open(t.Context()); provider.KindOf(err) != provider.Refused || err == nil || !strings.Contains(provider.Sentence(err), words) {
			t.Errorf("%q: %v", user, err)
		}
	}
}

func TestDeedsKeepToTheOfficialDocument(t *testing.T) {
	contract := drilltest.Official(t)
	service := drilltest.New(t, drill.Options{AccountKey: accountKey})
	server := httptest.NewServer(contract.Watch(t, service))
	defer server.Close()
	p := connect(t, server.URL, func(o *pagerduty.Options) { o.Secret, o.User = accountKey, "ana@drill.example" })
	// No incident is named in the order that tells whether the key may write.
	if _, err := p.Test(t.Context()); err != nil {
		t.Fatal(err)
	}
	service.Changed(drill.Change{Service: "Orders", Summary: "Deployed 4.2", Source: "ci"})
	merged, into := service.Page("Shop is slow"), service.Page("Database is slow")
	for _, deed := range []provider.Deed{provider.Note, provider.Snooze, provider.Escalate, provider.Reassign, provider.Resolve} {
		at := page.Page{Account: "work", UpstreamID: service.Page("Disk full")}
		errand := provider.Errand{Deed: deed, Until: time.Now().Add(time.Hour), To: page.Person{ID: bela}, Text: "words", Asked: time.Now()}
		for _, tried := range []bool{false, true} {
			errand.Tried = tried
			if _, err := p.Do(t.Context(), at, errand); err != nil {
				t.Errorf("%s: %v", deed, err)
			}
		}
		if _, err := p.Describe(t.Context(), at); err != nil {
			t.Error(err)
		}
	}
	open(t, p)
	if err := service.Merge(merged, into, bela); err != nil {
		t.Fatal(err)
	}
	open(t, p)
	if _, err := p.People(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := p.OnCall(context.Background(), time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	for _, operation := range []string{
		"PUT /incidents", "PUT /incidents/{id}", "POST /incidents/{id}/snooze", "GET /incidents/{id}/notes", "POST /incidents/{id}/notes",
		"GET /incidents/{id}/log_entries", "GET /incidents/{id}/related_change_events", "GET /users", "GET /users/{id}/contact_methods",
	} {
		if contract.Held()[operation] == 0 {
			t.Errorf("%s was not held against the document", operation)
		}
	}
}
