package kit

import (
	"image/color"
	"strings"
	"testing"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"
)

// wide measures a text as if it were set with letters of different widths.
func wide(text string) float32 {
	width := float32(0)
	for _, letter := range text {
		switch {
		case strings.ContainsRune("il .,", letter):
			width += 4
		case strings.ContainsRune("mW…", letter):
			width += 13
		default:
			width += 8
		}
	}
	return width
}

var texts = rapid.StringOfN(rapid.RuneFrom([]rune("abilmW.,é漢\u0301    \n")), 0, 200, -1)

func TestFoldedLinesFitAndNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, width := texts.Draw(t, "text"), rapid.Float32Range(-20, 200).Draw(t, "width")
		lines := fold(text, width, wide)
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 1 && wide(line) > width {
				t.Errorf("%q is %.0f wide, in %.0f", line, wide(line), width)
			}
		}
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := letters(strings.Join(lines, " ")); got != letters(text) {
			t.Errorf("%q has become %q", text, lines)
		}
		if len(lines) < 1+strings.Count(text, "\n") {
			t.Errorf("the line ends of %q are lost: %q", text, lines)
		}
	})
}

// A word that fits into a line is in one line.
func TestWordsAreBrokenOnlyWhereTheyMustBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, width := texts.Draw(t, "text"), rapid.Float32Range(0, 200).Draw(t, "width")
		folded := fold(text, width, wide)
		for _, word := range strings.Fields(text) {
			whole := false
			for _, line := range folded {
				whole = whole || strings.Contains(" "+line+" ", " "+word+" ")
			}
			if wide(word) <= width && !whole {
				t.Errorf("%q of %q is broken in %q, although %.0f is wide enough", word, text, folded, width)
			}
		}
	})
}

func TestTheLongestBeginningThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("ilmW漢")), 1, 40, -1).Draw(t, "word")
		width := rapid.Float32Range(-20, 300).Draw(t, "width")
		letters := []rune(word)
		fits := longest(word, width, wide)
		if fits < 1 || fits > len(letters) {
			t.Fatalf("%d letters of %d", fits, len(letters))
		}
		if fits > 1 && wide(string(letters[:fits])) > width {
			t.Errorf("%d letters of %q are %.0f wide, in %.0f", fits, word, wide(string(letters[:fits])), width)
		}
		if fits < len(letters) && wide(string(letters[:fits+1])) <= width {
			t.Errorf("%d letters of %q would fit in %.0f, it says %d", fits+1, word, width, fits)
		}
	})
}

func TestWhatIsCutSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, width := texts.Draw(t, "line"), rapid.Float32Range(-20, 200).Draw(t, "width")
		short := cut(line, width, wide)
		kept, found := strings.CutSuffix(short, "…")
		if !found || !strings.HasPrefix(line, kept) {
			t.Errorf("%q is cut to %q", line, short)
		}
		if kept != "" && wide(short) > width {
			t.Errorf("%q is %.0f wide, in %.0f", short, wide(short), width)
		}
		if strings.HasSuffix(kept, " ") || strings.HasSuffix(kept, ",") || strings.HasSuffix(kept, ".") {
			t.Errorf("%q is cut to %q", line, short)
		}
	})
}

// lines are what a text draws when it has that width.
func lines(t *Text, width float32) []string {
	t.Resize(fyne.NewSize(width, t.heightFor(width)))
	var lines []string
	for _, object := range test.WidgetRenderer(t).Objects() {
		lines = append(lines, object.(*canvas.Text).Text)
	}
	return lines
}

func TestATextIsAsLargeAsItMayBe(t *testing.T) {
	title := NewText("Checkout is dropping orders", Style{Sizes: []float32{60, 40, 20}, Colour: color.White, Lines: 1})
	for width, want := range map[float32]float32{2000: 60, 600: 40, 300: 20, 100: 20} {
		got := lines(title, width)
		if title.size != want || len(got) != 1 {
			t.Errorf("in %.0f it is set in %.0f as %q, want %.0f", width, title.size, got, want)
		}
		if cut := width == 100; strings.HasSuffix(got[0], "…") != cut || measure(got[0], want, title.style).Width > width {
			t.Errorf("in %.0f it is cut to %q", width, got[0])
		}
	}
}

func TestTheEndOfATextIsNeverCutOff(t *testing.T) {
	next := NewText("Goes to Maximilian von und zu Oberammergau", Style{Sizes: []float32{30, 20}, Colour: color.White, Lines: 1, End: " in 4:18"})
	for _, width := range []float32{1000, 500, 300, 150, 90} {
		if got := lines(next, width); len(got) != 1 || !strings.HasSuffix(got[0], " in 4:18") || measure(got[0], next.size, next.style).Width > width {
			t.Errorf("in %.0f it reads %q", width, got)
		}
	}
	next.SetEnd("Goes to Dana", " in 4:17")
	if got := lines(next, 1000); len(got) != 1 || got[0] != "Goes to Dana in 4:17" {
		t.Errorf("told anew, it reads %q", got)
	}
}

func TestATextCanBeToldAnew(t *testing.T) {
	text := Words("one", 14, color.White)
	lines(text, 60)
	text.Set("one two three four five six seven")
	if got := lines(text, 60); strings.Join(got, " ") != "one two three four five six seven" || len(got) < 3 {
		t.Errorf("it reads %q", got)
	}
}

func TestALabelAsksForTheWidthItNeedsAndIsCutWhereThereIsLess(t *testing.T) {
	whole := Label("one two three", 14, color.White)
	needs := measure("one two three", 14, Style{}).Width
	if whole.MinSize().Width < needs {
		t.Errorf("it asks for %.0f, and needs %.0f", whole.MinSize().Width, needs)
	}
	for width, want := range map[float32]string{needs: "one two three", needs + 50: "one two three", needs - 10: "one two th…"} {
		if got := lines(whole, width); len(got) != 1 || got[0] != want {
			t.Errorf("in %.0f it reads %q, want %q", width, got, want)
		}
	}
}
