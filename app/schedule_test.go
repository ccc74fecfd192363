package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/drill"
	"nightstand/sync/pagerduty"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// A schedule is what happens in a random night, step by step. It goes through
// everything between the paging service and the siren: the provider, the poll
// loop, the core, the outbox, the errands and the database. Time is the test's
// own, so that an hour takes a moment.
//
// The promises are in schedule_rules_test.go, the service and the way to it in
// schedule_world_test.go.
func TestRandomSchedules(t *testing.T) {
	fresh := freshDatabase(t)
	rapid.Check(t, func(r *rapid.T) {
		schedule := rapid.SliceOfN(rapid.Custom(drawStep), 3, 20).Draw(r, "schedule")
		var broken []string
		synctest.Test(t, func(t *testing.T) { broken = lives(t, schedule, fresh) })
		if len(broken) > 0 {
			r.Fatal(strings.Join(broken, "\n"))
		}
	})
}

// step is one thing that happens, and how long it is until the next.
type step struct {
	what string
	page int           // which of the pages so far, counted around
	how  int           // which way, where there are several
	span time.Duration // how long it takes, or how far it goes
	then time.Duration
}

func (s step) String() string {
	return fmt.Sprintf("\n  %s (page %d, way %d, %s), then %s", s.what, s.page, s.how, s.span, s.then)
}

func drawStep(r *rapid.T) step {
	s := step{
		what: rapid.SampledFrom(happenings()).Draw(r, "what"),
		page: rapid.IntRange(0, 5).Draw(r, "page"),
		how:  rapid.IntRange(0, 11).Draw(r, "how"),
		span: time.Duration(rapid.IntRange(1, 40).Draw(r, "minutes")) * time.Minute,
	}
	longest := rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 6 * time.Minute, 20 * time.Minute}).Draw(r, "about")
	s.then = time.Duration(rapid.Int64Range(0, int64(longest/time.Millisecond)).Draw(r, "milliseconds")) * time.Millisecond
	return s
}

// happenings are the steps; what stands here twice happens twice as often.
func happenings() []string {
	return []string{
		"a page", "a page", "I acknowledge", "I acknowledge", "I acknowledge", "I acknowledge all", "I hush",
		"I resolve", "I snooze", "I send a note", "I send a note", "I escalate", "I give it to Béla",
		"Béla acknowledges", "Béla resolves", "it resolves itself", "it goes to Béla", "it comes to me", "it comes back", "I acknowledge on the phone",
		"the network goes", "the network goes", "the network is back", "the network is back", "I do it without a network",
		"the service has trouble", "the service has trouble", "the service is well",
		"the machine sleeps", "the service's clock jumps", "Nightstand starts again", "Nightstand is killed",
	}
}

const (
	ana  = "PANA0001"
	bela = "PBELA002"
)

// life is one schedule while it runs.
type life struct {
	t     *testing.T
	world *world
	kept  *store.Store
	path  string
	road  *road
	*evening

	pages  []string // at the service, in the order in which they were triggered
	asked  []*wish
	starts int
	// well is since when nothing has kept the agent from seeing the service;
	// zero while something does.
	well   time.Time
	broken []string
}

// wish is one errand that the user asked for.
type wish struct {
	page, text string
	deed       provider.Deed
	at         time.Time
	back       atomic.Bool // the command has returned
	refused    atomic.Bool // it said that nothing will be done
	unsure     atomic.Bool // it could not say whether anything will be
}

// lives runs a schedule, lets everything heal, and returns the promises that
// were broken.
func lives(t *testing.T, schedule []step, fresh []byte) []string {
	l := &life{t: t, world: newWorld(t), path: filepath.Join(t.TempDir(), "0.db")}
	if err := os.WriteFile(l.path, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	l.start()
	l.triggers(step{})
	l.pass(5 * time.Second)
	for _, s := range schedule {
		l.does(s)
		l.pass(s.then)
		if len(l.broken) > 0 {
			break
		}
	}
	l.heals()
	l.stop()
	time.Sleep(time.Minute) // what is still on its way arrives nowhere
	if len(l.broken) > 0 {
		l.broken = append(l.broken, "what happened:\n"+l.world.story())
	}
	return l.broken
}

// heals lets everything be well for longer than any pause lasts, and looks
// whether all promises were kept.
func (l *life) heals() {
	l.road.becomes(open)
	l.world.mood.Store(nil)
	l.look()
	l.pass(4 * time.Minute)
	l.holdRules()
}

// start starts the agent on what is on the disk.
func (l *life) start() {
	kept, err := store.Open(l.t.Context(), l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.kept, l.road = kept, openRoad(l.world)
	service, err := pagerduty.New(pagerduty.Options{Account: "prod", URL: "http://127.0.0.1:1", Secret: drill.DefaultKey, Way: web.Way{Dial: l.road.dial}})
	if err != nil {
		l.t.Fatal(err)
	}
	l.starts++
	l.evening = runs(l.t, Parts{Store: kept}, service)
	l.look()
}

func (l *life) stop() {
	l.end()
	l.road.becomes(refused)
	l.road.close()
	if err := l.kept.Close(); err != nil {
		l.t.Error(err)
	}
}

// startsAgain ends the agent as a logout does, and starts it anew.
func (l *life) startsAgain() {
	state := l.road.state()
	l.stop()
	l.start()
	l.road.becomes(state)
	l.look()
}

// killed ends the agent as a power cut does: nothing it does from now on is
// known to anybody, and the next one finds the disk as it is now.
func (l *life) killed() {
	synctest.Wait()
	for _, a := range l.asked {
		if !a.back.Load() && a.deed == provider.Reassign {
			a.unsure.Store(true) // perhaps it was still asking who is meant
		}
	}
	next := filepath.Join(filepath.Dir(l.path), fmt.Sprint(l.starts)+".db")
	for _, part := range []string{"", "-wal"} {
		content, err := os.ReadFile(l.path + part)
		if err == nil {
			err = os.WriteFile(next+part, content, 0o600)
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
	state := l.road.state()
	l.road.becomes(refused)
	l.stop()
	l.path = next
	l.start()
	l.road.becomes(state)
	l.look()
}

// sleeps freezes the agent and its connections, as a lid that is closed does.
// What comes meanwhile waits for it. Its clock goes on, as on Windows.
func (l *life) sleeps(asleep time.Duration, meanwhile func()) {
	synctest.Wait() // a command of this very moment would be asked after the sleep
	state := l.road.state()
	l.road.becomes(silent)
	l.look()
	awake := make(chan struct{})
	agent := l.agent
	agent.inputs <- input{done: awake, ask: func(*watch.Watch) {
		time.Sleep(asleep)
		agent.lines.dropConnections()
		agent.step(watch.Resumed{Asleep: asleep})
	}}
	time.Sleep(asleep / 2)
	meanwhile()
	<-awake
	l.road.becomes(state)
	l.look()
}

// look notes since when the agent can see the service.
func (l *life) look() {
	if l.well = time.Now(); l.road.state() != open || l.world.mood.Load() != nil {
		l.well = time.Time{}
	}
}

// pass lets time go by and looks on the way whether anything is lost.
func (l *life) pass(span time.Duration) {
	for end := time.Now().Add(span); ; {
		left := time.Until(end)
		if left <= 0 || len(l.broken) > 0 {
			return
		}
		time.Sleep(min(left, 5*time.Second))
		synctest.Wait()
		l.nothingLost()
	}
}

// does lets one step happen.
func (l *life) does(s step) {
	l.world.note("", s.what)
	upstream := ""
	if len(l.pages) > 0 {
		upstream = l.pages[s.page%len(l.pages)]
	}
	id := page.NewID("prod", upstream)
	switch s.what {
	case "a page":
		l.triggers(s)
	case "I acknowledge":
		l.presses([]string{upstream}, func() { l.agent.Observe(watch.Acknowledge{IDs: []string{id}}) })
	case "I acknowledge all":
		l.presses(l.pages, func() {
			agent := l.agent
			go func() { _, _ = agent.Acknowledge(l.t.Context(), nil, true) }()
		})
	case "I hush":
		l.agent.Observe(watch.Hush{})
	case "I resolve":
		l.asks(upstream, control.Deed{Deed: "resolve"})
	case "I snooze":
		l.asks(upstream, control.Deed{Deed: "snooze", ForSeconds: s.span.Seconds()})
	case "I escalate":
		l.asks(upstream, control.Deed{Deed: "escalate"})
	case "I give it to Béla":
		l.asks(upstream, control.Deed{Deed: "reassign", To: "Béla"})
	case "I send a note":
		l.asks(upstream, control.Deed{Deed: "note", Text: fmt.Sprintf("note %d", len(l.asked))})
	case "Béla acknowledges":
		l.world.happens(func(service *drill.Service) { _ = service.Acknowledge(upstream, bela) })
	case "I acknowledge on the phone":
		if l.world.status(upstream) != "resolved" { // the phone would open it again
			l.world.happens(func(service *drill.Service) { _ = service.Acknowledge(upstream, ana) })
		}
	case "Béla resolves":
		l.world.happens(func(service *drill.Service) { _ = service.Resolve(upstream, bela) })
	case "it resolves itself":
		l.world.happens(func(service *drill.Service) { _ = service.Resolve(upstream, "") })
	case "it goes to Béla":
		l.world.happens(func(service *drill.Service) { _ = service.Reassign(upstream, bela) })
	case "it comes to me":
		l.world.happens(func(service *drill.Service) { _ = service.Reassign(upstream, ana) })
	case "it comes back":
		l.world.happens(func(service *drill.Service) { _ = service.Reopen(upstream, "") })
	case "the network goes":
		l.road.becomes([]openness{refused, silent}[s.how%2])
		l.look()
	case "I do it without a network":
		l.road.becomes([]openness{refused, silent}[s.how%2])
		l.look()
		does := []string{"I acknowledge", "I acknowledge all", "I resolve", "I snooze", "I send a note", "I escalate"}
		l.does(step{what: does[s.how/2], page: s.page, span: s.span})
		l.pass(s.span)
		l.road.becomes(open)
		l.look()
	case "the network is back":
		l.road.becomes(open)
		l.look()
	case "the service has trouble":
		l.world.mood.Store(&mood{kind: troubles()[s.how%len(troubles())], every: int64(1 + s.page%3), wait: 1 + int(s.span.Minutes())%30})
		l.look()
	case "the service is well":
		l.world.mood.Store(nil)
		l.look()
	case "the machine sleeps":
		l.sleeps(s.span, func() {
			if s.how%2 == 0 {
				l.triggers(s)
			}
		})
	case "the service's clock jumps":
		l.world.jumps([]time.Duration{s.span, -s.span}[s.how%2])
	case "Nightstand starts again":
		l.startsAgain()
	case "Nightstand is killed":
		l.killed()
	}
}

// triggers opens a page. Every fourth wakes nobody unless it is handed on.
func (l *life) triggers(s step) {
	t := drill.Trigger{
		Title: fmt.Sprintf("Disk %d is full", len(l.pages)), Urgency: "high",
		Priority:      []string{"P1", "P2", "P3", ""}[s.how%4],
		EscalateAfter: []time.Duration{0, 40 * time.Second, -1}[s.how%3],
		AckLasts:      []time.Duration{0, 3 * time.Minute, -1}[s.page%3],
	}
	if s.how%4 == 1 {
		t.Urgency, t.Priority = "low", []string{"P2", "P4"}[s.page%2]
	}
	l.world.happens(func(service *drill.Service) { l.pages = append(l.pages, service.Trigger(t)) })
}

// presses notes who is answered before that is done.
func (l *life) presses(upstream []string, press func()) {
	for _, one := range upstream {
		l.world.note(one, pressed)
	}
	press()
}

// asks asks for an errand, as a command does that may wait for its outcome.
func (l *life) asks(upstream string, deed control.Deed) {
	if upstream == "" {
		return
	}
	a := &wish{page: upstream, deed: provider.Deed(deed.Deed), text: deed.Text, at: time.Now()}
	l.asked = append(l.asked, a)
	l.world.note(upstream, "asked: "+deed.Deed)
	if a.deed == provider.Resolve || a.deed == provider.Snooze {
		l.world.note(upstream, pressed) // they answer it first
	}
	agent, id := l.agent, page.NewID("prod", upstream)
	go func() {
		var err error
		if a.deed == provider.Note {
			_, err = agent.AddNote(l.t.Context(), id, control.NewNote{Text: a.text, Send: true})
		} else {
			_, err = agent.Do(l.t.Context(), id, deed)
		}
		l.world.returned(a, err)
	}()
}

// freshDatabase is the database of a profile with one account.
func freshDatabase(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fresh.db")
	kept, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.PutAccount(t.Context(), store.Account{Name: "prod", Provider: "pagerduty", Secret: store.KeyringPlace, AddedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := kept.Close(); err != nil { // which moves everything into the one file
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
