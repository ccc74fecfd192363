package app

import (
	"slices"
	"testing"

	"nightstand/app/page"
	"nightstand/app/watch"
)

func TestOnlyTheSameKeyAtAnotherServiceIsJoined(t *testing.T) {
	of := func(id, account, key string, status page.Status) watch.PageState {
		return watch.PageState{Page: page.Page{ID: id, Account: account, SourceKey: key, Status: status}}
	}
	pages := []watch.PageState{
		of("a", "prod", "disk/db-2", page.Triggered),
		of("b", "pager", "disk/db-2", page.Triggered),
		of("same account", "prod", "disk/db-2", page.Triggered),
		of("answered", "other", "disk/db-2", page.Acknowledged),
		of("another key", "pager", "disk/db-3", page.Triggered),
		of("no key", "prod", "", page.Triggered),
		of("none either", "pager", "", page.Triggered),
	}
	for _, c := range []struct{ pressed, want []string }{
		{[]string{"a"}, []string{"a", "b"}},
		{[]string{"a", "b"}, []string{"a", "b", "same account"}},
		{[]string{"no key"}, []string{"no key"}},
		{[]string{"gone"}, []string{"gone"}},
		{nil, nil},
	} {
		if got := joined(c.pressed, pages); !slices.Equal(got, c.want) {
			t.Errorf("a press on %q answers %q, want %q", c.pressed, got, c.want)
		}
	}
}
