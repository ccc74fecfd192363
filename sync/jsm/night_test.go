package jsm_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
)

// night is a provider that speaks to a service, with somebody between them who
// listens and may interfere.
type night struct {
	spoken   jsm.Dialect
	address  string
	service  *jsmtest.Service
	provider *jsm.Provider

	mutex sync.Mutex
	heard []string
	asked []url.Values
	// between, when set, may answer instead of the service by returning true.
	between func(w http.ResponseWriter, r *http.Request) bool
}

func (n *night) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mutex.Lock()
	n.heard = append(n.heard, r.Method+" "+strings.TrimPrefix(r.URL.Path, cloudPath))
	n.asked = append(n.asked, r.URL.Query())
	between := n.between
	n.mutex.Unlock()
	if between == nil || !between(w, r) {
		n.service.ServeHTTP(w, r)
	}
}

func (n *night) interfere(between func(http.ResponseWriter, *http.Request) bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.between = between
}

// count is how many requests held this text in their method and path.
func (n *night) count(what string) int {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	found := 0
	for _, one := range n.heard {
		if strings.Contains(one, what) {
			found++
		}
	}
	return found
}

// queries are the parameters of all requests that held this text.
func (n *night) queries(what string) []url.Values {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	var found []url.Values
	for i, one := range n.heard {
		if strings.Contains(one, what) {
			found = append(found, n.asked[i])
		}
	}
	return found
}

const moment = 2 * time.Millisecond

func begin(t *testing.T, spoken jsm.Dialect, change ...func(*jsm.Options)) *night {
	t.Helper()
	return beginWith(t, jsmtest.Options{Dialect: spoken, Moment: moment}, change...)
}

func beginWith(t *testing.T, service jsmtest.Options, change ...func(*jsm.Options)) *night {
	t.Helper()
	n := &night{spoken: service.Dialect, service: jsmtest.New(service)}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.address = server.URL
	n.provider = n.connect(t, change...)
	return n
}

func (n *night) connect(t *testing.T, change ...func(*jsm.Options)) *jsm.Provider {
	t.Helper()
	o := options(n.spoken, n.address)
	for _, one := range change {
		one(&o)
	}
	return connect(t, o)
}

// bothWays tells a story in both dialects.
func bothWays(t *testing.T, tell func(t *testing.T, spoken jsm.Dialect)) {
	for _, spoken := range dialects {
		t.Run(string(spoken), func(t *testing.T) { tell(t, spoken) })
	}
}

func open(t *testing.T, p provider.Provider) []page.Page {
	t.Helper()
	snapshot, err := p.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Pages
}

func only(t *testing.T, p provider.Provider) page.Page {
	t.Helper()
	pages := open(t, p)
	if len(pages) != 1 {
		t.Fatalf("%d pages are listed, want one: %+v", len(pages), pages)
	}
	return pages[0]
}

// says answers every request about a path that ends in this with a text.
func says(ending string, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ending) {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// lists is a service that knows the user and answers with one list of alerts.
func lists(t *testing.T, spoken jsm.Dialect, alerts string) *jsm.Provider {
	t.Helper()
	n := begin(t, spoken)
	n.interfere(says("/alerts", 200, alerts))
	return n.provider
}
