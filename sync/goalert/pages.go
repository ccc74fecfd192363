package goalert

import (
	"fmt"
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

func plain(text string, limit int) string { return page.Plain(text, limit) }

// describe makes a page of an alert, by what is known of its service and of who
// acknowledged it; GoAlert tells only the name of that person, so two of the
// same name are one to us. A status we do not know still wants somebody.
func (p *Provider) describe(one *alert, me user) page.Page {
	id := one.identity()
	p.mutex.Lock()
	known, told, ours := p.policies[one.service()], p.answers[id], p.taken[id]
	p.mutex.Unlock()
	if fresh, found := one.answer(); found {
		told = fresh
	}

	got := page.Page{
		ID: page.NewID(p.options.Account, id), Account: p.options.Account, UpstreamID: id, Number: "#" + id,
		Title: plain(one.Summary, page.MaxTitle), Details: page.PlainLines(one.Details, page.MaxDetails),
		Service: plain(one.Service.Name, maxName), Status: page.Triggered, Severity: p.severity(one.Meta, known.labels),
		TriggeredAt: readTime(one.CreatedAt), Mine: true, Assigned: !p.key.given(),
		URL: p.base.String() + "/alerts/" + id, Links: links(one),
	}
	if got.Title == "" {
		got.Title = "An alert without a title " + got.Number // GoAlert takes alerts without one
	}
	switch one.Status {
	case statusClosed:
		got.Status = page.Resolved
	case statusAcknowledged:
		if told.state != one.state() {
			told = answered{}
		}
		got.Status, got.AcknowledgedAt = page.Acknowledged, told.at
		got.AcknowledgedBy = told.by
		got.AcknowledgedByMe = told.by == me.name()
		switch nameless := told.by == ""; {
		case nameless && (ours == one.state() || p.key.given() && told.state != ""):
			got.AcknowledgedBy, got.AcknowledgedByMe = me.name(), true
		case nameless && told.state != "":
			got.AcknowledgedBy = nobody.Name
		case nameless:
			got.AcknowledgedBy = "somebody whose name GoAlert has not told"
		}
	default:
		next := known.next(one)
		got.EscalatesAt, got.EscalatesTo, got.HandedOn = next.at, next.to, next.handedOn
		got.AssignedTo = known.atStep(one)
		if until := readTime(one.Service.Maintained); until.After(p.client.Now()) {
			got.MutedBy = fmt.Sprintf("maintenance of %s until %s", got.Service, until.Format("2 January 15:04 UTC"))
			got.EscalatesAt, got.EscalatesTo, got.HandedOn = time.Time{}, "", false
		}
	}
	got.Labels = labels(one, known.labels)
	return got
}

// labels are what the alert carries, then what its service does.
func labels(one *alert, service []*pair) []page.Label {
	var got []page.Label
	add := func(name, value string) {
		name, value = plain(name, maxName), plain(value, page.MaxTitle)
		if name != "" && value != "" && len(got) < maxLabels {
			got = append(got, page.Label{Name: name, Value: value})
		}
	}
	add("marked as noise", one.Noise)
	for _, told := range append(slices.Clone(one.Meta), service...) {
		if told != nil {
			add(told.Key, told.Value)
		}
	}
	return got
}

// linked is a link of Markdown, or an address that stands in a text by itself.
var linked = regexp.MustCompile(`\[([^\]\n]{1,200})\]\((https?://[^\s)]+)\)|https?://[^\s<>"'\]]+`)

// links are the addresses in the alert's own data and in its details.
func links(one *alert) []page.Link {
	var got []page.Link
	add := func(text, address string) {
		same := func(l page.Link) bool { return l.URL == address }
		if len(got) == maxLinks || !page.WebAddress(address) || slices.ContainsFunc(got, same) {
			return
		}
		if text = plain(text, maxName); text == "" {
			text = plain(address, maxName)
		}
		got = append(got, page.Link{Text: text, URL: address})
	}
	for _, told := range one.Meta {
		if told != nil {
			add(told.Key, strings.TrimSpace(told.Value))
		}
	}
	for _, match := range linked.FindAllStringSubmatch(one.Details, maxLinks) {
		if match[2] != "" {
			add(match[1], match[2])
		} else {
			add("", strings.TrimRight(match[0], ".,;:!?)*_`"))
		}
	}
	return got
}

// severityNames are the names under which an alert or a service says how bad
// something is; severityWords are what our severities are called there.
var (
	severityNames = []string{"severity", "priority"}
	severityWords = map[string]page.Severity{
		"critical": page.Critical, "page": page.Critical, "emergency": page.Critical,
		"degraded": page.Degraded, "error": page.Degraded, "high": page.Degraded, "major": page.Degraded,
		"minor": page.Minor, "warning": page.Minor,
		"hidden": page.Hidden, "info": page.Hidden, "low": page.Hidden,
		"other": page.Other,
	}
)

// severity goes by what the alert says of itself, then by the labels of its
// service. GoAlert has no severity of its own, so everything that nobody has
// called otherwise is what customers notice.
func (p *Provider) severity(meta, labels []*pair) page.Severity {
	for _, told := range [][]*pair{meta, labels} {
		if severity, found := p.worst(told); found {
			return severity
		}
	}
	return page.Degraded
}

// worst is the worst that any of these labels says. A severity in a word we do
// not know is what customers notice.
func (p *Provider) worst(told []*pair) (worst page.Severity, found bool) {
	for _, one := range told {
		if one == nil {
			continue
		}
		name, value := strings.ToLower(strings.TrimSpace(one.Key)), strings.ToLower(strings.TrimSpace(one.Value))
		severity, known := p.options.Severities[name+"="+value]
		if named := slices.Contains(severityNames, name) && value != ""; !known && named {
			if severity, known = p.options.Severities[value]; !known {
				severity, known = severityWords[value]
			}
			if !known {
				severity, known = page.Degraded, true
			}
		}
		if known && (!found || severity.Rank() < worst.Rank()) {
			worst, found = severity, true
		}
	}
	return worst, found
}
