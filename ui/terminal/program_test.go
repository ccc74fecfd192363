package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"nightstand/app/control"
)

// Every command in one table: how it ends, and where its words go.
func TestCommands(t *testing.T) {
	for _, c := range []struct {
		command  string
		code     int
		out, err string // parts of what is printed; "" means nothing is
	}{
		{"status", 0, "A page is ringing: “Database is down” (critical, open for 18 min). Answer it\nwith “nightstand ack aaaaa-bbbbb”.", ""},
		{"pages", 0, "rings now; open for 18 min", ""},
		{"pages --all", 0, "resolved at ", ""},
		{"show aaaaa-bbbbb", 0, "silences this alert for the whole team", ""},
		{"show aaaaa-bbbbb", 0, "Ana Lima", ""},
		{"show AAAAA-bbbbb", 0, "customer data is being lost", ""},
		{"show nobody", 2, "", "No page has the id “nobody”."},
		{"show ../x", 2, "", "not the id of a page"},
		{"timeline", 0, "“Database is down” pages you.", ""},

		{"ack aaaaa-bbbbb", 0, "“Database is down”: Acknowledged by you at 03:02:11, confirmed by the service.", ""},
		{"ack ccccc-ddddd", 1, "Not acknowledged: the service did not confirm it within 10 s.", ""},
		{"ack aaaaa-bbbbb ccccc-ddddd", 1, "did not confirm", ""},
		{"ack busy", 1, "Anna has it already.", ""},
		{"ack nobody", 2, "", "No page has the id “nobody”."},
		{"ack nobody aaaaa-bbbbb", 2, "confirmed by the service", "No page has the id “nobody”."},
		{"ack --all", 0, "confirmed by the service", ""},
		{"ack", 2, "", "Nothing was acknowledged."},
		{"ack aaaaa-bbbbb --all", 2, "", "not both"},
		{"ack ..", 2, "", "not the id of a page"},
		{"unack aaaaa-bbbbb", 0, "Acknowledged by you", ""},
		{"unack nobody", 2, "", "No page has the id"},
		{"unack", 2, "", "nightstand unack --help"},
		{"hush", 0, "It is quiet for 60 s; nobody else was told.", ""},
		{"resolve aaaaa-bbbbb", 0, "“Database is down”: ", ""},
		{"resolve ccccc-ddddd", 1, "did not confirm", ""},
		{"resolve nobody", 2, "", "No page has the id “nobody”."},
		{"resolve ..", 2, "", "not the id of a page"},
		{"snooze aaaaa-bbbbb --for 1h", 0, "“Database is down”: ", ""},
		{"snooze aaaaa-bbbbb --until 07:30", 0, "“Database is down”: ", ""},
		{"snooze aaaaa-bbbbb", 2, "", "Say how long"},
		{"snooze aaaaa-bbbbb --for 1h --until 07:30", 2, "", "Say how long"},
		{"snooze aaaaa-bbbbb --until noon", 2, "", "is not a time"},
		{"snooze aaaaa-bbbbb --for=-1h", 2, "", "lies ahead"},
		{"escalate aaaaa-bbbbb", 0, "“Database is down”: ", ""},
		{"reassign aaaaa-bbbbb Dana", 0, "“Database is down”: ", ""},
		{"reassign aaaaa-bbbbb", 2, "", "nightstand reassign --help"},
		{"note add --page aaaaa-bbbbb disk is full", 0, "Kept on this machine.", ""},
		{"note add --page aaaaa-bbbbb --send disk is full", 0, "on its way to the service", ""},
		{"note add disk is full", 2, "", "Say which page"},
		{"show aaaaa-bbbbb --service", 0, "deploy 42", ""},
		{"dismiss", 0, "“Cache” is resolved.", ""},
		{"dismiss N1", 0, "“Cache” is resolved.", ""},
		{"dismiss n9", 2, "", "No sentence with the id “n9” is kept"},
		{"dismiss n1 --all", 2, "", "not both"},

		{"account list", 0, "http://127.0.0.1:9093 as anna", ""},
		{"account test prod", 0, "“prod” answers: Alertmanager 0.25.0, where you are anna.", ""},
		{"account test broken", 1, "The Alertmanager at x does not answer.", ""},
		{"account test nobody", 2, "", "There is no account “nobody”."},
		{"account remove prod", 0, "forgotten", ""},
		{"account remove nobody", 2, "", "There is no account “nobody”."},
		{"account", 2, "", "“nightstand account"},

		{"version", 0, "nightstand 1.2.3", ""},
		{"--help", 0, "Nightstand wakes you", ""},
		{"ack --help", 0, "nobody can have read that", ""},
		{"account add --help", 0, "keyring", ""},
		{"mend aaaaa-bbbbb", 2, "", "nightstand --help"},
		{"status --nonsense", 2, "", "Unknown flag --nonsense. “nightstand status --help” shows how it is used."},
		{"agent --nonsense", 78, "", "nightstand agent --help"},
		{"agent now", 78, "", "nightstand agent --help"},
	} {
		t.Run(c.command, func(t *testing.T) {
			d := newDesk(t, ringing())
			if code := d.run(t, strings.Fields(c.command)...); code != c.code {
				t.Errorf("the exit code is %d, want %d", code, c.code)
			}
			for name, where := range map[string]struct{ got, want string }{"out": {d.out.String(), c.out}, "err": {d.err.String(), c.err}} {
				if where.want == "" && where.got != "" || !strings.Contains(where.got, where.want) {
					t.Errorf("std%s is\n%s\nwant %q", name, where.got, where.want)
				}
				safe(t, where.got)
			}
			if strings.HasPrefix(c.command, "account ") && !strings.HasSuffix(c.command, "--help") && d.released != 1 {
				t.Errorf("the accounts were given back %d times", d.released)
			}
		})
	}
}

// safe checks that nothing from outside can steer a terminal, and that lines
// can be read at 80 columns.
func safe(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("this line has %d columns: %s", n, line)
		}
		for _, r := range line {
			if r < ' ' || r == 0x7f || r == '\u202e' {
				t.Errorf("the line %q contains %U", line, r)
			}
		}
	}
}

func TestWithoutAnAgent(t *testing.T) {
	for _, command := range []string{"status", "pages", "show a", "timeline", "ack a", "ack --all", "unack a", "hush", "dismiss", "quit", "account list"} {
		for _, option := range []string{"", " --json"} {
			if command == "quit" && option != "" {
				continue
			}
			d := newDesk(t, nil)
			if code := d.run(t, strings.Fields(command+option)...); code != 3 {
				t.Errorf("%s%s ends with %d", command, option, code)
			}
			if d.out.Len() != 0 || !strings.Contains(d.err.String(), "The Nightstand agent is not running") {
				t.Errorf("%s%s prints %q and %q", command, option, &d.out, &d.err)
			}
		}
	}
	if code := newDesk(t, nil).run(t, "version"); code != 0 {
		t.Errorf("version needs an agent: %d", code)
	}
}

// The same answers as JSON, alone on stdout, lists as arrays also when empty.
func TestJSON(t *testing.T) {
	quietNight := func() *fakeAgent { return &fakeAgent{} }
	for _, c := range []struct {
		command string
		agent   *fakeAgent
		code    int
		want    string // a Go value that is there, as a path: "armed.state=not_armed"
	}{
		{"status", ringing(), 0, "armed.state=not_armed"},
		{"status", ringing(), 0, "alarm.page_id=aaaaa-bbbbb"},
		{"status", ringing(), 0, "accounts.0.name=prod"},
		{"status", quietNight(), 0, "accounts=[]"},
		{"status", quietNight(), 0, "armed.signals=[]"},
		{"status", quietNight(), 0, "open=0"},
		{"pages", ringing(), 0, "1.acknowledged_by_me=true"},
		{"pages", ringing(), 0, "0.links=[]"},
		{"pages", quietNight(), 0, "=[]"},
		{"show aaaaa-bbbbb", ringing(), 0, "timeline.0.kind=paged"},
		{"timeline", quietNight(), 0, "=[]"},
		{"timeline", ringing(), 0, "0.epoch=1"},
		{"ack aaaaa-bbbbb", ringing(), 0, "0.done=true"},
		{"ack ccccc-ddddd aaaaa-bbbbb aaaaa-bbbbb", ringing(), 1, "1.id=aaaaa-bbbbb"},
		{"ack nobody", ringing(), 2, "=[]"},
		{"ack --all", quietNight(), 0, "=[]"},
		{"unack aaaaa-bbbbb", ringing(), 0, "0.done=true"},
		{"hush", quietNight(), 1, "0.done=false"},
		{"dismiss", ringing(), 0, "0.id=n1"},
		{"dismiss --all", quietNight(), 0, "=[]"},
		{"account list", ringing(), 0, "0.mine=receiver team-db"},
		{"account list", quietNight(), 0, "=[]"},
		{"account test prod", ringing(), 0, "receivers.1=team.web"},
		{"account test broken", ringing(), 1, "open=[]"},
		{"doctor", ringing(), 0, "=[]"},
		{"version", ringing(), 0, "version=1.2.3"},
	} {
		t.Run(c.command+" "+c.want, func(t *testing.T) {
			d := newDesk(t, c.agent)
			d.Doctor = func(context.Context) []Finding { return nil }
			if code := d.run(t, append(strings.Fields(c.command), "--json")...); code != c.code {
				t.Errorf("the exit code is %d, want %d", code, c.code)
			}
			var value any
			decoder := json.NewDecoder(&d.out)
			if err := decoder.Decode(&value); err != nil || decoder.More() {
				t.Fatalf("stdout is not one JSON value: %v", err)
			}
			path, want, _ := strings.Cut(c.want, "=")
			for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
				switch inside := value.(type) {
				case map[string]any:
					value = inside[step]
				case []any:
					if i := int(step[0] - '0'); i < len(inside) {
						value = inside[i]
					}
				}
			}
			if text, isText := value.(string); isText && text == want {
				return
			}
			if got, _ := json.Marshal(value); string(got) != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
		})
	}
}

func TestEachNamedPageIsAcknowledgedOnce(t *testing.T) {
	d := newDesk(t, ringing())
	d.run(t, "ack", " AAAAA-bbbbb ", "ccccc-ddddd", "aaaaa-bbbbb")
	slices.Sort(d.agent.told)
	if want := []string{"ack aaaaa-bbbbb", "ack ccccc-ddddd"}; !slices.Equal(d.agent.told, want) {
		t.Errorf("the agent was told %q, want %q", d.agent.told, want)
	}
}

func TestQuietNightInWords(t *testing.T) {
	for command, c := range map[string]struct {
		code int
		out  string
	}{
		"ack --all":     {0, "Nothing rang, so there was nothing to acknowledge."},
		"hush":          {1, "Nothing rings, so there was nothing to hush."},
		"dismiss --all": {0, "Nothing is kept"},
		"pages":         {0, "No page is open."},
		"timeline":      {0, "Nothing has happened yet."},
		"account list":  {0, "No paging service is set up, so no page can arrive."},
		"status":        {0, "No roster is known, so you count as on call."},
	} {
		d := newDesk(t, &fakeAgent{})
		if code := d.run(t, strings.Fields(command)...); code != c.code || !strings.Contains(d.out.String(), c.out) || d.err.Len() != 0 {
			t.Errorf("%s ends with %d and says %q and %q", command, code, &d.out, &d.err)
		}
	}
}

func TestSeveralKeptSentencesAreNotPutAwayBlindly(t *testing.T) {
	agent := ringing()
	agent.state.Notices = append(agent.state.Notices, control.Notice{ID: "n2", Text: "Another one."})
	d := newDesk(t, agent)
	if code := d.run(t, "dismiss"); code != 2 || !strings.Contains(d.err.String(), "2 sentences are kept") || len(agent.told) != 0 {
		t.Errorf("dismiss ends with %d, says %q, tells %q", code, &d.err, agent.told)
	}
	if code := d.run(t, "dismiss", "--all"); code != 0 || !slices.Equal(agent.told, []string{"dismiss n1", "dismiss n2"}) {
		t.Errorf("dismiss --all ends with %d, tells %q", code, agent.told)
	}
}

type codedError struct{ code int }

func (e codedError) Error() string { return "another instance already runs" }
func (e codedError) ExitCode() int { return e.code }

func TestAgentAndStart(t *testing.T) {
	d := newDesk(t, nil)
	t.Setenv("NIGHTSTAND_HOME", "")
	t.Setenv("NIGHTSTAND_SUPERVISOR", "")
	var got AgentOptions
	d.RunAgent = func(_ context.Context, o AgentOptions) error {
		got = o
		return nil
	}
	code := d.run(t, "agent", "--no-tray", "--guarded", "--home=/night stand", "--supervisor=task-scheduler")
	if want := (AgentOptions{NoTray: true, Guarded: true}); code != 0 || got != want {
		t.Errorf("the agent ends with %d and got %+v", code, got)
	}
	if os.Getenv("NIGHTSTAND_HOME") != "/night stand" || os.Getenv("NIGHTSTAND_SUPERVISOR") != "task-scheduler" {
		t.Error("the home and the supervisor did not reach the environment")
	}
	d.run(t, "agent", "--help")
	if strings.Contains(d.out.String(), "supervisor") {
		t.Errorf("the help shows what only supervisors use:\n%s", &d.out)
	}

	d.RunAgent = func(context.Context, AgentOptions) error { return codedError{78} }
	if code := d.run(t, "agent"); code != 78 || !strings.Contains(d.err.String(), "Another instance already runs.") {
		t.Errorf("a second agent ends with %d and says %q", code, &d.err)
	}
	d.RunAgent = func(context.Context, AgentOptions) error { return errors.New("the disk is full") }
	if code := d.run(t, "agent"); code != 1 {
		t.Errorf("an agent that fails ends with %d", code)
	}

	d.Start = func(_ context.Context, o StartOptions) error {
		o.Say("Nightstand is running already.")
		return nil
	}
	if code := d.run(t); code != 0 || d.out.String() != "Nightstand is running already.\n" {
		t.Errorf("plain nightstand ends with %d and says %q", code, &d.out)
	}
	d.Start = func(context.Context, StartOptions) error { return codedError{78} }
	if code := d.run(t); code != 78 {
		t.Errorf("plain nightstand ends with %d", code)
	}
}

func TestInstallSaysWhatItDidAlsoWhenItFails(t *testing.T) {
	d := newDesk(t, nil)
	d.Install = func(context.Context) ([]string, error) { return []string{"the unit was written"}, nil }
	if code := d.run(t, "install"); code != 0 || d.out.String() != "The unit was written.\n" {
		t.Errorf("install ends with %d and says %q", code, &d.out)
	}
	d.Uninstall = func(context.Context) ([]string, error) {
		return []string{"the unit was removed"}, errors.New("systemd does not answer")
	}
	if code := d.run(t, "uninstall"); code != 1 || d.out.String() != "The unit was removed.\n" || d.err.String() != "Systemd does not answer.\n" {
		t.Errorf("uninstall ends with %d and says %q, %q", code, &d.out, &d.err)
	}
}

func TestQuitWaitsUntilTheAgentIsGone(t *testing.T) {
	d := newDesk(t, ringing())
	if code := d.run(t, "quit"); code != 0 || !strings.Contains(d.out.String(), "The agent has ended.") {
		t.Errorf("quit ends with %d and says %q, %q", code, &d.out, &d.err)
	}
	if _, err := d.Dial(); err == nil {
		if code := d.run(t, "status"); code != 3 {
			t.Errorf("after quit, status ends with %d", code)
		}
	}
}

func TestQuitAsksAPersonOnCall(t *testing.T) {
	d := newDesk(t, ringing())
	for _, answer := range []string{"\n", "no\n", "", "yesterday\n"} {
		d.typed(answer)
		if code := d.run(t, "quit"); code != 1 || len(d.agent.told) != 0 {
			t.Errorf("the answer %q ends with %d; told %q", answer, code, d.agent.told)
		}
	}
	d.typed("yes\n")
	if code := d.run(t, "quit"); code != 0 || !strings.Contains(d.err.String(), "Without the agent no page rings") {
		t.Errorf("quit ends with %d and says %q", code, &d.err)
	}

	resting := ringing()
	resting.state.Shift = control.Shift{Known: true}
	d = newDesk(t, resting)
	d.typed("")
	if code := d.run(t, "quit"); code != 0 {
		t.Errorf("off shift, quit ends with %d and says %q", code, &d.err)
	}
}

func TestDoctor(t *testing.T) {
	d := newDesk(t, nil)
	d.Doctor = func(context.Context) []Finding {
		return []Finding{
			{Name: "sound", State: "ok", Detail: "speaker", Fix: "nothing"},
			{Name: "keyring", State: "failed", Detail: strings.Repeat("locked ", 20), Fix: "unlock it"},
			{Name: "tray", State: "never heard of", Detail: "?"},
		}
	}
	code := d.run(t, "doctor")
	safe(t, d.out.String())
	for _, part := range []string{"[+] ok       sound    speaker\n", "[x] failed   keyring  locked", "To do: unlock it", "[?] unknown  tray"} {
		if !strings.Contains(d.out.String(), part) {
			t.Errorf("the doctor does not say %q:\n%s", part, &d.out)
		}
	}
	if code != 0 || strings.Contains(d.out.String(), "nothing") {
		t.Errorf("the doctor ends with %d:\n%s", code, &d.out)
	}
	d.run(t, "doctor", "--json")
	var findings []Finding
	if err := json.Unmarshal(d.out.Bytes(), &findings); err != nil || !reflect.DeepEqual(findings, d.Doctor(t.Context())) {
		t.Errorf("as JSON: %v\n%s", err, &d.out)
	}
}

// What the overview promises exists, and what exists is in the overview.
func TestOverviewIsComplete(t *testing.T) {
	d := newDesk(t, nil)
	for line := range strings.Lines(overview) {
		rest, found := strings.CutPrefix(line, "  nightstand ")
		words := strings.Fields(rest)
		if !found || len(words) == 0 || words[0] == "Start" {
			continue
		}
		command := words[:1]
		if command[0] == "account" {
			command = words[:2]
		}
		if code := d.run(t, append(slices.Clone(command), "--help")...); code != 0 || !strings.Contains(d.out.String(), "Usage: nightstand "+strings.Join(command, " ")) {
			t.Errorf("%q: %d\n%s%s", command, code, &d.out, &d.err)
		}
		safe(t, d.out.String())
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[commandLine]()) {
		if name := strings.ToLower(field.Name); !strings.Contains(overview, "nightstand "+name) {
			t.Errorf("the overview does not name %q", name)
		}
	}
	safe(t, overview)
}
