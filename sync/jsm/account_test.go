package jsm_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"nightstand/app/page"
	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

func introduction(t *testing.T, n *night) (told provider.Introduction, notes, lacks string) {
	t.Helper()
	told, err := n.provider.Test(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return told, strings.Join(told.Notes, "\n"), strings.Join(told.Lacks, "\n")
}

func TestIntroductionSaysWhoIAmAndWhatIsMine(t *testing.T) {
	n := begin(t, jsm.JSM)
	n.service.Page("Disk full")
	told, notes, lacks := introduction(t, n)
	if told.User != "Ana Lima" || told.Service != "Jira Service Management" || len(told.Open) != 1 || lacks != "" ||
		!strings.Contains(notes, jsmtest.User) || !strings.Contains(notes, "owner or responder") || strings.Contains(notes, "Opsgenie") {
		t.Errorf("%+v", told)
	}
}

func TestIntroductionToOpsgenieSaysWhenItEndsAndWhoseNameIsUsed(t *testing.T) {
	n := begin(t, jsm.Opsgenie)
	told, notes, lacks := introduction(t, n)
	if told.User != "Ana Lima" || told.Service != "Opsgenie" || lacks != "" || !strings.Contains(notes, "5 April 2027") || !strings.Contains(notes, jsmtest.User) {
		t.Errorf("%+v", told)
	}
	n.interfere(says("/users/"+jsmtest.User, 404, `{"message":"User does not exist"}`))
	if told, _, lacks := introduction(t, n); told.User != jsmtest.User || !strings.Contains(lacks, jsmtest.User) {
		t.Errorf("a user whom nobody knows: %+v", told)
	}
}

func TestEmptyListIsExplained(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		if _, notes, _ := introduction(t, n); !strings.Contains(notes, "shows no open alert at all") {
			t.Errorf("nothing is open: %s", notes)
		}
		n.service.Open(jsmtest.Alert{Message: "Disk full", Responders: []jsmtest.Responder{{ID: jsmtest.Bela.ID, Type: "user"}}})
		if _, notes, _ := introduction(t, n); !strings.Contains(notes, "alerts are open that you may see") {
			t.Errorf("another's is open: %s", notes)
		}
	})
}

func TestIntroductionSaysWhatTheCredentialLacks(t *testing.T) {
	n := begin(t, jsm.JSM)
	n.service.LeaveTeams()
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		return says("/user/bulk", 403, `{}`)(w, r) || says("/schedules", 401, `{"errors":[{"title":"Unauthorized","code":"401","detail":"scope does not match"}]}`)(w, r)
	})
	told, _, lacks := introduction(t, n)
	if len(told.Lacks) != 3 || !strings.Contains(lacks, "no team") || !strings.Contains(lacks, "names of other people") || !strings.Contains(lacks, "read:ops-config:jira-service-management") {
		t.Errorf("%q", told.Lacks)
	}
}

func TestWhoIAmIsAskedForInTheNextPlaceWhereTheFirstIsNotAllowed(t *testing.T) {
	n := begin(t, jsm.JSM)
	n.service.Page("Disk full")
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		return says("/myself", 403, `{}`)(w, r) || says("/me", 200, `{"account_id":"`+jsmtest.Ana.ID+`","name":"Ana","email":"`+jsmtest.User+`"}`)(w, r)
	})
	if told, _, _ := introduction(t, n); told.User != "Ana" || len(told.Open) != 1 {
		t.Errorf("%+v", told)
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		return says("/myself", 403, `{}`)(w, r) || says("/me", 403, `{}`)(w, r)
	})
	if _, err := n.provider.Test(t.Context()); provider.KindOf(err) != provider.Refused || !strings.Contains(provider.Sentence(err), "read:jira-user") {
		t.Errorf("it says %v", err)
	}
}

func TestErrorsAreUnderstoodInEveryShape(t *testing.T) {
	for body, words := range map[string]string{
		`{"errors":[{"title":"Bad query","code":"400","detail":"near AND"}]}`:  "Bad query: near AND",
		`{"code":"BAD","message":"near AND"}`:                                  "near AND",
		`{"message":"near AND","took":0.1,"requestId":"r"}`:                    "near AND",
		`{"message":"Unprocessable","errors":{"query":"near AND"},"took":0.1}`: "Unprocessable: query near AND",
		`{"errorMessages":["near AND"],"errors":{}}`:                           "near AND",
		`{"message":null,"errors":[null,{"title":null}]}`:                      "no reason given",
		`[]`:     "no reason given",
		`<html>`: "no reason given",
	} {
		n := begin(t, jsm.JSM)
		n.interfere(says("/alerts", 400, body))
		if _, err := n.provider.Open(t.Context()); provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), words) {
			t.Errorf("%s is %v", body, err)
		}
	}
}

func TestCredentialIsShownToTheServiceInItsOwnWay(t *testing.T) {
	for spoken, want := range map[jsm.Dialect]string{
		jsm.JSM:      "Basic YW5hQGV4YW1wbGUub3JnOnMzY3JldC1qc20tdG9rZW4tMDEyMzQ1Njc4OQ==",
		jsm.Opsgenie: "GenieKey " + jsmtest.Secret,
	} {
		shown := make(chan string, 8)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			shown <- r.Header.Get("Authorization")
			w.WriteHeader(http.StatusUnauthorized)
		}))
		o := options(spoken, server.URL)
		o.Secret = " " + strings.TrimPrefix(want, "Basic YW5hQGV4YW1wbGUub3JnOnMzY3JldC1qc20tdG9rZW4tMDEyMzQ1Njc4OQ==")
		if spoken == jsm.JSM {
			o.Secret = jsmtest.Secret + "\n"
		}
		if _, err := connect(t, o).Open(t.Context()); provider.KindOf(err) != provider.Refused {
			t.Errorf("it says %v", err)
		}
		if got := <-shown; got != want {
			t.Errorf("%s is shown %q", spoken, got)
		}
		server.Close()
	}
}

func TestSettingsThatCannotBeAreRefusedInWords(t *testing.T) {
	good := options(jsm.JSM, "https://api.example.org")
	for why, change := range map[string]func(*jsm.Options){
		"without encryption":       func(o *jsm.Options) { o.URL = "http://jsm.example.org" + cloudPath },
		"a password in it":         func(o *jsm.Options) { o.URL = "https://a:hunter2@jsm.example.org" + cloudPath },
		"no address":               func(o *jsm.Options) { o.URL = "" },
		"no cloud id":              func(o *jsm.Options) { o.URL = "https://api.atlassian.com/jsm/ops/api/" },
		"a site's address":         func(o *jsm.Options) { o.URL = "https://payments.atlassian.net/jira" },
		"no user":                  func(o *jsm.Options) { o.User = "ana" },
		"a user to break out":      func(o *jsm.Options) { o.User = `ana@example.org" OR status:"open` },
		"no secret":                func(o *jsm.Options) { o.Secret = " " },
		"no key":                   func(o *jsm.Options) { o.Dialect, o.URL, o.Secret = jsm.Opsgenie, "eu", "GenieKey " },
		"a secret with a line end": func(o *jsm.Options) { o.Secret = "hunter2\nX: y" },
		"a severity":               func(o *jsm.Options) { o.Severities = map[string]page.Severity{"P1": "awful"} },
		"another service":          func(o *jsm.Options) { o.Dialect = "pager" },
		"a proxy's password":       func(o *jsm.Options) { o.Way = web.Way{Proxy: "http://a:hunter2@proxy.example.org"} },
	} {
		o := good
		change(&o)
		_, err := jsm.New(o)
		var said *provider.Error
		if !errors.As(err, &said) || said.Kind != provider.Invalid || !strings.HasSuffix(said.Sentence, ".") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestNothingGoesOnAfterTheEnd(t *testing.T) {
	before := goleak.IgnoreCurrent()
	service := jsmtest.New(jsmtest.Options{Moment: moment})
	server := httptest.NewServer(service)
	p, err := jsm.New(options(jsm.JSM, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	service.Page("Disk full")
	if _, err := p.Acknowledge(t.Context(), only(t, p)); err != nil {
		t.Error(err)
	}
	p.Close()
	server.Close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func TestWholeConversationKeepsToTheDescription(t *testing.T) {
	contract := jsmtest.Described(t)
	service := jsmtest.New(jsmtest.Options{Moment: moment})
	server := httptest.NewServer(contract.Watch(t, service))
	defer server.Close()
	p := connect(t, options(jsm.JSM, server.URL))
	conversation(t, p, service)
	for _, operation := range []string{
		"GET /v1/alerts", "GET /v1/alerts/{id}", "POST /v1/alerts/{id}/acknowledge", "POST /v1/alerts/{id}/unacknowledge", "POST /v1/alerts/{id}/close",
		"POST /v1/alerts/{id}/snooze", "POST /v1/alerts/{id}/escalate", "POST /v1/alerts/{id}/assign", "POST /v1/alerts/{id}/responders",
		"GET /v1/alerts/{id}/notes", "POST /v1/alerts/{id}/notes", "GET /v1/alerts/{id}/logs", "GET /v1/alerts/requests/{id}",
		"GET /v1/schedules", "GET /v1/schedules/{id}/timeline", "GET /v1/users/contacts", "GET /v1/teams",
	} {
		if contract.Held()[operation] == 0 {
			t.Errorf("%s was not held against the description", operation)
		}
	}
}
