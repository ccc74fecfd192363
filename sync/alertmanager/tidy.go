package alertmanager

import (
	"context"
	"maps"
	"slices"
	"time"

	"nightstand/sync/provider"
)

// Tidying is done in passing: so many silences a poll, and no longer than this.
const (
	tidyAtOnce = 3
	tidyWithin = 2 * time.Second
)

// tidy ends our silences whose firing is gone, so that the next firing of the
// same alert is silent for nobody. An alert that a restarted server has not
// been sent again is not gone.
func (p *Provider) tidy(ctx context.Context, list *listing) {
	p.mutex.Lock()
	book, server := p.silences, p.server
	p.mutex.Unlock()

	ours := map[string]silence{}
	for id, one := range book.active {
		if p.ours(one) {
			ours[id] = one
		}
	}
	maps.DeleteFunc(p.tidied, func(id string, _ time.Time) bool { _, still := ours[id]; return !still })

	var suspects []silence
	for _, id := range slices.Sorted(maps.Keys(ours)) {
		one := ours[id]
		if list.firings[one.acknowledges()] != nil {
			delete(p.tidied, id)
		} else if p.now().Sub(p.tidied[id]) >= reread {
			suspects = append(suspects, one)
		}
	}
	if len(suspects) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tidyWithin)
	defer cancel()
	for _, one := range suspects[:min(len(suspects), tidyAtOnce)] {
		p.tidied[one.ID] = p.now()
		gone, err := p.firingGone(ctx, one, server)
		if err == nil && gone {
			err = p.expire(ctx, one)
		}
		if err != nil {
			p.log.Warn("a silence whose alert has ended could not be looked after", "account", p.options.Account,
				"silence", one.ID, "error", provider.Sentence(err))
			return
		}
		if gone {
			p.log.Info("a silence of ours was ended, because its alert has ended", "account", p.options.Account,
				"silence", one.ID, "firing", one.acknowledges())
			p.forgetSilence(one.ID)
		}
	}
}

// firingGone looks afresh whether the firing that a silence acknowledges has
// ended. The silence was read before this look, and its firing existed before
// the silence, so a firing that is not found now has ended, unless the server
// was restarted.
func (p *Provider) firingGone(ctx context.Context, one silence, server instance) (bool, error) {
	labels := map[string]string{}
	for _, condition := range one.Matchers {
		if !condition.IsRegex && (condition.IsEqual == nil || *condition.IsEqual) {
			labels[condition.Name] = condition.Value
		}
	}
	listed, err := p.search(ctx, filtersFor(labels))
	switch {
	case err != nil || listed.firings[one.acknowledges()] != nil:
		return false, err
	case listed.another(one.acknowledges()):
		return true, nil
	}
	status, err := p.askStatus(ctx)
	if err != nil || status.instance().marker != server.marker {
		return false, err
	}
	return p.ended(one.acknowledges(), server), nil
}

// forgetSilence takes an ended silence out of the book.
func (p *Provider) forgetSilence(id string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.silences.active = maps.Clone(p.silences.active)
	delete(p.silences.active, id)
}
