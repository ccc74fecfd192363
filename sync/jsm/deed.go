package jsm

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// longestNote is the most letters that a note may have.
const longestNote = 25_000

// Do runs an errand. An escalation with somebody named in it pages that person
// as one more responder; without, it takes the next step of the escalation
// policy that the alert came by.
func (p *Provider) Do(ctx context.Context, wanted page.Page, errand provider.Errand) (page.Page, error) {
	if !p.Capabilities().Can(errand.Deed) {
		return page.Page{}, &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported,
			Sentence: "Nightstand knows no such deed at " + p.dialect.name + ". Do it in the service itself."}
	}
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
	after := before
	if !before.closed() || errand.Deed == provider.Note {
		if after, err = p.do(ctx, before, me, errand); err != nil {
			return page.Page{}, err
		}
	} else if errand.Deed != provider.Resolve {
		return page.Page{}, provider.ErrGone
	}
	_ = p.readNames(ctx, after.people()) // it is in the log, and nobody waits for a name
	return p.confirm(p.describe(after, me, wanted.Mine)), nil
}

func (p *Provider) do(ctx context.Context, before *alert, me user, errand provider.Errand) (*alert, error) {
	o, err := p.orderFor(ctx, before, me, errand)
	if err != nil {
		return nil, err
	}
	if errand.Tried {
		if done, err := o.done(ctx, before); err != nil || done {
			return before, err
		}
	}
	return p.carryOut(ctx, before.ID, o)
}

// orderFor turns an errand into an order.
func (p *Provider) orderFor(ctx context.Context, before *alert, me user, errand provider.Errand) (order, error) {
	switch errand.Deed {
	case provider.Resolve:
		return p.closing(ctx, before, me, errand)
	case provider.Snooze:
		return p.snoozing(ctx, before, me, errand.Until)
	case provider.Escalate:
		return p.escalating(ctx, before, me, errand)
	case provider.Reassign:
		return p.reassigning(before, me, errand.To)
	}
	return p.noting(before.ID, me, errand)
}

// closing says how it was resolved in the same breath where the service can,
// and in a note before that where it cannot.
func (p *Provider) closing(ctx context.Context, before *alert, me user, errand provider.Errand) (order, error) {
	o := order{path: "close", body: p.signed(nil), shows: (*alert).closed}
	if strings.TrimSpace(errand.Text) == "" {
		return o, nil
	}
	if p.dialect.signed {
		o.body["note"] = note(errand.Text)
		return o, nil
	}
	noting, err := p.noting(before.ID, me, errand)
	if err != nil {
		return order{}, err
	}
	if there, err := noting.traces(ctx); err != nil || there {
		return o, err
	}
	_, err = p.carryOut(ctx, before.ID, noting)
	return o, err
}

func (p *Provider) snoozing(ctx context.Context, before *alert, me user, until time.Time) (order, error) {
	if before.answered() && !me.is(before.answeredBy()) {
		_ = p.readNames(ctx, before.people()) // without a name, the sentence says so
		return order{}, p.taken(before)
	}
	if !until.After(p.client.Now()) {
		return order{}, p.refuse("was not asked to let this page sleep, because the time to wake is over already. Choose a later one.")
	}
	return order{
		path: "snooze", body: p.signed(map[string]any{"endTime": stamp(until)}), hopeless: ended,
		shows: func(one *alert) bool { return one.sleepsUntil().Sub(until).Abs() < 2*time.Second },
	}, nil
}

func (p *Provider) reassigning(before *alert, me user, to page.Person) (order, error) {
	if !validID(to.ID) {
		return order{}, p.refuse("was not asked to give this page to anybody, because nobody was named. Choose somebody.")
	}
	other := userFrom(to)
	return order{
		path: "assign", body: p.signed(p.dialect.assign(to)), hopeless: ended,
		// Opsgenie knows people by ids and writes them by their addresses, so
		// that the new owner may not be known again.
		shows: func(one *alert) bool {
			return other.is(one.Owner) || one.Owner != "" && one.Owner != before.Owner && !me.is(one.Owner)
		},
	}, nil
}

func (p *Provider) escalating(ctx context.Context, before *alert, me user, errand provider.Errand) (order, error) {
	if who := errand.To; who.ID != "" {
		return order{
			path: "responders", body: p.signed(p.dialect.bringIn(who)), hopeless: ended,
			shows: func(one *alert) bool { return one.names(userFrom(who)) },
		}, nil
	}
	policy, err := p.policyOf(ctx, before)
	if err != nil {
		return order{}, err
	}
	return order{
		path: "escalate", body: p.signed(p.dialect.escalate(policy)), hopeless: ended,
		traces: func(ctx context.Context) (bool, error) { return p.escalated(ctx, before.ID, me, errand.Asked) },
	}, nil
}

// policyOf finds the one escalation policy of an alert: a responder, or that
// of the team that is one. A guess would wake the wrong people.
func (p *Provider) policyOf(ctx context.Context, one *alert) (string, error) {
	var policies []string
	for _, r := range one.Responders {
		switch {
		case r == nil || !validID(r.ID):
		case strings.EqualFold(r.Type, "escalation"):
			return r.ID, nil
		case strings.EqualFold(r.Type, "team"):
			of, err := p.policiesOf(ctx, r.ID)
			if err != nil {
				return "", err
			}
			policies = append(policies, of...)
		}
	}
	if len(policies) != 1 {
		return "", p.refuse("does not tell by which escalation policy this page goes on, so it was not escalated. Give it to somebody by name, or escalate it in the service itself.")
	}
	return policies[0], nil
}

func (p *Provider) policiesOf(ctx context.Context, team string) ([]string, error) {
	type policy struct {
		ID    string `json:"id"`
		Owner struct {
			ID string `json:"id"`
		} `json:"ownerTeam"`
	}
	all, err := readAll[*policy](ctx, p, p.dialect.ops+p.dialect.escalations(team), url.Values{}, "offset")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range all {
		if one != nil && validID(one.ID) && (one.Owner.ID == "" || one.Owner.ID == team) {
			ids = append(ids, one.ID)
		}
	}
	return ids, nil
}

// escalated looks into the log for an escalation by this user since then.
func (p *Provider) escalated(ctx context.Context, id string, me user, since time.Time) (bool, error) {
	entries, err := p.history(ctx, id)
	return slices.ContainsFunc(entries, func(one entryOfLog) bool {
		return recent(one.at(), since) && me.is(one.Owner) && strings.Contains(strings.ToLower(one.Log), "escalat")
	}), err
}

func (p *Provider) noting(id string, me user, errand provider.Errand) (order, error) {
	text := note(errand.Text)
	if text == "" {
		return order{}, p.refuse("was sent no note, because nothing stands in it. Write something.")
	}
	return order{
		path: "notes", body: p.signed(map[string]any{"note": text}),
		traces: func(ctx context.Context) (bool, error) {
			notes, err := p.notes(ctx, id)
			return slices.ContainsFunc(notes, func(one remark) bool {
				return recent(one.at(), errand.Asked) && me.is(one.Owner) && strings.TrimSpace(one.Note) == text
			}), err
		},
	}, nil
}

// note cuts a text to what the service takes.
func note(text string) string { return page.PlainLines(strings.TrimSpace(text), longestNote-1) }

// recent says that something happened since it was asked for, with a minute
// for clocks that differ.
func recent(at, since time.Time) bool {
	return since.IsZero() || at.IsZero() || at.After(since.Add(-time.Minute))
}
