package goalerttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/sync/goalert/goalerttest"
)

// captured are exchanges with a real GoAlert that the fake has to answer alike,
// over alerts like those that were there.
var captured = []string{
	"ack", "ack-twice", "ack-by-other-user", "ack-closed", "ack-missing", "ack-empty", "ack-mixed", "close", "close-twice",
	"unack-invalid", "status-bogus", "escalate-acked", "escalate-closed", "escalate-missing", "alert-missing",
	"list-active", "list-default", "list-unacked", "list-page1", "list-first-1001", "list-bad-cursor", "list-bad-status",
	"list-unknown-field", "list-syntax", "list-dateid-page1", "list-dateidrev-page1", "list-first-0", "list-notified-only-chloe",
	"session-ok", "session-after-logout",
}

// folder is where the exchanges are: beside the schemas.
func folder(t *testing.T) string {
	t.Helper()
	places := []string{filepath.Join("..", "..", "..", "..", "shared", "paging", "captures", "goalert")}
	if specs := os.Getenv("NIGHTSTAND_SPECS"); specs != "" {
		places = append(places, filepath.Join(specs, "..", "captures", "goalert"))
	}
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	t.Skip("the exchanges with a real GoAlert are not at hand")
	return ""
}

func TestItAnswersAsTheRealOneDid(t *testing.T) {
	from := folder(t)
	for _, name := range captured {
		t.Run(name, func(t *testing.T) {
			var asked struct{ Body json.RawMessage }
			var met struct{ Status int }
			read(t, filepath.Join(from, name+".request.json"), &asked)
			read(t, filepath.Join(from, name+".meta.json"), &met)
			answers, err := filepath.Glob(filepath.Join(from, name+".response.*"))
			if err != nil || len(answers) != 1 {
				t.Fatal(err, answers)
			}
			want, err := os.ReadFile(answers[0])
			if err != nil {
				t.Fatal(err)
			}
			server, cookie := lab(t)
			if name == "session-after-logout" {
				server.EndSessions()
			}
			if name == "ack-twice" || name == "ack-by-other-user" {
				server.Acknowledge("1", goalerttest.Ben)
			}
			if name == "close-twice" {
				server.Resolve("5")
			}
			got := ask(server, asked.Body, cookie)
			if got.Code != met.Status && (server.Validates() || met.Status == http.StatusOK) {
				t.Errorf("HTTP %d, and it was %d", got.Code, met.Status)
			}
			if !json.Valid(want) {
				if got.Body.String() != string(want) {
					t.Errorf("%q, and it was %q", got.Body, want)
				}
				return
			}
			if !server.Validates() && met.Status != http.StatusOK {
				t.Skip("GoAlert's schema is not at hand")
			}
			if g, w := outline(t, got.Body.Bytes()), outline(t, want); !slices.Equal(g, w) {
				t.Errorf("its outline is\n%s\nand was\n%s", strings.Join(g, "\n"), strings.Join(w, "\n"))
			}
		})
	}
}

// lab is a GoAlert with the alerts of the real one: 2 was acknowledged, 4 closed.
func lab(t *testing.T) (*goalerttest.Server, *http.Cookie) {
	t.Helper()
	server := goalerttest.New(goalerttest.Options{Now: func() time.Time { return time.Date(2026, 11, 22, 17, 24, 0, 0, time.UTC) }})
	server.Serve(goalerttest.Setup{Name: "Billing batch", OnCall: [][]string{{goalerttest.Anna}}, Delays: []int{5, 10, 15}})
	for range 4 {
		server.Page("Something happened")
	}
	server.Trigger(goalerttest.Alert{Summary: "Nightly billing run failed", Service: "Billing batch"})
	server.Acknowledge("2", goalerttest.Ben)
	server.Resolve("4")
	login := httptest.NewRequest(http.MethodPost, "http://goalert.example/api/v2/identity/providers/basic", strings.NewReader("username="+goalerttest.User+"&password="+strings.ReplaceAll(goalerttest.Password, " ", "+")))
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	login.Header.Set("Referer", "http://goalert.example/")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, login)
	for _, cookie := range answer.Result().Cookies() {
		if cookie.Name == "goalert_session.2" {
			return server, cookie
		}
	}
	t.Fatalf("no session: HTTP %d", answer.Code)
	return nil, nil
}

func ask(server *goalerttest.Server, body []byte, cookie *http.Cookie) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "http://goalert.example/api/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.AddCookie(cookie)
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)
	return answer
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// outline is what two answers have to share: the places of values, which alerts
// in which state, and the errors without where in the text they were found.
func outline(t *testing.T, body []byte) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	var lines []string
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				if name != "locations" {
					walk(at+"."+name, value[name])
				}
			}
			return
		case []any:
			lines = append(lines, fmt.Sprintf("%s: %d", at, len(value)))
			for _, one := range value {
				walk(at, one)
			}
			return
		case nil:
			lines = append(lines, at+": null")
			return
		}
		last := at[strings.LastIndex(at, ".")+1:]
		if slices.Contains([]string{"alertID", "status", "message", "code", "fieldName", "isFieldError", "hasNextPage"}, last) {
			lines = append(lines, fmt.Sprintf("%s: %v", at, value))
			return
		}
		lines = append(lines, fmt.Sprintf("%s: a %T", at, value))
	}
	walk("", value)
	return lines
}
