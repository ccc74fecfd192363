package kit

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"

	"nightstand/ui/look"
)

// missingSign is what is shown for a letter that no font has.
const missingSign = '\ufffd'

// drawable puts the sign for a missing letter in the place of each letter that
// no font here has. Fyne would draw the same sign, but for every such letter
// that it measures it keeps one font more to look through the next time: a long
// title in a script that this machine cannot write held the window up for many
// seconds.
func drawable(text string) string {
	return strings.Map(func(letter rune) rune {
		if missing(letter) {
			return missingSign
		}
		return letter
	}, text)
}

// ownMarks are in Fyne's own font, and in nearly every sentence of ours: for them
// alone no font has to be read.
const ownMarks = "–—‘’“”„•…"

// looked remembers which of the less usual letters are missing.
var looked = map[rune]bool{}

func missing(letter rune) bool {
	if letter < 0x0530 || strings.ContainsRune(ownMarks, letter) { // Fyne's own font has Latin, Greek and Cyrillic
		return false
	}
	gone, known := looked[letter]
	if !known {
		gone = !inAnyFont(letter)
		looked[letter] = gone
	}
	return gone
}

func inAnyFont(letter rune) bool {
	for _, own := range ownFonts() {
		if _, has := own.Lookup(letter); has {
			return true
		}
	}
	// This is the list that Fyne itself looks through; it is read only once.
	installed, err := fontscan.SystemFonts(silent{}, "")
	return err == nil && slices.ContainsFunc(installed, func(one fontscan.Footprint) bool { return one.Runes.Contains(letter) })
}

// ownFonts say which letters the fonts have that come with Fyne.
var ownFonts = sync.OnceValue(func() []font.Cmap {
	var own []font.Cmap
	for _, resource := range []fyne.Resource{theme.DefaultTextFont(), theme.DefaultSymbolFont(), theme.DefaultEmojiFont()} {
		if resource == nil {
			continue
		}
		if face, err := font.ParseTTF(bytes.NewReader(resource.Content())); err == nil {
			own = append(own, face.Cmap)
		}
	}
	return own
})

// ReadFonts reads what the first words would have to wait for; it may be called
// from any goroutine.
func ReadFonts() {
	for _, style := range []fyne.TextStyle{{}, {Bold: true}} {
		fyne.MeasureText("Nightstand", look.SizeBody, style)
	}
}

// silent keeps the search for fonts out of the log.
type silent struct{}

func (silent) Printf(string, ...any) {}
