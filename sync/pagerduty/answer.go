package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// What PagerDuty took shows in its next answer or within moments; so long the
// re-read waits for it, so often it looks.
const (
	confirmWithin = 2 * time.Second
	confirmEvery  = 200 * time.Millisecond
)

// Acknowledge answers one incident in this user's name. It looks at the
// incident first: an acknowledgement of a resolved incident would open it
// again, and one of somebody else's would only be noise.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	release, err := p.answering.enter(ctx)
	if err != nil {
		return page.Page{}, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return page.Page{}, err
	}
	if err = p.answer(ctx, wanted, me); codeOf(err) == codeChangedMeanwhile {
		err = p.answer(ctx, wanted, me) // once more, looking afresh
	}
	if err != nil {
		return page.Page{}, err
	}
	return p.confirm(ctx, wanted, me)
}

// answer looks whether an acknowledgement is still wanted, and sends it.
func (p *Provider) answer(ctx context.Context, wanted page.Page, me user) error {
	before, err := p.read(ctx, wanted.UpstreamID)
	if err != nil {
		return err
	}
	switch {
	case before.Status == string(page.Resolved):
		return provider.ErrGone
	case before.acknowledgedBy(me.ID): // ours already; answering again extends it
	case before.Status == string(page.Acknowledged):
		return &provider.TakenError{By: before.answeredBy().name()}
	case !before.assignedTo(me.ID):
		return p.client.failure(provider.Invalid, fmt.Sprintf("has given this page to %s meanwhile, so your acknowledgement was not sent. It is not yours any more tonight; call them if you want it back.",
			before.Assignments[0].Assignee.name()), nil)
	}
	// Even a failure may have come after PagerDuty took it.
	defer p.answered()
	err = p.client.put(ctx, "/incidents/"+wanted.UpstreamID, me.Email, map[string]any{
		"incident": map[string]string{"type": "incident_reference", "status": string(page.Acknowledged)},
	}, &struct{}{})
	switch codeOf(err) {
	case codeAlreadyAcknowledged:
		return nil // whose it is, the re-read will tell
	case codeAlreadyResolved:
		return provider.ErrGone
	}
	return err
}

// confirm reads the incident again until it shows our acknowledgement.
func (p *Provider) confirm(ctx context.Context, wanted page.Page, me user) (page.Page, error) {
	for waited := time.Duration(0); ; waited += confirmEvery {
		after, err := p.read(ctx, wanted.UpstreamID)
		if err != nil {
			return page.Page{}, err
		}
		switch {
		case after.Status == string(page.Resolved):
			return page.Page{}, provider.ErrGone
		case after.Status == string(page.Acknowledged) && after.acknowledgedBy(me.ID):
			got := p.describe(after, me)
			p.mutex.Lock()
			p.requests++
			p.confirmed[got.UpstreamID] = confirmation{got, p.requests}
			p.mutex.Unlock()
			return got, nil
		case after.Status == string(page.Acknowledged) && len(after.Acknowledgements) > 0:
			return page.Page{}, &provider.TakenError{By: after.answeredBy().name()}
		}
		if waited >= confirmWithin {
			return page.Page{}, p.client.failure(provider.Broken, "took the acknowledgement, but does not show it."+meaning(http.MethodPut)+" Try again, and look at its own page.", nil)
		}
		select {
		case <-ctx.Done():
			return page.Page{}, p.client.gaveUp(ctx.Err())
		case <-time.After(confirmEvery):
		}
	}
}

// answered tells the polling lane that what it is reading is older than an answer.
func (p *Provider) answered() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests++
}

// Unacknowledge is not possible: nothing in PagerDuty's API takes an
// acknowledgement back. The error says what can be done instead, and is
// provider.ErrUnsupported underneath; nothing is sent.
func (p *Provider) Unacknowledge(context.Context, page.Page) (page.Page, error) {
	return page.Page{}, &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported,
		Sentence: "PagerDuty cannot take an acknowledgement back, so this page stays yours. If you cannot work on it, bring in the secondary."}
}
