package pagerduty

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	// A snooze is sent as a span and kept as an instant, and the request takes
	// its time; so far apart the two are the same snooze.
	snoozeSlack = time.Minute
	// PagerDuty's clock is known, and its log is written, to the second.
	clockSlack = 3 * time.Second
)

// errand is a deed on its way, with whom it is done for.
type errand struct {
	provider.Errand
	wanted page.Page
	me     user
}

// Do runs an errand in this user's name, looking at the incident first.
// Reassigning takes the incident out of its escalation policy: it is not handed
// on any more. An escalation goes to the next level at which somebody is on
// call, whoever errand.To is.
func (p *Provider) Do(ctx context.Context, wanted page.Page, asked provider.Errand) (page.Page, error) {
	if !p.Capabilities().Can(asked.Deed) {
		return page.Page{}, &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported,
			Sentence: "PagerDuty does not let this key do that, so nothing was sent. Do it in PagerDuty itself, and use a key of somebody who may."}
	}
	release, err := p.answering.Enter(ctx)
	if err != nil {
		return page.Page{}, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return page.Page{}, err
	}
	e := errand{asked, wanted, me}
	after, err := p.do(ctx, e)
	if codeOf(err) == codeChangedMeanwhile {
		e.Tried = true
		after, err = p.do(ctx, e) // once more, looking afresh
	}
	return after, err
}

func (p *Provider) do(ctx context.Context, e errand) (page.Page, error) {
	before, err := p.read(ctx, e.wanted.UpstreamID)
	if err != nil {
		return page.Page{}, err
	}
	if e.Deed == provider.Note {
		return p.note(ctx, e)
	}
	if before.Status == string(page.Resolved) {
		if e.Deed == provider.Resolve {
			return p.describe(before, e.me), nil
		}
		return page.Page{}, provider.ErrGone
	}
	if e.Tried {
		done, err := p.didBefore(ctx, e)
		if err != nil {
			return page.Page{}, err
		}
		if done {
			return p.describe(before, e.me), nil
		}
	}
	switch e.Deed {
	case provider.Resolve:
		return p.resolve(ctx, e)
	case provider.Snooze:
		return p.snooze(ctx, e, before)
	case provider.Escalate:
		return p.escalate(ctx, e, before)
	}
	return p.reassign(ctx, e, before)
}

func (p *Provider) resolve(ctx context.Context, e errand) (page.Page, error) {
	fields := map[string]any{"status": page.Resolved}
	if e.Text != "" {
		fields["resolution"] = e.Text
	}
	if _, err := p.set(ctx, e.wanted, e.me, fields); err != nil && codeOf(err) != codeAlreadyResolved {
		return page.Page{}, err
	}
	return p.reread(ctx, e.wanted, e.me, "the order to resolve it", func(after *incident) (bool, error) {
		return after.Status == string(page.Resolved), nil
	})
}

// snooze keeps an incident quiet that is acknowledged, by this user and before
// anything else.
func (p *Provider) snooze(ctx context.Context, e errand, before *incident) (page.Page, error) {
	sleeps := func(one *incident) bool {
		return one.Status == string(page.Acknowledged) && one.runsOutAt().Sub(e.Until).Abs() <= snoozeSlack
	}
	mine := before.acknowledgedBy(e.me.ID)
	if e.Tried && mine && sleeps(before) {
		return p.describe(before, e.me), nil
	}
	lasts := int(math.Ceil(e.Until.Sub(p.client.Now()).Seconds()))
	switch {
	case lasts < 1:
		return page.Page{}, web.Invalid("The time until which you wanted the page to sleep is over, so nothing was sent. Snooze it again with a later time.")
	case lasts > int(LongestSnooze/time.Second):
		return page.Page{}, web.Invalid("PagerDuty lets a page sleep for a week at most, so nothing was sent. Choose an earlier time.")
	case !mine:
		if err := p.answer(ctx, e.wanted, e.me); err != nil {
			return page.Page{}, err
		}
	}
	if err := p.post(ctx, e, "/snooze", map[string]any{"duration": lasts}); err != nil {
		return page.Page{}, err
	}
	return p.reread(ctx, e.wanted, e.me, "the snooze", func(after *incident) (bool, error) {
		if after.Status == string(page.Resolved) {
			return false, provider.ErrGone
		}
		return sleeps(after), nil
	})
}

func (p *Provider) reassign(ctx context.Context, e errand, before *incident) (page.Page, error) {
	if !validID(e.To.ID) {
		return page.Page{}, web.Invalid("That is nobody whom PagerDuty could know, so the page was not given away. Choose somebody from its list.")
	}
	theirs := func(one *incident) bool {
		return len(one.Assignments) == 1 && one.Assignments[0].Assignee.ID == e.To.ID
	}
	if theirs(before) && before.Via == "direct_assignment" {
		return p.describe(before, e.me), nil
	}
	_, err := p.set(ctx, e.wanted, e.me, map[string]any{"assignments": []any{
		map[string]any{"assignee": map[string]string{"id": e.To.ID, "type": "user_reference"}},
	}})
	if err != nil {
		return page.Page{}, gone(err)
	}
	return p.reread(ctx, e.wanted, e.me, "the order to give it away", func(after *incident) (bool, error) {
		if after.Status == string(page.Resolved) {
			return false, provider.ErrGone
		}
		return theirs(after), nil
	})
}

func (p *Provider) escalate(ctx context.Context, e errand, before *incident) (page.Page, error) {
	level, err := p.levelAbove(ctx, before, e.me)
	if err != nil {
		return page.Page{}, err
	}
	answer, err := p.set(ctx, e.wanted, e.me, map[string]any{"escalation_level": level})
	switch codeOf(err) {
	case codeCannotEscalate, codeNobodyOnCall:
		return page.Page{}, p.nobodyAbove(err)
	}
	if err != nil {
		return page.Page{}, gone(err)
	}
	return p.reread(ctx, e.wanted, e.me, "the escalation", func(after *incident) (bool, error) {
		if after.Status == string(page.Resolved) {
			return false, provider.ErrGone
		}
		return answer.ID == "" || after.holders() == answer.holders(), nil
	})
}

// logged is how PagerDuty's log calls what was done.
var logged = map[provider.Deed]string{
	provider.Resolve: "resolve_log_entry", provider.Snooze: "snooze_log_entry",
	provider.Escalate: "escalate_log_entry", provider.Reassign: "assign_log_entry",
}

// didBefore looks in the log whether an earlier try arrived. Whatever became of
// the incident since, it is not done to it again.
func (p *Provider) didBefore(ctx context.Context, e errand) (bool, error) {
	entries, err := p.logOf(ctx, e.wanted.UpstreamID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(entries, func(one *logEntry) bool {
		return one != nil && one.Type == logged[e.Deed] && one.Agent.ID == e.me.ID && p.since(e, one.CreatedAt)
	}), nil
}

// since says that something at PagerDuty happened after the errand was asked
// for here, by whatever clock.
func (p *Provider) since(e errand, at string) bool {
	asked := p.client.Now().Add(e.Asked.Sub(p.now()))
	return !readTime(at).Before(asked.Add(-clockSlack))
}

// levelAbove is the first level above those who have the incident at which
// somebody is on call. Where it was given to people directly it is the first
// above this user, or the lowest of all.
func (p *Provider) levelAbove(ctx context.Context, one *incident, me user) (int, error) {
	now := p.client.Now()
	shifts, err := p.onCalls(ctx, one.Policy.ID, now.Add(-onCallsAround), now.Add(onCallsAround))
	if err != nil {
		if provider.KindOf(err) == provider.Refused {
			return 2, nil // who is on call is not for us to see; the second is who helps the first
		}
		return 0, err
	}
	from := 0
	for _, s := range shifts {
		since, holds := now, s.who.ID == me.ID
		if one.Via != "direct_assignment" {
			since, holds = one.heldSince(s.who.ID)
		}
		if holds && (s.covers(since) || s.covers(now)) {
			from = max(from, s.level)
		}
	}
	above := math.MaxInt
	for _, s := range shifts {
		if s.level > from && s.covers(now) {
			above = min(above, s.level)
		}
	}
	if above == math.MaxInt {
		return 0, p.nobodyAbove(nil)
	}
	return above, nil
}

func (p *Provider) nobodyAbove(cause error) error {
	return p.client.Failure(provider.Invalid, changing, "has nobody on call above whoever has this page, so it was not escalated",
		"Reassign it to somebody, or call them.", cause)
}

// note adds a text. Notes have no mark of their own against repeating, so that
// after an unclear try they are listed first.
func (p *Provider) note(ctx context.Context, e errand) (page.Page, error) {
	text := strings.TrimSpace(e.Text)
	if text == "" {
		return page.Page{}, web.Invalid("A note without words cannot be added. Write something first.")
	}
	there := false
	if e.Tried {
		notes, err := p.notesOf(ctx, e.wanted.UpstreamID)
		if err != nil {
			return page.Page{}, err
		}
		there = slices.ContainsFunc(notes, func(one *remark) bool {
			return one != nil && one.User.ID == e.me.ID && strings.TrimSpace(one.Content) == text && p.since(e, one.CreatedAt)
		})
	}
	if !there {
		if err := p.post(ctx, e, "/notes", map[string]any{"note": map[string]string{"content": text}}); err != nil {
			return page.Page{}, err
		}
	}
	after, err := p.read(ctx, e.wanted.UpstreamID)
	if err != nil {
		return page.Page{}, err
	}
	return p.describe(after, e.me), nil
}

func (p *Provider) post(ctx context.Context, e errand, resource string, body any) error {
	defer p.confirmed.Change()
	return gone(p.client.change(ctx, http.MethodPost, "/incidents/"+e.wanted.UpstreamID+resource, e.me.Email, body, &struct{}{}))
}

// gone puts the fact in the place of PagerDuty's complaint about it.
func gone(err error) error {
	if codeOf(err) == codeAlreadyResolved {
		return provider.ErrGone
	}
	return err
}
