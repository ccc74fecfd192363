package goalert_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nightstand/sync/goalert"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
)

func TestOneLoginLastsTheNight(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { open(t, n.account) })
		group.Go(func() {
			if _, err := n.account.People(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n.Logins() != 1 {
		t.Errorf("%d logins", n.Logins())
	}
}

func TestASessionThatEndedIsBegunAnewOnce(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	wanted := only(t, n.account)
	n.EndSessions()
	if _, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.Refused || n.Logins() != 1 {
		t.Errorf("a session of a moment ago is not replaced: %v, %d logins", err, n.Logins())
	}
	n.pass(2 * time.Minute)
	if after, err := n.account.Acknowledge(t.Context(), wanted); err != nil || !after.AcknowledgedByMe {
		t.Errorf("%v, %+v", err, after)
	}
	if did := n.Applied(id); n.Logins() != 2 || len(did) != 1 {
		t.Errorf("%d logins, and GoAlert did %v", n.Logins(), did)
	}
}

func TestALoginThatDoesNotHelpIsNotRepeated(t *testing.T) {
	n := begin(t)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/graphql" {
			return false
		}
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return true
	})
	for range 20 {
		if _, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.Refused {
			t.Errorf("it says %v", err)
		}
		n.pass(15 * time.Second)
	}
	if n.Logins() > 5 {
		t.Errorf("%d logins in five minutes", n.Logins())
	}
}

func TestAWrongPasswordIsSentOnce(t *testing.T) {
	n := begin(t)
	n.account = n.logIn(t, func(o *goalert.Options) { o.Secret = "swordfish" })
	for range 5 {
		_, err := n.account.Open(t.Context())
		if provider.KindOf(err) != provider.Refused || !strings.Contains(provider.Sentence(err), "password") || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("it says %v", err)
		}
		n.pass(time.Hour)
	}
	if n.Logins() != 1 {
		t.Errorf("the password was sent %d times", n.Logins())
	}
	if _, err := n.account.Test(t.Context()); provider.KindOf(err) != provider.Refused || n.Logins() != 2 {
		t.Errorf("whoever tests the account wants it tried: %v, %d", err, n.Logins())
	}
}

func TestGoAlertMayCallItselfSomethingElse(t *testing.T) {
	n := begin(t, func(o *goalerttest.Options) { o.PublicURL = "https://goalert.example/ops" })
	n.Page("Disk full")
	only(t, n.account)
	if n.Logins() != 1 {
		t.Errorf("%d logins", n.Logins())
	}
}

func TestALoginFromNowhereIsExplained(t *testing.T) {
	n := begin(t)
	asked := 0
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		asked++
		w.Header().Set("Location", "/?login_error=invalid+referer")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
	if _, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.NotTheAPI || !strings.Contains(provider.Sentence(err), "public") || asked != 1 {
		t.Errorf("%d requests, %v", asked, err)
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Location", "/?login_error=the+moon+is+full")
		w.WriteHeader(http.StatusFound)
		return true
	})
	if _, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.Refused || !strings.Contains(provider.Sentence(err), "the moon is full") {
		t.Errorf("it says %v", err)
	}
}

func TestACookieThatIsIssuedAnewIsUsed(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	open(t, n.account)
	var shown []string
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		shown = append(shown, r.Header.Get("Cookie"))
		if len(shown) == 1 {
			w.Header().Set("Set-Cookie", "goalert_session.2=brand-new; Path=/; HttpOnly")
			return false
		}
		return false
	})
	open(t, n.account)
	_, _ = n.account.Open(t.Context()) // the fake does not know the new one
	if len(shown) != 2 || shown[1] != "goalert_session.2=brand-new" {
		t.Errorf("it showed %d cookies, and not the new one", len(shown))
	}
}

func TestAnAPIKeySendsNoQueryAndIsNobody(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	n.Trigger(goalerttest.Alert{Summary: "Of others", Step: 1})
	key := n.withKey(t, goalert.KeyDocument, 48*time.Hour)
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if body := peek(r); strings.Contains(body, `"query"`) || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer eyJ") {
			t.Errorf("it asks %s", body)
		}
		return false
	})
	told, err := key.Test(t.Context())
	if err != nil || len(told.Open) != 2 || told.User == "" || len(told.Lacks) == 0 {
		t.Fatalf("%v, %+v", err, told)
	}
	for _, one := range told.Open {
		if !one.Mine || one.Assigned {
			t.Errorf("everything is mine, and assigned to nobody: %+v", one)
		}
	}
	if able := key.Capabilities(); able.AssignsPages || able.Expires != n.now().Add(48*time.Hour) || able.Can(provider.Escalate) || !able.Can(provider.Resolve) {
		t.Errorf("%+v", able)
	}
	if !strings.Contains(strings.Join(told.Notes, " "), "25 November 2026") {
		t.Errorf("nothing says when the key runs out: %q", told.Notes)
	}
	if n.Logins() != 0 {
		t.Error("a key needs no login")
	}
}

func TestAKeyForAnotherQueryIsExplained(t *testing.T) {
	n := begin(t)
	for _, query := range []string{"query Tray { alerts { nodes { alertID } } }", "{ alerts { nodes { alertID } } }"} {
		_, err := n.withKey(t, query, time.Hour).Open(t.Context())
		if provider.KindOf(err) != provider.Refused || !strings.Contains(provider.Sentence(err), "bound to one query") {
			t.Errorf("it says %v", err)
		}
	}
}

func TestAKeyThatRanOutIsTold(t *testing.T) {
	n := begin(t)
	key := n.withKey(t, goalert.KeyDocument, time.Hour)
	open(t, key)
	n.pass(2 * time.Hour)
	if _, err := key.Open(t.Context()); provider.KindOf(err) != provider.Refused || !strings.Contains(provider.Sentence(err), "ran out on 23 November 2026") {
		t.Errorf("it says %v", err)
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	for why, options := range map[string]goalert.Options{
		"no address":           {User: "anna", Secret: "x"},
		"no encryption":        {URL: "http://goalert.example", User: "anna", Secret: "x"},
		"a password in it":     {URL: "https://anna:secret@goalert.example", User: "anna", Secret: "x"},
		"neither user nor key": {URL: "https://goalert.example", Secret: "x"},
	} {
		if _, err := goalert.New(options); provider.KindOf(err) != provider.Invalid {
			t.Errorf("%s passes: %v", why, err)
		}
	}
	n := begin(t)
	n.account = n.logIn(t, func(o *goalert.Options) { o.Secret = "" })
	if _, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.Refused || n.Logins() != 0 {
		t.Errorf("without a password it says %v", err)
	}
}

// TestErrorsInsideASuccess are GraphQL's: the status says 200.
func TestErrorsInsideASuccess(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	open(t, n.account)
	for body, want := range map[string]provider.Kind{
		`{"errors":[{"message":"access denied","path":["alerts"]}],"data":null}`:                                                                   provider.Refused,
		`{"errors":[{"message":"wrong query for API key","extensions":{"code":"invalid_query"}}],"data":null}`:                                     provider.Refused,
		`{"errors":[{"message":"unexpected error","path":["alerts"]}],"data":null}`:                                                                provider.Broken,
		`{"errors":[{"message":"Request canceled: external call limit reached for this request. Total calls: 101"}],"data":null}`:                  provider.Broken,
		`{"errors":[{"message":"must not be over 1000","extensions":{"fieldName":"First","isFieldError":true}}],"data":null}`:                      provider.Invalid,
		`{"errors":[{"message":"unexpected error"}],"data":{"user":{"id":"x"},"paged":{"nodes":[],"pageInfo":{"hasNextPage":false}},"duty":null}}`: provider.Broken,
		`{"errors":[null],"data":{}}`:          provider.Broken,
		`{"errors":"nothing works","data":{}}`: provider.Broken,
		`{"errors":{"a":1},"data":{}}`:         provider.Broken,
		`{"errors":[],"data":null}`:            provider.Broken,
		`{"data":{}}`:                          provider.Broken,
		`{"data":[]}`:                          provider.Broken,
		`[]`:                                   provider.Broken,
	} {
		n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
			return true
		})
		if snapshot, err := n.account.Open(t.Context()); provider.KindOf(err) != want || len(snapshot.Pages) > 0 {
			t.Errorf("%s is understood as %v", body, err)
		}
	}
	n.interfere(nil)
	only(t, n.account)
}

func TestNothingGoesOnAfterTheEnd(t *testing.T) {
	before := goleak.IgnoreCurrent()
	service := goalerttest.New(goalerttest.Options{})
	server := httptest.NewServer(service)
	account := connect(t, goalert.Options{Account: "work", URL: server.URL, User: goalerttest.User, Secret: goalerttest.Password})
	service.Page("Disk full")
	wanted := only(t, account)
	if _, err := account.Acknowledge(t.Context(), wanted); err != nil {
		t.Error(err)
	}
	if _, err := account.Do(t.Context(), wanted, provider.Errand{Deed: provider.Resolve}); err != nil {
		t.Error(err)
	}
	account.Close()
	server.Close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
