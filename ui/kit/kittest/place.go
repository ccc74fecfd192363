package kittest

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Place is a rectangle of a window.
type Place struct{ Left, Top, Right, Bottom float32 }

// Height is from top to bottom.
func (p Place) Height() float32 { return p.Bottom - p.Top }

// Middle is where somebody would click.
func (p Place) Middle() fyne.Position {
	return fyne.NewPos((p.Left+p.Right)/2, (p.Top+p.Bottom)/2)
}

func (p Place) String() string {
	return fmt.Sprintf("%.0f,%.0f to %.0f,%.0f", p.Left, p.Top, p.Right, p.Bottom)
}

func placeOf(object fyne.CanvasObject, at fyne.Position) Place {
	return Place{at.X, at.Y, at.X + object.Size().Width, at.Y + object.Size().Height}
}

// inked is where a text is really drawn: whatever size it was given, it is as
// wide as its letters.
func inked(text *canvas.Text, at fyne.Position) Place {
	needs, has := text.MinSize(), text.Size()
	switch text.Alignment {
	case fyne.TextAlignTrailing:
		at.X += has.Width - needs.Width
	case fyne.TextAlignCenter:
		at.X += (has.Width - needs.Width) / 2
	}
	at.Y += max(0, has.Height-needs.Height) / 2
	return Place{at.X, at.Y, at.X + needs.Width, at.Y + needs.Height}
}

// slack is what rounding may cost without anybody seeing it.
const slack = 1

func (p Place) within(other Place) bool {
	return p.Left >= other.Left-slack && p.Top >= other.Top-slack && p.Right <= other.Right+slack && p.Bottom <= other.Bottom+slack
}

func (p Place) common(other Place) Place {
	return Place{max(p.Left, other.Left), max(p.Top, other.Top), min(p.Right, other.Right), min(p.Bottom, other.Bottom)}
}

func (p Place) empty() bool { return p.Right-p.Left <= slack || p.Bottom-p.Top <= slack }

// Holds says whether a point lies in it.
func (p Place) Holds(at fyne.Position) bool {
	return at.X >= p.Left && at.X < p.Right && at.Y >= p.Top && at.Y < p.Bottom
}
