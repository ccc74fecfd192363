package drill_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/sync/drill"
	"nightstand/sync/drill/drilltest"
)

const (
	ana     = "PANA0001"
	bela    = "PBELA002"
	anaFrom = "ana@drill.example"
)

// clock is a clock that goes only when it is told to.
type clock struct {
	mutex sync.Mutex
	at    time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)} }

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

type fatal interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newService(t fatal, options drill.Options) (*drill.Service, *clock) {
	t.Helper()
	time := newClock()
	options.Now = time.now
	service, err := drill.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return service, time
}

// ask speaks to the service as Ana, in the API's manner.
func ask(t fatal, service http.Handler, method, path, body string) (int, map[string]any, http.Header) {
	t.Helper()
	return askAs(t, service, drill.DefaultRoster()[0], method, path, body)
}

func askAs(t fatal, service http.Handler, who drill.Person, method, path, body string) (int, map[string]any, http.Header) {
	t.Helper()
	request := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	request.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Token token="+who.Key)
	if method != http.MethodGet {
		request.Header.Set("From", who.Email)
	}
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, request)
	var answer map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s answered what is not JSON: %q", method, path, recorder.Body)
	}
	return recorder.Code, answer, recorder.Header()
}

func set(status string) string {
	return `{"incident":{"type":"incident_reference","status":"` + status + `"}}`
}

// look is one incident as the API tells it.
type look struct {
	Status    string
	Assignees []string
	Answered  []string
	Pending   map[string]string
}

func see(t fatal, service http.Handler, id string) look {
	t.Helper()
	status, answer, _ := ask(t, service, "GET", "/incidents/"+id, "")
	if status != 200 {
		t.Fatalf("%s answered %d", id, status)
	}
	one := answer["incident"].(map[string]any)
	seen := look{Status: one["status"].(string), Pending: map[string]string{}}
	for _, a := range one["assignments"].([]any) {
		seen.Assignees = append(seen.Assignees, a.(map[string]any)["assignee"].(map[string]any)["id"].(string))
	}
	for _, a := range one["acknowledgements"].([]any) {
		seen.Answered = append(seen.Answered, a.(map[string]any)["acknowledger"].(map[string]any)["id"].(string))
	}
	for _, a := range one["pending_actions"].([]any) {
		seen.Pending[a.(map[string]any)["type"].(string)] = a.(map[string]any)["at"].(string)
	}
	return seen
}

func TestUnansweredPageIsHandedOnAndTheLogSaysToWhom(t *testing.T) {
	service, time_ := newService(t, drill.Options{EscalateAfter: time.Minute})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	if seen := see(t, service, id); seen.Status != "triggered" || !slices.Equal(seen.Assignees, []string{ana}) || seen.Pending["escalate"] != "2026-11-23T03:03:00Z" {
		t.Fatalf("at first: %+v", seen)
	}
	time_.pass(time.Minute)
	if seen := see(t, service, id); !slices.Equal(seen.Assignees, []string{bela}) {
		t.Fatalf("after a minute: %+v", seen)
	}
	log := service.Log()
	last := log[len(log)-1]
	if last.Kind != "escalate" || last.Summary != "Escalated to Béla Kovács" || !slices.Equal(last.To, []string{"Béla Kovács"}) || last.By != "" {
		t.Errorf("the log says %+v", last)
	}
	time_.pass(time.Hour)
	if seen := see(t, service, id); len(seen.Pending) != 0 || seen.Status != "triggered" {
		t.Errorf("after the last level: %+v", seen)
	}
	if log = service.Log(); log[len(log)-1].Kind != "exhaust_escalation_path" {
		t.Errorf("the log ends with %+v", log[len(log)-1])
	}
}

func TestAcknowledgementRunsOutAtItsTime(t *testing.T) {
	service, time_ := newService(t, drill.Options{AckLasts: 10 * time.Minute, EscalateAfter: time.Minute})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	if status, _, _ := ask(t, service, "PUT", "/incidents/"+id, set("acknowledged")); status != 200 {
		t.Fatalf("acknowledging answered %d", status)
	}
	if seen := see(t, service, id); seen.Status != "acknowledged" || !slices.Equal(seen.Answered, []string{ana}) || seen.Pending["unacknowledge"] != "2026-11-23T03:12:00Z" || seen.Pending["escalate"] != "" {
		t.Fatalf("after the answer: %+v", seen)
	}
	time_.pass(10*time.Minute + 30*time.Second)
	if seen := see(t, service, id); seen.Status != "triggered" || len(seen.Answered) != 0 || seen.Pending["escalate"] != "2026-11-23T03:13:00Z" {
		t.Errorf("after it ran out: %+v", seen)
	}
}

func TestLateAcknowledgementOpensTheIncidentAgain(t *testing.T) {
	service, _ := newService(t, drill.Options{})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	if err := service.Resolve(id, ""); err != nil {
		t.Fatal(err)
	}
	if seen := see(t, service, id); seen.Status != "resolved" || len(seen.Assignees) != 0 {
		t.Fatalf("resolved: %+v", seen)
	}
	ask(t, service, "PUT", "/incidents/"+id, set("acknowledged"))
	if seen := see(t, service, id); seen.Status != "acknowledged" || !slices.Equal(seen.Assignees, []string{ana}) {
		t.Errorf("the trap does not snap: %+v", seen)
	}
}

func TestRefusalsHaveTheAPIsShape(t *testing.T) {
	service, time_ := newService(t, drill.Options{RequestsPerMinute: 40})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               float64
	}{
		{"GET", "/nowhere", "", 404, 2100},
		{"GET", "/incidents/QNONE", "", 404, 2100},
		{"GET", "/incidents?offset=9950&limit=100", "", 400, 2001},
		{"GET", "/incidents?statuses[]=open", "", 400, 2001},
		{"GET", "/incidents?since=yesterday", "", 400, 2004},
		{"PUT", "/incidents/" + id, set("acked"), 400, 2001},
		{"PUT", "/incidents/" + id, `{"incident":{"status":"resolved"}}`, 400, 2001},
		{"PUT", "/incidents/" + id, `{`, 400, 2001},
		{"PUT", "/incidents/" + id, `{"incident":{"type":"incident","escalation_level":9}}`, 400, 1006},
		{"POST", "/incidents/" + id + "/snooze", `{"duration":604801}`, 400, 2001},
		{"POST", "/incidents/" + id + "/snooze", `{"duration":60}`, 400, 2001}, // not acknowledged
		{"POST", "/incidents/" + id + "/notes", `{"note":{"content":" "}}`, 400, 2001},
	} {
		status, answer, _ := ask(t, service, c.method, c.path, c.body)
		said, _ := answer["error"].(map[string]any)
		if status != c.status || said["code"] != c.code {
			t.Errorf("%s %s %s answered %d %v", c.method, c.path, c.body, status, answer)
		}
	}
	for range 40 {
		ask(t, service, "GET", "/users/me", "")
	}
	status, answer, header := ask(t, service, "GET", "/users/me", "")
	if status != 429 || answer["error"].(map[string]any)["code"] != 2020.0 || header.Get("ratelimit-reset") != "60" {
		t.Errorf("too many requests answered %d %v, wait %q", status, answer, header.Get("ratelimit-reset"))
	}
	time_.pass(time.Minute)
	if status, _, _ := ask(t, service, "GET", "/users/me", ""); status != 200 {
		t.Errorf("a minute later it answered %d", status)
	}

	stranger := httptest.NewRequest("GET", "/users/me", nil)
	stranger.Header.Set("Authorization", "Token token=nobodys")
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, stranger)
	if recorder.Code != 401 {
		t.Errorf("a wrong key answered %d", recorder.Code)
	}
}

func TestOneImpossibleUpdateStopsThemAll(t *testing.T) {
	service, _ := newService(t, drill.Options{})
	first, second := service.Trigger(drill.Trigger{Title: "a"}), service.Trigger(drill.Trigger{Title: "b"})
	body := `{"incidents":[{"id":"` + first + `","type":"incident_reference","status":"acknowledged"},{"id":"QNONE","type":"incident_reference","status":"acknowledged"}]}`
	if status, _, _ := ask(t, service, "PUT", "/incidents", body); status != 400 || see(t, service, first).Status != "triggered" {
		t.Errorf("it answered %d and the first is %s", status, see(t, service, first).Status)
	}
	body = strings.Replace(body, "QNONE", second, 1)
	if status, _, _ := ask(t, service, "PUT", "/incidents", body); status != 200 || see(t, service, second).Status != "acknowledged" {
		t.Errorf("both possible, it answered %d", status)
	}
}

func TestOldIncidentsNeedAllDates(t *testing.T) {
	service, time_ := newService(t, drill.Options{EscalateAfter: -1})
	service.Trigger(drill.Trigger{Title: "old"})
	time_.pass(40 * 24 * time.Hour)
	for path, want := range map[string]int{"/incidents": 0, "/incidents?date_range=all": 1, "/incidents?date_range=all&user_ids[]=" + bela: 0} {
		if _, answer, _ := ask(t, service, "GET", path, ""); len(answer["incidents"].([]any)) != want {
			t.Errorf("%s lists %v", path, answer)
		}
	}
}

func TestShortNightGoesByTheClock(t *testing.T) {
	service, time_ := newService(t, drill.Options{})
	if err := service.Play(drill.ShortNight()); err != nil {
		t.Fatal(err)
	}
	began := time_.now()
	time_.pass(drill.ShortNight().Lasts() + 25*time.Second)
	kinds := map[string]int{}
	last := time.Time{}
	var escalated drill.Entry
	for _, entry := range service.Log() {
		kinds[entry.Kind]++
		if entry.At.Before(last) {
			t.Errorf("%v is out of order", entry)
		}
		last = entry.At
		if entry.Kind == "escalate" {
			escalated = entry
		}
	}
	if kinds["trigger"] != 15 || kinds["resolve"] != 1 || kinds["escalate"] != 1 {
		t.Errorf("the night had %v", kinds)
	}
	if escalated.At.Sub(began) != 115*time.Second || !slices.Equal(escalated.To, []string{"Béla Kovács"}) {
		t.Errorf("escalated: %+v", escalated)
	}
}

func TestNightsThatMakeNoSenseAreRefused(t *testing.T) {
	service, _ := newService(t, drill.Options{})
	for why, steps := range map[string][]drill.Step{
		"nothing":         {{After: time.Second}},
		"unknown":         {{Resolve: "nobody"}},
		"before":          {{After: 2 * time.Second, Trigger: &drill.Trigger{Name: "a"}}, {After: time.Second, Resolve: "a"}},
		"twice":           {{Trigger: &drill.Trigger{Name: "a"}}, {Trigger: &drill.Trigger{Name: "a"}}},
		"unknown helper":  {{Trigger: &drill.Trigger{Name: "a"}}, {Acknowledge: "a", By: "PNOBODY"}},
		"two at one time": {{Trigger: &drill.Trigger{Name: "a"}, Resolve: "a"}},
	} {
		if service.Play(drill.Night{Steps: steps}) == nil {
			t.Errorf("%s was played", why)
		}
	}
}

func TestTheDrillKeepsToTheOfficialDocument(t *testing.T) {
	contract := drilltest.Official(t)
	service, time_ := newService(t, drill.Options{EscalateAfter: time.Minute, ResolveAfter: time.Hour})
	watched := contract.Watch(t, service)
	id := service.Trigger(drill.Trigger{Title: "Disk full", Priority: "P1", Details: map[string]string{"host": "db-2"}, Links: []drill.Link{{Text: "Runbook", URL: "https://runbooks.example/disk"}}})
	other := service.Trigger(drill.Trigger{Title: "Other"})
	service.Changed(drill.Change{Service: "Drill", Summary: "Deployed 4.2", Source: "ci", Links: []drill.Link{{Text: "Build", URL: "https://ci.example/2"}}})
	steps := []struct{ method, path, body string }{
		{"GET", "/incidents?user_ids[]=" + ana + "&statuses[]=triggered&statuses[]=acknowledged&date_range=all&limit=100&offset=0&sort_by=created_at:desc&include[]=acknowledgers", ""},
		{"PUT", "/incidents/" + id, set("acknowledged")},
		{"GET", "/incidents/" + id + "?include[]=acknowledgers", ""},
		{"POST", "/incidents/" + id + "/snooze", `{"duration":3600}`},
		{"POST", "/incidents/" + id + "/notes", `{"note":{"content":"Looking at it"}}`},
		{"GET", "/incidents/" + id + "/notes", ""},
		{"GET", "/incidents/" + id + "/alerts?limit=100", ""},
		{"PUT", "/incidents", `{"incidents":[{"id":"` + other + `","type":"incident_reference","status":"acknowledged"}]}`},
		{"PUT", "/incidents/" + other, `{"incident":{"type":"incident","escalation_level":2}}`},
		{"PUT", "/incidents/" + other, `{"incident":{"type":"incident","urgency":"low"}}`},
		{"PUT", "/incidents/" + other, `{"incident":{"type":"incident","assignments":[{"assignee":{"id":"` + ana + `","type":"user_reference"}}]}}`},
		{"PUT", "/incidents/" + id, set("resolved")},
		{"GET", "/incidents?date_range=all&statuses[]=resolved&total=true", ""},
		{"PUT", "/incidents/" + id, set("triggered")},
		{"GET", "/incidents/" + id + "/log_entries?limit=100&is_overview=false", ""},
		{"GET", "/log_entries?limit=100", ""},
		{"GET", "/oncalls?user_ids[]=" + ana + "&time_zone=UTC", ""},
		{"GET", "/users?query=ana&limit=100", ""},
		{"GET", "/users/me", ""},
		{"GET", "/users/" + ana + "/contact_methods", ""},
		{"GET", "/incidents/" + id + "?include[]=body", ""},
		{"GET", "/incidents/" + id + "/related_change_events?limit=20", ""},
		{"GET", "/priorities", ""},
		{"GET", "/incidents/QNONE", ""},
	}
	for _, step := range steps {
		status, answer, _ := ask(t, watched, step.method, step.path, step.body)
		if status >= 400 && !strings.Contains(step.path, "QNONE") {
			t.Errorf("%s %s answered %d %v", step.method, step.path, status, answer)
		}
	}
	if err := service.Merge(other, id, bela); err != nil {
		t.Fatal(err)
	}
	ask(t, watched, "GET", "/incidents/"+other, "")
	time_.pass(2 * time.Hour) // everything the clock can do is in the log now
	ask(t, watched, "GET", "/log_entries?limit=100", "")
	if held := contract.Held(); len(held) != 16 {
		t.Errorf("only these operations were held against the document: %v", held)
	}
}

func TestTheDocumentIsReallyHeldAgainstIt(t *testing.T) {
	contract := drilltest.Official(t)
	service, _ := newService(t, drill.Options{})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	good := `{"incident":{"id":"Q1","type":"incident","status":"triggered"}}`
	header := http.Header{"Content-Type": {"application/json"}}
	for why, c := range map[string]struct {
		from, body, answer  string
		status              int
		wantAsked, wantSaid bool
	}{
		"all well":              {anaFrom, set("acknowledged"), good, 200, false, false},
		"no From":               {"", set("acknowledged"), good, 200, true, false},
		"a wrong status":        {anaFrom, set("acked"), good, 200, true, false},
		"no type":               {anaFrom, `{"incident":{}}`, good, 200, true, false},
		"an odd answer":         {anaFrom, set("acknowledged"), strings.Replace(good, "triggered", "open", 1), 200, false, true},
		"a code it cannot give": {anaFrom, set("acknowledged"), good, 202, false, true},
	} {
		request := httptest.NewRequest("PUT", "/incidents/"+id, strings.NewReader(c.body))
		request.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
		request.Header.Set("Content-Type", "application/json")
		if c.from != "" {
			request.Header.Set("From", c.from)
		}
		ofRequest, ofAnswer := contract.Check(request, []byte(c.body), c.status, header, []byte(c.answer))
		if (ofRequest != nil) != c.wantAsked || (ofAnswer != nil) != c.wantSaid {
			t.Errorf("%s: request %v, answer %v", why, ofRequest, ofAnswer)
		}
	}
}

func TestItAnswersOnThisMachineOnly(t *testing.T) {
	service, _ := newService(t, drill.Options{})
	url, stop, err := service.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("it answers at %s", url)
	}
	response, err := http.Get(url + "/users/me")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 401 {
		t.Errorf("without a key it answered %d", response.StatusCode)
	}
	stop()
	if response, err := http.Get(url + "/users/me"); err == nil {
		response.Body.Close()
		t.Error("it still answers after it was stopped")
	}
}

func TestRosterMustBeTellable(t *testing.T) {
	for _, roster := range [][]drill.Person{
		{{ID: "P1", Name: "A"}},
		{{ID: "P1", Name: "A", Email: "a@x.example"}, {ID: "P1", Name: "B", Email: "b@x.example"}},
	} {
		if _, err := drill.New(drill.Options{Roster: roster}); err == nil {
			t.Errorf("%s was taken", fmt.Sprint(roster))
		}
	}
}

func TestKeyOfTheAccountActsForWhoeverFromNames(t *testing.T) {
	const account, reader = "drill-account-key-00", "drill-readers-key-00"
	service, _ := newService(t, drill.Options{AccountKey: account, ReadOnlyKey: reader})
	id := service.Trigger(drill.Trigger{Title: "Disk full"})
	as := func(key string) drill.Person { return drill.Person{Key: key, Email: "bela@drill.example"} }
	for _, c := range []struct {
		key, method, path, body string
		want                    int
	}{
		{account, "GET", "/users/me", "", 400}, {reader, "GET", "/users/me", "", 400},
		{account, "GET", "/incidents/" + id, "", 200}, {reader, "GET", "/incidents/" + id, "", 200},
		{reader, "PUT", "/incidents/" + id, set("acknowledged"), 403}, {reader, "PUT", "/incidents", `{"incidents":[]}`, 403},
		{account, "PUT", "/incidents", `{"incidents":[]}`, 400}, {account, "PUT", "/incidents/" + id, set("acknowledged"), 200},
		{"", "GET", "/incidents", "", 401},
	} {
		if status, answer, _ := askAs(t, service, as(c.key), c.method, c.path, c.body); status != c.want {
			t.Errorf("%q %s %s answered %d %v, want %d", c.key, c.method, c.path, status, answer, c.want)
		}
	}
	if seen := see(t, service, id); !slices.Equal(seen.Answered, []string{bela}) {
		t.Errorf("answered by %v", seen.Answered)
	}
}

func TestMergedIncidentSaysWhereItGoesOn(t *testing.T) {
	service, _ := newService(t, drill.Options{})
	id, into := service.Trigger(drill.Trigger{Title: "Shop is slow"}), service.Trigger(drill.Trigger{Title: "Database is slow"})
	if err := service.Merge(id, id, bela); err == nil {
		t.Error("it was merged into itself")
	}
	if err := service.Merge(id, into, bela); err != nil {
		t.Fatal(err)
	}
	reason := func() any {
		_, answer, _ := ask(t, service, "GET", "/incidents/"+id, "")
		return answer["incident"].(map[string]any)["resolve_reason"]
	}
	told, _ := reason().(map[string]any)
	if told == nil || told["incident"].(map[string]any)["id"] != into || see(t, service, id).Status != "resolved" {
		t.Errorf("it says %v", told)
	}
	if err := service.Reopen(id, ""); err != nil {
		t.Fatal(err)
	}
	if reason() != nil {
		t.Errorf("it is open again, and says %v", reason())
	}
}
