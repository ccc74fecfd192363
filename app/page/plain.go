package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest texts from outside that are kept. What is cut ends in "…".
const (
	MaxTitle   = 300
	MaxDetails = 8000
)

// Plain makes a text from outside safe to show on one line of a terminal, a
// notification, a log or a window: control and escape characters, marks that
// turn the writing direction round and invisible characters are dropped, white
// space is folded, and what is longer than limit runes is cut. It escapes
// nothing; markup stays visible text and is escaped where it is drawn.
func Plain(text string, limit int) string {
	return clean(text, limit, false)
}

// PlainLines is Plain for texts of several lines: line ends are kept.
func PlainLines(text string, limit int) string {
	return clean(text, limit, true)
}

func clean(text string, limit int, lines bool) string {
	var out strings.Builder
	space, kept := false, 0
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		if r == '\x1b' {
			i += escapeLength(text[i:])
			continue
		}
		i += width
		switch {
		case lines && r == '\n':
			out.WriteByte('\n')
			space = false
			kept++
			continue
		case unicode.IsSpace(r):
			space = kept > 0
			continue
		case r == utf8.RuneError && width == 1, !unicode.IsGraphic(r), invisible(r):
			continue
		}
		if kept >= limit {
			return strings.TrimRight(out.String(), " \n") + "…"
		}
		if space {
			out.WriteByte(' ')
			space = false
			if kept++; kept >= limit {
				return strings.TrimRight(out.String(), " \n") + "…"
			}
		}
		out.WriteRune(r)
		kept++
	}
	return strings.TrimRight(out.String(), " \n")
}

// invisible are graphic characters that show nothing and only mislead.
func invisible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u034f', '\u17b4', '\u17b5', '\u2800':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// escapeLength is how many bytes a terminal would swallow at the start of s,
// which begins with ESC: a whole CSI or OSC sequence, else ESC alone.
func escapeLength(s string) int {
	if len(s) < 2 {
		return 1
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < 0x20 || s[i] > 0x3f {
				return i
			}
		}
		return len(s)
	case ']', 'P', '_', '^', 'X':
		for i := 2; i < len(s); i++ {
			if s[i] == '\a' {
				return i + 1
			}
			if s[i] == '\x1b' && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
		}
		// No end in sight: drop only the introducer, so that hostile text
		// cannot make the rest of a title disappear.
		return 2
	}
	return 1
}
