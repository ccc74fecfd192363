package providertest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// deeds are the stories of everything else that can be done to a page: once,
// read back, and never to what has ended.
func deeds(t *testing.T, subject Subject) {
	able := begin(t, subject).provider.Capabilities()
	for _, deed := range provider.Deeds() {
		t.Run(string(deed), func(t *testing.T) {
			if able.Can(deed) {
				possible(t, subject, deed)
			} else {
				impossible(t, subject, deed)
			}
		})
	}
}

func possible(t *testing.T, subject Subject, deed provider.Deed) {
	t.Run("is done once", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		errand := s.errand(t, deed)
		after, err := s.do(s.see(id), errand)
		if err != nil {
			t.Fatal(err)
		}
		s.checkDone(after, errand)
		s.doneOnce(id, deed)
		if seen, listed := s.look(id); listed {
			s.checkDone(seen, errand)
		}
	})
	t.Run("is not repeated when its answer was lost", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		errand, wanted := s.errand(t, deed), s.see(id)
		s.way.breaks(losing(s.service, id, string(deed)))
		after, err := s.do(wanted, errand)
		s.way.breaks(nil)
		if err != nil {
			errand.Tried = true
			after, err = s.do(wanted, errand)
		}
		if err != nil {
			t.Fatalf("the second try: %v", err)
		}
		s.checkDone(after, errand)
		s.doneOnce(id, deed)
	})
	t.Run("is done when the first try did not arrive", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		errand, wanted := s.errand(t, deed), s.see(id)
		s.way.breaks(answers(503, nil, ""))
		if _, err := s.do(wanted, errand); err == nil {
			t.Fatal("a service that is away did it")
		}
		s.way.breaks(nil)
		errand.Tried = true
		after, err := s.do(wanted, errand)
		if err != nil {
			t.Fatal(err)
		}
		s.checkDone(after, errand)
		s.doneOnce(id, deed)
	})
	t.Run("to what has ended", func(t *testing.T) {
		subject.unless(t, ResolvedThere)
		s := begin(t, subject)
		id := s.pages(1)[0]
		errand, wanted := s.errand(t, deed), s.see(id)
		s.service.Resolve(id)
		after, err := s.do(wanted, errand)
		switch deed {
		case provider.Note:
			if err != nil {
				t.Errorf("a note to a page that has ended: %v", err)
			}
			s.doneOnce(id, deed)
		case provider.Resolve:
			if err != nil || after.Open() {
				t.Errorf("resolving what is resolved: %v, %+v", err, after)
			}
			s.nothingDone(id)
		default:
			if !errors.Is(err, provider.ErrGone) {
				t.Errorf("it says %v", err)
			}
			s.nothingDone(id)
		}
		if seen, listed := s.look(id); listed && seen.Open() {
			t.Errorf("the page came to life again: %+v", seen)
		}
	})
	if deed != provider.Snooze {
		return
	}
	t.Run("of what another has", func(t *testing.T) {
		subject.unless(t, AcknowledgedByAnother)
		s := begin(t, subject)
		id := s.pages(1)[0]
		errand, wanted := s.errand(t, deed), s.see(id)
		s.service.Acknowledge(id, "Bela")
		var taken *provider.TakenError
		if _, err := s.do(wanted, errand); !errors.As(err, &taken) || taken.By == "" {
			t.Errorf("it says %v", err)
		}
		s.nothingDone(id)
	})
}

// impossible wants a plain refusal, and nothing done.
func impossible(t *testing.T, subject Subject, deed provider.Deed) {
	s := begin(t, subject)
	doer, does := s.provider.(provider.Doer)
	if !does {
		if all := s.provider.Capabilities().Deeds; len(all) > 0 {
			t.Fatalf("it can do %v, and has no way to", all)
		}
		t.Skip("this provider is no provider.Doer")
	}
	id := s.pages(1)[0]
	_, err := doer.Do(soon(t), s.see(id), provider.Errand{
		Deed: deed, Until: time.Now().Add(time.Hour).UTC(), To: page.Person{ID: "nobody", Name: "Nobody"}, Text: "a note", Asked: time.Now().UTC(),
	})
	unsupported(t, s.Secret, err)
	s.nothingDone(id)
}

func (s *story) do(p page.Page, errand provider.Errand) (page.Page, error) {
	s.t.Helper()
	doer, does := s.provider.(provider.Doer)
	if !does {
		s.t.Fatalf("it can do %s, and has no way to", errand.Deed)
	}
	return doer.Do(soon(s.t), p, errand)
}

// errand is a deed with all that it could need.
func (s *story) errand(t testing.TB, deed provider.Deed) provider.Errand {
	t.Helper()
	errand := provider.Errand{Deed: deed, Asked: time.Now().UTC()} // by our clock, not by the service's
	switch deed {
	case provider.Snooze:
		errand.Until = s.now().Add(2 * time.Hour).Truncate(time.Second)
	case provider.Escalate, provider.Reassign:
		errand.To = s.colleague(t)
	case provider.Note:
		errand.Text = "The replica is catching up."
	}
	return errand
}

// colleague is somebody other than the user.
func (s *story) colleague(t testing.TB) page.Person {
	t.Helper()
	if s.Colleague.ID != "" {
		return s.Colleague
	}
	roster, knows := s.provider.(provider.Roster)
	if !knows {
		return page.Person{}
	}
	people, err := roster.People(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(people, func(p page.Person) bool { return !p.Me })
	if at < 0 {
		t.Fatalf("nobody beside the user can be given a page: %+v", people)
	}
	return people[at]
}

// checkDone looks at a page after a deed.
func (s *story) checkDone(after page.Page, errand provider.Errand) {
	s.t.Helper()
	switch errand.Deed {
	case provider.Resolve:
		if after.Open() {
			s.t.Errorf("the page is resolved and still open: %+v", after)
		}
	case provider.Snooze:
		until := after.SnoozedUntil
		if until.IsZero() {
			until = after.AckExpiresAt
		}
		if off := until.Sub(errand.Until).Abs(); !after.Open() || off > 5*time.Second {
			s.t.Errorf("the page should be open and sleep until %s: %+v", errand.Until, after)
		}
	case provider.Reassign:
		if !after.Open() || after.Mine {
			s.t.Errorf("the page should be open and not mine any more: %+v", after)
		}
	default:
		if !after.Open() {
			s.t.Errorf("the page should be open: %+v", after)
		}
	}
}

func (s *story) doneOnce(id string, deed provider.Deed) {
	s.t.Helper()
	all := s.service.Applied(id)
	did := slices.DeleteFunc(slices.Clone(all), func(one string) bool {
		// Snoozing may want an acknowledgement first.
		return deed == provider.Snooze && one == "acknowledge"
	})
	if !slices.Equal(did, []string{string(deed)}) || len(all) > 2 {
		s.t.Errorf("the service did %v instead of %s, once", all, deed)
	}
}
