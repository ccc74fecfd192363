package app

import (
	"slices"

	"nightstand/app/page"
	"nightstand/app/watch"
)

// joined adds to the pages of one press those that other services list about the
// same thing. It is done only where the user wants it: that two keys are the same
// is a guess as long as nobody has said so.
func joined(ids []string, pages []watch.PageState) []string {
	all := slices.Clone(ids)
	for _, id := range ids {
		at := slices.IndexFunc(pages, func(p watch.PageState) bool { return p.ID == id })
		if at < 0 || pages[at].SourceKey == "" {
			continue
		}
		for _, other := range pages {
			same := other.SourceKey == pages[at].SourceKey && other.Account != pages[at].Account
			if same && other.Status == page.Triggered && !slices.Contains(all, other.ID) {
				all = append(all, other.ID)
			}
		}
	}
	return all
}
