package pagerduty

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
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

func plain(text string, limit int) string { return page.Plain(text, limit) }

// describe makes a page of an incident, by what is known of its alerts, of the
// account's priorities and of who is on call. A status we do not know still wants somebody.
func (p *Provider) describe(one *incident, me user) page.Page {
	p.mutex.Lock()
	known, told, policy := p.priorities, p.alerts[one.ID], p.ladders[one.Policy.ID]
	p.mutex.Unlock()

	got := page.Page{
		ID: page.NewID(p.options.Account, one.ID), Account: p.options.Account, UpstreamID: one.ID, SourceKey: one.Key,
		Title: plain(one.Title, page.MaxTitle), Details: told.details, Service: plain(one.Service.Summary, maxName),
		Status: page.Triggered, Severity: p.severity(one, known, told),
		TriggeredAt: readTime(one.CreatedAt), Mine: one.assignedTo(me.ID), Assigned: true,
		AssignedTo: one.holders(), EscalatesTo: policy.next(one),
		HandedOn: one.Urgency == "high", URL: webAddress(one.URL), Links: slices.Clone(told.links),
	}
	if one.Number > 0 {
		got.Number = fmt.Sprintf("#%d", one.Number)
	}
	if got.Title == "" {
		got.Title = plain(one.Summary, page.MaxTitle)
	}
	if got.Title == "" {
		got.Title = strings.TrimSpace("An incident without a title " + got.Number)
	}
	switch one.Status {
	case string(page.Resolved):
		got.Status = page.Resolved
	case string(page.Acknowledged):
		by := one.answeredBy()
		got.Status, got.AcknowledgedBy = page.Acknowledged, by.name()
		got.AcknowledgedByMe = one.acknowledgedBy(me.ID)
		got.AcknowledgedAt = readTime(one.LastStatusChangeAt)
		for _, ack := range one.Acknowledgements {
			if got.AcknowledgedByMe && ack.Acknowledger.ID == me.ID {
				got.AcknowledgedBy, got.AcknowledgedAt = me.name(), readTime(ack.At)
			} else if !got.AcknowledgedByMe && ack.Acknowledger.ID == by.ID {
				got.AcknowledgedAt = readTime(ack.At)
			}
		}
	}
	for _, next := range one.PendingActions {
		at := readTime(next.At)
		switch {
		case next.Type == "escalate":
			got.EscalatesAt, got.HandedOn = at, true
		case next.Type == "unacknowledge":
			got.AckExpiresAt = at
		case strings.Contains(next.Type, "snooze"):
			got.SnoozedUntil = at
		}
	}
	if bridge := webAddress(one.Conference.URL); bridge != "" {
		got.Links = append(got.Links, page.Link{Text: "Conference", URL: bridge})
	}
	label := func(name, value string) {
		if value = plain(value, page.MaxTitle); value != "" {
			got.Labels = append(got.Labels, page.Label{Name: name, Value: value})
		}
	}
	label("urgency", one.Urgency)
	label("priority", one.Priority.label())
	label("alert severity", told.severity)
	label("escalation policy", one.Policy.Summary)
	if into := one.mergedInto(); into != "" {
		label("merged into", cmp.Or(one.ResolveReason.Incident.Summary, into))
	}
	got.Labels = append(got.Labels, told.labels...)
	return got
}

// answeredBy is whoever acknowledged it last.
func (i *incident) answeredBy() user {
	if len(i.Acknowledgements) == 0 {
		return user{}
	}
	return i.Acknowledgements[len(i.Acknowledgements)-1].Acknowledger
}

func (t thing) label() string {
	if t.Name != "" {
		return plain(t.Name, maxName)
	}
	return plain(t.Summary, maxName)
}

// webAddress lets only addresses through that a browser may be given.
func webAddress(text string) string {
	parsed, err := url.Parse(strings.TrimSpace(text))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || len(text) > 2000 {
		return ""
	}
	return parsed.String()
}

// byRank are the severities of an account's priorities, in their order; what
// comes after them has no rule of its own.
var byRank = []page.Severity{page.Critical, page.Degraded, page.Minor, page.Hidden}

var byAlert = map[string]page.Severity{
	"critical": page.Critical, "error": page.Degraded, "warning": page.Minor, "info": page.Hidden,
}

var byUrgency = map[string]page.Severity{"high": page.Degraded, "low": page.Hidden}

// severity goes by the priority, then by the worst alert that still fires,
// then by the urgency; the user's own table comes before ours each time.
// Nothing is quiet because something could not be read.
func (p *Provider) severity(one *incident, known priorities, told findings) page.Severity {
	alerting, alertKnown := p.lookUp(told.severity, byAlert)
	if name := one.Priority.label(); name != "" || one.Priority.ID != "" {
		if own, found := p.options.Severities[strings.ToLower(name)]; found {
			return own
		}
		if rank := known.rank(one.Priority.ID); rank >= 0 && rank < len(byRank) {
			return byRank[rank]
		}
		if alertKnown && alerting.Rank() < page.Degraded.Rank() {
			return alerting
		}
		return page.Degraded
	}
	if alertKnown {
		return alerting
	}
	urgent, urgencyKnown := p.lookUp(one.Urgency, byUrgency)
	if !urgencyKnown || !told.read && urgent.Rank() > page.Degraded.Rank() || told.severity != "" {
		return page.Degraded
	}
	return urgent
}

func (p *Provider) lookUp(word string, usual map[string]page.Severity) (page.Severity, bool) {
	word = strings.ToLower(word)
	if own, found := p.options.Severities[word]; found && word != "" {
		return own, true
	}
	severity, found := usual[word]
	return severity, found
}

// priorities are the account's own, worst first.
type priorities struct {
	read  bool
	asked time.Time
	order []struct{ id, name string }
}

func (k priorities) rank(id string) int {
	if id == "" {
		return -1
	}
	for rank, one := range k.order {
		if one.id == id {
			return rank
		}
	}
	return -1
}

// knownPriorities asks for the order of the priorities, at most once an hour
// or, while they could not be read, once a minute. Without them pages are
// sorted by other signs; that is no reason not to show them.
func (p *Provider) knownPriorities(ctx context.Context, now bool) priorities {
	p.mutex.Lock()
	known := p.priorities
	p.mutex.Unlock()
	patience := time.Hour
	if !known.read {
		patience = time.Minute
	}
	if !now && !known.asked.IsZero() && p.now().Sub(known.asked) < patience {
		return known
	}
	known.asked = p.now()
	var answer struct {
		Priorities []thing `json:"priorities"`
	}
	_, err := p.client.get(ctx, "/priorities", url.Values{"limit": {"100"}}, &answer)
	if err != nil {
		p.log.Warn("the priorities could not be read", "account", p.options.Account, "error", err)
	} else if len(answer.Priorities) > 0 {
		known.read, known.order = true, nil
		for _, one := range answer.Priorities {
			known.order = append(known.order, struct{ id, name string }{one.ID, one.label()})
		}
	}
	p.mutex.Lock()
	p.priorities = known
	p.mutex.Unlock()
	return known
}

// findings are what the alerts of an incident told, and as of which state of it.
type findings struct {
	read     bool
	state    string
	severity string // the worst that still fires, in PagerDuty's word
	details  string
	links    []page.Link
	labels   []page.Label
}

func (i *incident) state() string { return fmt.Sprintf("%s/%d", i.UpdatedAt, i.AlertCounts.All) }

// readAlerts reads the alerts of incidents that are new or have changed, those
// first whose severity depends on them. What fails is tried at the next poll.
func (p *Provider) readAlerts(ctx context.Context, incidents []*incident) {
	ctx, cancel := context.WithTimeout(ctx, alertsWithin)
	defer cancel()
	var stale []*incident
	open := make(map[string]bool, len(incidents))
	p.mutex.Lock()
	for _, one := range incidents {
		open[one.ID] = true
		if p.alerts[one.ID].state != one.state() {
			stale = append(stale, one)
		}
	}
	maps.DeleteFunc(p.alerts, func(id string, _ findings) bool { return !open[id] })
	p.mutex.Unlock()
	undecided := func(one *incident) int {
		if one.Priority.ID == "" && !p.alerts[one.ID].read {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(stale, func(a, b *incident) int { return undecided(a) - undecided(b) })
	for _, one := range stale[:min(len(stale), alertsAtOnce)] {
		var answer struct {
			Alerts []*alert `json:"alerts"`
		}
		_, err := p.client.get(ctx, "/incidents/"+one.ID+"/alerts", url.Values{"limit": {"100"}}, &answer)
		if err != nil || answer.Alerts == nil {
			p.log.Warn("the alerts of an incident could not be read", "account", p.options.Account, "incident", one.ID, "error", err)
			return
		}
		told := summarise(answer.Alerts)
		told.state = one.state()
		p.mutex.Lock()
		p.alerts[one.ID] = told
		p.mutex.Unlock()
	}
}

// summarise takes the worst severity and all links, and the first alert's details.
func summarise(alerts []*alert) findings {
	told := findings{read: true}
	worst := len(page.Severities())
	for _, one := range alerts {
		if one == nil {
			continue
		}
		rank := page.Degraded.Rank()
		if severity, known := byAlert[strings.ToLower(one.Severity)]; known {
			rank = severity.Rank()
		}
		if one.Status != string(page.Resolved) && one.Severity != "" && rank < worst {
			worst, told.severity = rank, plain(one.Severity, maxName)
		}
		for _, context := range one.Body.Contexts {
			address := webAddress(context.URL)
			same := func(l page.Link) bool { return l.URL == address }
			if address == "" || len(told.links) == maxLinks || slices.ContainsFunc(told.links, same) {
				continue
			}
			text := plain(context.Text, maxName)
			if text == "" {
				text = plain(address, maxName)
			}
			told.links = append(told.links, page.Link{Text: text, URL: address})
		}
		if told.details == "" && told.labels == nil {
			told.details, told.labels = describeDetails(one.Body.Details)
		}
	}
	return told
}

// describeDetails takes details that are a text as they are, and a table's
// plain values as labels.
func describeDetails(details any) (string, []page.Label) {
	switch details := details.(type) {
	case string:
		return page.PlainLines(details, page.MaxDetails), nil
	case map[string]any:
		var labels []page.Label
		for _, name := range slices.Sorted(maps.Keys(details)) {
			value := ""
			switch v := details[name].(type) {
			case string, float64, bool:
				value = plain(fmt.Sprint(v), page.MaxTitle)
			}
			if shown := plain(name, maxName); shown != "" && value != "" && len(labels) < maxLabels {
				labels = append(labels, page.Label{Name: shown, Value: value})
			}
		}
		return "", labels
	}
	return "", nil
}
