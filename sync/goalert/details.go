package goalert

import (
	"context"
	"slices"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Describe reads an alert with its log. GoAlert keeps no notes and knows of no
// changes; why an alert was marked as noise stands among the page's labels.
func (p *Provider) Describe(ctx context.Context, wanted page.Page) (provider.Detail, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return provider.Detail{}, p.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return provider.Detail{}, err
	}
	one, err := p.lookOne(ctx, wanted)
	if err != nil {
		return provider.Detail{}, err
	}
	p.readPolicies(ctx, []*alert{one})
	told := provider.Detail{Page: p.describe(one, me), Body: page.PlainLines(one.Details, page.MaxDetails)}
	told.Page.Mine = wanted.Mine
	told.Log, told.Missing = one.events()
	p.mutex.Lock()
	known := p.policies[one.service()].read
	p.mutex.Unlock()
	if one.open() && !known {
		told.Missing = append(told.Missing, "GoAlert did not tell how this alert escalates.")
	}
	return told, nil
}

func (a *alert) open() bool { return a.Status != statusClosed }

// events is the alert's log, oldest first, and what is missing of it.
func (a *alert) events() (events []provider.Event, missing []string) {
	if a.Log == nil || a.Log.Nodes == nil {
		return nil, []string{"GoAlert did not tell what happened to this alert."}
	}
	for _, line := range a.Log.Nodes {
		if line == nil || line.Message == "" {
			missing = []string{"Something that happened to this alert could not be read."}
			continue
		}
		text := plain(line.Message, page.MaxTitle)
		if outcome := plain(line.State.Details, maxName); outcome != "" {
			text += ": " + outcome
		}
		events = append(events, provider.Event{At: readTime(line.At), Who: line.who(), Text: text})
	}
	if a.Log.Info.More == nil || *a.Log.Info.More {
		missing = append(missing, "Only the latest that happened to this alert is shown; GoAlert has more.")
	}
	slices.Reverse(events) // GoAlert tells the latest first
	slices.SortStableFunc(events, func(a, b provider.Event) int { return a.At.Compare(b.At) })
	return events, missing
}
