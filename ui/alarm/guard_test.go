package alarm

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)

func after(milliseconds int) time.Time {
	return start.Add(time.Duration(milliseconds) * time.Millisecond)
}

// fresh is a window that has just come up with the focus.
func fresh() *guard {
	g := &guard{}
	g.appear(start)
	g.focus(true, start)
	return g
}

func TestAPressCountsOnlyAfterACalm(t *testing.T) {
	g := fresh()
	if g.press("Space", after(699)) {
		t.Error("a press 699 ms after the window appeared counted")
	}
	g.release("Space")
	if g.press("Space", after(1398)) {
		t.Error("a press 699 ms after another one counted")
	}
	g.release("Space")
	if !g.press("Space", after(2098)) {
		t.Error("a press after 700 ms of calm did not count")
	}
	if g.press("Space", after(3000)) {
		t.Error("a key that was never let go counted twice")
	}
}

func TestWhatIsHeldDownDisarms(t *testing.T) {
	g := fresh()
	g.press("A", after(100))
	if g.armed(after(1500)) {
		t.Error("armed although a key is held down")
	}
	g.release("A")
	if !g.armed(after(1500)) {
		t.Error("not armed although the key was let go long ago")
	}
}

func TestWithoutTheFocusNothingCounts(t *testing.T) {
	g := fresh()
	g.focus(false, after(100))
	if g.press("Space", after(5000)) {
		t.Error("a press without the focus counted")
	}
	g.focus(true, after(6000))
	if g.press(pointer, after(6100)) {
		t.Error("the click that gave the window the focus answered")
	}
	g.release(pointer)
	if !g.armed(after(6800)) {
		t.Error("what was held down before the focus was lost still disarms")
	}
}

func TestALostReleaseIsForgotten(t *testing.T) {
	g := fresh()
	g.press(pointer, after(0))
	if g.armed(after(4900)) || !g.armed(after(5100)) {
		t.Error("a press whose release went elsewhere disarms for ever, or not at all")
	}
}

// However somebody types, no press counts within 700 ms of another one.
func TestTypingNeverAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := fresh()
		now, last := 0, 0
		keys := rapid.SampledFrom([]string{"A", "B", "C", "Return", "Space", pointer})
		for range rapid.IntRange(1, 60).Draw(t, "presses") {
			now += rapid.IntRange(0, 1500).Draw(t, "pause")
			key := keys.Draw(t, "key")
			if g.press(key, after(now)) && now-last < 700 {
				t.Fatalf("%s counted %d ms after the press before", key, now-last)
			}
			last = now
			if rapid.IntRange(0, 4).Draw(t, "let go") > 0 {
				g.release(key)
			}
		}
	})
}
