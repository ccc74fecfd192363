package goalert

import (
	"context"
	"errors"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// clockSlack is by how much a time of ours may be off at GoAlert, whose Date
// header has whole seconds.
const clockSlack = 2 * time.Second

// Do closes an alert, which is final, or escalates it. GoAlert has nothing that
// snoozes, gives away or keeps a note; those are provider.ErrUnsupported.
func (p *Provider) Do(ctx context.Context, wanted page.Page, errand provider.Errand) (page.Page, error) {
	if !p.Capabilities().Can(errand.Deed) {
		return page.Page{}, refusal(errand.Deed)
	}
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
	if errand.Deed == provider.Resolve {
		return p.resolve(ctx, wanted, before, err, me)
	}
	if err != nil {
		return page.Page{}, err
	}
	return p.escalate(ctx, wanted, before, errand, me)
}

func refusal(deed provider.Deed) error {
	switch deed {
	case provider.Snooze:
		return unsupported("GoAlert cannot snooze. Acknowledge the alert instead: that stops its escalation, and it does not run out.")
	case provider.Reassign:
		return unsupported("GoAlert gives an alert to nobody in particular. Escalate it to call the next step, or call the person yourself.")
	case provider.Note:
		return unsupported("GoAlert keeps no notes. Write it down where your team keeps its log of incidents.")
	case provider.Escalate:
		return unsupported("An API key cannot escalate from here. Do it in GoAlert itself, or add the account with a user name and password.")
	}
	return unsupported("GoAlert cannot do that. Look what can be done in GoAlert itself.")
}

// resolve closes an alert, unless it has ended already.
func (p *Provider) resolve(ctx context.Context, wanted page.Page, before *alert, err error, me user) (page.Page, error) {
	switch {
	case errors.Is(err, provider.ErrGone): // closed, and cleared away since
		wanted.Status = page.Resolved
		return wanted, nil
	case err != nil:
		return page.Page{}, err
	case before.Status == statusClosed:
		return p.settle(before, me), nil
	}
	if err := p.update(ctx, before, statusClosed); err != nil {
		return page.Page{}, err
	}
	return p.confirm(ctx, wanted, me, page.Resolved)
}

// escalate calls the next step. It would take an acknowledgement away, so one
// by somebody else that the person has not seen is left alone.
func (p *Provider) escalate(ctx context.Context, wanted page.Page, before *alert, errand provider.Errand, me user) (page.Page, error) {
	now := p.describe(before, me)
	asked := errand.Asked.Add(p.client.Now().Sub(p.now().UTC()) - clockSlack)
	switch {
	case now.Status == page.Resolved:
		return page.Page{}, provider.ErrGone
	case errand.Tried && before.escalationAskedBy(me.name(), asked):
		return p.settle(before, me), nil
	case now.Status == page.Acknowledged && !now.AcknowledgedByMe && now.AcknowledgedBy != wanted.AcknowledgedBy:
		return page.Page{}, &provider.TakenError{By: now.AcknowledgedBy}
	}
	if err := p.askEscalation(ctx, before); err != nil {
		return page.Page{}, err
	}
	after, err := p.lookOne(ctx, wanted)
	if err != nil {
		return page.Page{}, err
	}
	got := p.settle(after, me)
	if after.escalated() == before.escalated() {
		// GoAlert goes to the next step within some five seconds; until then the
		// time that is told is that of the step before.
		got.EscalatesAt = time.Time{}
	}
	return got, nil
}

func (p *Provider) askEscalation(ctx context.Context, one *alert) error {
	number, err := readID(one.identity())
	if err != nil {
		return p.nonsense("an alert without a number")
	}
	defer p.confirmed.Change()
	var answer struct{}
	_, err = p.ask(ctx, question{
		operation: "Escalate", document: documentEscalate, changes: true,
		variables: map[string]any{"alerts": []int{number}}, // GoAlert takes one at a time
	}, &answer)
	switch {
	case says(err, saidClosed), says(err, saidUnknown):
		return provider.ErrGone
	case says(err, saidEscalated):
		return nil // somebody asked for the same at the same time
	}
	return err
}

// escalationAskedBy says that somebody has asked for the next step since then.
func (a *alert) escalationAskedBy(name string, since time.Time) bool {
	if a.Log == nil {
		return false
	}
	for _, line := range a.Log.Nodes {
		if line != nil && strings.HasPrefix(line.Message, "Escalation requested") && line.who() == name && !readTime(line.At).Before(since) {
			return true
		}
	}
	return false
}
