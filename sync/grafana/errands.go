package grafana

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// sameErrand is how much earlier than it was asked for something may have been
// done and still be ours, because two clocks never quite agree.
const sameErrand = time.Minute

// Do resolves, silences or annotates an alert group, or pages more people for
// it. It returns the page re-read.
//
// That somebody was paged does not show in what the service tells, so an
// escalation whose answer was lost is repeated: paged twice is better than not
// at all.
func (p *Provider) Do(ctx context.Context, wanted page.Page, errand provider.Errand) (page.Page, error) {
	if !p.Capabilities().Can(errand.Deed) {
		return page.Page{}, p.cannot(errand.Deed)
	}
	release, me, err := p.toAnswer(ctx)
	if err != nil {
		return page.Page{}, err
	}
	defer release()
	switch errand.Deed {
	case provider.Resolve:
		return p.resolve(ctx, me, wanted.UpstreamID, errand)
	case provider.Snooze:
		return p.silence(ctx, me, wanted.UpstreamID, errand)
	case provider.Escalate:
		return p.pageMore(ctx, me, wanted.UpstreamID, errand)
	}
	if err := p.leaveNote(ctx, me, wanted.UpstreamID, errand); err != nil {
		return page.Page{}, err
	}
	after, err := p.read(ctx, wanted.UpstreamID)
	return p.settled(ctx, me, after, err)
}

// cannot says what to do instead of what is not possible here.
func (p *Provider) cannot(deed provider.Deed) error {
	if p.credential.onlyLooks() && deed != provider.Reassign {
		return p.mayOnlyLook(string(deed))
	}
	return &provider.Error{Kind: provider.Invalid, Cause: provider.ErrUnsupported,
		Sentence: "Grafana gives alert groups to teams and not to people, so a page cannot be handed over. Escalate it to the other person, who is paged in addition."}
}

// resolve ends a group; one that has ended already is left as it is. How it was
// resolved becomes a note.
func (p *Provider) resolve(ctx context.Context, me user, id string, errand provider.Errand) (page.Page, error) {
	before, err := p.read(ctx, id)
	if gone(err) {
		return page.Page{}, provider.ErrGone
	}
	if err != nil {
		return page.Page{}, err
	}
	var after page.Page
	if before.State == resolved {
		after, err = p.settled(ctx, me, before, nil)
	} else {
		after, err = p.order(ctx, me, before, "resolve", nil, func(now *group) (bool, error) { return now.State == resolved, nil })
	}
	if err == nil && strings.TrimSpace(errand.Text) != "" {
		err = p.leaveNote(ctx, me, id, errand)
	}
	return after, err
}

// silence quiets a group for everybody until a time. The service does that only
// while nobody has acknowledged it.
func (p *Provider) silence(ctx context.Context, me user, id string, errand provider.Errand) (page.Page, error) {
	before, err := p.readOpen(ctx, id)
	if err != nil {
		return page.Page{}, err
	}
	free := func(now *group) error {
		switch {
		case now.State != acknowledged:
			return nil
		case now.AcknowledgedBy != me.ID:
			return p.taken(ctx, now)
		}
		return web.Invalid("Grafana silences only what nobody has acknowledged, and you have acknowledged this. Take your acknowledgement back first and snooze it then, or leave it acknowledged: it is quiet as it is.")
	}
	quiet := func(now *group) (bool, error) {
		if now.State != silenced {
			return false, free(now)
		}
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.snoozes[id] = snooze{until: errand.Until.UTC(), since: now.SilencedAt}
		return true, nil
	}
	if err := free(before); err != nil {
		return page.Page{}, err
	}
	if errand.Tried && before.State == silenced && since(before.SilencedAt, errand.Asked) {
		_, err := quiet(before)
		return p.settled(ctx, me, before, err)
	}
	seconds := int(errand.Until.Sub(p.client.Now()).Round(time.Second) / time.Second)
	if seconds < 1 {
		return page.Page{}, web.Invalid("The time until which this page was to be snoozed is over, so it was not snoozed. Choose a later one.")
	}
	return p.order(ctx, me, before, "silence", map[string]int{"delay": seconds}, quiet)
}

// pageMore pages somebody in addition, by that person's ordinary rules.
func (p *Provider) pageMore(ctx context.Context, me user, id string, errand provider.Errand) (page.Page, error) {
	if !validID(errand.To.ID) {
		return page.Page{}, web.Invalid("Grafana escalates a page by paging somebody in addition. Choose whom.")
	}
	if _, err := p.readOpen(ctx, id); err != nil {
		return page.Page{}, err
	}
	p.confirmed.Change()
	var after group
	_, err := p.ask(ctx, post("/escalation/", map[string]any{
		"alert_group_id": id, "users": []map[string]any{{"id": errand.To.ID, "important": false}},
	}), &after)
	if provider.KindOf(err) == provider.Invalid && err != nil {
		if _, ended := p.readOpen(ctx, id); ended != nil {
			return page.Page{}, ended
		}
	}
	if err != nil {
		return page.Page{}, err
	}
	// The answer is the group as it is now. A second look that fails would have
	// the person paged once more.
	if after.ID == id {
		return p.settled(ctx, me, &after, nil)
	}
	again, err := p.read(ctx, id)
	return p.settled(ctx, me, again, err)
}

// leaveNote adds a note, unless an earlier try has left it already.
func (p *Provider) leaveNote(ctx context.Context, me user, id string, errand provider.Errand) error {
	wanted := strings.TrimSpace(errand.Text)
	switch {
	case wanted == "":
		return web.Invalid("A note without words is not kept. Write something into it.")
	case !validID(id):
		return web.Invalid("This page has no identity that Grafana could know, so no note can be left. Leave it in Grafana itself.")
	}
	if errand.Tried {
		notes, err := p.notes(ctx, id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(notes, func(n *note) bool {
			return n.Author == me.ID && strings.TrimSpace(n.Text) == wanted && since(n.CreatedAt, errand.Asked)
		}) {
			return nil
		}
	}
	_, err := p.ask(ctx, post("/resolution_notes/", map[string]string{"alert_group_id": id, "text": wanted}), nil)
	return err
}

// notes reads all notes of a group.
func (p *Provider) notes(ctx context.Context, id string) ([]*note, error) {
	all, _, _, err := list(ctx, p, "/resolution_notes/", url.Values{"alert_group_id": {id}}, func(n *note) string { return n.ID })
	return all, err
}

// since says that something may come from an errand that was asked for then. A
// time that cannot be read could be any.
func since(told string, asked time.Time) bool {
	at := readTime(told)
	return at.IsZero() || !at.Before(asked.Add(-sameErrand))
}
