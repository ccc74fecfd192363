package goalert_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/goalert"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
)

func TestAcknowledgementsAreWhoseTheyAre(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	key := n.withKey(t, goalert.KeyDocument, time.Hour)
	byKey, err := key.Acknowledge(t.Context(), only(t, key))
	if err != nil || !byKey.AcknowledgedByMe || byKey.AcknowledgedBy != "an API key" {
		t.Fatalf("%v, %+v", err, byKey)
	}
	if seen := only(t, n.account); seen.AcknowledgedByMe || seen.AcknowledgedBy != "an API key" {
		t.Errorf("an API key's answer is nobody's: %+v", seen)
	}
	var taken *provider.TakenError
	if _, err := n.account.Acknowledge(t.Context(), only(t, n.account)); !errors.As(err, &taken) {
		t.Errorf("what an API key has is not taken: %v", err)
	}
	n.pass(time.Minute)
	n.RunOut(id)
	n.Acknowledge(id, "Ben (Ops) Öztürk")
	for _, account := range []*goalert.Provider{n.account, key} {
		if seen := only(t, account); seen.AcknowledgedByMe || seen.AcknowledgedBy != "Ben (Ops) Öztürk" || seen.AcknowledgedAt != n.now() {
			t.Errorf("somebody else has answered since: %+v", seen)
		}
	}
	if slices.Contains(n.Heard()[len(n.Heard())-3:], "Update") {
		t.Error("an answer was sent for what others have")
	}
}

func TestWhatOthersHaveIsNotAnswered(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	wanted := only(t, n.account)
	n.Acknowledge(id, goalerttest.Ben)
	var taken *provider.TakenError
	if _, err := n.account.Acknowledge(t.Context(), wanted); !errors.As(err, &taken) || taken.By != goalerttest.Ben || slices.Contains(n.Heard(), "Update") {
		t.Errorf("it says %v, and asked %v", err, n.Heard())
	}
}

func TestAnEarlierNameIsNotTakenForALaterOne(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	n.Acknowledge(id, goalerttest.Ben)
	only(t, n.account)
	n.pass(time.Minute)
	n.RunOut(id)
	n.Acknowledge(id, goalerttest.Chloe)
	n.interfere(operation("Look", func(w http.ResponseWriter) { http.Error(w, "no", http.StatusInternalServerError) }))
	if seen := only(t, n.account); seen.Status != page.Acknowledged || seen.AcknowledgedByMe || !strings.Contains(seen.AcknowledgedBy, "not told") {
		t.Errorf("%+v", seen)
	}
	n.interfere(nil)
	if seen := only(t, n.account); seen.AcknowledgedBy != goalerttest.Chloe {
		t.Errorf("it is not asked again: %+v", seen)
	}
}

func TestAListThatWasOnItsWayDoesNotUndoAnAnswer(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	wanted := only(t, n.account)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(peek(r), `"operationName":"Mine"`) {
			return false
		}
		before := httptest.NewRecorder()
		n.Server.ServeHTTP(before, r)
		if _, err := n.account.Acknowledge(t.Context(), wanted); err != nil {
			t.Error(err)
		}
		maps.Copy(w.Header(), before.Header())
		_, _ = w.Write(before.Body.Bytes())
		return true
	})
	if seen := only(t, n.account); !seen.AcknowledgedByMe {
		t.Errorf("the list is older than the answer: %+v", seen)
	}
}

func TestAnotherAlertIsNotTheOneThatWasAskedFor(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	n.Page("Disk fuller")
	wanted := open(t, n.account)[0]
	n.interfere(operation("Look", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"alert":{"id":"2","alertID":2,"status":"StatusUnacknowledged"}}}`)
	}))
	if _, err := n.account.Acknowledge(t.Context(), wanted); provider.KindOf(err) != provider.Broken || len(n.Applied("2")) > 0 {
		t.Errorf("it says %v", err)
	}
}

func TestAnAnswerThatDoesNotShowIsAnError(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	wanted := only(t, n.account)
	n.interfere(operation("Update", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"updateAlerts":null}}`)
	}))
	_, err := n.account.Acknowledge(t.Context(), wanted)
	if provider.KindOf(err) != provider.Broken || !strings.Contains(provider.Sentence(err), "does not show it") {
		t.Errorf("it says %v", err)
	}
}

func TestListsThatNeverEndAreErrors(t *testing.T) {
	n := begin(t)
	open(t, n.account)
	for _, info := range []string{`{"hasNextPage":true,"endCursor":null}`, `{"hasNextPage":true,"endCursor":"again"}`, `{"hasNextPage":null}`, `null`} {
		asked := 0
		n.interfere(func(w http.ResponseWriter, _ *http.Request) bool {
			asked++
			const user = `{"id":"u","onCallOverview":{"serviceAssignments":[]}}`
			list := `{"nodes":[{"id":"7","alertID":7}],"pageInfo":` + info + `}`
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"data":{"user":`+user+`,"paged":`+list+`,"duty":`+list+`,"alerts":`+list+`}}`)
			return true
		})
		if snapshot, err := n.account.Open(t.Context()); provider.KindOf(err) != provider.Broken || len(snapshot.Pages) > 0 || asked > 4 {
			t.Errorf("%s: %v after %d requests", info, err, asked)
		}
	}
}

func TestWhatGoAlertMovedForUsIsOursWithoutALog(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	wanted := only(t, n.account)
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		whole := httptest.NewRecorder()
		n.Server.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.WriteHeader(whole.Code)
		_, _ = io.WriteString(w, strings.ReplaceAll(whole.Body.String(), "Acknowledged by", "Done by"))
		return true
	})
	after, err := n.account.Acknowledge(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []page.Page{after, only(t, n.account)} {
		if !seen.AcknowledgedByMe || seen.AcknowledgedBy != goalerttest.Anna {
			t.Errorf("%+v", seen)
		}
	}
}
