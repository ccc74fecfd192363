package notify

import (
	"fmt"
	"strings"
	"unicode"
)

// sentence is all that may be shown of a note: its fixed sentence, stripped of
// everything that a script or a markup could trip over, and a number.
func sentence(note Note) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .,:;-", r) {
			return r
		}
		return -1
	}, note.Fixed)
	if note.Count > 1 {
		text = fmt.Sprintf("%s (%d)", text, note.Count)
	}
	return text
}
