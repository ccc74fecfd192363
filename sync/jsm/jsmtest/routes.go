package jsmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"nightstand/sync/jsm"
	"nightstand/sync/provider"
)

func (s *Service) older() bool { return s.options.Dialect == jsm.Opsgenie }

// routes are the paths of the dialect.
func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	root := "/jsm/ops/api/" + Cloud + "/v1"
	if s.older() {
		root = "/v2"
		mux.HandleFunc("GET /v2/users/{user}", s.user)
		mux.HandleFunc("GET /v2/users/{user}/contacts", s.contacts)
		mux.HandleFunc("GET /v2/escalations", s.policies)
	} else {
		jira := "/ex/jira/" + Cloud + "/rest/api/3"
		mux.HandleFunc("GET "+jira+"/myself", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, jiraUser(Ana)) })
		mux.HandleFunc("GET "+jira+"/user/bulk", s.users)
		mux.HandleFunc("GET "+root+"/users/contacts", s.contacts)
		mux.HandleFunc("GET "+root+"/teams", s.listTeams)
		mux.HandleFunc("GET "+root+"/teams/{team}/escalations", s.policies)
	}
	mux.HandleFunc("GET "+root+"/alerts", s.list)
	mux.HandleFunc("GET "+root+"/alerts/{id}", s.with(s.show))
	mux.HandleFunc("GET "+root+"/alerts/{id}/{what}", s.with(s.entries))
	mux.HandleFunc("GET "+root+"/alerts/requests/{request}", s.request)
	mux.HandleFunc("POST "+root+"/alerts/{id}/{deed}", s.with(s.change))
	mux.HandleFunc("GET "+root+"/schedules", s.schedules)
	mux.HandleFunc("GET "+root+"/schedules/{id}/timeline", s.timeline)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.refuse(w, http.StatusNotFound, "No such resource") })
	return mux
}

func (s *Service) accepted(r *http.Request) bool {
	if s.older() {
		return r.Header.Get("Authorization") == "GenieKey "+Secret
	}
	user, token, given := r.BasicAuth()
	return given && user == User && token == Secret
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a caller that has gone needs no answer
}

// refuse says no in the shape of the dialect.
func (s *Service) refuse(w http.ResponseWriter, status int, why string) {
	if s.older() {
		answer(w, status, map[string]any{"message": why, "took": 0.001, "requestId": "r0"})
		return
	}
	answer(w, status, map[string]any{"errors": []any{map[string]any{"title": http.StatusText(status), "code": strconv.Itoa(status), "detail": why}}})
}

// thing and rows put an answer into the dialect's frame.
func (s *Service) thing(w http.ResponseWriter, value any) {
	if s.older() {
		value = map[string]any{"data": value, "took": 0.01, "requestId": "r1"}
	}
	answer(w, http.StatusOK, value)
}

func (s *Service) rows(w http.ResponseWriter, r *http.Request, rows []any, cursor string, next int) {
	links := map[string]any{}
	if next > 0 {
		query := r.URL.Query()
		query.Set(cursor, strconv.Itoa(next))
		links["next"] = "https://" + r.Host + r.URL.Path + "?" + query.Encode()
	}
	if rows == nil {
		rows = []any{}
	}
	if s.older() {
		answer(w, http.StatusOK, map[string]any{"data": rows, "paging": links, "took": 0.01, "requestId": "r1"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"values": rows, "count": len(rows), "links": links})
}

// with finds the alert that a path is about.
func (s *Service) with(then func(http.ResponseWriter, *http.Request, *Alert)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		one := s.alert(r.PathValue("id"))
		if one == nil {
			s.refuse(w, http.StatusNotFound, "Alert does not exist")
			return
		}
		then(w, r, one)
	}
}

func number(query url.Values, name string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(name)); err == nil {
		return n
	}
	return otherwise
}

func (s *Service) sizeName() string {
	if s.older() {
		return "limit"
	}
	return "size"
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size, offset := number(query, s.sizeName(), 20), number(query, "offset", 0)
	if size < 1 || size > 100 || offset+size >= 20_000 {
		s.refuse(w, http.StatusBadRequest, "Size or offset is out of bounds")
		return
	}
	var found []*Alert
	clauses := clause.FindAllStringSubmatch(query.Get("query"), -1)
	for _, one := range s.alerts {
		if s.matches(one, clauses) {
			found = append(found, one)
		}
	}
	if query.Get("order") != "asc" {
		slices.Reverse(found)
	}
	from, to := min(offset, len(found)), min(offset+size, len(found))
	next := to
	if to == len(found) {
		next = 0
	}
	var shown []any
	for _, one := range found[from:to] {
		shown = append(shown, s.view(one))
	}
	s.rows(w, r, shown, "offset", next)
}

var clause = regexp.MustCompile(`(\w+):(?:"([^"]*)"|(\S+?))(?:[\s)]|$)`)

// matches understands as much of the search syntax as is used here: a status,
// and people of whom one has to be named.
func (s *Service) matches(a *Alert, clauses [][]string) bool {
	named, wanted := false, false
	for _, found := range clauses {
		value := found[2] + found[3]
		switch found[1] {
		case "status":
			if value == "open" && a.Closed {
				return false
			}
		case "owner":
			wanted = true
			named = named || a.Owner != "" && s.called(a.Owner, value)
		case "responders":
			wanted = true
			named = named || slices.ContainsFunc(a.Responders, func(r Responder) bool { return s.called(r.ID, value) })
		}
	}
	return named || !wanted
}

// called says whether this is what the dialect's search calls somebody.
func (s *Service) called(id, value string) bool {
	if s.older() {
		return s.person(id).Email == value
	}
	return id == value
}

func (s *Service) written(id string) string {
	if s.older() && id != "" {
		return s.person(id).Email
	}
	return id
}

func (s *Service) view(a *Alert) map[string]any {
	status := "open"
	if a.Closed {
		status = "closed"
	}
	took := 0
	if !a.AckedAt.IsZero() {
		took = int(a.AckedAt.Sub(a.Created).Milliseconds())
	}
	responders := []any{}
	for _, one := range a.Responders {
		responders = append(responders, map[string]any{"id": one.ID, "type": one.Type})
	}
	properties := a.Properties
	if properties == nil {
		properties = map[string]any{}
	}
	shown := map[string]any{
		"id": a.ID, "tinyId": a.Tiny, "message": a.Message, "description": a.Description, "status": status,
		"acknowledged": a.Acknowledged, "owner": s.written(a.Owner), "responders": responders, "count": 1,
		"tags": []any{"night"}, "source": "monitoring", "alias": "alias-" + a.Tiny,
		"createdAt": stamp(a.Created), "updatedAt": stamp(a.Created), "snoozed": a.SnoozedUntil.After(s.now()),
	}
	if a.Priority != "" {
		shown["priority"] = a.Priority
	}
	if !a.SnoozedUntil.IsZero() {
		shown["snoozedUntil"] = stamp(a.SnoozedUntil)
	}
	if s.older() {
		shown["details"], shown["lastOccurredAt"] = properties, stamp(a.Created)
		report := map[string]any{"ackTime": took}
		if a.Acknowledged {
			report["acknowledgedBy"] = s.written(a.AcknowledgedBy)
		}
		shown["report"], shown["integration"] = report, map[string]any{"id": "i1", "name": "API", "type": "API"}
		return shown
	}
	shown["extraProperties"], shown["lastOccuredAt"], shown["ackTime"], shown["integrationName"] = properties, stamp(a.Created), took, "API"
	return shown
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Service) show(w http.ResponseWriter, _ *http.Request, a *Alert) { s.thing(w, s.view(a)) }

func (s *Service) note(number int, one entry) any {
	return map[string]any{"id": fmt.Sprint(number), "offset": fmt.Sprint(number), "note": one.text, "owner": s.written(one.user),
		"createdAt": stamp(one.at), "updatedAt": stamp(one.at)}
}

func (s *Service) line(_ int, one entry) any {
	if s.older() {
		return map[string]any{"log": one.text, "type": "system", "owner": s.written(one.user), "createdAt": stamp(one.at)}
	}
	return map[string]any{"log": one.text, "logType": "system", "owner": s.written(one.user), "logTime": stamp(one.at)}
}

// entries lists the notes or the log of an alert, the newest first.
func (s *Service) entries(w http.ResponseWriter, r *http.Request, a *Alert) {
	all, view := a.notes, s.note
	switch r.PathValue("what") {
	case "notes":
	case "logs":
		all, view = a.log, s.line
	default:
		s.refuse(w, http.StatusNotFound, "No such resource")
		return
	}
	cursor := "after"
	if s.older() {
		cursor = "offset"
	}
	from := min(number(r.URL.Query(), cursor, 0), len(all))
	to := min(from+min(number(r.URL.Query(), s.sizeName(), 20), 100), len(all))
	var rows []any
	for i := from; i < to; i++ {
		at := len(all) - 1 - i
		rows = append(rows, view(at, all[at]))
	}
	next := to
	if to == len(all) {
		next = 0
	}
	s.rows(w, r, rows, cursor, next)
}

// order is the body of any change in either dialect.
type order struct {
	User, Note, EndTime, EscalationID, AccountID string
	ID, Type                                     string
	Owner, Responder                             struct{ ID, Username string }
	Escalation                                   struct{ ID string }
}

func (s *Service) change(w http.ResponseWriter, r *http.Request, a *Alert) {
	var told order
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil && r.ContentLength > 0 {
		s.refuse(w, http.StatusUnprocessableEntity, "Request body is not processable")
		return
	}
	by := Ana
	if s.older() {
		by = s.person(told.User)
	}
	open := func() bool { return !a.Closed }
	request := ""
	switch r.PathValue("deed") {
	case "acknowledge":
		request = s.take(a, by, "acknowledge", "Acknowledged alert", func() bool { return !a.Acknowledged }, func() { s.acknowledge(a, by) })
	case "unacknowledge":
		request = s.take(a, by, "unacknowledge", "Unacknowledged alert", func() bool { return a.Acknowledged }, func() { a.Acknowledged = false })
	case "close":
		request = s.take(a, by, string(provider.Resolve), "Closed alert", open, func() {
			a.Closed = true
			if told.Note != "" {
				a.notes = append(a.notes, entry{s.now(), told.Note, by.ID})
			}
		})
	case "snooze":
		until, err := time.Parse(time.RFC3339, told.EndTime)
		if err != nil || !until.After(s.now()) {
			s.refuse(w, http.StatusUnprocessableEntity, "End time is not in the future")
			return
		}
		request = s.take(a, by, string(provider.Snooze), "Snoozed alert", func() bool { return !a.SnoozedUntil.Equal(until) }, func() { a.SnoozedUntil = until })
	case "escalate":
		if told.EscalationID+told.Escalation.ID != Policy {
			s.refuse(w, http.StatusUnprocessableEntity, "Escalation does not exist")
			return
		}
		request = s.take(a, by, string(provider.Escalate), "Escalated alert to next", open, func() {})
	case "responders":
		who := s.person(told.ID + told.Responder.ID + told.Responder.Username)
		request = s.take(a, by, string(provider.Escalate), "Added responder", open, func() { a.Responders = append(a.Responders, Responder{who.ID, "user"}) })
	case "assign":
		to := s.person(told.AccountID + told.Owner.ID + told.Owner.Username)
		request = s.take(a, by, string(provider.Reassign), "Assigned alert", func() bool { return a.Owner != to.ID }, func() { a.Owner = to.ID })
	case "notes":
		written := func() { a.notes = append(a.notes, entry{s.now(), told.Note, by.ID}) }
		if !s.older() { // at once
			a.applied = append(a.applied, string(provider.Note))
			written()
			s.thing(w, s.note(len(a.notes)-1, a.notes[len(a.notes)-1]))
			return
		}
		request = s.take(a, by, string(provider.Note), "Added note", func() bool { return true }, written)
	default:
		s.refuse(w, http.StatusNotFound, "No such resource")
		return
	}
	answer(w, http.StatusAccepted, map[string]any{"result": "Request will be processed", "requestId": request, "took": 0.1})
}

func (s *Service) request(w http.ResponseWriter, r *http.Request) {
	told, done := s.outcomes[r.PathValue("request")]
	if !done {
		s.refuse(w, http.StatusNotFound, "Request not found. It might not be processed, yet.")
		return
	}
	s.thing(w, map[string]any{"isSuccess": told.success, "status": told.status, "alertId": told.alert, "processedAt": stamp(s.now()), "action": "", "alias": ""})
}
