package jsm

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
)

// The longest name, and the most labels and links, that a page keeps.
const (
	maxName   = 120
	maxLabels = 40
	maxLinks  = 20
)

// mine says whether an alert is this user's, where the list said so or not. An
// owner comes before all responders: whoever took it or was given it has it.
// It stays in sight when somebody else has acknowledged it.
func (a *alert) mine(me user, listed bool) bool {
	switch {
	case me.is(a.Owner):
		return true
	case a.Owner != "" && !a.answered():
		return false
	}
	return listed || a.names(me)
}

// names says that the alert names this user.
func (a *alert) names(me user) bool {
	return me.is(a.Owner) || slices.ContainsFunc(a.Responders, func(r *responder) bool {
		return r != nil && r.isUser() && (me.is(r.ID) || me.is(r.Username))
	})
}

// people are all whom an alert names, as the service writes them.
func (a *alert) people() []string {
	people := []string{a.Owner, a.Report.AcknowledgedBy}
	for _, one := range a.Responders {
		if one != nil && one.isUser() {
			people = append(people, one.ID)
		}
	}
	return people
}

// describe makes a page of an alert.
func (p *Provider) describe(one *alert, me user, listed bool) page.Page {
	got := page.Page{
		ID: page.NewID(p.options.Account, one.ID), Account: p.options.Account, UpstreamID: one.ID, SourceKey: one.Alias,
		Title: page.Plain(one.Message, page.MaxTitle), Details: page.PlainLines(one.Description, page.MaxDetails),
		Service: page.Plain(cmp.Or(one.Entity, one.IntegrationName, one.Integration.Name, one.Source), maxName),
		Status:  page.Triggered, Severity: p.severity(one.Priority),
		TriggeredAt: readTime(one.CreatedAt), SnoozedUntil: one.sleepsUntil(),
		Mine: one.mine(me, listed), Assigned: one.names(me), AssignedTo: p.holders(one),
		Links: one.links(), Labels: p.labels(one),
	}
	if tiny := page.Plain(one.TinyID, maxName); tiny != "" {
		got.Number = "#" + tiny
	}
	if got.Title == "" {
		got.Title = strings.TrimSpace("An alert without a title " + got.Number)
	}
	switch {
	case one.closed():
		got.Status = page.Resolved
	case one.answered():
		got.Status = page.Acknowledged
		got.AcknowledgedBy, got.AcknowledgedByMe = p.somebody(one.answeredBy()), me.is(one.answeredBy())
		got.AcknowledgedAt = one.answeredAt()
	default:
		// What a team's own policy does is not told with the alert; a policy
		// that is a responder itself will certainly go on to somebody.
		got.HandedOn = slices.ContainsFunc(one.Responders, func(r *responder) bool { return r != nil && strings.EqualFold(r.Type, "escalation") })
	}
	return got
}

// answeredAt reads how long the answer took, in milliseconds since the alert
// began.
func (a *alert) answeredAt() time.Time {
	took := cmp.Or(a.Report.AckTime, a.AckTime)
	began := readTime(a.CreatedAt)
	if took <= 0 || took > 1e11 || began.IsZero() {
		return time.Time{}
	}
	return began.Add(time.Duration(took) * time.Millisecond)
}

// holders names the owner or, where there is none, those users who were paged.
func (p *Provider) holders(one *alert) string {
	if one.Owner != "" {
		return p.name(one.Owner)
	}
	var names []string
	for _, r := range one.Responders {
		if r == nil || !r.isUser() {
			continue
		}
		name := cmp.Or(p.known(r.ID).called(), page.Plain(cmp.Or(r.Name, r.Username), maxName))
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// byPriority are the severities of the five priorities. P3 is also what an
// alert gets to which nobody gave any.
var byPriority = map[string]page.Severity{
	"p1": page.Critical, "p2": page.Degraded, "p3": page.Minor, "p4": page.Hidden, "p5": page.Other,
}

// severity looks into the user's own table first. A priority that is missing
// or has no rule is never quiet.
func (p *Provider) severity(priority string) page.Severity {
	name := strings.ToLower(strings.TrimSpace(priority))
	if own, found := p.options.Severities[name]; found {
		return own
	}
	if severity, found := byPriority[name]; found {
		return severity
	}
	return page.Degraded
}

func (p *Provider) labels(one *alert) []page.Label {
	var labels []page.Label
	label := func(name, value string) {
		name, value = page.Plain(name, maxName), page.Plain(value, page.MaxTitle)
		if name != "" && value != "" && len(labels) < maxLabels {
			labels = append(labels, page.Label{Name: name, Value: value})
		}
	}
	label("priority", one.Priority)
	if one.Count > 1 {
		label("occurrences", fmt.Sprintf("%.0f", one.Count))
		if last := readTime(cmp.Or(one.LastOccuredAt, one.LastOccurredAt)); !last.IsZero() {
			label("last occurrence", stamp(last))
		}
	}
	label("entity", one.Entity)
	label("source", one.Source)
	label("integration", cmp.Or(one.IntegrationName, one.Integration.Name))
	for _, tag := range one.Tags {
		label("tag", text(tag))
	}
	properties := one.properties()
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		switch value := properties[name].(type) {
		case string, float64, bool:
			label(name, fmt.Sprint(value))
		}
	}
	return labels
}

// properties are what the sender of an alert attached to it.
func (a *alert) properties() map[string]any {
	if len(a.ExtraProperties) > 0 {
		return a.ExtraProperties
	}
	return a.Details
}

var address = regexp.MustCompile(`https?://[^\s<>"'()\[\]]+`)

// links are the addresses among the properties, and then those in the text.
func (a *alert) links() []page.Link {
	var links []page.Link
	link := func(text, to string) {
		same := func(l page.Link) bool { return l.URL == to }
		if page.WebAddress(to) && len(links) < maxLinks && !slices.ContainsFunc(links, same) {
			links = append(links, page.Link{Text: page.Plain(text, maxName), URL: to})
		}
	}
	properties := a.properties()
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if value, ok := properties[name].(string); ok {
			link(name, strings.TrimSpace(value))
		}
	}
	for _, found := range address.FindAllString(a.Description, maxLinks) {
		found = strings.TrimRight(found, ".,;:!?")
		link(found, found)
	}
	return links
}
