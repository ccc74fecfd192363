package jsm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	pieceSize = 100    // alerts in one piece of the list, the most there are
	lastPlace = 20_000 // nothing from here on can be listed
	// A list that goes on changing while it is read is begun anew so often.
	attempts = 4
	// So many alerts that left the list are asked about in one poll.
	departures = 20
)

// Open reads all alerts that are this user's and open. What has left the list
// since the last snapshot is in it once more, with what became of it: closed,
// or given to somebody else.
func (p *Provider) Open(ctx context.Context) (provider.Snapshot, error) {
	leave, err := p.enter(ctx, p.polling)
	if err != nil {
		return provider.Snapshot{}, err
	}
	defer leave()

	me, err := p.me(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}
	began := p.confirmed.Begin()
	alerts, at, err := p.list(ctx, p.search(me))
	if err != nil {
		if provider.KindOf(err) == provider.Refused {
			p.forgetMe()
		}
		return provider.Snapshot{}, err
	}
	open, left := p.sort(alerts, me)
	departed, later, err := p.departed(ctx, open, left)
	if err != nil {
		return provider.Snapshot{}, err
	}
	_ = p.readNames(ctx, peopleOf(open, departed)) // it is in the log, and nobody waits for a name

	snapshot := provider.Snapshot{ServerTime: at}
	p.listed = map[string]bool{}
	for _, one := range open {
		p.listed[one.ID] = true
		snapshot.Pages = append(snapshot.Pages, p.describe(one, me, true))
	}
	for _, one := range departed {
		got := p.describe(one, me, false)
		// Still ours and open: the list was wrong, or it has come back.
		p.listed[one.ID] = got.Open() && got.Mine
		snapshot.Pages = append(snapshot.Pages, got)
	}
	for _, id := range later {
		p.listed[id] = true
	}
	p.confirmed.Overtake(snapshot.Pages, began)
	return snapshot, nil
}

// Remember takes these pages for those of the last snapshot.
func (p *Provider) Remember(pages []page.Page) {
	p.polling <- struct{}{}
	defer func() { <-p.polling }()
	p.listed = make(map[string]bool, len(pages))
	for _, one := range pages {
		p.listed[one.UpstreamID] = true
	}
}

// search is the user's own search, or one for open alerts that name the user.
// Atlassian does not say whether its search knows people by account id or by
// address, so both are asked for.
func (p *Provider) search(me user) string {
	if p.options.Query != "" {
		return p.options.Query
	}
	names := fmt.Sprintf("responders:%q OR owner:%q", me.address(), me.address())
	if !p.dialect.signed {
		names += fmt.Sprintf(" OR responders:%q OR owner:%q", me.id(), me.id())
	}
	return "status:open AND (" + names + ")"
}

// sort parts a list into what is open and this user's, and what is not any more.
func (p *Provider) sort(alerts []*alert, me user) (open []*alert, left map[string]*alert) {
	left = map[string]*alert{}
	for _, one := range alerts {
		if !one.closed() && one.mine(me, true) {
			open = append(open, one)
		} else {
			left[one.ID] = one
		}
	}
	return open, left
}

// list reads the whole list, piece by piece. Each piece begins with the last
// alert of the piece before; when it is not there, something has left the
// list meanwhile, others have moved up and could be missed.
func (p *Provider) list(ctx context.Context, search string) ([]*alert, time.Time, error) {
	for range attempts {
		all, at, settled, err := p.listOnce(ctx, search)
		if err != nil || settled {
			return all, at, err
		}
	}
	return nil, time.Time{}, p.client.Failure(provider.Broken, reading, "changed its list faster than it could be read", "It is asked again by itself.", nil)
}

func (p *Provider) listOnce(ctx context.Context, search string) (all []*alert, at time.Time, settled bool, err error) {
	known := map[string]bool{}
	last := ""
	for offset := 0; ; {
		piece, more, told, err := p.piece(ctx, search, offset, pieceSize)
		if err != nil {
			return nil, told, false, err
		}
		at = told
		overlaps := last == ""
		for _, one := range piece {
			overlaps = overlaps || one.ID == last
			if !known[one.ID] {
				known[one.ID] = true
				all = append(all, one)
			}
		}
		size := len(piece)
		switch {
		case !overlaps:
			return nil, at, false, nil
		case !more:
			return all, at, true, nil
		case size == 0:
			return nil, at, false, p.nonsense("more alerts are promised than are sent")
		case size == 1:
			last, offset = "", offset+1 // a piece this small cannot overlap
		default:
			last, offset = piece[size-1].ID, offset+size-1
		}
		if offset+pieceSize >= lastPlace {
			return nil, at, false, p.client.Failure(provider.Broken, reading, fmt.Sprintf("has nearly %d alerts open for you, or more, and lists no more than those", lastPlace), "Close some of them there.", nil)
		}
	}
}

// piece reads one piece of the list, and says whether another one follows.
func (p *Provider) piece(ctx context.Context, search string, offset, size int) (piece []*alert, more bool, at time.Time, err error) {
	body, answer, err := p.get(ctx, p.dialect.ops+"/alerts", url.Values{
		"query": {search}, p.dialect.size: {strconv.Itoa(size)}, "offset": {strconv.Itoa(offset)},
		// New alerts come at the end, where they move nothing.
		"sort": {p.dialect.sort}, "order": {"asc"},
	})
	if err != nil {
		return nil, false, answer.At, err
	}
	piece, next, err := p.alertsIn(body)
	return piece, next != "" || len(piece) >= size, answer.At, err
}

// alertsIn takes the alerts out of an answer: all of them, or none.
func (p *Provider) alertsIn(body json.RawMessage) (alerts []*alert, next string, err error) {
	rows, next := p.dialect.rows(body)
	if decode(rows, &alerts) != nil || alerts == nil {
		return nil, "", p.nonsense("no list of alerts")
	}
	for _, one := range alerts {
		if one == nil || !validID(one.ID) {
			return nil, "", p.nonsense("an alert without an id")
		}
	}
	return alerts, next, nil
}

// departed finds out what became of the alerts that were listed last time and
// are no more. Those it does not come to are for a later poll.
func (p *Provider) departed(ctx context.Context, open []*alert, left map[string]*alert) (found []*alert, later []string, err error) {
	listed := make(map[string]bool, len(open))
	for _, one := range open {
		listed[one.ID] = true
	}
	asked := 0
	for id, was := range p.listed {
		switch one, seen := left[id]; {
		case listed[id] || !was:
		case seen:
			found = append(found, one)
		case asked == departures:
			later = append(later, id)
		default:
			asked++
			one, err := p.read(ctx, id)
			if kind := provider.KindOf(err); err != nil && (gone(err) || kind == provider.Invalid || kind == provider.Refused) {
				continue // deleted, or not for us to see any more: it is just not listed
			}
			if err != nil {
				return nil, nil, err
			}
			found = append(found, one)
		}
	}
	return found, later, nil
}

// read looks at one alert afresh.
func (p *Provider) read(ctx context.Context, id string) (*alert, error) {
	if !validID(id) {
		return nil, p.refuse("could not know this page by the identity it has, so it cannot be asked about. Look for it there.")
	}
	body, _, err := p.get(ctx, p.alertPath(id), nil)
	if err != nil {
		return nil, err
	}
	var one *alert
	if decode(p.dialect.thing(body), &one) != nil || one == nil || one.ID != id {
		return nil, p.nonsense("not the alert that was asked for")
	}
	return one, nil
}

func (p *Provider) alertPath(id string) string {
	return p.dialect.ops + "/alerts/" + url.PathEscape(id)
}

// gone says that the service has no such thing.
func gone(err error) bool { return web.StatusOf(err).Status == http.StatusNotFound }

func peopleOf(lists ...[]*alert) []string {
	var people []string
	for _, list := range lists {
		for _, one := range list {
			people = append(people, one.people()...)
		}
	}
	return people
}

// confirm keeps a page as it is after a change.
func (p *Provider) confirm(got page.Page) page.Page {
	p.confirmed.Keep(got)
	return got
}
