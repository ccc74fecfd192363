package alertmanager

import (
	"context"
	"maps"
	"slices"
	"strings"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Describe reads an alert afresh, with its annotations and the silences that
// hold for it. An Alertmanager keeps no log: what is told is the start of the
// alert and those silences. It knows neither notes nor changes.
func (p *Provider) Describe(ctx context.Context, wanted page.Page) (provider.Detail, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return provider.Detail{}, p.client.gaveUp(err)
	}
	defer release()

	firing := wanted.UpstreamID
	seen, missing := p.look(ctx, []string{firing})
	a := seen.alerts[firing]
	if a == nil {
		return provider.Detail{}, missing[firing]
	}
	got := p.describe(a)
	p.judge(&got, a, seen.book, p.names())
	return provider.Detail{
		Page: got, Body: got.Details, Log: p.history(a, seen.book),
		Alerts: []provider.Alert{{
			Title: got.Title, Severity: plain(a.Labels[p.options.SeverityLabel], maxLabel), Status: a.state(),
			At: got.TriggeredAt, Details: annotationLines(a), Links: got.Links,
		}},
	}, nil
}

// state is the server's word, worked out as it does: thousands of alerts are
// listed in a storm, and none of their pages needs it.
func (a *alert) state() string {
	if len(a.Status.SilencedBy)+len(a.Status.InhibitedBy)+len(a.Status.MutedBy) > 0 {
		return "suppressed"
	}
	return "active"
}

// history is the start of an alert, and what keeps it quiet now, oldest first.
func (p *Provider) history(a *alert, book silenceBook) []provider.Event {
	events := []provider.Event{{At: a.started, Text: "Started to fire"}}
	for _, id := range a.Status.SilencedBy {
		if one, known := book.active[id]; known {
			events = append(events, provider.Event{At: readTime(one.StartsAt), Who: plain(one.CreatedBy, maxLabel), Text: p.silenceWords(one)})
		}
	}
	slices.SortStableFunc(events, func(a, b provider.Event) int { return a.At.Compare(b.At) })
	return events
}

// silenceWords tells until when a silence holds, and why.
func (p *Provider) silenceWords(one silence) string {
	if one.acknowledges() == "" {
		return p.muteWords(one)
	}
	why, _, _ := strings.Cut(one.Comment, " [nightstand:")
	return plain(why, maxLabel) + ", until " + readTime(one.EndsAt).Format("15:04 UTC")
}

// annotationLines are all annotations, by name.
func annotationLines(a *alert) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(a.Annotations)) {
		lines = append(lines, plain(name, maxLabel)+": "+plainLines(a.Annotations[name], page.MaxDetails))
	}
	return plainLines(strings.Join(lines, "\n"), page.MaxDetails)
}
