package kittest

import (
	"image/color"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"nightstand/ui/kit"
	"nightstand/ui/look"
)

var window = fyne.NewSize(300, 200)

func label(text string) fyne.CanvasObject { return kit.Label(text, 14, color.White) }

func button(label string, size fyne.Size) fyne.CanvasObject {
	b := kit.NewButton(label, "", kit.Plain(look.Night), nil, nil)
	b.Resize(size)
	return b
}

func at(x, y float32, object fyne.CanvasObject) fyne.CanvasObject {
	object.Move(fyne.NewPos(x, y))
	if object.Size().IsZero() {
		object.Resize(object.MinSize())
	}
	return object
}

func TestTheEyeFindsWhatIsWrong(t *testing.T) {
	wide := kit.Words("as wide as its letters", 14, color.White)
	wide.Resize(fyne.NewSize(200, 20))
	scrolled := container.NewVScroll(container.NewWithoutLayout(at(0, 0, label(strings.Repeat("wide ", 6)))))
	scrolled.Resize(fyne.NewSize(100, 50))
	for want, objects := range map[string][]fyne.CanvasObject{
		"":                              {at(10, 10, label("one")), at(10, 40, label("other")), at(10, 80, button("Keep", fyne.NewSize(80, 36)))},
		`"other" at`:                    {at(10, 10, label("one")), at(20, 15, label("other"))},
		"sticks out of the window":      {at(290, 10, label("one"))},
		"too low to be hit":             {at(10, 10, button("Keep", fyne.NewSize(80, 30)))},
		"sticks out of what it lies on": {at(10, 10, fixed(fyne.NewSize(60, 20), kit.Behind(kit.Box(color.White, nil, 4), canvas.NewText("a long word", color.White))))},
		"is cut off sideways":           {at(10, 10, scrolled)},
	} {
		faults := Faults(container.NewWithoutLayout(objects...), window)
		if want == "" && len(faults) > 0 || want != "" && (len(faults) != 1 || !strings.Contains(faults[0], want)) {
			t.Errorf("looking for %q, the eye finds %q", want, faults)
		}
	}
}

func fixed(size fyne.Size, object fyne.CanvasObject) fyne.CanvasObject {
	object.Resize(size)
	return object
}

func TestTheEyeReads(t *testing.T) {
	content := container.NewWithoutLayout(at(10, 10, label("one")), at(10, 40, button("Keep it", fyne.NewSize(80, 36))))
	if got := Words(content); got != "one\nKeep it" {
		t.Errorf("it reads %q", got)
	}
	if Button(content, "Keep") == nil || Button(content, "Lose") != nil {
		t.Error("it finds the wrong button")
	}
}
