// Package kit owns the pieces that the windows are built of: text that wraps,
// rows and columns, cards, buttons. They report what was pressed and decide
// nothing.
package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// flowing is an object whose height follows from its width, as that of
// wrapping text does.
type flowing interface{ heightFor(width float32) float32 }

// arrangement is a layout of which the same is true.
type arrangement interface {
	fyne.Layout
	heightFor(objects []fyne.CanvasObject, width float32) float32
}

func heightFor(object fyne.CanvasObject, width float32) float32 {
	if !object.Visible() {
		return 0
	}
	switch object := object.(type) {
	case flowing:
		return object.heightFor(width)
	case *fyne.Container:
		if layout, is := object.Layout.(arrangement); is {
			return layout.heightFor(object.Objects, width)
		}
	}
	return object.MinSize().Height
}

func visible(objects []fyne.CanvasObject) []fyne.CanvasObject {
	var shown []fyne.CanvasObject
	for _, object := range objects {
		if object != nil && object.Visible() {
			shown = append(shown, object)
		}
	}
	return shown
}

// Column stacks objects over the whole width, gap apart.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&column{gap: gap}, objects...)
}

type column struct{ gap, width float32 }

func (c *column) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	height := float32(0)
	for number, object := range visible(objects) {
		if number > 0 {
			height += c.gap
		}
		height += heightFor(object, width)
	}
	return height
}

func (c *column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	c.width = size.Width
	y := float32(0)
	for _, object := range visible(objects) {
		height := heightFor(object, size.Width)
		object.Move(fyne.NewPos(0, y))
		object.Resize(fyne.NewSize(size.Width, height))
		y += height + c.gap
	}
}

func (c *column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, object := range visible(objects) {
		width = max(width, object.MinSize().Width)
	}
	return fyne.NewSize(width, c.heightFor(objects, max(c.width, width)))
}

// Row puts objects beside each other, gap apart and centred; the one at grow
// takes the width that is left (-1: none does).
func Row(gap float32, grow int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&row{gap: gap, grow: grow}, objects...)
}

// TopRow is a Row whose objects begin at the same height.
func TopRow(gap float32, grow int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&row{gap: gap, grow: grow, top: true}, objects...)
}

type row struct {
	gap   float32
	grow  int
	top   bool
	width float32
}

func (r *row) widths(objects []fyne.CanvasObject, width float32) []float32 {
	widths := make([]float32, len(objects))
	left := width
	shown := 0
	for number, object := range objects {
		if !object.Visible() {
			continue
		}
		shown++
		if number != r.grow {
			widths[number] = object.MinSize().Width
			left -= widths[number]
		}
	}
	if r.grow >= 0 && r.grow < len(objects) {
		widths[r.grow] = max(0, left-r.gap*float32(max(0, shown-1)))
	}
	return widths
}

func (r *row) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	height := float32(0)
	widths := r.widths(objects, width)
	for number, object := range objects {
		height = max(height, heightFor(object, widths[number]))
	}
	return height
}

func (r *row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	r.width = size.Width
	widths := r.widths(objects, size.Width)
	x := float32(0)
	for number, object := range objects {
		if !object.Visible() {
			continue
		}
		height := min(size.Height, heightFor(object, widths[number]))
		y := (size.Height - height) / 2
		if r.top {
			y = 0
		}
		object.Move(fyne.NewPos(x, y))
		object.Resize(fyne.NewSize(widths[number], height))
		x += widths[number] + r.gap
	}
}

func (r *row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for number, object := range visible(objects) {
		if number > 0 {
			width += r.gap
		}
		width += object.MinSize().Width
	}
	return fyne.NewSize(width, r.heightFor(objects, max(r.width, width)))
}

// Wrap puts objects beside each other and goes on in the next line where the
// width ends.
func Wrap(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&wrap{gap: gap}, objects...)
}

type wrap struct{ gap, width float32 }

func (w *wrap) place(objects []fyne.CanvasObject, width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	x, y, line := float32(0), float32(0), float32(0)
	for _, object := range visible(objects) {
		size := object.MinSize()
		size.Width = min(size.Width, width)
		if x > 0 && x+size.Width > width {
			x, y, line = 0, y+line+w.gap, 0
		}
		if put != nil {
			put(object, fyne.NewPos(x, y), size)
		}
		x += size.Width + w.gap
		line = max(line, size.Height)
	}
	return y + line
}

func (w *wrap) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return w.place(objects, width, nil)
}

func (w *wrap) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	w.width = size.Width
	w.place(objects, size.Width, func(object fyne.CanvasObject, at fyne.Position, size fyne.Size) {
		object.Move(at)
		object.Resize(size)
	})
}

func (w *wrap) MinSize(objects []fyne.CanvasObject) fyne.Size {
	widest := float32(0)
	for _, object := range visible(objects) {
		widest = max(widest, min(object.MinSize().Width, 200))
	}
	return fyne.NewSize(widest, w.heightFor(objects, max(w.width, widest)))
}

// Inset leaves room around one object.
func Inset(top, right, bottom, left float32, object fyne.CanvasObject) *fyne.Container {
	return container.New(&inset{top: top, right: right, bottom: bottom, left: left}, object)
}

type inset struct{ top, right, bottom, left float32 }

func (i *inset) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return heightFor(objects[0], width-i.left-i.right) + i.top + i.bottom
}

func (i *inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(i.left, i.top))
	objects[0].Resize(fyne.NewSize(size.Width-i.left-i.right, size.Height-i.top-i.bottom))
}

func (i *inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Add(fyne.NewSize(i.left+i.right, i.top+i.bottom))
}

// Behind puts a ground behind an object; the ground is as large as the object.
func Behind(ground, object fyne.CanvasObject) *fyne.Container {
	return container.New(&behind{}, ground, object)
}

type behind struct{}

func (*behind) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return heightFor(objects[1], width)
}

func (*behind) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, object := range objects {
		object.Move(fyne.NewPos(0, 0))
		object.Resize(size)
	}
}

func (*behind) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[1].MinSize() }

// Fixed gives an object a size of its own, whatever it would need.
func Fixed(width, height float32, object fyne.CanvasObject) *fyne.Container {
	return container.New(&fixed{fyne.NewSize(width, height)}, object)
}

type fixed struct{ size fyne.Size }

func (f *fixed) heightFor([]fyne.CanvasObject, float32) float32 { return f.size.Height }
func (f *fixed) MinSize([]fyne.CanvasObject) fyne.Size          { return f.size }
func (f *fixed) Layout(objects []fyne.CanvasObject, _ fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(f.size)
}

// WidthOf is a column of a table: as wide as said, as high as its content.
func WidthOf(width float32, object fyne.CanvasObject) *fyne.Container {
	return container.New(&widthOf{width}, object)
}

type widthOf struct{ width float32 }

func (w *widthOf) heightFor(objects []fyne.CanvasObject, _ float32) float32 {
	return heightFor(objects[0], w.width)
}
func (w *widthOf) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(w.width, heightFor(objects[0], w.width))
}
func (w *widthOf) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(fyne.NewSize(w.width, size.Height))
}

// Under puts one object above, as high as it needs, and gives the other what is
// left below it.
func Under(top fyne.CanvasObject, gap float32, rest fyne.CanvasObject) *fyne.Container {
	return container.New(&under{gap: gap}, top, rest)
}

type under struct{ gap, width float32 }

func (u *under) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := max(objects[0].MinSize().Width, objects[1].MinSize().Width)
	return fyne.NewSize(width, heightFor(objects[0], max(u.width, width))+u.gap)
}

func (u *under) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	u.width = size.Width
	high := heightFor(objects[0], size.Width)
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(fyne.NewSize(size.Width, high))
	objects[1].Move(fyne.NewPos(0, high+u.gap))
	objects[1].Resize(fyne.NewSize(size.Width, max(0, size.Height-high-u.gap)))
}

// Equal puts objects beside each other, all of the same width and height.
func Equal(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&equal{gap}, objects...)
}

type equal struct{ gap float32 }

func (e *equal) each(objects []fyne.CanvasObject, width float32) float32 {
	return (width - e.gap*float32(len(objects)-1)) / float32(max(1, len(objects)))
}

func (e *equal) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	height := float32(0)
	for _, object := range objects {
		height = max(height, heightFor(object, e.each(objects, width)))
	}
	return height
}

func (e *equal) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(0, 0)
	for _, object := range objects {
		size = size.Max(object.MinSize())
	}
	return fyne.NewSize(min(size.Width, 160)*float32(len(objects))+e.gap*float32(max(0, len(objects)-1)), size.Height)
}

func (e *equal) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := e.each(objects, size.Width)
	for number, object := range objects {
		object.Move(fyne.NewPos(float32(number)*(width+e.gap), 0))
		object.Resize(fyne.NewSize(width, size.Height))
	}
}

// Beside puts a column of that width to the left and gives the other object the
// rest; both are as high as their place. On a narrow place the left one gives way.
func Beside(width, gap float32, left, right fyne.CanvasObject) *fyne.Container {
	return container.New(&beside{width, gap}, left, right)
}

type beside struct{ width, gap float32 }

func (b *beside) MinSize(objects []fyne.CanvasObject) fyne.Size {
	left, right := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(left.Width+b.gap+right.Width, max(left.Height, right.Height))
}

func (b *beside) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(b.width, size.Width*0.42)
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(fyne.NewSize(width, size.Height))
	objects[1].Move(fyne.NewPos(width+b.gap, 0))
	objects[1].Resize(fyne.NewSize(size.Width-width-b.gap, size.Height))
}

// Stretch makes every object as large as its place.
func Stretch() fyne.Layout { return stretch{} }

type stretch struct{}

func (stretch) MinSize(objects []fyne.CanvasObject) fyne.Size {
	least := fyne.NewSize(0, 0)
	for _, object := range visible(objects) {
		least = least.Max(object.MinSize())
	}
	return least
}

func (stretch) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, object := range objects {
		object.Move(fyne.NewPos(0, 0))
		object.Resize(size)
	}
}

// Ends puts one object at the bottom and gives the other what is left above.
func Ends(top, bottom fyne.CanvasObject) *fyne.Container {
	return container.New(&ends{}, top, bottom)
}

type ends struct{ width float32 }

func (e *ends) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := max(objects[0].MinSize().Width, objects[1].MinSize().Width)
	return fyne.NewSize(width, heightFor(objects[1], max(e.width, width)))
}

func (e *ends) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	e.width = size.Width
	low := heightFor(objects[1], size.Width)
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(fyne.NewSize(size.Width, max(0, size.Height-low)))
	objects[1].Move(fyne.NewPos(0, size.Height-low))
	objects[1].Resize(fyne.NewSize(size.Width, low))
}

// Gap is empty room of that height.
func Gap(height float32) fyne.CanvasObject {
	room := canvas.NewRectangle(color.Transparent)
	room.SetMinSize(fyne.NewSize(0, height))
	return room
}

// Line is a thin line between two rows.
func Line(ink color.Color) fyne.CanvasObject {
	line := canvas.NewRectangle(ink)
	line.SetMinSize(fyne.NewSize(0, 1))
	return line
}

// Sign is a drawn shape of that size.
func Sign(resource fyne.Resource, size float32) fyne.CanvasObject {
	image := canvas.NewImageFromResource(resource)
	image.FillMode = canvas.ImageFillContain
	image.SetMinSize(fyne.NewSize(size, size))
	return image
}

// Box is a rounded ground with a line around it; a nil stroke draws none.
func Box(fill, stroke color.Color, radius float32) *canvas.Rectangle {
	box := canvas.NewRectangle(fill)
	box.CornerRadius = radius
	if stroke != nil {
		box.StrokeColor, box.StrokeWidth = stroke, 1
	}
	return box
}
