package grafana

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// alertsShown is how many alerts of a group are read, the newest.
const alertsShown = 50

// Describe tells what an alert group is made of, what happened to it as far as
// its own times say, and its notes. The service has no log of its own to read,
// and knows nothing of deployments.
func (p *Provider) Describe(ctx context.Context, wanted page.Page) (provider.Detail, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return provider.Detail{}, p.gaveUp(get("", nil), err)
	}
	defer release()
	me, err := p.me(ctx)
	if err != nil {
		return provider.Detail{}, err
	}
	one, err := p.read(ctx, wanted.UpstreamID)
	if gone(err) {
		return provider.Detail{}, provider.ErrGone
	}
	if err != nil {
		return provider.Detail{}, err
	}
	p.readNames(ctx, one.people())
	told := provider.Detail{Page: p.view(me).describe(one), Log: p.logOf(one)}
	told.Body = told.Page.Details

	alerts, count, err := p.alerts(ctx, one.ID)
	if err != nil {
		told.Missing = append(told.Missing, "The alerts of this group could not be read: "+provider.Sentence(err))
	} else if count > len(alerts) {
		told.Missing = append(told.Missing, fmt.Sprintf("Only the newest %d of its %d alerts are shown; Grafana has the others.", len(alerts), count))
	}
	for _, each := range alerts {
		told.Alerts = append(told.Alerts, p.describeAlert(each))
	}
	notes, err := p.notes(ctx, one.ID)
	if err != nil {
		told.Missing = append(told.Missing, "The notes could not be read: "+provider.Sentence(err))
	}
	told.Notes = p.remarks(ctx, notes, me)
	return told, nil
}

func (p *Provider) alerts(ctx context.Context, id string) ([]*alert, int, error) {
	request := get("/alerts/", url.Values{"alert_group_id": {id}, "perpage": {strconv.Itoa(alertsShown)}})
	var got piece[alert]
	if _, err := p.ask(ctx, request, &got); err != nil {
		return nil, 0, err
	}
	if got.Results == nil {
		return nil, 0, p.nonsense(request, "no list of alerts")
	}
	known := slices.DeleteFunc(got.Results, func(a *alert) bool { return a == nil })
	count := len(known)
	if got.Count != nil {
		count = max(count, *got.Count)
	}
	return known, count, nil
}

func (p *Provider) describeAlert(one *alert) provider.Alert {
	told := readPayload(one.Payload)
	got := provider.Alert{
		Title: plain(told.title, page.MaxTitle), Details: page.PlainLines(told.details, page.MaxDetails), At: readTime(one.CreatedAt),
		Status: plain(statusWord(one.Payload), maxName), Links: told.links,
	}
	if words := told.severityWords(p.options.SeverityLabel); len(words) > 0 {
		got.Severity = plain(words[0], maxName)
	}
	if got.Title == "" {
		got.Title = "An alert without a title"
	}
	return got
}

// statusWord is what the source says of an alert: Alertmanager calls it status,
// Grafana's older alerts state.
func statusWord(payload map[string]any) string {
	if word := text(payload["status"]); word != "" {
		return word
	}
	return text(payload["state"])
}

// logOf is what the times of a group tell; what has no time is not in it.
func (p *Provider) logOf(one *group) []provider.Event {
	var log []provider.Event
	add := func(at, who, what string) {
		if when := readTime(at); !when.IsZero() {
			if who != "" {
				who = p.called(who)
			}
			log = append(log, provider.Event{At: when, Who: who, Text: what})
		}
	}
	add(one.CreatedAt, "", "It fired.")
	add(one.SilencedAt, "", "It was silenced.")
	add(one.AcknowledgedAt, one.AcknowledgedBy, "It was acknowledged.")
	add(one.ResolvedAt, one.ResolvedBy, "It was resolved.")
	slices.SortStableFunc(log, func(a, b provider.Event) int { return a.At.Compare(b.At) })
	return log
}

func (p *Provider) remarks(ctx context.Context, notes []*note, me user) []provider.Remark {
	var authors []string
	for _, one := range notes {
		authors = append(authors, one.Author)
	}
	p.readNames(ctx, authors)
	var all []provider.Remark
	for _, one := range notes {
		all = append(all, provider.Remark{
			ID: plain(one.ID, maxName), At: readTime(one.CreatedAt), By: p.called(one.Author),
			ByMe: me.ID != "" && one.Author == me.ID, Text: page.PlainLines(one.Text, page.MaxDetails),
		})
	}
	slices.SortStableFunc(all, func(a, b provider.Remark) int { return a.At.Compare(b.At) })
	return all
}
