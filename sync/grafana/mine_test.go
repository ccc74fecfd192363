package grafana_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
)

// mine are the titles of the pages that are listed as mine, and of those that
// are told to be mine no more.
func (n *night) mine() (mine, left string) {
	n.t.Helper()
	for _, one := range n.open() {
		if one.Mine {
			mine += one.Title
		} else {
			left += one.Title
		}
	}
	return mine, left
}

// fireAll opens one group of every sort. The capitals are of a team, the small
// ones of none.
func (n *night) fireAll() {
	for _, g := range []grafanatest.Group{
		{Title: "A", Team: grafanatest.Databases, Route: grafanatest.ToBela},
		{Title: "B", Team: grafanatest.Networks, Route: grafanatest.ToBela},
		{Title: "C", Team: grafanatest.Networks, Route: grafanatest.ToAna},
		{Title: "d", Route: grafanatest.ToBela},
		{Title: "e", Route: grafanatest.ToChat},
		{Title: "f"},
		{Title: "g", Route: grafanatest.ToAna},
	} {
		n.service.Fire(g)
	}
}

func (n *night) notes() string {
	n.t.Helper()
	told, err := n.provider.Test(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return strings.Join(told.Notes, "\n")
}

func TestMineIsMyTeamsAndWhatPagesMeAndWhatNobodyHas(t *testing.T) {
	n := begin(t)
	n.fireAll()
	if mine, left := n.mine(); mine != "gfeCA" || left != "" {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	for _, words := range []string{"“Databases”", "“Databases primary”", "no team", "by hand"} {
		if notes := n.notes(); !strings.Contains(notes, words) {
			t.Errorf("%q does not say %s", notes, words)
		}
	}
	n.pass(24 * time.Hour) // Bela has the schedule now
	if mine, left := n.mine(); mine != "feA" || left != "gC" {
		t.Errorf("after the handover mine are %s, and left are %s", mine, left)
	}
	if mine, left := n.mine(); mine != "feA" || left != "" {
		t.Errorf("it is told again: mine are %s, and left are %s", mine, left)
	}
}

func TestWhatIAnsweredStaysMineAfterTheHandover(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{Title: "C", Team: grafanatest.Networks, Route: grafanatest.ToAna})
	if _, err := n.provider.Acknowledge(t.Context(), n.see(id)); err != nil {
		t.Fatal(err)
	}
	n.pass(24 * time.Hour)
	if mine, _ := n.mine(); mine != "C" {
		t.Error("it is not mine any more")
	}
	n.service.RunOut(id)
	if mine, left := n.mine(); mine != "" || left != "C" {
		t.Errorf("mine are %q, and left are %q", mine, left)
	}
}

func TestAStepThatPagesMyWholeTeamPagesMe(t *testing.T) {
	n := begin(t)
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		all.Routes["RTEAM"] = "FTEAM"
		all.Steps["FTEAM"] = []grafanatest.Step{{"type": "notify_team_members", "team_to_notify": grafanatest.Databases}}
	})
	n.service.Fire(grafanatest.Group{Title: "A", Team: grafanatest.Networks, Route: "RTEAM"})
	if mine, _ := n.mine(); mine != "A" {
		t.Error("it is not mine")
	}
	if pages := n.open(); pages[0].HandedOn {
		t.Error("there is nobody to hand it on to")
	}
}

func TestWhereNothingCanBeToldEverythingIsMine(t *testing.T) {
	n := begin(t)
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		(*all.Users)[0].Teams = nil
		*all.Schedules = nil
	})
	n.fireAll()
	if mine, left := n.mine(); left != "" || len(mine) != 7 {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	if notes := n.notes(); !strings.Contains(notes, "every alert group is taken as yours") {
		t.Error(notes)
	}
}

func TestTheTeamsCanBeChosen(t *testing.T) {
	n := begin(t, func(o *grafana.Options) { o.Teams = []string{"networks", grafanatest.Databases} })
	n.fireAll()
	if mine, left := n.mine(); mine != "CBA" && mine != "ACB" || left != "" {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	if n.heard("team_id="+grafanatest.Networks) != 3 || n.heard("team_id="+grafanatest.Databases) != 3 {
		t.Errorf("the service was asked %v", n.service.Heard())
	}
	if notes := n.notes(); !strings.Contains(notes, "“Databases” and “Networks”") {
		t.Error(notes)
	}
	if pause := n.provider.Capabilities().LeastPause; pause != 24*time.Second {
		t.Errorf("with six requests a list is read every %s", pause)
	}

	n.provider = n.connect(func(o *grafana.Options) { o.Teams = []string{"Networks", grafana.NoTeam} })
	if mine, left := n.mine(); mine != "gfedCB" || left != "" {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
}

func TestATeamThatIsNotThereSilencesNothing(t *testing.T) {
	n := begin(t, func(o *grafana.Options) { o.Teams = []string{"Networks", "Renamed"} })
	n.fireAll()
	if mine, left := n.mine(); left != "" || len(mine) != 7 {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	if notes := n.notes(); !strings.Contains(notes, "“Renamed”") || strings.Contains(notes, "as you chose") {
		t.Error(notes)
	}
}

func TestOneCanChooseFromTheTeams(t *testing.T) {
	told, err := begin(t).provider.Test(t.Context())
	if err != nil || strings.Join(told.Receivers, ", ") != "Databases, Networks, "+grafana.NoTeam {
		t.Errorf("%v, %q", err, told.Receivers)
	}
}

// unread answers the questions for a part of the set-up with an error.
func (n *night) unread(status int, paths ...string) {
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		for _, path := range paths {
			if strings.HasPrefix(r.URL.Path, "/api/v1/"+path+"/") {
				w.WriteHeader(status)
				return true
			}
		}
		return false
	})
}

func TestWhatAKeyMayNotSeeIsSaid(t *testing.T) {
	n := begin(t)
	n.fireAll()
	n.unread(403, "routes", "schedules")
	if mine, left := n.mine(); mine != "gfedA" || left != "" {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	if notes := n.notes(); !strings.Contains(notes, "may be missing") {
		t.Error(notes)
	}
}

func TestWhatNoTeamHasIsMineWhereItsPeopleCannotBeTold(t *testing.T) {
	n := begin(t)
	n.service.Arrange(func(all *grafanatest.Arrangement) {
		all.Routes["RHIDDEN"], all.Routes["RCHAT"], all.Routes["REMPTY"] = "FHIDDEN", "FCHATTERS", "FEMPTY"
		all.Steps["FHIDDEN"] = []grafanatest.Step{{"notify_on_call_from_schedule": "SHIDDEN"}, {"persons_to_notify": []string{grafanatest.Bela}}}
		all.Steps["FCHATTERS"] = []grafanatest.Step{{"group_to_notify": "GCHAT"}}
		all.Steps["FEMPTY"] = []grafanatest.Step{{"notify_on_call_from_schedule": "SEMPTY"}}
		*all.Schedules = append(*all.Schedules, &grafanatest.Schedule{ID: "SEMPTY", Name: "Nobody"})
	})
	for title, route := range map[string]string{"h": "RHIDDEN", "c": "RCHAT", "e": "REMPTY"} {
		n.service.Fire(grafanatest.Group{Title: title, Route: route})
		n.service.Fire(grafanatest.Group{Title: "X", Route: route, Team: grafanatest.Networks})
	}
	if mine, _ := n.mine(); len(mine) != 3 || strings.Contains(mine, "X") {
		t.Errorf("mine are %s", mine)
	}
}

func TestWhatIsNotKnownYetIsMine(t *testing.T) {
	n := begin(t)
	n.fireAll()
	n.unread(500, "routes")
	if mine, left := n.mine(); left != "" || len(mine) != 7 {
		t.Errorf("mine are %s, and left are %s", mine, left)
	}
	n.interfere(nil)
	n.pass(2 * time.Minute)
	if mine, _ := n.mine(); mine != "gfeCA" {
		t.Errorf("mine are %s", mine)
	}
	n.unread(500, "routes", "schedules", "teams", "escalation_policies")
	n.pass(20 * time.Minute)
	if mine, _ := n.mine(); mine != "gfeCA" {
		t.Errorf("what was known is forgotten: mine are %s", mine)
	}
}

func TestTheSetUpIsNotAskedForAtEveryPoll(t *testing.T) {
	n := begin(t)
	for range 10 {
		n.open()
		n.pass(20 * time.Second)
	}
	if routes, schedules, lists := n.heard("/routes/"), n.heard("/schedules/"), n.heard("/alert_groups/"); routes != 1 || schedules != 2 || lists != 30 {
		t.Errorf("%d requests for routes, %d for schedules, %d for lists", routes, schedules, lists)
	}
}
