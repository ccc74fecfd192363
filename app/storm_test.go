package app

import (
	"testing"

	"nightstand/app/control"
	"nightstand/app/watch"
)

func TestAPageThatCallsIsNeverHiddenBehindAnsweredOnes(t *testing.T) {
	var pages []watch.PageState
	for number := range control.MostPages + 50 {
		pages = append(pages, answered(number))
	}
	last := calling(len(pages))
	pages = append(pages, last)
	shown := mostTelling(pages)
	if len(shown) != control.MostPages || shown[0].ID != last.ID {
		t.Errorf("of %d pages %d are shown, the first is %s", len(pages), len(shown), shown[0].ID)
	}
	if pages[0].ID != answered(0).ID {
		t.Error("the agent's own list was put in another order")
	}
	if few := mostTelling(pages[len(pages)-3:]); few[2].ID != last.ID {
		t.Error("a short list was put in another order")
	}
	if callingNow(pages) != 1 {
		t.Errorf("%d pages are counted as calling", callingNow(pages))
	}
}
