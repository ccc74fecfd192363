//go:build linux

package endtoend

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// No screen, no bus, no sound, no keyring: each is said, nothing falls over,
// and what comes later is taken up.
func TestAnAgentWithNothingAroundItSaysSo(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	if said := night.Do("status"); said.Code != 3 || said.Out != "" || said.Err == "" {
		t.Errorf("status without an agent ended with %d: %q, %q", said.Code, said.Out, said.Err)
	}
	night.Start()
	night.AddAccount(server)
	status := night.Until(15*time.Second, func(s Status) error {
		if s.Signal("sound").State != "failed" {
			return fmt.Errorf("the sound is %+v", s.Signal("sound"))
		}
		return nil
	})
	for name, states := range map[string]string{
		"display": "warning", "desktop_bus": "warning", "tray": "warning", "notifications": "warning",
		"keyring": "warning", "sound": "failed", "supervisor": "warning",
	} {
		signal := status.Signal(name)
		if signal.State != states || len(strings.Fields(signal.Detail)) < 4 {
			t.Errorf("the signal %s is %+v, not %s", name, signal, states)
		}
		t.Logf("%s: %s", name, signal.Detail)
	}
	if status.Armed.State != "not_armed" {
		t.Errorf("the light says %q", status.Armed.State)
	}
	if said := night.Do("ack", "nosuch-page"); said.Code != 2 {
		t.Errorf("ack of a page that is not there ended with %d: %s", said.Code, said.Words())
	}
	if said := night.Do("ack"); said.Code != 2 {
		t.Errorf("a bare ack ended with %d: %s", said.Code, said.Words())
	}

	server.Post(Page("Nobody hears this"))
	p := night.UntilPage(looked+5*time.Second, "Nobody hears this", func(p OpenPage) bool { return p.Ringing })
	if now := night.Status(); now.Alarm.Sounding || now.Alarm.Pattern != "critical" {
		t.Errorf("without a sound system the alarm is %+v", now.Alarm)
	}
	if words := night.MustDo("status").Out; !strings.Contains(words, "nothing sounds on this machine") {
		t.Errorf("status does not say that nothing is heard:\n%s", words)
	}

	desk.StartSound()
	back := time.Now()
	ear := desk.Listen()
	mustHear(t, ear, back.Add(time.Second), 10*time.Second, "the page on a speaker that came late")
	night.UntilRinging(5*time.Second, "Nobody hears this")
	night.MustDo("ack", p.ID)
	if !night.Agent.Alive() {
		t.Error("the agent did not live through it")
	}
}

const password = alertmanagertest.Password

// addWithPassword sets up an account with the password on standard input.
func addWithPassword(night *Nightstand, server *alertmanagertest.Server, more ...string) Said {
	return night.DoTyping(password+"\n", append([]string{"account", "add", "--name", "prod", "--provider", "alertmanager",
		"--url", server.URL, "--user", alertmanagertest.User, "--token-stdin"}, more...)...)
}

// mustNotHold searches everything under the profile, and what the agent printed.
func mustNotHold(t *testing.T, night *Nightstand, secret string) {
	t.Helper()
	files := []string{night.Agent.Log}
	err := filepath.WalkDir(night.Home, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 3 {
		t.Fatalf("there is hardly anything to search: %q", files)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s holds the password", path)
		}
	}
}

func TestThePasswordGoesToTheKeyringAndNowhereElse(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutSound: true})
	server := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true})
	night := Install(t, desk, "")
	night.Start()
	if said := addWithPassword(night, server); said.Code != 0 || strings.Contains(said.Words(), password) {
		t.Fatalf("account add ended with %d: %s", said.Code, said.Words())
	}
	server.Post(Page("Door is open"))
	night.UntilPage(15*time.Second, "Door is open", func(p OpenPage) bool { return p.Ringing })
	if keyring := night.Status().Signal("keyring"); keyring.State != "ok" {
		t.Errorf("the keyring is %+v", keyring)
	}
	mustNotHold(t, night, password)

	// It is really there: a new agent has it again.
	night.MustDo("quit")
	mustNotHold(t, night, password)
	night.Start()
	began := time.Now()
	night.Until(15*time.Second, func(s Status) error {
		if len(s.Accounts) != 1 || s.Accounts[0].LastGoodPoll == nil || s.Accounts[0].LastGoodPoll.Before(began.Add(-5*time.Second)) {
			return fmt.Errorf("the account is %+v", s.Accounts)
		}
		return nil
	})
	mustNotHold(t, night, password)
}

func TestALockedKeyringIsSaidSoon(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{
		"locked": {WithoutDisplay: true, WithoutSound: true},
		"absent": {WithoutDisplay: true, WithoutSound: true, WithoutKeyring: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desk := Start(t, options)
			server := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true})
			night := Install(t, desk, "")
			night.Start()
			if name == "locked" {
				desk.LockKeyring()
			}
			said := addWithPassword(night, server)
			if said.Code != 1 || !strings.Contains(said.Err, "keyring") || !strings.Contains(said.Err, "--memory-only") {
				t.Errorf("account add ended with %d: %s", said.Code, said.Words())
			}
			if said.Took > 4*time.Second {
				t.Errorf("it took %v", said.Took)
			}
			t.Logf("refused after %v: %s", said.Took.Round(time.Millisecond), strings.TrimSpace(said.Err))
			if now := night.Status(); len(now.Accounts) != 0 {
				t.Errorf("a refused account is there: %+v", now.Accounts)
			}

			if said := addWithPassword(night, server, "--memory-only"); said.Code != 0 {
				t.Fatalf("--memory-only ended with %d: %s", said.Code, said.Words())
			}
			server.Post(Page("Gate is open"))
			night.UntilPage(15*time.Second, "Gate is open", func(p OpenPage) bool { return p.Ringing })
			mustNotHold(t, night, password)

			// What was only in memory is gone with the agent, and that is said.
			night.MustDo("quit")
			night.Start()
			night.Until(15*time.Second, func(s Status) error {
				if len(s.Accounts) != 1 || !strings.Contains(s.Accounts[0].Error, "memory") || s.Signal("credential").State != "failed" {
					return fmt.Errorf("the new agent says %+v and %+v", s.Accounts, s.Signal("credential"))
				}
				return nil
			})
		})
	}
}

func TestOneAgentAProfile(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	night := Install(t, desk, "")
	night.Start()
	first := night.Status().Agent.PID

	if said := night.Do("agent"); said.Code != 78 || !strings.Contains(said.Err, "running already") {
		t.Errorf("a second agent ended with %d: %s", said.Code, said.Words())
	}
	if said := night.Do("agent", "--guarded"); said.Code != 78 || !strings.Contains(said.Words(), "running already") {
		t.Errorf("a second guarded agent ended with %d: %s", said.Code, said.Words())
	}
	if said := night.Do(); said.Code != 0 || !strings.Contains(said.Out, "running already") {
		t.Errorf("plain nightstand ended with %d: %s", said.Code, said.Words())
	}
	if now := night.Status().Agent.PID; now != first {
		t.Errorf("the agent was %d and is %d", first, now)
	}
	sockets := 0
	err := filepath.WalkDir(night.Home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() != fs.ModeSocket {
			return err
		}
		sockets++
		mustBePrivate(t, path, 0o600)
		mustBePrivate(t, filepath.Dir(path), 0o700)
		return nil
	})
	if err != nil || sockets != 1 {
		t.Errorf("%d sockets under the profile (%v)", sockets, err)
	}
}

func mustBePrivate(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != mode {
		t.Errorf("%s has mode %o, not %o", filepath.Base(path), info.Mode().Perm(), mode)
	}
}

// The path of a Unix socket may have 107 bytes; a profile's may have more.
func TestAProfileDeepDown(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	deep := filepath.Join(desk.Directory, strings.Repeat("deep-down/", 15), "night")
	if len(deep) <= 107 {
		t.Fatalf("%d bytes are not deep", len(deep))
	}
	night := InstallIn(t, desk, deep, "")
	night.Start()
	night.AddAccount(server)
	server.Post(Page("Well is dry"))
	p := night.UntilPage(15*time.Second, "Well is dry", func(p OpenPage) bool { return p.Ringing })
	night.MustDo("ack", p.ID)
	if said := night.Do("agent"); said.Code != 78 {
		t.Errorf("a second agent ended with %d: %s", said.Code, said.Words())
	}
}

// What an alert says is data: it rings, and does nothing to whoever shows it.
func TestAHostileTitleRingsAndDoesNothingElse(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutKeyring: true})
	ear, notes := desk.Listen(), desk.Notifications()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	tray := desk.Tray(20 * time.Second)

	const hostile = "Disk \x1b[2J\x1b[31mred\x1b]0;owned\a <b>bold</b> <img src=\"file:///etc/passwd\"> &amp; \u202egnp.exe\u202c $(reboot) `reboot` %s_under\u2066"
	alert := Page("placeholder", "alertname", hostile, "service", hostile+"\r\nsecond line", "instance", "<i>db</i>\u202e")
	alert.Annotations = map[string]string{
		"summary":     hostile + strings.Repeat("A", 10_000) + "\r\nsecond line",
		"description": strings.Repeat(hostile+"\n", 50),
	}
	posted := time.Now()
	server.Post(alert)
	mustHear(t, ear, posted, looked, "the hostile page")
	var page OpenPage
	night.Until(10*time.Second, func(s Status) error {
		pages := night.Pages()
		if len(pages) != 1 || !s.Alarm.Sounding {
			return fmt.Errorf("open: %+v", pages)
		}
		page = pages[0]
		return nil
	})
	if long := len([]rune(page.Title)); long != 301 || !strings.HasSuffix(page.Title, "A…") {
		t.Errorf("the title has %d characters and was not cut to 300 and an ellipsis: %q", long, page.Title)
	}
	faces := map[string]string{
		"status":   night.MustDo("status").Words(),
		"pages":    night.MustDo("pages").Words(),
		"show":     night.MustDo("show", page.ID).Words(),
		"timeline": night.MustDo("timeline").Words(),
		"log":      night.Log(),
	}
	note := notes.Wait(10*time.Second, func(n Notification) bool { return n.Open() && strings.Contains(n.Summary, "Disk") })
	faces["notification's title"], faces["notification"] = note.Summary, note.Body
	title, text := tray.Tooltip()
	faces["tooltip"] = title + "\n" + text
	for _, entry := range tray.Menu() {
		faces["menu"] += entry.Label + "\n"
	}
	for face, shown := range faces {
		for _, r := range shown {
			if r != '\n' && !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%s shows %U: %q", face, r, shown)
				break
			}
		}
		if strings.Contains(shown, strings.Repeat("A", 400)) {
			t.Errorf("%s shows all of the ten thousand characters", face)
		}
	}
	for _, markup := range []string{"<b>", "<img", "<i>"} {
		if strings.Contains(note.Body, markup) {
			t.Errorf("the notification would draw %s: %q", markup, note.Body)
		}
		if strings.Contains(faces["tooltip"], markup) {
			t.Errorf("the tooltip would draw %s: %q", markup, faces["tooltip"])
		}
	}
	desk.Screenshot("hostile")
	if said := night.MustDo("ack", page.ID); strings.ContainsAny(said.Words(), "\x1b\u202e") {
		t.Errorf("ack says %q", said.Words())
	}
	if !night.Agent.Alive() {
		t.Error("the agent did not live through it")
	}
	ending := notes.Wait(10*time.Second, func(n Notification) bool { return n.Open() && n.Summary == "Acknowledged, confirmed" })
	if strings.Contains(ending.Body, "<b>") || strings.ContainsAny(ending.Body, "\x1b\u202e") {
		t.Errorf("the ending says %q", ending.Body)
	}
	desk.Screenshot("hostile-ending")
}
