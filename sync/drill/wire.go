package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The only escalation policy.
const (
	policyID   = "PPOLICY"
	policyName = "The drill's roster"
)

// priority is one of the account's own; worst first.
type priority struct{ id, name string }

var priorities = []priority{{"PPRIO01", "P1"}, {"PPRIO02", "P2"}, {"PPRIO03", "P3"}, {"PPRIO04", "P4"}, {"PPRIO05", "P5"}}

func (p priority) describe(c *call) any {
	return map[string]any{"id": p.id, "type": "priority", "summary": p.name, "name": p.name, "self": c.path("priorities", p.id), "html_url": nil}
}

// reference is how one thing of the API names another. There are no web pages
// of the drill, so html_url is always null.
func reference(c *call, kind, collection, id, summary string) map[string]any {
	return map[string]any{"id": id, "type": kind + "_reference", "summary": summary, "self": c.path(collection, id), "html_url": nil}
}

func userReference(c *call, who *Person) map[string]any {
	return reference(c, "user", "users", who.ID, who.Name)
}

func describeUser(c *call, who *Person) map[string]any {
	user := userReference(c, who)
	user["type"] = "user"
	user["name"], user["email"], user["time_zone"], user["role"] = who.Name, who.Email, who.TimeZone, who.Role
	contacts := []any{}
	for number := range who.Contacts {
		contacts = append(contacts, contactReference(c, who, number))
	}
	user["teams"], user["contact_methods"], user["notification_rules"] = []any{}, contacts, []any{}
	return user
}

func contactReference(c *call, who *Person, number int) map[string]any {
	contact, id := who.Contacts[number], fmt.Sprintf("%sC%d", who.ID, number+1)
	return map[string]any{
		"id": id, "type": contact.Kind + "_contact_method_reference", "summary": contact.Label, "self": c.path("users", who.ID, "contact_methods", id), "html_url": nil,
	}
}

func describeContact(c *call, who *Person, number int) any {
	contact := who.Contacts[number]
	shown := contactReference(c, who, number)
	shown["type"], shown["label"], shown["address"], shown["enabled"] = contact.Kind+"_contact_method", contact.Label, contact.Address, !contact.Off
	if contact.Kind == "phone" || contact.Kind == "sms" {
		shown["country_code"], shown["blacklisted"] = contact.CountryCode, false
	}
	return shown
}

func describeChange(c *call, one *incident, change Change, number int) any {
	links := []any{}
	for _, link := range change.Links {
		links = append(links, map[string]any{"href": link.URL, "text": link.Text})
	}
	reason := "related_service"
	if number == 0 {
		reason = "most_recent"
	}
	return map[string]any{
		"id": fmt.Sprintf("CHANGE%d", change.At.UnixNano()), "type": "change_event", "timestamp": stamp(change.At), "summary": change.Summary, "source": change.Source,
		"services": []any{one.serviceReference(c)}, "links": links, "custom_details": map[string]any{}, "correlation_reason": map[string]any{"reason": reason},
	}
}

// serviceID is made from the name, since nothing else is known of a service.
func (one *incident) serviceID() string {
	return "PS" + strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, one.Service))
}

func (one *incident) serviceReference(c *call) map[string]any {
	return reference(c, "service", "services", one.serviceID(), one.Service)
}

func (one *incident) summary() string {
	return fmt.Sprintf("[#%d] %s", one.number, one.Title)
}

// describe is an incident as the API shows it; what it does not have is left out.
func (s *Service) describe(c *call, one *incident) map[string]any {
	includes := c.URL.Query()["include[]"]
	people := func(section string, who *Person) map[string]any {
		if slices.Contains(includes, section) || slices.Contains(includes, "users") {
			return describeUser(c, who)
		}
		return userReference(c, who)
	}
	via := "escalation_policy"
	if one.direct {
		via = "direct_assignment"
	}
	open := 1
	if one.status == resolved {
		open = 0
	}
	assignments, acks := []any{}, []any{}
	for _, to := range one.assignees {
		assignments = append(assignments, map[string]any{"at": stamp(one.assignedAt), "assignee": people("assignees", to)})
	}
	for _, ack := range one.acks {
		acks = append(acks, map[string]any{"at": stamp(ack.at), "acknowledger": people("acknowledgers", ack.by)})
	}
	changedBy := one.serviceReference(c)
	if one.by != nil {
		changedBy = userReference(c, one.by)
	}
	shown := map[string]any{
		"id": one.id, "type": "incident", "summary": one.summary(), "self": c.path("incidents", one.id), "html_url": nil,
		"incident_number": one.number, "title": one.Title, "incident_key": one.id,
		"created_at": stamp(one.created), "updated_at": stamp(one.updated), "last_status_change_at": stamp(one.changed),
		"last_status_change_by": changedBy, "status": one.status, "urgency": one.Urgency,
		"service": one.serviceReference(c), "assignments": assignments, "assigned_via": via, "acknowledgements": acks,
		"pending_actions": one.pending(), "escalation_policy": reference(c, "escalation_policy", "escalation_policies", policyID, policyName),
		"teams": []any{}, "alert_counts": map[string]any{"all": 1, "triggered": open, "resolved": 1 - open},
		"incident_type": map[string]any{"name": "incident_default"},
	}
	if !one.ended.IsZero() {
		shown["resolved_at"] = stamp(one.ended)
	}
	if one.mergedInto != nil {
		into := one.mergedInto
		shown["resolve_reason"] = map[string]any{"type": "merge_resolve_reason", "incident": reference(c, "incident", "incidents", into.id, into.summary())}
	}
	if slices.Contains(includes, "body") {
		shown["body"] = map[string]any{"type": "incident_body", "details": one.details()}
	}
	if at := slices.IndexFunc(priorities, func(p priority) bool { return p.name == one.Priority }); at >= 0 {
		shown["priority"] = priorities[at].describe(c)
	}
	return shown
}

// pending is what the clock will do to the page next.
func (one *incident) pending() []any {
	all := []any{}
	for _, next := range []struct {
		kind string
		at   time.Time
	}{{"unacknowledge", one.unacksAt}, {"escalate", one.escalatesAt}, {"resolve", one.resolvesAt}} {
		if !next.at.IsZero() {
			all = append(all, map[string]any{"type": next.kind, "at": stamp(next.at)})
		}
	}
	return all
}

func (one *incident) details() map[string]any {
	details := map[string]any{}
	for name, value := range one.Details {
		details[name] = value
	}
	return details
}

func describeAlert(c *call, one *incident) any {
	state := "triggered"
	if one.status == resolved {
		state = "resolved"
	}
	contexts := []any{}
	for _, link := range one.Links {
		contexts = append(contexts, map[string]any{"type": "link", "href": link.URL, "text": link.Text})
	}
	return map[string]any{
		"id": "A" + one.id, "type": "alert", "summary": one.Title, "self": c.path("incidents", one.id, "alerts", "A"+one.id), "html_url": nil,
		"created_at": stamp(one.created), "status": state, "alert_key": one.id, "severity": one.Severity, "suppressed": false,
		"service": one.serviceReference(c), "incident": reference(c, "incident", "incidents", one.id, one.summary()),
		"body": map[string]any{"type": "alert_body", "contexts": contexts, "details": one.details()},
	}
}

func describeNote(c *call, written note) any {
	return map[string]any{
		"id": written.id, "user": userReference(c, written.by), "channel": map[string]any{"summary": "The drill's API"},
		"content": written.content, "created_at": stamp(written.at),
	}
}

func describeEntry(c *call, entry Entry) any {
	one := entry.incident
	agent, channel := one.serviceReference(c), "auto"
	if entry.agent != nil {
		agent, channel = userReference(c, entry.agent), "api"
	} else if entry.Kind == "escalate" || entry.Kind == "unacknowledge" {
		channel = "timeout"
	}
	shown := map[string]any{
		"id": entry.ID, "type": entry.Kind + "_log_entry", "summary": entry.Summary, "self": c.path("log_entries", entry.ID), "html_url": nil,
		"created_at": stamp(entry.At), "agent": agent, "channel": map[string]any{"type": channel},
		"service": one.serviceReference(c), "incident": reference(c, "incident", "incidents", one.id, one.summary()),
		"teams": []any{}, "contexts": []any{}, "event_details": map[string]any{},
	}
	if entry.assigned != nil {
		assignees := []any{}
		for _, to := range entry.assigned {
			assignees = append(assignees, userReference(c, to))
		}
		shown["assignees"] = assignees
	}
	if entry.note != "" {
		shown["note"] = entry.note
	}
	return shown
}

func (s *Service) describeOnCall(c *call, level int) any {
	who := userReference(c, &s.options.Roster[level-1])
	if slices.Contains(c.URL.Query()["include[]"], "users") {
		who = describeUser(c, &s.options.Roster[level-1])
	}
	shift := map[string]any{
		"escalation_policy": reference(c, "escalation_policy", "escalation_policies", policyID, policyName),
		"user":              who,
		"escalation_level":  level, "schedule": nil, "start": nil, "end": nil,
	}
	if !s.options.ShiftStarts.IsZero() {
		shift["start"] = stamp(s.options.ShiftStarts)
	}
	if !s.options.ShiftEnds.IsZero() {
		shift["end"] = stamp(s.options.ShiftEnds)
	}
	return shift
}

// stamp writes a time as the API does: UTC, in whole seconds.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }
