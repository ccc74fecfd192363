package kittest

import (
	"fmt"

	"fyne.io/fyne/v2"
)

// lowest is how high a button has to be to be hit by tired hands.
const lowest = 36

// Faults are what an eye would stumble over in a window of that size: things
// that lie on each other, stick out of the window or of what they lie on, are
// cut off sideways, or are too low to be hit.
func Faults(object fyne.CanvasObject, window fyne.Size) []string {
	var faults []string
	fault := func(format string, of ...any) { faults = append(faults, fmt.Sprintf(format, of...)) }
	if least := object.MinSize(); least.Width > window.Width || least.Height > window.Height {
		fault("it asks for %.0f by %.0f, more than the window of %.0f by %.0f has", least.Width, least.Height, window.Width, window.Height)
	}
	things := Things(object)
	for number, one := range things {
		if shown := one.shown(); !shown.empty() && !shown.within(Place{0, 0, window.Width, window.Height}) {
			fault("%v sticks out of the window", one)
		}
		for _, ground := range one.on {
			if !one.Place.within(ground) {
				fault("%v sticks out of what it lies on, %v", one, ground)
			}
		}
		if one.Place.Left < one.pane.Left-slack || one.Place.Right > one.pane.Right+slack {
			fault("%v is cut off sideways", one)
		}
		if one.Kind == "button" && one.Place.Height() < lowest-slack/2.0 {
			fault("%v is too low to be hit", one)
		}
		for _, other := range things[number+1:] {
			written := one.Kind == "button" && one.Object == other.Object
			if !written && !one.shown().common(other.shown()).empty() {
				fault("%v lies on %v", other, one)
			}
		}
	}
	return faults
}

// shown is what can be seen of a thing that may be scrolled.
func (t Thing) shown() Place { return t.Place.common(t.pane) }
