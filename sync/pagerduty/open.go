package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	pieceSize = 100   // incidents in one piece of the list, the most there are
	lastPlace = 10000 // nothing beyond this can be listed
	// A list that goes on changing while it is read is begun anew so often.
	attempts = 4
	// So many incidents that left the list are asked about in one poll.
	departures = 20
	// So many incidents' alerts are read in one poll, and for no longer than
	// this: a page must not wait for its links.
	alertsAtOnce = 8
	alertsWithin = 2 * time.Second
)

// Open reads all incidents that are assigned to this user and open. What has
// left the list since the last snapshot is in it once more, with what became
// of it: resolved, given to somebody else, or merged into another incident,
// which is told too then, whoever has it.
func (p *Provider) Open(ctx context.Context) (provider.Snapshot, error) {
	release, err := p.polling.Enter(ctx)
	if err != nil {
		return provider.Snapshot{}, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}
	began := p.confirmed.Begin()
	incidents, at, err := p.list(ctx, me)
	if err != nil {
		if provider.KindOf(err) == provider.Refused {
			p.forgetUser()
		}
		return provider.Snapshot{}, err
	}
	listed := make(map[string]bool, len(incidents))
	for _, one := range incidents {
		listed[one.ID] = true
	}
	departed, err := p.departed(ctx, listed)
	if err != nil {
		return provider.Snapshot{}, err
	}
	if slices.ContainsFunc(incidents, func(one *incident) bool { return one.Priority.ID != "" }) {
		p.knownPriorities(ctx, false)
	}
	p.readAlerts(ctx, incidents)
	p.readOnCalls(ctx, incidents, at)

	snapshot := provider.Snapshot{ServerTime: at}
	for _, one := range incidents {
		described := p.describe(one, me)
		described.Mine = true // the list is of what is mine
		snapshot.Pages = append(snapshot.Pages, described)
	}
	for _, one := range departed {
		snapshot.Pages = append(snapshot.Pages, p.describe(one, me))
	}
	p.confirmed.Overtake(snapshot.Pages, began)
	p.listed = listed
	return snapshot, nil
}

// Remember takes these pages for those of the last snapshot.
func (p *Provider) Remember(pages []page.Page) {
	release, err := p.polling.Enter(context.Background())
	if err != nil {
		return
	}
	defer release()
	p.listed = make(map[string]bool, len(pages))
	for _, one := range pages {
		p.listed[one.UpstreamID] = true
	}
}

// list reads the whole list, piece by piece. Each piece begins with the last
// incident of the piece before; when it is not there, something has left the
// list meanwhile, others have moved up and could be missed.
func (p *Provider) list(ctx context.Context, me user) ([]*incident, time.Time, error) {
	for range attempts {
		all, at, settled, err := p.listOnce(ctx, me)
		if err != nil || settled {
			return all, at, err
		}
	}
	return nil, time.Time{}, p.client.failure(provider.Broken, "changed its list faster than it could be read", "It is asked again by itself.", nil)
}

func (p *Provider) listOnce(ctx context.Context, me user) (all []*incident, at time.Time, settled bool, err error) {
	known := map[string]bool{}
	last := ""
	for offset := 0; ; {
		piece := piece[incident]{name: "incidents"}
		at, err = p.client.get(ctx, "/incidents", url.Values{
			"user_ids[]": {me.ID}, "statuses[]": {"triggered", "acknowledged"},
			"date_range": {"all"}, // or whatever is older than a month is left out
			"limit":      {strconv.Itoa(pieceSize)}, "offset": {strconv.Itoa(offset)},
			// New incidents come at the end, where they move nothing.
			"sort_by": {"incident_number:asc"}, "include[]": {"acknowledgers"},
		}, &piece)
		if err != nil {
			return nil, at, false, err
		}
		if piece.entries == nil {
			return nil, at, false, p.client.nonsense("no list of incidents")
		}
		overlaps := last == ""
		for _, one := range piece.entries {
			if one == nil || !validID(one.ID) {
				return nil, at, false, p.client.nonsense("an incident without an ID")
			}
			overlaps = overlaps || one.ID == last
			if !known[one.ID] {
				known[one.ID] = true
				all = append(all, one)
			}
		}
		size := len(piece.entries)
		switch {
		case !overlaps:
			return nil, at, false, nil
		case !piece.more:
			return all, at, true, nil
		case size == 0:
			return nil, at, false, p.client.nonsense("more incidents are promised than are sent")
		case size == 1:
			last, offset = "", offset+1 // a piece this small cannot overlap
		default:
			last, offset = piece.entries[size-1].ID, offset+size-1
		}
		if offset+pieceSize > lastPlace {
			return nil, at, false, p.client.failure(provider.Broken, fmt.Sprintf("has more than %d incidents open for you, and lists no more than those", lastPlace),
				"Resolve some of them in PagerDuty.", nil)
		}
	}
}

// departed asks what became of the incidents that have left the list, and
// counts those as listed that are this user's all the same.
func (p *Provider) departed(ctx context.Context, listed map[string]bool) ([]*incident, error) {
	var found []*incident
	told := map[string]bool{}
	asked := 0
	for id := range p.listed {
		if listed[id] || asked == departures {
			continue
		}
		asked++
		for id != "" && !listed[id] && !told[id] {
			one, err := p.read(ctx, id)
			if kind := provider.KindOf(err); err != nil && (kind == provider.Invalid || kind == provider.Refused) {
				break // we may not see it any more: it is just not listed
			}
			if err != nil {
				return nil, err
			}
			me, err := p.me(ctx)
			if err != nil {
				return nil, err
			}
			found, told[id] = append(found, one), true
			if one.Status != string(page.Resolved) && one.assignedTo(me.ID) {
				listed[id] = true // the list was wrong, or it has come back
			}
			id = one.mergedInto()
		}
	}
	return found, nil
}

// read looks at one incident afresh.
func (p *Provider) read(ctx context.Context, id string) (*incident, error) {
	return p.readWith(ctx, id, "acknowledgers")
}

func (p *Provider) readWith(ctx context.Context, id string, included ...string) (*incident, error) {
	if !validID(id) {
		return nil, web.Invalid("This page has no identity that PagerDuty could know, so it cannot be asked about. Look for it in PagerDuty itself.")
	}
	var answer struct {
		Incident *incident `json:"incident"`
	}
	if _, err := p.client.get(ctx, "/incidents/"+id, url.Values{"include[]": included}, &answer); err != nil {
		return nil, err
	}
	if answer.Incident == nil || answer.Incident.ID != id {
		return nil, p.client.nonsense("not the incident that was asked for")
	}
	return answer.Incident, nil
}
