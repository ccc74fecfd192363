package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"nightstand/ui/look"
)

// Presses is told of every press and release of the pointer, and says whether
// a press counts. A window that must not be answered by accident has one; nil
// lets every press count.
type Presses interface {
	Press() (counts bool)
	Release()
}

// Face is how a button looks.
type Face struct {
	Fill, Ink, Hint, Stroke color.Color
	Size                    float32 // of the type
	Radius                  float32
	Height                  float32
	Bold                    bool
	// Cap draws the key beside the label as a key of a keyboard.
	Cap bool
}

// Plain is the quiet button of a palette, and Loud its one amber one.
func Plain(p look.Palette) Face {
	return Face{Fill: p.Raised, Ink: p.Text, Hint: p.Quiet, Size: look.SizeBody, Radius: 8, Height: 36}
}

// Loud is the one button of a view that is the next right step.
func Loud(p look.Palette) Face {
	return Face{Fill: p.Lamp, Ink: p.OnLamp, Hint: p.OnLamp, Size: look.SizeBody, Radius: 8, Height: 36, Bold: true}
}

// Button is a label that can be pressed. It never takes the keyboard: a Space
// that was meant for something else must not press it.
type Button struct {
	widget.BaseWidget
	face    Face
	label   string
	key     string // the key that does the same; drawn beside the label
	presses Presses
	tapped  func()

	counts, hovered bool
}

// NewButton makes a button; key is shown beside the label where it is not empty.
func NewButton(label, key string, face Face, presses Presses, tapped func()) *Button {
	b := &Button{label: drawable(label), key: key, face: face, presses: presses, tapped: tapped}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes what the button says and how it looks.
func (b *Button) Set(label, key string, face Face) {
	label = drawable(label)
	if b.label == label && b.key == key && b.face == face {
		return
	}
	b.label, b.key, b.face = label, key, face
	b.Refresh()
}

// MouseDown is when a press is judged: what happens between it and the release
// must not make it count.
func (b *Button) MouseDown(*desktop.MouseEvent) {
	b.counts = b.presses == nil || b.presses.Press()
}

// MouseUp ends the press.
func (b *Button) MouseUp(*desktop.MouseEvent) {
	if b.presses != nil {
		b.presses.Release()
	}
}

// Tapped does what the button is for, if its press counted.
func (b *Button) Tapped(*fyne.PointEvent) {
	if b.counts && b.tapped != nil {
		b.counts = false
		b.tapped()
	}
}

// Forget lets a press that has begun come to nothing.
func (b *Button) Forget() { b.counts = false }

// MouseIn, MouseMoved and MouseOut light it up under the pointer.
func (b *Button) MouseIn(*desktop.MouseEvent) { b.hovered = true; b.Refresh() }

// MouseMoved does nothing: inside is inside.
func (b *Button) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends the light.
func (b *Button) MouseOut() { b.hovered = false; b.Refresh() }

// Cursor is a hand.
func (b *Button) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MinSize is at least as high as a finger needs.
func (b *Button) MinSize() fyne.Size {
	width := measure(b.label, b.face.Size, Style{Bold: b.face.Bold}).Width + 2*b.face.Size
	switch {
	case b.key == "":
	case b.face.Cap: // a large key is as wide as its window
		width += measure(b.key, b.face.Size/2, Style{}).Width + b.face.Size
	default:
		width += measure(b.key, b.face.Size, Style{}).Width + b.face.Size/2
	}
	return fyne.NewSize(width, max(36, b.face.Height))
}

// CreateRenderer draws the ground, the label and the key.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	r := &buttonRenderer{
		button: b, ground: canvas.NewRectangle(b.face.Fill), glow: canvas.NewRectangle(color.Transparent),
		label: canvas.NewText(b.label, b.face.Ink), key: canvas.NewText(b.key, b.face.Hint), cap: canvas.NewRectangle(color.Transparent),
	}
	r.Refresh()
	return r
}

type buttonRenderer struct {
	button       *Button
	ground, glow *canvas.Rectangle
	cap          *canvas.Rectangle
	label, key   *canvas.Text
}

func (r *buttonRenderer) Destroy() {}

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.glow, r.cap, r.label, r.key}
}

func (r *buttonRenderer) MinSize() fyne.Size { return r.button.MinSize() }

func (r *buttonRenderer) Layout(size fyne.Size) {
	face := r.button.face
	r.ground.Resize(size)
	r.glow.Resize(size)
	style := Style{Bold: face.Bold}
	words := r.button.label
	r.label.Text = words
	width := func(s string) float32 { return measure(s, face.Size, style).Width }
	hint := measure(r.key.Text, r.key.TextSize, Style{})
	key := hint.Width
	switch {
	case key > 0 && face.Cap:
		key += face.Size + 2*capRoom
	case key > 0:
		key += face.Size / 2
	}
	if room := size.Width - face.Size - key; width(words) > room {
		r.label.Text = cut(words, room, width)
	}
	x := (size.Width - width(r.label.Text) - key) / 2
	r.label.Move(fyne.NewPos(x, (size.Height-lineHeight(face.Size, style))/2))
	x += width(r.label.Text) + key - hint.Width
	if face.Cap {
		x -= capRoom
	}
	y := (size.Height - hint.Height) / 2
	r.key.Move(fyne.NewPos(x, y))
	r.cap.Move(fyne.NewPos(x-capRoom, y-capRoom/2))
	r.cap.Resize(fyne.NewSize(hint.Width+2*capRoom, hint.Height+capRoom))
}

// capRoom is the room between a key's name and its edge.
const capRoom float32 = 18

func (r *buttonRenderer) Refresh() {
	b := r.button
	r.ground.FillColor, r.ground.CornerRadius, r.glow.CornerRadius = b.face.Fill, b.face.Radius, b.face.Radius
	r.ground.StrokeColor, r.ground.StrokeWidth = b.face.Stroke, 0
	if b.face.Stroke != nil {
		r.ground.StrokeWidth = 2
	}
	r.glow.FillColor = color.Transparent
	if b.hovered {
		r.glow.FillColor = color.NRGBA{R: 255, G: 255, B: 255, A: 18}
	}
	r.label.Text, r.label.Color, r.label.TextSize = b.label, b.face.Ink, b.face.Size
	r.label.TextStyle = fyne.TextStyle{Bold: b.face.Bold}
	r.key.Text, r.key.Color, r.key.TextSize = b.key, b.face.Hint, b.face.Size
	r.cap.StrokeColor, r.cap.StrokeWidth, r.cap.CornerRadius = b.face.Hint, 0, 9
	if b.face.Cap {
		r.key.TextSize = b.face.Size / 2
		if b.key != "" {
			r.cap.StrokeWidth = 2
		}
	}
	r.Layout(b.Size())
	for _, object := range r.Objects() {
		object.Refresh()
	}
}

// Ground is an empty field that tells of presses which hit nothing else.
type Ground struct {
	widget.BaseWidget
	colour  color.Color
	presses Presses
}

// NewGround fills a window's background.
func NewGround(colour color.Color, presses Presses) *Ground {
	g := &Ground{colour: colour, presses: presses}
	g.ExtendBaseWidget(g)
	return g
}

// MouseDown tells of a press.
func (g *Ground) MouseDown(*desktop.MouseEvent) {
	if g.presses != nil {
		g.presses.Press()
	}
}

// MouseUp tells of its end.
func (g *Ground) MouseUp(*desktop.MouseEvent) {
	if g.presses != nil {
		g.presses.Release()
	}
}

// CreateRenderer draws the colour.
func (g *Ground) CreateRenderer() fyne.WidgetRenderer {
	g.ExtendBaseWidget(g)
	return widget.NewSimpleRenderer(canvas.NewRectangle(g.colour))
}

// Pick is any object that can be clicked as a whole, such as a card of a list.
type Pick struct {
	widget.BaseWidget
	content fyne.CanvasObject
	tapped  func()
}

// NewPick makes an object clickable.
func NewPick(content fyne.CanvasObject, tapped func()) *Pick {
	p := &Pick{content: content, tapped: tapped}
	p.ExtendBaseWidget(p)
	return p
}

func (p *Pick) heightFor(width float32) float32 { return heightFor(p.content, width) }

// Tapped does what it is for.
func (p *Pick) Tapped(*fyne.PointEvent) { p.tapped() }

// Cursor is a hand.
func (p *Pick) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer draws the content.
func (p *Pick) CreateRenderer() fyne.WidgetRenderer {
	p.ExtendBaseWidget(p)
	return widget.NewSimpleRenderer(p.content)
}
