package alertmanager

import (
	"context"
	"maps"
	"slices"
	"strings"

	"nightstand/sync/provider"
)

// sight is what was read afresh of some firings: their alerts by firing, and
// the silences that hold for them.
type sight struct {
	alerts map[string]*alert
	book   silenceBook
}

// look reads some firings afresh. What was not seen is in missing with the
// reason, by firing.
func (p *Provider) look(ctx context.Context, firings []string) (seen sight, missing map[string]error) {
	listed, err := p.search(ctx, filtersFor(p.labelsShared(firings)))
	if err != nil {
		return sight{}, allFailed(firings, err)
	}
	seen, missing = sight{alerts: map[string]*alert{}}, map[string]error{}
	var silent []string // neither this firing nor another one of its alert is listed
	for _, firing := range firings {
		switch a := listed.firings[firing]; {
		case a != nil:
			seen.alerts[firing] = a
		case listed.another(firing):
			missing[firing] = provider.ErrGone // the alert fires anew: another page
		default:
			silent = append(silent, firing)
		}
	}
	for firing, err := range p.whySilent(ctx, silent) {
		missing[firing] = err
	}
	if seen.book, err = p.silencesOf(ctx, seen.alerts); err != nil {
		maps.Copy(missing, allFailed(slices.Collect(maps.Keys(seen.alerts)), err))
		return sight{}, missing
	}
	return seen, missing
}

// whySilent says of firings that are not listed any more that they have ended,
// unless the server may only have forgotten them in a restart.
func (p *Provider) whySilent(ctx context.Context, firings []string) map[string]error {
	if len(firings) == 0 {
		return nil
	}
	status, err := p.askStatus(ctx)
	if err != nil {
		return allFailed(firings, err)
	}
	why := allFailed(firings, provider.ErrGone)
	for _, firing := range firings {
		if !p.ended(firing, status.instance()) {
			why[firing] = p.client.failure(provider.Broken, p.client.at()+" was restarted a moment ago and has not been sent this alert again, so it cannot be acknowledged yet."+
				" If it still fires it comes back within five minutes; answer it then.", nil)
		}
	}
	return why
}

// labelsShared are the labels that all these firings had when they were last
// listed, so that less has to be asked for than everything: all of a single
// one's, and none as soon as one of them is not known.
func (p *Provider) labelsShared(firings []string) map[string]string {
	p.mutex.Lock()
	list := p.current
	p.mutex.Unlock()
	if list == nil {
		return nil
	}
	var shared map[string]string
	for _, firing := range firings {
		a := list.firings[firing]
		if a == nil {
			return nil
		}
		if shared == nil {
			shared = maps.Clone(a.Labels)
			continue
		}
		maps.DeleteFunc(shared, func(name, value string) bool {
			other, has := a.Labels[name]
			return !has || other != value
		})
	}
	return shared
}

// found is what a search came upon.
type found struct {
	firings      map[string]*alert
	fingerprints map[string]bool
}

// another says that the alert of a firing is there, whichever firing it is.
func (f found) another(firing string) bool {
	fingerprint, _, _ := strings.Cut(firing, "@")
	return f.fingerprints[fingerprint]
}

// search lists alerts by conditions, regardless of what is mine.
func (p *Provider) search(ctx context.Context, filters []string) (found, error) {
	query := everyState()
	query["filter"] = filters
	var alerts alertList
	if _, err := p.client.get(ctx, "alerts", query, &alerts); err != nil {
		return found{}, err
	}
	if err := alerts.check(); err != nil {
		return found{}, p.client.nonsense(err)
	}
	come := found{map[string]*alert{}, map[string]bool{}}
	for _, a := range alerts {
		a.settle()
		come.fingerprints[a.Fingerprint] = true
		if come.firings[a.firing] == nil {
			come.firings[a.firing] = a
		}
	}
	return come, nil
}

// fewSilences are quicker asked for one by one than in the list of them all.
const fewSilences = 3

// silencesOf reads afresh the silences that hold for these alerts.
func (p *Provider) silencesOf(ctx context.Context, alerts map[string]*alert) (silenceBook, error) {
	ids := map[string]bool{}
	for _, a := range alerts {
		for _, id := range a.Status.SilencedBy {
			ids[id] = true
		}
	}
	if len(ids) > fewSilences {
		return p.readSilences(ctx)
	}
	book := silenceBook{active: map[string]silence{}}
	for id := range ids {
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
