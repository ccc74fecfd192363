package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"nightstand/app/config"
	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/alertmanager/alertmanagertest"
)

// logbook is what the agent logged, for looking for secrets in it.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// office is an agent with a real database and its accounts.
type office struct {
	*evening
	t   *testing.T
	log *logbook
}

func opensOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, log: &logbook{}}
	log := slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "n.db"))
	if err != nil {
		t.Fatal(err)
	}
	accounts := NewAccounts(kept, secret.ForHome(t.TempDir()), config.Defaults(), log, true)
	o.evening = runs(t, Parts{Store: kept, Accounts: accounts, Log: log}, nil)
	t.Cleanup(func() {
		o.end()
		kept.Close()
	})
	return o
}

func (o *office) until(what string, holds func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("waited in vain for: %s\n%+v", what, o.agent.State().Status)
		}
	}
}

// account is how the faces see one account.
func (o *office) account(name string) control.Account {
	for _, a := range o.agent.State().Accounts {
		if a.Name == name {
			return a
		}
	}
	return control.Account{}
}

func (o *office) seen(name string) bool {
	a := o.account(name)
	return a.LastGoodPoll != nil && a.Error == ""
}

func asked(name, url string) control.NewAccount {
	return control.NewAccount{Name: name, Provider: "alertmanager", URL: url, User: "anna"}
}

func TestARealPageThroughARealAccount(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true})
	o := opensOffice(t)
	new := asked("prod", server.URL)
	new.Secret, new.MemoryOnly = alertmanagertest.Password, true
	report, err := o.agent.AddAccount(t.Context(), new)
	if err != nil || !report.OK || !report.Kept {
		t.Fatalf("the account gave %+v (%v)", report, err)
	}
	o.until("the account is seen", func() bool { return o.seen("prod") })
	o.until("the credential is accepted", func() bool { return o.signal(watch.SignalCredential).State == watch.SignalOK })
	server.Post(alertmanagertest.Alert{Labels: map[string]string{"alertname": "DiskFull", "severity": "critical"}})
	o.until("it rings", func() bool { return o.bell.pattern() == watch.Critical })

	start := time.Now()
	outcomes, err := o.agent.Acknowledge(t.Context(), []string{o.agent.Pages(false)[0].ID}, false)
	if err != nil || len(outcomes) != 1 || !outcomes[0].Done {
		t.Fatalf("the answer gave %+v (%v)", outcomes, err)
	}
	if quiet := o.bell.lastAsked().Sub(start); quiet > 100*time.Millisecond {
		t.Errorf("it fell silent after %v", quiet)
	}
	silences := server.ActiveSilences()
	if len(silences) != 1 || silences[0].CreatedBy != "anna" {
		t.Errorf("the server holds %+v", silences)
	}
	if strings.Contains(o.log.String(), alertmanagertest.Password) {
		t.Error("the password is in the log")
	}

	t.Run("changed at run time to a wrong password", func(t *testing.T) {
		new.Secret, new.Replace, new.NoTest = "not-the-password", true, true
		if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
			t.Fatal(err)
		}
		o.until("the refusal is said", func() bool {
			return strings.Contains(o.account("prod").Error, "does not accept the user name or password") &&
				o.signal(watch.SignalCredential).State == watch.SignalFailed
		})
		if strings.Contains(o.log.String(), "not-the-password") {
			t.Error("the password is in the log")
		}
	})
	t.Run("and back", func(t *testing.T) {
		new.Secret, new.NoTest = alertmanagertest.Password, false
		if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
			t.Fatal(err)
		}
		o.until("it is seen again", func() bool { return o.seen("prod") && o.signal(watch.SignalCredential).State == watch.SignalOK })
	})
	t.Run("removed", func(t *testing.T) {
		if err := o.agent.RemoveAccount(t.Context(), "prod"); err != nil {
			t.Fatal(err)
		}
		if left := o.agent.State(); len(left.Accounts) != 0 || len(left.Pages) != 0 {
			t.Errorf("there are still %d accounts and %d pages", len(left.Accounts), len(left.Pages))
		}
		o.until("nothing is said of its credential", func() bool { return o.signal(watch.SignalCredential).State == watch.SignalUnknown })
		if _, err := o.agent.TestAccount(t.Context(), "prod"); !errors.Is(err, control.ErrUnknown) {
			t.Errorf("testing it gave %v", err)
		}
	})
}

func TestWhatIsNoPagingServiceIsSaidAndTheAgentGoesOn(t *testing.T) {
	hanging := make(chan struct{})
	handlers := map[string]http.HandlerFunc{
		"html": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><body>Welcome to the guest network</body></html>")
		},
		"large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[{"labels":{"a":"`)
			for range 20 {
				w.Write(bytes.Repeat([]byte("x"), 1<<20))
			}
		},
		"hanging": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hanging:
			case <-r.Context().Done():
			}
		},
		"forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"empty":     func(http.ResponseWriter, *http.Request) {},
	}
	urls := map[string]string{"refused": refusedAddress(t), "not a url": "::nonsense::", "ftp": "ftp://127.0.0.1/"}
	for name, handler := range handlers {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		urls[name] = server.URL
	}
	t.Cleanup(func() { close(hanging) }) // before the servers close
	unknown := httptest.NewUnstartedServer(handlers["empty"])
	unknown.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	urls["unknown ca"] = unknown.URL
	says := map[string]string{
		"html": "does not seem to be an Alertmanager", "large": "larger than 16 MB", "hanging": "did not answer in time",
		"forbidden": "asks for a password or token", "empty": "does not", "refused": "refuses connections",
		"unknown ca": "a certificate from an authority this machine does not know", "not a url": "URL", "ftp": "http",
	}

	o := opensOffice(t)
	sound := newPaging(triggered(1))
	o.agent.lines.connect(t.Context(), "prod", sound)
	var all sync.WaitGroup
	for name, url := range urls {
		all.Go(func() {
			start := time.Now()
			report, err := o.agent.AddAccount(t.Context(), asked(name[:3], url))
			words := report.Error
			var refused *control.RefusedError
			if errors.As(err, &refused) {
				words = refused.Sentence
			} else if err != nil {
				t.Errorf("%s: %v is no sentence", name, err)
			}
			if !strings.Contains(words, says[name]) || report.Kept {
				t.Errorf("%s: kept %v, it says %q, want %q in it", name, report.Kept, words, says[name])
			}
			if took := time.Since(start); took > testPatience+2*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
			mustBeWords(t, name, words)
		})
	}
	all.Wait()
	o.until("the agent rings for another account all the while", func() bool { return o.bell.pattern() == watch.Critical })

	// Kept all the same, each shows its sentence in the status.
	for name, url := range urls {
		if name == "not a url" || name == "ftp" || name == "hanging" {
			continue // the first two are never kept, the last would take the whole patience again
		}
		new := asked(strings.ReplaceAll(name, " ", "-"), url)
		new.NoTest = true
		if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		o.until(name+" is told in the status", func() bool { return strings.Contains(o.account(new.Name).Error, says[name]) })
		report, err := o.agent.TestAccount(t.Context(), new.Name)
		if err != nil || report.OK || !strings.Contains(report.Error, says[name]) {
			t.Errorf("%s: “account test” gives %+v (%v)", name, report, err)
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// refusedAddress is one where nobody listens.
func refusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// mustBeWords holds that a sentence is for people.
func mustBeWords(t *testing.T, name, words string) {
	t.Helper()
	if words == "" || !strings.HasSuffix(words, ".") || !unicode.IsUpper([]rune(words)[0]) {
		t.Errorf("%s: %q is no full sentence", name, words)
	}
	for _, jargon := range []string{"dial tcp", "x509", "EOF", "context", "<html", "nil", "unmarshal", "\n"} {
		if strings.Contains(words, jargon) {
			t.Errorf("%s: %q speaks as a developer would", name, words)
		}
	}
}

func TestHostileTitlesReachNobodyAsTheyAre(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), asked("prod", server.URL)); err != nil {
		t.Fatal(err)
	}
	hostile := "\x1b[2J\x1b]0;owned\a\u202egnp.exe <b>$(reboot)</b> `id` " + strings.Repeat("A", 10_000)
	server.Post(alertmanagertest.Alert{
		Labels:      map[string]string{"alertname": "Bad", "severity": "critical", "instance": "\u2066x\n\x1b[31m"},
		Annotations: map[string]string{"summary": hostile, "description": hostile + "\n" + hostile},
	})
	o.until("it rings", func() bool { return o.bell.pattern() == watch.Critical })
	p := o.agent.Pages(false)[0]
	detail, err := o.agent.Page(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	state := *o.agent.state.Load()
	shown := map[string]string{"title": p.Title, "service": p.Service, "tooltip": trayView(state).Tooltip, "menu": trayView(state).Pages[0].Title}
	for _, n := range notes(state) {
		shown["note's title"], shown["note's body"] = n.Title, strings.ReplaceAll(n.Body, "\n", " ")
		if strings.Contains(n.Fixed, "owned") {
			t.Errorf("the fixed sentence carries the page's text: %q", n.Fixed)
		}
	}
	for _, e := range detail.Timeline {
		shown["timeline"] = e.Text
	}
	for where, text := range shown {
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("the %s is %q", where, text)
		}
		if len([]rune(text)) > 2*page.MaxTitle {
			t.Errorf("the %s has %d characters", where, len([]rune(text)))
		}
	}
}

func TestNamesAndSecretsAreLookedAtBeforeAnythingIsKept(t *testing.T) {
	o := opensOffice(t)
	for _, name := range []string{"", "two words", "../x", "-rf", strings.Repeat("x", 65), "a\x1b[31m", "ä"} {
		new := asked(name, "http://127.0.0.1:1")
		new.NoTest = true
		var refused *control.RefusedError
		if _, err := o.agent.AddAccount(t.Context(), new); !errors.As(err, &refused) {
			t.Errorf("%q: %v", name, err)
		}
	}
	withPassword := asked("prod", "http://anna:hears-every-page@127.0.0.1:1")
	withPassword.NoTest = true
	_, err := o.agent.AddAccount(t.Context(), withPassword)
	if err == nil || strings.Contains(err.Error(), "hears-every-page") || !strings.Contains(err.Error(), "contains a password") {
		t.Errorf("a password in the URL gave %v", err)
	}
	other := asked("prod", "http://127.0.0.1:1")
	other.Provider = "carrier\x1bpigeon"
	if _, err := o.agent.AddAccount(t.Context(), other); err == nil || !strings.Contains(err.Error(), "It knows: alertmanager, pagerduty, goalert, grafana, jsm, opsgenie.") || strings.ContainsRune(err.Error(), '\x1b') {
		t.Errorf("an unknown service gave %v", err)
	}
	if strings.Contains(o.log.String(), "hears-every-page") {
		t.Error("the password is in the log")
	}
	if accounts := o.agent.State().Accounts; len(accounts) != 0 {
		t.Errorf("something was kept: %+v", accounts)
	}

	new := asked("prod", "http://127.0.0.1:1")
	new.NoTest = true
	if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
		t.Fatal(err)
	}
	if _, err := o.agent.AddAccount(t.Context(), new); err == nil || !strings.Contains(err.Error(), "There is an account called prod already.") {
		t.Errorf("the same name again gave %v", err)
	}
}

func TestASecretIsKeptOnlyWhereTheUserWantsIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the keyring is part of the system and cannot be absent")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	o := opensOffice(t)
	new := asked("prod", "http://127.0.0.1:1")
	new.Secret, new.NoTest = "hears-every-page", true
	_, err := o.agent.AddAccount(t.Context(), new)
	if err == nil || !strings.Contains(err.Error(), "There is no keyring in this session") || !strings.Contains(err.Error(), "--memory-only") {
		t.Errorf("without a keyring: %v", err)
	}
	if listed, err := o.agent.parts.Accounts.ListAccounts(t.Context()); err != nil || len(listed) != 0 {
		t.Errorf("%d accounts were kept (%v)", len(listed), err)
	}
	new.MemoryOnly = true
	if report, err := o.agent.AddAccount(t.Context(), new); err != nil || !report.Kept {
		t.Fatalf("in memory: %+v (%v)", report, err)
	}
	onDisk, err := filepath.Glob(filepath.Join(t.TempDir(), "..", "*", "n.db*"))
	if err != nil || len(onDisk) == 0 {
		t.Fatalf("the database was not found (%v)", err)
	}
	for _, path := range onDisk {
		if content := mustRead(t, path); bytes.Contains(content, []byte("hears-every-page")) {
			t.Errorf("the secret is in %s", filepath.Base(path))
		}
	}

	// The command line's own process would forget it at once.
	kept := o.agent.parts.Store
	alone := NewAccounts(kept, secret.ForHome(t.TempDir()), config.Defaults(), discard(), false)
	new.Name = "other"
	if _, err := alone.AddAccount(t.Context(), new); err == nil || !strings.Contains(err.Error(), "only by the running agent") {
		t.Errorf("without an agent: %v", err)
	}
	// And so does the next agent, which says so.
	next := NewAccounts(kept, secret.ForHome(t.TempDir()), config.Defaults(), discard(), true)
	report, err := next.TestAccount(context.Background(), "prod")
	if err != nil || report.OK || !strings.Contains(report.Error, "was kept in memory only, as you chose") {
		t.Errorf("the next agent says %+v (%v)", report, err)
	}
}

func TestAnAccountRemovedWhileItIsConnectedDoesNotComeBack(t *testing.T) {
	o := opensOffice(t)
	new := asked("prod", "http://127.0.0.1:1")
	new.NoTest = true
	if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
		t.Fatal(err)
	}
	o.until("it is watched", func() bool { return o.account("prod").URL != "" })
	// As if the round that reads the accounts had read them just before.
	if err := o.agent.parts.Accounts.RemoveAccount(t.Context(), "prod"); err != nil {
		t.Fatal(err)
	}
	o.agent.refreshAccounts()
	o.until("it is gone", func() bool { return len(o.agent.State().Accounts) == 0 && o.agent.lines.find("prod") == nil })
}
