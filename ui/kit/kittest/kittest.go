// Package kittest looks at a window from outside, as an eye does: what is drawn
// and where, and whether anything lies on anything else. It needs no screen.
package kittest

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"nightstand/ui/kit"
)

// Thing is something drawn that takes up room of its own: a text, a sign, a
// button with what is written on it, or a field to type in.
type Thing struct {
	// Kind is text, sign, button or field; "label" is what is written on a button.
	Kind string
	// Text is one line of it; that of a button is its label.
	Text   string
	Place  Place
	Object fyne.CanvasObject

	on   []Place // the cards and the button it lies on
	pane Place   // what can be seen of what it is scrolled with
}

func (t Thing) String() string { return fmt.Sprintf("the %s %.60q at %v", t.Kind, t.Text, t.Place) }

// Things are what is drawn of an object, in the order it is drawn in.
func Things(object fyne.CanvasObject) []Thing {
	eye := &eye{pane: Place{-1e6, -1e6, 1e6, 1e6}}
	eye.see(object, object.Position())
	return eye.things
}

// Words are all texts, a line each.
func Words(object fyne.CanvasObject) string {
	var lines []string
	for _, thing := range Things(object) {
		if thing.Kind == "text" || thing.Kind == "label" {
			lines = append(lines, thing.Text)
		}
	}
	return strings.Join(lines, "\n")
}

// Button finds the one whose label begins like that; nil where there is none.
func Button(object fyne.CanvasObject, label string) *kit.Button {
	for _, thing := range Things(object) {
		if button, is := thing.Object.(*kit.Button); is && strings.HasPrefix(thing.Text, label) {
			return button
		}
	}
	return nil
}

// Parts are all objects that an object is made of, itself included.
func Parts(object fyne.CanvasObject) []fyne.CanvasObject {
	parts := []fyne.CanvasObject{object}
	for _, one := range inside(object) {
		parts = append(parts, Parts(one)...)
	}
	return parts
}

func inside(object fyne.CanvasObject) []fyne.CanvasObject {
	switch object := object.(type) {
	case *fyne.Container:
		return object.Objects
	case fyne.Widget:
		return test.WidgetRenderer(object).Objects()
	}
	return nil
}

// eye goes through what an object is made of.
type eye struct {
	things []Thing
	on     []Place
	pane   Place
}

func (e *eye) add(kind, text string, place Place, object fyne.CanvasObject) {
	e.things = append(e.things, Thing{Kind: kind, Text: text, Place: place, Object: object, on: e.on, pane: e.pane})
}

func (e *eye) see(object fyne.CanvasObject, at fyne.Position) {
	if !object.Visible() {
		return
	}
	switch object := object.(type) {
	case *canvas.Text:
		if strings.TrimSpace(object.Text) != "" {
			e.add("text", object.Text, inked(object, at), object)
		}
	case *canvas.Image:
		e.add("sign", "", placeOf(object, at), object)
	case *widget.Entry:
		e.add("field", object.Text, placeOf(object, at), object)
	case *kit.Button:
		e.seeButton(object, at)
	case *container.Scroll:
		through := *e
		through.pane, through.on = e.pane.common(placeOf(object, at)), nil
		through.see(object.Content, at.Add(object.Content.Position()))
		e.things = through.things
	default:
		on := e.on
		if ground(object) {
			e.on = append(on[:len(on):len(on)], placeOf(object, at))
		}
		for _, one := range inside(object) {
			e.see(one, at.Add(one.Position()))
		}
		e.on = on
	}
}

// seeButton takes a button as one thing, and what is written on it as others.
func (e *eye) seeButton(button *kit.Button, at fyne.Position) {
	place, number := placeOf(button, at), len(e.things)
	e.add("button", "", place, button)
	on := e.on
	e.on = append(on[:len(on):len(on)], place)
	for _, one := range inside(button) {
		if text, is := one.(*canvas.Text); is && text.Text != "" {
			e.add("label", text.Text, inked(text, at.Add(text.Position())), button)
			if e.things[number].Text == "" {
				e.things[number].Text = text.Text
			}
		}
	}
	e.on = on
}

// ground says that an object begins with a rectangle that can be seen.
func ground(object fyne.CanvasObject) bool {
	parts := inside(object)
	if len(parts) < 2 {
		return false
	}
	box, is := parts[0].(*canvas.Rectangle)
	return is && (seen(box.FillColor) || box.StrokeWidth > 0) && box.Size() == object.Size()
}

func seen(ink color.Color) bool {
	if ink == nil {
		return false
	}
	_, _, _, alpha := ink.RGBA()
	return alpha > 0
}
