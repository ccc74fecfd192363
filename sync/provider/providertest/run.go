package providertest

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// patience is how long any one call may take; none comes near it.
const patience = 10 * time.Second

// Run puts a provider through everything that Nightstand relies on.
func Run(t *testing.T, s Subject) {
	for _, chapter := range []struct {
		name string
		tell func(*testing.T, Subject)
	}{
		{"introduction", introduction},
		{"lists", lists},
		{"acknowledgement", acknowledgement},
		{"deeds", deeds},
		{"details", details},
		{"roster", onCall},
		{"strange answers", strangeAnswers},
		{"failures", failures},
		{"redirects", redirects},
		{"closing", closing},
	} {
		t.Run(chapter.name, func(t *testing.T) { chapter.tell(t, s) })
	}
}

// story is one account at one service, with the way between them in hand.
type story struct {
	Subject
	t        testing.TB
	service  Service
	way      *way
	address  string
	provider provider.Provider
}

// begin starts a service without pages and connects to it.
func begin(t testing.TB, s Subject) *story {
	t.Helper()
	service := s.Start(t)
	way := &way{service: service, secret: s.Secret}
	server := httptest.NewServer(way)
	t.Cleanup(func() {
		server.Close()
		if way.exposed() {
			t.Error("the credential stood in an address, which is written into logs on the way")
		}
	})
	told := &story{Subject: s, t: t, service: service, way: way, address: server.URL}
	told.provider = told.connect(t)
	return told
}

// connect makes another connection to the same service, which knows nothing yet.
func (s *story) connect(t testing.TB) provider.Provider {
	t.Helper()
	made := s.Connect(t, s.address)
	t.Cleanup(made.Close)
	return made
}

// unless skips a story of what cannot happen at this service.
func (s Subject) unless(t *testing.T, events ...Event) {
	t.Helper()
	for _, event := range events {
		if reason := s.Never[event]; reason != "" {
			t.Skipf("%s never happens here: %s", event, reason)
		}
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// pages opens so many of them and returns their identities.
func (s *story) pages(count int) []string {
	var ids []string
	for range count {
		ids = append(ids, s.service.Page("Disk full"))
	}
	return ids
}

func (s *story) snapshot() provider.Snapshot {
	s.t.Helper()
	snapshot, err := s.provider.Open(soon(s.t))
	if err != nil {
		s.t.Fatalf("the list could not be read: %v", err)
	}
	return snapshot
}

// look reads the list and returns one of its pages, open or just ended.
func (s *story) look(id string) (page.Page, bool) {
	s.t.Helper()
	return among(s.snapshot().Pages, id)
}

// see is look at a page that has to be there and open.
func (s *story) see(id string) page.Page {
	s.t.Helper()
	seen, listed := s.look(id)
	if !listed || !seen.Open() {
		s.t.Fatalf("the page %s is open and not listed as such: %+v", id, seen)
	}
	return seen
}

func among(pages []page.Page, id string) (page.Page, bool) {
	at := slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == id })
	if at < 0 {
		return page.Page{}, false
	}
	return pages[at], true
}

// lacks says what is wrong with a list in which exactly these pages should be
// open; empty when nothing is.
func lacks(pages []page.Page, want []string) string {
	seen := map[string]bool{}
	for _, one := range pages {
		switch {
		case seen[one.UpstreamID]:
			return "the page " + one.UpstreamID + " is listed twice"
		case one.Open() && one.Title == "":
			return "the page " + one.UpstreamID + " has no title"
		}
		seen[one.UpstreamID] = one.Open()
	}
	for _, id := range want {
		if !seen[id] {
			return "the page " + id + " is not listed as open"
		}
	}
	return ""
}

// applied is what was done to a page in our name.
func (s *story) applied(id string) string { return strings.Join(s.service.Applied(id), ", ") }

// now is the service's clock, as far as it tells.
func (s *story) now() time.Time {
	s.t.Helper()
	if at := s.snapshot().ServerTime; !at.IsZero() {
		return at
	}
	return time.Now().UTC()
}

// introduction is the first question: who are we, and what would ring now.
func introduction(t *testing.T, subject Subject) {
	s := begin(t, subject)
	ids := s.pages(2)
	told, err := s.provider.Test(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if told.User == "" || told.Service == "" {
		t.Errorf("neither the user nor the service may be without a name: %+v", told)
	}
	if wrong := lacks(told.Open, ids); wrong != "" {
		t.Error(wrong)
	}
	for _, sentence := range append(slices.Clone(told.Notes), told.Lacks...) {
		checkSentence(t, s.Secret, sentence)
	}
	for _, one := range told.Open {
		if one.Account != "prod" || one.ID != page.NewID("prod", one.UpstreamID) || one.TriggeredAt.Location() != time.UTC {
			t.Errorf("the page is not of this account, has another's id or a time that is not UTC: %+v", one)
		}
	}
}

// checkSentence looks at words for people: they end, and keep the credential
// to themselves.
func checkSentence(t testing.TB, secret, sentence string) {
	t.Helper()
	if sentence == "" || !strings.ContainsAny(sentence[len(sentence)-1:], ".!?") {
		t.Errorf("%q is no sentence", sentence)
	}
	if secret != "" && strings.Contains(sentence, secret) {
		t.Errorf("the credential stands in %q", strings.ReplaceAll(sentence, secret, "***"))
	}
}
