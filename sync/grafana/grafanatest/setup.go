package grafanatest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

func (s *Service) user(id string) *User {
	for _, one := range s.users {
		if one.ID == id {
			return one
		}
	}
	return nil
}

func (u *User) show() map[string]any {
	return map[string]any{
		"id": u.ID, "username": u.Name, "email": u.Email, "role": u.Role, "timezone": orNull(u.Zone),
		"teams": append([]string{}, u.Teams...), "slack": nil, "is_phone_number_verified": u.PhoneVerified,
	}
}

func (s *Service) current(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != Key {
		complain(w, http.StatusNotFound, "Not found.")
		return
	}
	respond(w, http.StatusOK, s.user(Ana).show())
}

func (s *Service) oneUser(w http.ResponseWriter, r *http.Request) {
	if found := s.user(r.PathValue("id")); found != nil {
		respond(w, http.StatusOK, found.show())
		return
	}
	complain(w, http.StatusNotFound, "Not found.")
}

func (s *Service) listUsers(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, one := range s.users {
		all = append(all, one.show())
	}
	s.piece(w, r, all)
}

func (s *Service) listTeams(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, id := range slices.Sorted(maps.Keys(s.teams)) {
		all = append(all, map[string]any{"id": id, "grafana_id": len(all) + 1, "name": s.teams[id], "email": ""})
	}
	s.piece(w, r, all)
}

func (s *Service) listIntegrations(w http.ResponseWriter, r *http.Request) {
	s.piece(w, r, []any{map[string]any{"id": Orders, "name": "Orders", "type": "alertmanager", "team_id": Databases}})
}

func (s *Service) listRoutes(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, id := range slices.Sorted(maps.Keys(s.routes)) {
		all = append(all, map[string]any{"id": id, "integration_id": Orders, "escalation_chain_id": orNull(s.routes[id]), "position": len(all)})
	}
	s.piece(w, r, all)
}

func (s *Service) listSteps(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, chain := range slices.Sorted(maps.Keys(s.steps)) {
		for position, one := range s.steps[chain] {
			shown := maps.Clone(one)
			shown["id"], shown["escalation_chain_id"], shown["position"] = fmt.Sprintf("E%s%d", chain, position), chain, position
			all = append(all, shown)
		}
	}
	s.piece(w, r, all)
}

func (s *Service) listSchedules(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, one := range s.schedules {
		onCall := []string{}
		for _, shift := range one.Shifts {
			if !s.now().Before(shift.Start) && s.now().Before(shift.End) {
				onCall = append(onCall, shift.User)
			}
		}
		all = append(all, map[string]any{"id": one.ID, "name": one.Name, "type": "web", "team_id": orNull(one.Team), "on_call_now": onCall})
	}
	s.piece(w, r, all)
}

// finalShifts cuts the shifts at the bounds, the last second of the day before
// end_date included.
func (s *Service) finalShifts(w http.ResponseWriter, r *http.Request) {
	place := slices.IndexFunc(s.schedules, func(one *Schedule) bool { return one.ID == r.PathValue("id") })
	if place < 0 {
		complain(w, http.StatusNotFound, "Not found.")
		return
	}
	from, err := time.Parse("2006-01-02", r.URL.Query().Get("start_date"))
	if err != nil {
		complainOf(w, "start_date", "a date is wanted")
		return
	}
	to, err := time.Parse("2006-01-02", r.URL.Query().Get("end_date"))
	if err != nil || to.Before(from) || to.Sub(from) > 365*24*time.Hour {
		complainOf(w, "end_date", "a date is wanted, within a year")
		return
	}
	to = to.Add(-time.Second)
	var all []any
	for _, one := range s.schedules[place].Shifts {
		start, end := one.Start, one.End
		if !start.Before(to) || !end.After(from) {
			continue
		}
		if start.Before(from) {
			start = from
		}
		if end.After(to) {
			end = to
		}
		who := s.user(one.User)
		all = append(all, map[string]any{
			"user_pk": who.ID, "user_email": who.Email, "user_username": who.Name,
			"shift_start": start.Format(time.RFC3339), "shift_end": end.Format(time.RFC3339),
		})
	}
	respond(w, http.StatusOK, map[string]any{
		"count": len(all), "next": nil, "previous": nil, "results": append([]any{}, all...), "page_size": 50, "current_page_number": 1, "total_pages": 1,
	})
}
