package jsm

import (
	"context"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Acknowledge answers one alert in this user's name. It looks at the alert
// first, because an answer to what has ended, or what is another's, would only
// be noise. An acknowledgement does not run out here, so one that is there is
// not repeated.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	return p.answer(ctx, wanted, func(before *alert, me user) (*alert, error) {
		switch {
		case before.answered() && me.is(before.answeredBy()):
			return before, nil
		case before.answered():
			return nil, p.taken(before)
		case before.Owner != "" && !me.is(before.Owner):
			return nil, p.refuse("has given this page to " + p.somebody(before.Owner) + " meanwhile, so your acknowledgement was not sent. It is not yours any more tonight; call them if you want it back.")
		}
		return p.carryOut(ctx, before.ID, order{
			path: "acknowledge", body: p.signed(nil), shows: (*alert).answered, hopeless: ended,
		})
	}, func(after *alert, me user) (page.Page, error) {
		got := p.describe(after, me, true)
		switch {
		case got.AcknowledgedByMe:
		case after.answeredBy() != "":
			return page.Page{}, p.taken(after)
		default:
			// It shows an acknowledgement after ours, and names nobody.
			got.AcknowledgedBy, got.AcknowledgedByMe = me.called(), true
		}
		return got, nil
	})
}

// Unacknowledge takes this user's own answer back.
func (p *Provider) Unacknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	return p.answer(ctx, wanted, func(before *alert, me user) (*alert, error) {
		switch {
		case !before.answered():
			return before, nil
		case before.answeredBy() != "" && !me.is(before.answeredBy()):
			return nil, p.taken(before)
		}
		return p.carryOut(ctx, before.ID, order{
			path: "unacknowledge", body: p.signed(nil), hopeless: ended,
			shows: func(one *alert) bool { return !one.answered() && !one.closed() },
		})
	}, func(after *alert, me user) (page.Page, error) {
		return p.describe(after, me, wanted.Mine), nil
	})
}

// answer looks at an alert afresh, changes it, and describes it as it is then.
func (p *Provider) answer(ctx context.Context, wanted page.Page,
	change func(before *alert, me user) (*alert, error), describe func(after *alert, me user) (page.Page, error)) (page.Page, error) {
	leave, err := p.enter(ctx, p.answering)
	if err != nil {
		return page.Page{}, err
	}
	defer leave()
	me, err := p.me(ctx)
	if err != nil {
		return page.Page{}, err
	}
	before, err := p.read(ctx, wanted.UpstreamID)
	if err != nil {
		return page.Page{}, err
	}
	_ = p.readNames(ctx, before.people()) // for the sentences; without names they say so
	if before.closed() {
		return page.Page{}, provider.ErrGone
	}
	after, err := change(before, me)
	if err != nil {
		return page.Page{}, err
	}
	got, err := describe(after, me)
	if err != nil {
		return page.Page{}, err
	}
	return p.confirm(got), nil
}

// signed adds in whose name a change is made, where the credential does not say.
func (p *Provider) signed(body map[string]any) map[string]any {
	if !p.dialect.signed {
		return body
	}
	if body == nil {
		body = map[string]any{}
	}
	body["user"], body["source"] = p.options.User, "Nightstand"
	return body
}

func (p *Provider) taken(one *alert) error {
	return &provider.TakenError{By: p.somebody(one.answeredBy())}
}

// ended is why nothing can come of a change any more.
func ended(one *alert) error {
	if one.closed() {
		return provider.ErrGone
	}
	return nil
}
