package grafana

import (
	"context"
	"net/http"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// What Grafana took shows in its next answer or within moments; so long the
// re-read waits for it, so often it looks.
const (
	confirmWithin = 1500 * time.Millisecond
	confirmEvery  = 300 * time.Millisecond
)

// Acknowledge answers one alert group in this user's name. What this user has
// already is left as it is: the service refuses to acknowledge twice.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	if p.credential.onlyLooks() {
		return page.Page{}, p.mayOnlyLook("acknowledge")
	}
	release, me, err := p.toAnswer(ctx)
	if err != nil {
		return page.Page{}, err
	}
	defer release()
	before, err := p.readOpen(ctx, wanted.UpstreamID)
	if err != nil {
		return page.Page{}, err
	}
	mine := func(now *group) (bool, error) {
		if now.State != acknowledged || now.AcknowledgedBy == me.ID {
			return now.State == acknowledged, nil
		}
		if now.AcknowledgedBy == "" && now != before {
			return false, nil // ours, or nobody's: the next look tells
		}
		return false, p.taken(ctx, now)
	}
	if done, err := mine(before); done || err != nil {
		return p.settled(ctx, me, before, err)
	}
	return p.order(ctx, me, before, "acknowledge", nil, mine)
}

// Unacknowledge takes our own answer back, or the silence that we asked for.
func (p *Provider) Unacknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	if p.credential.onlyLooks() {
		return page.Page{}, p.mayOnlyLook("take an acknowledgement back")
	}
	release, me, err := p.toAnswer(ctx)
	if err != nil {
		return page.Page{}, err
	}
	defer release()
	before, err := p.readOpen(ctx, wanted.UpstreamID)
	switch {
	case err != nil:
		return page.Page{}, err
	case before.State == acknowledged && before.AcknowledgedBy != me.ID:
		return page.Page{}, p.taken(ctx, before)
	case before.State == acknowledged:
		return p.order(ctx, me, before, "unacknowledge", nil, func(now *group) (bool, error) { return now.State != acknowledged, nil })
	case before.State == silenced && !p.snoozedUntil(before).IsZero():
		return p.order(ctx, me, before, "unsilence", nil, func(now *group) (bool, error) {
			if now.State == silenced {
				return false, nil
			}
			p.forgetSnooze(before.ID)
			return true, nil
		})
	}
	return p.settled(ctx, me, before, nil)
}

// toAnswer waits for the answering lane, and finds out who answers.
func (p *Provider) toAnswer(ctx context.Context) (release func(), me user, err error) {
	release, err = p.answering.Enter(ctx)
	if err != nil {
		return nil, user{}, p.gaveUp(post("", nil), err)
	}
	if me, err = p.me(ctx); err != nil {
		release()
		return nil, user{}, err
	}
	return release, me, nil
}

// readOpen reads a group that is to be changed: what has ended, or is not there
// any more, is provider.ErrGone.
func (p *Provider) readOpen(ctx context.Context, id string) (*group, error) {
	one, err := p.read(ctx, id)
	switch {
	case gone(err):
		return nil, provider.ErrGone
	case err != nil:
		return nil, err
	case one.State == resolved:
		return nil, provider.ErrGone
	}
	return one, nil
}

// order changes the state of a group and reads it until it shows. A refusal can
// come from a state that is newer than what we saw, so the group is read then
// as well: what it says counts more than the words of the refusal.
func (p *Provider) order(ctx context.Context, me user, before *group, what string, body any, done func(*group) (bool, error)) (page.Page, error) {
	if before.AttachedTo != "" {
		return page.Page{}, web.Invalid("This alert group is attached to another one and follows it. Answer that one; Grafana shows which it is.")
	}
	request := post("/alert_groups/"+before.ID+"/"+what+"/", body)
	p.confirmed.Change() // even a failure may have come after it was done
	_, refused := p.ask(ctx, request, nil)
	if gone(refused) {
		return page.Page{}, provider.ErrGone
	}
	if status := web.StatusOf(refused).Status; refused != nil && status != http.StatusBadRequest && status != http.StatusConflict {
		return page.Page{}, refused
	}
	for waited := time.Duration(0); ; waited += confirmEvery {
		after, err := p.read(ctx, before.ID)
		switch {
		case gone(err):
			return page.Page{}, provider.ErrGone
		case err != nil:
			return page.Page{}, err
		}
		if shows, err := done(after); shows || err != nil {
			return p.settled(ctx, me, after, err)
		}
		switch {
		case after.State == resolved:
			return page.Page{}, provider.ErrGone
		case waited >= confirmWithin && refused != nil:
			return page.Page{}, refused
		case waited >= confirmWithin:
			return page.Page{}, p.client.Failure(provider.Broken, request, "took the answer, but does not show it", "Try again, and look at its own page.", nil)
		}
		select {
		case <-ctx.Done():
			return page.Page{}, p.gaveUp(request, ctx.Err())
		case <-time.After(confirmEvery):
		}
	}
}

// settled is the page of a group that was just read, and newer than any list
// that is on its way.
func (p *Provider) settled(ctx context.Context, me user, after *group, err error) (page.Page, error) {
	if err != nil {
		return page.Page{}, err
	}
	p.readNames(ctx, after.people())
	got := p.view(me).describe(after)
	p.confirmed.Keep(got)
	return got, nil
}

// taken says who has answered instead.
func (p *Provider) taken(ctx context.Context, one *group) error {
	p.readNames(ctx, one.people())
	return &provider.TakenError{By: p.called(one.AcknowledgedBy)}
}

func (p *Provider) mayOnlyLook(what string) error {
	return &provider.Error{Kind: provider.Refused, Cause: provider.ErrUnsupported,
		Sentence: "Grafana does not let a service account " + what + ". Answer in Grafana itself now, and add the account again with an OnCall API key of your own."}
}
