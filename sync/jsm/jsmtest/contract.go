package jsmtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is the description of JSM's interface that was derived from the
// official one, ready to be held against requests.
type Contract struct {
	router routers.Router

	mutex sync.Mutex
	held  map[string]int
}

// outside are the paths that are used and that the description leaves out.
var outside = []string{"/escalations"}

// Described loads the description, found through NIGHTSTAND_SPECS or beside the
// repository, and skips the test where it is absent.
func Described(t testing.TB) *Contract {
	t.Helper()
	folder := os.Getenv("NIGHTSTAND_SPECS")
	if folder == "" {
		folder = filepath.Join(repository(t), "..", "shared", "paging", "specs")
	}
	text, err := os.ReadFile(filepath.Join(folder, "jsm-ops-subset.handderived.openapi.json"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the description of Jira Service Management's interface is not on this machine; set NIGHTSTAND_SPECS to the folder that holds it")
	}
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	document.Servers = nil // any host will do
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return &Contract{router: router, held: map[string]int{}}
}

func repository(t testing.TB) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		above := filepath.Dir(at)
		if above == at {
			t.Fatal("this test runs outside of the repository")
		}
		at = above
	}
}

// Held tells how often each operation ("POST /v1/alerts/{id}/snooze") was held
// against the description.
func (c *Contract) Held() map[string]int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	copied := map[string]int{}
	for operation, times := range c.held {
		copied[operation] = times
	}
	return copied
}

// Watch passes requests on to a service and fails the test at every request to
// JSM, and every answer of it, that does not keep to the description.
func (c *Contract) Watch(t testing.TB, service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the request's body broke off: %v", err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		recorder := httptest.NewRecorder()
		service.ServeHTTP(recorder, r)
		if err := c.check(r, asked, recorder); err != nil {
			words, _, _ := strings.Cut(err.Error(), "\nSchema:")
			t.Errorf("%s %s does not keep to the description: %s", r.Method, r.URL, words)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes()) // a caller that has gone needs no answer
	})
}

func (c *Contract) check(r *http.Request, asked []byte, answered *httptest.ResponseRecorder) error {
	again := r.Clone(r.Context())
	path, ofService := strings.CutPrefix(again.URL.Path, "/jsm/ops/api/"+Cloud)
	for _, one := range outside {
		ofService = ofService && !strings.HasSuffix(path, one)
	}
	if !ofService {
		return nil
	}
	again.URL.Path = path
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(asked)), int64(len(asked))
	route, parameters, err := c.router.FindRoute(again)
	if err != nil {
		return err
	}
	c.mutex.Lock()
	c.held[route.Method+" "+route.Path]++
	c.mutex.Unlock()
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, SkipSettingDefaults: true}
	input := &openapi3filter.RequestValidationInput{Request: again, PathParams: parameters, Route: route, Options: options}
	ofRequest := openapi3filter.ValidateRequest(r.Context(), input)
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: answered.Code, Header: answered.Header(), Options: options}
	output.SetBodyBytes(answered.Body.Bytes())
	return errors.Join(ofRequest, openapi3filter.ValidateResponse(r.Context(), output))
}
