package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nightstand/app/control"
	"nightstand/sync/drill"
)

// world is the paging service with its moods, and the journal of everything
// that happened there and that the user did.
type world struct {
	service *drill.Service
	ahead   atomic.Int64 // how far its clock is ahead of the test's
	mood    atomic.Pointer[mood]
	asked   atomic.Int64 // requests so far

	mu      sync.Mutex
	journal []event
	read    int // lines of the service's log that are in the journal
	began   time.Time
}

// event is one line of the journal.
type event struct {
	at    time.Time // by the test's clock
	page  string    // as the service calls it; empty for what concerns none
	kind  string    // the word of the service's log, or one of those below
	by    string
	ours  bool // it came from the agent
	shown incident
}

const (
	pressed  = "pressed"
	looked   = "looked"   // the agent asked about a page
	lost     = "trouble"  // a request met it, of the sort that By names
	reopened = "reopened" // by an acknowledgement
)

// incident is what the service tells of a page.
type incident struct {
	ID, Status, Urgency string
	Priority            struct{ Name string }
	Assignments         []struct{ Assignee struct{ ID string } }
	Acknowledgements    []struct{ Acknowledger struct{ ID string } }
	PendingActions      []struct{ Type string } `json:"pending_actions"`
}

// mood is trouble that each so many requests meet.
type mood struct {
	kind  string
	every int64
	wait  int // seconds that a throttling service asks for
}

func troubles() []string {
	return []string{"throttled", "broken", "unheard", "unanswered", "halved", "hanging", "slow"}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{began: time.Now()}
	service, err := drill.New(drill.Options{
		Now:               func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
		RequestsPerMinute: 1_000_000, Rounds: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service = service
	return w
}

// happens lets something happen at the service that the agent did not do.
func (w *world) happens(what func(*drill.Service)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	what(w.service)
	w.takeDown(false)
}

// jumps sets the service's clock, which for the agent is as if its own had been
// set the other way.
func (w *world) jumps(by time.Duration) {
	w.happens(func(*drill.Service) { w.ahead.Add(int64(by)) })
}

// note writes down what the user did.
func (w *world) note(page, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	w.journal = append(w.journal, event{at: time.Now(), page: page, kind: what})
}

// returned writes down what a command said.
func (w *world) returned(a *wish, err error) {
	var refusal *control.RefusedError
	switch {
	case errors.As(err, &refusal), errors.Is(err, control.ErrUnknown):
		a.refused.Store(true)
	case err != nil:
		a.unsure.Store(true)
	}
	a.back.Store(true)
}

// takeDown copies what is new in the service's log.
func (w *world) takeDown(ours bool) {
	all := w.service.Log()
	for _, entry := range all[w.read:] {
		w.journal = append(w.journal, event{
			at: entry.At.Add(-time.Duration(w.ahead.Load())), page: entry.IncidentID, kind: entry.Kind, by: entry.By, ours: ours && entry.By != "",
		})
		last := &w.journal[len(w.journal)-1]
		if strings.HasPrefix(entry.Summary, "Reopened") {
			last.kind = reopened
		}
		if len(w.journal) > 1 && last.at.Before(w.journal[len(w.journal)-2].at) {
			last.at = w.journal[len(w.journal)-2].at // it was the clock that jumped over it
		}
	}
	w.read = len(all)
}

// asks is a question of the test's own.
func (w *world) asks(path string, query url.Values, into any) {
	request := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	request.Header.Set("Authorization", "Token token="+drill.DefaultKey)
	answer := httptest.NewRecorder()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	w.service.ServeHTTP(answer, request)
	w.takeDown(false)
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil || answer.Code != http.StatusOK {
		panic(fmt.Sprintf("%s: %d %s", path, answer.Code, answer.Body))
	}
}

// mine is what the service lists as open and Ana's.
func (w *world) mine() map[string]incident {
	var list struct{ Incidents []incident }
	w.asks("/incidents", url.Values{"user_ids[]": {ana}, "statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"}, "limit": {"100"}}, &list)
	all := map[string]incident{}
	for _, one := range list.Incidents {
		all[one.ID] = one
	}
	return all
}

func (w *world) status(id string) string {
	if id == "" {
		return "resolved"
	}
	var one struct{ Incident incident }
	w.asks("/incidents/"+id, nil, &one)
	return one.Incident.Status
}

// notes are the texts that were added to a page.
func (w *world) notes(id string) []string {
	var list struct{ Notes []struct{ Content string } }
	w.asks("/incidents/"+id+"/notes", nil, &list)
	var texts []string
	for _, one := range list.Notes {
		texts = append(texts, one.Content)
	}
	return texts
}

// events is the journal so far.
func (w *world) events() []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	return w.journal[:len(w.journal):len(w.journal)]
}

// story is the journal to be read.
func (w *world) story() string {
	var told strings.Builder
	trouble := ""
	for _, e := range w.events() {
		if e.kind == lost && e.by == trouble {
			continue // once is enough
		}
		if e.kind != looked {
			trouble = e.by
		}
		fmt.Fprintf(&told, "%10.3f  %-12s %s", e.at.Sub(w.began).Seconds(), e.page, e.kind)
		if e.by != "" {
			fmt.Fprintf(&told, " by %s", e.by)
		}
		if e.ours {
			told.WriteString(" through the agent")
		}
		if e.kind == looked {
			fmt.Fprintf(&told, ": %s %v", e.shown.Status, e.shown.Acknowledgements)
		}
		told.WriteString("\n")
	}
	return told.String()
}

// serve lets the service answer one request of the agent.
func (w *world) serve(r *http.Request, body []byte) *httptest.ResponseRecorder {
	r = r.WithContext(context.WithoutCancel(r.Context())) // it has come here, whoever has gone since
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	w.service.ServeHTTP(answer, r)
	w.takeDown(true)
	if id, one := strings.CutPrefix(r.URL.Path, "/incidents/"); one && r.Method == http.MethodGet && !strings.Contains(id, "/") {
		var told struct{ Incident incident }
		if json.Unmarshal(answer.Body.Bytes(), &told) == nil {
			w.journal = append(w.journal, event{at: time.Now(), page: id, kind: looked, ours: true, shown: told.Incident})
		}
	}
	return answer
}

// troubled writes down that a request of the agent did not go well.
func (w *world) troubled(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takeDown(false)
	w.journal = append(w.journal, event{at: time.Now(), kind: lost, by: kind})
}

// openness is how the network is between an agent and the service.
type openness string

const (
	open    openness = "open"
	refused openness = "refused"
	silent  openness = "silent" // nothing comes through, and nobody says so
)

// road is one agent's network: connections that need no sockets.
type road struct {
	world    *world
	server   *http.Server
	arriving chan net.Conn
	ended    chan struct{}

	mu      sync.Mutex
	now     openness
	changed chan struct{} // closed with the next change
	through []net.Conn
}

func openRoad(w *world) *road {
	one := &road{world: w, arriving: make(chan net.Conn), ended: make(chan struct{}), now: open, changed: make(chan struct{})}
	one.server = &http.Server{Handler: one}
	go func() { _ = one.server.Serve(one) }() // ends with ErrServerClosed
	return one
}

func (c *road) close() { _ = c.server.Close() }

// becomes changes the network; unless it is open, what was under way is lost.
func (c *road) becomes(now openness) {
	if now != open {
		c.world.troubled(string(now))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == now {
		return
	}
	c.now = now
	close(c.changed)
	c.changed = make(chan struct{})
	if now != silent { // a network that goes without a word leaves the connections as they are
		for _, one := range c.through {
			_ = one.Close()
		}
		c.through = nil
	}
}

func (c *road) state() openness {
	now, _ := c.look()
	return now
}

func (c *road) look() (openness, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.changed
}

// dial is how the agent connects.
func (c *road) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	now, changed := c.look()
	switch now {
	case refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case silent:
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}
		}
	}
	near, far := net.Pipe()
	select {
	case c.arriving <- far:
	case <-c.ended:
		return nil, net.ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != open { // it changed while it was connecting
		_ = near.Close()
		return nil, net.ErrClosed
	}
	c.through = append(c.through, near)
	return near, nil
}

// Accept, Close and Addr make it what a server listens on.
func (c *road) Accept() (net.Conn, error) {
	select {
	case one := <-c.arriving:
		return one, nil
	case <-c.ended:
		return nil, net.ErrClosed
	}
}

func (c *road) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.ended:
	default:
		close(c.ended)
	}
	return nil
}

func (c *road) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// travel is how long a request is on its way, and an answer.
const travel = 40 * time.Millisecond

// ServeHTTP carries a request to the service and the answer back, as far as
// the network and the service's mood allow.
func (c *road) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	kind, wait := c.world.meets()
	if kind != "" {
		c.world.troubled(kind)
	}
	time.Sleep(travel)
	c.comesThrough(r)
	switch kind {
	case "throttled":
		answer.Header().Set("ratelimit-reset", fmt.Sprint(wait))
		answer.WriteHeader(http.StatusTooManyRequests)
		return
	case "broken":
		answer.WriteHeader(http.StatusInternalServerError)
		return
	case "unheard":
		panic(http.ErrAbortHandler)
	case "hanging":
		c.waits(r, time.Minute)
		panic(http.ErrAbortHandler)
	case "slow":
		time.Sleep(2500 * time.Millisecond)
	}
	got := c.world.serve(r, body)
	if kind == "slow" {
		time.Sleep(2500 * time.Millisecond)
	}
	time.Sleep(travel)
	c.comesThrough(r)
	text := got.Body.Bytes()
	for name, values := range got.Header() {
		answer.Header()[name] = values
	}
	answer.Header().Set("Content-Length", fmt.Sprint(len(text)))
	switch kind {
	case "unanswered":
		panic(http.ErrAbortHandler)
	case "halved":
		text = text[:len(text)/2]
	}
	answer.WriteHeader(got.Code)
	_, _ = answer.Write(text) // who has gone does not read it
	if kind == "halved" {
		panic(http.ErrAbortHandler)
	}
}

// meets is the trouble that this request meets, if any.
func (w *world) meets() (kind string, wait int) {
	asked, mood := w.asked.Add(1), w.mood.Load()
	if mood == nil || asked%mood.every != 0 {
		return "", 0
	}
	return mood.kind, mood.wait
}

// comesThrough lets something travel, unless the network is away: then it is lost.
func (c *road) comesThrough(r *http.Request) {
	switch now, _ := c.look(); now {
	case silent:
		c.waits(r, time.Hour)
		panic(http.ErrAbortHandler)
	case refused:
		panic(http.ErrAbortHandler)
	}
}

// waits until the one who asked has gone, the network changes, or it is late.
func (c *road) waits(r *http.Request, longest time.Duration) {
	_, changed := c.look()
	late := time.NewTimer(longest)
	defer late.Stop()
	select {
	case <-r.Context().Done():
	case <-changed:
	case <-late.C:
	}
}
