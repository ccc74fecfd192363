package kit

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"
	"time"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
)

func TestUsualTextIsLeftAsItIs(t *testing.T) {
	for _, text := range []string{"", "Checkout is dropping orders", "Béla Kovács · “Ünïcödé” – 38 %…", "Оплата не проходит", "Η πληρωμή"} {
		if got := drawable(text); got != text {
			t.Errorf("%q has become %q", text, got)
		}
	}
}

// drawn is a letter as Fyne draws it, without the room around it.
func drawn(letter rune) *image.NRGBA {
	paper := software.NewTransparentCanvas()
	paper.SetPadded(false)
	text := canvas.NewText(string(letter), color.White)
	text.TextSize = 16
	paper.SetContent(text)
	paper.Resize(fyne.NewSize(48, 64))
	picture := paper.Capture()
	ink := image.Rectangle{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if _, _, _, alpha := picture.At(x, y).RGBA(); alpha > 0 {
				ink = ink.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	letterAlone := image.NewNRGBA(image.Rect(0, 0, ink.Dx(), ink.Dy()))
	draw.Draw(letterAlone, letterAlone.Bounds(), picture, ink.Min, draw.Src)
	return letterAlone
}

// A letter is taken for missing exactly when Fyne draws the sign for that;
// else people would lose letters that they can read.
func TestALetterIsMissingOnlyWhenFyneSaysSo(t *testing.T) {
	sign := drawn(missingSign)
	differ := []string{}
	for letter := rune(0x0530); letter < 0x30000; letter += 397 {
		if unicode.IsMark(letter) {
			continue // alone it is drawn on a dotted ring, whether it is missing or not
		}
		picture := drawn(letter)
		nothing := picture.Bounds().Empty()
		shown := nothing || picture.Bounds() != sign.Bounds() || !bytes.Equal(picture.Pix, sign.Pix)
		if shown && missing(letter) && !nothing {
			differ = append(differ, fmt.Sprintf("%U", letter))
		}
	}
	if len(differ) > 0 {
		t.Errorf("these letters can be drawn, and are taken for missing: %v", differ)
	}
}

// A title in a script that this machine cannot write must not hold the window
// up. It took 6 s and more.
func TestATitleThatCannotBeWrittenHoldsNothingUp(t *testing.T) {
	for _, letters := range []string{"結帳服務正在遺失訂單", "\ue123\U000f1234\U0010fffd", "ꙮ𐎀𒀀𓀀"} {
		began := time.Now()
		title := NewText(strings.Repeat(letters, 300/len([]rune(letters))), Style{Sizes: []float32{62, 52, 44, 36}, Colour: color.White, Bold: true, Lines: 2})
		title.heightFor(1064)
		took := time.Since(began)
		if t.Logf("300 letters like %q take %v", letters, took.Round(time.Millisecond)); took > 2*time.Second {
			t.Errorf("300 letters like %q take %v", letters, took)
		}
	}
}

func TestTheMarksThatAreNotLookedUpAreInFynesOwnFont(t *testing.T) {
	for _, mark := range ownMarks {
		if _, has := ownFonts()[0].Lookup(mark); !has {
			t.Errorf("%q is not in the font for text", mark)
		}
	}
}
