package alertmanager_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/provider"
)

func snooze(until time.Time) provider.Errand {
	return provider.Errand{Deed: provider.Snooze, Until: until, Asked: time.Now().UTC()}
}

func TestASnoozeMovesTheEndOfTheAcknowledgement(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, diskFull)
	p := account(t, alertmanager.Options{URL: server.URL})
	mine, err := p.Acknowledge(t.Context(), only(t, p))
	if err != nil {
		t.Fatal(err)
	}
	for _, lasts := range []time.Duration{3 * time.Hour, 10 * time.Minute} {
		until := time.Now().Add(lasts).UTC().Truncate(time.Second)
		for range 2 {
			after, err := p.Do(t.Context(), mine, snooze(until))
			if err != nil || !after.AcknowledgedByMe || !after.AckExpiresAt.Equal(until) {
				t.Fatalf("until %s: %+v, %v", until, after, err)
			}
		}
		active := server.ActiveSilences()
		if len(active) != 1 || !active[0].EndsAt.Equal(until) || !strings.HasPrefix(active[0].Comment, "Snoozed by anna") {
			t.Errorf("the silences are %+v", active)
		}
	}
	if after, err := p.Unacknowledge(t.Context(), mine); err != nil || after.Status != page.Triggered || len(server.ActiveSilences()) != 0 {
		t.Errorf("taken back: %+v, %v", after, err)
	}
}

func TestASnoozeHasBoundsAndWakesNothingThatEnded(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, diskFull)
	p := account(t, alertmanager.Options{URL: server.URL})
	wanted := only(t, p)
	for why, until := range map[string]time.Time{"over": time.Now().Add(-time.Second), "too long": time.Now().Add(alertmanager.LongestSnooze + time.Minute)} {
		if _, err := p.Do(t.Context(), wanted, snooze(until)); err == nil || provider.KindOf(err) != provider.Invalid || errors.Is(err, provider.ErrUnsupported) {
			t.Errorf("%s: %v", why, err)
		}
	}
	server.Resolve(diskFull)
	if _, err := p.Do(t.Context(), wanted, snooze(time.Now().Add(time.Hour))); !errors.Is(err, provider.ErrGone) {
		t.Errorf("what ended: %v", err)
	}
	if left := server.Silences(); len(left) != 0 {
		t.Errorf("silences were made: %+v", left)
	}
}

func TestADescriptionHasTheAnnotationsAndTheSilences(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	server.Post(alertmanagertest.Alert{
		Labels: diskFull, StartsAt: time.Now().Add(-time.Hour).Truncate(time.Second),
		Annotations: map[string]string{"summary": "Disk full", "description": "first\nsecond", "impact": "orders \x1b[31mstop", "runbook_url": "https://runbooks.example.org/disk"},
	})
	p := account(t, alertmanager.Options{URL: server.URL})
	server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(diskFull), CreatedBy: "ben", Comment: "moving it"})
	mine, err := p.Acknowledge(t.Context(), only(t, p))
	if err != nil {
		t.Fatal(err)
	}
	told, err := p.Describe(t.Context(), mine)
	if err != nil || len(told.Alerts) != 1 {
		t.Fatal(err, told)
	}
	if told.Body != "first\nsecond" || !told.Page.AcknowledgedByMe {
		t.Errorf("%+v", told)
	}
	if one := told.Alerts[0]; one.Severity != "warning" || one.Status != "suppressed" || !strings.Contains(one.Details, "impact: orders stop\n") ||
		!slices.Contains(one.Links, page.Link{Text: "Runbook", URL: "https://runbooks.example.org/disk"}) {
		t.Errorf("%+v", one)
	}
	var who []string
	for _, event := range told.Log {
		who = append(who, event.Who)
		if strings.Contains(event.Text, "[nightstand:") || event.Text == "" {
			t.Errorf("the log says %q", event.Text)
		}
	}
	if !slices.Equal(who, []string{"", "ben", "anna"}) && !slices.Equal(who, []string{"", "anna", "ben"}) {
		t.Errorf("the log is of %q", who)
	}
	server.Resolve(diskFull)
	if _, err := p.Describe(t.Context(), mine); !errors.Is(err, provider.ErrGone) {
		t.Errorf("what ended: %v", err)
	}
}
