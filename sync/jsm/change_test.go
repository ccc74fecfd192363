package jsm_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
)

// do runs an errand on the only page.
func (n *night) do(t *testing.T, errand provider.Errand) (page.Page, error) {
	t.Helper()
	return n.provider.Do(t.Context(), only(t, n.provider), errand)
}

func TestAnswerIsFollowedUntilItIsCarriedOut(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := beginWith(t, jsmtest.Options{Dialect: spoken, Moment: 80 * time.Millisecond})
		id := n.service.Page("Disk full")
		got, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
		if err != nil || got.Status != page.Acknowledged || !got.AcknowledgedByMe || got.AcknowledgedBy != "Ana Lima" || got.AcknowledgedAt.Before(got.TriggeredAt) {
			t.Fatalf("%v, %+v", err, got)
		}
		if n.count("/alerts/requests/") < 2 || n.count("POST") != 1 {
			t.Errorf("it was asked %d times what came of %d requests", n.count("/alerts/requests/"), n.count("POST"))
		}
		got, err = n.provider.Unacknowledge(t.Context(), got)
		if err != nil || got.Status != page.Triggered {
			t.Errorf("%v, %+v", err, got)
		}
		if did := n.service.Applied(id); !slices.Equal(did, []string{"acknowledge", "unacknowledge"}) {
			t.Errorf("the service did %v", did)
		}
	})
}

func TestAnswerThatTheServiceDropsIsAnErrorWithItsReason(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Page("Disk full")
		n.service.Refuse("acknowledge", "Integration is \x1b[1mnot allowed")
		_, err := n.provider.Acknowledge(t.Context(), only(t, n.provider))
		if err == nil || provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "Integration is not allowed") {
			t.Errorf("it says %v", err)
		}
		if got := only(t, n.provider); got.Status != page.Triggered {
			t.Errorf("%+v", got)
		}
	})
}

func TestAnswerToWhatEndsMeanwhileIsGone(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				n.service.Resolve(id)
			}
			return false
		})
		if _, err := n.provider.Acknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrGone) {
			t.Errorf("it says %v", err)
		}
	})
}

func TestAnswerThatComesSecondIsTaken(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				n.service.Acknowledge(id, "Bela")
			}
			return false
		})
		var taken *provider.TakenError
		_, err := n.provider.Acknowledge(t.Context(), wanted)
		if !errors.As(err, &taken) {
			t.Errorf("it says %v", err)
		}
		if _, err := n.provider.Unacknowledge(t.Context(), wanted); !errors.As(err, &taken) || taken.By == "" {
			t.Errorf("somebody else's answer was taken back: %v", err)
		}
	})
}

func TestPatienceEndsWithTheCaller(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := beginWith(t, jsmtest.Options{Dialect: spoken, Moment: time.Hour})
		n.service.Page("Disk full")
		wanted := only(t, n.provider)
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := n.provider.Acknowledge(ctx, wanted)
		if err == nil || provider.KindOf(err) != provider.Unreachable || time.Since(began) > time.Second {
			t.Errorf("after %s it says %v", time.Since(began), err)
		}
		if asked := n.count("/alerts/requests/"); asked < 1 || asked > 20 {
			t.Errorf("it was asked %d times in 150 ms", asked)
		}
	})
}

func TestServiceThatSaysNothingOfTheRequestIsAskedForTheAlert(t *testing.T) {
	for why, body := range map[string]string{"no id": `{"result":"x"}`, "null": `null`, "an id to break out": `{"requestId":"../x"}`} {
		n := begin(t, jsm.JSM)
		n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			n.service.ServeHTTP(&silent{http.Header{}}, r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(202)
			_, _ = w.Write([]byte(body))
			return true
		})
		got, err := n.provider.Acknowledge(t.Context(), wanted)
		if err != nil || !got.AcknowledgedByMe || n.count("/requests/") != 0 {
			t.Errorf("%s: %v, %+v", why, err, got)
		}
	}
}

// silent swallows an answer.
type silent struct{ header http.Header }

func (s *silent) Header() http.Header            { return s.header }
func (s *silent) Write(text []byte) (int, error) { return len(text), nil }
func (s *silent) WriteHeader(int)                {}

func TestWriteThatIsNotAllowedIsRefusedAndNotRepeated(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Page("Disk full")
		wanted := only(t, n.provider)
		n.interfere(says("/acknowledge", 403, `{"message":"API key cannot do that","took":0.0,"requestId":"r"}`))
		_, err := n.provider.Acknowledge(t.Context(), wanted)
		if provider.KindOf(err) != provider.Refused || n.count("POST") != 1 {
			t.Errorf("it says %v after %d requests", err, n.count("POST"))
		}
		n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				w.Header().Set("X-RateLimit-Period-In-Sec", "7")
			}
			return r.Method == http.MethodPost && says("/acknowledge", 429, `{"message":"slower"}`)(w, r)
		})
		_, err = n.provider.Acknowledge(t.Context(), wanted)
		var said *provider.Error
		if !errors.As(err, &said) || said.Kind != provider.RateLimited || said.RetryAfter != 7*time.Second {
			t.Errorf("it says %v", err)
		}
	})
}

func TestHowItWasResolvedIsWrittenDownOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Page("Disk full")
		errand := provider.Errand{Deed: provider.Resolve, Text: "Made room.", Asked: time.Now()}
		wanted := only(t, n.provider)
		n.interfere(says("/close", 500, ``))
		if _, err := n.provider.Do(t.Context(), wanted, errand); err == nil {
			t.Error("what failed is done")
		}
		n.interfere(nil)
		got, err := n.provider.Do(t.Context(), wanted, errand)
		if err != nil || got.Open() {
			t.Errorf("%v, %+v", err, got)
		}
		if notes := n.service.Notes(id); !slices.Equal(notes, []string{"Made room."}) {
			t.Errorf("the notes are %q", notes)
		}
	})
}

func TestSnoozeEndsByTheServicesClock(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Page("Disk full")
		until := time.Now().Add(90 * time.Minute).Truncate(time.Second).UTC()
		got, err := n.do(t, provider.Errand{Deed: provider.Snooze, Until: until})
		if err != nil || !got.SnoozedUntil.Equal(until) || !got.Open() {
			t.Errorf("%v, %+v", err, got)
		}
		if _, err := n.do(t, provider.Errand{Deed: provider.Snooze, Until: time.Now().Add(-time.Minute)}); provider.KindOf(err) != provider.Invalid {
			t.Errorf("a snooze that is over: %v", err)
		}
		if n.count("/snooze") != 1 {
			t.Errorf("%d snoozes were sent", n.count("/snooze"))
		}
	})
}

func TestEscalationGoesByThePolicyOfTheAlertOrOfItsTeam(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		for _, by := range []jsmtest.Responder{{ID: jsmtest.Policy, Type: "escalation"}, {ID: jsmtest.Team, Type: "team"}} {
			n := begin(t, spoken)
			id := n.service.Open(jsmtest.Alert{Message: "Disk full", Responders: []jsmtest.Responder{{ID: jsmtest.Ana.ID, Type: "user"}, by}})
			errand := provider.Errand{Deed: provider.Escalate, Asked: time.Now()}
			if got, err := n.do(t, errand); err != nil || !got.Open() {
				t.Errorf("by the %s: %v", by.Type, err)
			}
			errand.Tried = true // and its log tells
			if _, err := n.do(t, errand); err != nil {
				t.Error(err)
			}
			if did := n.service.Applied(id); !slices.Equal(did, []string{"escalate"}) || n.count("/responders") != 0 {
				t.Errorf("by the %s, the service did %v", by.Type, did)
			}
		}
	})
}

func TestEscalationWithoutOnePolicyWakesNobody(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Open(jsmtest.Alert{Message: "Disk full", Responders: []jsmtest.Responder{{ID: jsmtest.Ana.ID, Type: "user"}}})
		_, err := n.do(t, provider.Errand{Deed: provider.Escalate})
		if provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "by name") || n.count("POST") != 0 {
			t.Errorf("it says %v", err)
		}
		got, err := n.do(t, provider.Errand{Deed: provider.Escalate, To: page.Person{ID: jsmtest.Bela.ID, Name: "Béla Kovács", Email: jsmtest.Bela.Email}})
		if err != nil || !got.Mine || n.count("/responders") != 1 {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

func TestPageIsGivenToWhoIsNamed(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		n.service.Page("Disk full")
		if _, err := n.do(t, provider.Errand{Deed: provider.Reassign}); provider.KindOf(err) != provider.Invalid || n.count("POST") != 0 {
			t.Errorf("to nobody: %v", err)
		}
		got, err := n.do(t, provider.Errand{Deed: provider.Reassign, To: page.Person{ID: jsmtest.Bela.ID, Name: "Béla Kovács"}})
		if err != nil || got.Mine || got.AssignedTo == "" || got.AssignedTo == "Ana Lima" {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

func TestNoteThatWasLostIsLookedForByItsWordsAuthorAndTime(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Page("Disk full")
		note := provider.Errand{Deed: provider.Note, Text: " Looking. ", Asked: time.Now()}
		for range 2 { // saying the same twice is no mistake
			if _, err := n.do(t, note); err != nil {
				t.Fatal(err)
			}
		}
		note.Tried = true
		if _, err := n.do(t, note); err != nil {
			t.Fatal(err)
		}
		note.Asked = time.Now().Add(time.Hour) // the old ones are not it
		if _, err := n.do(t, note); err != nil {
			t.Fatal(err)
		}
		if notes := n.service.Notes(id); !slices.Equal(notes, []string{"Looking.", "Looking.", "Looking."}) {
			t.Errorf("the notes are %q", notes)
		}
		if _, err := n.do(t, provider.Errand{Deed: provider.Note, Text: " \n"}); provider.KindOf(err) != provider.Invalid {
			t.Errorf("an empty note: %v", err)
		}
	})
}

func TestDeedThatNobodyKnowsIsRefusedInWords(t *testing.T) {
	n := begin(t, jsm.JSM)
	n.service.Page("Disk full")
	_, err := n.do(t, provider.Errand{Deed: "merge"})
	if !errors.Is(err, provider.ErrUnsupported) || n.count("POST") != 0 {
		t.Errorf("it says %v", err)
	}
}

// conversation is everything that is ever said to a service.
func conversation(t *testing.T, p *jsm.Provider, service *jsmtest.Service) {
	t.Helper()
	for range 101 {
		service.Page("Disk full")
	}
	told, err := p.Test(t.Context())
	if err != nil || len(told.Lacks) > 0 {
		t.Fatal(err, told.Lacks)
	}
	people, err := p.People(t.Context())
	if err != nil || len(people) < 2 {
		t.Fatal(err)
	}
	answered, err := p.Acknowledge(t.Context(), told.Open[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Unacknowledge(t.Context(), answered); err != nil {
		t.Error(err)
	}
	now := time.Now().UTC()
	for number, errand := range []provider.Errand{
		{Deed: provider.Resolve, Text: "Made room."}, {Deed: provider.Snooze, Until: now.Add(time.Hour)}, {Deed: provider.Escalate},
		{Deed: provider.Escalate, To: people[1]}, {Deed: provider.Reassign, To: people[1]}, {Deed: provider.Note, Text: "Looking."},
	} {
		errand.Asked = now
		if _, err := p.Do(t.Context(), told.Open[number], errand); err != nil {
			t.Errorf("%s: %v", errand.Deed, err)
		}
	}
	if told, err := p.Describe(t.Context(), told.Open[5]); err != nil || len(told.Missing) > 0 {
		t.Error(err, told.Missing)
	}
	open(t, p)
}
