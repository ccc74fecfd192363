package changes

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

var orders = page.Page{ID: "aaaaa-bbbbb", Service: "checkout-api", Title: "Orders are lost; $(touch /tmp/x) `id`"}

func TestAnAddressTellsNewestFirst(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`[{"summary":"older","at":"2026-11-24T01:00:00Z"},
			{"summary":"newer\u202e","source":"bot","at":"2026-11-24T03:00:00+01:00","url":"https://ci.example/42"},
			{"summary":""}, {"summary":"undated","url":"javascript:alert(1)"}, null]`))
	}))
	defer server.Close()
	told, err := Read(t.Context(), server.URL+"/changes?team=db", orders)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, c := range told {
		words = append(words, c.Summary)
	}
	if !slices.Equal(words, []string{"newer", "older", "undated"}) || asked != "/changes?service=checkout-api&team=db" {
		t.Errorf("it was asked for %s and told %q", asked, words)
	}
	if c := told[0]; !c.At.Equal(time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)) || c.Source != "bot" || len(c.Links) != 1 || len(told[2].Links) != 0 {
		t.Errorf("the changes are %+v", told)
	}
}

func TestAnAddressThatDoesNotTellIsSaid(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a login page": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"trouble":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		},
		"no list": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{}`))
		},
	} {
		server := httptest.NewServer(answer)
		told, err := Read(t.Context(), server.URL, orders)
		if err == nil || len(told) != 0 || !strings.HasPrefix(provider.Sentence(err), "What tells of changes at ") {
			t.Errorf("%s gave %v, %v", name, told, err)
		}
		server.Close()
	}
}

// program writes a script; the page comes to it as data.
func program(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs of this test are shell scripts")
	}
	path := filepath.Join(t.TempDir(), "changes of mine")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAProgramTells(t *testing.T) {
	told, err := Read(t.Context(), program(t, `printf '[{"summary":"%s %s"}]' "$NIGHTSTAND_SERVICE" "$NIGHTSTAND_PAGE"`), orders)
	if err != nil || len(told) != 1 || told[0].Summary != "checkout-api aaaaa-bbbbb" {
		t.Errorf("it told %+v, %v", told, err)
	}
	if told, err := Read(t.Context(), program(t, "exit 0"), orders); err != nil || len(told) != 0 {
		t.Errorf("a silent program gave %+v, %v", told, err)
	}
	for name, script := range map[string]string{
		"that fails": "exit 3", "that prints words": "echo deployed", "that never stops": "exec yes", "that hangs": "sleep 60",
	} {
		began := time.Now()
		if told, err := Read(t.Context(), program(t, script), orders); err == nil || len(told) != 0 || time.Since(began) > patience+2*time.Second {
			t.Errorf("a program %s gave %+v, %v after %v", name, told, err, time.Since(began))
		}
	}
	if _, err := Read(t.Context(), filepath.Join(t.TempDir(), "nothing here"), orders); err == nil {
		t.Error("a program that is not there is not missed")
	}
}
