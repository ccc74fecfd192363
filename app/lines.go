package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"nightstand/app/config"
	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/outbox"
	"nightstand/sync/poll"
	"nightstand/sync/provider"
)

// The span of one reading and the longest pause after failures, on shift and
// off. On shift the pause stays near the usual one: sight must be back within
// five seconds of the service, and one that is asked every three seconds while
// it is well is not spared by being asked less while it is not.
const (
	patienceOnShift  = 5 * time.Second
	patienceOffShift = 20 * time.Second
	longestOnShift   = 4 * time.Second
	longestOffShift  = 60 * time.Second
)

// lines are the connections to all accounts: for each a poll loop and an outbox.
type lines struct {
	agent *Agent
	pace  config.Poll
	log   *slog.Logger

	mu       sync.Mutex
	open     map[string]*line
	accounts map[string]store.Account // as set up, connected or not
	secrets  map[string]string        // the credential each is connected with
	missing  map[string]string        // why an account is not connected
	refresh  chan struct{}
	running  sync.WaitGroup
}

// line is the connection to one account.
type line struct {
	name    string
	service provider.Provider
	poll    *poll.Loop
	outbox  *outbox.Line
	errands *outbox.Errands // nil where a service knows no deeds
	results results
	clock   clock
	// taken is whether the service takes the credential; nil while it has not
	// said so either way.
	taken atomic.Pointer[bool]
	end   context.CancelFunc
}

func newLines(a *Agent, pace config.Poll, log *slog.Logger) *lines {
	return &lines{agent: a, pace: pace, log: log, open: map[string]*line{}, accounts: map[string]store.Account{},
		secrets: map[string]string{}, missing: map[string]string{}, refresh: make(chan struct{}, 1)}
}

// connect begins to watch an account, replacing an earlier connection to it.
func (l *lines) connect(ctx context.Context, name string, service provider.Provider) {
	ctx, end := context.WithCancel(ctx)
	if forgetful, can := service.(provider.Rememberer); can {
		forgetful.Remember(l.openHere(name))
	}
	one := &line{name: name, service: service, end: end}
	one.outbox = outbox.NewLine(service, reports{agent: l.agent, name: name})
	if doer, can := service.(provider.Doer); can {
		one.errands = one.outbox.Errands(doer, l.shelf(name), time.Now, func(r outbox.Result) { l.agent.errandReported(one, r) })
	}
	one.poll = poll.New(service, func() poll.Pace { return l.paceOf(one) }, func(r poll.Reading) { l.delivered(one, r) })
	l.mu.Lock()
	before := l.open[name]
	l.open[name] = one
	l.mu.Unlock()
	if before != nil {
		before.end()
	}
	l.agent.Observe(watch.AccountAdded{Name: name, Final: !service.Capabilities().Unacknowledge})
	l.running.Go(func() { one.run(ctx) })
}

// openHere are the pages of an account that are this user's as far as we know.
func (l *lines) openHere(name string) []page.Page {
	var open []page.Page
	for _, p := range l.agent.state.Load().Pages {
		if p.Account == name && p.Mine {
			open = append(open, p.Page)
		}
	}
	return open
}

// run reads and answers until ctx ends, then lets go of the service.
func (one *line) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { one.poll.Run(ctx) })
	both.Go(func() { one.outbox.Run(ctx) })
	if one.errands != nil {
		both.Go(func() { one.errands.Run(ctx) })
	}
	both.Wait()
	one.service.Close()
}

// shelf is where the errands of an account are kept; nil where nothing can be.
func (l *lines) shelf(name string) outbox.Shelf {
	if l.agent.parts.Store == nil {
		return nil
	}
	return shelf{l.agent.parts.Store, name}
}

// cut ends the connection to an account and forgets how it was set up.
func (l *lines) cut(name string) {
	l.hangUp(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.accounts, name)
	delete(l.secrets, name)
	delete(l.missing, name)
}

// hangUp ends the connection to an account, if there is one.
func (l *lines) hangUp(name string) {
	l.mu.Lock()
	one := l.open[name]
	delete(l.open, name)
	l.mu.Unlock()
	if one != nil {
		one.end()
	}
}

// wait returns when every connection has ended. Nothing may connect any more.
func (l *lines) wait() {
	l.mu.Lock()
	for _, one := range l.open {
		one.end()
	}
	l.mu.Unlock()
	l.running.Wait()
}

func (l *lines) find(name string) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[name]
}

// paceOf is how often to look at one account: by what goes on, and no oftener
// than its service allows.
func (l *lines) paceOf(one *line) poll.Pace {
	pace := l.paceNow()
	pace.Every = max(pace.Every, one.service.Capabilities().LeastPause)
	return pace
}

// paceNow is how often to look, by what goes on.
func (l *lines) paceNow() poll.Pace {
	state := l.agent.state.Load()
	switch {
	case !state.OnShift:
		return poll.Pace{Every: time.Duration(l.pace.OffShift), Patience: patienceOffShift, LongestPause: longestOffShift}
	case unanswered(state):
		return poll.Pace{Every: min(time.Duration(l.pace.Unanswered), time.Duration(l.pace.OnShift)), Patience: patienceOnShift, LongestPause: longestOnShift}
	}
	return poll.Pace{Every: time.Duration(l.pace.OnShift), Patience: patienceOnShift, LongestPause: longestOnShift}
}

func unanswered(state *watch.State) bool {
	for _, p := range state.Pages {
		if p.Alarming {
			return true
		}
	}
	return false
}

func (l *lines) delivered(one *line, r poll.Reading) {
	if l.find(one.name) != one {
		return // replaced or removed while it was reading
	}
	if r.Err != nil {
		l.log.Warn("poll failed", "account", one.name, "kind", provider.KindOf(r.Err), "error", r.Err)
		if provider.KindOf(r.Err) == provider.Refused {
			one.taken.Store(new(false))
		}
		l.agent.Observe(watch.PollFailed{Account: one.name, Sentence: sentence(r.Err)})
		l.agent.lookAtCredentials()
		return
	}
	if before := one.taken.Swap(new(true)); before == nil || !*before {
		l.agent.lookAtCredentials()
	}
	l.readClock(one, r)
	one.clock.ours(r.Snapshot.Pages)
	if one.errands != nil {
		one.errands.Wake()
	}
	l.agent.Observe(watch.Polled{
		Account: one.name, Started: l.agent.instant(r.Started).Mono,
		Pages: r.Snapshot.Pages, Instance: r.Snapshot.Instance,
		Heartbeat: watch.Heartbeat(r.Snapshot.Heartbeat),
	})
}

// readClock compares the service's clock with this machine's.
func (l *lines) readClock(one *line, r poll.Reading) {
	before := one.clock.difference()
	one.clock.read(r, time.Now())
	if after := one.clock.difference(); after != before || before == 0 {
		l.agent.lookAtClocks()
	}
}

// dropConnections throws away what died with the network while the machine
// slept, so that the next look does not wait for it.
func (l *lines) dropConnections() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.open {
		if stale, has := one.service.(interface{ DropConnections() }); has {
			stale.DropConnections()
		}
	}
}

// lookAnew looks at every account at once, over new connections.
func (l *lines) lookAnew() {
	l.log.Info("the network changed; looking anew")
	l.dropConnections()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.open {
		one.poll.Now()
	}
}

func (l *lines) lookNow(account string) {
	if one := l.find(account); one != nil {
		one.poll.Now()
	}
}

func (l *lines) answer(send watch.SendAnswer) {
	l.put(outbox.Letter{Page: send.Page, Number: send.Number})
}

func (l *lines) takeBack(send watch.SendTakeBack) {
	l.put(outbox.Letter{Page: send.Page, TakeBack: true})
}

// put hands a letter to the account's outbox. It is called on the loop, which
// must not wait for its own inputs; hence the goroutine.
func (l *lines) put(letter outbox.Letter) {
	name := letter.Page.Account
	if one := l.find(name); one != nil && one.outbox.Put(letter) {
		return
	}
	go reports{agent: l.agent, name: name}.Failed(letter, errNotConnected)
}

var errNotConnected = &provider.Error{Kind: provider.Unreachable, Sentence: "the account is not connected"}

// reports brings what became of letters to the core.
type reports struct {
	agent *Agent
	name  string
}

func (r reports) Started(letter outbox.Letter) {
	if !letter.TakeBack {
		r.agent.Observe(watch.AnswerStarted{ID: letter.Page.ID, Number: letter.Number})
	}
}

func (r reports) Arrived(letter outbox.Letter, after page.Page) {
	if one := r.agent.lines.find(r.name); one != nil {
		pages := []page.Page{after}
		one.clock.ours(pages)
		after = pages[0]
	}
	r.agent.log.Info("answer confirmed", "page", letter.Page.ID, "status", after.Status, "take_back", letter.TakeBack)
	if letter.TakeBack {
		r.agent.Observe(watch.TakenBack{ID: letter.Page.ID, Page: after})
		return
	}
	r.agent.Observe(watch.AnswerConfirmed{ID: letter.Page.ID, Number: letter.Number, Page: after})
}

func (r reports) Failed(letter outbox.Letter, err error) {
	r.agent.log.Warn("answer not confirmed", "page", letter.Page.ID, "error", err, "take_back", letter.TakeBack)
	id, number := letter.Page.ID, letter.Number
	var taken *provider.TakenError
	switch {
	case errors.Is(err, provider.ErrGone):
		r.agent.Observe(watch.AnswerGone{ID: id, Number: number})
	case letter.TakeBack:
		r.agent.Observe(watch.TakeBackFailed{ID: id, Sentence: sentence(err)})
	case errors.As(err, &taken):
		r.agent.Observe(watch.AnswerTaken{ID: id, Number: number, By: taken.By})
	default:
		r.agent.Observe(watch.AnswerFailed{ID: id, Number: number, Offline: worthAnotherTry(err), Sentence: sentence(err)})
	}
}

// worthAnotherTry tells a service out of reach from one that said no.
func worthAnotherTry(err error) bool {
	switch provider.KindOf(err) {
	case provider.Refused, provider.Invalid:
		return false
	}
	return !errors.Is(err, provider.ErrUnsupported)
}
