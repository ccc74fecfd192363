package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nightstand/sync/provider"
)

// failures are the stories of a way that does not carry: every one is an error
// of its kind, in a sentence, and over when the way is mended.
func failures(t *testing.T, subject Subject) {
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	const login = "<!DOCTYPE html><title>Log in</title><form action=/login></form>"
	for _, c := range []struct {
		name  string
		fault fault
		kinds []provider.Kind
	}{
		{"trouble of its own", answers(500, nil, ""), []provider.Kind{provider.Broken}},
		{"no answer behind the gateway", answers(502, html, "<h1>Bad Gateway</h1>"), []provider.Kind{provider.Broken}},
		{"overload", answers(503, nil, ""), []provider.Kind{provider.Broken, provider.RateLimited}},
		{"no answer in time behind the gateway", answers(504, html, ""), []provider.Kind{provider.Broken}},
		{"half an answer", breaksOff, []provider.Kind{provider.Unreachable, provider.Broken}},
		{"a web page instead of an answer", answers(200, html, login), []provider.Kind{provider.NotTheAPI}},
		{"no content type", answers(200, http.Header{"Content-Type": {""}}, "hello"), []provider.Kind{provider.NotTheAPI, provider.Broken}},
		{"nothing at all", answers(200, http.Header{"Content-Type": {"application/json"}}, ""), []provider.Kind{provider.Broken}},
		{"no list", answers(200, http.Header{"Content-Type": {"application/json"}}, `"hello"`), []provider.Kind{provider.Broken}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := begin(t, subject)
			ids := s.pages(2)
			s.snapshot()
			for _, account := range s.accounts(t) {
				s.way.breaks(c.fault)
				said := s.failure(account)
				if !slices.Contains(c.kinds, said.Kind) {
					t.Errorf("it is %s, want one of %v: %v", said.Kind, c.kinds, said)
				}
				s.mended(account, ids)
			}
		})
	}
	for number, answer := range subject.Errors {
		t.Run(fmt.Sprintf("answer %d, HTTP %d", number+1, answer.Status), func(t *testing.T) {
			s := begin(t, subject)
			ids := s.pages(2)
			s.snapshot()
			for _, account := range s.accounts(t) {
				s.way.breaks(answers(answer.Status, answer.Header, answer.Body))
				said := s.failure(account)
				if said.Kind != answer.Kind || (said.RetryAfter-answer.RetryAfter).Abs() > time.Second {
					t.Errorf("it is %s and waits %s, want %s and %s: %v", said.Kind, said.RetryAfter, answer.Kind, answer.RetryAfter, said)
				}
				s.mended(account, ids)
			}
		})
	}
	t.Run("twenty megabytes", func(t *testing.T) {
		s := begin(t, subject)
		ids := s.pages(2)
		s.way.breaks(floods)
		if said := s.failure(s.provider); said.Kind != provider.Broken {
			t.Errorf("it is %s: %v", said.Kind, said)
		}
		s.mended(s.provider, ids)
	})
	t.Run("no answer in time", func(t *testing.T) { noAnswer(t, subject) })
}

// noAnswer lets everything be asked of a service that hangs: whoever asks is
// told when their time is over, and not later.
func noAnswer(t *testing.T, subject Subject) {
	s := begin(t, subject)
	ids := s.pages(2)
	wanted := s.snapshot().Pages[0]
	asked := map[string]func(context.Context) error{
		"the list":            func(ctx context.Context) error { _, err := s.provider.Open(ctx); return err },
		"the introduction":    func(ctx context.Context) error { _, err := s.provider.Test(ctx); return err },
		"the acknowledgement": func(ctx context.Context) error { _, err := s.provider.Acknowledge(ctx, wanted); return err },
	}
	for _, deed := range s.provider.Capabilities().Deeds {
		errand := s.errand(t, deed)
		asked["the deed "+string(deed)] = func(ctx context.Context) error {
			_, err := s.provider.(provider.Doer).Do(ctx, wanted, errand)
			return err
		}
	}
	if describer, describes := s.provider.(provider.Describer); describes {
		asked["the description"] = func(ctx context.Context) error { _, err := describer.Describe(ctx, wanted); return err }
	}
	if knowing, knows := s.provider.(provider.Roster); knows {
		asked["the roster"] = func(ctx context.Context) error { _, err := knowing.People(ctx); return err }
	}
	s.way.breaks(hangs)
	for name, ask := range asked {
		const wait, grace = 50 * time.Millisecond, 200 * time.Millisecond
		took, err := inTime(wait, ask)
		for range 2 { // a busy machine gets another chance
			if took > wait+grace {
				took, err = inTime(wait, ask)
			}
		}
		if err == nil || provider.KindOf(err) != provider.Unreachable || took > wait+grace {
			t.Errorf("%s had %s and took %s to say %v", name, wait, took, err)
		}
	}
	s.mended(s.provider, ids)
	if did := s.service.Applied(wanted.UpstreamID); len(did) > 0 {
		t.Errorf("what never arrived was done: %v", did)
	}
}

// inTime asks with so much time, and tells how much it took.
func inTime(wait time.Duration, ask func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	began := time.Now()
	err := ask(ctx)
	return time.Since(began), err
}

// accounts are a connection that knows its way and a new one.
func (s *story) accounts(t *testing.T) []provider.Provider {
	t.Helper()
	return []provider.Provider{s.provider, s.connect(t)}
}

// failure reads the list over a way that is broken, and looks at the words.
func (s *story) failure(account provider.Provider) *provider.Error {
	s.t.Helper()
	snapshot, err := account.Open(soon(s.t))
	var said *provider.Error
	if !errors.As(err, &said) {
		s.t.Fatalf("the list could not be read, and the error is %v with %d pages", err, len(snapshot.Pages))
	}
	checkSentence(s.t, s.Secret, said.Sentence)
	if s.Secret != "" && strings.Contains(err.Error(), s.Secret) {
		s.t.Error("the credential stands in the cause, which goes into the log")
	}
	return said
}

// mended wants everything to work again.
func (s *story) mended(account provider.Provider, ids []string) {
	s.t.Helper()
	s.way.breaks(nil)
	snapshot, err := account.Open(soon(s.t))
	if err != nil {
		s.t.Fatalf("the way is mended, and the list says %v", err)
	}
	if wrong := lacks(snapshot.Pages, ids); wrong != "" {
		s.t.Errorf("the way is mended; %s", wrong)
	}
}

// closing is the end of the story: nothing goes on running.
func closing(t *testing.T, subject Subject) {
	s := begin(t, subject)
	id := s.pages(1)[0]
	s.provider.Close()
	before := goleak.IgnoreCurrent()
	account := s.Connect(t, s.address)
	snapshot, err := account.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	s.way.breaks(hangs)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := account.Open(ctx); err == nil {
		t.Error("a list came out of a service that hangs")
	}
	s.way.breaks(nil)
	if wanted, listed := among(snapshot.Pages, id); listed {
		if _, err := account.Acknowledge(soon(t), wanted); err != nil {
			t.Error(err)
		}
	}
	account.Close()
	if err := goleak.Find(before); err != nil {
		t.Errorf("something goes on after the end: %v", err)
	}
}
