package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeKeeper remembers what it was asked and knows one page, one account.
type fakeKeeper struct {
	mutex    sync.Mutex
	calls    []string
	open     int
	changed  chan struct{}
	watchers int
	quit     func()
	hold     chan struct{} // blocks State while it is there
}

func (k *fakeKeeper) note(format string, words ...any) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.calls = append(k.calls, fmt.Sprintf(format, words...))
}

func (k *fakeKeeper) asked() []string {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return slices.Clone(k.calls)
}

func (k *fakeKeeper) setOpen(n int) {
	k.mutex.Lock()
	k.open = n
	k.mutex.Unlock()
	k.changed <- struct{}{}
}

func (k *fakeKeeper) State() State {
	if k.hold != nil {
		<-k.hold
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return State{Status: Status{Armed: Armed{State: "not_armed"}, Open: k.open, Accounts: []Account{{Name: "prod"}}}}
}

func (k *fakeKeeper) Pages(all bool) []Page {
	k.note("pages %t", all)
	if all {
		return []Page{{ID: "aaaaa-bbbbb", Title: "<b> & co"}}
	}
	return nil
}

func (k *fakeKeeper) Page(_ context.Context, id string) (Detail, error) {
	if id != "aaaaa-bbbbb" {
		return Detail{}, fmt.Errorf("no page is called %s: %w", id, ErrUnknown)
	}
	return Detail{Page: Page{ID: id}, Timeline: []Entry{{Kind: "paged", Text: "It rang."}}}, nil
}

func (k *fakeKeeper) Watch() (<-chan struct{}, func()) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.watchers++
	return k.changed, func() {
		k.mutex.Lock()
		defer k.mutex.Unlock()
		k.watchers--
	}
}

func (k *fakeKeeper) Acknowledge(_ context.Context, ids []string, all bool) ([]Outcome, error) {
	k.note("ack %v %t", ids, all)
	if all || len(ids) == 0 {
		return nil, nil
	}
	if ids[0] == "later" {
		return nil, errors.New("the disk is full")
	}
	return []Outcome{{ID: ids[0], Done: true, Sentence: "Acknowledged."}}, nil
}

func (k *fakeKeeper) Unacknowledge(_ context.Context, id string) (Outcome, error) {
	k.note("unack %s", id)
	return Outcome{}, &RefusedError{"It is not yours to take back."}
}

func (k *fakeKeeper) Hush(context.Context) (Outcome, error) {
	k.note("hush")
	return Outcome{Done: true}, nil
}

func (k *fakeKeeper) Dismiss(_ context.Context, id string) error {
	k.note("dismiss %q", id)
	return nil
}

func (k *fakeKeeper) AddNote(_ context.Context, pageID string, asked NewNote) (Entry, error) {
	k.note("note %s %q", pageID, asked.Text)
	return Entry{Kind: "note", Text: asked.Text}, nil
}

func (k *fakeKeeper) Do(_ context.Context, id string, asked Deed) (Outcome, error) {
	k.note("%s %s for %.0f s to %q: %q", asked.Deed, id, asked.ForSeconds, asked.To, asked.Text)
	return Outcome{ID: id, Done: true}, nil
}

func (k *fakeKeeper) Describe(_ context.Context, id string) (Upstream, error) {
	k.note("describe %s", id)
	return Upstream{Body: "all of it"}, nil
}

func (k *fakeKeeper) ShowWindow(_ context.Context, view string) error {
	k.note("window %s", view)
	return nil
}

func (k *fakeKeeper) Attend(face string) func() {
	k.note("%s comes", face)
	return func() { k.note("%s goes", face) }
}

func (k *fakeKeeper) Drill(_ context.Context, asked Drill) (DrillReport, error) {
	k.note("drill in %v s", asked.InSeconds)
	return DrillReport{Sentence: "Nothing was played."}, nil
}

func (k *fakeKeeper) Timeline(_ context.Context, most int) ([]Entry, error) {
	k.note("timeline %d", most)
	return nil, nil
}

func (k *fakeKeeper) Quit() {
	k.note("quit")
	k.quit()
}

func (k *fakeKeeper) AddAccount(_ context.Context, asked NewAccount) (AccountReport, error) {
	k.note("add %s %s", asked.Name, asked.Secret)
	return AccountReport{Name: asked.Name, WantsSecret: true}, nil
}

func (k *fakeKeeper) TestAccount(_ context.Context, name string) (AccountReport, error) {
	k.note("test %s", name)
	return AccountReport{Name: name, OK: true}, nil
}

func (k *fakeKeeper) RemoveAccount(_ context.Context, name string) error {
	k.note("remove %s", name)
	return nil
}

// shortDir is a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve opens a door and returns a client for it; stop ends the server and
// waits for it.
func serve(t *testing.T, keeper *fakeKeeper, open func(dir string) (net.Listener, Door)) (client *Client, door Door, stop func()) {
	t.Helper()
	dir := shortDir(t)
	listener, door := open(dir)
	ctx, cancel := context.WithCancel(t.Context())
	keeper.quit, keeper.changed = cancel, make(chan struct{})
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, listener, door, keeper) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(stop)
	client, err := Dial(filepath.Join(dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	return client, door, stop
}

func bySocket(t *testing.T) func(string) (net.Listener, Door) {
	return func(dir string) (net.Listener, Door) {
		listener, door, err := Open(filepath.Join(dir, "s"), filepath.Join(dir, "address"))
		if err != nil {
			t.Fatal(err)
		}
		return listener, door
	}
}

func byLoopback(t *testing.T) func(string) (net.Listener, Door) {
	return func(dir string) (net.Listener, Door) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		door := Door{TCP: listener.Addr().String(), Token: "a token that is long enough"}
		content, _ := json.Marshal(door)
		if err := writePrivately(filepath.Join(dir, "address"), content); err != nil {
			t.Fatal(err)
		}
		return listener, door
	}
}

func TestEveryRequestReachesTheKeeperThroughBothDoors(t *testing.T) {
	for name, open := range map[string]func(string) (net.Listener, Door){"socket": bySocket(t), "loopback": byLoopback(t)} {
		t.Run(name, func(t *testing.T) {
			keeper := &fakeKeeper{open: 3}
			client, _, _ := serve(t, keeper, open)
			ctx := t.Context()

			if state, err := client.State(ctx); err != nil || state.Open != 3 || state.Armed.State != "not_armed" {
				t.Errorf("State returned %+v, %v", state, err)
			}
			if accounts, err := client.ListAccounts(ctx); err != nil || len(accounts) != 1 || accounts[0].Name != "prod" {
				t.Errorf("ListAccounts returned %+v, %v", accounts, err)
			}
			if pages, err := client.Pages(ctx, true); err != nil || len(pages) != 1 || pages[0].Title != "<b> & co" {
				t.Errorf("Pages returned %+v, %v", pages, err)
			}
			if pages, err := client.Pages(ctx, false); err != nil || pages == nil || len(pages) != 0 {
				t.Errorf("no pages are %#v, %v", pages, err)
			}
			if detail, err := client.Page(ctx, "aaaaa-bbbbb"); err != nil || detail.ID != "aaaaa-bbbbb" || len(detail.Timeline) != 1 {
				t.Errorf("Page returned %+v, %v", detail, err)
			}
			if entries, err := client.Timeline(ctx); err != nil || entries == nil {
				t.Errorf("Timeline returned %#v, %v", entries, err)
			}
			if outcomes, err := client.Acknowledge(ctx, "aaaaa-bbbbb"); err != nil || len(outcomes) != 1 || !outcomes[0].Done {
				t.Errorf("Acknowledge returned %+v, %v", outcomes, err)
			}
			if outcomes, err := client.AcknowledgeAll(ctx); err != nil || outcomes == nil || len(outcomes) != 0 {
				t.Errorf("AcknowledgeAll returned %#v, %v", outcomes, err)
			}
			if outcomes, err := client.AcknowledgeThese(ctx, []string{"a", "b"}); err != nil || len(outcomes) != 1 {
				t.Errorf("AcknowledgeThese returned %#v, %v", outcomes, err)
			}
			if outcomes, err := client.AcknowledgeThese(ctx, nil); err != nil || len(outcomes) != 0 {
				t.Errorf("AcknowledgeThese of none returned %#v, %v", outcomes, err)
			}
			if entry, err := client.AddNote(ctx, "odd/name ?", NewNote{Text: "it’s <b>"}); err != nil || entry.Text != "it’s <b>" {
				t.Errorf("AddNote returned %+v, %v", entry, err)
			}
			if report, err := client.Drill(ctx, Drill{InSeconds: 0.5}); err != nil || report.Played || report.PlayedMS != nil {
				t.Errorf("Drill returned %+v, %v", report, err)
			}
			if err := client.ShowWindow(ctx, "now"); err != nil {
				t.Error(err)
			}
			if outcome, err := client.Hush(ctx); err != nil || !outcome.Done {
				t.Errorf("Hush returned %+v, %v", outcome, err)
			}
			if report, err := client.AddAccount(ctx, NewAccount{Name: "prod", Secret: "s"}); err != nil || !report.WantsSecret {
				t.Errorf("AddAccount returned %+v, %v", report, err)
			}
			if report, err := client.TestAccount(ctx, "prod"); err != nil || !report.OK {
				t.Errorf("TestAccount returned %+v, %v", report, err)
			}
			for _, err := range []error{client.Dismiss(ctx, "n1"), client.Dismiss(ctx, ""), client.RemoveAccount(ctx, "odd/name ?")} {
				if err != nil {
					t.Error(err)
				}
			}
			want := []string{"pages true", "pages false", "timeline 500", "ack [aaaaa-bbbbb] false", "ack [] true",
				"ack [a b] false", "ack [] false", `note odd/name ? "it’s <b>"`, "drill in 0.5 s", "window now", "hush",
				"add prod s", "test prod", `dismiss "n1"`, `dismiss ""`, "remove odd/name ?"}
			if got := keeper.asked(); !slices.Equal(got, want) {
				t.Errorf("the keeper was asked\n%q, want\n%q", got, want)
			}
		})
	}
}

// A window that follows is known to the agent exactly as long as it does.
func TestAFollowingWindowIsKnown(t *testing.T) {
	keeper := &fakeKeeper{}
	client, _, _ := serve(t, keeper, bySocket(t))
	ctx, leave := context.WithCancel(t.Context())
	err := client.FollowAs(ctx, "alarm", func(State) { leave() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("following ended with %v", err)
	}
	want := []string{"alarm comes", "alarm goes"}
	for deadline := time.Now().Add(5 * time.Second); !slices.Equal(keeper.asked(), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the keeper was told %q, want %q", keeper.asked(), want)
		}
	}
}

func TestErrorsKeepTheirKindAndWords(t *testing.T) {
	client, _, stop := serve(t, &fakeKeeper{}, bySocket(t))
	_, err := client.Page(t.Context(), "nobody")
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "no page is called nobody") {
		t.Errorf("an unknown page gives %v", err)
	}
	var refused *RefusedError
	if _, err := client.Unacknowledge(t.Context(), "aaaaa-bbbbb"); !errors.As(err, &refused) || refused.Sentence != "It is not yours to take back." {
		t.Errorf("a refusal gives %v", err)
	}
	if _, err := client.Acknowledge(t.Context(), "later"); err == nil || err.Error() != "the disk is full" {
		t.Errorf("a failure gives %v", err)
	}
	stop()
	if _, err := client.State(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after its end the agent gives %v", err)
	}
}

// A name of dots is tidied out of a path: "acknowledge .." must not become
// "acknowledge all".
func TestNamesOfDotsReachNothing(t *testing.T) {
	keeper := &fakeKeeper{}
	client, _, _ := serve(t, keeper, bySocket(t))
	for _, name := range []string{"", ".", ".."} {
		_, err := client.Acknowledge(t.Context(), name)
		if !errors.Is(err, ErrUnknown) || !errors.Is(client.RemoveAccount(t.Context(), name), ErrUnknown) {
			t.Errorf("the name %q gives %v", name, err)
		}
	}
	if asked := keeper.asked(); len(asked) != 0 {
		t.Errorf("the keeper was asked %q", asked)
	}
}

func TestNoAgentIsSaid(t *testing.T) {
	dir := shortDir(t)
	address := filepath.Join(dir, "address")
	if _, err := Dial(address); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without an address file: %v", err)
	}
	for _, content := range []string{"", "{", "{}", `{"socket":"` + filepath.ToSlash(filepath.Join(dir, "gone")) + `"}`, `{"tcp":"127.0.0.1:1","token":"x"}`} {
		if err := os.WriteFile(address, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := Dial(address)
		if err == nil {
			_, err = client.State(t.Context())
		}
		if !errors.Is(err, ErrNotRunning) {
			t.Errorf("with the address %q: %v", content, err)
		}
	}
}

func TestAnAgentThatHangsIsNotWaitedFor(t *testing.T) {
	keeper := &fakeKeeper{hold: make(chan struct{})}
	client, _, _ := serve(t, keeper, bySocket(t))
	defer close(keeper.hold)
	client.reading, client.following = 50*time.Millisecond, 50*time.Millisecond
	if _, err := client.State(t.Context()); !errors.Is(err, ErrSilent) {
		t.Errorf("reading gives %v", err)
	}
	if err := client.Follow(t.Context(), func(State) { t.Error("a state came from a hanging agent") }); !errors.Is(err, ErrSilent) {
		t.Errorf("following gives %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.State(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gave up gets %v", err)
	}
}

func TestFollowSeesEveryChangeAndTheEnd(t *testing.T) {
	keeper := &fakeKeeper{open: 1}
	client, _, stop := serve(t, keeper, bySocket(t))
	seen, ended := make(chan int), make(chan error, 1)
	go func() { ended <- client.Follow(t.Context(), func(s State) { seen <- s.Open }) }()
	if open := <-seen; open != 1 {
		t.Errorf("the first state has %d open pages", open)
	}
	for n := 2; n < 5; n++ {
		keeper.setOpen(n)
		if open := <-seen; open != n {
			t.Errorf("after the change %d open pages are seen, want %d", open, n)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, ErrNotRunning) {
		t.Errorf("when the agent ends, Follow returns %v", err)
	}
	keeper.mutex.Lock()
	defer keeper.mutex.Unlock()
	if keeper.watchers != 0 {
		t.Errorf("%d watchers were left behind", keeper.watchers)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	client, _, _ := serve(t, &fakeKeeper{}, bySocket(t))
	ctx, cancel := context.WithCancel(t.Context())
	if err := client.Follow(ctx, func(State) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Follow returns %v", err)
	}
}

func TestQuitIsAnsweredBeforeTheServerIsGone(t *testing.T) {
	for range 20 {
		keeper := &fakeKeeper{}
		client, _, stop := serve(t, keeper, bySocket(t))
		if err := client.Quit(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
	}
}

func TestLoopbackIsOnlyForTheUser(t *testing.T) {
	_, door, _ := serve(t, &fakeKeeper{}, byLoopback(t))
	for name, c := range map[string]struct {
		host, authorization string
		want                int
	}{
		"right":         {door.TCP, "Bearer " + door.Token, http.StatusOK},
		"no token":      {door.TCP, "", http.StatusForbidden},
		"wrong token":   {door.TCP, "Bearer " + door.Token + "x", http.StatusForbidden},
		"a web page":    {"rebound.example.org", "Bearer " + door.Token, http.StatusForbidden},
		"by its name":   {strings.Replace(door.TCP, "127.0.0.1", "localhost", 1), "Bearer " + door.Token, http.StatusForbidden},
		"without ports": {"127.0.0.1", "Bearer " + door.Token, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+door.TCP+"/v1/state", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = c.host
		if c.authorization != "" {
			request.Header.Set("Authorization", c.authorization)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s: the answer is %s, want %d", name, response.Status, c.want)
		}
	}
}

// The port of an agent that was killed may be given to another program; that
// must neither keep a new agent from starting nor be taken for one.
func TestAnotherProgramOnAnOldPortIsNoAgent(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(stranger, http.NotFoundHandler())
	defer stranger.Close()
	address := filepath.Join(shortDir(t), "address")
	content, _ := json.Marshal(Door{TCP: stranger.Addr().String(), Token: "of the dead agent"})
	if err := os.WriteFile(address, content, 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	if client.Answers(t.Context()) {
		t.Error("another program was taken for the agent")
	}
	ours, _, _ := serve(t, &fakeKeeper{}, byLoopback(t))
	if !ours.Answers(t.Context()) {
		t.Error("the agent on its own port was not recognised")
	}
	hold := make(chan struct{})
	hanging, _, _ := serve(t, &fakeKeeper{hold: hold}, byLoopback(t))
	t.Cleanup(func() { close(hold) })
	if !hanging.Answers(t.Context()) {
		t.Error("an agent that hangs was taken for none")
	}
}

func TestTheDoorIsPrivateAndReplacesAnOldOne(t *testing.T) {
	if !socketsWork {
		t.Skip("this system has no file modes that say who may read")
	}
	dir := shortDir(t)
	socket, address := filepath.Join(dir, "s"), filepath.Join(dir, "address")
	if err := os.WriteFile(socket, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	listener, door, err := Open(socket, address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if door.Socket != socket || door.TCP != "" {
		t.Errorf("the door is %+v", door)
	}
	for _, path := range []string{socket, address} {
		about, err := os.Stat(path)
		if err != nil || about.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v", path, about.Mode(), err)
		}
	}
	if _, _, err := Open(filepath.Join(dir, strings.Repeat("long", 40)), address); err == nil {
		t.Error("a socket's path that is too long was taken")
	}
}

func TestListsAreNeverNullAndTextIsNotEscaped(t *testing.T) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, value := range []any{State{}, Detail{}, AccountReport{}} {
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range []string{"accounts", "notices", "signals", "pages", "links", "labels", "timeline", "receivers", "open", "notes"} {
		if !strings.Contains(out.String(), `"`+list+`":[]`) {
			t.Errorf("%s is not []:\n%s", list, &out)
		}
	}
	client, _, _ := serve(t, &fakeKeeper{}, bySocket(t))
	response, err := client.send(t.Context(), http.MethodGet, "/v1/pages?all=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(content, []byte(`"<b> & co"`)) {
		t.Errorf("the pages are %s, %v", content, err)
	}
}
