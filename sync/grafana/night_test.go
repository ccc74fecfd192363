package grafana_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
)

// clock goes only when it is told to.
type clock struct {
	mutex sync.Mutex
	at    time.Time
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

func (c *clock) pass(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(by)
}

// night is a provider that speaks to a service, with somebody between them who
// may interfere.
type night struct {
	*clock
	t        *testing.T
	service  *grafanatest.Service
	provider *grafana.Provider
	address  string

	mutex   sync.Mutex
	between func(w http.ResponseWriter, r *http.Request) bool
}

func begin(t *testing.T, change ...func(*grafana.Options)) *night {
	t.Helper()
	return beginWith(t, grafanatest.Options{}, change...)
}

func beginWith(t *testing.T, options grafanatest.Options, change ...func(*grafana.Options)) *night {
	t.Helper()
	n := &night{t: t, clock: &clock{at: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)}}
	options.Now = n.now
	n.service = grafanatest.New(options)
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.address = server.URL
	n.provider = n.connect(change...)
	return n
}

// connect makes another connection to the same service.
func (n *night) connect(change ...func(*grafana.Options)) *grafana.Provider {
	n.t.Helper()
	options := grafana.Options{Account: "work", URL: n.address, Secret: grafanatest.Key, Now: n.now}
	for _, one := range change {
		one(&options)
	}
	made, err := grafana.New(options)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(made.Close)
	return made
}

func (n *night) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mutex.Lock()
	between := n.between
	n.mutex.Unlock()
	if between == nil || !between(w, r) {
		n.service.ServeHTTP(w, r)
	}
}

// interfere lets somebody act before a request arrives, who may answer it by
// returning true.
func (n *night) interfere(between func(http.ResponseWriter, *http.Request) bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.between = between
}

// before does something once, before the first request of this sort arrives.
func (n *night) before(what string, deed func()) {
	var once sync.Once
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Method+" "+r.URL.RequestURI(), what) {
			once.Do(deed)
		}
		return false
	})
}

// heard counts the requests that contain a text.
func (n *night) heard(what string) int {
	count := 0
	for _, one := range n.service.Heard() {
		if strings.Contains(one, what) {
			count++
		}
	}
	return count
}

func (n *night) open() []page.Page {
	n.t.Helper()
	snapshot, err := n.provider.Open(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return snapshot.Pages
}

// see is one page of the list.
func (n *night) see(id string) page.Page {
	n.t.Helper()
	pages := n.open()
	at := slices.IndexFunc(pages, func(p page.Page) bool { return p.UpstreamID == id })
	if at < 0 {
		n.t.Fatalf("%s is not among %+v", id, pages)
	}
	return pages[at]
}

func (n *night) do(p page.Page, errand provider.Errand) (page.Page, error) {
	if errand.Asked.IsZero() {
		errand.Asked = n.now()
	}
	return n.provider.Do(n.t.Context(), p, errand)
}

// refused wants a sentence with these words, and returns the error.
func refused(t *testing.T, err error, words ...string) *provider.Error {
	t.Helper()
	var said *provider.Error
	if !errors.As(err, &said) {
		t.Fatalf("it says %v", err)
	}
	for _, one := range words {
		if !strings.Contains(said.Sentence, one) {
			t.Errorf("%q does not say %q", said.Sentence, one)
		}
	}
	return said
}
