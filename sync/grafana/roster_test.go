package grafana_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/grafana/grafanatest"
)

func TestShiftsAreToldAsTheyAreAndNotAsTheyAreCut(t *testing.T) {
	n := begin(t)
	midnight := n.now().Truncate(24 * time.Hour)
	week := 7 * 24 * time.Hour
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		*all.Schedules = []*grafanatest.Schedule{
			{ID: "SPRIMARY", Name: "db_primary", Shifts: []grafanatest.Shift{
				{User: grafanatest.Bela, Start: midnight.Add(-60 * 24 * time.Hour), End: midnight.Add(-50 * 24 * time.Hour)},
				{User: grafanatest.Bela, Start: midnight.Add(-36 * time.Hour), End: midnight.Add(9 * time.Hour)},
				{User: grafanatest.Ana, Start: midnight.Add(9 * time.Hour), End: midnight.Add(33 * time.Hour)},
				{User: grafanatest.Ana, Start: midnight.Add(9 * time.Hour), End: midnight.Add(33 * time.Hour)}, // twice
				{User: grafanatest.Bela, Start: midnight.Add(33 * time.Hour), End: midnight.Add(3 * week)},
			}},
			{ID: "SBACKUP", Name: "DB: Secondary", Shifts: []grafanatest.Shift{{User: grafanatest.Ana, Start: midnight.Add(-3 * week), End: midnight.Add(12 * time.Hour)}}},
			{ID: "SPLAIN", Name: "Primaries", Shifts: nil},
		}
	})
	shifts, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range shifts {
		got = append(got, fmt.Sprintf("%s %d %s %s–%s", one.Person.Name, one.Level, one.Schedule, told(one.Start), told(one.End)))
	}
	want := []string{
		"ana 2 DB: Secondary –23 12:00",
		"bela 1 db_primary 21 12:00–23 09:00",
		"ana 1 db_primary 23 09:00–24 09:00",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !shifts[2].Person.Me || shifts[1].Person.Me || shifts[0].Level != roster.Secondary {
		t.Errorf("%+v", shifts)
	}
}

func told(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format("02 15:04")
}

func TestARosterThatCannotBeReadWholeIsAnError(t *testing.T) {
	n := begin(t)
	if _, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(400*24*time.Hour)); err == nil {
		t.Error("more than a year was told of")
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v1/schedules/"+grafanatest.Primary+"/final_shifts/" {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	if shifts, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(time.Hour)); err == nil {
		t.Errorf("%+v", shifts)
	}
}

func TestVeryManySchedulesAreThoseOfMyTeams(t *testing.T) {
	n := begin(t)
	n.open()
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		for number := range 60 {
			*all.Schedules = append(*all.Schedules, &grafanatest.Schedule{ID: fmt.Sprintf("S%d", number), Name: "Another", Team: grafanatest.Networks})
		}
	})
	if _, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if asked := n.heard("final_shifts"); asked != 1 {
		t.Errorf("%d schedules were asked for", asked)
	}
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		for _, one := range *all.Schedules {
			one.Team = grafanatest.Databases
		}
	})
	_, err := n.provider.OnCall(t.Context(), n.now(), n.now().Add(time.Hour))
	refused(t, err, "Choose fewer teams")
}

func TestPeopleAreToldWithWhetherTheirNumberIsVerified(t *testing.T) {
	n := begin(t)
	people, err := n.provider.People(t.Context())
	if err != nil || len(people) != 2 {
		t.Fatalf("%v, %+v", err, people)
	}
	ana, bela := people[0], people[1]
	if ana.ID != grafanatest.Ana || !ana.Me || ana.Name != "ana" || ana.Email != "ana@example.org" || ana.Zone != "Europe/Lisbon" ||
		len(ana.Contacts) != 1 || ana.Contacts[0] != (page.Contact{Kind: page.Phone, Enabled: true}) {
		t.Errorf("%+v", ana)
	}
	if bela.Me || bela.Contacts[0].Enabled {
		t.Errorf("%+v", bela)
	}
}
