package providertest

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"nightstand/app/roster"
	"nightstand/sync/provider"
)

// details are the stories of everything that a service tells of one page.
func details(t *testing.T, subject Subject) {
	if _, describes := begin(t, subject).provider.(provider.Describer); !describes {
		t.Skip("this provider is no provider.Describer")
	}
	t.Run("are of the page", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(2)[0]
		told, err := s.provider.(provider.Describer).Describe(soon(t), s.see(id))
		if err != nil {
			t.Fatal(err)
		}
		if told.Page.UpstreamID != id || !told.Page.Open() || len(told.Missing) > 0 {
			t.Errorf("%+v", told)
		}
		for _, at := range timesOf(told) {
			if at.Location() != time.UTC {
				t.Errorf("%s is not UTC", at)
			}
		}
		if !slices.IsSortedFunc(told.Log, func(a, b provider.Event) int { return a.At.Compare(b.At) }) ||
			!slices.IsSortedFunc(told.Notes, func(a, b provider.Remark) int { return a.At.Compare(b.At) }) {
			t.Errorf("the log and the notes should begin with the oldest: %+v", told)
		}
	})
	t.Run("hold a note of mine", func(t *testing.T) {
		s := begin(t, subject)
		if !s.provider.Capabilities().Can(provider.Note) {
			t.Skip("this service takes no notes")
		}
		id := s.pages(1)[0]
		errand := s.errand(t, provider.Note)
		after, err := s.do(s.see(id), errand)
		if err != nil {
			t.Fatal(err)
		}
		told, err := s.provider.(provider.Describer).Describe(soon(t), after)
		if err != nil || len(told.Notes) != 1 || told.Notes[0].Text != errand.Text || !told.Notes[0].ByMe {
			t.Errorf("%v, %+v", err, told.Notes)
		}
	})
	t.Run("say what is missing", func(t *testing.T) { missing(t, subject) })
}

// missing lets each request of a description fail in its turn: it is an error,
// or it is said, or all is there nevertheless.
func missing(t *testing.T, subject Subject) {
	s := begin(t, subject)
	id := s.pages(1)[0]
	wanted := s.see(id)
	s.way.breaks(nil)
	describer := s.provider.(provider.Describer)
	whole, err := describer.Describe(soon(t), wanted)
	if err != nil {
		t.Fatal(err)
	}
	count, failed := s.way.counted(), 0
	for number := range count {
		s.way.breaks(only(number+1, answers(http.StatusInternalServerError, nil, "")))
		told, err := describer.Describe(soon(t), wanted)
		switch {
		case err != nil:
			checkSentence(t, s.Secret, provider.Sentence(err))
			failed++
		case told.Page.UpstreamID != id:
			t.Errorf("it is described as another page: %+v", told.Page)
		case len(told.Missing) == 0 && !reflect.DeepEqual(told, whole):
			t.Errorf("something is missing, and nobody is told: %+v", told)
		}
		for _, sentence := range told.Missing {
			checkSentence(t, s.Secret, sentence)
		}
	}
	s.way.breaks(nil)
	if count > 0 && failed == 0 {
		t.Errorf("none of %d requests failing was an error, although the page itself could not be read", count)
	}
}

// timesOf are all times of a description that have to be UTC.
func timesOf(d provider.Detail) []time.Time {
	all := []time.Time{d.Page.TriggeredAt}
	for _, one := range d.Alerts {
		all = append(all, one.At)
	}
	for _, one := range d.Log {
		all = append(all, one.At)
	}
	for _, one := range d.Notes {
		all = append(all, one.At)
	}
	for _, one := range d.Changes {
		all = append(all, one.At)
	}
	return all
}

// onCall are the stories of who is on call.
func onCall(t *testing.T, subject Subject) {
	knowing, knows := begin(t, subject).provider.(provider.Roster)
	if !knows {
		t.Skip("this provider is no provider.Roster")
	}
	t.Run("shifts touch the span, in order, each once", func(t *testing.T) {
		from := time.Now().UTC().Truncate(time.Hour)
		to := from.Add(7 * 24 * time.Hour)
		shifts, err := knowing.OnCall(soon(t), from, to)
		if err != nil {
			t.Fatal(err)
		}
		type place struct {
			person, schedule string
			level            roster.Level
			start            time.Time
		}
		seen := map[place]bool{}
		for _, one := range shifts {
			outside := !one.Start.Before(to) || !one.End.IsZero() && !one.End.After(from)
			if outside || one.Person.ID == "" || one.Person.Name == "" || one.Start.Location() != time.UTC || one.End.Location() != time.UTC {
				t.Errorf("a shift outside of the span, of nobody, or not in UTC: %+v", one)
			}
			at := place{one.Person.ID, one.Schedule, one.Level, one.Start}
			if seen[at] {
				t.Errorf("a shift is told twice: %+v", one)
			}
			seen[at] = true
		}
		if !slices.IsSortedFunc(shifts, func(a, b roster.Shift) int { return a.Start.Compare(b.Start) }) {
			t.Errorf("the shifts should begin with the first: %+v", shifts)
		}
	})
	t.Run("people can be told apart", func(t *testing.T) {
		people, err := knowing.People(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		seen, me := map[string]bool{}, 0
		for _, one := range people {
			if one.ID == "" || one.Name == "" || seen[one.ID] {
				t.Errorf("somebody without a name, or twice: %+v", one)
			}
			seen[one.ID] = true
			if one.Me {
				me++
			}
		}
		if me > 1 {
			t.Errorf("%d people are the user", me)
		}
	})
}
