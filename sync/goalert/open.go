package goalert

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	pieceSize    = 100 // alerts in one piece of a list
	mostPieces   = 200 // a list longer than this is not read
	mostServices = 50  // services that one search may name
	// The services of the user may change while they are asked about.
	attempts = 3
)

// noService is the identity of no service. A search for what GoAlert has paged
// the user for takes effect only beside a choice of services; without one it
// lists everything (measured on GoAlert after 0.34.1).
const noService = "00000000-0000-0000-0000-000000000000"

// duty is where the user is on call: a service's identity, and the lowest step
// of its escalation policy, counted from 0.
type duty map[string]int

// Open reads all alerts that are the user's and open; with an API key, all that
// are open. What has left the user's list since the last snapshot is in it once
// more, with what became of it.
func (p *Provider) Open(ctx context.Context) (provider.Snapshot, error) {
	release, err := p.polling.Enter(ctx)
	if err != nil {
		return provider.Snapshot{}, p.gaveUp(err)
	}
	defer release()

	began := p.confirmed.Begin()
	alerts, at, err := p.list(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}
	listed := make(map[string]bool, len(alerts))
	for _, one := range alerts {
		listed[one.identity()] = true
	}
	departed, err := p.departed(ctx, listed)
	if err != nil {
		return provider.Snapshot{}, err
	}
	p.forget(listed)
	p.readAnswers(ctx, alerts)
	p.readPolicies(ctx, append(slices.Clone(alerts), departed...))
	me, err := p.me(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}

	snapshot := provider.Snapshot{ServerTime: at}
	for _, one := range alerts {
		described := p.describe(one, me)
		described.Mine, described.Assigned = true, !p.key.given()
		snapshot.Pages = append(snapshot.Pages, described)
	}
	for _, one := range departed {
		described := p.describe(one, me)
		described.Mine = false
		snapshot.Pages = append(snapshot.Pages, described)
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
		if one.Open() {
			p.listed[one.UpstreamID] = true
		}
	}
}

func (p *Provider) list(ctx context.Context) ([]*alert, time.Time, error) {
	if !p.key.given() {
		return p.mine(ctx)
	}
	var told found
	at, err := p.pieces(ctx, search(nil), nil, func(one *alert) { told.add(one) })
	return told.alerts, at, err
}

// mine reads what GoAlert has paged the user for, and what stands at the user's
// step of services for which the user is on call. The same answer tells which
// services those are; when they are others than were asked about, it is asked
// again.
func (p *Provider) mine(ctx context.Context) ([]*alert, time.Time, error) {
	paged := search([]string{noService})
	paged["includeNotified"] = true
	for range attempts {
		p.mutex.Lock()
		known := p.duty
		p.mutex.Unlock()
		services := slices.Collect(slices.Chunk(slices.Sorted(maps.Keys(known)), mostServices))
		if len(services) == 0 {
			services = [][]string{{noService}}
		}
		onDuty := search(services[0])
		var answer struct {
			User  user      `json:"user"`
			Paged alertList `json:"paged"`
			Duty  alertList `json:"duty"`
		}
		at, err := p.ask(ctx, question{
			operation: "Mine", document: documentMine,
			variables: map[string]any{"paged": paged, "duty": onDuty},
		}, &answer)
		if err != nil {
			return nil, at, err
		}
		now, err := readDuty(answer.User)
		if err != nil {
			return nil, at, p.nonsense(err.Error())
		}
		p.know(answer.User)
		p.mutex.Lock()
		p.duty = now
		p.mutex.Unlock()
		if !slices.Equal(slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(known))) {
			continue
		}
		var told found
		if _, err := p.pieces(ctx, paged, &answer.Paged, told.add); err != nil {
			return nil, at, err
		}
		reached := func(one *alert) {
			if now.reached(one) {
				told.add(one)
			}
		}
		if _, err := p.pieces(ctx, onDuty, &answer.Duty, reached); err != nil {
			return nil, at, err
		}
		for _, more := range services[1:] {
			if _, err := p.pieces(ctx, search(more), nil, reached); err != nil {
				return nil, at, err
			}
		}
		return told.alerts, at, nil
	}
	return nil, time.Time{}, p.client.Failure(provider.Broken, web.Request{Asks: true}, "changed who is on call faster than it could be read", "It is asked again by itself.", nil)
}

// found gathers alerts, each once.
type found struct {
	alerts []*alert
	known  map[string]bool
}

func (f *found) add(one *alert) {
	if f.known == nil {
		f.known = map[string]bool{}
	}
	if id := one.identity(); !f.known[id] {
		f.known[id] = true
		f.alerts = append(f.alerts, one)
	}
}

// search is for the open alerts of these services, or of all. The oldest come
// first, so that nothing moves while the list is read: by status, an alert that
// is escalated would go to where we have been already, and in the order of
// their date GoAlert fails on the second piece (measured after 0.34.1).
func search(services []string) map[string]any {
	filter := map[string]any{
		"first": pieceSize, "sort": "dateIDReverse", "filterByStatus": []string{statusTriggered, statusAcknowledged},
	}
	if services != nil {
		filter["filterByServiceID"] = services
	}
	return filter
}

// pieces reads a list to its end, from its first piece if that is there
// already. It must be whole: a list without an end, or with an alert that has
// no number, is an error.
func (p *Provider) pieces(ctx context.Context, filter map[string]any, first *alertList, take func(*alert)) (at time.Time, err error) {
	after := ""
	for range mostPieces {
		piece := first
		if first = nil; piece == nil {
			asked := maps.Clone(filter)
			if after != "" {
				asked["after"] = after
			}
			var answer struct {
				Alerts alertList `json:"alerts"`
			}
			if at, err = p.ask(ctx, question{
				operation: "Everything", document: operationEverything + fragmentList + fragmentAlert,
				variables: map[string]any{"alerts": asked},
			}, &answer); err != nil {
				return at, err
			}
			piece = &answer.Alerts
		}
		if err := piece.check(after); err != nil {
			return at, p.nonsense(err.Error())
		}
		for _, one := range piece.Nodes {
			take(one)
		}
		if !*piece.Info.More {
			return at, nil
		}
		after = piece.Info.End
	}
	return at, p.client.Failure(provider.Broken, web.Request{Asks: true}, "has more alerts open than can be read", "Close some of them in GoAlert.", nil)
}

// check says what is wrong with a piece that came after this place.
func (l *alertList) check(after string) error {
	switch {
	case l.Nodes == nil:
		return errors.New("no list of alerts")
	case l.Info.More == nil:
		return errors.New("a list that does not say whether it goes on")
	case *l.Info.More && (l.Info.End == "" || l.Info.End == after || len(l.Nodes) == 0):
		return errors.New("more alerts are promised than are sent")
	}
	for _, one := range l.Nodes {
		if one == nil || one.identity() == "" {
			return errors.New("an alert without a number")
		}
	}
	return nil
}

// readDuty reads where the user is on call. Without all of it, pages could be
// missing.
func readDuty(me user) (duty, error) {
	if me.ID == "" || me.Overview == nil || me.Overview.Assignments == nil {
		return nil, errors.New("it is not told who the user is or where on call")
	}
	told := duty{}
	for _, one := range me.Overview.Assignments {
		if one == nil || one.ServiceID == "" {
			return nil, errors.New("an assignment without a service")
		}
		step := 0 // the first to be called, where the step is not told
		if one.Step != nil {
			step = *one.Step
		}
		if lowest, found := told[one.ServiceID]; !found || step < lowest {
			told[one.ServiceID] = step
		}
	}
	return told, nil
}

// reached says that the escalation of an alert has come to the user. An alert
// that has no state yet goes to the first step within seconds.
func (d duty) reached(one *alert) bool {
	mine, found := d[one.service()]
	step, known := one.step()
	switch {
	case one.service() == "":
		return true // it is of one of the user's services, and not told of which
	case !found:
		return false
	case one.State == nil:
		return mine == 0
	case !known:
		return true
	}
	return step >= mine
}

// departed asks what became of the alerts that have left the user's list. With
// an API key everything open is listed, so they have ended.
func (p *Provider) departed(ctx context.Context, listed map[string]bool) ([]*alert, error) {
	if p.key.given() {
		return nil, nil
	}
	var gone []string
	for _, id := range slices.Sorted(maps.Keys(p.listed)) {
		if _, err := readID(id); err == nil && !listed[id] {
			gone = append(gone, id)
		}
	}
	told, err := p.read(ctx, gone...)
	if err != nil {
		return nil, err
	}
	var departed []*alert
	for _, id := range gone {
		if one := told[id]; one != nil { // or it was closed, and cleared away since
			departed = append(departed, one)
		}
	}
	return departed, nil
}

// forget drops what was kept of alerts that are not listed any more.
func (p *Provider) forget(listed map[string]bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	maps.DeleteFunc(p.answers, func(id string, _ answered) bool { return !listed[id] })
	maps.DeleteFunc(p.taken, func(id string, _ string) bool { return !listed[id] })
}
