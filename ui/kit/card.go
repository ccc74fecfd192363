package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"nightstand/ui/look"
)

// Card is a rounded field with room around its content.
func Card(p look.Palette, content fyne.CanvasObject) fyne.CanvasObject {
	return EdgedCard(p, p.Line, content)
}

// EdgedCard is a Card with an edge of that colour.
func EdgedCard(p look.Palette, edge color.Color, content fyne.CanvasObject) fyne.CanvasObject {
	return Behind(Box(p.Card, edge, 12), Inset(18, 20, 18, 20, content))
}

// Fill is a Card as large as its place, whatever it holds.
func Fill(p look.Palette, content fyne.CanvasObject) fyne.CanvasObject {
	return Behind(Box(p.Card, p.Line, 12), Inset(14, 16, 14, 18, content))
}

// Heading is the quiet title of a card.
func Heading(p look.Palette, text string) fyne.CanvasObject {
	return Bold(text, look.SizeHeading, p.Quiet)
}

// Tag is a small field with a word or two.
func Tag(p look.Palette, text string) fyne.CanvasObject {
	return Behind(Box(p.Raised, nil, 6), Inset(3, 8, 3, 8, Label(text, look.SizeTag, p.Text)))
}

// Bar shows how much of something has passed.
type Bar struct {
	// Object is what is put into a window.
	Object *fyne.Container
	layout *bar
}

// NewBar is a bar of that height with so much of it passed, 0 to 1.
func NewBar(ink, ground color.Color, height, passed float32) *Bar {
	under, over := canvas.NewRectangle(ground), canvas.NewRectangle(ink)
	under.CornerRadius, over.CornerRadius = height/2, height/2
	layout := &bar{height: height, passed: passed}
	return &Bar{Object: container.New(layout, under, over), layout: layout}
}

// Set moves its end.
func (b *Bar) Set(passed float32) {
	if passed != b.layout.passed {
		b.layout.passed = passed
		b.layout.Layout(b.Object.Objects, b.Object.Size())
		b.Object.Objects[1].Refresh()
	}
}

type bar struct{ height, passed float32 }

func (b *bar) heightFor([]fyne.CanvasObject, float32) float32 { return b.height }
func (b *bar) MinSize([]fyne.CanvasObject) fyne.Size          { return fyne.NewSize(40, b.height) }
func (b *bar) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(size.Width, b.height))
	objects[1].Resize(fyne.NewSize(size.Width*max(0, min(1, b.passed)), b.height))
}

// Pane lets a column be longer than its place. Its content can be drawn anew
// without losing how far it was scrolled.
type Pane struct {
	// Object is what is put into a window.
	Object *fyne.Container
	holder *fyne.Container
	scroll *container.Scroll
}

// NewPane is an empty pane.
func NewPane() *Pane {
	inside := &whole{}
	holder := container.New(inside, canvas.NewRectangle(color.Transparent))
	scroll := container.NewVScroll(holder)
	return &Pane{Object: container.New(&scrolling{inside}, scroll), holder: holder, scroll: scroll}
}

// Show draws this content from now on.
func (p *Pane) Show(content fyne.CanvasObject) {
	p.holder.Objects = []fyne.CanvasObject{content}
	p.holder.Refresh()
	p.scroll.Refresh()
}

// ToEnd scrolls to the last line.
func (p *Pane) ToEnd() { p.scroll.ScrollToBottom() }

// ToTop scrolls to the first line.
func (p *Pane) ToTop() { p.scroll.ScrollToTop() }

// scrolling tells the content its width before it is asked for its height.
type scrolling struct{ inside *whole }

func (*scrolling) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(120, 80) }
func (s *scrolling) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	s.inside.width = size.Width
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(size)
	objects[0].Refresh()
}

// whole makes the content as high as it needs at the width it is given.
type whole struct{ width float32 }

func (w *whole) MinSize(objects []fyne.CanvasObject) fyne.Size {
	least := objects[0].MinSize()
	return fyne.NewSize(min(least.Width, 120), heightFor(objects[0], max(w.width, 120)))
}

func (w *whole) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(size)
}
