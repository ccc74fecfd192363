package alertmanager

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
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

// postsAtOnce is how many silences are on their way at the same time. The
// server sets no limit to it; we stay a polite guest.
const postsAtOnce = 4

// Acknowledge puts a silence with all labels of the alert in place, whose
// comment names this firing, or prolongs the one that is ours already. The
// silence starts and ends by the server's clock.
func (p *Provider) Acknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	answer := p.AcknowledgeAll(ctx, []page.Page{wanted})[0]
	return answer.After, answer.Err
}

// AcknowledgeAll looks once, posts a silence for each page that still wants
// one, a few at a time, and looks once more. It reads long lists whole, so that
// many pages cost hardly more reading than one.
func (p *Provider) AcknowledgeAll(ctx context.Context, wanted []page.Page) []provider.Answer {
	return p.quietAll(ctx, wanted, time.Time{})
}

// quietAll puts silences of ours in place, or prolongs those there are: until
// this instant, or, where it is zero, for as long as an acknowledgement lasts.
func (p *Provider) quietAll(ctx context.Context, wanted []page.Page, until time.Time) []provider.Answer {
	after, failed := p.silenceFirings(ctx, wanted, until)
	answers := make([]provider.Answer, len(wanted))
	for i, one := range wanted {
		if err := failed[one.UpstreamID]; err != nil {
			answers[i].Err = err
		} else {
			answers[i].After = after[one.UpstreamID]
		}
	}
	return answers
}

// silenceFirings returns the pages re-read and the errors of the others, both
// by firing.
func (p *Provider) silenceFirings(ctx context.Context, wanted []page.Page, until time.Time) (after map[string]page.Page, failed map[string]error) {
	firings := make([]string, len(wanted))
	for i, one := range wanted {
		firings[i] = one.UpstreamID
	}
	release, err := p.answering.Enter(ctx)
	if err != nil {
		return nil, allFailed(firings, p.client.gaveUp(err))
	}
	defer release()

	seen, failed := p.look(ctx, firings)
	var answers []*answer
	for firing, a := range seen.alerts {
		standing, taken := p.standing(a, seen.book)
		if standing.ID == "" && taken != "" {
			failed[firing] = &provider.TakenError{By: taken}
			continue
		}
		answers = append(answers, &answer{alert: a, standing: standing, until: until})
	}
	p.silenceAll(ctx, answers)

	silenced := map[string]string{} // firing → id of its silence
	for _, one := range answers {
		if one.err != nil {
			failed[one.alert.firing] = one.err
			continue
		}
		silenced[one.alert.firing] = one.id
	}
	after, unconfirmed := p.confirm(ctx, slices.Collect(maps.Keys(silenced)), "took the acknowledgement, but still treats the alert as unanswered",
		func(a *alert, got page.Page) bool {
			return slices.Contains(a.Status.SilencedBy, silenced[a.firing]) && !got.AckExpiresAt.Before(until.Truncate(time.Millisecond))
		})
	maps.Copy(failed, unconfirmed)
	return after, failed
}

// Unacknowledge ends every silence of ours for this firing, so that the alert
// is open again for the whole team.
func (p *Provider) Unacknowledge(ctx context.Context, wanted page.Page) (page.Page, error) {
	release, err := p.answering.Enter(ctx)
	if err != nil {
		return page.Page{}, p.client.gaveUp(err)
	}
	defer release()

	firing := wanted.UpstreamID
	book, err := p.readSilences(ctx)
	if err != nil {
		return page.Page{}, err
	}
	for _, one := range book.active {
		if !p.ours(one) || one.acknowledges() != firing {
			continue
		}
		err := p.expire(ctx, one)
		p.answered()
		if err != nil {
			return page.Page{}, err
		}
	}
	after, failed := p.confirm(ctx, []string{firing}, "ended the acknowledgement, but still treats the alert as answered",
		func(_ *alert, got page.Page) bool { return !got.AcknowledgedByMe })
	return after[firing], failed[firing]
}

// answer is one silence to be posted, and what came of it.
type answer struct {
	alert    *alert
	standing silence
	until    time.Time // zero is for as long as an acknowledgement lasts
	id       string
	err      error
}

// silenceAll posts the answers, a few at a time. When the connection dies those
// not sent yet fail with it: each would only wait in vain as long as the first.
func (p *Provider) silenceAll(ctx context.Context, answers []*answer) {
	var (
		posting sync.WaitGroup
		mutex   sync.Mutex
		lost    error
		next    int
	)
	take := func() *answer {
		mutex.Lock()
		defer mutex.Unlock()
		for next < len(answers) {
			one := answers[next]
			next++
			if lost == nil {
				return one
			}
			one.err = lost
		}
		return nil
	}
	for range min(postsAtOnce, len(answers)) {
		posting.Go(func() {
			for one := take(); one != nil; one = take() {
				one.id, one.err = p.silence(ctx, one)
				if one.err != nil && provider.KindOf(one.err) == provider.Unreachable {
					mutex.Lock()
					lost = one.err
					mutex.Unlock()
				}
			}
		})
	}
	posting.Wait()
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

// silence posts our acknowledgement and returns its id. A standing one is
// prolonged, and shortened only by a snooze.
func (p *Provider) silence(ctx context.Context, one *answer) (string, error) {
	a, standing := one.alert, one.standing
	now := p.client.serverNow()
	ends, comment := now.Add(p.options.AckLasts), commentFor(p.options.User, a.firing)
	if !one.until.IsZero() {
		ends, comment = one.until, snoozeComment(p.options.User, a.firing)
	}
	request := silence{
		// A start in the past becomes now at the server; one second in the
		// future would leave the alert unanswered for that second.
		StartsAt:  now.Add(-5 * time.Second).Format(time.RFC3339Nano),
		EndsAt:    ends.Format(time.RFC3339Nano),
		CreatedBy: p.options.User,
		Comment:   comment,
	}
	equal := true
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		request.Matchers = append(request.Matchers, matcher{Name: name, Value: a.Labels[name], IsEqual: &equal})
	}
	if standing.ID != "" {
		prolonged := standing
		prolonged.Status = nil
		stands := readTime(standing.EndsAt)
		switch {
		case !one.until.IsZero() && stands.Equal(ends.Truncate(time.Millisecond)):
			return standing.ID, nil // it sleeps until then already
		case !one.until.IsZero() || stands.Before(ends):
			prolonged.EndsAt, prolonged.Comment = request.EndsAt, comment
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

// confirm reads the pages again until they show what the answer was meant to
// do. It returns them, and the errors of the others, both by firing.
func (p *Provider) confirm(ctx context.Context, firings []string, otherwise string, done func(*alert, page.Page) bool) (after map[string]page.Page, failed map[string]error) {
	after, failed = map[string]page.Page{}, map[string]error{}
	for began := time.Now(); len(firings) > 0; {
		lastLook := time.Since(began) >= confirmWithin
		seen, missing := p.look(ctx, firings)
		maps.Copy(failed, missing)
		firings = nil
		for firing, a := range seen.alerts {
			got := p.describe(a)
			p.judge(&got, a, seen.book, p.names())
			if done(a, got) {
				after[firing] = got
			} else {
				firings = append(firings, firing)
			}
		}
		p.noteConfirmed(after)
		switch {
		case len(firings) == 0:
			return after, failed
		case lastLook:
			maps.Copy(failed, allFailed(firings, p.client.failure(provider.Broken, p.client.at()+" "+otherwise+". Try again, and look at its own page.", nil)))
			return after, failed
		}
		select {
		case <-ctx.Done():
			maps.Copy(failed, allFailed(firings, p.client.gaveUp(ctx.Err())))
			return after, failed
		case <-time.After(confirmEvery):
		}
	}
	return after, failed
}

func allFailed(firings []string, err error) map[string]error {
	failed := make(map[string]error, len(firings))
	for _, firing := range firings {
		failed[firing] = err
	}
	return failed
}

// noteConfirmed keeps what was read of these pages until a list that was asked
// for later says the same or better.
func (p *Provider) noteConfirmed(after map[string]page.Page) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests++
	for firing, got := range after {
		p.confirmed[firing] = confirmation{got, p.requests}
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
