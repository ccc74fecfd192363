package providertest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault is what goes wrong on the way: it answers in the service's place, or
// passes the request on and does something with the answer.
type fault func(w http.ResponseWriter, r *http.Request, service http.Handler)

// way is all that lies between a provider and its service.
type way struct {
	service Service
	secret  string

	mutex    sync.Mutex
	fault    fault
	requests int
	shown    bool
}

func (w *way) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	w.mutex.Lock()
	w.requests++
	w.shown = w.shown || w.secret != "" && strings.Contains(r.URL.String(), w.secret)
	fault := w.fault
	w.mutex.Unlock()
	if fault == nil {
		w.service.ServeHTTP(answer, r)
		return
	}
	fault(answer, r, w.service)
}

// breaks lets a fault happen to every request from now on; nil mends the way.
func (w *way) breaks(with fault) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.fault, w.requests = with, 0
}

// counted is how many requests there were since the way was last broken or mended.
func (w *way) counted() int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.requests
}

func (w *way) exposed() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.shown
}

// answers says this instead of anything that is asked for.
func answers(status int, header http.Header, body string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // a caller that has gone is no matter
		for name, values := range header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangs does not answer before anybody has lost patience.
func hangs(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // or nobody would notice that the caller has gone
	select {
	case <-r.Context().Done():
	case <-time.After(patience / 2):
	}
}

// breaksOff sends the first half of the true answer.
func breaksOff(w http.ResponseWriter, r *http.Request, service http.Handler) {
	whole := record(r, service)
	half := whole.Body.Len() / 2
	replay(w, whole, whole.Body.Bytes()[:half])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// floods sends the true answer behind twenty megabytes of blanks.
func floods(w http.ResponseWriter, r *http.Request, service http.Handler) {
	whole := record(r, service)
	blank := bytes.Repeat([]byte(" "), 1<<20)
	replay(w, whole, blank)
	for range 19 {
		if _, err := w.Write(blank); err != nil {
			return // too much for the caller, as it should be
		}
	}
	_, _ = w.Write(whole.Body.Bytes())
}

// only lets a fault happen to one request, counted from 1.
func only(number int, then fault) fault {
	var mutex sync.Mutex
	asked := 0
	return func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		mutex.Lock()
		asked++
		hit := asked == number
		mutex.Unlock()
		if hit {
			then(w, r, service)
			return
		}
		service.ServeHTTP(w, r)
	}
}

// losing passes requests on, and drops the answer to the one that did this to
// the page: the service has done it, and nobody is told.
func losing(service Service, id, what string) fault {
	count := func() int {
		return len(slices.DeleteFunc(slices.Clone(service.Applied(id)), func(one string) bool { return one != what }))
	}
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		before := count()
		whole := record(r, next)
		if count() > before {
			panic(http.ErrAbortHandler)
		}
		replay(w, whole, whole.Body.Bytes())
	}
}

// rewriting passes requests on and alters the answers that are JSON.
func rewriting(alter func([]byte) []byte) fault {
	return func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		whole := record(r, service)
		body := whole.Body.Bytes()
		if strings.Contains(whole.Header().Get("Content-Type"), "json") {
			body = alter(body)
		}
		replay(w, whole, body)
	}
}

// between does something after every answer of the service.
func between(happens func()) fault {
	return func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		whole := record(r, service)
		happens()
		replay(w, whole, whole.Body.Bytes())
	}
}

func record(r *http.Request, service http.Handler) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, r)
	return recorder
}

// replay sends a recorded answer with this as its body. What is shorter than
// its announced length breaks off.
func replay(w http.ResponseWriter, whole *httptest.ResponseRecorder, body []byte) {
	for name, values := range whole.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(whole.Code)
	_, _ = w.Write(body) // a caller that has gone needs no answer
}
