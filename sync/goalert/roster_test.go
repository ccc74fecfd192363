package goalert_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
)

func TestShiftsHaveTheirTrueEnds(t *testing.T) {
	n := begin(t)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	n.Schedule("Night", goalerttest.Shift{Who: goalerttest.Anna, Start: at(22, 18), End: at(23, 6)},
		goalerttest.Shift{Who: goalerttest.Chloe, Start: at(23, 6), End: at(23, 18)},
		goalerttest.Shift{Who: goalerttest.Ben, Start: at(23, 18), End: at(23, 18).AddDate(1, 0, 0)})
	n.Override("Night", goalerttest.Chloe, goalerttest.Anna, at(23, 5), at(23, 18))
	shifts, err := n.account.OnCall(t.Context(), at(23, 3), at(24, 3))
	if err != nil {
		t.Fatal(err)
	}
	night := slices.DeleteFunc(slices.Clone(shifts), func(s roster.Shift) bool { return s.Schedule != "Night" })
	if len(night) != 3 || night[0].Person.Name != goalerttest.Anna || !night[0].Person.Me || night[0].Override || night[0].Start != at(22, 18) || night[0].End != at(23, 6) ||
		night[1].Person.Name != goalerttest.Chloe || !night[1].Override || night[1].Person.Me ||
		night[2].Person.Name != goalerttest.Ben || !night[2].End.IsZero() || night[2].Level != roster.Primary {
		t.Errorf("%+v", night)
	}
	named := slices.DeleteFunc(slices.Clone(shifts), func(s roster.Shift) bool { return s.Schedule != "" })
	if len(named) != 3 { // Ben, and Anna and Chloé behind him, whom the policy names
		t.Fatalf("%+v", named)
	}
	for _, one := range named {
		if !one.Covers(at(23, 3)) || one.Level < roster.Secondary {
			t.Errorf("who is named by a policy is on call always, at a step of it: %+v", one)
		}
	}
}

func TestALongSpanIsReadInPieces(t *testing.T) {
	n := begin(t)
	start := n.now().Truncate(24 * time.Hour)
	for day := range 140 {
		from := start.AddDate(0, 0, day)
		n.Schedule("Daily", goalerttest.Shift{Who: []string{goalerttest.Anna, goalerttest.Ben}[day%2], Start: from, End: from.AddDate(0, 0, 1)})
	}
	shifts, err := n.account.OnCall(t.Context(), n.now(), n.now().AddDate(0, 0, 120))
	if err != nil {
		t.Fatal(err)
	}
	daily := slices.DeleteFunc(shifts, func(s roster.Shift) bool { return s.Schedule != "Daily" })
	if len(daily) != 121 {
		t.Fatalf("%d shifts of 121", len(daily))
	}
	for day, one := range daily {
		if one.Start != start.AddDate(0, 0, day) || one.End != start.AddDate(0, 0, day+1) {
			t.Errorf("day %d: %s to %s", day, one.Start, one.End)
		}
	}
	if none, err := n.account.OnCall(t.Context(), n.now(), n.now()); err != nil || len(none) != 0 {
		t.Errorf("an empty span: %v, %+v", err, none)
	}
}

func TestManySchedulesAreAllRead(t *testing.T) {
	n := begin(t)
	for count := range 35 {
		n.Schedule("Schedule "+string(rune('A'+count)), goalerttest.Shift{Who: goalerttest.Ben, Start: n.now(), End: n.now().Add(time.Hour)})
	}
	shifts, err := n.account.OnCall(t.Context(), n.now(), n.now().Add(time.Minute))
	seen := map[string]bool{}
	for _, one := range shifts {
		seen[one.Schedule] = true
	}
	delete(seen, "")
	if err != nil || len(seen) != 36 {
		t.Errorf("%v, %d schedules of 36", err, len(seen))
	}
}

func TestPeopleAndOwnWaysToBeReached(t *testing.T) {
	n := begin(t)
	people, err := n.account.People(t.Context())
	if err != nil || len(people) != 3 {
		t.Fatalf("%v, %+v", err, people)
	}
	for _, one := range people {
		switch me := one.Name == goalerttest.Anna; {
		case one.Me != me, one.Email == "", !me && len(one.Contacts) > 0:
			t.Errorf("%+v", one)
		case me:
			want := []page.Contact{
				{Kind: page.Mail, Address: "anna@example.org", Enabled: true},
				{Kind: page.SMS, Address: "+15550100"},
				{Kind: page.OtherContact, Enabled: true},
			}
			if !slices.Equal(one.Contacts, want) {
				t.Errorf("%+v, want %+v", one.Contacts, want)
			}
		}
	}
}

func TestARosterThatFailsIsNoDangerToPages(t *testing.T) {
	n := begin(t)
	open(t, n.account)
	n.interfere(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "no", http.StatusInternalServerError)
		return true
	})
	_, err := n.account.OnCall(t.Context(), n.now(), n.now().Add(time.Hour))
	if provider.KindOf(err) != provider.Broken || strings.Contains(provider.Sentence(err), "pages cannot reach you") {
		t.Errorf("it says %v", err)
	}
}
