package terminal

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/control"
)

// add is the beginning of every account command here.
var add = []string{"account", "add", "--name", "prod", "--provider", "alertmanager", "--url", "http://127.0.0.1:9093"}

func kept(report control.AccountReport) control.AccountReport {
	report.Kept = true
	return report
}

func TestAScriptSetsAnAccountUp(t *testing.T) {
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(authority))
	agent := &fakeAgent{reports: []control.AccountReport{kept(works)}}
	d := newDesk(t, agent)
	d.In = strings.NewReader("s3cret, with spaces \n")
	code := d.run(t, append(slices.Clone(add), "--user", "ben", "--token-stdin", "--receiver", "team-.*", "--filter", `team=~"db,web"`, "--filter", "region!=eu",
		"--auth", "bearer", "--ca", "ca.pem", "--proxy", "http://proxy:3128", "--severity-label", "priority", "--severity", "P1=critical", "--severity", "P2=minor",
		"--heartbeat", "Pulse", "--replace", "--memory-only", "--no-test")...)
	if code != 0 {
		t.Fatalf("account add ends with %d: %s", code, &d.err)
	}
	want := control.NewAccount{
		Name: "prod", Provider: "alertmanager", URL: "http://127.0.0.1:9093", User: "ben", Secret: "s3cret, with spaces ",
		Auth: "bearer", CAFile: authority, Proxy: "http://proxy:3128", Receiver: "team-.*", Filters: []string{`team=~"db,web"`, "region!=eu"},
		SeverityLabel: "priority", Severities: map[string]string{"P1": "critical", "P2": "minor"}, Heartbeats: []string{"Pulse"},
		NoTest: true, Replace: true, MemoryOnly: true,
	}
	if len(agent.asked) != 1 || !reflect.DeepEqual(agent.asked[0], want) {
		t.Errorf("the agent was asked\n%+v, want\n%+v", agent.asked, want)
	}
	if out := d.out.String(); !strings.Contains(out, "Alertmanager 0.25.0") || !strings.Contains(out, "The account “prod” is set up.") || strings.Contains(out+d.err.String(), "s3cret") {
		t.Errorf("it says %q and %q", out, &d.err)
	}
	safe(t, d.out.String())
}

func TestTheSecretIsWhatCameWithoutTheEndOfItsLine(t *testing.T) {
	for typed, want := range map[string]string{"": "", "\n": "", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "a": "a", "a\r": "a\r", " a ": " a "} {
		agent := &fakeAgent{reports: []control.AccountReport{kept(works)}}
		d := newDesk(t, agent)
		d.In = strings.NewReader(typed)
		if code := d.run(t, append(slices.Clone(add), "--token-stdin")...); code != 0 || agent.asked[0].Secret != want {
			t.Errorf("%q gives the secret %q and ends with %d", typed, agent.asked[0].Secret, code)
		}
	}
	d := newDesk(t, &fakeAgent{})
	d.In = strings.NewReader(strings.Repeat("x", longestSecret+1))
	if code := d.run(t, append(slices.Clone(add), "--token-stdin")...); code != 2 || !strings.Contains(d.err.String(), "too long") {
		t.Errorf("an endless secret ends with %d: %s", code, &d.err)
	}
}

func TestAScriptIsToldWhenEverythingIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		report   control.AccountReport
		out, err string
		code     int
	}{
		"tested":      {kept(works), "Note: Everything this Alertmanager lists is taken as yours.", "", 0},
		"not tested":  {control.AccountReport{Kept: true}, "was not asked", "Everything this service lists is taken as yours", 0},
		"not reached": {control.AccountReport{Error: "nobody answers there"}, "Nothing was kept", "", 1},
	} {
		d := newDesk(t, &fakeAgent{reports: []control.AccountReport{c.report}})
		code := d.run(t, add...)
		if code != c.code || !strings.Contains(d.out.String(), c.out) || (d.err.Len() > 0) != (c.err != "") || !strings.Contains(d.err.String(), c.err) {
			t.Errorf("%s: %d, %q, %q", name, code, &d.out, &d.err)
		}
		if asked := d.agent.asked[0]; asked.User != "anna" || asked.Secret != "" {
			t.Errorf("%s: asked %+v", name, asked)
		}
	}
}

func TestAccountAddRefusesWhatCannotBe(t *testing.T) {
	for want, args := range map[string][]string{
		"what to call the account":    {"account", "add"},
		"made of letters, digits":     {"account", "add", "--name", "../x"},
		"There are alertmanager,":     {"account", "add", "--name", "a"},
		"There is no provider “pd”":   {"account", "add", "--name", "a", "--provider", "pd"},
		"Say where the service is":    {"account", "add", "--name", "a", "--provider", "alertmanager"},
		"--auth is basic or bearer":   append(slices.Clone(add), "--auth", "digest"),
		"contains a password":         append(slices.Clone(add), "--url", "http://anna:s3cret@x"),
		"not a condition on a label":  append(slices.Clone(add), "--filter", "database"),
		"is not a severity":           append(slices.Clone(add), "--severity", "P1=terrible"),
		"--ca cannot be read":         append(slices.Clone(add), "--ca", "no/such/file"),
		"Unexpected argument surplus": append(slices.Clone(add), "surplus"),
	} {
		d := newDesk(t, &fakeAgent{})
		code := d.run(t, args...)
		said := strings.ReplaceAll(d.err.String(), "\n", " ")
		if code != 2 || d.out.Len() != 0 || !strings.Contains(said, want) || len(d.agent.asked) != 0 || strings.Contains(said, "s3cret") {
			t.Errorf("%q: %d, %q, %q", args, code, &d.out, &d.err)
		}
	}
}

func TestTheUserInTheURLCountsBeforeTheLogin(t *testing.T) {
	agent := &fakeAgent{reports: []control.AccountReport{kept(works)}}
	newDesk(t, agent).run(t, append(slices.Clone(add), "--url", "http://carl@x:9093")...)
	if agent.asked[0].User != "carl" {
		t.Errorf("the user is %q", agent.asked[0].User)
	}
}

// A person looks first, is asked for the password only when the service wants
// one, and says which pages are theirs.
func TestAPersonSetsAnAccountUp(t *testing.T) {
	locked := control.AccountReport{Error: "it asks for a password or token, and this account has none", WantsSecret: true}
	for name, c := range map[string]struct {
		typed    string
		secrets  []string
		args     []string
		reports  []control.AccountReport
		code     int
		want     control.NewAccount // what was asked last
		looks    int
		said, no string
	}{
		"everything":                {typed: "\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, said: "1. team-db\n2. team.web"},
		"one receiver":              {typed: "2\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Receiver: `team\.web`}},
		"two receivers":             {typed: "3, 1\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Receiver: `^(?:night\|shift|team-db)$`}},
		"a receiver by its name":    {typed: "team-db\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Receiver: `team-db`}},
		"a label":                   {typed: "team=\"db\"\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Filters: []string{`team="db"`}}},
		"two labels":                {typed: `team=~"db,\",web", region=eu` + "\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Filters: []string{`team=~"db,\",web"`, "region=eu"}}},
		"a slip":                    {typed: "9\ndatabase\n1\n", reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Receiver: "team-db"}, said: "“9” is neither the number of a receiver"},
		"three slips":               {typed: "0\nx\n,\n", reports: []control.AccountReport{works}, looks: 1, code: 2, said: "still not clear"},
		"gone away":                 {typed: "", reports: []control.AccountReport{works}, looks: 1, code: 1, said: "No answer came"},
		"a password":                {typed: "\n", secrets: []string{"s3cret"}, reports: []control.AccountReport{locked, works, kept(works)}, looks: 2, want: control.NewAccount{Secret: "s3cret"}, no: "s3cret"},
		"a password at the second":  {typed: "\n", secrets: []string{"wrong", "right"}, reports: []control.AccountReport{locked, locked, works, kept(works)}, looks: 3, want: control.NewAccount{Secret: "right"}},
		"no password":               {secrets: []string{""}, reports: []control.AccountReport{locked}, looks: 1, code: 1, said: "Nothing was kept"},
		"not reached":               {reports: []control.AccountReport{{Error: "nobody answers there"}}, looks: 1, code: 1, said: "Nobody answers there."},
		"not reached, kept":         {args: []string{"--no-test"}, secrets: []string{"later"}, reports: []control.AccountReport{{Error: "nobody answers"}, {Kept: true}}, looks: 1, want: control.NewAccount{Secret: "later", NoTest: true}},
		"told by options":           {args: []string{"--receiver", "x"}, reports: []control.AccountReport{kept(works)}, want: control.NewAccount{Receiver: "x"}, no: "Mine:"},
		"a password without asking": {typed: "\n", args: []string{"--token-stdin"}, secrets: []string{"first"}, reports: []control.AccountReport{works, kept(works)}, looks: 1, want: control.NewAccount{Secret: "first"}},
	} {
		t.Run(name, func(t *testing.T) {
			agent := &fakeAgent{reports: c.reports}
			d := newDesk(t, agent)
			d.typed(c.typed)
			d.secrets = c.secrets
			code := d.run(t, append(slices.Clone(add), c.args...)...)
			if code != c.code {
				t.Errorf("it ends with %d, want %d", code, c.code)
			}
			looks := 0
			for _, asked := range agent.asked {
				if asked.OnlyLook {
					looks++
				}
			}
			keeping := len(agent.asked) - looks
			if looks != c.looks || keeping != 1-min(1, c.code) {
				t.Errorf("it looked %d times and kept %d accounts", looks, keeping)
			}
			c.want.Name, c.want.Provider, c.want.URL, c.want.User = "prod", "alertmanager", "http://127.0.0.1:9093", "anna"
			if last := agent.asked[len(agent.asked)-1]; c.code == 0 && !reflect.DeepEqual(last, c.want) {
				t.Errorf("kept\n%+v, want\n%+v", last, c.want)
			}
			said := d.out.String() + d.err.String()
			if !strings.Contains(said, c.said) || c.no != "" && strings.Contains(said, c.no) {
				t.Errorf("it says\n%s", said)
			}
			if len(d.secrets) != 0 {
				t.Errorf("%d secrets were not asked for", len(d.secrets))
			}
			safe(t, said)
		})
	}
}

func TestTheQuestionsStayOffStdout(t *testing.T) {
	d := newDesk(t, &fakeAgent{reports: []control.AccountReport{works, kept(works)}})
	d.typed("1\n")
	if code := d.run(t, append(slices.Clone(add), "--json")...); code != 0 || !strings.HasPrefix(d.out.String(), "{\n") || !strings.Contains(d.err.String(), "Disk full (minor)") {
		t.Errorf("%d, %q, %q", code, &d.out, &d.err)
	}
}

func TestANameInUseIsRefusedBeforeTheQuestions(t *testing.T) {
	agent := ringing()
	d := newDesk(t, agent)
	d.typed("\n")
	if code := d.run(t, add...); code != 1 || len(agent.asked) != 0 || !strings.Contains(d.err.String(), "--replace") {
		t.Errorf("%d, %q", code, &d.err)
	}
	agent.reports = []control.AccountReport{works, kept(works)}
	d.typed("\n")
	if code := d.run(t, append(slices.Clone(add), "--replace")...); code != 0 || len(agent.asked) != 2 {
		t.Errorf("with --replace: %d, %q", code, &d.err)
	}
}

// addPagerDuty is the beginning of every command about PagerDuty here.
var addPagerDuty = []string{"account", "add", "--name", "work", "--provider", "pagerduty"}

// key opens an account at PagerDuty that has one page.
var key = control.AccountReport{
	Name: "work", OK: true, User: "Ana Lima", Service: "PagerDuty", Open: []control.Page{{Title: "Disk full", Severity: "minor"}},
	Notes: []string{"The key belongs to Ana Lima (ana@example.org). Only incidents assigned to this person ring, and acknowledgements carry this name."},
}

func TestAScriptSetsPagerDutyUp(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want control.NewAccount
	}{
		"the key is all it takes": {nil, control.NewAccount{}},
		"everything else": {
			[]string{"--url", "eu", "--user", "ana@example.org", "--severity", "P5=other", "--severity", "low=minor", "--proxy", "http://proxy:3128", "--memory-only", "--replace"},
			control.NewAccount{URL: "eu", User: "ana@example.org", Severities: map[string]string{"P5": "other", "low": "minor"}, Proxy: "http://proxy:3128", MemoryOnly: true, Replace: true},
		},
	} {
		agent := &fakeAgent{reports: []control.AccountReport{kept(key)}}
		d := newDesk(t, agent)
		d.In = strings.NewReader("the-key-of-ana\n")
		code := d.run(t, append(append(slices.Clone(addPagerDuty), "--token-stdin"), c.args...)...)
		c.want.Name, c.want.Provider, c.want.Secret = "work", "pagerduty", "the-key-of-ana"
		if code != 0 || d.err.Len() != 0 || len(agent.asked) != 1 || !reflect.DeepEqual(agent.asked[0], c.want) {
			t.Errorf("%s: %d, %q, asked\n%+v, want\n%+v", name, code, &d.err, agent.asked, c.want)
		}
		out := strings.ReplaceAll(d.out.String(), "\n", " ")
		for _, part := range []string{"“work” answers: PagerDuty, where you are Ana Lima.", "Disk full (minor)", "The key belongs to Ana Lima"} {
			if !strings.Contains(out, part) {
				t.Errorf("%s: it does not say %q:\n%s", name, part, out)
			}
		}
		safe(t, d.out.String())
	}
}

func TestAccountAddOfEveryKindOfService(t *testing.T) {
	for provider, c := range map[string]struct {
		options []string
		missing string // what is said without them
		want    control.NewAccount
	}{
		"goalert":  {[]string{"--url", "https://goalert.example.org", "--user", "ben"}, "Say where the service is", control.NewAccount{URL: "https://goalert.example.org", User: "ben"}},
		"grafana":  {[]string{"--url", "https://oncall.example.org/oncall", "--team", "db", "--team", "web", "--severity-label", "level"}, "Say where the service is", control.NewAccount{URL: "https://oncall.example.org/oncall", Teams: []string{"db", "web"}, SeverityLabel: "level"}},
		"jsm":      {[]string{"--url", "https://x.example.org", "--user", "ben@example.org", "--query", "tag: db"}, "Say where the service is", control.NewAccount{URL: "https://x.example.org", User: "ben@example.org", Query: "tag: db"}},
		"opsgenie": {[]string{"--url", "eu", "--user", "ben@example.org"}, "Say who you are there", control.NewAccount{URL: "eu", User: "ben@example.org"}},
	} {
		base := []string{"account", "add", "--name", "prod", "--provider", provider, "--token-stdin"}
		d := newDesk(t, &fakeAgent{reports: []control.AccountReport{{OK: true, Kept: true}}})
		d.In = strings.NewReader("s3cret\n")
		c.want.Name, c.want.Provider, c.want.Secret = "prod", provider, "s3cret"
		if code := d.run(t, append(slices.Clone(base), c.options...)...); code != 0 || len(d.agent.asked) != 1 || !reflect.DeepEqual(d.agent.asked[0], c.want) {
			t.Errorf("%s: %d, %+v, %s", provider, code, d.agent.asked, &d.err)
		}
		for want, args := range map[string][]string{c.missing: base, "wants your own": append(append(slices.Clone(base), c.options...), "--token-stdin=false"), "--receiver means nothing to": append(append(slices.Clone(base), c.options...), "--receiver", "x")} {
			d := newDesk(t, &fakeAgent{})
			d.In = strings.NewReader("s3cret\n")
			if code := d.run(t, args...); code != 2 || !strings.Contains(strings.ReplaceAll(d.err.String(), "\n", " "), want) || len(d.agent.asked) != 0 {
				t.Errorf("%s %q: %d, %s, want %q", provider, args, code, &d.err, want)
			}
		}
	}
}

func TestAccountEditChangesOnlyWhatIsNamed(t *testing.T) {
	d := newDesk(t, &fakeAgent{reports: []control.AccountReport{{OK: true, Kept: true}}, state: ringing().state})
	code := d.run(t, "account", "edit", "prod", "--url", "http://127.0.0.1:9094", "--proxy", "none")
	want := control.NewAccount{Name: "prod", Provider: "alertmanager", URL: "http://127.0.0.1:9094", Proxy: control.Nothing, Edit: true}
	if code != 0 || len(d.agent.asked) != 1 || !reflect.DeepEqual(d.agent.asked[0], want) || !strings.Contains(d.out.String(), "is changed") {
		t.Errorf("%d, %+v, %q, %s", code, d.agent.asked, &d.out, &d.err)
	}
	for want, args := range map[string][]string{
		"There is no account “nosuch”": {"account", "edit", "nosuch"}, "--team means nothing": {"account", "edit", "prod", "--team", "db"},
	} {
		d := newDesk(t, ringing())
		if code := d.run(t, args...); code != 2 || !strings.Contains(d.err.String(), want) || len(d.agent.asked) != 0 {
			t.Errorf("%q: %d, %s", args, code, &d.err)
		}
	}
}

func TestAccountTestSaysWhatCanBeDone(t *testing.T) {
	expires := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	agent := ringing()
	agent.reports = []control.AccountReport{{
		OK: true, Service: "PagerDuty", User: "Ana", Open: []control.Page{{Title: "x", Severity: "minor"}, {Title: "y", Severity: "minor"}}, Mine: 1,
		Can: []string{"resolve", "note"}, Lacks: []string{"It may not see the roster."}, Expires: &expires,
	}}
	d := newDesk(t, agent)
	if code := d.run(t, "account", "test", "prod"); code != 0 {
		t.Errorf("it ends with %d: %s", code, &d.err)
	}
	for _, want := range []string{"1 of them is yours.", "From here you can acknowledge, resolve, note.", "runs out on 24 December 2026", "does not do: It may not see the roster."} {
		if said := strings.ReplaceAll(d.out.String(), "\n", " "); !strings.Contains(said, want) {
			t.Errorf("%q is missing from %s", want, said)
		}
	}
}

func TestPagerDutyRefusesWhatOnlyAnAlertmanagerHas(t *testing.T) {
	for want, args := range map[string][]string{
		"--receiver means nothing to PagerDuty":       {"--receiver", "team-db"},
		"--filter means nothing to PagerDuty":         {"--filter", "team=db"},
		"--severity-label means nothing to PagerDuty": {"--severity-label", "priority"},
		"--auth means nothing to PagerDuty":           {"--auth", "bearer"},
		"--heartbeat means nothing to PagerDuty":      {"--heartbeat", "Watchdog"},
		"is not a severity":                           {"--severity", "P1=terrible"},
		"wants your own API key":                      {"--token-stdin=false"},
	} {
		d := newDesk(t, &fakeAgent{})
		d.In = strings.NewReader("the-key-of-ana")
		code := d.run(t, append(append(slices.Clone(addPagerDuty), "--token-stdin"), args...)...)
		said := strings.ReplaceAll(d.err.String(), "\n", " ")
		if code != 2 || d.out.Len() != 0 || !strings.Contains(said, want) || !strings.HasSuffix(said, "Nothing was changed. ") || len(d.agent.asked) != 0 {
			t.Errorf("%q: %d, %q, %q", args, code, &d.out, said)
		}
	}
	d := newDesk(t, &fakeAgent{})
	d.In = strings.NewReader("\n")
	if code := d.run(t, append(slices.Clone(addPagerDuty), "--token-stdin", "--no-test")...); code != 2 || len(d.agent.asked) != 0 {
		t.Errorf("an empty key ends with %d: %s", code, &d.err)
	}
}

// A person is asked for the key, and never which pages are theirs.
func TestAPersonSetsPagerDutyUp(t *testing.T) {
	wrong := control.AccountReport{Error: "PagerDuty does not accept the API key", WantsSecret: true}
	for name, c := range map[string]struct {
		secrets []string
		args    []string
		reports []control.AccountReport
		code    int
		secret  string // what was kept
		said    string
	}{
		"the key":                {secrets: []string{"ana's"}, reports: []control.AccountReport{key, kept(key)}, secret: "ana's", said: "Looking at PagerDuty in the United States …"},
		"Europe":                 {secrets: []string{"ana's"}, args: []string{"--url", "eu"}, reports: []control.AccountReport{key, kept(key)}, secret: "ana's", said: "Looking at PagerDuty in Europe …"},
		"the wrong key":          {secrets: []string{"ben's", "ana's"}, reports: []control.AccountReport{wrong, key, kept(key)}, secret: "ana's", said: "PagerDuty does not accept the API key."},
		"no key":                 {secrets: []string{""}, code: 1, said: "Nothing was kept"},
		"not reached":            {secrets: []string{"ana's"}, reports: []control.AccountReport{{Error: "nobody answers there"}}, code: 1, said: "Nobody answers there."},
		"kept all the same":      {secrets: []string{"ana's"}, args: []string{"--no-test"}, reports: []control.AccountReport{{Error: "nobody answers"}, {Kept: true}}, secret: "ana's", said: "It is kept all the same"},
		"typed at --token-stdin": {secrets: []string{"ana's"}, args: []string{"--token-stdin"}, reports: []control.AccountReport{key, kept(key)}, secret: "ana's"},
	} {
		t.Run(name, func(t *testing.T) {
			agent := &fakeAgent{reports: c.reports}
			d := newDesk(t, agent)
			d.typed("")
			d.secrets = c.secrets
			if code := d.run(t, append(slices.Clone(addPagerDuty), c.args...)...); code != c.code {
				t.Errorf("it ends with %d, want %d", code, c.code)
			}
			said := d.out.String() + d.err.String()
			if !strings.Contains(said, c.said) || strings.Contains(said, "Mine:") || strings.Contains(said, "ana's") || len(d.secrets) != 0 || len(agent.reports) != 0 {
				t.Errorf("it says\n%s", said)
			}
			if c.code == 0 {
				want := control.NewAccount{Name: "work", Provider: "pagerduty", Secret: c.secret}
				last := agent.asked[len(agent.asked)-1]
				want.URL, want.NoTest = last.URL, last.NoTest
				if !reflect.DeepEqual(last, want) {
					t.Errorf("kept\n%+v, want\n%+v", last, want)
				}
			}
			for _, prompt := range d.prompts {
				if !strings.HasPrefix(prompt, "Your API key at PagerDuty") {
					t.Errorf("it asks %q", prompt)
				}
			}
			safe(t, said)
		})
	}
}

func TestWhereAnAccountIs(t *testing.T) {
	for want, a := range map[string]control.Account{
		"http://127.0.0.1:9093 as anna":                 {Provider: "alertmanager", URL: "http://127.0.0.1:9093", User: "anna"},
		"PagerDuty in the United States":                {Provider: "pagerduty"},
		"PagerDuty in Europe as ana@example.org":        {Provider: "pagerduty", URL: "EU", User: "ana@example.org"},
		"PagerDuty at https://example.eu.pagerduty.com": {Provider: "pagerduty", URL: "https://example.eu.pagerduty.com"},
	} {
		if got := whereabouts(a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The chosen receivers match exactly themselves.
func TestChosenReceiversAreAnExpression(t *testing.T) {
	for answer, mine := range map[string][]string{"2": {"team.web"}, "2 3": {"team.web", "night|shift"}} {
		expression, _, err := readMine(answer, works.Receivers)
		if err != nil {
			t.Fatal(err)
		}
		matching := regexp.MustCompile("^(?:" + expression + ")$")
		for _, name := range append([]string{"teamxweb", "night", "shift", "xteam.web"}, works.Receivers...) {
			if matching.MatchString(name) != slices.Contains(mine, name) {
				t.Errorf("%s matches %s: %t", expression, name, matching.MatchString(name))
			}
		}
	}
}
