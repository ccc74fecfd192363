package pagerduty_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/drill"
	"nightstand/sync/pagerduty"
)

// byNight lets the provider go by the night's clock too.
func byNight(c *clock) func(*pagerduty.Options) {
	return func(o *pagerduty.Options) { o.Now = c.now }
}

func TestPageThatNobodyAnswersGoesToTheSecondaryByTheClock(t *testing.T) {
	n := begin(t, drill.Options{EscalateAfter: 20 * time.Second})
	id := n.service.Trigger(drill.Trigger{Title: "Orders are lost", Priority: "P1"})
	for waited := range 20 { // it is Ana's for twenty seconds
		got := only(t, n.provider)
		if got.UpstreamID != id || !got.Mine || got.Status != page.Triggered || got.AssignedTo != "Ana Lima" || got.EscalatesTo != "Béla Kovács" ||
			got.EscalatesAt.Sub(n.now()) != time.Duration(20-waited)*time.Second {
			t.Fatalf("after %d s: %+v", waited, got)
		}
		n.pass(time.Second)
	}
	got := only(t, n.provider)
	if got.UpstreamID != id || got.Mine || got.Status != page.Triggered || got.AssignedTo != "Béla Kovács" || got.EscalatesTo != "" {
		t.Errorf("when it went on: %+v", got)
	}
	if pages := open(t, n.provider); len(pages) != 0 {
		t.Errorf("it is told again: %+v", pages)
	}

	hers := n.as(t, "drill-key-of-bela-00")
	if got := only(t, hers); !got.Mine || got.AssignedTo != "Béla Kovács" || got.EscalatesTo != "" {
		t.Errorf("for Béla, who is the last to be asked: %+v", got)
	}
}

func TestNobodyIsNamedWhereThePageGoesToNobody(t *testing.T) {
	n := begin(t, drill.Options{})
	id := n.service.Trigger(drill.Trigger{Title: "Disk full"})
	if got, err := n.provider.Acknowledge(t.Context(), only(t, n.provider)); err != nil || got.AssignedTo != "Ana Lima" || got.EscalatesTo != "" {
		t.Errorf("acknowledged: %+v, %v", got, err)
	}
	if err := n.service.Reassign(id, ana); err != nil { // directly, so it is hers for good
		t.Fatal(err)
	}
	if got := only(t, n.provider); got.AssignedTo != "Ana Lima" || got.EscalatesTo != "" || !got.EscalatesAt.IsZero() {
		t.Errorf("assigned directly: %+v", got)
	}
}

func TestWhatAnEarlierConnectionListedIsAskedAbout(t *testing.T) {
	n := begin(t, drill.Options{})
	n.service.Trigger(drill.Trigger{Title: "Disk full"})
	before := open(t, n.provider)
	n.pass(5 * time.Minute)
	again := n.as(t, drill.DefaultKey)
	again.Remember(before)
	if got := only(t, again); got.Mine || got.AssignedTo != "Béla Kovács" {
		t.Errorf("%+v", got)
	}
	if pages := open(t, again); len(pages) != 0 {
		t.Errorf("it is told again: %+v", pages)
	}
}

// as is another connection to the same service.
func (n *night) as(t *testing.T, key string, change ...func(*pagerduty.Options)) *pagerduty.Provider {
	t.Helper()
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	return connect(t, server.URL, append(change, func(o *pagerduty.Options) { o.Secret = key })...)
}

// policy answers with one incident of P1's and whatever on-calls the test says.
type policy struct {
	*clock
	incident string // what the incident says beside its usual self
	onCalls  string
	asked    int
	hangs    bool
}

const usual = `"assigned_via":"escalation_policy","assignments":[{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P1","summary":"Ana"}}]`

func (p *policy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	incident := `{"id":"Q1","title":"x","status":"triggered","urgency":"high","escalation_policy":{"id":"PE"},
		"pending_actions":[{"type":"resolve","at":"2026-11-23T07:00:00Z"},{"type":"escalate","at":"2026-11-23T03:05:00Z"}],` + p.incident + `}`
	switch r.URL.Path {
	case "/oncalls":
		p.asked++
		if p.hangs {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, p.onCalls)
	default:
		w.Header().Set("Date", p.now().Format(http.TimeFormat))
		lists(`{"incidents":[`+incident+`],"more":false}`).ServeHTTP(w, r)
	}
}

func (p *policy) connect(t *testing.T) *pagerduty.Provider {
	t.Helper()
	p.clock = &clock{at: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return connect(t, server.URL, byNight(p.clock))
}

// turn is one on-call in the API's words.
func turn(who string, level int, start, end string) string {
	quote := func(at string) string {
		if at == "" {
			return "null"
		}
		return `"2026-11-23T` + at + `Z"`
	}
	return fmt.Sprintf(`{"user":{"id":%q,"type":"user","name":%q,"summary":%q},"escalation_policy":{"id":"PE"},"escalation_level":%d,"schedule":null,"start":%s,"end":%s}`,
		strings.Fields(who)[0], strings.Join(strings.Fields(who)[1:], " "), who, level, quote(start), quote(end))
}

func told(turns ...string) string {
	return `{"oncalls":[` + strings.Join(turns, ",") + `],"limit":100,"offset":0,"more":false}`
}

func TestWhoIsNextIsNeverAGuess(t *testing.T) {
	me := turn("P1 Ana", 1, "", "")
	for why, c := range map[string]struct {
		incident string
		onCalls  string
		want     string
	}{
		"permanent on-calls":                {usual, told(me, turn("P2 Béla Kovács", 2, "", ""), turn("P3 Carla", 3, "", "")), "Béla Kovács"},
		"two at the next level":             {usual, told(turn("P3 Dana Ito", 2, "", ""), me, turn("P2 Béla Kovács", 2, "", "")), "Béla Kovács and Dana Ito"},
		"three at the next level":           {usual, told(me, turn("P4 C", 2, "", ""), turn("P3 B", 2, "", ""), turn("P2 A", 2, "", "")), "A, B and C"},
		"once by name, once by a schedule":  {usual, told(me, turn("P2 Béla", 2, "", ""), turn("P2 Béla", 2, "02:00:00", "04:00:00")), "Béla"},
		"shifts that cover it":              {usual, told(turn("P1 Ana", 1, "02:00:00", "03:03:00"), turn("P2 Béla", 2, "03:05:00", "04:00:00")), "Béla"},
		"the next shift, by then":           {usual, told(me, turn("P2 Béla", 2, "01:00:00", "03:05:00"), turn("P3 Dana", 2, "03:05:00", "")), "Dana"},
		"the next level is not yet on call": {usual, told(me, turn("P2 Béla", 2, "03:05:01", "")), ""},
		"a level with nobody between":       {usual, told(me, turn("P3 Dana", 3, "", "")), ""},
		"the last level":                    {usual, told(turn("P1 Ana", 2, "", ""), turn("P2 Béla", 1, "", "")), ""},
		"on two levels":                     {usual, told(me, turn("P1 Ana", 2, "", ""), turn("P2 Béla", 3, "", "")), ""},
		"on none":                           {usual, told(turn("P3 Dana", 1, "", ""), turn("P2 Béla", 2, "", "")), ""},
		"her turn came after the page":      {usual, told(turn("P1 Ana", 2, "03:01:00", ""), turn("P3 Dana", 3, "", "")), ""},
		"her other turn came after it":      {usual, told(turn("P1 Ana", 1, "", "03:01:00"), turn("P1 Ana", 2, "03:01:00", ""), turn("P2 Béla", 2, "", "")), "Ana and Béla"},
		"assigned directly":                 {strings.Replace(usual, "escalation_policy", "direct_assignment", 1), told(me, turn("P2 Béla", 2, "", "")), ""},
		"assigned who knows when":           {strings.Replace(usual, `"at":"2026-11-23T03:00:00Z"`, `"at":null`, 1), told(me, turn("P2 Béla", 2, "", "")), ""},
		"assigned long ago":                 {strings.Replace(usual, "2026-11-23T03:00", "2026-11-22T03:00", 1), told(me, turn("P2 Béla", 2, "", "")), ""},
		"assigned to two of one level": {`"assignments":[{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P1"}},{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P9"}}]`,
			told(me, turn("P9 Zoe", 1, "", ""), turn("P2 Béla", 2, "", "")), "Béla"},
		"assigned to two of two levels": {`"assignments":[{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P1"}},{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P9"}}]`,
			told(me, turn("P9 Zoe", 2, "", ""), turn("P2 Béla", 2, "", "")), ""},
		"assigned to one who is on no level": {`"assignments":[{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P1"}},{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P9"}}]`,
			told(me, turn("P2 Béla", 2, "", "")), ""},
		"assigned to nobody":      {`"assignments":[]`, told(me, turn("P2 Béla", 2, "", "")), ""},
		"one has no name":         {usual, told(me, turn("P2 Béla", 2, "", ""), strings.NewReplacer(`"name":"x"`, `"name":null`, `"summary":"P3 x"`, `"summary":null`).Replace(turn("P3 x", 2, "", ""))), ""},
		"of another policy":       {usual, told(me, strings.Replace(turn("P2 Béla", 2, "", ""), `"PE"`, `"PX"`, 1)), ""},
		"not all of them":         {usual, strings.Replace(told(me, turn("P2 Béla", 2, "", "")), `"more":false`, `"more":true`, 1), ""},
		"maybe not all of them":   {usual, strings.Replace(told(me, turn("P2 Béla", 2, "", "")), `"more":false`, `"more":null`, 1), ""},
		"a start that is no time": {usual, told(me, turn("P2 Béla", 2, "25:00:00", "")), ""},
		"a start that is odd":     {usual, told(me, strings.Replace(turn("P2 Béla", 2, "", ""), `"start":null`, `"start":7`, 1)), ""},
		"a level that is odd":     {usual, told(me, strings.Replace(turn("P2 Béla", 2, "", ""), `"escalation_level":2`, `"escalation_level":"2"`, 1)), ""},
		"a user that is none":     {usual, told(me, strings.Replace(turn("P2 Béla", 2, "", ""), `"P2"`, `null`, 1)), ""},
		"nothing":                 {usual, `{"oncalls":[null],"more":false}`, ""},
		"no list":                 {usual, `{}`, ""},
		"no sense":                {usual, `[`, ""},
		"an error":                {usual, `{"error":{"code":2010}}`, ""},
		"a trap for a terminal":   {usual, told(me, turn("P2 Bé\u202ela", 2, "", "")), "Béla"},
	} {
		t.Run(why, func(t *testing.T) {
			server := &policy{incident: c.incident, onCalls: c.onCalls}
			got := only(t, server.connect(t))
			if got.EscalatesTo != c.want || got.EscalatesAt.IsZero() || !got.HandedOn {
				t.Errorf("it goes to %q, want %q: %+v", got.EscalatesTo, c.want, got)
			}
		})
	}
}

func TestWhoIsOnCallIsAskedOnceInFiveMinutes(t *testing.T) {
	for why, onCalls := range map[string]string{
		"with an answer": told(turn("P1 Ana", 1, "", ""), turn("P2 Béla", 2, "", "")), "without": "",
	} {
		server := &policy{incident: usual, onCalls: onCalls}
		p := server.connect(t)
		for range 299 {
			open(t, p)
			server.pass(time.Second)
		}
		if server.asked != 1 {
			t.Errorf("%s it was asked %d times in five minutes", why, server.asked)
		}
		server.pass(time.Second)
		server.onCalls = told(turn("P1 Ana", 1, "", ""), turn("P3 Dana", 2, "", ""))
		if got := only(t, p); server.asked != 2 || got.EscalatesTo != "Dana" {
			t.Errorf("%s, after five minutes it was asked %d times, and it goes to %q", why, server.asked, got.EscalatesTo)
		}
	}
}

func TestOnCallsThatDoNotComeHoldNoPageUp(t *testing.T) {
	server := &policy{incident: usual, hangs: true}
	p := server.connect(t)
	began := time.Now()
	if got := only(t, p); got.EscalatesTo != "" || got.EscalatesAt.IsZero() {
		t.Errorf("%+v", got)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the page came after %v", took)
	}
	began = time.Now()
	only(t, p)
	if took := time.Since(began); took > 500*time.Millisecond || server.asked != 1 {
		t.Errorf("the next poll took %v; %d times it was asked", took, server.asked)
	}
}

func TestHoldersAreNamed(t *testing.T) {
	for want, assignments := range map[string]string{
		"Ana":                `[{"at":"2026-11-23T03:00:00Z","assignee":{"id":"P1","summary":"Ana"}}]`,
		"Ana, Béla Kovács":   `[{"assignee":{"id":"P1","summary":"Ana"}},{"assignee":{"id":"P2","name":"Béla Kovács","summary":"x"}}]`,
		"bela@drill.example": `[null,{"assignee":null},{"assignee":{"id":"P2","email":"bela@drill.example"}}]`,
		"":                   `[{"assignee":{"id":"P1"}}]`,
	} {
		server := &policy{incident: `"assignments":` + assignments}
		if got := only(t, server.connect(t)); got.AssignedTo != want {
			t.Errorf("%s is assigned to %q, want %q", assignments, got.AssignedTo, want)
		}
	}
}
