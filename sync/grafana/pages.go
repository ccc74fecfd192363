package grafana

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"nightstand/app/page"
)

// view is what is known while groups are described.
type view struct {
	provider *Provider
	me       user
	setup    setup
	claim    claim
}

func (p *Provider) view(me user) *view {
	known := p.knownSetup()
	return &view{provider: p, me: me, setup: known, claim: p.claimOf(known, me)}
}

// describe makes a page of a group. A state we do not know still wants somebody.
func (v *view) describe(one *group) page.Page {
	options := v.provider.options
	told := readPayload(one.LastAlert.Payload)
	got := page.Page{
		ID: page.NewID(options.Account, one.ID), Account: options.Account, UpstreamID: one.ID,
		Title: cmp.Or(plain(one.Title, page.MaxTitle), plain(told.title, page.MaxTitle)), Details: page.PlainLines(told.details, page.MaxDetails),
		Service:  v.setup.integrations[one.Integration],
		Severity: v.provider.severity(one, told), Status: page.Triggered,
		TriggeredAt: readTime(one.CreatedAt), Mine: v.owns(one), HandedOn: v.handsOn(one),
		URL: webAddress(one.Permalinks.Web),
	}
	if one.Number > 0 {
		got.Number = fmt.Sprintf("#%d", one.Number)
	}
	if got.Title == "" {
		got.Title = strings.TrimSpace("An alert group without a title " + got.Number)
	}
	if got.Details == got.Title {
		got.Details = ""
	}
	switch one.State {
	case resolved:
		got.Status = page.Resolved
	case acknowledged:
		got.Status, got.AcknowledgedAt = page.Acknowledged, readTime(one.AcknowledgedAt)
		got.AcknowledgedBy, got.AcknowledgedByMe = v.provider.called(one.AcknowledgedBy), v.acknowledgedByMe(one)
	case silenced:
		got.SnoozedUntil, got.MutedBy = v.provider.snoozedUntil(one), "silenced in Grafana"
	}
	if one.AttachedTo != "" {
		got.MutedBy = "attached to another alert group, which is answered in its place"
	}
	got.Links = append(told.links, linksTo(one)...)
	got.Links = got.Links[:min(len(got.Links), maxLinks)]
	got.Labels = v.labels(one, told)
	return got
}

func (v *view) acknowledgedByMe(one *group) bool {
	return v.me.ID != "" && one.AcknowledgedBy == v.me.ID
}

// called is somebody's name by the identity. A group can be acknowledged by
// nobody: its source did it, or an outgoing call.
func (p *Provider) called(id string) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	known, found := p.people[id]
	if !found || known.ID == "" {
		known = user{ID: id}
	}
	return known.name()
}

func linksTo(one *group) []page.Link {
	var links []page.Link
	for _, known := range []page.Link{{Text: "Slack", URL: one.Permalinks.Slack}, {Text: "Telegram", URL: one.Permalinks.Telegram}} {
		if address := webAddress(known.URL); address != "" {
			links = append(links, page.Link{Text: known.Text, URL: address})
		}
	}
	return links
}

// labels are the group's own, then those that the source sent.
func (v *view) labels(one *group, told findings) []page.Label {
	var all []page.Label
	known := map[string]bool{}
	add := func(name, value string) {
		name, value = plain(name, maxName), plain(value, page.MaxTitle)
		if name != "" && value != "" && !known[name] && len(all) < maxLabels {
			known[name] = true
			all = append(all, page.Label{Name: name, Value: value})
		}
	}
	add("team", v.setup.teams[one.Team])
	for _, each := range one.Labels {
		add(each.name(), each.value())
	}
	for _, each := range told.labels {
		add(each.Name, each.Value)
	}
	return all
}

func (l label) name() string  { return cmp.Or(l.Key.Name, l.Key.ID) }
func (l label) value() string { return cmp.Or(l.Value.Name, l.Value.ID) }

// bySeverity is what the usual values of a severity label mean.
var bySeverity = map[string]page.Severity{
	"critical": page.Critical, "page": page.Critical, "emergency": page.Critical,
	"error": page.Degraded, "high": page.Degraded, "major": page.Degraded,
	"warning": page.Minor, "minor": page.Minor,
	"info": page.Hidden, "low": page.Hidden,
	"none": page.Other,
}

// severity goes by the group's own label, then by what its last alert sent. What
// is not there or not known is Degraded: never silent.
func (p *Provider) severity(one *group, told findings) page.Severity {
	for _, each := range one.Labels {
		if strings.EqualFold(each.name(), p.options.SeverityLabel) && each.value() != "" {
			return p.lookUp(each.value())
		}
	}
	worst := page.Severity("")
	for _, word := range told.severityWords(p.options.SeverityLabel) {
		if found := p.lookUp(word); worst == "" || found.Rank() < worst.Rank() {
			worst = found
		}
	}
	return cmp.Or(worst, page.Degraded)
}

func (p *Provider) lookUp(word string) page.Severity {
	word = strings.ToLower(strings.TrimSpace(word))
	return cmp.Or(p.options.Severities[word], bySeverity[word], page.Degraded)
}

// snooze is until when we silenced a group: the service keeps that to itself.
type snooze struct {
	until time.Time
	since string // when the silence began, in the service's words; empty until seen
}

// snoozedUntil is zero where somebody else has silenced the group, or anew.
func (p *Provider) snoozedUntil(one *group) time.Time {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	known, found := p.snoozes[one.ID]
	switch {
	case !found:
		return time.Time{}
	case known.since == "":
		known.since = one.SilencedAt
		p.snoozes[one.ID] = known
	case known.since != one.SilencedAt:
		delete(p.snoozes, one.ID)
		return time.Time{}
	}
	return known.until
}

func (p *Provider) forgetSnooze(id string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.snoozes, id)
}

// forgetSnoozes drops those that are over.
func (p *Provider) forgetSnoozes() {
	now := p.client.Now()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for id, one := range p.snoozes {
		if one.until.Before(now) {
			delete(p.snoozes, id)
		}
	}
}

// webAddress lets only addresses through that a browser may be given.
func webAddress(text string) string {
	if text = strings.TrimSpace(text); !page.WebAddress(text) || plain(text, 2000) != text {
		return ""
	}
	return text
}
