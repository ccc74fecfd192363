package providertest

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"nightstand/sync/provider"
)

// lists are the stories of what is open: all of it, once, or an error.
func lists(t *testing.T, subject Subject) {
	t.Run("empty means empty", func(t *testing.T) {
		if pages := begin(t, subject).snapshot().Pages; len(pages) != 0 {
			t.Errorf("a service without pages lists %+v", pages)
		}
	})
	t.Run("what ended is not open", func(t *testing.T) {
		subject.unless(t, ResolvedThere)
		s := begin(t, subject)
		ids := s.pages(2)
		s.see(ids[0])
		s.service.Resolve(ids[0])
		if seen, listed := s.look(ids[0]); listed && seen.Open() {
			t.Errorf("a page that was resolved is open: %+v", seen)
		}
		s.see(ids[1])
		if _, listed := s.look(ids[0]); listed {
			t.Error("a page that has ended is listed again and again")
		}
	})
	t.Run("what came back is triggered", func(t *testing.T) {
		subject.unless(t, ReopenedThere)
		s := begin(t, subject)
		id := s.pages(1)[0]
		if _, err := s.provider.Acknowledge(soon(t), s.see(id)); err != nil {
			t.Fatal(err)
		}
		s.service.Resolve(id)
		s.snapshot()
		s.service.Reopen(id)
		if seen := s.see(id); triggered(seen) != "" {
			t.Error(triggered(seen))
		}
	})
	t.Run("what was given away is told or gone", func(t *testing.T) { givenAway(t, subject) })
	t.Run("a long list is read whole", func(t *testing.T) {
		s := begin(t, subject)
		ids := s.long(t)
		if pages := s.snapshot().Pages; len(pages) != len(ids) {
			t.Errorf("%d pages are listed of %d", len(pages), len(ids))
		} else if wrong := lacks(pages, ids); wrong != "" {
			t.Error(wrong)
		}
	})
	t.Run("a long list is read whole while it changes", func(t *testing.T) { changing(t, subject) })
	t.Run("a list that cannot be read whole is an error", func(t *testing.T) {
		s := begin(t, subject)
		var ids []string
		if subject.Never[ManyPages] == "" {
			ids = s.long(t)
		} else { // a list of several answers of different kinds, perhaps
			ids = s.pages(3)
		}
		s.failEach(t, func(account provider.Provider) (err error) {
			snapshot, err := account.Open(soon(t))
			if wrong := lacks(snapshot.Pages, ids); err == nil && wrong != "" {
				t.Errorf("the list is short and nobody is told: %s", wrong)
			}
			return err
		})
	})
	t.Run("a restart that forgets shows", func(t *testing.T) {
		if !subject.Forgets {
			t.Skip("this service forgets nothing")
		}
		s := begin(t, subject)
		s.pages(1)
		before := s.snapshot().Instance
		s.service.(Restarter).Restart()
		if after := s.snapshot(); before == "" || after.Instance == before || after.Instance == "" {
			t.Errorf("the instance was %q and is %q, with %d pages", before, after.Instance, len(after.Pages))
		}
	})
}

// long opens more pages than two answers hold.
func (s *story) long(t *testing.T) []string {
	t.Helper()
	s.unless(t, ManyPages)
	return s.pages(s.AtOnce*5/2 + 1)
}

// failEach lets each request of a deed fail in its turn, every time with a new
// connection, and wants at least one of them to matter.
func (s *story) failEach(t *testing.T, deed func(provider.Provider) error) {
	t.Helper()
	s.way.breaks(nil)
	if err := deed(s.connect(t)); err != nil {
		t.Fatalf("it fails on a good way: %v", err)
	}
	count, failed := s.way.counted(), 0
	for number := range count {
		s.way.breaks(only(number+1, answers(http.StatusInternalServerError, nil, "")))
		if deed(s.connect(t)) != nil {
			failed++
		}
	}
	s.way.breaks(nil)
	if failed == 0 {
		t.Errorf("none of %d requests failing was an error", count)
	}
}

// changing lets pages end and one begin after each of the first answers, so
// that everything behind them moves, and by more than one place.
func changing(t *testing.T, subject Subject) {
	subject.unless(t, ManyPages, ResolvedThere)
	s := begin(t, subject)
	ids := s.long(t)
	var mutex sync.Mutex
	ends, stays := ids[:9], ids[9:]
	s.way.breaks(between(func() {
		mutex.Lock()
		defer mutex.Unlock()
		if len(ends) == 0 {
			return
		}
		for _, id := range ends[:3] {
			s.service.Resolve(id)
		}
		s.service.Page("One more")
		ends = ends[3:]
	}))
	snapshot, err := s.provider.Open(soon(t))
	if wrong := lacks(snapshot.Pages, stays); err == nil && wrong != "" {
		t.Errorf("%s, although it was open all the time", wrong)
	}
	s.way.breaks(nil)
	if wrong := lacks(s.snapshot().Pages, stays); wrong != "" {
		t.Errorf("after all that, %s", wrong)
	}
}

func givenAway(t *testing.T, subject Subject) {
	subject.unless(t, GivenAway)
	s := begin(t, subject)
	ids := s.pages(2)
	before := s.snapshot().Pages
	s.service.GiveAway(ids[0], "Bela")
	account := s.provider
	rememberer, remembers := account.(provider.Rememberer)
	if remembers { // it must tell even after the agent was started anew
		account = s.connect(t)
		account.(provider.Rememberer).Remember(before)
	}
	snapshot, err := account.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	seen, listed := among(snapshot.Pages, ids[0])
	switch {
	case listed && seen.Mine:
		t.Errorf("a page that was given away is still mine: %+v", seen)
	case remembers && (!listed || !seen.Open()):
		t.Errorf("%T says that it remembers, and does not tell what became of the page: %+v", rememberer, seen)
	}
	if wrong := lacks(snapshot.Pages, ids[1:]); wrong != "" {
		t.Error(wrong)
	}
	if again, err := account.Open(soon(t)); err != nil || remembers && slices.ContainsFunc(again.Pages, sameAs(seen)) {
		t.Errorf("it is told more than once, or not at all: %v, %+v", err, again.Pages)
	}
}
