package tray

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func pages(ids ...string) []Item {
	var items []Item
	for _, id := range ids {
		items = append(items, Item{ID: id, Title: "page " + id, CanAcknowledge: true})
	}
	return items
}

func titles(m menu) []string {
	var all []string
	for _, each := range m {
		if each.title != "" {
			all = append(all, each.title)
		}
	}
	return all
}

func TestTheMenuListsPagesThenNoticesThenTheWayOut(t *testing.T) {
	m := compose(View{
		State:   Page,
		Status:  "Two pages want you.",
		Pages:   append(pages("a", "b"), Item{ID: "c", Title: "yours since 03:02"}),
		Notices: []Item{{ID: "n", Title: "Dana took the other one."}},
		Hush:    "Hush: quiet for 60 seconds, answers nothing",
	})
	want := []string{
		"Two pages want you.",
		"Acknowledge all (2)",
		"Acknowledge: page a",
		"Acknowledge: page b",
		"yours since 03:02",
		"Hush: quiet for 60 seconds, answers nothing",
		"Dismiss: Dana took the other one.",
		"Open Nightstand",
		"Quit",
	}
	if got := titles(m); !slices.Equal(got, want) {
		t.Errorf("the menu reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAStormFitsInTheMenu(t *testing.T) {
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprint("p", i))
	}
	m := compose(View{Pages: pages(ids...)})
	if got := m[slotMorePages].title; got != "and 12 more" {
		t.Errorf("the rest reads %q", got)
	}
	if m[slotAll].title != "Acknowledge all (20)" || len(m[slotAll].ids) != 20 {
		t.Errorf("acknowledge all reads %q for %d pages", m[slotAll].title, len(m[slotAll].ids))
	}
}

func TestTitlesAreShortCleanAndNeverEmpty(t *testing.T) {
	m := compose(View{Pages: []Item{
		{ID: "a", Title: strings.Repeat("disk ", 100), CanAcknowledge: true},
		{ID: "b", Title: "\x1b[31mred\u202e\n", CanAcknowledge: true},
		{ID: "c", Title: ""},
	}})
	if length := len([]rune(m[slotPages].title)); length > 90 {
		t.Errorf("a title of %d characters", length)
	}
	if got := m[slotPages+1].title; got != "Acknowledge: red" {
		t.Errorf("a hostile title became %q", got)
	}
	if m[slotPages+2].title == "" {
		t.Error("a page without a title is hidden")
	}
}

func TestQuitAsksOnShiftOnly(t *testing.T) {
	off := compose(View{})
	if off[slotQuit].does != quit || off[slotQuitAsk].title != "" {
		t.Errorf("off shift the menu ends with %v", titles(off))
	}
	on := compose(View{OnShift: true})
	if on[slotQuit].title != "" || on[slotQuitAsk].does != nothing || on[slotQuitAnyway].does != quit {
		t.Errorf("on shift the menu ends with %v", titles(on))
	}
}

var night = time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)

func TestAPressAnswersOnlyWhatWasThereForASecond(t *testing.T) {
	var c counter
	c.lay(compose(View{Pages: pages("a", "b")}), night)
	if wanted, ok := c.press(slotAll, night.Add(999*time.Millisecond)); ok {
		t.Errorf("a press after 999 ms answered %v", wanted.ids)
	}
	// A third page comes in under the pointer.
	c.lay(compose(View{Pages: pages("a", "b", "c")}), night.Add(5*time.Second))
	wanted, ok := c.press(slotAll, night.Add(5500*time.Millisecond))
	if !ok || !slices.Equal(wanted.ids, []string{"a", "b"}) {
		t.Errorf("acknowledge all answered %v, want the two that were there", wanted.ids)
	}
	wanted, ok = c.press(slotAll, night.Add(6*time.Second))
	if !ok || !slices.Equal(wanted.ids, []string{"a", "b", "c"}) {
		t.Errorf("a second later it answered %v, want all three", wanted.ids)
	}
	if _, ok := c.press(slotPages+2, night.Add(5900*time.Millisecond)); ok {
		t.Error("the new page was answered by a press that came too early")
	}
	if wanted, ok := c.press(slotPages, night.Add(5100*time.Millisecond)); !ok || wanted.ids[0] != "a" {
		t.Error("a page that kept its place was not answered")
	}
}

func TestAPageThatSlipsUnderThePointerIsNotAnswered(t *testing.T) {
	var c counter
	c.lay(compose(View{Pages: pages("a", "b", "c")}), night)
	// a ends, and b moves up to where a was.
	c.lay(compose(View{Pages: pages("b", "c")}), night.Add(time.Minute))
	if wanted, ok := c.press(slotPages, night.Add(time.Minute+300*time.Millisecond)); ok {
		t.Errorf("the press meant for a answered %v", wanted.ids)
	}
	// The only page gets a second one, and with it a line above it.
	c.lay(compose(View{Pages: pages("b")}), night.Add(2*time.Minute))
	c.lay(compose(View{Pages: pages("b", "d")}), night.Add(3*time.Minute))
	if wanted, ok := c.press(slotPages, night.Add(3*time.Minute+300*time.Millisecond)); ok {
		t.Errorf("an entry that had just moved answered %v", wanted.ids)
	}
}

func TestHushNeedsNoPatience(t *testing.T) {
	var c counter
	c.lay(compose(View{Hush: "Hush: quiet for 60 seconds, answers nothing"}), night)
	if _, ok := c.press(slotHush, night); !ok {
		t.Error("hush was refused")
	}
	if _, ok := c.press(slotStatus, night.Add(time.Hour)); ok {
		t.Error("a line that is only to be read did something")
	}
}

func TestWhatIsNotKnownIsNeverLit(t *testing.T) {
	for _, state := range []State{NotArmed, Unknown, "", "something new"} {
		if state.light() != Unknown.light() || state.light() == Armed.light() {
			t.Errorf("%q is drawn as %s", state, state.light())
		}
	}
}
