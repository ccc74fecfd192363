package kit

import (
	"image/color"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Style is how a text is set.
type Style struct {
	// Sizes are tried from the first on until the text fits into Lines; the
	// last is taken in any case, and then what is too much is cut off with "…".
	Sizes  []float32
	Colour color.Color
	Bold   bool
	// Lines is how many there may be; 0 means as many as it takes.
	Lines int
	// End is what stays behind a text that is cut, such as how long something
	// lasts; it is for texts of one line.
	End string
	// Whole text stays in one line and asks for the width it needs; it is cut
	// only where there is less.
	Whole bool
	Align fyne.TextAlign
}

// Text is words that wrap at the width they are given.
type Text struct {
	widget.BaseWidget
	style Style
	text  string
	gave  int // how far it has given way, see smaller

	wrapping
	// wrapped are the last wrappings by width: while a window is laid out, a few
	// widths are asked for again and again.
	wrapped map[float32]wrapping
}

// wrapping is a text set in lines.
type wrapping struct {
	lines []string
	size  float32
}

// NewText sets words in a style.
func NewText(text string, style Style) *Text {
	style.End = drawable(style.End)
	t := &Text{text: drawable(text), style: style}
	t.ExtendBaseWidget(t)
	return t
}

// Words is a text of one size.
func Words(text string, size float32, colour color.Color) *Text {
	return NewText(text, Style{Sizes: []float32{size}, Colour: colour})
}

// Bold is Words in semi-bold.
func Bold(text string, size float32, colour color.Color) *Text {
	return NewText(text, Style{Sizes: []float32{size}, Colour: colour, Bold: true})
}

// Label is Words that stay in one line, whole.
func Label(text string, size float32, colour color.Color) *Text {
	return NewText(text, Style{Sizes: []float32{size}, Colour: colour, Whole: true})
}

// BoldLabel is Label in semi-bold.
func BoldLabel(text string, size float32, colour color.Color) *Text {
	return NewText(text, Style{Sizes: []float32{size}, Colour: colour, Whole: true, Bold: true})
}

// Set changes the words.
func (t *Text) Set(text string) {
	if text = drawable(text); text != t.text {
		t.text, t.wrapped = text, nil
		t.Refresh()
	}
}

// SetEnd changes the words, and those that stay when the others are cut.
func (t *Text) SetEnd(text, end string) {
	text, end = drawable(text), drawable(end)
	if text != t.text || end != t.style.End {
		t.text, t.style.End, t.wrapped = text, end, nil
		t.Refresh()
	}
}

// SetColour changes the colour.
func (t *Text) SetColour(colour color.Color) {
	if colour != t.style.Colour {
		t.style.Colour = colour
		t.Refresh()
	}
}

func (t *Text) heightFor(width float32) float32 {
	t.wrapAt(width)
	return lineHeight(t.size, t.style) * float32(len(t.lines))
}

func (t *Text) wrapAt(width float32) {
	known := false
	if t.wrapping, known = t.wrapped[width]; known {
		return
	}
	t.wrap(width)
	if len(t.wrapped) >= 8 || t.wrapped == nil {
		t.wrapped = map[float32]wrapping{}
	}
	t.wrapped[width] = t.wrapping
}

func (t *Text) wrap(width float32) {
	sizes, most := t.allowed()
	t.size = sizes[0]
	switch {
	case width < t.size: // no room yet
		t.lines = []string{t.text}
		return
	case t.style.Whole:
		t.lines = []string{t.text}
		if t.measured(t.text) > width+1 {
			t.lines[0] = cut(t.text, width, t.measured)
		}
		return
	}
	for _, size := range sizes {
		t.size = size
		t.lines = fold(t.text+t.style.End, width, t.measured)
		if most == 0 || len(t.lines) <= most {
			return
		}
	}
	if t.style.End != "" {
		t.lines = []string{cut(t.text, width-t.measured(t.style.End), t.measured) + t.style.End}
		return
	}
	t.lines = t.lines[:most]
	t.lines[most-1] = cut(t.lines[most-1], width, t.measured)
}

func (t *Text) measured(text string) float32 { return measure(text, t.size, t.style).Width }

// allowed are the sizes and the lines that are left after it has given way: of
// each of the sizes but the last one, then of each of the lines but one.
func (t *Text) allowed() (sizes []float32, lines int) {
	last := len(t.style.Sizes) - 1
	return t.style.Sizes[min(t.gave, last):], t.style.Lines - max(0, t.gave-last)
}

// smaller gives way by one step more, and says whether there was one left.
func (t *Text) smaller() bool {
	if t.style.Lines == 0 || t.gave >= len(t.style.Sizes)-1+t.style.Lines-1 {
		return false
	}
	t.gave, t.wrapped = t.gave+1, nil
	return true
}

// smallest says that only lines are left to give.
func (t *Text) smallest() bool { return t.gave >= len(t.style.Sizes)-1 }

// asMeant takes back that it has given way.
func (t *Text) asMeant() {
	if t.gave > 0 {
		t.gave, t.wrapped = 0, nil
	}
}

func measure(text string, size float32, style Style) fyne.Size {
	return fyne.MeasureText(text, size, fyne.TextStyle{Bold: style.Bold})
}

func lineHeight(size float32, style Style) float32 { return measure("Ág", size, style).Height }

// fold breaks a text into lines of at most width, between words where it can.
func fold(text string, width float32, measured func(string) float32) []string {
	lines := []string{}
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			longer := strings.TrimPrefix(line+" "+word, " ")
			if measured(longer) <= width {
				line = longer
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			line = word
			for utf8.RuneCountInString(line) > 1 && measured(line) > width {
				fits := longest(line, width, measured)
				lines = append(lines, string([]rune(line)[:fits]))
				line = string([]rune(line)[fits:])
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// longest is how many letters of a word fit, at least one.
func longest(word string, width float32, measured func(string) float32) int {
	letters := []rune(word)
	low, high := 1, len(letters)
	for low < high {
		middle := (low + high + 1) / 2
		if measured(string(letters[:middle])) <= width {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// cut shortens a line until "…" fits behind it.
func cut(line string, width float32, measured func(string) float32) string {
	letters := []rune(line)
	for len(letters) > 0 && measured(strings.TrimRight(string(letters), " .,")+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return strings.TrimRight(string(letters), " .,") + "…"
}

// MinSize is all of it where it is whole; else hardly any width, and the
// height at the present one.
func (t *Text) MinSize() fyne.Size {
	if t.style.Whole {
		return measure(t.text, t.style.Sizes[0], t.style)
	}
	size := t.style.Sizes[len(t.style.Sizes)-1]
	if t.Size().Width > 0 {
		return fyne.NewSize(size, t.heightFor(t.Size().Width))
	}
	return fyne.NewSize(size, lineHeight(size, t.style))
}

// CreateRenderer draws one canvas text a line.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &textRenderer{text: t}
}

type textRenderer struct {
	text  *Text
	lines []fyne.CanvasObject
}

func (r *textRenderer) Destroy()           {}
func (r *textRenderer) MinSize() fyne.Size { return r.text.MinSize() }

func (r *textRenderer) Layout(size fyne.Size) {
	r.draw(size.Width)
}

func (r *textRenderer) draw(width float32) {
	t := r.text
	t.wrapAt(width)
	for len(r.lines) < len(t.lines) {
		r.lines = append(r.lines, canvas.NewText("", t.style.Colour))
	}
	r.lines = r.lines[:len(t.lines)]
	height := lineHeight(t.size, t.style)
	for number, words := range t.lines {
		line := r.lines[number].(*canvas.Text)
		line.Text, line.Color, line.TextSize = words, t.style.Colour, t.size
		line.TextStyle = fyne.TextStyle{Bold: t.style.Bold}
		line.Alignment = t.style.Align
		line.Move(fyne.NewPos(0, float32(number)*height))
		line.Resize(fyne.NewSize(width, height))
		line.Refresh()
	}
}

func (r *textRenderer) Objects() []fyne.CanvasObject { return r.lines }

func (r *textRenderer) Refresh() { r.draw(r.text.Size().Width) }
