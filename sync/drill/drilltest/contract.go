// Package drilltest holds conversations with a paging service against
// PagerDuty's official OpenAPI document. It is for tests only.
package drilltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// ours are the paths of the document that Nightstand uses. The library refuses
// the document as a whole.
var ours = []string{
	"/incidents", "/incidents/{id}", "/incidents/{id}/snooze", "/incidents/{id}/notes", "/incidents/{id}/alerts",
	"/incidents/{id}/log_entries", "/incidents/{id}/related_change_events", "/log_entries", "/oncalls",
	"/users", "/users/me", "/users/{id}/contact_methods", "/priorities",
}

// Contract is the official document, ready to be held against requests.
type Contract struct {
	router routers.Router

	mutex sync.Mutex
	held  map[string]int
}

// Official loads the document, found through NIGHTSTAND_SPECS or beside the
// repository, and skips the test where it is absent.
func Official(t testing.TB) *Contract {
	t.Helper()
	folder := os.Getenv("NIGHTSTAND_SPECS")
	if folder == "" {
		folder = filepath.Join(repository(t), "..", "shared", "paging", "specs")
	}
	text, err := os.ReadFile(filepath.Join(folder, "pagerduty-rest-openapiv3.json"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("PagerDuty's OpenAPI document is not on this machine; set NIGHTSTAND_SPECS to the folder that holds it")
	}
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	paths := whole["paths"].(map[string]any)
	for path := range paths {
		if !slices.Contains(ours, path) {
			delete(paths, path)
		}
	}
	delete(whole, "servers") // any host will do
	cut, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(cut)
	if err != nil {
		t.Fatal(err)
	}
	mend(t, document)
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return &Contract{router: router, held: map[string]int{}}
}

// mend loosens what no truthful answer could meet: a channel matches several of
// its alternatives, an acknowledgement's log entry must have two types at once,
// whoever is on call permanently has no schedule, start or end, and users that
// were asked to be included in on-calls are no references. The body of an
// incident can be included although the document does not list it.
func mend(t testing.TB, document *openapi3.T) {
	t.Helper()
	schemas := document.Components.Schemas
	schemas["Channel"].Value.OneOf = nil
	schemas["AcknowledgeLogEntry"].Value.AllOf[1].Value.Properties["type"].Value.Enum = []any{"acknowledge_log_entry"}
	included := document.Paths.Value("/incidents/{id}").Get.Parameters.GetByInAndName("query", "include[]")
	if included == nil {
		t.Fatal("the document's incident includes nothing any more")
	}
	included.Schema.Value.Enum = append(included.Schema.Value.Enum, "body")
	permanent := schemas["Oncall"].Value.Properties
	if permanent["user"] == nil || schemas["User"] == nil {
		t.Fatal("the document's on-calls have no user any more")
	}
	permanent["user"] = &openapi3.SchemaRef{Value: &openapi3.Schema{OneOf: openapi3.SchemaRefs{permanent["user"], schemas["User"]}}}
	for _, name := range []string{"schedule", "start", "end"} {
		if permanent[name] == nil {
			t.Fatalf("the document's on-calls have no %s any more", name)
		}
		loose := *permanent[name].Value
		loose.Nullable = true
		permanent[name] = &openapi3.SchemaRef{Value: &loose}
	}
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

// Held tells how often each operation ("PUT /incidents/{id}") was held against
// the document, and found to keep to it or reported.
func (c *Contract) Held() map[string]int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	copied := map[string]int{}
	for operation, times := range c.held {
		copied[operation] = times
	}
	return copied
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
	route, parameters, err := c.router.FindRoute(again)
	if err != nil {
		return err, nil
	}
	c.mutex.Lock()
	c.held[route.Method+" "+route.Path]++
	c.mutex.Unlock()
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
		// A response that repeats read-only fields is what they are for.
		ExcludeReadOnlyValidations: true, SkipSettingDefaults: true,
	}
	input := &openapi3filter.RequestValidationInput{Request: again, PathParams: parameters, Route: route, Options: options}
	ofRequest = openapi3filter.ValidateRequest(request.Context(), input)
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: status, Header: header, Options: options}
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
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes()) // a caller that has gone needs no answer
	})
}

// brief leaves out the schema that the library quotes in full.
func brief(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	return text
}
