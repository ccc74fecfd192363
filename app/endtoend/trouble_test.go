//go:build linux

package endtoend

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// Services that are not what they should be, each for an account of its own:
// every one is said in a sentence, and none keeps a good one from ringing.
func TestServicesThatAnswerNonsenseAreSaid(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	good := alertmanagertest.Start(t, alertmanagertest.Options{})
	locked := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true})
	foreign := alertmanagertest.Start(t, alertmanagertest.Options{TLS: true})
	pretend := func(answer http.HandlerFunc) string { return "http://" + serve(t, &http.Server{Handler: answer}) }
	services := []struct {
		name, url string
		says      string // a word that the sentence must hold
	}{
		{"web-page", pretend(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html><body><h1>Please log in</h1></body></html>")
		}), "Alertmanager"},
		{"endless", pretend(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `["%s"]`, strings.Repeat("x", 20<<20))
		}), "Alertmanager"},
		{"hanging", pretend(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "Alertmanager"},
		{"not-there", "http://127.0.0.1:1", "refuses connections"},
		{"wrong-path", good.URL + "/somewhere/else", "URL"},
		{"unknown-authority", foreign.URL, "certificate"},
		{"wrong-password", locked.URL, "password"},
	}
	night := Install(t, desk, "")
	night.Start()
	for _, service := range services {
		add := []string{"account", "add", "--name", service.name, "--provider", "alertmanager", "--url", service.url, "--user", me}
		if service.name == "wrong-password" {
			add = append(add, "--token-stdin", "--memory-only")
		}
		// Asked first, it is not kept.
		said := night.DoTyping("guessed\n", add...)
		if said.Code != 1 || !strings.Contains(said.Words(), "Nothing was kept") {
			t.Errorf("%s: account add ended with %d: %s", service.name, said.Code, said.Words())
		}
		if said := night.DoTyping("guessed\n", append(add, "--no-test")...); said.Code != 0 {
			t.Errorf("%s: account add --no-test ended with %d: %s", service.name, said.Code, said.Words())
		}
	}
	night.MustDo("account", "add", "--name", "prod", "--provider", "alertmanager", "--url", good.URL, "--user", me)
	good.Post(Page("Good one fires"))
	night.UntilPage(looked+5*time.Second, "Good one fires", func(p OpenPage) bool { return p.Ringing })

	status := night.Until(30*time.Second, func(s Status) error {
		if len(s.Accounts) != len(services)+1 {
			return fmt.Errorf("there are %d accounts", len(s.Accounts))
		}
		for _, a := range s.Accounts {
			if a.Name != "prod" && a.Error == "" {
				return fmt.Errorf("nothing is said of %s", a.Name)
			}
		}
		return nil
	})
	for _, service := range services {
		said := night.Do("account", "test", service.name)
		if said.Code != 1 {
			t.Errorf("%s: account test ended with %d: %s", service.name, said.Code, said.Words())
		}
		if said.Took > 15*time.Second {
			t.Errorf("%s: account test took %v", service.name, said.Took)
		}
		mustBeASentence(t, service.name, strings.Join(strings.Fields(said.Words()), " "), service.says)
		for _, a := range status.Accounts {
			if a.Name == service.name {
				t.Logf("%s: %s", a.Name, a.Error)
				mustBeASentence(t, service.name, a.Error, service.says)
			}
		}
	}
	if words := night.MustDo("status").Out; !strings.Contains(words, "Good one fires") {
		t.Errorf("status says:\n%s", words)
	}
	if p := night.Pages()[0]; !p.Ringing {
		t.Errorf("the good account's page is %+v", p)
	}
	mustNotHold(t, night, "guessed")
}

// mustBeASentence wants words for people, none for developers.
func mustBeASentence(t *testing.T, about, words, wanted string) {
	t.Helper()
	if !strings.Contains(words, wanted) || len(strings.Fields(words)) < 6 {
		t.Errorf("%s: this says too little, and nothing of %q: %q", about, wanted, words)
	}
	for _, jargon := range []string{"invalid character", "json:", "x509", "EOF", "dial tcp", "deadline", "context", "unmarshal", "<html", "%!", "0x", "nil"} {
		if strings.Contains(words, jargon) {
			t.Errorf("%s: %q is nothing for people: %q", about, jargon, words)
		}
	}
}
