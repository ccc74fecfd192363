package grafana

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	// So many groups that left the list are asked about in one poll.
	departures = 10
	// So many names are asked for in one poll, and for no longer than this: a
	// page must not wait for the name of whoever has it.
	namesAtOnce = 8
	namesWithin = time.Second
)

// openStates are the states in which a group is open, one list each. What moves
// while they are read is seen twice, or missed only on its way from a later
// list to an earlier one: those that call come last.
var openStates = []string{silenced, acknowledged, "new"}

// Open reads all open alert groups and lists those that are mine. What has left
// this list since the last snapshot is in it once more, with what became of it:
// resolved, or not mine any more.
func (p *Provider) Open(ctx context.Context) (provider.Snapshot, error) {
	release, err := p.polling.Enter(ctx)
	if err != nil {
		return provider.Snapshot{}, p.gaveUp(get("", nil), err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}
	p.readSetup(ctx)
	began := p.confirmed.Begin()
	groups, at, err := p.openGroups(ctx, me)
	if err != nil {
		if provider.KindOf(err) == provider.Refused {
			p.forget()
		}
		return provider.Snapshot{}, err
	}
	departed, err := p.departed(ctx, groups)
	if err != nil {
		return provider.Snapshot{}, err
	}
	seen := p.view(me)
	groups = slices.DeleteFunc(append(groups, departed...), func(one *group) bool { return !seen.owns(one) && !p.listed[one.ID] })
	var people []string
	for _, one := range groups {
		people = append(people, one.people()...)
	}
	p.readNames(ctx, people)

	snapshot, listed := provider.Snapshot{ServerTime: at}, map[string]bool{}
	for _, one := range groups {
		described := seen.describe(one)
		snapshot.Pages = append(snapshot.Pages, described)
		if described.Mine && described.Open() {
			listed[one.ID] = true
		}
	}
	p.confirmed.Overtake(snapshot.Pages, began)
	p.listed = listed
	p.forgetSnoozes()
	return snapshot, nil
}

// Remember takes these pages for those of the last snapshot. The service does
// not tell how long a silence lasts, so what we knew of it is kept as well.
func (p *Provider) Remember(pages []page.Page) {
	release, err := p.polling.Enter(context.Background())
	if err != nil {
		return
	}
	defer release()
	p.listed = make(map[string]bool, len(pages))
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, one := range pages {
		p.listed[one.UpstreamID] = true
		if !one.SnoozedUntil.IsZero() {
			p.snoozes[one.UpstreamID] = snooze{until: one.SnoozedUntil}
		}
	}
}

// openGroups reads the groups of all open states, each once, as it was read last.
func (p *Provider) openGroups(ctx context.Context, me user) ([]*group, time.Time, error) {
	queries := []url.Values{{}}
	if mine := p.claimOf(p.knownSetup(), me); mine.narrows() {
		queries = nil
		for _, team := range mine.teams {
			queries = append(queries, url.Values{"team_id": {team}})
		}
	}
	var all []*group
	var at time.Time
	places, asked := map[string]int{}, 0
	for _, state := range openStates {
		for _, query := range queries {
			query.Set("state", state)
			found, told, requests, err := list(ctx, p, "/alert_groups/", query, func(g *group) string { return identified(g.ID) })
			if err != nil {
				return nil, told, err
			}
			at = told
			asked += requests
			for _, one := range found {
				if place, again := places[one.ID]; again {
					all[place] = one
					continue
				}
				places[one.ID] = len(all)
				all = append(all, one)
			}
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.requests = asked
	return all, at, nil
}

// departed asks what became of the listed groups that are in no list any more.
func (p *Provider) departed(ctx context.Context, groups []*group) ([]*group, error) {
	missing := maps.Clone(p.listed)
	for _, one := range groups {
		delete(missing, one.ID)
	}
	var found []*group
	ids := slices.Sorted(maps.Keys(missing))
	for _, id := range ids[:min(len(ids), departures)] {
		one, err := p.read(ctx, id)
		if kind := provider.KindOf(err); err != nil && (kind == provider.Invalid || kind == provider.Refused) {
			continue // deleted, or not for us any more: it is just not listed
		}
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// read looks at one group afresh. One that the service does not know is an
// error whose status is 404.
func (p *Provider) read(ctx context.Context, id string) (*group, error) {
	if !validID(id) {
		return nil, web.Invalid("This page has no identity that Grafana could know, so it cannot be asked about. Look for it in Grafana itself.")
	}
	request := get("/alert_groups/"+id+"/", nil)
	var found group
	if _, err := p.ask(ctx, request, &found); err != nil {
		return nil, err
	}
	if found.ID != id {
		return nil, p.nonsense(request, "not the alert group that was asked for")
	}
	return &found, nil
}

// gone says that the service does not know what was asked for.
func gone(err error) bool {
	return web.StatusOf(err).Status == http.StatusNotFound && provider.KindOf(err) == provider.Invalid
}

// readNames asks who stands behind these identities. Without an answer somebody
// is called by the identity, and asked for again next time.
func (p *Provider) readNames(ctx context.Context, ids []string) {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	var wanted []string
	p.mutex.Lock()
	for _, id := range ids {
		if _, told := p.people[id]; !told && validID(id) && !slices.Contains(wanted, id) {
			wanted = append(wanted, id)
		}
	}
	p.mutex.Unlock()
	for _, id := range wanted[:min(len(wanted), namesAtOnce)] {
		var found user
		_, err := p.ask(ctx, get("/users/"+id+"/", nil), &found)
		if err != nil && !gone(err) {
			p.log.Warn("a name could not be read", "account", p.options.Account, "user", id, "error", err)
			return
		}
		p.mutex.Lock()
		p.people[id] = found
		p.mutex.Unlock()
	}
}
