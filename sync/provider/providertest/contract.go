package providertest

import (
	"bytes"
	"errors"
	"io"
	"maps"
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

// Specification reads a service's own description, found through
// NIGHTSTAND_SPECS or beside the repository, and skips the test where it is
// absent. What names it in the message.
func Specification(t testing.TB, name, what string) []byte {
	t.Helper()
	folder := os.Getenv("NIGHTSTAND_SPECS")
	if folder == "" {
		folder = filepath.Join(repository(t), "..", "shared", "paging", "specs")
	}
	text, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip(what + " is not on this machine; set NIGHTSTAND_SPECS to the folder that holds it")
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
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

// Contract is a service's OpenAPI document, ready to be held against requests.
type Contract struct {
	router  routers.Router
	options openapi3filter.Options
	covers  func(*http.Request) bool

	mutex sync.Mutex
	held  map[string]int
}

// NewContract prepares a document. Covers may change a copy of a request to what
// the document calls it, and says whether the document is about it; nil takes
// every request as it is.
func NewContract(t testing.TB, document *openapi3.T, options openapi3filter.Options, covers func(*http.Request) bool) *Contract {
	t.Helper()
	document.Servers = nil // any host will do
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	options.AuthenticationFunc, options.IncludeResponseStatus, options.SkipSettingDefaults = openapi3filter.NoopAuthenticationFunc, true, true
	return &Contract{router: router, options: options, covers: covers, held: map[string]int{}}
}

// Held tells how often each operation ("PUT /incidents/{id}") was held against
// the document, and found to keep to it or reported.
func (c *Contract) Held() map[string]int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return maps.Clone(c.held)
}

// Check looks at one exchange and returns what is wrong with the request and
// with the answer.
func (c *Contract) Check(request *http.Request, asked []byte, status int, header http.Header, answered []byte) (ofRequest, ofAnswer error) {
	again := request.Clone(request.Context())
	again.Body = io.NopCloser(bytes.NewReader(asked))
	again.ContentLength = int64(len(asked))
	if len(asked) == 0 {
		again.Body = http.NoBody
	}
	if c.covers != nil && !c.covers(again) {
		return nil, nil
	}
	route, parameters, err := c.router.FindRoute(again)
	if err != nil {
		return err, nil
	}
	c.mutex.Lock()
	c.held[route.Method+" "+route.Path]++
	c.mutex.Unlock()
	input := &openapi3filter.RequestValidationInput{Request: again, PathParams: parameters, Route: route, Options: &c.options}
	ofRequest = openapi3filter.ValidateRequest(request.Context(), input)
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: status, Header: header, Options: &c.options}
	output.SetBodyBytes(answered)
	return ofRequest, openapi3filter.ValidateResponse(request.Context(), output)
}

// Watch passes requests on to a service and fails the test at every request
// or answer that does not keep to the document.
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
		ofRequest, ofAnswer := c.Check(r, asked, recorder.Code, recorder.Header(), recorder.Body.Bytes())
		if ofRequest != nil {
			t.Errorf("the request %s %s does not keep to the document: %s", r.Method, r.URL, brief(ofRequest))
		}
		if ofAnswer != nil {
			t.Errorf("the answer to %s %s does not keep to the document: %s\n%s", r.Method, r.URL, brief(ofAnswer), recorder.Body)
		}
		maps.Copy(w.Header(), recorder.Header())
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes()) // a caller that has gone needs no answer
	})
}

// brief leaves out the schema that the library quotes in full.
func brief(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	return text
}
