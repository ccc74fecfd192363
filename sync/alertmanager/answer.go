package alertmanager

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// A cluster of servers tells its members of a silence within moments; so long
// the re-read waits for it, so often it looks.
const (
	confirmWithin = 2 * time.Second
	confirmEvery  = 150 * time.Millisecond
)

// Acknowledge puts a silence with all labels of the alert in place, whose
// comment names this firing, or prolongs the one that is ours already. The
// silence starts and ends by the server's clock.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	release, err := p.answering.enter(ctx)
	if err != nil {
		return page.Page{}, p.client.gaveUp(err)
	}
	defer release()

	a, err := p.find(ctx, wanted.UpstreamID)
	if err != nil {
		return page.Page{}, err
	}
	book, err := p.silencesOf(ctx, a)
	if err != nil {
		return page.Page{}, err
	}
	standing, taken := p.standing(a, book)
	if standing.ID == "" && taken != "" {
		return page.Page{}, &provider.TakenError{By: taken}
	}
	id, err := p.silence(ctx, a, standing)
	if err != nil {
		return page.Page{}, err
	}
	return p.confirm(ctx, wanted.UpstreamID, "took the acknowledgement, but still treats the alert as unanswered",
		func(a *alert, _ page.Page) bool { return slices.Contains(a.Status.SilencedBy, id) })
}

// Unacknowledge ends every silence of ours for this firing, so that the alert
// is open again for the whole team.
func (p *Provider) Unacknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	release, err := p.answering.enter(ctx)
	if err != nil {
		return page.Page{}, p.client.gaveUp(err)
	}
	defer release()

	book, err := p.readSilences(ctx)
	if err != nil {
		return page.Page{}, err
	}
	for _, one := range book.active {
		if !p.ours(one) || one.acknowledges() != wanted.UpstreamID {
			continue
		}
		err := p.expire(ctx, one)
		p.answered()
		if err != nil {
			return page.Page{}, err
		}
	}
	return p.confirm(ctx, wanted.UpstreamID, "ended the acknowledgement, but still treats the alert as answered",
		func(_ *alert, got page.Page) bool { return !got.AcknowledgedByMe })
}

// find reads one firing afresh. What is not there any more is ErrGone, unless
// the server may only have forgotten it in a restart.
func (p *Provider) find(ctx context.Context, firing string) (*alert, error) {
	p.mutex.Lock()
	var filters []string
	if p.current != nil && p.current.firings[firing] != nil {
		filters = filtersFor(p.current.firings[firing].Labels)
	}
	p.mutex.Unlock()
	found, other, err := p.search(ctx, filters, firing)
	switch {
	case err != nil:
		return nil, err
	case found != nil:
		return found, nil
	case other:
		return nil, provider.ErrGone // the alert fires anew: another page
	}
	status, err := p.askStatus(ctx)
	if err != nil {
		return nil, err
	}
	if !p.ended(firing, status.instance()) {
		return nil, p.client.failure(provider.Broken, p.client.at()+" was restarted a moment ago and has not been sent this alert again, so it cannot be acknowledged yet."+
			" If it still fires it comes back within five minutes; answer it then.", nil)
	}
	return nil, provider.ErrGone
}

// search lists alerts by conditions, regardless of what is mine, and picks out
// one firing; other says that the same alert is there with another firing.
func (p *Provider) search(ctx context.Context, filters []string, firing string) (found *alert, other bool, err error) {
	query := everyState()
	query["filter"] = filters
	var alerts alertList
	if _, err := p.client.get(ctx, "alerts", query, &alerts); err != nil {
		return nil, false, err
	}
	if err := alerts.check(); err != nil {
		return nil, false, p.client.nonsense(err)
	}
	fingerprint, _, _ := strings.Cut(firing, "@")
	for _, a := range alerts {
		a.settle()
		if a.firing == firing {
			return a, false, nil
		}
		other = other || a.Fingerprint == fingerprint
	}
	return nil, other, nil
}

// silencesOf reads afresh the silences that hold for one alert.
func (p *Provider) silencesOf(ctx context.Context, a *alert) (silenceBook, error) {
	if len(a.Status.SilencedBy) > 3 {
		return p.readSilences(ctx)
	}
	book := silenceBook{active: map[string]silence{}}
	for _, id := range a.Status.SilencedBy {
		var one silence
		_, err := p.client.get(ctx, "silence/"+id, nil, &one)
		if noSuchSilence(err) {
			continue
		}
		if err != nil {
			return silenceBook{}, err
		}
		if one.active() {
			book.active[id] = one
		}
	}
	return book, nil
}

// standing finds our own acknowledgement of this firing, the one that lasts
// longest, and the name of somebody else who acknowledged it.
func (p *Provider) standing(a *alert, book silenceBook) (mine silence, taken string) {
	for _, id := range a.Status.SilencedBy {
		one := book.active[id]
		switch {
		case one.acknowledges() != a.firing:
		case !p.ours(one):
			taken = plain(one.CreatedBy, maxLabel)
			if taken == "" {
				taken = "Somebody without a name"
			}
		case mine.ID == "" || readTime(one.EndsAt).After(readTime(mine.EndsAt)):
			mine = one
		}
	}
	return mine, taken
}

// silence posts our acknowledgement and returns its id. With a standing one it
// is prolonged, never shortened.
func (p *Provider) silence(ctx context.Context, a *alert, standing silence) (string, error) {
	now := p.client.serverNow()
	ends := now.Add(p.options.AckLasts)
	request := silence{
		// A start in the past becomes now at the server; one second in the
		// future would leave the alert unanswered for that second.
		StartsAt:  now.Add(-5 * time.Second).Format(time.RFC3339Nano),
		EndsAt:    ends.Format(time.RFC3339Nano),
		CreatedBy: p.options.User,
		Comment:   commentFor(p.options.User, a.firing),
	}
	equal := true
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		request.Matchers = append(request.Matchers, matcher{Name: name, Value: a.Labels[name], IsEqual: &equal})
	}
	if standing.ID != "" {
		prolonged := standing
		prolonged.Status = nil
		if readTime(standing.EndsAt).Before(ends) {
			prolonged.EndsAt = request.EndsAt
		}
		id, err := p.postSilence(ctx, prolonged)
		if !noSuchSilence(err) {
			return id, err
		}
		// It ran out in this very moment: make a new one.
	}
	return p.postSilence(ctx, request)
}

func (p *Provider) postSilence(ctx context.Context, request silence) (string, error) {
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	err := p.client.post(ctx, "silences", request, &made)
	p.answered() // even a failure may have come after the server took it
	if err != nil {
		return "", err
	}
	if made.SilenceID == "" {
		return "", p.client.nonsense(errors.New("a silence without an id"))
	}
	return made.SilenceID, nil
}

// expire ends a silence; one that is not there is ended already.
func (p *Provider) expire(ctx context.Context, one silence) error {
	err := p.client.delete(ctx, "silence/"+one.ID)
	if noSuchSilence(err) {
		return nil
	}
	return err
}

// confirmation is a page as it was read after its answer.
type confirmation struct {
	page  page.Page
	order int
}

// answered tells the polling lane that what it read is older than an answer.
func (p *Provider) answered() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests++
	p.silences.readAt = time.Time{}
}

// confirm reads the page again until it shows what the answer was meant to do.
func (p *Provider) confirm(ctx context.Context, firing, otherwise string, done func(*alert, page.Page) bool) (page.Page, error) {
	for waited := time.Duration(0); ; waited += confirmEvery {
		a, err := p.find(ctx, firing)
		if err != nil {
			return page.Page{}, err
		}
		book, err := p.silencesOf(ctx, a)
		if err != nil {
			return page.Page{}, err
		}
		got := p.describe(a)
		p.judge(&got, a, book, p.names())
		if done(a, got) {
			p.mutex.Lock()
			p.requests++
			p.confirmed[firing] = confirmation{got, p.requests}
			p.mutex.Unlock()
			return got, nil
		}
		if waited >= confirmWithin {
			return page.Page{}, p.client.failure(provider.Broken, p.client.at()+" "+otherwise+". Try again, and look at its own page.", nil)
		}
		select {
		case <-ctx.Done():
			return page.Page{}, p.client.gaveUp(ctx.Err())
		case <-time.After(confirmEvery):
		}
	}
}

// names are the alerts' names by fingerprint, as last listed.
func (p *Provider) names() map[string]string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.current == nil {
		return nil
	}
	return p.current.names
}
