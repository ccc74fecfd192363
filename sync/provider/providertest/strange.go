package providertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// nulls is how many places of an answer are emptied in one story, at most.
const nulls = 120

// strangeAnswers are the stories of answers that are well formed and wrong.
func strangeAnswers(t *testing.T, subject Subject) {
	t.Run("null anywhere in a list", func(t *testing.T) {
		s := begin(t, subject)
		ids := s.pages(3)
		s.nullEach(t, anywhere, nulls, func(account provider.Provider) {
			snapshot, err := account.Open(soon(t))
			if seen := opened(snapshot.Pages); err == nil && seen < len(ids) {
				t.Errorf("%d pages are open of %d, and nobody is told", seen, len(ids))
			}
		})
	})
	t.Run("null in the frame of a long list", func(t *testing.T) {
		subject.unless(t, ManyPages)
		s := begin(t, subject)
		ids := s.pages(s.AtOnce + 1)
		s.nullEach(t, frame, nulls/10, func(account provider.Provider) {
			snapshot, err := account.Open(soon(t))
			if seen := opened(snapshot.Pages); err == nil && seen < len(ids) {
				t.Errorf("%d pages are open of %d, and nobody is told", seen, len(ids))
			}
		})
	})
	t.Run("null anywhere in an acknowledgement", func(t *testing.T) {
		s := begin(t, subject)
		s.nullEach(t, anywhere, nulls/2, func(account provider.Provider) {
			wanted := page.Page{Account: "prod", UpstreamID: s.service.Page("Disk full")}
			wanted.ID = page.NewID(wanted.Account, wanted.UpstreamID)
			after, err := account.Acknowledge(soon(t), wanted)
			if err == nil && answered(after) != "" {
				t.Error(answered(after))
			}
			if did := s.service.Applied(wanted.UpstreamID); len(did) > 1 {
				t.Errorf("the service did %v", did)
			}
		})
	})
	t.Run("null anywhere in a description", func(t *testing.T) {
		s := begin(t, subject)
		if _, describes := s.provider.(provider.Describer); !describes {
			t.Skip("this provider is no provider.Describer")
		}
		id := s.pages(1)[0]
		wanted := s.see(id)
		s.nullEach(t, anywhere, nulls/2, func(account provider.Provider) {
			told, err := account.(provider.Describer).Describe(soon(t), wanted)
			if err == nil && told.Page.UpstreamID != id {
				t.Errorf("it is described as another page: %+v", told.Page)
			}
		})
	})
	for _, deed := range begin(t, subject).provider.Capabilities().Deeds {
		t.Run("null anywhere in the deed "+string(deed), func(t *testing.T) {
			s := begin(t, subject)
			errand := s.errand(t, deed)
			s.nullEach(t, anywhere, nulls/4, func(account provider.Provider) {
				wanted := page.Page{Account: "prod", UpstreamID: s.service.Page("Disk full")}
				wanted.ID = page.NewID(wanted.Account, wanted.UpstreamID)
				after, err := account.(provider.Doer).Do(soon(t), wanted, errand)
				if err == nil && after.UpstreamID != wanted.UpstreamID {
					t.Errorf("it is done to another page: %+v", after)
				}
				if did := s.applied(wanted.UpstreamID); strings.Count(did, string(deed)) > 1 {
					t.Errorf("the service did %s", did)
				}
			})
		})
	}
	t.Run("null anywhere in a roster", func(t *testing.T) {
		s := begin(t, subject)
		if _, knows := s.provider.(provider.Roster); !knows {
			t.Skip("this provider is no provider.Roster")
		}
		s.nullEach(t, anywhere, nulls/2, func(account provider.Provider) {
			at := time.Now().UTC()
			if shifts, err := account.(provider.Roster).OnCall(soon(t), at, at.Add(time.Hour)); err != nil && len(shifts) > 0 {
				t.Errorf("half a roster came with %v", err)
			}
			people, err := account.(provider.Roster).People(soon(t))
			if err == nil && slices.ContainsFunc(people, func(p page.Person) bool { return p.ID == "" }) {
				t.Errorf("somebody is nobody: %+v", people)
			}
		})
	})
	t.Run("a status that nobody knows", func(t *testing.T) {
		s := begin(t, subject)
		ids := s.pages(3)
		if _, err := s.provider.Acknowledge(soon(t), s.see(ids[0])); err != nil {
			t.Fatal(err)
		}
		s.way.breaks(rewriting(func(body []byte) []byte { return altered(body, unheardOf) }))
		if wrong := lacks(s.snapshot().Pages, ids); wrong != "" {
			t.Errorf("what is in a state that nobody knows may be open; %s", wrong)
		}
	})
}

// opened counts the open pages. What stands for a lost identity may be another
// one: such a page rings, which is what matters.
func opened(pages []page.Page) int {
	count := 0
	for _, one := range pages {
		if one.Open() {
			count++
		}
	}
	return count
}

// nullEach empties one place after another in the answers to a deed, every
// time with a new connection. Of very many places some are picked, the same
// ones every time.
func (s *story) nullEach(t *testing.T, places places, most int, deed func(provider.Provider)) {
	t.Helper()
	count := s.nullOne(t, places, -1, deed)
	if count == 0 {
		t.Fatal("there is nothing in the answers that could be null")
	}
	picked := rand.New(rand.NewPCG(3, 2)).Perm(count)
	for _, place := range picked[:min(count, most)] {
		s.nullOne(t, places, place, deed)
		if t.Failed() {
			t.Fatalf("with null at place %d of %d", place, count)
		}
	}
}

// nullOne empties one place, counted over all answers, and returns how many
// there were.
func (s *story) nullOne(t *testing.T, places places, place int, deed func(provider.Provider)) int {
	t.Helper()
	var mutex sync.Mutex
	passed := 0
	s.way.breaks(rewriting(func(body []byte) []byte {
		mutex.Lock()
		defer mutex.Unlock()
		return altered(body, func(value any) any {
			here := places(value)
			if at := place - passed; at == 0 {
				value = nil
			} else if at > 0 && at <= len(here) {
				here[at-1]()
			}
			passed += 1 + len(here)
			return value
		})
	}))
	defer s.way.breaks(nil)
	account := s.Connect(t, s.address)
	defer account.Close()
	deed(account)
	return passed
}

// places finds what can be null below a JSON value; each place empties itself.
type places func(value any) []func()

// frame is what stands around the entries of a list.
func frame(value any) []func() {
	fields, _ := value.(map[string]any)
	var found []func()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		found = append(found, func() { fields[name] = nil })
		found = append(found, frame(fields[name])...)
	}
	return found
}

// anywhere is every field and every entry.
func anywhere(value any) []func() {
	var found []func()
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			found = append(found, func() { value[name] = nil })
			found = append(found, anywhere(value[name])...)
		}
	case []any:
		for i := range value {
			found = append(found, func() { value[i] = nil })
			found = append(found, anywhere(value[i])...)
		}
	}
	return found
}

// unheardOf puts a word that nobody knows wherever a status or a state stands.
func unheardOf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inside := range value {
			_, word := inside.(string)
			if word && (strings.EqualFold(name, "status") || strings.EqualFold(name, "state")) {
				value[name] = "unheard_of"
			} else {
				value[name] = unheardOf(inside)
			}
		}
	case []any:
		for i := range value {
			value[i] = unheardOf(value[i])
		}
	}
	return value
}

// altered is a JSON text with something changed in it; what is no JSON stays.
func altered(body []byte, change func(any) any) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return body
	}
	text, err := json.Marshal(change(value))
	if err != nil {
		return body
	}
	return text
}
