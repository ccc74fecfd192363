package jsmtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"nightstand/sync/provider/providertest"
)

// outside are the paths that are used and that the description leaves out.
var outside = []string{"/escalations"}

// Described loads the description of JSM's interface that was derived from the
// official one, and skips the test where it is absent.
func Described(t testing.TB) *providertest.Contract {
	t.Helper()
	text := providertest.Specification(t, "jsm-ops-subset.handderived.openapi.json", "the description of Jira Service Management's interface")
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	return providertest.NewContract(t, document, openapi3filter.Options{}, covered)
}

// covered takes the part before the description's own paths off a request, and
// says whether it is about that request.
func covered(r *http.Request) bool {
	path, ofService := strings.CutPrefix(r.URL.Path, "/jsm/ops/api/"+Cloud)
	for _, one := range outside {
		ofService = ofService && !strings.HasSuffix(path, one)
	}
	r.URL.Path = path
	return ofService
}
