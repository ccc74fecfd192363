package providertest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// acknowledgement are the stories of an answer: it counts once, it is read
// back, and it never opens again what has ended.
func acknowledgement(t *testing.T, subject Subject) {
	t.Run("it is read back", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		if seen := s.see(id); triggered(seen) != "" {
			t.Error(triggered(seen))
		}
		after, err := s.provider.Acknowledge(soon(t), s.see(id))
		if err != nil {
			t.Fatal(err)
		}
		for _, seen := range []page.Page{after, s.see(id)} {
			if answered(seen) != "" {
				t.Error(answered(seen))
			}
		}
		if did := s.applied(id); did != "acknowledge" {
			t.Errorf("the service did %q", did)
		}
	})
	t.Run("twice is once", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		first, err := s.provider.Acknowledge(soon(t), s.see(id))
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.provider.Acknowledge(soon(t), first)
		if err != nil || answered(second) != "" {
			t.Errorf("the second answer: %v; %s", err, answered(second))
		}
		did := s.applied(id)
		extended := !first.AckExpiresAt.IsZero() && did == "acknowledge, acknowledge"
		if did != "acknowledge" && !extended {
			t.Errorf("the service did %q", did)
		}
	})
	t.Run("a lost answer is not another acknowledgement", func(t *testing.T) {
		s := begin(t, subject)
		id := s.pages(1)[0]
		wanted := s.see(id)
		s.way.breaks(losing(s.service, id, "acknowledge"))
		_, err := s.provider.Acknowledge(soon(t), wanted)
		s.way.breaks(nil)
		if err != nil && provider.KindOf(err) != provider.Unreachable {
			t.Errorf("an answer that broke off is %s: %v", provider.KindOf(err), err)
		}
		if seen := s.see(id); answered(seen) != "" {
			t.Error(answered(seen))
		}
		if did := s.applied(id); did != "acknowledge" {
			t.Errorf("the service did %q", did)
		}
	})
	t.Run("what ended stays ended", func(t *testing.T) {
		subject.unless(t, ResolvedThere)
		s := begin(t, subject)
		id := s.pages(1)[0]
		wanted := s.see(id)
		s.service.Resolve(id)
		if _, err := s.provider.Acknowledge(soon(t), wanted); !errors.Is(err, provider.ErrGone) {
			t.Errorf("it says %v", err)
		}
		s.nothingDone(id)
	})
	t.Run("what another has is left", func(t *testing.T) {
		subject.unless(t, AcknowledgedByAnother)
		s := begin(t, subject)
		id := s.pages(1)[0]
		wanted := s.see(id)
		s.service.Acknowledge(id, "Bela")
		var taken *provider.TakenError
		if _, err := s.provider.Acknowledge(soon(t), wanted); !errors.As(err, &taken) || taken.By == "" {
			t.Errorf("it says %v", err)
		}
		if seen := s.see(id); seen.Status != page.Acknowledged || seen.AcknowledgedByMe {
			t.Errorf("somebody else has answered: %+v", seen)
		}
		s.nothingDone(id)
	})
	t.Run("what ran out calls again", func(t *testing.T) {
		subject.unless(t, AckRunsOut)
		s := begin(t, subject)
		id := s.pages(1)[0]
		if _, err := s.provider.Acknowledge(soon(t), s.see(id)); err != nil {
			t.Fatal(err)
		}
		s.service.RunOut(id)
		if seen := s.see(id); triggered(seen) != "" {
			t.Error(triggered(seen))
		}
	})
	t.Run("taking it back", func(t *testing.T) { takingBack(t, subject) })
	t.Run("many at once", func(t *testing.T) { manyAtOnce(t, subject) })
}

func takingBack(t *testing.T, subject Subject) {
	s := begin(t, subject)
	id := s.pages(1)[0]
	answer, err := s.provider.Acknowledge(soon(t), s.see(id))
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.provider.Unacknowledge(soon(t), answer)
	if !s.provider.Capabilities().Unacknowledge {
		unsupported(t, s.Secret, err)
		if did := s.applied(id); did != "acknowledge" {
			t.Errorf("the service did %q", did)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []page.Page{after, s.see(id)} {
		if triggered(seen) != "" {
			t.Error(triggered(seen))
		}
	}
	if did := s.applied(id); did != "acknowledge, unacknowledge" {
		t.Errorf("the service did %q", did)
	}
}

// manyAtOnce lets polls and answers cross each other.
func manyAtOnce(t *testing.T, subject Subject) {
	s := begin(t, subject)
	ids := s.pages(4)
	wanted := s.snapshot().Pages
	var group sync.WaitGroup
	for _, one := range wanted {
		group.Go(func() {
			if _, err := s.provider.Acknowledge(soon(t), one); err != nil {
				t.Errorf("an answer among others: %v", err)
			}
		})
		group.Go(func() {
			if snapshot, err := s.provider.Open(soon(t)); err != nil || lacks(snapshot.Pages, ids) != "" {
				t.Errorf("a list among answers: %v, %s", err, lacks(snapshot.Pages, ids))
			}
		})
	}
	group.Wait()
	for _, id := range ids {
		if seen := s.see(id); answered(seen) != "" {
			t.Error(answered(seen))
		}
	}
}

// triggered says why a page does not call as it should; empty when it does.
func triggered(p page.Page) string {
	if p.Status == page.Triggered && p.AcknowledgedBy == "" && !p.AcknowledgedByMe {
		return ""
	}
	return fmt.Sprintf("the page should be triggered and nobody's answer: %+v", p)
}

// answered says why a page does not carry our answer; empty when it does.
func answered(p page.Page) string {
	if p.Status == page.Acknowledged && p.AcknowledgedByMe && p.AcknowledgedBy != "" {
		return ""
	}
	return fmt.Sprintf("the page should be acknowledged by me: %+v", p)
}

func sameAs(p page.Page) func(page.Page) bool {
	return func(other page.Page) bool { return p.UpstreamID != "" && other.UpstreamID == p.UpstreamID }
}

func (s *story) nothingDone(id string) {
	s.t.Helper()
	if did := s.applied(id); did != "" {
		s.t.Errorf("the service did %q", did)
	}
}

// unsupported wants a refusal that says what to do instead.
func unsupported(t testing.TB, secret string, err error) {
	t.Helper()
	var said *provider.Error
	if !errors.Is(err, provider.ErrUnsupported) || !errors.As(err, &said) {
		t.Errorf("what the service cannot do is answered with %v", err)
		return
	}
	checkSentence(t, secret, said.Sentence)
	if said.Kind != provider.Invalid || strings.Contains(said.Sentence, provider.ErrUnsupported.Error()) {
		t.Errorf("%s, %q should be invalid and say what to do instead", said.Kind, said.Sentence)
	}
}
