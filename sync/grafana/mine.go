package grafana

import (
	"slices"
	"strings"
)

// NoTeam stands among Options.Teams for the groups that belong to no team.
const NoTeam = "No team"

// claim is what is taken as mine.
type claim struct {
	everything bool
	chosen     bool // the user has chosen the teams
	teams      []string
	noTeam     bool
	unknown    []string // what was chosen and is not there
}

// claimOf works out what is mine. Where nothing can be told, everything is: a
// page that reaches nobody is worse than one too many.
func (p *Provider) claimOf(known setup, me user) claim {
	if len(p.options.Teams) == 0 {
		own := slices.DeleteFunc(slices.Clone(me.Teams), func(id string) bool { return id == "" })
		return claim{teams: own, everything: known.unsure() || len(own) == 0 && !known.onCall(me.ID, "")}
	}
	mine := claim{chosen: true}
	for _, wanted := range p.options.Teams {
		wanted = strings.TrimSpace(wanted)
		found := false
		if strings.EqualFold(wanted, NoTeam) {
			mine.noTeam, found = true, true
		}
		for id, name := range known.teams {
			if id == wanted || strings.EqualFold(name, plain(wanted, maxName)) {
				mine.teams, found = append(mine.teams, id), true
			}
		}
		if !found {
			mine.unknown = append(mine.unknown, wanted)
		}
	}
	slices.Sort(mine.teams)
	mine.teams = slices.Compact(mine.teams)
	// A team that was renamed must not silence its pages.
	mine.everything = len(mine.unknown) > 0
	return mine
}

// narrows says that the service can be asked for these teams alone.
func (c claim) narrows() bool { return c.chosen && !c.everything && !c.noTeam && len(c.teams) > 0 }

// owns says that a group is mine.
func (v *view) owns(one *group) bool {
	switch {
	case v.claim.everything, slices.Contains(v.claim.teams, one.Team), one.State == acknowledged && v.acknowledgedByMe(one):
		return true
	case v.claim.chosen:
		return v.claim.noTeam && one.Team == ""
	}
	steps := v.setup.stepsOf(one)
	if slices.ContainsFunc(steps, v.pagesMe) {
		return true
	}
	// What no team has and no chain gives to anybody we know of is everybody's.
	return one.Team == "" && (slices.ContainsFunc(steps, v.pagesUnknown) || !slices.ContainsFunc(steps, v.pagesOthers))
}

// pagesMe says that a step of an escalation chain would page me now, whenever
// the chain comes to it.
func (v *view) pagesMe(one step) bool {
	if v.me.ID == "" {
		return false
	}
	return slices.Contains(one.Persons, v.me.ID) || slices.Contains(one.InTurn, v.me.ID) ||
		one.Team != "" && slices.Contains(v.me.Teams, one.Team) ||
		one.Schedule != "" && v.setup.onCall(v.me.ID, one.Schedule)
}

// pagesUnknown says that whom a step pages cannot be told: the schedule is not
// shown to this key, or the people are known to a chat alone.
func (v *view) pagesUnknown(one step) bool {
	return one.Users != "" || one.Schedule != "" && !slices.ContainsFunc(v.setup.schedules, func(s *schedule) bool { return s.ID == one.Schedule })
}

// pagesOthers says that a step would page somebody now. A schedule can be empty.
func (v *view) pagesOthers(one step) bool {
	if one.Schedule != "" {
		return slices.ContainsFunc(v.setup.schedules, func(s *schedule) bool { return s.ID == one.Schedule && len(s.OnCall) > 0 })
	}
	return one.pagesPeople()
}

// pagesPeople says that a step calls somebody, and not only a chat or a hook.
func (s step) pagesPeople() bool {
	return len(s.Persons) > 0 || len(s.InTurn) > 0 || s.Schedule != "" || s.Team != ""
}

// handsOn says that a group goes on to another step when nobody answers. Which
// step it has reached is not told.
func (v *view) handsOn(one *group) bool {
	paging := 0
	for _, each := range v.setup.stepsOf(one) {
		if each.pagesPeople() {
			paging++
		}
	}
	return paging > 1
}

// mineInWords says what is taken as mine, and what could not be found out.
func (p *Provider) mineInWords(known setup, me user) []string {
	mine := p.claimOf(known, me)
	notes := []string{"Grafana gives alert groups to teams and not to people, so what is yours is worked out here."}
	names := known.teamNames(mine.teams)
	if mine.noTeam {
		names = append(names, "no team")
	}
	switch {
	case len(mine.unknown) > 0:
		notes = append(notes, "Grafana knows no team called “"+plain(strings.Join(mine.unknown, "”, “"), maxName)+"”, or does not show it to this key, so every alert group is taken as yours. Choose again from its teams.")
	case mine.chosen:
		notes = append(notes, "Taken as yours are the alert groups of "+sentenceList(names)+", as you chose.")
	case known.unsure():
		notes = append(notes, "Grafana has not told yet whom its routes page, so every alert group is taken as yours until it does.")
	case mine.everything:
		notes = append(notes, "It names no team of yours and does not have you on call now, so every alert group is taken as yours. Choose your teams in the account if that is too much.")
	default:
		notes = append(notes, ownInWords(names, known.scheduleNames(known.duties(me.ID))))
	}
	if mine.everything {
		return notes
	}
	notes = append(notes, "Whom somebody pages by hand is not told, so a call to another team's alert group reaches you through Grafana's own app alone.")
	if known.incomplete() {
		notes = append(notes, "Grafana does not tell this key all of its teams, schedules, routes and escalation chains, so alert groups that page you from another team may be missing. Ask an administrator for the right to read them.")
	}
	return notes
}

func ownInWords(teams, schedules []string) string {
	said := "Taken as yours are "
	if len(teams) > 0 {
		said += "the alert groups of " + sentenceList(teams) + ", "
	}
	said += "those whose escalation chain would page you now"
	if len(schedules) > 0 {
		said += " (you are on call in " + sentenceList(schedules) + ")"
	}
	return said + ", and those of no team that no chain gives to anybody."
}

// sentenceList joins names as people do: a, b and c.
func sentenceList(names []string) string {
	switch last := len(names) - 1; {
	case last < 0:
		return "nobody"
	case last == 0:
		return names[0]
	default:
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
}
