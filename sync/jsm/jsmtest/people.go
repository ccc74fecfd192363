package jsmtest

import (
	"net/http"
	"slices"
	"time"
)

func jiraUser(p Person) any {
	return map[string]any{"accountId": p.ID, "displayName": p.Name, "emailAddress": p.Email, "timeZone": "Europe/Berlin", "active": true, "accountType": "atlassian"}
}

// user is somebody at Opsgenie.
func (s *Service) user(w http.ResponseWriter, r *http.Request) {
	at := slices.IndexFunc(s.people, func(p Person) bool { return p.Email == r.PathValue("user") || p.ID == r.PathValue("user") })
	if at < 0 {
		s.refuse(w, http.StatusNotFound, "User does not exist")
		return
	}
	s.thing(w, map[string]any{"id": s.people[at].ID, "username": s.people[at].Email, "fullName": s.people[at].Name, "timeZone": "Europe/Berlin"})
}

// users are people at Jira, ten where nobody says how many.
func (s *Service) users(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	found := []any{}
	for _, one := range s.people {
		if slices.Contains(query["accountId"], one.ID) && len(found) < number(query, "maxResults", 10) {
			found = append(found, jiraUser(one))
		}
	}
	answer(w, http.StatusOK, map[string]any{"values": found, "total": len(found), "isLast": true})
}

func (s *Service) contacts(w http.ResponseWriter, r *http.Request) {
	ways := []any{
		map[string]any{"id": "c1", "method": "sms", "to": "49-1700000000", "enabled": true},
		map[string]any{"id": "c2", "method": "voice", "to": "49-1700000000", "enabled": false},
		map[string]any{"id": "c3", "method": "email", "to": User, "enabled": true},
		map[string]any{"id": "c4", "method": "mobile", "to": "phone", "enabled": true},
	}
	if s.older() {
		for _, one := range ways {
			way := one.(map[string]any)
			way["status"] = map[string]any{"enabled": way["enabled"]}
			delete(way, "enabled")
		}
	}
	s.rows(w, r, ways, "offset", 0)
}

func (s *Service) listTeams(w http.ResponseWriter, _ *http.Request) {
	teams := []any{}
	for _, id := range s.teams {
		teams = append(teams, map[string]any{"teamId": id, "teamName": "Payments"})
	}
	answer(w, http.StatusOK, map[string]any{"platformTeams": teams})
}

func (s *Service) policies(w http.ResponseWriter, r *http.Request) {
	one := map[string]any{"id": Policy, "name": "Payments escalation"}
	if s.older() {
		one["ownerTeam"] = map[string]any{"id": Team, "name": "Payments"}
	}
	s.rows(w, r, []any{one}, "offset", 0)
}

// The schedules: one that is in use, and one that is switched off.
const schedule = "5c000000-0000-4000-8000-000000000001"

func (s *Service) schedules(w http.ResponseWriter, r *http.Request) {
	s.rows(w, r, []any{
		map[string]any{"id": schedule, "name": "Payments", "timezone": "Europe/Berlin", "enabled": true},
		map[string]any{"id": "5c000000-0000-4000-8000-000000000002", "name": "Long ago", "timezone": "Europe/Berlin", "enabled": false},
	}, "offset", 0)
}

// timeline has Ana and Béla take turns week by week, beginning on Mondays at
// 09:00 UTC, in the first place and, the other way round, in the second. Who
// is third, nobody says; each day of it has nobody at first.
func (s *Service) timeline(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from, err := time.Parse(time.RFC3339, query.Get("date"))
	if err != nil || query.Get("intervalUnit") != "days" || r.PathValue("id") != schedule {
		s.refuse(w, http.StatusBadRequest, "Timeline is out of bounds")
		return
	}
	to := from.AddDate(0, 0, number(query, "interval", 7))
	const week = 7 * 24 * time.Hour
	monday := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	turn := func(name string, people ...Person) any {
		periods := []any{}
		for n := int(from.Sub(monday) / week); ; n++ {
			start, end := monday.Add(time.Duration(n)*week), monday.Add(time.Duration(n+1)*week)
			if !start.Before(to) {
				break
			}
			who, kind := people[n%len(people)], "default"
			if n%8 == 0 {
				kind = "override"
			}
			periods = append(periods, s.period(latest(start, from), earliest(end, to), kind, who))
		}
		return map[string]any{"id": name, "name": name, "order": 1, "periods": periods}
	}
	nobody := map[string]any{"id": "third", "name": "Third", "order": 3, "periods": []any{
		map[string]any{"startDate": stamp(from), "endDate": stamp(to), "type": "default", s.field(): map[string]any{"type": "noone"}},
	}}
	s.thing(w, map[string]any{"startDate": stamp(from), "endDate": stamp(to), "finalTimeline": map[string]any{
		"rotations": []any{turn("Primary", Ana, Bela), turn("Secondary", Bela, Ana), nobody},
	}})
}

func (s *Service) field() string {
	if s.older() {
		return "recipient"
	}
	return "responder"
}

func (s *Service) period(start, end time.Time, kind string, who Person) any {
	responder := map[string]any{"id": who.ID, "type": "user"}
	if s.older() {
		responder["name"] = who.Email
	}
	return map[string]any{"startDate": stamp(start), "endDate": stamp(end), "type": kind, s.field(): responder}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
