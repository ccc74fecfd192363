package control

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Keeper is the agent as the API needs it. Commands wait until their outcome
// is known or the context ends.
type Keeper interface {
	State() State
	Pages(all bool) []Page
	Page(ctx context.Context, id string) (Detail, error)
	// Watch returns a channel that receives after changes, and a function that
	// ends it.
	Watch() (changed <-chan struct{}, end func())
	Acknowledge(ctx context.Context, ids []string, all bool) ([]Outcome, error)
	Unacknowledge(ctx context.Context, id string) (Outcome, error)
	// Do asks the service of a page for a deed and waits a while for it.
	Do(ctx context.Context, id string, asked Deed) (Outcome, error)
	Hush(ctx context.Context) (Outcome, error)
	Dismiss(ctx context.Context, id string) error
	// Describe asks the service of a page for everything it knows of it now.
	Describe(ctx context.Context, id string) (Upstream, error)
	// AddNote keeps a note to a page; it is on the disk when it returns. With
	// Send it goes to the page's service too, now or when that can be reached.
	AddNote(ctx context.Context, pageID string, asked NewNote) (Entry, error)
	// ShowWindow brings a view of the main window up.
	ShowWindow(ctx context.Context, view string) error
	// Attend takes in that a face of this kind follows, until the returned
	// function is called.
	Attend(face string) (end func())
	// Drill sends a page through the whole chain and waits for its answer.
	Drill(ctx context.Context, asked Drill) (DrillReport, error)
	Timeline(ctx context.Context, most int) ([]Entry, error)
	Quit()

	AddAccount(ctx context.Context, asked NewAccount) (AccountReport, error)
	TestAccount(ctx context.Context, name string) (AccountReport, error)
	RemoveAccount(ctx context.Context, name string) error
}

// ErrUnknown says that nothing has the name or id that was asked for.
var ErrUnknown = errors.New("not known")

// RefusedError is a no with its reason in a sentence.
type RefusedError struct{ Sentence string }

func (e *RefusedError) Error() string { return e.Sentence }

// stillHere is how often a follower hears from the agent when nothing changes.
const stillHere = 15 * time.Second

// Serve answers on the listener until ctx ends.
func Serve(ctx context.Context, listener net.Listener, door Door, keeper Keeper) error {
	server := &http.Server{
		Handler:           guarded(door, routes(ctx, keeper)),
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// Answers under way are finished first, the one to "quit" among them.
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(soon) != nil {
		server.Close()
	}
	<-served
	return nil
}

// guarded lets only the user in. A socket is guarded by its folder; on
// loopback the token must come along, and the Host must be ours, so that no
// web page can speak to the agent.
func guarded(door Door, next http.Handler) http.Handler {
	if door.TCP == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.Host != door.TCP || subtle.ConstantTimeCompare([]byte(token), []byte(door.Token)) != 1 {
			answer(w, http.StatusForbidden, problem{"This door is for the user who started the agent."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func routes(ctx context.Context, keeper Keeper) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, keeper.State())
	})
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) {
		events(ctx, keeper, w, r)
	})
	mux.HandleFunc("GET /v1/pages", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, List[Page](keeper.Pages(r.URL.Query().Get("all") == "true")))
	})
	mux.HandleFunc("GET /v1/timeline", func(w http.ResponseWriter, r *http.Request) {
		entries, err := keeper.Timeline(r.Context(), 500)
		reply(w, List[Entry](entries), err)
	})
	mux.HandleFunc("GET /v1/pages/{id}", func(w http.ResponseWriter, r *http.Request) {
		detail, err := keeper.Page(r.Context(), r.PathValue("id"))
		reply(w, detail, err)
	})
	mux.HandleFunc("GET /v1/pages/{id}/service", func(w http.ResponseWriter, r *http.Request) {
		upstream, err := keeper.Describe(r.Context(), r.PathValue("id"))
		reply(w, upstream, err)
	})
	mux.HandleFunc("POST /v1/pages/{id}/ack", func(w http.ResponseWriter, r *http.Request) {
		outcomes, err := keeper.Acknowledge(r.Context(), []string{r.PathValue("id")}, false)
		reply(w, List[Outcome](outcomes), err)
	})
	mux.HandleFunc("POST /v1/ack", func(w http.ResponseWriter, r *http.Request) {
		// Without a body it is every page that rings. An empty list is none:
		// nobody who chose nothing may have answered everything.
		var asked These
		if all := r.ContentLength == 0; all {
			outcomes, err := keeper.Acknowledge(r.Context(), nil, true)
			reply(w, List[Outcome](outcomes), err)
			return
		}
		if !read(w, r, &asked) {
			return
		}
		outcomes, err := keeper.Acknowledge(r.Context(), asked.IDs, false)
		reply(w, List[Outcome](outcomes), err)
	})
	mux.HandleFunc("POST /v1/pages/{id}/notes", func(w http.ResponseWriter, r *http.Request) {
		var asked NewNote
		if !read(w, r, &asked) {
			return
		}
		entry, err := keeper.AddNote(r.Context(), r.PathValue("id"), asked)
		reply(w, entry, err)
	})
	for _, deed := range []string{"resolve", "snooze", "escalate", "reassign"} {
		mux.HandleFunc("POST /v1/pages/{id}/"+deed, func(w http.ResponseWriter, r *http.Request) {
			asked := Deed{}
			if r.ContentLength != 0 && !read(w, r, &asked) {
				return
			}
			asked.Deed = deed
			outcome, err := keeper.Do(r.Context(), r.PathValue("id"), asked)
			reply(w, outcome, err)
		})
	}
	mux.HandleFunc("POST /v1/windows/{view}", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, keeper.ShowWindow(r.Context(), r.PathValue("view")))
	})
	mux.HandleFunc("POST /v1/drill", func(w http.ResponseWriter, r *http.Request) {
		var asked Drill
		if !read(w, r, &asked) {
			return
		}
		report, err := keeper.Drill(r.Context(), asked)
		reply(w, report, err)
	})
	mux.HandleFunc("POST /v1/pages/{id}/unack", func(w http.ResponseWriter, r *http.Request) {
		outcome, err := keeper.Unacknowledge(r.Context(), r.PathValue("id"))
		reply(w, outcome, err)
	})
	mux.HandleFunc("POST /v1/hush", func(w http.ResponseWriter, r *http.Request) {
		outcome, err := keeper.Hush(r.Context())
		reply(w, outcome, err)
	})
	mux.HandleFunc("POST /v1/notices/dismiss", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, keeper.Dismiss(r.Context(), ""))
	})
	mux.HandleFunc("POST /v1/notices/{id}/dismiss", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, keeper.Dismiss(r.Context(), r.PathValue("id")))
	})
	mux.HandleFunc("POST /v1/accounts", func(w http.ResponseWriter, r *http.Request) {
		var asked NewAccount
		if !read(w, r, &asked) {
			return
		}
		report, err := keeper.AddAccount(r.Context(), asked)
		reply(w, report, err)
	})
	mux.HandleFunc("POST /v1/accounts/{name}/test", func(w http.ResponseWriter, r *http.Request) {
		report, err := keeper.TestAccount(r.Context(), r.PathValue("name"))
		reply(w, report, err)
	})
	mux.HandleFunc("DELETE /v1/accounts/{name}", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, keeper.RemoveAccount(r.Context(), r.PathValue("name")))
	})
	mux.HandleFunc("POST /v1/quit", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, struct{}{})
		keeper.Quit()
	})
	return mux
}

// read takes what was asked out of a request, and says whether that worked.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		answer(w, http.StatusBadRequest, problem{"The request is not understood."})
		return false
	}
	return true
}

// events sends the whole state after every change, as server-sent events. A
// reader that is slow misses states in between, never the last one.
func events(ctx context.Context, keeper Keeper, w http.ResponseWriter, r *http.Request) {
	changed, end := keeper.Watch()
	defer end()
	if face := r.URL.Query().Get("face"); face != "" {
		defer keeper.Attend(face)()
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	alive := time.NewTicker(stillHere)
	defer alive.Stop()
	for {
		content, err := json.Marshal(keeper.State())
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", content); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}

type problem struct {
	Error string `json:"error"`
}

// reply answers with the value, or turns an error into its status.
func reply(w http.ResponseWriter, value any, err error) {
	var refused *RefusedError
	switch {
	case err == nil:
		answer(w, http.StatusOK, value)
	case errors.Is(err, ErrUnknown):
		answer(w, http.StatusNotFound, problem{err.Error()})
	case errors.As(err, &refused):
		answer(w, http.StatusConflict, problem{refused.Sentence})
	default:
		answer(w, http.StatusInternalServerError, problem{err.Error()})
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the reader has gone; nothing is owed to it
}
