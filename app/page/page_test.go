package page_test

import (
	"fmt"
	"testing"

	"nightstand/app/page"
)

func TestIDsAreShortStableAndApart(t *testing.T) {
	seen := map[string]string{}
	for n := range 20_000 {
		upstream := fmt.Sprintf("fingerprint-%d@2026-11-23T03:02:11Z", n)
		id := page.NewID("home", upstream)
		if !page.ValidID(id) || len(id) != 11 {
			t.Fatalf("%q is no id", id)
		}
		if id != page.NewID("home", upstream) {
			t.Fatal("the same page got two ids")
		}
		if other, taken := seen[id]; taken {
			t.Fatalf("%s and %s share the id %s", upstream, other, id)
		}
		seen[id] = upstream
	}
	if page.NewID("home", "x") == page.NewID("work", "x") || page.NewID("a", "bc") == page.NewID("ab", "c") {
		t.Error("two accounts share an id")
	}
	for _, wrong := range []string{"", "A", "a b", "a/b", "é", "a\n"} {
		if page.ValidID(wrong) {
			t.Errorf("%q passes for an id", wrong)
		}
	}
}

func TestWhatCannotBeMappedIsNeverSilent(t *testing.T) {
	for severity, wakes := range map[page.Severity]bool{
		page.Critical: true, page.Degraded: true, page.Minor: true, page.Hidden: false, page.Other: false,
		"": true, "P1": true, "hidden ": true,
	} {
		if severity.Wakes() != wakes {
			t.Errorf("%q wakes: %v, want %v", severity, severity.Wakes(), wakes)
		}
		if severity.Meaning() == "" {
			t.Errorf("%q has no meaning in words", severity)
		}
	}
	for rank, severity := range page.Severities() {
		if severity.Rank() != rank {
			t.Errorf("%s ranks %d, want %d", severity, severity.Rank(), rank)
		}
	}
}

func TestAPageIsOpenUntilItIsResolved(t *testing.T) {
	for status, open := range map[page.Status]bool{page.Triggered: true, page.Acknowledged: true, page.Resolved: false} {
		if p := (page.Page{Account: "home", UpstreamID: "7", Status: status}); p.Open() != open || p.Key() != "home/7" {
			t.Errorf("%s: open %v, key %q", status, p.Open(), p.Key())
		}
	}
}
