package goalert

import (
	"context"
	"slices"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// What GoAlert took shows in its next answer or within moments; so long the
// re-read waits for it, so often it looks.
const (
	confirmWithin = 2 * time.Second
	confirmEvery  = 200 * time.Millisecond
)

// Acknowledge answers one alert. GoAlert says nothing to an acknowledgement of
// what is closed, or of what somebody else has, so the alert is looked at
// before and afterwards.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	release, err := p.answering.Enter(ctx)
	if err != nil {
		return page.Page{}, p.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return page.Page{}, err
	}
	before, err := p.lookOne(ctx, wanted)
	if err != nil {
		return page.Page{}, err
	}
	switch now := p.describe(before, me); {
	case now.Status == page.Resolved:
		return page.Page{}, provider.ErrGone
	case now.Status == page.Acknowledged && now.AcknowledgedByMe:
		return p.settle(before, me), nil
	case now.Status == page.Acknowledged:
		return page.Page{}, &provider.TakenError{By: now.AcknowledgedBy}
	}
	if err := p.update(ctx, before, statusAcknowledged); err != nil {
		return page.Page{}, err
	}
	return p.confirm(ctx, wanted, me, page.Acknowledged)
}

// lookOne reads one alert afresh; ErrGone when GoAlert has none of this number,
// as with one that was closed and cleared away.
func (p *Provider) lookOne(ctx context.Context, wanted page.Page) (*alert, error) {
	told, err := p.read(ctx, wanted.UpstreamID)
	if err != nil {
		return nil, err
	}
	one := told[wanted.UpstreamID]
	if one == nil {
		return nil, provider.ErrGone
	}
	return one, nil
}

// update moves an alert on. GoAlert returns only what did move, and nothing
// when the alert was as far already.
func (p *Provider) update(ctx context.Context, one *alert, status string) error {
	number, err := readID(one.identity())
	if err != nil {
		return p.nonsense("an alert without a number")
	}
	// Even a failure may have come after GoAlert took it.
	defer p.confirmed.Change()
	var answer struct {
		Moved []*alert `json:"updateAlerts"`
	}
	_, err = p.ask(ctx, question{
		operation: "Update", document: operationUpdate, changes: true,
		variables: map[string]any{"update": map[string]any{"alertIDs": []int{number}, "newStatus": status}},
	}, &answer)
	if err != nil {
		return err
	}
	moved := slices.ContainsFunc(answer.Moved, func(a *alert) bool { return a != nil && a.Number == number })
	if moved && status == statusAcknowledged {
		p.mutex.Lock()
		p.taken[one.identity()] = (&alert{Status: status, State: one.State}).state()
		p.mutex.Unlock()
	}
	return nil
}

// confirm reads the alert again until it is as far as it should be.
func (p *Provider) confirm(ctx context.Context, wanted page.Page, me user, status page.Status) (page.Page, error) {
	for waited := time.Duration(0); ; waited += confirmEvery {
		after, err := p.lookOne(ctx, wanted)
		if err != nil {
			return page.Page{}, err
		}
		switch now := p.describe(after, me); {
		case now.Status == page.Resolved && status != page.Resolved:
			return page.Page{}, provider.ErrGone
		case now.Status == status && (status == page.Resolved || now.AcknowledgedByMe):
			return p.settle(after, me), nil
		case now.Status == page.Acknowledged && status == page.Acknowledged && now.AcknowledgedBy != "":
			return page.Page{}, &provider.TakenError{By: now.AcknowledgedBy}
		}
		if waited >= confirmWithin {
			return page.Page{}, p.client.Failure(provider.Broken, web.Request{}, "took what you did, but does not show it", "Try again, and look at its own page.", nil)
		}
		select {
		case <-ctx.Done():
			return page.Page{}, p.gaveUp(ctx.Err())
		case <-time.After(confirmEvery):
		}
	}
}

// settle makes a page of an alert that was read after an answer, and holds
// it against lists that are older.
func (p *Provider) settle(one *alert, me user) page.Page {
	p.keepAnswer(one)
	got := p.describe(one, me)
	p.confirmed.Keep(got)
	return got
}

// Unacknowledge is not possible: GoAlert takes no acknowledgement back except
// by escalating. The error says what can be done instead, and is
// provider.ErrUnsupported underneath; nothing is sent.
func (p *Provider) Unacknowledge(context.Context, page.Page) (page.Page, error) {
	return page.Page{}, unsupported("GoAlert takes no acknowledgement back, so this alert stays yours. If you cannot work on it, escalate it: that calls the next person and makes it unanswered again.")
}

func unsupported(sentence string) error {
	return &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported, Sentence: sentence}
}
