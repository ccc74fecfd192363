package outbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// doer does errands as the test says.
type doer func(ctx context.Context, p page.Page, errand provider.Errand) error

func (d doer) Do(ctx context.Context, p page.Page, errand provider.Errand) (page.Page, error) {
	return p, d(ctx, p, errand)
}

// shelf keeps errands over a restart of the errands, in memory.
type shelf struct {
	mu     sync.Mutex
	kept   []Waiting
	number int64
	full   bool
}

var errFull = errors.New("the disk is full")

func (s *shelf) Keep(_ context.Context, w Waiting) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return 0, errFull
	}
	s.number++
	w.ID = s.number
	s.kept = append(s.kept, w)
	return w.ID, nil
}

func (s *shelf) Tried(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errFull
	}
	for at := range s.kept {
		if s.kept[at].ID == id {
			s.kept[at].Errand.Tried = true
		}
	}
	return nil
}

func (s *shelf) Drop(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(w Waiting) bool { return w.ID == id })
	return nil
}

func (s *shelf) Waiting(context.Context) ([]Waiting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept), nil
}

func note(text string) provider.Errand {
	return provider.Errand{Deed: provider.Note, Text: text, Asked: time.Now()}
}

func deed(d provider.Deed) provider.Errand { return provider.Errand{Deed: d, Asked: time.Now()} }

func about(id string) page.Page { return page.Page{ID: id, Account: "prod", UpstreamID: id} }

// office runs errands in made-up time and writes down what they report.
type office struct {
	*Errands
	diary
	shelf *shelf
	end   func()
}

func open(t *testing.T, s *shelf, d doer) *office {
	t.Helper()
	o := &office{shelf: s}
	o.Errands = NewLine(service{}, &o.diary).Errands(d, s, time.Now, func(r Result) {
		switch {
		case r.Err == nil:
			o.write("%s of %s done", r.Waiting.Errand.Deed, r.Waiting.Page.ID)
		case r.Waits:
			o.write("%s of %s waits: %s", r.Waiting.Errand.Deed, r.Waiting.Page.ID, provider.Sentence(r.Err))
		default:
			o.write("%s of %s given up: %s", r.Waiting.Errand.Deed, r.Waiting.Page.ID, provider.Sentence(r.Err))
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { o.Run(ctx); close(ended) }()
	o.end = func() { cancel(); <-ended }
	return o
}

func (o *office) put(t *testing.T, id string, e provider.Errand) {
	t.Helper()
	if _, err := o.Put(t.Context(), about(id), e); err != nil {
		t.Fatal(err)
	}
}

var away = &provider.Error{Kind: provider.Unreachable, Sentence: "it is away"}

func TestErrandsOfAPageGoInOrderAndAreForgottenWhenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		o := open(t, s, func(context.Context, page.Page, provider.Errand) error { time.Sleep(time.Second); return nil })
		o.put(t, "a", deed(provider.Snooze))
		o.put(t, "a", note("disk"))
		o.put(t, "b", deed(provider.Resolve))
		time.Sleep(10 * time.Second)
		o.end()
		o.mustBe(t, "snooze of a done", "note of a done", "resolve of b done")
		if len(s.kept) != 0 || len(o.Waiting()) != 0 {
			t.Errorf("there still waits %v, and is kept %v", o.Waiting(), s.kept)
		}
	})
}

func TestAnErrandWaitsForTheServiceAndNeverOvertakesItsPagesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		o := open(t, &shelf{}, func(_ context.Context, p page.Page, e provider.Errand) error {
			if down.Load() {
				return away
			}
			return nil
		})
		o.put(t, "a", note("first"))
		o.put(t, "a", note("second"))
		time.Sleep(100 * time.Millisecond)
		o.mustBe(t, "note of a waits: it is away")
		if w := o.Waiting(); len(w) != 2 || w[0].Problem != "it is away" {
			t.Errorf("there waits %+v", w)
		}
		down.Store(false)
		o.Wake()
		time.Sleep(100 * time.Millisecond)
		o.end()
		o.mustBe(t, "note of a waits: it is away", "note of a done", "note of a done")
	})
}

func TestOnePageInTroubleHoldsNoOtherUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, &shelf{}, func(_ context.Context, p page.Page, e provider.Errand) error {
			if p.ID == "a" {
				return &provider.Error{Kind: provider.Broken, Sentence: "it broke"}
			}
			return nil
		})
		o.put(t, "a", deed(provider.Resolve))
		o.put(t, "b", deed(provider.Resolve))
		time.Sleep(100 * time.Millisecond)
		o.end()
		o.mustBe(t, "resolve of a waits: it broke", "resolve of b done")
	})
}

func TestARefusalIsFinal(t *testing.T) {
	for _, err := range []error{
		provider.ErrGone, provider.ErrUnsupported, &provider.TakenError{By: "Dana"},
		&provider.Error{Kind: provider.Refused, Sentence: "not with this key"}, &provider.Error{Kind: provider.Invalid, Sentence: "no"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			o := open(t, &shelf{}, func(context.Context, page.Page, provider.Errand) error { tries++; return err })
			o.put(t, "a", deed(provider.Escalate))
			time.Sleep(10 * time.Minute)
			o.end()
			if o.mustBe(t, "escalate of a given up: "+provider.Sentence(err)); tries != 1 || len(o.shelf.kept) != 0 {
				t.Errorf("after %v it was tried %d times and %d are kept", err, tries, len(o.shelf.kept))
			}
		})
	}
}

// What a page needed a quarter of an hour ago may be wrong now; a note is not.
func TestAnOldErrandIsNotSentAndAnOldNoteIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		sent := []provider.Deed{}
		o := open(t, &shelf{}, func(_ context.Context, _ page.Page, e provider.Errand) error {
			if down.Load() {
				return away
			}
			sent = append(sent, e.Deed)
			return nil
		})
		o.put(t, "a", deed(provider.Escalate))
		o.put(t, "b", note("disk"))
		time.Sleep(stale + time.Second)
		down.Store(false)
		o.Wake()
		time.Sleep(time.Second)
		o.end()
		if !slices.Equal(sent, []provider.Deed{provider.Note}) {
			t.Errorf("there was sent %v", sent)
		}
		if last := o.lines[len(o.lines)-2]; !strings.Contains(last, "15 minutes") {
			t.Errorf("it is said so as %q", last)
		}
	})
}

// After kill -9 in the middle of a request nobody knows whether it arrived.
func TestAnErrandCutOffIsTriedAgainAsOneThatMayHaveArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		hanging := open(t, s, func(ctx context.Context, _ page.Page, e provider.Errand) error {
			if e.Tried {
				t.Error("the first try is taken for a second one")
			}
			<-ctx.Done()
			return ctx.Err()
		})
		hanging.put(t, "a", note("disk"))
		time.Sleep(time.Second)
		hanging.end()
		tried := false
		o := open(t, s, func(_ context.Context, p page.Page, e provider.Errand) error {
			tried = e.Tried && e.Text == "disk" && p.UpstreamID == "a"
			return nil
		})
		synctest.Wait()
		o.end()
		if o.mustBe(t, "note of a done"); !tried {
			t.Error("the next start does not know that it may have arrived")
		}
	})
}

func TestWhatCannotBeKeptIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{full: true}
		o := open(t, s, func(context.Context, page.Page, provider.Errand) error { t.Error("it was sent"); return nil })
		if _, err := o.Put(t.Context(), about("a"), deed(provider.Resolve)); !errors.Is(err, errFull) {
			t.Errorf("a full disk says %v", err)
		}
		time.Sleep(time.Hour)
		o.end()
	})
}

// What cannot be marked as tried might be done twice after a crash.
func TestWhatCannotBeMarkedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{kept: []Waiting{{ID: 1, Page: about("a"), Errand: note("disk")}}, full: true}
		o := open(t, s, func(context.Context, page.Page, provider.Errand) error { t.Error("it was sent"); return nil })
		time.Sleep(100 * time.Millisecond)
		o.end()
		if w := o.Waiting(); len(w) != 1 || !strings.Contains(w[0].Problem, "make room") {
			t.Errorf("there waits %+v", w)
		}
	})
}

func TestTheServiceSaysHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		o := open(t, &shelf{}, func(context.Context, page.Page, provider.Errand) error {
			at = append(at, time.Now())
			if len(at) == 1 {
				return &provider.Error{Kind: provider.RateLimited, Sentence: "too often", RetryAfter: 40 * time.Second}
			}
			return nil
		})
		o.put(t, "a", note("disk"))
		time.Sleep(2 * time.Minute)
		o.end()
		if len(at) != 2 || at[1].Sub(at[0]) < 40*time.Second {
			t.Errorf("it was tried at %v", at)
		}
	})
}

// An acknowledgement looks before it is made, and must not be made on what has
// been resolved in between.
func TestOnlyOneRequestAtATimeChangesAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var at sync.Map
		busy := func(id string) {
			if _, there := at.LoadOrStore(id, true); there {
				t.Errorf("two requests change %s at once", id)
			}
			time.Sleep(time.Second)
			at.Delete(id)
		}
		line := NewLine(service{answer: func(_ context.Context, p page.Page) error { busy(p.ID); return nil }}, &d)
		errands := line.Errands(doer(func(_ context.Context, p page.Page, _ provider.Errand) error { busy(p.ID); return nil }), nil, time.Now, func(Result) {})
		ctx, cancel := context.WithCancel(t.Context())
		var both sync.WaitGroup
		both.Go(func() { line.Run(ctx) })
		both.Go(func() { errands.Run(ctx) })
		for _, id := range []string{"a", "b", "a"} {
			line.Put(Letter{Page: about(id)})
			if _, err := errands.Put(ctx, about(id), deed(provider.Resolve)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		cancel()
		both.Wait()
		if len(errands.Waiting()) != 0 || len(d.lines) != 6 {
			t.Errorf("there still waits %v after %q", errands.Waiting(), d.lines)
		}
	})
}
