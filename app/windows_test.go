package app

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/watch"
)

// fakeWindow is a window process that ends when the test says so.
type fakeWindow struct {
	end   chan ending
	ended bool
}

func (f *fakeWindow) Wait() (int, string) { e := <-f.end; return e.code, e.said }
func (f *fakeWindow) End()                { f.ended = true }

// sill is where the windows of a test stand.
type sill struct {
	t       *testing.T
	windows *windows
	now     time.Time
	there   bool // the alarm's window follows
	opened  []*fakeWindow
	views   []string
	cannot  error
	said    []watch.SignalSeen
}

func newSill(t *testing.T) *sill {
	s := &sill{t: t, now: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)}
	s.windows = newWindows(func(view string) (opened, error) {
		if s.cannot != nil {
			return nil, s.cannot
		}
		f := &fakeWindow{end: make(chan ending, 1)}
		s.opened, s.views = append(s.opened, f), append(s.views, view)
		return f, nil
	}, func(string) bool { return s.there }, func(seen watch.SignalSeen) { s.said = append(s.said, seen) }, slog.New(slog.DiscardHandler))
	s.windows.now = func() time.Time { return s.now }
	return s
}

// ring lets these pages call.
func (s *sill) ring(ids ...string) {
	var state watch.State
	for _, id := range ids {
		state.Pages = append(state.Pages, watch.PageState{Page: page.Page{ID: id}, Epoch: 1, Alarming: true})
	}
	s.windows.wanted = wantedFor(state)
	s.windows.look()
}

func (s *sill) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.windows.look()
}

// ends lets the newest window end.
func (s *sill) ends(code int, said string) {
	s.there = false
	s.opened[len(s.opened)-1].end <- ending{code: code, said: said}
	s.windows.ended(<-s.windows.ends)
	s.windows.look()
}

func (s *sill) mustHaveOpened(want int, when string) {
	s.t.Helper()
	if len(s.opened) != want {
		s.t.Fatalf("%s %d windows were opened, want %d", when, len(s.opened), want)
	}
}

func TestAPageOpensOneWindow(t *testing.T) {
	s := newSill(t)
	s.ring()
	s.mustHaveOpened(0, "while nothing rings")
	s.ring("a")
	s.pass(time.Second)
	s.ring("a", "b")
	s.mustHaveOpened(1, "for two pages")
	s.there = true
	s.pass(time.Second)
	if last := s.said[len(s.said)-1]; last.State != watch.SignalOK {
		t.Errorf("a window that came up is told as %+v", last)
	}
	s.pass(time.Hour)
	s.mustHaveOpened(1, "while the window is there")
}

func TestAWindowOfAnEarlierAgentIsEnough(t *testing.T) {
	s := newSill(t)
	s.there = true
	s.ring("a")
	s.mustHaveOpened(0, "although one follows already")
	s.there = false // it has not found this agent yet
	s.pass(time.Second)
	s.mustHaveOpened(1, "when none follows")
	s.ends(WindowTaken, "")
	s.pass(time.Second)
	s.mustHaveOpened(1, "while the other looks for the agent")
	s.pass(2 * time.Second)
	s.mustHaveOpened(2, "when it does not come")
}

func TestAWindowThatDiesIsOpenedAgainEverMoreSlowly(t *testing.T) {
	s := newSill(t)
	s.ring("a")
	pauses := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}
	for number, pause := range pauses {
		s.ends(1, "No window can be shown here: the graphics driver is broken.")
		s.pass(pause - time.Millisecond)
		s.mustHaveOpened(number+1, "before the pause is over")
		s.pass(time.Millisecond)
		s.mustHaveOpened(number+2, "after the pause")
	}
	last := s.said[len(s.said)-1]
	if last.State != watch.SignalWarning || !strings.Contains(last.Detail, "graphics driver") {
		t.Errorf("it is told as %+v", last)
	}
	for range 20 {
		s.ends(1, "")
		s.pass(longestPause)
	}
	s.mustHaveOpened(len(pauses)+1+20, "with the longest pause")
	s.there = true
	s.pass(time.Second)
	s.ends(1, "killed")
	s.pass(firstPause)
	s.mustHaveOpened(len(pauses)+2+20, "after one that came up, with the shortest pause")
}

func TestClosingTheWindowPutsItAwayForAMinute(t *testing.T) {
	s := newSill(t)
	s.ring("a")
	s.there = true
	s.pass(time.Second)
	s.ends(0, "")
	s.pass(59 * time.Second)
	s.mustHaveOpened(1, "59 s after it was closed")
	s.pass(time.Second)
	s.mustHaveOpened(2, "a minute after it was closed")

	s.there = true
	s.pass(time.Second)
	s.ends(0, "")
	s.ring("a", "b")
	s.mustHaveOpened(3, "for a page that came after it was closed")
}

func TestAWindowThatHangsIsGivenUp(t *testing.T) {
	s := newSill(t)
	s.ring("a")
	s.pass(comesUpWithin)
	if s.opened[0].ended {
		t.Error("it was given up too soon")
	}
	s.pass(time.Second)
	if !s.opened[0].ended {
		t.Error("a window that never came up was not given up")
	}
}

func TestAProgramThatCannotBeStartedIsSaid(t *testing.T) {
	s := newSill(t)
	s.cannot = errors.New("the program is gone")
	s.ring("a")
	if len(s.said) != 1 || s.said[0].Detail != "the program is gone" {
		t.Errorf("it is told as %+v", s.said)
	}
}

func TestWhatTheWindowIsWantedFor(t *testing.T) {
	state := watch.State{Pages: []watch.PageState{
		{Page: page.Page{ID: "calls"}, Epoch: 2, Alarming: true},
		{Page: page.Page{ID: "asks"}, Epoch: 1, StillOnIt: true},
		{Page: page.Page{ID: "answered"}, Epoch: 1, Alarming: true, Answer: watch.AnswerUnderWay},
		{Page: page.Page{ID: "calm"}, Epoch: 1},
	}}
	state.Alarm.Pattern = watch.Blind
	var wanted []string
	for what := range wantedFor(state) {
		wanted = append(wanted, what)
	}
	slices.Sort(wanted)
	if want := []string{"asks/1", "blind", "calls/2"}; !slices.Equal(wanted, want) {
		t.Errorf("it is wanted for %v, want %v", wanted, want)
	}
}

func TestTheLastSentenceOfAWindowIsWhole(t *testing.T) {
	said := &tail{}
	for range 100 {
		said.Write([]byte("libGL error: a long complaint of the driver that nobody reads\n"))
	}
	said.Write([]byte("No window can be shown here: the driver gives\nno context. The siren works.\n"))
	if got := said.last(); got != "No window can be shown here: the driver gives no context. The siren works." {
		t.Errorf("its last sentence is %q", got)
	}
}
