package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/control"
)

// fakeAgent is an agent as far as its door shows: what it says is set by the
// test, what it was told is kept.
type fakeAgent struct {
	mutex    sync.Mutex
	state    control.State
	ended    []control.Page
	outcomes map[string]control.Outcome // by page; anything else is unknown
	upstream control.Upstream
	told     []string
	asked    []control.NewAccount
	reports  []control.AccountReport // answers to AddAccount, one after the other
	quit     func()
	drilled  control.DrillReport
	fault    error           // of the drill
	entries  []control.Entry // of the timeline; without any there is one line while a page is open
}

// happens adds to the timeline.
func (a *fakeAgent) happens(entries ...control.Entry) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.entries = append(a.entries, entries...)
}

// wasTold is what the agent was told since it was last asked, once it was told
// so much.
func (a *fakeAgent) wasTold(t *testing.T, so int) []string {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		a.mutex.Lock()
		told := a.told
		if len(told) >= so {
			a.told = nil
		}
		a.mutex.Unlock()
		if len(told) >= so {
			return told
		}
	}
	t.Fatalf("the agent was not told %d things", so)
	return nil
}

func (a *fakeAgent) tell(words ...string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.told = append(a.told, strings.Join(words, " "))
}

func (a *fakeAgent) State() control.State {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.state
}

func (a *fakeAgent) Pages(all bool) []control.Page {
	if all {
		return slices.Concat(a.state.Pages, a.ended)
	}
	return a.state.Pages
}

func (a *fakeAgent) Page(_ context.Context, id string) (control.Detail, error) {
	for _, p := range a.state.Pages {
		if p.ID == id {
			return control.Detail{Page: p, Details: "first line\nsecond \x1b[2Jline", Timeline: timeline}, nil
		}
	}
	return control.Detail{}, control.ErrUnknown
}

func (a *fakeAgent) Watch() (<-chan struct{}, func()) { return nil, func() {} }

func (a *fakeAgent) Acknowledge(_ context.Context, ids []string, all bool) ([]control.Outcome, error) {
	if all {
		a.tell("ack --all")
		var outcomes []control.Outcome
		for _, p := range a.state.Pages {
			if p.Ringing {
				outcomes = append(outcomes, a.outcomes[p.ID])
			}
		}
		return outcomes, nil
	}
	a.tell("ack", ids[0])
	if ids[0] == "busy" {
		return nil, &control.RefusedError{Sentence: "anna has it already"}
	}
	outcome, known := a.outcomes[ids[0]]
	if !known {
		return nil, control.ErrUnknown
	}
	return []control.Outcome{outcome}, nil
}

func (a *fakeAgent) Unacknowledge(_ context.Context, id string) (control.Outcome, error) {
	a.tell("unack", id)
	outcome, known := a.outcomes[id]
	if !known {
		return control.Outcome{}, control.ErrUnknown
	}
	return outcome, nil
}

func (a *fakeAgent) Hush(context.Context) (control.Outcome, error) {
	a.tell("hush")
	if len(a.state.Pages) == 0 {
		return control.Outcome{Sentence: "nothing rings, so there was nothing to hush"}, nil
	}
	return control.Outcome{Done: true, Sentence: "it is quiet for 60 s; nobody else was told"}, nil
}

func (a *fakeAgent) Dismiss(_ context.Context, id string) error {
	a.tell("dismiss", id)
	return nil
}

func (a *fakeAgent) Timeline(_ context.Context, most int) ([]control.Entry, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if len(a.entries) > 0 {
		return a.entries[max(0, len(a.entries)-most):], nil
	}
	if len(a.state.Pages) == 0 {
		return nil, nil
	}
	return timeline, nil
}

func (a *fakeAgent) Quit() {
	a.tell("quit")
	a.quit()
}

func (a *fakeAgent) AddAccount(_ context.Context, asked control.NewAccount) (control.AccountReport, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.asked = append(a.asked, asked)
	if len(a.reports) == 0 {
		return control.AccountReport{}, errors.New("the test expects no further account")
	}
	report := a.reports[0]
	a.reports = a.reports[1:]
	return report, nil
}

func (a *fakeAgent) TestAccount(_ context.Context, name string) (control.AccountReport, error) {
	switch name {
	case "prod":
		if len(a.reports) > 0 {
			return a.reports[0], nil
		}
		return works, nil
	case "broken":
		return control.AccountReport{Name: name, Error: "the Alertmanager at x does not answer"}, nil
	}
	return control.AccountReport{}, control.ErrUnknown
}

func (a *fakeAgent) RemoveAccount(_ context.Context, name string) error {
	a.tell("remove", name)
	if name != "prod" {
		return control.ErrUnknown
	}
	return nil
}

var (
	began    = time.Now().Add(-18*time.Minute - 5*time.Second)
	soon     = time.Now().Add(30 * time.Minute)
	justNow  = time.Now().Add(-2 * time.Second)
	timeline = []control.Entry{{At: began, Epoch: 1, Kind: "paged", Text: "“Database is down” pages you."}}
	works    = control.AccountReport{
		Name: "prod", OK: true, User: "anna", Service: "Alertmanager 0.25.0",
		Receivers: []string{"team-db", "team.web", "night|shift"},
		Open:      []control.Page{{Title: "Disk \x1b]0;evil\x07full", Severity: "minor"}},
		Notes:     []string{"Everything this Alertmanager lists is taken as yours"},
	}
)

// ringing is a night with one page that rings, one of ours, one of somebody else's.
func ringing() *fakeAgent {
	return &fakeAgent{
		upstream: control.Upstream{Body: "It drops orders.", Changes: []control.Change{{Summary: "deploy 42", Source: "ci"}}, Notes: []control.Note{{By: "Dana", Text: "on it"}}},
		state: control.State{
			Status: control.Status{
				Armed: control.Armed{State: "not_armed", Sentence: "Not armed: sound not proved.", Signals: []control.Signal{
					{Name: "poll:prod", State: "ok", Required: true, Detail: "answers"},
					{Name: "sound", State: "unknown", Required: true, Detail: "not proved yet"},
					{Name: "stay_awake", State: "failed", Required: true, Detail: "the machine may fall asleep"},
					{Name: "supervisor", State: "warning", Detail: "if I crash, nobody restarts me"},
				}},
				Alarm:    control.Alarm{Sounding: true, PageID: "aaaaa-bbbbb", Step: 1},
				Accounts: []control.Account{{Name: "prod", Provider: "alertmanager", URL: "http://127.0.0.1:9093", User: "anna", Mine: "receiver team-db", LastGoodPoll: &justNow}},
				Open:     3,
				Notices:  []control.Notice{{ID: "n1", Text: "“Cache” is resolved.", At: began}},
			},
			Pages: []control.Page{
				{ID: "aaaaa-bbbbb", Account: "prod", Title: "Database \x1b[31mis\u202e down", Severity: "critical", Status: "triggered", TriggeredAt: &began, Mine: true, Ringing: true, AssignedTo: "Ana Lima", AnswerMutes: "silences this alert for the whole team for 30 minutes"},
				{ID: "ccccc-ddddd", Account: "prod", Title: strings.Repeat("long ", 60), Severity: "degraded", Status: "acknowledged", TriggeredAt: &began, AcknowledgedAt: &began, AcknowledgedByMe: true, Answer: "confirmed", AckExpiresAt: &soon, Mine: true},
				{ID: "eeeee-fffff", Account: "prod", Title: "Queue is slow", Severity: "minor", Status: "acknowledged", AcknowledgedBy: "ben", AcknowledgedAt: &began, Answer: "confirmed"},
			},
		},
		ended: []control.Page{{ID: "ggggg-hhhhh", Title: "Cache", Severity: "minor", Status: "resolved", Ending: "resolved", EndedAt: &began}},
		outcomes: map[string]control.Outcome{
			"aaaaa-bbbbb": {ID: "aaaaa-bbbbb", Title: "Database is down", Done: true, Sentence: "acknowledged by you at 03:02:11, confirmed by the service"},
			"ccccc-ddddd": {ID: "ccccc-ddddd", Title: "long", Done: false, Sentence: "not acknowledged: the service did not confirm it within 10 s"},
		},
	}
}

// desk is a command line in front of a fake agent, with what is typed and read.
type desk struct {
	Program
	agent    *fakeAgent
	out, err bytes.Buffer
	secrets  []string // what ReadSecret is answered, in turn
	prompts  []string
	released int // how often Accounts was given back
}

// newDesk starts the agent's door; without an agent there is none.
func newDesk(t *testing.T, agent *fakeAgent) *desk {
	t.Helper()
	dir, err := os.MkdirTemp("", "ns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	address := filepath.Join(dir, "address")
	d := &desk{agent: agent}
	d.Program = Program{
		Version: "1.2.3", LoginName: "anna", In: strings.NewReader(""), Out: &d.out, Err: &d.err,
		Dial: func() (*control.Client, error) { return control.Dial(address) },
		ReadSecret: func(prompt string) (string, error) {
			d.prompts = append(d.prompts, prompt)
			if len(d.secrets) == 0 {
				return "", errors.New("the test gives no further secret")
			}
			secret := d.secrets[0]
			d.secrets = d.secrets[1:]
			return secret, nil
		},
	}
	d.Accounts = func(context.Context) (Accounts, func(), error) {
		client, err := d.Dial()
		return client, func() { d.released++ }, err
	}
	if agent == nil {
		return d
	}
	listener, door, err := control.Open(filepath.Join(dir, "s"), address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	agent.quit = cancel
	served := make(chan error, 1)
	go func() { served <- control.Serve(ctx, listener, door, agent) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("the fake agent ended with %v", err)
		}
	})
	return d
}

// run types one command line; what an earlier one printed is forgotten.
func (d *desk) run(t *testing.T, args ...string) int {
	t.Helper()
	d.out.Reset()
	d.err.Reset()
	return Run(t.Context(), d.Program, args)
}

func (d *desk) typed(text string) {
	d.Terminal, d.In = true, strings.NewReader(text)
}

func (a *fakeAgent) AddNote(_ context.Context, pageID string, asked control.NewNote) (control.Entry, error) {
	a.tell("note", pageID, asked.Text, fmt.Sprint(asked.Send))
	return control.Entry{Kind: "note", Text: asked.Text, At: time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)}, nil
}

func (a *fakeAgent) Do(_ context.Context, id string, asked control.Deed) (control.Outcome, error) {
	a.tell(asked.Deed, id, fmt.Sprint(asked.ForSeconds), asked.To, asked.Text)
	outcome, known := a.outcomes[id]
	if !known {
		return outcome, fmt.Errorf("%w: there is no page %s", control.ErrUnknown, id)
	}
	return outcome, nil
}

func (a *fakeAgent) Describe(_ context.Context, id string) (control.Upstream, error) {
	a.tell("describe", id)
	return a.upstream, nil
}

func (a *fakeAgent) ShowWindow(_ context.Context, view string) error {
	a.tell("window", view)
	return nil
}

func (a *fakeAgent) Attend(string) func() { return func() {} }

func (a *fakeAgent) Drill(_ context.Context, asked control.Drill) (control.DrillReport, error) {
	a.tell("drill", fmt.Sprint(asked.InSeconds))
	return a.drilled, a.fault
}
