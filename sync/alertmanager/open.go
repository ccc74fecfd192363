package alertmanager

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// reread is how old what is read beside the list may become: the server's
// start time, the silences, and the heartbeat of a filtered account.
const reread = 30 * time.Second

// unknownAgain is how soon the silences are listed again for an id that the
// last listing did not explain.
const unknownAgain = 5 * time.Second

// instance is one run of the server. An Alertmanager forgets its alerts when
// it ends, so that a list is only worth something together with its instance.
type instance struct {
	marker  string
	started time.Time
}

// restartGrace is how long after its start a server may not yet have been sent
// everything that still fires.
const restartGrace = 5 * time.Minute

// young says that the server was started so lately that a missing alert may
// only not have been sent again yet.
func (p *Provider) young(server instance) bool {
	return p.client.serverNow().Sub(server.started) < restartGrace
}

// earlyList are the firings that a run of the server has listed while it was
// young: what of these goes missing has ended, whatever a restart may forget.
type earlyList struct {
	marker  string
	firings map[string]bool
}

// noteEarly keeps the early list while there is need for one.
func (p *Provider) noteEarly(list *listing) {
	if !p.young(p.server) {
		p.early = earlyList{}
		return
	}
	if p.early.marker != p.server.marker {
		p.early = earlyList{p.server.marker, map[string]bool{}}
	}
	for firing := range list.firings {
		p.early.firings[firing] = true
	}
}

// ended judges a firing that this run of the server does not list: true when
// it is over, false when the run may only not have been told of it yet.
func (p *Provider) ended(firing string, run instance) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return !p.young(run) || run.marker == p.early.marker && p.early.firings[firing]
}

// listing is one list of alerts and the pages they make before silences are
// looked at. It is never changed once it is made.
type listing struct {
	hash      uint64
	alerts    []*alert // without duplicates, heartbeats left out
	pages     []page.Page
	firings   map[string]*alert // by identity, heartbeats included
	names     map[string]string // fingerprint → alertname
	heartbeat bool
	at        time.Time // the server's clock at the answer
}

// lost says that something listed before is listed no longer.
func (l *listing) lost(before *listing) bool {
	if before == nil || before.hash == l.hash {
		return false
	}
	for firing := range before.firings {
		if l.firings[firing] == nil {
			return true
		}
	}
	return false
}

// Open lists what fires now, with one request when nothing has changed. It
// also ends our silences whose firing is gone; if that fails, the next call
// tries again.
func (p *Provider) Open(ctx context.Context) (provider.Snapshot, error) {
	release, err := p.polling.Enter(ctx)
	if err != nil {
		return provider.Snapshot{}, p.client.gaveUp(err)
	}
	defer release()
	p.mutex.Lock()
	began := p.requests
	p.mutex.Unlock()
	snapshot, list, err := p.read(ctx)
	if err != nil {
		return provider.Snapshot{}, err
	}
	p.applyConfirmed(snapshot.Pages, began)
	p.tidy(ctx, list)
	return snapshot, nil
}

// applyConfirmed puts answers that were confirmed while the list was on its
// way over what the list says: they were read later.
func (p *Provider) applyConfirmed(pages []page.Page, began int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	maps.DeleteFunc(p.confirmed, func(_ string, one confirmation) bool { return one.order <= began })
	if len(p.confirmed) == 0 {
		return
	}
	for i := range pages {
		if one, found := p.confirmed[pages[i].UpstreamID]; found {
			pages[i] = one.page
		}
	}
}

func (p *Provider) read(ctx context.Context) (provider.Snapshot, *listing, error) {
	p.mutex.Lock()
	before, server, serverRead := p.current, p.server, p.serverRead
	p.mutex.Unlock()

	if server.marker == "" {
		if _, err := p.readStatus(ctx); err != nil {
			return provider.Snapshot{}, nil, err
		}
	}
	list, err := p.list(ctx)
	if err != nil {
		return provider.Snapshot{}, nil, err
	}
	if list.lost(before) || p.now().Sub(serverRead) >= reread {
		if list, err = p.settleInstance(ctx, list); err != nil {
			return provider.Snapshot{}, nil, err
		}
	}
	book, err := p.book(ctx, list)
	if err != nil {
		return provider.Snapshot{}, nil, err
	}
	heartbeat, err := p.heartbeat(ctx, list)
	if err != nil {
		return provider.Snapshot{}, nil, err
	}

	pages := slices.Clone(list.pages)
	for i, a := range list.alerts {
		p.judge(&pages[i], a, book, list.names)
	}
	p.mutex.Lock()
	p.current = list
	p.noteEarly(list)
	server = p.server
	p.mutex.Unlock()
	return provider.Snapshot{Pages: pages, ServerTime: list.at, Instance: server.marker, Heartbeat: heartbeat}, list, nil
}

// settleInstance makes sure which run of the server the list came from: the
// start time known before the list must be the one read after it, else the
// list is read again.
func (p *Provider) settleInstance(ctx context.Context, list *listing) (*listing, error) {
	for range 3 {
		p.mutex.Lock()
		known := p.server.marker
		p.mutex.Unlock()
		status, err := p.readStatus(ctx)
		if err != nil {
			return nil, err
		}
		if status.instance().marker == known {
			return list, nil
		}
		p.log.Info("the Alertmanager was restarted", "account", p.options.Account, "started", status.instance().marker)
		if list, err = p.list(ctx); err != nil {
			return nil, err
		}
	}
	return nil, p.client.broken("is being restarted again and again, or several servers take turns at this address, so that no list can be trusted; "+
		"if there are several, give the account the URL of one of them", nil)
}

// readStatus reads which run of the server this is and keeps it. Only the
// polling lane may, or a list could be taken for a later run's.
func (p *Provider) readStatus(ctx context.Context) (serverStatus, error) {
	status, err := p.askStatus(ctx)
	if err != nil {
		return serverStatus{}, err
	}
	p.mutex.Lock()
	p.server, p.serverRead = status.instance(), p.now()
	p.mutex.Unlock()
	return status, nil
}

func (p *Provider) askStatus(ctx context.Context) (serverStatus, error) {
	var status serverStatus
	if _, err := p.client.get(ctx, "status", nil, &status); err != nil {
		return serverStatus{}, err
	}
	if status.instance().started.IsZero() {
		return serverStatus{}, p.client.broken("does not say when it was started, so that a restart could not be told from a recovery", nil)
	}
	return status, nil
}

// instance puts the start time into one spelling.
func (s serverStatus) instance() instance {
	started := readTime(s.Uptime)
	return instance{started.Format(time.RFC3339Nano), started}
}

var seed = maphash.MakeSeed()

// list reads the alerts that are mine. A body that has not changed by a byte
// keeps the listing made of it.
func (p *Provider) list(ctx context.Context) (*listing, error) {
	query := everyState()
	if p.options.Receiver != "" {
		query.Set("receiver", p.options.Receiver)
	}
	query["filter"] = p.options.Filters
	at, err := p.client.read(ctx, "alerts", query, &p.body)
	if err != nil {
		return nil, err
	}
	hash := maphash.Bytes(seed, p.body.Bytes())
	if p.decoded != nil && p.decoded.hash == hash {
		same := *p.decoded
		same.at = at
		return &same, nil
	}
	list, err := p.digest(p.body.Bytes())
	if err != nil {
		return nil, p.client.nonsense(err)
	}
	if p.body.Cap() > 1<<20 && p.body.Len() < p.body.Cap()/4 {
		p.body = bodyBuffer{} // the storm is over; give its memory back
	}
	list.hash, list.at = hash, at
	p.decoded = list
	return list, nil
}

func (p *Provider) digest(body []byte) (*listing, error) {
	var decoded alertList
	if err := json.Unmarshal(body, &decoded); err != nil {
		return nil, err
	}
	if err := decoded.check(); err != nil {
		return nil, err
	}
	list := &listing{
		alerts:  make([]*alert, 0, len(decoded)),
		pages:   make([]page.Page, 0, len(decoded)),
		firings: make(map[string]*alert, len(decoded)),
		names:   make(map[string]string, len(decoded)),
	}
	for _, a := range decoded {
		a.settle()
		if list.firings[a.firing] != nil {
			continue // a merge of clustered servers can list one alert twice
		}
		list.firings[a.firing] = a
		list.names[a.Fingerprint] = a.Labels["alertname"]
		if slices.Contains(p.options.Heartbeats, a.Labels["alertname"]) {
			list.heartbeat = true
			continue
		}
		list.alerts = append(list.alerts, a)
		list.pages = append(list.pages, p.describe(a))
	}
	return list, nil
}

// everyState asks for silenced and held-back alerts too: we judge ourselves.
func everyState() url.Values {
	return url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}}
}

// book returns the silences, read again when they are old or do not explain
// what the list says.
func (p *Provider) book(ctx context.Context, list *listing) (silenceBook, error) {
	p.mutex.Lock()
	book := p.silences
	p.mutex.Unlock()
	age := p.now().Sub(book.readAt)
	if age < reread && book.explains(list, age >= unknownAgain) {
		return book, nil
	}
	p.mutex.Lock()
	began := p.requests
	p.mutex.Unlock()
	book, err := p.readSilences(ctx)
	if err != nil {
		return silenceBook{}, err
	}
	for _, a := range list.alerts {
		for _, id := range a.Status.SilencedBy {
			if _, found := book.active[id]; !found {
				book.unexplained[id] = true
			}
		}
	}
	if len(book.unexplained) > 0 {
		p.log.Warn("alerts are silenced by silences that the Alertmanager does not list; they ring",
			"account", p.options.Account, "silences", len(book.unexplained))
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.silences = book
	if began != p.requests {
		p.silences.readAt = time.Time{} // an answer came between; look again next time
	}
	return book, nil
}

// heartbeat says whether the alert that must always fire does.
func (p *Provider) heartbeat(ctx context.Context, list *listing) (provider.Heartbeat, error) {
	switch {
	case len(p.options.Heartbeats) == 0:
		return provider.HeartbeatNotRead, nil
	case list.heartbeat:
		return provider.HeartbeatSeen, nil
	case p.everything():
		return provider.HeartbeatMissing, nil
	case p.now().Sub(p.heartbeatRead) < reread:
		return provider.HeartbeatNotRead, nil
	}
	var names []string
	for _, name := range p.options.Heartbeats {
		names = append(names, regexp.QuoteMeta(name))
	}
	query := everyState()
	query.Set("filter", "alertname=~"+quote(strings.Join(names, "|")))
	var found alertList
	if _, err := p.client.get(ctx, "alerts", query, &found); err != nil {
		return provider.HeartbeatNotRead, err
	}
	if err := found.check(); err != nil {
		return provider.HeartbeatNotRead, p.client.nonsense(err)
	}
	p.heartbeatRead = p.now()
	for _, a := range found {
		if slices.Contains(p.options.Heartbeats, a.Labels["alertname"]) {
			return provider.HeartbeatSeen, nil
		}
	}
	return provider.HeartbeatMissing, nil
}
