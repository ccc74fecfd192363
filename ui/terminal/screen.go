package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"nightstand/app/page"
)

// widest is how wide lines for people get, however wide the terminal is.
const widest = 100

// screen is what the answer is drawn on.
type screen struct {
	width   int
	colours bool
}

// newScreen looks at where the answer goes. Without a terminal it is drawn for
// 80 columns and without colours.
func newScreen(out io.Writer, environment func(string) string) screen {
	file, isFile := out.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return screen{width: 80}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width < 40 {
		width = 80
	}
	return screen{
		width: min(width, widest),
		// Of the consoles on Windows only the newer one takes colours unasked.
		colours: environment("NO_COLOR") == "" && environment("TERM") != "dumb" &&
			(runtime.GOOS != "windows" || environment("WT_SESSION") != ""),
	}
}

// colour is a terminal's code for one; plain is none. It only ever repeats
// what a mark and a word say as well.
type colour string

const (
	plain  colour = ""
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

func (s screen) paint(text string, with colour) string {
	if !s.colours || with == plain {
		return text
	}
	return "\x1b[" + string(with) + "m" + text + "\x1b[0m"
}

// row is one line of a table; its first cell carries the colour. The last
// cell may be longer than the line: it goes on under itself.
type row struct {
	cells  []string
	colour colour
}

// table draws rows in aligned columns, indented by two. Cells are made safe to
// draw.
func (s *session) table(rows []row) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(r.cells)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(page.Plain(cell, widest)))
			}
		}
	}
	for _, r := range rows {
		line, used := "  ", 2
		for i, cell := range r.cells {
			if i == len(r.cells)-1 {
				line += strings.Join(fold(cell, s.screen.width-used), "\n"+strings.Repeat(" ", used))
				break
			}
			cell = page.Plain(cell, widest)
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			if i == 0 {
				cell = s.screen.paint(cell, r.colour)
			}
			line += cell + padding
			used += widths[i] + 2
		}
		fmt.Fprintln(s.Out, strings.TrimRight(line, " "))
	}
}

// fold breaks a text into lines of at most width, between words where it can.
func fold(text string, width int) []string {
	width = max(width, 20)
	words := strings.Fields(page.Plain(text, page.MaxDetails))
	lines := []string{""}
	for _, word := range words {
		last := &lines[len(lines)-1]
		switch length := utf8.RuneCountInString(*last); {
		case length == 0:
			*last = word
		case length+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
		for {
			last = &lines[len(lines)-1]
			runes := []rune(*last)
			if len(runes) <= width {
				break
			}
			*last = string(runes[:width])
			lines = append(lines, string(runes[width:]))
		}
	}
	return lines
}

// say prints one sentence for a person as an answer.
func (s *session) say(text string) { writeFolded(s.Out, s.screen.width, text) }

// tell prints one sentence for a person beside the answer: on the way to it.
func (s *session) tell(text string) { writeFolded(s.Err, s.screen.width, text) }

// complain prints what went wrong.
func (s *session) complain(err error) { s.tell(sentence(err.Error())) }

// heading begins a part of a longer answer.
func (s *session) heading(text string) { fmt.Fprintf(s.Out, "\n%s\n", text) }

func writeFolded(out io.Writer, width int, text string) {
	fmt.Fprintln(out, strings.Join(fold(text, width), "\n"))
}

// print writes an answer for scripts.
func (s *session) print(value any) error {
	encoder := json.NewEncoder(s.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
