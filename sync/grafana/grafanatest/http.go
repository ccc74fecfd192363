package grafanatest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// elsewhere is the host in the addresses of next pieces: the service writes its
// own name there, which need not be the one it was asked under.
const elsewhere = "https://engine.example.net/oncall"

const window = 5 * time.Minute

// ServeHTTP answers one request, after the credential and the allowance were
// looked at.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.heard = append(s.heard, r.Method+" "+r.URL.RequestURI())
	s.awake()
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	shown := r.Header.Get("Authorization")
	switch {
	case shown == "":
		complain(w, http.StatusForbidden, "No credentials were given.")
		return
	case shown != Key && (shown != Token || r.Header.Get("X-Grafana-URL") == ""):
		complain(w, http.StatusForbidden, "Invalid token.")
		return
	}
	if wait := s.tooOften(); wait > 0 {
		w.Header().Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		complain(w, http.StatusTooManyRequests, "Too many requests.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// tooOften counts a request, and says how long the key has to wait.
func (s *Service) tooOften() time.Duration {
	if now := s.now(); s.window.IsZero() || !now.Before(s.window.Add(window)) {
		s.window, s.asked = now, 0
	}
	s.asked++
	if s.options.Allowance == 0 || s.asked <= s.options.Allowance {
		return 0
	}
	return s.window.Add(window).Sub(s.now())
}

func (s *Service) paths() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]http.HandlerFunc{
		"GET /api/v1/users/current/{$}":               s.current,
		"GET /api/v1/users/{id}/{$}":                  s.oneUser,
		"GET /api/v1/users/{$}":                       s.listUsers,
		"GET /api/v1/teams/{$}":                       s.listTeams,
		"GET /api/v1/integrations/{$}":                s.listIntegrations,
		"GET /api/v1/routes/{$}":                      s.listRoutes,
		"GET /api/v1/escalation_policies/{$}":         s.listSteps,
		"GET /api/v1/schedules/{$}":                   s.listSchedules,
		"GET /api/v1/schedules/{id}/final_shifts/{$}": s.finalShifts,
		"GET /api/v1/alert_groups/{$}":                s.listGroups,
		"GET /api/v1/alert_groups/{id}/{$}":           s.oneGroup,
		"POST /api/v1/alert_groups/{id}/{action}/{$}": s.act,
		"GET /api/v1/alerts/{$}":                      s.listAlerts,
		"GET /api/v1/resolution_notes/{$}":            s.listNotes,
		"POST /api/v1/resolution_notes/{$}":           s.addNote,
		"POST /api/v1/escalation/{$}":                 s.escalate,
	} {
		mux.HandleFunc(pattern, answer)
	}
	return mux
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller that has gone needs no answer
}

func complain(w http.ResponseWriter, status int, why string) {
	respond(w, status, map[string]string{"detail": why})
}

func complainOf(w http.ResponseWriter, field, why string) {
	respond(w, http.StatusBadRequest, map[string][]string{field: {why}})
}

// piece sends one piece of a list. A number beyond the end is answered with the
// last piece once more.
func (s *Service) piece(w http.ResponseWriter, r *http.Request, all []any) {
	query := r.URL.Query()
	size := s.options.AtOnce
	if wanted, err := strconv.Atoi(query.Get("perpage")); err == nil && wanted > 0 {
		size = min(size, wanted)
	}
	total := max(1, (len(all)+size-1)/size)
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	number = min(number, total)
	link := func(to int) any {
		if to < 1 || to > total {
			return nil
		}
		there := url.Values{}
		for name, values := range query {
			there[name] = values
		}
		there.Set("page", strconv.Itoa(to))
		return elsewhere + r.URL.Path + "?" + there.Encode()
	}
	entries := all[(number-1)*size : min(number*size, len(all))]
	respond(w, http.StatusOK, map[string]any{
		"count": len(all), "next": link(number + 1), "previous": link(number - 1), "results": append([]any{}, entries...),
		"page_size": size, "current_page_number": number, "total_pages": total,
	})
}

// stamp is a time as the service writes it, with microseconds.
func stamp(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (s *Service) listGroups(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	state := query.Get("state")
	if state != "" && !slices.Contains([]string{"new", "acknowledged", "resolved", "silenced"}, state) {
		respond(w, http.StatusBadRequest, map[string]any{"detail": map[string]string{"state": "no such state"}})
		return
	}
	if state == "new" {
		state = "firing"
	}
	team := query.Get("team_id")
	if _, known := s.teams[team]; team != "" && !known {
		complainOf(w, "team_id", "no such team")
		return
	}
	var all []any
	for _, g := range slices.Backward(s.groups) { // the youngest first
		if (state == "" || g.State == state) && (team == "" || g.Team == team) {
			all = append(all, s.show(g))
		}
	}
	s.piece(w, r, all)
}

func (s *Service) oneGroup(w http.ResponseWriter, r *http.Request) {
	if g := s.group(r.PathValue("id")); g != nil {
		respond(w, http.StatusOK, s.show(g))
		return
	}
	complain(w, http.StatusNotFound, "Not found.")
}

func (s *Service) show(g *Group) map[string]any {
	labels := []any{}
	for name, value := range g.Labels {
		labels = append(labels, map[string]any{"key": map[string]string{"id": name, "name": name}, "value": map[string]string{"id": value, "name": value}})
	}
	var last any
	if count := len(g.Payloads); count > 0 {
		last = s.showAlert(g, count-1)
	}
	return map[string]any{
		"id": g.ID, "alert_group_number": g.Number, "title": orNull(g.Title), "state": g.State,
		"integration_id": g.Integration, "route_id": orNull(g.Route), "team_id": orNull(g.Team), "root_alert_group_id": orNull(g.AttachedTo),
		"created_at": stamp(g.CreatedAt), "acknowledged_at": stamp(g.AcknowledgedAt), "acknowledged_by": orNull(g.AcknowledgedBy),
		"resolved_at": stamp(g.ResolvedAt), "resolved_by": orNull(g.ResolvedBy), "silenced_at": stamp(g.SilencedAt),
		"alerts_count": len(g.Payloads), "labels": labels, "last_alert": last,
		"permalinks": map[string]any{"web": "https://example.grafana.net/a/grafana-irm-app/alert-groups/" + g.ID, "slack": nil, "telegram": nil},
	}
}

func (s *Service) showAlert(g *Group, number int) map[string]any {
	return map[string]any{"id": fmt.Sprintf("A%s%d", g.ID, number), "alert_group_id": g.ID, "created_at": stamp(g.CreatedAt.Add(time.Duration(number) * time.Second)), "payload": g.Payloads[number]}
}

func (s *Service) listAlerts(w http.ResponseWriter, r *http.Request) {
	var all []any
	if g := s.group(r.URL.Query().Get("alert_group_id")); g != nil {
		for number := range slices.Backward(g.Payloads) {
			all = append(all, s.showAlert(g, number))
		}
	}
	s.piece(w, r, all)
}

// act does what people do with the buttons of an alert group.
func (s *Service) act(w http.ResponseWriter, r *http.Request) {
	g, action := s.group(r.PathValue("id")), r.PathValue("action")
	needs, known := map[string]string{
		"acknowledge": "firing silenced", "unacknowledge": "acknowledged", "resolve": "firing silenced acknowledged",
		"unresolve": "resolved", "silence": "firing silenced", "unsilence": "silenced",
	}[action]
	switch {
	case !known || g == nil:
		complain(w, http.StatusNotFound, "Not found.")
		return
	case r.Header.Get("Authorization") == Token:
		complain(w, http.StatusForbidden, "Service accounts may not "+action+".")
		return
	case !slices.Contains(strings.Fields(needs), g.State):
		complain(w, http.StatusBadRequest, fmt.Sprintf("Can't %s %s alert group", action, article(g.State)))
		return
	case g.AttachedTo != "":
		complain(w, http.StatusBadRequest, fmt.Sprintf("Can't %s an attached alert group", action))
		return
	}
	now := s.now()
	switch action {
	case "acknowledge":
		g.acknowledge(Ana, now)
	case "resolve":
		g.State, g.ResolvedAt, g.ResolvedBy, g.SilencedAt = "resolved", now, Ana, time.Time{}
	case "silence":
		var wanted struct {
			Delay *int `json:"delay"`
		}
		if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || wanted.Delay == nil || *wanted.Delay < -1 {
			complain(w, http.StatusBadRequest, "the delay is missing or makes no sense")
			return
		}
		until := time.Time{}
		if *wanted.Delay > 0 {
			until = now.Add(time.Duration(*wanted.Delay) * time.Second)
		}
		g.silence(now, until)
		action = "snooze"
	default: // unacknowledge, unresolve, unsilence
		g.unacknowledge()
		g.SilencedAt, g.ResolvedAt, g.ResolvedBy = time.Time{}, time.Time{}, ""
	}
	s.applied[g.ID] = append(s.applied[g.ID], action)
	w.WriteHeader(http.StatusOK)
}

func article(state string) string {
	if state == "acknowledged" {
		return "an acknowledged"
	}
	return "a " + state
}

func (s *Service) listNotes(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, one := range s.notes {
		if one.group == r.URL.Query().Get("alert_group_id") {
			all = append(all, one.show())
		}
	}
	s.piece(w, r, all)
}

func (n note) show() map[string]any {
	return map[string]any{"id": n.id, "alert_group_id": n.group, "author": orNull(n.author), "source": "web", "created_at": stamp(n.at), "text": n.text}
}

func (s *Service) addNote(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Group string `json:"alert_group_id"`
		Text  string `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || wanted.Text == "" {
		complainOf(w, "text", "a text is wanted")
		return
	}
	if s.group(wanted.Group) == nil {
		complainOf(w, "alert_group_id", "there is no such object")
		return
	}
	added := note{id: fmt.Sprintf("M%012d", len(s.notes)+1), group: wanted.Group, text: wanted.Text, at: s.now()}
	if r.Header.Get("Authorization") == Key {
		added.author = Ana
	}
	s.notes = append(s.notes, added)
	s.applied[wanted.Group] = append(s.applied[wanted.Group], "note")
	respond(w, http.StatusCreated, added.show())
}

func (s *Service) escalate(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Group string `json:"alert_group_id"`
		Users []struct {
			ID        string `json:"id"`
			Important *bool  `json:"important"`
		} `json:"users"`
	}
	if r.Header.Get("Authorization") != Key {
		complain(w, http.StatusForbidden, "Only people may page people.")
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || len(wanted.Users) == 0 {
		complain(w, http.StatusBadRequest, "nobody to page")
		return
	}
	g := s.group(wanted.Group)
	switch {
	case g == nil:
		complainOf(w, "alert_group_id", "there is no such alert group")
		return
	case g.State == "resolved":
		complain(w, http.StatusBadRequest, "nobody can be added to a resolved alert group")
		return
	}
	for _, one := range wanted.Users {
		if s.user(one.ID) == nil || one.Important == nil {
			complainOf(w, "users", "there is no user "+one.ID)
			return
		}
	}
	for _, one := range wanted.Users {
		if !g.paged[one.ID] {
			g.paged[one.ID] = true
			s.applied[g.ID] = append(s.applied[g.ID], "escalate")
		}
	}
	respond(w, http.StatusOK, s.show(g))
}
