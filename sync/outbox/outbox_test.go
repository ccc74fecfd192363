package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// service answers letters as the test says. What a line does not use is left
// to the embedded nil, which would fail the test loudly.
type service struct {
	provider.Provider
	answer func(ctx context.Context, p page.Page) error
}

func (s service) Acknowledge(ctx context.Context, p page.Page) (page.Page, error) {
	if err := s.answer(ctx, p); err != nil {
		return page.Page{}, err
	}
	p.Status = page.Acknowledged
	return p, nil
}

func (s service) Unacknowledge(ctx context.Context, p page.Page) (page.Page, error) {
	if err := s.answer(ctx, p); err != nil {
		return page.Page{}, err
	}
	p.Status = page.Triggered
	return p, nil
}

// diary is what became of letters, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(format string, values ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, values...))
}

func (d *diary) Started(l Letter) { d.write("%s started", l.Page.ID) }
func (d *diary) Arrived(l Letter, after page.Page) {
	d.write("%s is %s", l.Page.ID, after.Status)
}
func (d *diary) Failed(l Letter, err error) {
	d.write("%s failed: %s", l.Page.ID, provider.Sentence(err))
}

func (d *diary) mustBe(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		t.Errorf("it went\n%q, want\n%q", d.lines, want)
	}
}

func letter(id string) Letter { return Letter{Page: page.Page{ID: id}} }

// run starts a line in made-up time and returns what ends it.
func run(line *Line) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { line.Run(ctx); close(ended) }()
	return func() { cancel(); <-ended }
}

func TestLettersGoOneByOneInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := 0
		var d diary
		line := NewLine(service{answer: func(context.Context, page.Page) error {
			if under++; under > 1 {
				t.Error("two requests at once")
			}
			time.Sleep(time.Second)
			under--
			return nil
		}}, &d)
		line.Put(letter("early"))
		end := run(line)
		line.Put(Letter{Page: page.Page{ID: "back"}, TakeBack: true})
		line.Put(letter("late"))
		time.Sleep(10 * time.Second)
		end()
		d.mustBe(t, "early started", "early is acknowledged", "back started", "back is triggered", "late started", "late is acknowledged")
	})
}

func TestARequestThatHangsIsGivenUpBeforeTheAnswerMustBeConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		line := NewLine(service{answer: func(ctx context.Context, _ page.Page) error { <-ctx.Done(); return ctx.Err() }}, &d)
		defer run(line)()
		line.Put(letter("a"))
		time.Sleep(9 * time.Second) // the core waits for ten
		d.mustBe(t, "a started", "a failed: the paging service did not answer in time")
	})
}

func TestBehindADeadConnectionNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		dead := true
		line := NewLine(service{answer: func(context.Context, page.Page) error {
			if dead {
				return &provider.Error{Kind: provider.Unreachable, Sentence: "no way there"}
			}
			return nil
		}}, &d)
		for _, id := range []string{"a", "b", "c"} {
			line.Put(letter(id))
		}
		defer run(line)()
		synctest.Wait()
		dead = false
		line.Put(letter("d"))
		synctest.Wait()
		d.mustBe(t, "a started", "a failed: no way there", "b failed: no way there", "c failed: no way there", "d started", "d is acknowledged")
	})
}

func TestANoForOnePageIsNoNoForTheOthers(t *testing.T) {
	for name, no := range map[string]error{
		"refused":      &provider.Error{Kind: provider.Refused, Sentence: "may not"},
		"broken":       &provider.Error{Kind: provider.Broken, Sentence: "went wrong"},
		"rate limited": &provider.Error{Kind: provider.RateLimited, Sentence: "too many"},
		"gone":         provider.ErrGone,
		"taken":        &provider.TakenError{By: "ben"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				line := NewLine(service{answer: func(_ context.Context, p page.Page) error {
					if p.ID == "a" {
						return no
					}
					return nil
				}}, &d)
				line.Put(letter("a"))
				line.Put(letter("b"))
				defer run(line)()
				synctest.Wait()
				d.mustBe(t, "a started", "a failed: "+provider.Sentence(no), "b started", "b is acknowledged")
			})
		})
	}
}

func TestWhatALineStillHeldWhenItEndedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		line := NewLine(service{answer: func(ctx context.Context, _ page.Page) error {
			<-ctx.Done()
			return &provider.Error{Kind: provider.Unreachable, Sentence: "broke off", Cause: ctx.Err()}
		}}, &d)
		line.Put(letter("under way"))
		line.Put(letter("waiting"))
		end := run(line)
		synctest.Wait()
		end()
		const ended = " failed: the connection to the paging service was ended before the answer was sent"
		d.mustBe(t, "under way started", "under way"+ended, "waiting"+ended)
		if line.Put(letter("late")) {
			t.Error("a line that has ended took a letter that nobody will send")
		}
		if kind := provider.KindOf(errEnded); kind != provider.Unreachable {
			t.Errorf("it is a failure of kind %s, so it would not be tried again", kind)
		}
	})
}

func TestALineThatEndsBeforeItSentAnythingReturnsItAll(t *testing.T) {
	var d diary
	line := NewLine(service{answer: func(context.Context, page.Page) error { t.Error("it was sent"); return nil }}, &d)
	line.Put(letter("a"))
	line.Put(letter("b"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	line.Run(ctx)
	const ended = " failed: the connection to the paging service was ended before the answer was sent"
	d.mustBe(t, "a"+ended, "b"+ended)
}

// batcher is a service that takes many acknowledgements at once.
type batcher struct {
	service
	all func(ctx context.Context, ids []string) error
}

func (b batcher) AcknowledgeAll(ctx context.Context, pages []page.Page) []provider.Answer {
	var ids []string
	for _, one := range pages {
		ids = append(ids, one.ID)
	}
	lost := b.all(ctx, ids)
	answers := make([]provider.Answer, len(pages))
	for i, one := range pages {
		if lost != nil {
			answers[i].Err = lost
		} else {
			answers[i].After, answers[i].Err = b.Acknowledge(ctx, one)
		}
	}
	return answers
}

func yes(context.Context, page.Page) error { return nil }

// pageOf is a letter for a page that differs from others in more than its ID.
func pageOf(id string) Letter { return Letter{Page: page.Page{ID: id, UpstreamID: id}} }

func back(id string) Letter {
	letter := pageOf(id)
	letter.TakeBack = true
	return letter
}

func TestAcknowledgementsInARowGoAsOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		line := NewLine(batcher{service{answer: func(_ context.Context, p page.Page) error {
			if p.ID == "b" {
				return provider.ErrGone
			}
			return nil
		}}, func(_ context.Context, ids []string) error { d.write("batch of %q", ids); return nil }}, &d)
		for _, one := range []Letter{pageOf("a"), pageOf("b"), pageOf("c"), back("a"), back("c"), pageOf("a"), pageOf("d"), pageOf("a")} {
			line.Put(one)
		}
		defer run(line)()
		synctest.Wait()
		d.mustBe(t, "a started", "b started", "c started", `batch of ["a" "b" "c"]`,
			"a is acknowledged", "b failed: the page has ended", "c is acknowledged",
			"a started", "a is triggered", "c started", "c is triggered",
			"a started", "d started", `batch of ["a" "d"]`, "a is acknowledged", "d is acknowledged",
			"a started", "a is acknowledged") // a page twice in one batch would be answered beside itself
	})
}

func TestABatchGrowsWhileItIsQuickAndShrinksWhenItIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			d     diary
			sizes []int
		)
		each := time.Millisecond
		line := NewLine(batcher{service{answer: yes}, func(_ context.Context, ids []string) error {
			if sizes = append(sizes, len(ids)); len(sizes) == 7 {
				each = 10 * time.Millisecond // the service gets slow
			}
			time.Sleep(each * time.Duration(len(ids)))
			return nil
		}}, &d)
		for i := range 2300 {
			line.Put(pageOf(fmt.Sprint(i)))
		}
		end := run(line)
		time.Sleep(time.Minute)
		end()
		if want := []int{25, 50, 100, 200, 400, 500, 500, 250, 250, 25}; !slices.Equal(sizes, want) {
			t.Errorf("batches of %v, want %v", sizes, want)
		}
	})
}

func TestABatchBehindADeadConnectionReturnsEveryLetterOnce(t *testing.T) {
	for name, hang := range map[string]bool{"broken off": false, "hanging": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				asked := 0
				line := NewLine(batcher{service{answer: yes}, func(ctx context.Context, _ []string) error {
					asked++
					if hang {
						<-ctx.Done()
						return ctx.Err()
					}
					return &provider.Error{Kind: provider.Unreachable, Sentence: "no way there"}
				}}, &d)
				for i := range 60 {
					line.Put(pageOf(fmt.Sprint(i)))
				}
				line.Put(back("0"))
				defer run(line)()
				time.Sleep(9 * time.Second) // the core waits for ten
				d.mu.Lock()
				defer d.mu.Unlock()
				failures := map[string]int{}
				for _, one := range d.lines {
					if id, _, failed := strings.Cut(one, " failed: "); failed {
						failures[id]++
					}
				}
				for i := range 60 {
					want := 1
					if i == 0 {
						want = 2 // the acknowledgement and its taking back
					}
					if failures[fmt.Sprint(i)] != want {
						t.Errorf("page %d came back %d times, want %d", i, failures[fmt.Sprint(i)], want)
					}
				}
				if asked != 1 {
					t.Errorf("the dead connection was tried %d times", asked)
				}
			})
		})
	}
}

func TestABatchUnderWayWhenTheLineEndsComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		line := NewLine(batcher{service{answer: yes}, func(ctx context.Context, _ []string) error {
			<-ctx.Done()
			return &provider.Error{Kind: provider.Unreachable, Sentence: "broke off", Cause: ctx.Err()}
		}}, &d)
		line.Put(pageOf("a"))
		line.Put(pageOf("b"))
		line.Put(back("a"))
		end := run(line)
		synctest.Wait()
		end()
		const ended = " failed: the connection to the paging service was ended before the answer was sent"
		d.mustBe(t, "a started", "b started", "a"+ended, "b"+ended, "a"+ended)
	})
}
