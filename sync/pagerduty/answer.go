package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
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
	release, err := p.answering.Enter(ctx)
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
	case before.acknowledgedBy(me.ID) && wanted.Status == page.Triggered:
		return nil // an earlier try arrived, or a snooze went first, which answering again would end
	case before.acknowledgedBy(me.ID): // ours already; answering again extends it
	case before.Status == string(page.Acknowledged):
		return &provider.TakenError{By: before.answeredBy().name()}
	case !before.assignedTo(me.ID):
		return p.client.Failure(provider.Invalid, changing, fmt.Sprintf("has given this page to %s meanwhile, so yours was not sent", before.Assignments[0].Assignee.name()),
			"It is not yours any more tonight; call them if you want it back.", nil)
	}
	_, err = p.set(ctx, wanted, me, map[string]any{"status": page.Acknowledged})
	switch codeOf(err) {
	case codeAlreadyAcknowledged:
		return nil // whose it is, the re-read will tell
	case codeAlreadyResolved:
		return provider.ErrGone
	}
	return err
}

// changing is what the client says of an order that failed.
var changing = web.Request{Method: http.MethodPut}

// set changes fields of an incident, and returns it as PagerDuty answers.
func (p *Provider) set(ctx context.Context, wanted page.Page, me user, fields map[string]any) (incident, error) {
	// Even a failure may have come after PagerDuty took it.
	defer p.confirmed.Change()
	fields["type"] = "incident_reference"
	var answer struct {
		Incident incident `json:"incident"`
	}
	err := p.client.change(ctx, http.MethodPut, "/incidents/"+wanted.UpstreamID, me.Email, map[string]any{"incident": fields}, &answer)
	return answer.Incident, err
}

// confirm reads the incident again until it shows our acknowledgement.
func (p *Provider) confirm(ctx context.Context, wanted page.Page, me user) (page.Page, error) {
	return p.reread(ctx, wanted, me, "the acknowledgement", func(after *incident) (bool, error) {
		switch {
		case after.Status == string(page.Resolved):
			return false, provider.ErrGone
		case after.Status == string(page.Acknowledged) && after.acknowledgedBy(me.ID):
			return true, nil
		case after.Status == string(page.Acknowledged) && len(after.Acknowledgements) > 0:
			return false, &provider.TakenError{By: after.answeredBy().name()}
		}
		return false, nil
	})
}

// reread reads the incident again until it shows what was done to it.
func (p *Provider) reread(ctx context.Context, wanted page.Page, me user, what string, shows func(*incident) (bool, error)) (page.Page, error) {
	for waited := time.Duration(0); ; waited += confirmEvery {
		after, err := p.read(ctx, wanted.UpstreamID)
		if err != nil {
			return page.Page{}, err
		}
		shown, err := shows(after)
		if err != nil {
			return page.Page{}, err
		}
		if shown {
			got := p.describe(after, me)
			p.confirmed.Keep(got)
			return got, nil
		}
		if waited >= confirmWithin {
			return page.Page{}, p.client.Failure(provider.Broken, changing, "took "+what+", but does not show it", "Try again, and look at its own page.", nil)
		}
		select {
		case <-ctx.Done():
			return page.Page{}, p.client.gaveUp(ctx.Err())
		case <-time.After(confirmEvery):
		}
	}
}

// Unacknowledge is not possible: nothing in PagerDuty's API takes an
// acknowledgement back. The error says what can be done instead, and is
// provider.ErrUnsupported underneath; nothing is sent.
func (p *Provider) Unacknowledge(context.Context, page.Page) (page.Page, error) {
	return page.Page{}, &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported,
		Sentence: "PagerDuty cannot take an acknowledgement back, so this page stays yours. If you cannot work on it, bring in the secondary."}
}
