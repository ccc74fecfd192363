package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
)

// block is something of that height.
func block(height float32) fyne.CanvasObject { return Gap(height) }

func set(text string, sizes []float32, lines int) *Text {
	return NewText(text, Style{Sizes: sizes, Colour: color.White, Lines: lines})
}

const long = "Checkout is dropping orders since the failover of three o'clock in the morning"

func TestWhatMattersLeastGivesWayFirst(t *testing.T) {
	head, details, place := block(40), block(60), block(30)
	title := set(long, []float32{60, 50, 40}, 2)
	column := Fit(
		Part{Object: head},
		Part{Object: title, Above: 10, Yields: 2, Stays: true},
		Part{Object: place, Above: 5, Yields: 3},
		Part{Object: details, Above: 5, Yields: 1},
	)
	titleHeight := func(size float32, lines int) float32 { return lineHeight(size, title.style) * float32(lines) }
	roomFor := func(size float32, lines int) float32 { return 40 + 10 + titleHeight(size, lines) + 0.5 }
	for _, c := range []struct {
		why            string
		height         float32
		details, place bool
		size           float32
		lines          int
	}{
		{"there is room for all", roomFor(60, 2) + 35 + 65, true, true, 60, 2},
		{"the details go first", roomFor(60, 2) + 35 + 64, false, true, 60, 2},
		{"then the title gets smaller", roomFor(60, 2) + 34, false, true, 50, 2},
		{"and smaller", roomFor(50, 2) + 34, false, true, 40, 2},
		{"then the place goes", roomFor(40, 2) + 34, false, false, 40, 2},
		{"then it loses a line", roomFor(40, 1) + 1, false, false, 40, 1},
		{"the title stays whatever comes", 10, false, false, 40, 1},
		{"and all of it comes back", 2000, true, true, 60, 2},
	} {
		column.Resize(fyne.NewSize(1200, c.height))
		if details.Visible() != c.details || place.Visible() != c.place || !title.Visible() || !head.Visible() {
			t.Errorf("%s: details %v, place %v, title %v", c.why, details.Visible(), place.Visible(), title.Visible())
		}
		if title.size != c.size || len(title.lines) != c.lines {
			t.Errorf("%s: the title is set in %.0f on %d lines, want %.0f on %d", c.why, title.size, len(title.lines), c.size, c.lines)
		}
		if end := title.Position().Y + title.Size().Height; c.height > roomFor(40, 1) && end > c.height {
			t.Errorf("%s: the title ends at %.0f, in %.0f", c.why, end, c.height)
		}
	}
}

func TestATextLosesALineBeforeItIsLeftOut(t *testing.T) {
	others := set(long+long, []float32{20}, 2)
	column := Fit(Part{Object: others, Yields: 1})
	line := lineHeight(20, others.style)
	for height, lines := range map[float32]int{2*line + 1: 2, 2*line - 1: 1, line - 1: 0} {
		column.Resize(fyne.NewSize(600, height))
		shown := 0
		if others.Visible() {
			shown = len(others.lines)
		}
		if shown != lines {
			t.Errorf("in %.0f it has %d lines, want %d", height, shown, lines)
		}
	}
}

// No view may force a window to be larger than it is.
func TestAColumnThatFitsAsksForNoHeight(t *testing.T) {
	if least := Fit(Part{Object: block(500)}).MinSize(); least.Height != 0 {
		t.Errorf("it asks for %.0f", least.Height)
	}
}
