package drill_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightstand/sync/drill"
)

// model is one incident as the reference describes it, written down a second
// time and in another way: it has no list of what is due, it lives through
// every second. Where the reference is silent, it says what the drill chose.
type model struct {
	options drill.Options
	now     time.Time

	status string
	holds  []string // IDs of those who have it, as the clock or somebody gave it to them
	direct bool     // given to a person: it is never handed on
	level  int      // of the escalation policy
	round  int
	acks   []string
	due    map[string]time.Time // pending actions
	urgent string
	notes  int
	merged bool     // it goes on in another one
	log    []string // oldest first
}

func (m *model) write(kind string) {
	line := m.now.Format(time.TimeOnly) + " " + kind
	if kind == "assign" || kind == "escalate" || kind == "repeat_escalation_path" {
		line += " to " + strings.Join(m.holds, ", ")
	}
	m.log = append(m.log, line)
}

// set makes an action pending, or not where its time is for ever.
func (m *model) set(action string, wait time.Duration) {
	delete(m.due, action)
	if wait > 0 {
		m.due[action] = m.now.Add(wait)
	}
}

// give is a level of the policy, at which the incident waits for an answer.
func (m *model) give(level int, kind string) {
	m.status, m.level, m.direct, m.acks = "triggered", level, false, nil
	m.holds = []string{m.options.Roster[level-1].ID}
	delete(m.due, "unacknowledge")
	m.set("escalate", m.options.EscalateAfter)
	m.write(kind)
}

func (m *model) assign(to string) {
	m.status, m.direct, m.acks, m.holds = "triggered", true, nil, []string{to}
	delete(m.due, "unacknowledge")
	delete(m.due, "escalate")
	m.write("assign")
}

func (m *model) acknowledge(by string) {
	if m.status == "resolved" { // it opens again, for whoever answers
		m.merged = false
		m.direct, m.holds = true, []string{by}
		m.set("resolve", m.options.ResolveAfter)
		m.write("assign")
	}
	m.status = "acknowledged"
	m.acks = append(slices.DeleteFunc(m.acks, func(who string) bool { return who == by }), by)
	delete(m.due, "escalate")
	m.set("unacknowledge", m.options.AckLasts) // answering again begins it anew
	m.write("acknowledge")
}

func (m *model) resolve() {
	m.status, m.holds, m.acks = "resolved", nil, nil
	clear(m.due)
	m.write("resolve")
}

func (m *model) reopen() {
	m.round, m.merged = 0, false
	m.set("resolve", m.options.ResolveAfter)
	m.give(1, "assign")
}

// second is what the clock does.
func (m *model) second() {
	m.now = m.now.Add(time.Second)
	due := func(action string) bool { return m.due[action].Equal(m.now) }
	switch { // two at once is for the service to choose: the end comes first
	case due("resolve"):
		m.resolve()
	case due("unacknowledge"):
		m.status, m.acks = "triggered", nil
		delete(m.due, "unacknowledge")
		if !m.direct {
			m.set("escalate", m.options.EscalateAfter)
		}
		m.write("unacknowledge")
	case due("escalate") && m.level < len(m.options.Roster):
		m.give(m.level+1, "escalate")
	case due("escalate") && m.round < m.options.Rounds:
		m.round++
		m.give(1, "repeat_escalation_path")
	case due("escalate"):
		delete(m.due, "escalate")
		m.write("exhaust_escalation_path")
	}
}

// told is all that can be seen of an incident from outside.
type told struct {
	status, urgency string
	direct, merged  bool
	notes           int
	holds, acks     []string
	due             map[string]string
	lines           int      // of the log
	newest          []string // those of them that may be new, the newest first
}

// newest is how many lines of the log are looked at: more than one step of the
// test can add.
const newest = 12

func (m *model) told() told {
	seen := told{m.status, m.urgent, m.direct, m.merged, m.notes, m.holds, m.acks, map[string]string{}, len(m.log), nil}
	for _, line := range slices.Backward(m.log[max(0, len(m.log)-newest):]) {
		seen.newest = append(seen.newest, line)
	}
	for action, at := range m.due {
		seen.due[action] = at.Format(time.RFC3339)
	}
	return seen
}

// readBack reads an incident and its log through the API.
func readBack(t fatal, service http.Handler, id string) told {
	t.Helper()
	_, answer, _ := ask(t, service, "GET", "/incidents/"+id, "")
	one := answer["incident"].(map[string]any)
	list := func(name, inside string) (ids []string) {
		for _, each := range one[name].([]any) {
			ids = append(ids, each.(map[string]any)[inside].(map[string]any)["id"].(string))
		}
		return ids
	}
	seen := told{
		status: one["status"].(string), urgency: one["urgency"].(string), direct: one["assigned_via"] == "direct_assignment",
		merged: one["resolve_reason"] != nil,
		holds:  list("assignments", "assignee"), acks: list("acknowledgements", "acknowledger"), due: map[string]string{},
	}
	for _, each := range one["pending_actions"].([]any) {
		action := each.(map[string]any)
		seen.due[action["type"].(string)] = action["at"].(string)
	}
	_, answer, _ = ask(t, service, "GET", "/incidents/"+id+"/notes", "")
	seen.notes = len(answer["notes"].([]any))
	_, answer, _ = ask(t, service, "GET", fmt.Sprintf("/incidents/%s/log_entries?total=true&limit=%d", id, newest), "")
	seen.lines = int(answer["total"].(float64))
	for _, each := range answer["log_entries"].([]any) {
		entry := each.(map[string]any)
		at, err := time.Parse(time.RFC3339, entry["created_at"].(string))
		if err != nil {
			t.Fatal(err)
		}
		line := at.Format(time.TimeOnly) + " " + strings.TrimSuffix(entry["type"].(string), "_log_entry")
		if to, has := entry["assignees"].([]any); has {
			var ids []string
			for _, who := range to {
				ids = append(ids, who.(map[string]any)["id"].(string))
			}
			line += " to " + strings.Join(ids, ", ")
		}
		seen.newest = append(seen.newest, line)
	}
	return seen
}

func (t told) same(other told) bool {
	return t.status == other.status && t.urgency == other.urgency && t.direct == other.direct && t.merged == other.merged && t.notes == other.notes && slices.Equal(t.holds, other.holds) &&
		slices.Equal(t.acks, other.acks) && maps.Equal(t.due, other.due) && t.lines == other.lines && slices.Equal(t.newest, other.newest)
}

// TestStateMachine lets anything happen in any order, through the API and by
// the clock, and holds the incident against the model after each.
func TestStateMachine(t *testing.T) {
	carla := drill.Person{ID: "PCARLA03", Name: "Carla Nunes", Email: "carla@drill.example", Key: "drill-key-of-carla-0"}
	rapid.Check(t, func(t *rapid.T) {
		everybody := append(drill.DefaultRoster(), carla)
		options := drill.Options{
			Roster:        everybody[:rapid.IntRange(1, 3).Draw(t, "levels")],
			EscalateAfter: rapid.SampledFrom([]time.Duration{time.Minute, -1}).Draw(t, "escalate after"),
			AckLasts:      rapid.SampledFrom([]time.Duration{5 * time.Minute, -1}).Draw(t, "ack lasts"),
			ResolveAfter:  rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "resolve after"),
			Rounds:        rapid.IntRange(0, 2).Draw(t, "rounds"), RequestsPerMinute: 1 << 30,
		}
		service, clock := newService(t, options)
		id := service.Trigger(drill.Trigger{Title: "anything"})
		m := &model{options: options, now: clock.now(), due: map[string]time.Time{}, urgent: "high"}
		m.write("trigger")
		m.reopen()

		someone := func(t *rapid.T) drill.Person { return rapid.SampledFrom(options.Roster).Draw(t, "who") }
		// do sends one change and holds the answer's code, 0 for a success.
		do := func(t *rapid.T, who drill.Person, method, path, body string, want float64) {
			t.Helper()
			status, answer, _ := askAs(t, service, who, method, "/incidents/"+id+path, body)
			said, _ := answer["error"].(map[string]any)
			code, _ := said["code"].(float64)
			if code != want || (status >= 400) != (want != 0) {
				t.Fatalf("%s %s by %s while it is %s answered %d with code %v, want code %v", method, body, who.Name, m.status, status, code, want)
			}
		}
		const invalid, alreadyResolved, noSuchLevel = 2001, 1001, 1006
		ended := func() float64 {
			if m.status == "resolved" {
				return alreadyResolved
			}
			return 0
		}
		update := func(fields string) string { return `{"incident":{"type":"incident",` + fields + `}}` }

		t.Repeat(map[string]func(*rapid.T){
			"seconds pass": func(t *rapid.T) {
				passed := rapid.IntRange(1, 400).Draw(t, "seconds")
				clock.pass(time.Duration(passed) * time.Second)
				for range passed {
					m.second()
				}
			},
			"until something is due": func(*rapid.T) {
				for before := len(m.log); len(m.due) > 0 && len(m.log) == before; {
					clock.pass(time.Second)
					m.second()
				}
			},
			"acknowledge": func(t *rapid.T) {
				who := someone(t)
				m.acknowledge(who.ID)
				do(t, who, "PUT", "", set("acknowledged"), 0)
			},
			"resolve": func(t *rapid.T) {
				do(t, someone(t), "PUT", "", set("resolved"), ended())
				if m.status != "resolved" {
					m.resolve()
				}
			},
			"resolve with words": func(t *rapid.T) {
				do(t, someone(t), "PUT", "", update(`"status":"resolved","resolution":"deleted old logs"`), ended())
				if m.status != "resolved" {
					m.resolve()
				}
			},
			"merge into another": func(t *rapid.T) {
				another := service.Trigger(drill.Trigger{Title: "another"})
				err := service.Merge(id, another, someone(t).ID)
				if ended := service.Resolve(another, ""); ended != nil { // nothing of it is due any more
					t.Fatal(ended)
				}
				if (err != nil) != (m.status == "resolved") {
					t.Fatalf("merging while it is %s: %v", m.status, err)
				}
				if m.status != "resolved" {
					m.resolve()
					m.merged = true
				}
			},
			"reopened by the service": func(t *rapid.T) {
				err := service.Reopen(id, "")
				if (err != nil) != (m.status == "acknowledged") {
					t.Fatalf("reopening while it is %s: %v", m.status, err)
				}
				if m.status == "resolved" {
					m.reopen()
				}
			},
			"set to triggered": func(t *rapid.T) {
				want := 0.0
				if m.status == "acknowledged" {
					want = invalid
				}
				do(t, someone(t), "PUT", "", set("triggered"), want)
				if m.status == "resolved" {
					m.reopen()
				}
			},
			"snooze": func(t *rapid.T) {
				lasts := rapid.IntRange(1, 900).Draw(t, "seconds")
				want := map[string]float64{"triggered": invalid, "resolved": alreadyResolved}[m.status]
				do(t, someone(t), "POST", "/snooze", fmt.Sprintf(`{"duration":%d}`, lasts), want)
				if m.status == "acknowledged" {
					m.set("unacknowledge", time.Duration(lasts)*time.Second)
					m.write("snooze")
				}
			},
			"reassign": func(t *rapid.T) {
				to := someone(t).ID
				do(t, someone(t), "PUT", "", update(`"assignments":[{"assignee":{"id":"`+to+`","type":"user_reference"}}]`), ended())
				if m.status != "resolved" {
					m.assign(to)
				}
			},
			"back to the policy": func(t *rapid.T) {
				do(t, someone(t), "PUT", "", update(`"escalation_policy":{"id":"PPOLICY","type":"escalation_policy_reference"}`), ended())
				if m.status != "resolved" {
					m.round = 0
					m.give(1, "assign")
				}
			},
			"escalate": func(t *rapid.T) {
				level := rapid.IntRange(0, 4).Draw(t, "level")
				want, there := ended(), level >= 1 && level <= len(options.Roster)
				if !there {
					want = noSuchLevel
				}
				do(t, someone(t), "PUT", "", update(fmt.Sprintf(`"escalation_level":%d`, level)), want)
				if there && m.status != "resolved" {
					m.give(level, "escalate")
				}
			},
			"change the urgency": func(t *rapid.T) {
				urgency := rapid.SampledFrom([]string{"high", "low"}).Draw(t, "urgency")
				do(t, someone(t), "PUT", "", update(`"urgency":"`+urgency+`"`), 0)
				if urgency != m.urgent {
					m.urgent = urgency
					m.write("urgency_change")
				}
			},
			"a note": func(t *rapid.T) {
				do(t, someone(t), "POST", "/notes", `{"note":{"content":"looking at it"}}`, 0)
				m.notes++
				m.write("annotate")
			},
			"": func(t *rapid.T) {
				if seen, want := readBack(t, service, id), m.told(); !seen.same(want) {
					t.Fatalf("the drill tells\n%+v, and the reference\n%+v", seen, want)
				}
			},
		})
	})
}
