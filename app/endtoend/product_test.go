//go:build linux

package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// binaryVariable names a program that was built already.
const binaryVariable = "NIGHTSTAND_BINARY"

// me is who acknowledges in these nights.
const me = "anna"

// program builds Nightstand once and returns where it is.
var program = sync.OnceValues(func() (string, error) {
	if ready := os.Getenv(binaryVariable); ready != "" {
		return filepath.Abs(ready)
	}
	folder, err := os.MkdirTemp("", "nightstand-build")
	if err != nil {
		return "", err
	}
	afterwards = append(afterwards, func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "nightstand")
	if output, err := exec.Command("go", "build", "-o", path, "nightstand").CombinedOutput(); err != nil {
		return "", fmt.Errorf("nightstand could not be built: %w\n%s", err, output)
	}
	return path, nil
})

// Nightstand is the program as somebody has it on a desktop: the binary, and a
// profile of its own.
type Nightstand struct {
	// Home is NIGHTSTAND_HOME.
	Home string
	// Agent is the process that was started last.
	Agent *Process

	tb      testing.TB
	desktop *Desktop
	binary  string
}

// Install gives a desktop a fresh Nightstand with these settings (TOML).
func Install(tb testing.TB, d *Desktop, settings string) *Nightstand {
	tb.Helper()
	return InstallIn(tb, d, filepath.Join(d.Directory, "nightstand"), settings)
}

// InstallIn is Install with the profile in a folder of choice.
func InstallIn(tb testing.TB, d *Desktop, folder, settings string) *Nightstand {
	tb.Helper()
	binary, err := program()
	if err != nil {
		tb.Fatal(err)
	}
	n := &Nightstand{Home: folder, tb: tb, desktop: d, binary: binary}
	if settings != "" {
		d.write(filepath.Join(n.Home, "settings.toml"), settings, 0o600)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the agent's log:\n%s", n.Log())
		}
	})
	return n
}

// Log is the end of the agent's log file.
func (n *Nightstand) Log() string {
	text, err := os.ReadFile(filepath.Join(n.Home, "nightstand.log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-12_000):])
}

// Said is what became of one command line.
type Said struct {
	Out, Err string
	Code     int
	Took     time.Duration
}

// Words are both outputs, as a person at a terminal sees them.
func (s Said) Words() string { return s.Out + s.Err }

// Do runs one command to its end.
func (n *Nightstand) Do(arguments ...string) Said {
	n.tb.Helper()
	return n.DoTyping("", arguments...)
}

// DoTyping is Do with something on standard input.
func (n *Nightstand) DoTyping(typed string, arguments ...string) Said {
	n.tb.Helper()
	command := n.desktop.Command(n.binary, arguments...)
	command.Env = append(command.Env, "NIGHTSTAND_HOME="+n.Home)
	command.Stdin = strings.NewReader(typed)
	var out, wrong bytes.Buffer
	command.Stdout, command.Stderr = &out, &wrong
	began := time.Now()
	err := command.Run()
	said := Said{Out: out.String(), Err: wrong.String(), Took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		said.Code = exit.ExitCode()
	case err != nil:
		n.tb.Errorf("nightstand %q did not run: %v", arguments, err)
		said.Code = -1
	}
	return said
}

// MustDo is Do for what has to end with code 0.
func (n *Nightstand) MustDo(arguments ...string) Said {
	n.tb.Helper()
	said := n.Do(arguments...)
	if said.Code != 0 {
		n.tb.Fatalf("nightstand %q ended with %d: %s", arguments, said.Code, said.Words())
	}
	return said
}

// Begin runs a command in the background; the answer comes through the channel.
func (n *Nightstand) Begin(arguments ...string) <-chan Said {
	done := make(chan Said, 1)
	go func() { done <- n.Do(arguments...) }()
	return done
}

// Start runs the agent ("agent" when nothing else is said) and returns when it
// answers, with the instant just before its start.
func (n *Nightstand) Start(arguments ...string) time.Time {
	n.tb.Helper()
	began := n.Launch(arguments...)
	n.Agent.awaitReady(n.tb, readyWithin, func() error {
		if said := n.Do("status", "--json"); said.Code != 0 {
			return errors.New(said.Words())
		}
		return nil
	})
	return began
}

// Launch is Start without waiting.
func (n *Nightstand) Launch(arguments ...string) time.Time {
	n.tb.Helper()
	if arguments == nil {
		// Its window is tested where that is the question; elsewhere it would
		// only take the processor from what is measured.
		arguments = []string{"agent", "--no-window"}
	}
	n.tb.Cleanup(n.mustNotHaveFallenOver)
	began := time.Now()
	n.Agent = n.desktop.Run([]string{"NIGHTSTAND_HOME=" + n.Home}, n.binary, arguments...)
	return began
}

// mustNotHaveFallenOver reads what the last agent printed, once it has ended.
func (n *Nightstand) mustNotHaveFallenOver() {
	text, err := os.ReadFile(n.Agent.Log)
	if err != nil {
		n.tb.Error(err)
	}
	for _, sign := range []string{"panic:", "fatal error:"} {
		if bytes.Contains(text, []byte(sign)) {
			n.tb.Errorf("the agent printed %q:\n%s", sign, text)
		}
	}
}

// AddAccount sets the server up as the account "prod", and waits until it was
// looked at.
func (n *Nightstand) AddAccount(server *alertmanagertest.Server, more ...string) {
	n.tb.Helper()
	n.MustDo(append([]string{"account", "add", "--name", "prod", "--provider", "alertmanager", "--url", server.URL, "--user", me}, more...)...)
	n.Until(10*time.Second, func(s Status) error {
		if len(s.Accounts) != 1 || s.Accounts[0].LastGoodPoll == nil {
			return fmt.Errorf("the account has not been looked at: %+v", s.Accounts)
		}
		return nil
	})
}

// The published JSON, by the names that scripts rely on.
type (
	// Status is "status --json".
	Status struct {
		Armed struct {
			State    string
			Sentence string
			Signals  []Signal
		}
		Alarm struct {
			Sounding bool
			PageID   string `json:"page_id"`
			Step     int
			Calling  int
			Pattern  string
		}
		Accounts []struct {
			Name         string
			LastGoodPoll *time.Time `json:"last_good_poll"`
			Error        string
			Blind        bool
		}
		Open    int
		Notices []struct{ ID, Reason, Text string }
		Agent   struct{ PID int }
	}

	// Signal is one line of what it takes to be woken.
	Signal struct {
		Name, State, Detail string
		Required            bool
	}

	// OpenPage is one entry of "pages --json".
	OpenPage struct {
		ID               string
		Title            string
		Status           string
		Severity         string
		UpstreamID       string `json:"upstream_id"`
		AcknowledgedBy   string `json:"acknowledged_by"`
		AcknowledgedByMe bool   `json:"acknowledged_by_me"`
		Epoch            int
		Ringing          bool
		MutedBy          string `json:"muted_by"`
		Answer           string
		AnswerReason     string `json:"answer_reason"`
		Ending           string
	}

	// Entry of a timeline.
	TimelineEntry struct {
		At    time.Time
		Epoch int
		Kind  string
		Text  string
	}
)

// Signal finds a signal by its name; its State is empty when there is none.
func (s Status) Signal(name string) Signal {
	for _, one := range s.Armed.Signals {
		if one.Name == name {
			return one
		}
	}
	return Signal{}
}

func (n *Nightstand) readJSON(into any, arguments ...string) error {
	n.tb.Helper()
	said := n.Do(append(arguments, "--json")...)
	if said.Code != 0 {
		return fmt.Errorf("nightstand %q ended with %d: %s", arguments, said.Code, said.Words())
	}
	return json.Unmarshal([]byte(said.Out), into)
}

// Status is how things stand now.
func (n *Nightstand) Status() Status {
	n.tb.Helper()
	var status Status
	if err := n.readJSON(&status, "status"); err != nil {
		n.tb.Fatal(err)
	}
	return status
}

// Pages are the open pages, and with "--all" the ended ones too.
func (n *Nightstand) Pages(more ...string) []OpenPage {
	n.tb.Helper()
	var pages []OpenPage
	if err := n.readJSON(&pages, append([]string{"pages"}, more...)...); err != nil {
		n.tb.Fatal(err)
	}
	return pages
}

// Timeline is what happened, of one page or (id empty) of the night.
func (n *Nightstand) Timeline(id string) []TimelineEntry {
	n.tb.Helper()
	if id == "" {
		var entries []TimelineEntry
		if err := n.readJSON(&entries, "timeline"); err != nil {
			n.tb.Fatal(err)
		}
		return entries
	}
	var page struct{ Timeline []TimelineEntry }
	if err := n.readJSON(&page, "show", id); err != nil {
		n.tb.Fatal(err)
	}
	return page.Timeline
}

// Told counts the entries of one kind in a page's timeline.
func (n *Nightstand) Told(id, kind string) int {
	n.tb.Helper()
	count := 0
	for _, entry := range n.Timeline(id) {
		if entry.Kind == kind {
			count++
		}
	}
	return count
}

// lookEvery is the pause between two looks through the command line.
const lookEvery = 50 * time.Millisecond

// Until waits for a state of affairs.
func (n *Nightstand) Until(within time.Duration, settled func(Status) error) Status {
	n.tb.Helper()
	err := errors.New("it was never looked at")
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(lookEvery) {
		var status Status
		if err = n.readJSON(&status, "status"); err == nil {
			if err = settled(status); err == nil {
				return status
			}
		}
	}
	n.tb.Fatalf("after %v: %v", within, err)
	return Status{}
}

// UntilPage waits until the open page with this title is as wanted.
func (n *Nightstand) UntilPage(within time.Duration, title string, wanted func(OpenPage) bool) OpenPage {
	n.tb.Helper()
	var found OpenPage
	n.Until(within, func(Status) error {
		pages := n.Pages()
		for _, p := range pages {
			if p.Title == title && wanted(p) {
				found = p
				return nil
			}
		}
		return fmt.Errorf("no page %q is open as it should be: %+v", title, pages)
	})
	return found
}

// UntilRinging waits until the page with this title rings and something sounds.
func (n *Nightstand) UntilRinging(within time.Duration, title string) OpenPage {
	n.tb.Helper()
	p := n.UntilPage(within, title, func(p OpenPage) bool { return p.Ringing })
	n.Until(within, func(s Status) error {
		if !s.Alarm.Sounding {
			return fmt.Errorf("nothing sounds: %+v", s.Alarm)
		}
		return nil
	})
	return p
}

// UntilConfirmed waits until the page is ours, by the service's word.
func (n *Nightstand) UntilConfirmed(within time.Duration, title string) OpenPage {
	n.tb.Helper()
	return n.UntilPage(within, title, func(p OpenPage) bool {
		return p.Status == "acknowledged" && p.AcknowledgedByMe && p.Answer == "confirmed" && !p.Ringing
	})
}

// UntilGone waits until no page is open.
func (n *Nightstand) UntilGone(within time.Duration) {
	n.tb.Helper()
	n.Until(within, func(s Status) error {
		if s.Open > 0 {
			return fmt.Errorf("%d pages are open: %+v", s.Open, n.Pages())
		}
		return nil
	})
}

// Page is an alert as a Prometheus would send it, firing from now on: critical
// unless the labels say otherwise, with this title.
func Page(title string, labels ...string) alertmanagertest.Alert {
	alert := alertmanagertest.Alert{
		Labels:      map[string]string{"alertname": strings.Fields(title)[0], "severity": "critical", "service": "shop", "instance": "db1"},
		Annotations: map[string]string{"summary": title},
		StartsAt:    time.Now(),
		// Far away, or the server would resolve it during a long night.
		EndsAt: time.Now().Add(time.Hour),
	}
	for i := 0; i+1 < len(labels); i += 2 {
		alert.Labels[labels[i]] = labels[i+1]
	}
	return alert
}

// Again is the same alert, firing anew from now on.
func Again(alert alertmanagertest.Alert) alertmanagertest.Alert {
	alert.StartsAt = time.Now()
	return alert
}

// OurSilences are the silences that hold and carry our name.
func OurSilences(server *alertmanagertest.Server) []alertmanagertest.Silence {
	var ours []alertmanagertest.Silence
	for _, s := range server.ActiveSilences() {
		if s.CreatedBy == me {
			ours = append(ours, s)
		}
	}
	return ours
}
