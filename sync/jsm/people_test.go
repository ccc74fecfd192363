package jsm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
)

func TestDescriptionHasNotesAndLogFromTheFirstToTheLast(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		id := n.service.Open(jsmtest.Alert{Message: "Disk full", Description: "Line one\n\x1b[1mline two"})
		wanted := only(t, n.provider)
		for number := range 104 { // more than one answer holds
			n.service.Note(id, "Bela", fmt.Sprint("note ", number))
		}
		if _, err := n.provider.Do(t.Context(), wanted, provider.Errand{Deed: provider.Note, Text: "mine"}); err != nil {
			t.Fatal(err)
		}
		if _, err := n.provider.Acknowledge(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}
		told, err := n.provider.Describe(t.Context(), wanted)
		if err != nil || len(told.Missing) > 0 {
			t.Fatalf("%v, %v", err, told.Missing)
		}
		if told.Body != "Line one\nline two" || told.Page.Status != page.Acknowledged || !told.Page.Mine {
			t.Errorf("%q, %+v", told.Body, told.Page)
		}
		seen := map[string]bool{}
		for _, one := range told.Notes {
			seen[one.Text] = true
			if one.ID == "" || one.By == "" || one.ByMe != (one.Text == "mine") || one.ByMe != (one.By == "Ana Lima") {
				t.Errorf("%+v", one)
			}
		}
		if len(seen) != 105 {
			t.Errorf("%d different notes", len(seen))
		}
		has := func(text, who string) bool {
			return slices.ContainsFunc(told.Log, func(e provider.Event) bool { return e.Text == text && e.Who == who && !e.At.IsZero() })
		}
		if !has("Alert created", "") || !has("Acknowledged alert", "Ana Lima") {
			t.Errorf("%+v", told.Log)
		}
	})
}

func TestDescriptionSaysWhatItCouldNotRead(t *testing.T) {
	n := begin(t, jsm.JSM)
	n.service.Page("Disk full")
	wanted := only(t, n.provider)
	n.interfere(says("/logs", 500, ``))
	told, err := n.provider.Describe(t.Context(), wanted)
	if err != nil || len(told.Missing) != 1 || !strings.HasPrefix(told.Missing[0], "The log could not be read") {
		t.Errorf("%v, %+v", err, told.Missing)
	}
}

func TestShiftsHaveTheirPlaceWhereTheRotationsNameSaysSo(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		// A Wednesday; Ana's week began two days before.
		from := time.Date(2026, 11, 25, 12, 0, 0, 0, time.FixedZone("", 3600))
		shifts, err := n.provider.OnCall(t.Context(), from, from.AddDate(0, 0, 7))
		if err != nil || len(shifts) != 4 {
			t.Fatalf("%v, %+v", err, shifts)
		}
		levels := map[roster.Level]string{}
		for _, one := range shifts {
			if one.Schedule != "Payments" || one.Start.Location() != time.UTC || !one.Start.Before(from.AddDate(0, 0, 7)) || one.Person.Email == "" {
				t.Errorf("%+v", one)
			}
			if one.Covers(from) {
				levels[one.Level] = one.Person.Email
				if want := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC); !one.Start.Equal(want) || one.Person.Me != (one.Person.Email == jsmtest.User) {
					t.Errorf("it begins at %s: %+v", one.Start, one)
				}
			}
		}
		if len(levels) != 2 || levels[roster.Primary] == levels[roster.Secondary] || levels[roster.Primary] == "" {
			t.Errorf("on call are %v", levels)
		}
	})
}

func TestPlaceIsNotGuessedFromTheOrderOfRotations(t *testing.T) {
	n := begin(t, jsm.JSM)
	from := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	n.interfere(says("/timeline", 200, `{"finalTimeline":{"rotations":[null,{"name":"Weekdays","periods":[null,
		{"startDate":"2026-11-25T00:00:00Z","endDate":"2026-11-26T00:00:00Z","type":"override","responder":{"id":"5b10ac8d82e05b22cc7d4ef6","type":"user"}},
		{"startDate":"2026-11-25T00:00:00Z","endDate":"2026-11-26T00:00:00Z","type":"default","responder":{"id":"70000000","type":"team"}},
		{"startDate":"2026-11-25T00:00:00Z","endDate":"2026-11-26T00:00:00Z","type":"default","responder":null},
		{"startDate":"2026-11-20T00:00:00Z","endDate":"2026-11-21T00:00:00Z","type":"default","responder":{"id":"past","type":"user"}}]}]}}`))
	shifts, err := n.provider.OnCall(t.Context(), from, from.Add(time.Hour))
	if err != nil || len(shifts) != 2 {
		t.Fatalf("%v, %+v", err, shifts)
	}
	if one := shifts[0]; one.Level != roster.LevelNotKnown || !one.Override || one.Person.Name != "Béla Kovács" || one.Person.Zone != "Europe/Berlin" {
		t.Errorf("%+v", one)
	}
	if one := shifts[1]; one.Person.Name != "team 70000000" {
		t.Errorf("%+v", one)
	}
}

func TestScheduleThatIsNotForUsIsLeftOutAndAnyOtherFailureIsNot(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		now := time.Now()
		n.interfere(says("/timeline", 403, `{"message":"not yours"}`))
		if shifts, err := n.provider.OnCall(t.Context(), now, now.Add(time.Hour)); err != nil || len(shifts) != 0 {
			t.Errorf("%v, %+v", err, shifts)
		}
		n.interfere(says("/timeline", 500, ``))
		if shifts, err := n.provider.OnCall(t.Context(), now, now.Add(time.Hour)); provider.KindOf(err) != provider.Broken || len(shifts) != 0 {
			t.Errorf("%v, %+v", err, shifts)
		}
	})
}

func TestPeopleAreMeWithMyContactsAndThoseOnTheSchedules(t *testing.T) {
	bothWays(t, func(t *testing.T, spoken jsm.Dialect) {
		n := begin(t, spoken)
		people, err := n.provider.People(t.Context())
		if err != nil || len(people) != 2 || !people[0].Me || people[1].Me {
			t.Fatalf("%v, %+v", err, people)
		}
		me := people[0]
		want := []page.Contact{{Kind: page.SMS, Address: "49-1700000000", Enabled: true}, {Kind: page.Phone, Address: "49-1700000000"},
			{Kind: page.Mail, Address: jsmtest.User, Enabled: true}, {Kind: page.Push, Address: "phone", Enabled: true}}
		if me.ID != jsmtest.Ana.ID || me.Name != "Ana Lima" || me.Zone != "Europe/Berlin" || !slices.Equal(me.Contacts, want) {
			t.Errorf("%+v", me)
		}
		if people[1].ID != jsmtest.Bela.ID || people[1].Email != jsmtest.Bela.Email || len(people[1].Contacts) > 0 {
			t.Errorf("%+v", people[1])
		}
	})
}
