// Package drilltest holds conversations with a paging service against
// PagerDuty's official OpenAPI document. It is for tests only.
package drilltest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"nightstand/sync/provider/providertest"
)

// ours are the paths of the document that Nightstand uses. The library refuses
// the document as a whole.
var ours = []string{
	"/incidents", "/incidents/{id}", "/incidents/{id}/snooze", "/incidents/{id}/notes", "/incidents/{id}/alerts",
	"/incidents/{id}/log_entries", "/incidents/{id}/related_change_events", "/log_entries", "/oncalls",
	"/users", "/users/me", "/users/{id}/contact_methods", "/priorities",
}

// Official loads the document, and skips the test where it is absent.
func Official(t testing.TB) *providertest.Contract {
	t.Helper()
	text := providertest.Specification(t, "pagerduty-rest-openapiv3.json", "PagerDuty's OpenAPI document")
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
	// A response that repeats read-only fields is what they are for.
	return providertest.NewContract(t, document, openapi3filter.Options{ExcludeReadOnlyValidations: true}, nil)
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
