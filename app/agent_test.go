package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightstand/app/config"
	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/provider"
)

// ringer is a bell that remembers what it was asked for, and when.
type ringer struct {
	mu    sync.Mutex
	asked []watch.Alarm
	at    []time.Time
	tones []watch.Ending
	beats int
}

func (b *ringer) Ring(a watch.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked, b.at = append(b.asked, a), append(b.at, time.Now())
}

func (b *ringer) Tone(e watch.Ending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tones = append(b.tones, e)
}

func (b *ringer) Beat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beats++
}

func (b *ringer) Sounding() (sounding bool, device, trouble string) {
	return b.pattern() != watch.Silent, "the test's speaker", ""
}

// pattern is what it was last asked to sound.
func (b *ringer) pattern() watch.Pattern {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.asked) == 0 {
		return watch.Silent
	}
	return b.asked[len(b.asked)-1].Pattern
}

// lastAsked is when it was last asked for another sound.
func (b *ringer) lastAsked() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at[len(b.at)-1]
}

// pulse is a heart that counts.
type pulse struct {
	mu                    sync.Mutex
	beats, ready, stopped int
}

func (h *pulse) count(what *int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*what++
}

func (h *pulse) Beat()         { h.count(&h.beats) }
func (h *pulse) Ready()        { h.count(&h.ready) }
func (h *pulse) Stopping()     { h.count(&h.stopped) }
func (h *pulse) Status(string) {}

// paging is a paging service in memory: it lists what the test puts there,
// takes answers, and fails or hangs when the test says so.
type paging struct {
	mu     sync.Mutex
	pages  map[string]page.Page
	sick   error         // what every request gets
	slow   time.Duration // how long a request takes
	hang   bool          // reading never ends
	asked  int           // answers that were asked for
	closed int
}

var _ provider.Provider = (*paging)(nil)

func newPaging(pages ...page.Page) *paging {
	s := &paging{pages: map[string]page.Page{}}
	s.list(pages...)
	return s
}

func (s *paging) list(pages ...page.Page) {
	s.set(func() {
		for _, p := range pages {
			s.pages[p.ID] = p
		}
	})
}

// set changes something under the lock.
func (s *paging) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// begin is how every request begins: it takes its time, and may fail.
func (s *paging) begin(ctx context.Context, mayHang bool) error {
	s.mu.Lock()
	sick, slow, hang := s.sick, s.slow, s.hang && mayHang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return sick
}

func (s *paging) Capabilities() provider.Capabilities {
	return provider.Capabilities{Unacknowledge: true, AckLasts: 30 * time.Minute}
}

func (s *paging) Test(context.Context) (provider.Introduction, error) {
	return provider.Introduction{User: "anna", Service: "memory"}, nil
}

func (s *paging) Open(ctx context.Context) (provider.Snapshot, error) {
	if err := s.begin(ctx, true); err != nil {
		return provider.Snapshot{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot := provider.Snapshot{Instance: "first"}
	for _, p := range s.pages {
		snapshot.Pages = append(snapshot.Pages, p)
	}
	return snapshot, nil
}

func (s *paging) Acknowledge(ctx context.Context, p page.Page) (page.Page, error) {
	s.set(func() { s.asked++ })
	if err := s.begin(ctx, false); err != nil {
		return page.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, there := s.pages[p.ID]
	if !there {
		return page.Page{}, provider.ErrGone
	}
	now.Status, now.AcknowledgedBy, now.AcknowledgedByMe = page.Acknowledged, "anna", true
	now.AcknowledgedAt, now.AckExpiresAt = time.Now(), time.Now().Add(30*time.Minute)
	s.pages[p.ID] = now
	return now, nil
}

func (s *paging) Unacknowledge(ctx context.Context, p page.Page) (page.Page, error) {
	if err := s.begin(ctx, false); err != nil {
		return page.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.pages[p.ID]
	now.Status, now.AcknowledgedBy, now.AcknowledgedByMe, now.AckExpiresAt = page.Triggered, "", false, time.Time{}
	s.pages[p.ID] = now
	return now, nil
}

func (s *paging) Close() { s.set(func() { s.closed++ }) }

// triggered is a page of the account prod that rings.
func triggered(number int) page.Page {
	upstream := fmt.Sprintf("alert-%d", number)
	return page.Page{
		ID: page.NewID("prod", upstream), Account: "prod", UpstreamID: upstream, Title: fmt.Sprintf("Disk %d is full", number),
		Service: "db", Severity: page.Critical, Status: page.Triggered, TriggeredAt: time.Now(), Mine: true,
	}
}

// evening is an agent that runs.
type evening struct {
	agent *Agent
	bell  *ringer
	heart *pulse
	end   func() // asks it to end and waits until it has
}

// runs starts an agent on the parts, with the service as the account prod.
func runs(tb testing.TB, parts Parts, service provider.Provider) *evening {
	tb.Helper()
	e := &evening{bell: &ringer{}, heart: &pulse{}}
	parts.Settings, parts.Bell, parts.Heart, parts.Version = config.Defaults(), e.bell, e.heart, "test"
	if parts.Log == nil {
		parts.Log = discard()
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.agent = New(ctx, parts)
	if service != nil {
		e.agent.lines.connect(ctx, "prod", service)
	}
	ended := make(chan struct{})
	go func() { e.agent.Run(ctx); close(ended) }()
	e.end = sync.OnceFunc(func() { cancel(); <-ended })
	tb.Cleanup(func() { cancel() })
	return e
}

func (e *evening) mustSound(t *testing.T, want watch.Pattern, when string) {
	t.Helper()
	if got := e.bell.pattern(); got != want {
		t.Fatalf("%s the bell is asked for %q, want %q", when, got, want)
	}
}

// signal is what is known of one condition.
func (e *evening) signal(name string) watch.Signal {
	for _, s := range e.agent.state.Load().Signals {
		if s.Name == name {
			return s
		}
	}
	return watch.Signal{}
}

func (e *evening) page(t *testing.T, id string) watch.PageState {
	t.Helper()
	p, err := e.agent.find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPageRingsAndOneAnswerMakesItQuietAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newPaging()
		e := runs(t, Parts{}, service)
		defer e.end()
		time.Sleep(time.Second)
		p := triggered(1)
		service.list(p)
		posted := time.Now()
		time.Sleep(4 * time.Second)
		e.mustSound(t, watch.Critical, "four seconds after the page")
		if late := e.bell.lastAsked().Sub(posted); late > 3300*time.Millisecond {
			t.Errorf("it rang after %v, later than one poll", late)
		}

		service.set(func() { service.slow = 4 * time.Second })
		pressed := time.Now()
		e.agent.Observe(watch.Acknowledge{IDs: []string{p.ID}})
		synctest.Wait()
		e.mustSound(t, watch.Silent, "after the click")
		if took := e.bell.lastAsked().Sub(pressed); took > 100*time.Millisecond {
			t.Errorf("it fell silent after %v", took)
		}
		if answer := e.page(t, p.ID).Answer; answer != watch.AnswerUnderWay {
			t.Errorf("before the service said so the answer is %q", answer)
		}
		time.Sleep(5 * time.Second)
		if answer := e.page(t, p.ID).Answer; answer != watch.AnswerIsConfirmed {
			t.Errorf("the answer is %q", answer)
		}
		if !slices.Contains(e.bell.tones, watch.EndedHere) {
			t.Errorf("the tones were %v", e.bell.tones)
		}
		time.Sleep(10 * time.Minute)
		e.mustSound(t, watch.Silent, "ten minutes later")
	})
}

func TestTheCommandReturnsWhatBecameOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(s *paging)
		done    bool
		says    string
	}{
		"confirmed": {func(s *paging) { s.slow = time.Second }, true, "Acknowledged by you at "},
		"gone":      {func(s *paging) { clear(s.pages) }, true, "The page is resolved; there is nothing left to do."},
		"refused": {func(s *paging) { s.sick = &provider.Error{Kind: provider.Refused, Sentence: "The service says no."} },
			false, "Not acknowledged: The service says no."},
		"offline": {func(s *paging) {
			s.sick = &provider.Error{Kind: provider.Unreachable, Sentence: "It refuses connections."}
		},
			false, "Not acknowledged: It refuses connections. It is sent as soon as the service is seen again. It rings until then; a second press keeps it quiet."},
		"taken": {func(s *paging) { s.sick = &provider.TakenError{By: "ben"} }, false, "ben has it already."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := triggered(1)
				service := newPaging(p)
				e := runs(t, Parts{}, service)
				defer e.end()
				time.Sleep(2 * time.Second)
				service.set(func() { c.prepare(service) })
				start := time.Now()
				outcomes, err := e.agent.Acknowledge(t.Context(), []string{p.ID}, false)
				if err != nil || len(outcomes) != 1 || outcomes[0].Done != c.done || !strings.Contains(outcomes[0].Sentence, c.says) {
					t.Errorf("it returned %+v (%v)", outcomes, err)
				}
				if took := time.Since(start); took > 12*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestUndoThroughTheCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := triggered(1)
		service := newPaging(p)
		e := runs(t, Parts{}, service)
		defer e.end()
		time.Sleep(2 * time.Second)
		if outcome, err := e.agent.Unacknowledge(t.Context(), p.ID); err != nil || outcome.Done || outcome.Sentence != "It is not acknowledged, so there is nothing to take back." {
			t.Errorf("before any answer: %+v (%v)", outcome, err)
		}
		if _, err := e.agent.Acknowledge(t.Context(), nil, true); err != nil {
			t.Fatal(err)
		}
		outcome, err := e.agent.Unacknowledge(t.Context(), p.ID)
		if err != nil || !outcome.Done {
			t.Errorf("the undo gave %+v (%v)", outcome, err)
		}
		e.mustSound(t, watch.Critical, "after the undo")
		if hushed, err := e.agent.Hush(t.Context()); err != nil || !hushed.Done {
			t.Errorf("the hush gave %+v (%v)", hushed, err)
		}
		e.mustSound(t, watch.Silent, "after the hush")
	})
}

func TestAServiceThatHangsHoldsNeitherAnswersNorTheBeatUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := triggered(1)
		service := newPaging(p)
		e := runs(t, Parts{}, service)
		defer e.end()
		time.Sleep(time.Second)
		service.set(func() { service.hang = true })
		time.Sleep(9 * time.Second)
		if failure := e.agent.state.Load().Accounts[0].Failure; failure != "the paging service did not answer in time" {
			t.Errorf("a poll that hangs is told as %q", failure)
		}
		e.mustSound(t, watch.Critical, "while polls hang")
		outcomes, err := e.agent.Acknowledge(t.Context(), []string{p.ID}, false)
		if err != nil || len(outcomes) != 1 || !outcomes[0].Done {
			t.Errorf("while polls hang the answer gave %+v (%v)", outcomes, err)
		}
		time.Sleep(50 * time.Second)
		if light := e.agent.state.Load().Light; light != watch.BlindLight {
			t.Errorf("a service that hangs for a minute makes the light %s", light)
		}
		e.mustSound(t, watch.Blind, "a minute later")
		e.end()
		if e.heart.beats < 55 || e.bell.beats < 55 {
			t.Errorf("%d and %d beats in a minute", e.heart.beats, e.bell.beats)
		}
	})
}

func TestOneSickServiceDoesNotTouchAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newPaging(triggered(1))
		e := runs(t, Parts{}, service)
		defer e.end()
		sick := newPaging()
		sick.hang = true
		e.agent.lines.connect(t.Context(), "home", sick)
		defer e.agent.lines.cut("home")
		time.Sleep(20 * time.Second)
		for _, a := range e.agent.state.Load().Accounts {
			if (a.Failure != "") != (a.Name == "home") {
				t.Errorf("%s: %q", a.Name, a.Failure)
			}
		}
		e.mustSound(t, watch.Critical, "for the page of the sound one")
	})
}

func TestWhatIsReplacedWhileItReadsIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newPaging(triggered(1))
		old.slow = 2 * time.Second
		e := runs(t, Parts{}, old)
		defer e.end()
		time.Sleep(time.Second) // it is reading
		fresh := newPaging()
		e.agent.lines.connect(t.Context(), "prod", fresh)
		defer e.agent.lines.cut("prod")
		time.Sleep(10 * time.Second)
		e.mustSound(t, watch.Silent, "for a page that only the replaced service listed")
		old.set(func() {
			if old.closed != 1 {
				t.Errorf("the replaced connection was closed %d times", old.closed)
			}
		})
	})
}

func TestAnAnswerUnderWayMovesToTheNewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := triggered(1)
		old := newPaging(p)
		e := runs(t, Parts{}, old)
		defer e.end()
		time.Sleep(time.Second)
		old.set(func() { old.slow = time.Minute })
		e.agent.Observe(watch.Acknowledge{IDs: []string{p.ID}})
		time.Sleep(time.Second)
		fresh := newPaging(p)
		e.agent.lines.connect(t.Context(), "prod", fresh)
		defer e.agent.lines.cut("prod")
		time.Sleep(5 * time.Second)
		if got := e.page(t, p.ID); got.Answer != watch.AnswerIsConfirmed {
			t.Errorf("the answer is %q: %s", got.Answer, got.AnswerReason)
		}
		e.mustSound(t, watch.Silent, "throughout")
	})
}

func TestEverythingLetsGoAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newPaging(triggered(1))
		service.slow = 3 * time.Second
		e := runs(t, Parts{}, service)
		time.Sleep(5 * time.Second)
		e.mustSound(t, watch.Critical, "before the end")
		// Many have something to say while it ends; none may be stuck.
		var talkers sync.WaitGroup
		for range 8 {
			talkers.Go(func() {
				for range 2000 {
					e.agent.Observe(watch.Hush{})
				}
			})
		}
		e.end()
		talkers.Wait()
		e.mustSound(t, watch.Silent, "after the end")
		if service.closed != 1 || e.heart.stopped != 1 || e.heart.ready != 1 {
			t.Errorf("closed %d times, said ready %d and stopping %d times", service.closed, e.heart.ready, e.heart.stopped)
		}
		ctx := context.Background()
		for name, ask := range map[string]func() error{
			"hush":  func() error { return e.agent.do(ctx, watch.Hush{}) },
			"ack":   func() error { _, err := e.agent.Acknowledge(ctx, []string{triggered(1).ID}, false); return err },
			"all":   func() error { _, err := e.agent.Acknowledge(ctx, nil, true); return err },
			"unack": func() error { _, err := e.agent.Unacknowledge(ctx, triggered(1).ID); return err },
			"page":  func() error { _, err := e.agent.Page(ctx, triggered(1).ID); return err },
			"drop":  func() error { return e.agent.Dismiss(ctx, "") },
		} {
			if err := ask(); !errors.Is(err, errEnding) {
				t.Errorf("%s after the end gave %v", name, err)
			}
		}
		e.agent.State() // the last state can still be read
		e.agent.Pages(true)
	})
}

func TestQuitEndsTheAgentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := runs(t, Parts{}, newPaging())
		e.agent.Quit()
		e.agent.Quit()
		e.end()
	})
}

func TestUnknownPagesAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := runs(t, Parts{}, newPaging())
		defer e.end()
		if _, err := e.agent.Acknowledge(t.Context(), []string{"\x1b[31mnobody"}, false); err == nil || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("an unknown page gave %v", err)
		}
		if err := e.agent.Dismiss(t.Context(), "none"); err == nil {
			t.Error("an unknown sentence was dismissed")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.agent.find(ctx, "x"); err == nil {
			t.Error("a question of somebody who left was answered")
		}
	})
}

func TestFacesSeeTheNewestStateAndOneThatIsSlowHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newPaging()
		parts := Parts{Settings: config.Defaults(), Bell: &ringer{}, Heart: &pulse{}, Log: discard()}
		ctx, cancel := context.WithCancel(context.Background())
		agent := New(ctx, parts)
		slow := &slowFace{}
		agent.AddFace(slow)
		agent.lines.connect(ctx, "prod", service)
		ended := make(chan struct{})
		go func() { agent.Run(ctx); close(ended) }()
		time.Sleep(time.Second)
		service.list(triggered(1))
		time.Sleep(4 * time.Second)
		if got := parts.Bell.(*ringer).pattern(); got != watch.Critical {
			t.Errorf("with a slow face the bell is asked for %q", got)
		}
		time.Sleep(6 * time.Second)
		slow.mu.Lock()
		if len(slow.last.Pages) != 1 {
			t.Error("the slow face never saw the page")
		}
		slow.mu.Unlock()
		cancel()
		<-ended
	})
}

type slowFace struct {
	mu   sync.Mutex
	last watch.State
}

func (f *slowFace) Show(s watch.State) {
	time.Sleep(2 * time.Second)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = s
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// database opens a real one in the test's own folder, with the account prod.
func database(tb testing.TB, path string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	account := store.Account{Name: "prod", Provider: "alertmanager", URL: "http://127.0.0.1:1", User: "anna", Secret: store.NoSecret, AddedAt: time.Now()}
	if err := s.PutAccount(context.Background(), account); err != nil {
		tb.Fatal(err)
	}
	return s
}
