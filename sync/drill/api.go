package drill

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// refusal is an answer that is an error, in the API's own shape.
type refusal struct {
	status, code int
	message      string
	errors       []string
}

func invalidInput(why string) *refusal {
	return &refusal{http.StatusBadRequest, 2001, "Invalid Input Provided", []string{why}}
}

func alreadyResolved() *refusal {
	return &refusal{http.StatusBadRequest, 1001, "Incident Already Resolved", []string{"Incident has already been resolved"}}
}

func notFound() *refusal { return &refusal{http.StatusNotFound, 2100, "Not Found", nil} }

// call is one request by somebody the service knows.
type call struct {
	*http.Request
	at   time.Time
	by   *Person
	base string
}

// answer is a status and a body.
type answer struct {
	status int
	body   any
}

// routes are all that the drill understands of the API.
func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	on := func(pattern string, handle func(*call) (answer, *refusal)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, handle) })
	}
	on("GET /incidents", s.listIncidents)
	on("PUT /incidents", s.updateIncidents)
	on("GET /incidents/{id}", s.getIncident)
	on("PUT /incidents/{id}", s.updateIncident)
	on("POST /incidents/{id}/snooze", s.snoozeIncident)
	on("GET /incidents/{id}/notes", s.listNotes)
	on("POST /incidents/{id}/notes", s.addNote)
	on("GET /incidents/{id}/alerts", s.listAlerts)
	on("GET /incidents/{id}/log_entries", s.listLog)
	on("GET /log_entries", s.listLog)
	on("GET /incidents/{id}/related_change_events", s.listChanges)
	on("GET /oncalls", s.listOnCalls)
	on("GET /users", s.listUsers)
	on("GET /users/me", s.getMe)
	on("GET /users/{id}/contact_methods", s.listContacts)
	on("GET /priorities", s.listPriorities)
	on("/", func(*call) (answer, *refusal) { return answer{}, notFound() })
	return mux
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Service) serve(w http.ResponseWriter, r *http.Request, handle func(*call) (answer, *refusal)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at := s.advance()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", at.Format(http.TimeFormat))
	c, refused := s.admit(w.Header(), r, at)
	if refused == nil {
		var good answer
		if good, refused = handle(c); refused == nil {
			w.WriteHeader(good.status)
			_ = json.NewEncoder(w).Encode(good.body) // a caller that has gone needs no answer
			return
		}
	}
	said := map[string]any{"code": refused.code, "message": refused.message}
	if len(refused.errors) > 0 {
		said["errors"] = refused.errors
	}
	w.WriteHeader(refused.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": said})
}

// window is how much one key has asked since it began.
type window struct {
	began time.Time
	asked int
}

// admit finds out who asks and whether they may: the key, how often it asks,
// and for changes the From header.
func (s *Service) admit(header http.Header, r *http.Request, at time.Time) (*call, *refusal) {
	key, by := s.bearer(r)
	if key == "" {
		return nil, &refusal{http.StatusUnauthorized, 2006, "Authentication failed", nil}
	}
	if refused := s.spend(header, key, at); refused != nil {
		return nil, refused
	}
	c := &call{Request: r, at: at, by: by, base: "http://" + r.Host}
	if r.Method == http.MethodGet {
		return c, nil
	}
	if key == s.options.ReadOnlyKey || by != nil && strings.HasPrefix(by.Role, "read_only_") {
		return nil, &refusal{http.StatusForbidden, 2010, "Access Denied", []string{"This key may only read"}}
	}
	address, err := mail.ParseAddress(r.Header.Get("From"))
	if err != nil {
		return nil, invalidInput("From header must be a valid email address")
	}
	known := slices.IndexFunc(s.options.Roster, func(p Person) bool { return strings.EqualFold(p.Email, address.Address) })
	if known < 0 {
		return nil, invalidInput("Requester User Not Found")
	}
	if c.by == nil {
		c.by = &s.options.Roster[known]
	}
	return c, nil
}

// bearer finds the key that a request shows, empty where it is none of ours,
// and whose it is; an account's key is nobody's.
func (s *Service) bearer(r *http.Request) (key string, by *Person) {
	shown := r.Header.Get("Authorization")
	key, isToken := strings.CutPrefix(shown, "Token token=")
	if !isToken {
		key, isToken = strings.CutPrefix(shown, "Bearer ")
	}
	if !isToken || key == "" {
		return "", nil
	}
	if key == s.options.AccountKey || key == s.options.ReadOnlyKey {
		return key, nil
	}
	place := slices.IndexFunc(s.options.Roster, func(p Person) bool { return p.Key == key })
	if place < 0 {
		return "", nil
	}
	return key, &s.options.Roster[place]
}

// spend counts a request of a key, and refuses what is too many in a minute.
func (s *Service) spend(header http.Header, key string, at time.Time) *refusal {
	spent := s.spent[key]
	if at.Sub(spent.began) >= time.Minute || at.Before(spent.began) {
		spent = window{began: at}
	}
	spent.asked++
	s.spent[key] = spent
	header.Set("ratelimit-limit", strconv.Itoa(s.options.RequestsPerMinute))
	header.Set("ratelimit-remaining", strconv.Itoa(max(0, s.options.RequestsPerMinute-spent.asked)))
	left := spent.began.Add(time.Minute).Sub(at)
	header.Set("ratelimit-reset", strconv.Itoa(int((left+time.Second-1)/time.Second)))
	if spent.asked > s.options.RequestsPerMinute {
		return &refusal{http.StatusTooManyRequests, 2020, "Rate Limit Exceeded", nil}
	}
	return nil
}

// read decodes the request's body.
func (c *call) read(into any) *refusal {
	body, err := io.ReadAll(io.LimitReader(c.Body, 1<<20))
	if err != nil || json.Unmarshal(body, into) != nil {
		return invalidInput("Body is not valid JSON")
	}
	return nil
}

// section is the piece of a list that was asked for.
type section struct{ limit, offset int }

func (c *call) section(usual int) (section, *refusal) {
	asked := section{limit: usual}
	for name, into := range map[string]*int{"limit": &asked.limit, "offset": &asked.offset} {
		text := c.URL.Query().Get(name)
		if text == "" {
			continue
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 || name == "limit" && number == 0 {
			return section{}, invalidInput(name + " is not a number that makes sense")
		}
		*into = number
	}
	asked.limit = min(asked.limit, 100)
	if asked.offset+asked.limit > 10000 {
		return section{}, invalidInput("Offset plus limit must not be greater than 10000")
	}
	return asked, nil
}

// listed is a section of a list in the API's shape.
func listed[T any](c *call, name string, all []T, asked section, describe func(T) any) answer {
	from := min(asked.offset, len(all))
	to := min(from+asked.limit, len(all))
	part := []any{}
	for _, one := range all[from:to] {
		part = append(part, describe(one))
	}
	var total any
	if c.URL.Query().Get("total") == "true" {
		total = len(all)
	}
	return answer{http.StatusOK, map[string]any{
		name: part, "limit": asked.limit, "offset": asked.offset, "more": to < len(all), "total": total,
	}}
}

// span reads since and until; without them it is everything, or what the
// endpoint takes for usual.
func (c *call) span(usual time.Duration) (since, until time.Time, refused *refusal) {
	if usual > 0 {
		since = c.at.Add(-usual)
	}
	for name, into := range map[string]*time.Time{"since": &since, "until": &until} {
		text := c.URL.Query().Get(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return since, until, &refusal{http.StatusBadRequest, 2004, "Invalid Time Range", []string{name + " is not an ISO 8601 time"}}
		}
		*into = at
	}
	if !until.IsZero() && until.Before(since) {
		return since, until, &refusal{http.StatusBadRequest, 2005, "Invalid Time Range", []string{"until is before since"}}
	}
	return since, until, nil
}

func among(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func (s *Service) listIncidents(c *call) (answer, *refusal) {
	query := c.URL.Query()
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	since, until, refused := c.span(30 * 24 * time.Hour)
	if refused != nil {
		return answer{}, refused
	}
	switch query.Get("date_range") {
	case "all":
		since, until = time.Time{}, time.Time{}
	case "":
	default:
		return answer{}, invalidInput("date_range must be all")
	}
	for _, wanted := range query["statuses[]"] {
		if !slices.Contains([]string{"triggered", "acknowledged", "resolved"}, wanted) {
			return answer{}, invalidInput("statuses[] is not a status")
		}
	}
	var found []*incident
	for _, one := range s.incidents {
		hers := len(query["user_ids[]"]) == 0 || slices.ContainsFunc(one.assignees, func(p *Person) bool { return slices.Contains(query["user_ids[]"], p.ID) })
		if hers && among(query["statuses[]"], string(one.status)) && among(query["urgencies[]"], one.Urgency) &&
			among(query["service_ids[]"], one.serviceID()) && !one.created.Before(since) && (until.IsZero() || one.created.Before(until)) {
			found = append(found, one)
		}
	}
	if refused := sortIncidents(found, query.Get("sort_by")); refused != nil {
		return answer{}, refused
	}
	return listed(c, "incidents", found, asked, func(one *incident) any { return s.describe(c, one) }), nil
}

func sortIncidents(found []*incident, by string) *refusal {
	if by == "" {
		return nil
	}
	fields := strings.Split(by, ",")
	if len(fields) > 2 {
		return invalidInput("sort_by takes at most two fields")
	}
	orders := map[string]func(a, b *incident) int{
		"incident_number": func(a, b *incident) int { return a.number - b.number },
		"created_at":      func(a, b *incident) int { return a.created.Compare(b.created) },
		"resolved_at":     func(a, b *incident) int { return a.ended.Compare(b.ended) },
		"urgency":         func(a, b *incident) int { return cmp.Compare(a.Urgency, b.Urgency) },
	}
	for _, field := range slices.Backward(fields) {
		name, direction, _ := strings.Cut(field, ":")
		order := orders[name]
		if order == nil || !slices.Contains([]string{"", "asc", "desc"}, direction) {
			return invalidInput("sort_by is not a field and a direction")
		}
		slices.SortStableFunc(found, func(a, b *incident) int {
			if direction == "desc" {
				return order(b, a)
			}
			return order(a, b)
		})
	}
	return nil
}

func (s *Service) getIncident(c *call) (answer, *refusal) {
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	return answer{http.StatusOK, map[string]any{"incident": s.describe(c, one)}}, nil
}

// update is what may be changed of a page; what is absent stays.
type update struct {
	ID              string          `json:"id"`
	Type            string          `json:"type"`
	Status          string          `json:"status"`
	Resolution      string          `json:"resolution"`
	Title           string          `json:"title"`
	Urgency         string          `json:"urgency"`
	Priority        json.RawMessage `json:"priority"`
	EscalationLevel *int            `json:"escalation_level"`
	Policy          *struct {
		ID string `json:"id"`
	} `json:"escalation_policy"`
	Assignments []struct {
		Assignee struct {
			ID string `json:"id"`
		} `json:"assignee"`
	} `json:"assignments"`
}

func (s *Service) updateIncident(c *call) (answer, *refusal) {
	var body struct {
		Incident *update `json:"incident"`
	}
	if refused := c.read(&body); refused != nil {
		return answer{}, refused
	}
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	if body.Incident == nil {
		return answer{}, invalidInput("Incident is missing")
	}
	changes, refused := s.check(one, body.Incident)
	if refused == nil {
		refused = s.apply(c, one, changes)
	}
	if refused != nil {
		return answer{}, refused
	}
	return answer{http.StatusOK, map[string]any{"incident": s.describe(c, one)}}, nil
}

// updateIncidents changes several pages or, when one of them cannot be
// changed, none.
func (s *Service) updateIncidents(c *call) (answer, *refusal) {
	var body struct {
		Incidents []update `json:"incidents"`
	}
	if refused := c.read(&body); refused != nil {
		return answer{}, refused
	}
	switch {
	case len(body.Incidents) == 0:
		return answer{}, invalidInput("Incidents are missing")
	case len(body.Incidents) > 250:
		return answer{}, &refusal{http.StatusRequestEntityTooLarge, 2001, "Request Entity Too Large", []string{"At most 250 incidents can be updated at once"}}
	}
	var found []*incident
	var changes []changes
	for i := range body.Incidents {
		one := s.find(body.Incidents[i].ID)
		if one == nil {
			return answer{}, invalidInput("Incident " + strconv.Quote(body.Incidents[i].ID) + " was not found")
		}
		checked, refused := s.check(one, &body.Incidents[i])
		if refused != nil {
			return answer{}, refused
		}
		found, changes = append(found, one), append(changes, checked)
	}
	for i, one := range found {
		if refused := s.apply(c, one, changes[i]); refused != nil {
			return answer{}, refused
		}
	}
	return listed(c, "incidents", found, section{limit: 250}, func(one *incident) any { return s.describe(c, one) }), nil
}

// changes is an update that has been looked through.
type changes struct {
	update
	priority string
	to       []*Person
}

// check refuses what cannot be done before anything is.
func (s *Service) check(one *incident, u *update) (changes, *refusal) {
	checked := changes{update: *u}
	if u.Type != "incident" && u.Type != "incident_reference" {
		return checked, invalidInput("Type must be incident or incident_reference")
	}
	if !slices.Contains([]string{"", "triggered", "acknowledged", "resolved"}, u.Status) {
		return checked, invalidInput("Status is not a status")
	}
	if !slices.Contains([]string{"", "high", "low"}, u.Urgency) {
		return checked, invalidInput("Urgency must be high or low")
	}
	if len(u.Priority) > 0 {
		var reference struct {
			ID string `json:"id"`
		}
		name := ""
		if json.Unmarshal(u.Priority, &name) != nil {
			_ = json.Unmarshal(u.Priority, &reference) // what is neither is no priority
		}
		at := slices.IndexFunc(priorities, func(p priority) bool { return p.name == name || p.id == reference.ID })
		if at < 0 {
			return checked, &refusal{http.StatusBadRequest, 1020, "Invalid Priority", []string{"There is no such priority"}}
		}
		checked.priority = priorities[at].name
	}
	for _, assignment := range u.Assignments {
		to := s.person(assignment.Assignee.ID)
		if to == nil {
			return checked, invalidInput("Assignee was not found")
		}
		checked.to = append(checked.to, to)
	}
	if u.Policy != nil && u.Policy.ID != policyID {
		return checked, invalidInput("Escalation policy was not found")
	}
	if level := u.EscalationLevel; level != nil && (*level < 1 || *level > len(s.options.Roster)) {
		return checked, &refusal{http.StatusBadRequest, 1006, "Incident Cannot Be Escalated", []string{"The escalation policy has no such level"}}
	}
	gone := one.status == resolved && u.Status == ""
	if one.status == resolved && u.Status == "resolved" ||
		gone && (len(checked.to) > 0 || u.EscalationLevel != nil || u.Policy != nil) {
		return checked, alreadyResolved()
	}
	if one.status == acknowledged && u.Status == "triggered" {
		return checked, s.reopen(time.Time{}, one, nil)
	}
	return checked, nil
}

func (s *Service) apply(c *call, one *incident, u changes) *refusal {
	if u.Title != "" {
		one.Title, one.updated = u.Title, c.at
	}
	if u.priority != "" {
		one.Priority, one.updated = u.priority, c.at
	}
	if u.Urgency != "" && u.Urgency != one.Urgency {
		one.Urgency = u.Urgency
		s.write(c.at, one, "urgency_change", c.by, "Urgency set to "+u.Urgency)
	}
	var refused *refusal
	switch u.Status {
	case "acknowledged":
		refused = s.acknowledge(c.at, one, c.by)
	case "resolved":
		refused = s.resolve(c.at, one, c.by, u.Resolution)
	case "triggered":
		refused = s.reopen(c.at, one, c.by)
	}
	switch {
	case refused != nil || one.status == resolved:
	case len(u.to) > 0:
		refused = s.assign(c.at, one, c.by, u.to)
	case u.Policy != nil:
		one.round = 0
		s.give(c.at, one, c.by, 1, "assign")
	case u.EscalationLevel != nil:
		refused = s.escalate(c.at, one, c.by, *u.EscalationLevel)
	}
	return refused
}

func (s *Service) snoozeIncident(c *call) (answer, *refusal) {
	var body struct {
		Duration int `json:"duration"`
	}
	if refused := c.read(&body); refused != nil {
		return answer{}, refused
	}
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	if body.Duration < 1 || body.Duration > 604800 {
		return answer{}, invalidInput("Duration must be between 1 and 604800")
	}
	if refused := s.snooze(c.at, one, c.by, time.Duration(body.Duration)*time.Second); refused != nil {
		return answer{}, refused
	}
	return answer{http.StatusCreated, map[string]any{"incident": s.describe(c, one)}}, nil
}

func (s *Service) listNotes(c *call) (answer, *refusal) {
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	all := []any{}
	for _, written := range one.notes {
		all = append(all, describeNote(c, written))
	}
	return answer{http.StatusOK, map[string]any{"notes": all}}, nil
}

func (s *Service) addNote(c *call) (answer, *refusal) {
	var body struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	if refused := c.read(&body); refused != nil {
		return answer{}, refused
	}
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	switch {
	case strings.TrimSpace(body.Note.Content) == "":
		return answer{}, invalidInput("Content cannot be empty")
	case len(one.notes) >= 2000:
		return answer{}, invalidInput("An incident can have at most 2000 notes")
	}
	return answer{http.StatusOK, map[string]any{"note": describeNote(c, s.annotate(c.at, one, c.by, body.Note.Content))}}, nil
}

func (s *Service) listAlerts(c *call) (answer, *refusal) {
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	return listed(c, "alerts", []*incident{one}, asked, func(one *incident) any { return describeAlert(c, one) }), nil
}

func (s *Service) listLog(c *call) (answer, *refusal) {
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	since, until, refused := c.span(0)
	if refused != nil {
		return answer{}, refused
	}
	id := c.PathValue("id")
	one := s.find(id)
	if id != "" && one == nil {
		return answer{}, notFound()
	}
	var found []Entry
	for _, entry := range slices.Backward(s.log) {
		if (id == "" || entry.incident == one) && !entry.At.Before(since) && (until.IsZero() || entry.At.Before(until)) {
			found = append(found, entry)
		}
	}
	return listed(c, "log_entries", found, asked, func(entry Entry) any { return describeEntry(c, entry) }), nil
}

func (s *Service) listOnCalls(c *call) (answer, *refusal) {
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	since, until, refused := c.span(0)
	if refused != nil {
		return answer{}, refused
	}
	if since.IsZero() {
		since = c.at
	}
	if until.IsZero() {
		until = since
	}
	if until.Sub(c.at) > 90*24*time.Hour {
		return answer{}, &refusal{http.StatusBadRequest, 2005, "Invalid Time Range", []string{"until is more than 90 days ahead"}}
	}
	query := c.URL.Query()
	starts, ends := s.options.ShiftStarts, s.options.ShiftEnds
	var levels []int
	for level, person := range s.options.Roster {
		now := (starts.IsZero() || !starts.After(until)) && (ends.IsZero() || ends.After(since))
		if now && among(query["user_ids[]"], person.ID) && among(query["escalation_policy_ids[]"], policyID) && len(query["schedule_ids[]"]) == 0 {
			levels = append(levels, level+1)
		}
	}
	return listed(c, "oncalls", levels, asked, func(level int) any { return s.describeOnCall(c, level) }), nil
}

func (s *Service) getMe(c *call) (answer, *refusal) {
	if c.by == nil {
		return answer{}, invalidInput("This key belongs to no user")
	}
	return answer{http.StatusOK, map[string]any{"user": describeUser(c, c.by)}}, nil
}

// listUsers finds people by a part of their name or e-mail address.
func (s *Service) listUsers(c *call) (answer, *refusal) {
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	wanted := strings.ToLower(c.URL.Query().Get("query"))
	var found []*Person
	for i := range s.options.Roster {
		who := &s.options.Roster[i]
		if strings.Contains(strings.ToLower(who.Name), wanted) || strings.Contains(strings.ToLower(who.Email), wanted) {
			found = append(found, who)
		}
	}
	return listed(c, "users", found, asked, func(who *Person) any { return describeUser(c, who) }), nil
}

func (s *Service) listContacts(c *call) (answer, *refusal) {
	who := s.person(c.PathValue("id"))
	if who == nil {
		return answer{}, notFound()
	}
	all := []any{}
	for i := range who.Contacts {
		all = append(all, describeContact(c, who, i))
	}
	return answer{http.StatusOK, map[string]any{"contact_methods": all}}, nil
}

// listChanges tells what was changed on the page's service, newest first.
func (s *Service) listChanges(c *call) (answer, *refusal) {
	one := s.find(c.PathValue("id"))
	if one == nil {
		return answer{}, notFound()
	}
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	var found []Change
	for _, change := range s.changes {
		if change.Service == one.Service && !change.At.After(c.at) {
			found = append(found, change)
		}
	}
	slices.SortStableFunc(found, func(a, b Change) int { return b.At.Compare(a.At) })
	told := []any{}
	for i, change := range found[:min(asked.limit, len(found))] {
		told = append(told, describeChange(c, one, change, i))
	}
	return answer{http.StatusOK, map[string]any{"change_events": told, "limit": nil, "offset": nil, "total": nil}}, nil
}

func (s *Service) listPriorities(c *call) (answer, *refusal) {
	asked, refused := c.section(25)
	if refused != nil {
		return answer{}, refused
	}
	return listed(c, "priorities", priorities, asked, func(p priority) any { return p.describe(c) }), nil
}

// path makes the address under which the service would tell of a thing.
func (c *call) path(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return fmt.Sprintf("%s/%s", c.base, strings.Join(parts, "/"))
}
