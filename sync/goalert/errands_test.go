package goalert_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/goalert"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
)

func TestEscalatingCallsTheNextStep(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	mine, err := n.account.Acknowledge(t.Context(), only(t, n.account))
	if err != nil {
		t.Fatal(err)
	}
	after, err := n.account.Do(t.Context(), mine, provider.Errand{Deed: provider.Escalate, Asked: n.now()})
	if err != nil || after.Status != page.Triggered || !after.EscalatesAt.IsZero() || after.EscalatesTo != goalerttest.Ben {
		t.Fatalf("before the engine comes round: %v, %+v", err, after)
	}
	n.pass(5 * time.Second)
	n.Cycle()
	if got := only(t, n.account); got.EscalatesAt.Sub(n.now().Add(10*time.Minute)).Abs() > time.Second || got.AssignedTo != goalerttest.Ben || !got.Mine {
		t.Errorf("after it: %+v", got)
	}
	if did := n.Applied(id); !slices.Equal(did, []string{"acknowledge", "escalate"}) {
		t.Errorf("GoAlert did %v", did)
	}
}

func TestEscalatingTakesNoAnswerAwayUnseen(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	before := only(t, n.account)
	n.Acknowledge(id, goalerttest.Ben)
	var taken *provider.TakenError
	if _, err := n.account.Do(t.Context(), before, provider.Errand{Deed: provider.Escalate}); !errors.As(err, &taken) || taken.By != goalerttest.Ben {
		t.Errorf("it says %v", err)
	}
	if _, err := n.account.Do(t.Context(), only(t, n.account), provider.Errand{Deed: provider.Escalate}); err != nil {
		t.Errorf("somebody who has seen it may: %v", err)
	}
	if did := n.Applied(id); !slices.Equal(did, []string{"escalate"}) {
		t.Errorf("GoAlert did %v", did)
	}
}

func TestAnotherEscalationIsNoneOfAnEarlierHour(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	errand := provider.Errand{Deed: provider.Escalate, Asked: n.now(), Tried: true}
	if _, err := n.account.Do(t.Context(), only(t, n.account), errand); err != nil {
		t.Fatal(err)
	}
	n.Cycle()
	n.pass(time.Hour)
	if _, err := n.account.Do(t.Context(), only(t, n.account), errand); err != nil {
		t.Fatal(err)
	}
	errand.Asked = n.now()
	if _, err := n.account.Do(t.Context(), only(t, n.account), errand); err != nil {
		t.Fatal(err)
	}
	if did := n.Applied("1"); len(did) != 2 {
		t.Errorf("once for either hour, and not for the one that was tried: %v", did)
	}
}

func TestWhoAsksTwiceEscalatesTwice(t *testing.T) {
	n := begin(t)
	n.Page("Disk full")
	for range 2 {
		if _, err := n.account.Do(t.Context(), only(t, n.account), provider.Errand{Deed: provider.Escalate, Asked: n.now()}); err != nil {
			t.Fatal(err)
		}
		n.Cycle()
	}
	if did := n.Applied("1"); len(did) != 2 {
		t.Errorf("GoAlert did %v", did)
	}
}

func TestEscalatingDuringMaintenanceSaysSo(t *testing.T) {
	n := begin(t)
	n.Serve(goalerttest.Setup{Name: "Cared for", OnCall: [][]string{{goalerttest.Anna}}, Delays: []int{5}, Maintained: n.now().Add(time.Hour)})
	n.Trigger(goalerttest.Alert{Summary: "Disk full", Service: "Cared for"})
	_, err := n.account.Do(t.Context(), only(t, n.account), provider.Errand{Deed: provider.Escalate})
	if provider.KindOf(err) != provider.Invalid || !strings.Contains(provider.Sentence(err), "maintenance") {
		t.Errorf("it says %v", err)
	}
}

func TestWhatEndsWhileItIsEscalatedIsGone(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	wanted := only(t, n.account)
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(peek(r), `"operationName":"Escalate"`) {
			n.Resolve(id)
		}
		return false
	})
	if _, err := n.account.Do(t.Context(), wanted, provider.Errand{Deed: provider.Escalate}); !errors.Is(err, provider.ErrGone) {
		t.Errorf("it says %v", err)
	}
}

func TestWhatGoAlertCannotDoIsSaid(t *testing.T) {
	n := begin(t)
	id := n.Page("Disk full")
	wanted := only(t, n.account)
	key := n.withKey(t, goalert.KeyDocument, time.Hour)
	for _, c := range []struct {
		account *goalert.Provider
		deed    provider.Deed
		instead string
	}{
		{n.account, provider.Snooze, "Acknowledge"},
		{n.account, provider.Reassign, "Escalate"},
		{n.account, provider.Note, "notes"},
		{n.account, "dance", "GoAlert"},
		{key, provider.Escalate, "user name and password"},
	} {
		_, err := c.account.Do(t.Context(), wanted, provider.Errand{Deed: c.deed})
		if !errors.Is(err, provider.ErrUnsupported) || !strings.Contains(provider.Sentence(err), c.instead) || c.account.Capabilities().Can(c.deed) {
			t.Errorf("%s: %v", c.deed, err)
		}
	}
	if _, err := n.account.Unacknowledge(t.Context(), wanted); !errors.Is(err, provider.ErrUnsupported) || n.account.Capabilities().Unacknowledge {
		t.Errorf("taking it back: %v", err)
	}
	if did := n.Applied(id); len(did) > 0 {
		t.Errorf("GoAlert did %v", did)
	}
}

func TestDescriptionTellsTheLog(t *testing.T) {
	n := begin(t)
	id := n.Trigger(goalerttest.Alert{Summary: "Disk full", Details: "one\x1b[1m\ntwo", Paged: []string{goalerttest.Anna}})
	n.Acknowledge(id, goalerttest.Ben)
	told, err := n.account.Describe(t.Context(), only(t, n.account))
	if err != nil || told.Body != "one\ntwo" || len(told.Missing) > 0 || !told.Page.Mine || told.Page.AcknowledgedBy != goalerttest.Ben {
		t.Fatalf("%v, %+v", err, told)
	}
	var lines []string
	for _, one := range told.Log {
		lines = append(lines, one.Who+"|"+one.Text)
	}
	want := []string{
		"|Created via generic-service integration (Generic API)", "|Escalated to step #1",
		"|Notification sent to Anna Berger (Webhook): Sent", "Ben Öztürk|Acknowledged by Ben Öztürk (Web)",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	if others, err := n.account.Describe(t.Context(), page.Page{UpstreamID: id}); err != nil || others.Page.Mine {
		t.Errorf("a page that is not mine does not become so by being looked at: %v, %+v", err, others.Page)
	}
	for range 40 {
		n.RunOut(id)
	}
	if told, err = n.account.Describe(t.Context(), only(t, n.account)); err != nil || len(told.Log) != 50 || len(told.Missing) != 1 {
		t.Errorf("a long log: %v, %d lines, %q", err, len(told.Log), told.Missing)
	}
}
