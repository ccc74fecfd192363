package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Part is one object of a Fit.
type Part struct {
	Object fyne.CanvasObject
	// Above is the room above it, which goes when the object goes.
	Above float32
	// Yields says when it has to give way: those with 1 first, then those with
	// 2; with 0 it never does. A text takes its smaller sizes, then fewer lines,
	// before it is left out.
	Yields int
	// Stays is never left out; it loses lines only after everything else is gone.
	Stays bool
}

// Fit is a column that never gets higher than its place: what matters least
// gives way first.
func Fit(parts ...Part) *fyne.Container {
	layout := &fit{parts: parts}
	objects := make([]fyne.CanvasObject, 0, len(parts))
	for _, part := range parts {
		objects = append(objects, part.Object)
		layout.last = max(layout.last, part.Yields)
	}
	return container.New(layout, objects...)
}

type fit struct {
	parts []Part
	last  int
}

func (f *fit) heightFor(_ []fyne.CanvasObject, width float32) float32 {
	height := float32(0)
	for _, part := range f.parts {
		if part.Object.Visible() {
			height += part.Above + heightFor(part.Object, width)
		}
	}
	return height
}

func (f *fit) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, object := range objects {
		width = max(width, object.MinSize().Width)
	}
	return fyne.NewSize(width, 0)
}

func (f *fit) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, part := range f.parts {
		if !part.Object.Visible() {
			part.Object.Show()
		}
		if text, is := part.Object.(*Text); is {
			text.asMeant()
		}
	}
	tooHigh := func() bool { return f.heightFor(objects, size.Width) > size.Height }
	for turn := 1; turn <= f.last; turn++ {
		for _, part := range f.parts {
			if part.Yields == turn {
				part.giveWay(tooHigh)
			}
		}
	}
	for _, part := range f.parts {
		if text, is := part.Object.(*Text); is && part.Stays {
			for tooHigh() && text.smaller() {
			}
		}
	}
	y := float32(0)
	for _, part := range f.parts {
		if !part.Object.Visible() {
			continue
		}
		y += part.Above
		height := heightFor(part.Object, size.Width)
		part.Object.Move(fyne.NewPos(0, y))
		part.Object.Resize(fyne.NewSize(size.Width, height))
		y += height
	}
}

// giveWay makes the part smaller for as long as that is needed.
func (p Part) giveWay(tooHigh func() bool) {
	if text, is := p.Object.(*Text); is {
		for tooHigh() && !(p.Stays && text.smallest()) && text.smaller() {
		}
	}
	if !p.Stays && tooHigh() {
		p.Object.Hide()
	}
}
