package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"nightstand/ui/look"
)

// judge lets presses count or not.
type judge struct {
	counts             bool
	presses, releasing int
}

func (j *judge) Press() bool { j.presses++; return j.counts }
func (j *judge) Release()    { j.releasing++ }

func click(b *Button) {
	b.MouseDown(nil)
	b.MouseUp(nil)
	b.Tapped(nil)
}

func TestAPressIsJudgedWhenItBegins(t *testing.T) {
	tapped := 0
	judge := &judge{}
	b := NewButton("Acknowledge", "Space", Loud(look.Alarm), judge, func() { tapped++ })
	click(b)
	if judge.counts = true; tapped != 0 {
		t.Error("a press that does not count was carried out")
	}
	b.MouseDown(nil)
	judge.counts = false
	b.MouseUp(nil)
	if b.Tapped(nil); tapped != 1 {
		t.Error("a press that counted when it began was not carried out")
	}
	if b.Tapped(nil); tapped != 1 {
		t.Error("one press was carried out twice")
	}
	if judge.presses != 2 || judge.releasing != 2 {
		t.Errorf("the window was told of %d presses and %d releases", judge.presses, judge.releasing)
	}
}

func TestAPressThatIsForgottenComesToNothing(t *testing.T) {
	tapped := 0
	b := NewButton("Acknowledge", "", Loud(look.Alarm), nil, func() { tapped++ })
	b.MouseDown(nil)
	b.Forget()
	b.MouseUp(nil)
	if b.Tapped(nil); tapped != 0 {
		t.Error("it was carried out")
	}
	if click(b); tapped != 1 {
		t.Error("the next one was not")
	}
}

func TestAButtonTakesNoKeyboard(t *testing.T) {
	var b fyne.CanvasObject = NewButton("Acknowledge", "Space", Plain(look.Night), nil, nil)
	if _, is := b.(fyne.Focusable); is {
		t.Error("a Space meant for something else would press it")
	}
}

func TestABackgroundTellsOfPressesThatHitNothing(t *testing.T) {
	judge := &judge{}
	ground := NewGround(color.Black, judge)
	ground.MouseDown(nil)
	ground.MouseUp(nil)
	if judge.presses != 1 || judge.releasing != 1 {
		t.Errorf("the window was told of %d presses and %d releases", judge.presses, judge.releasing)
	}
}

func TestAButtonIsHighEnoughAndItsLabelIsCutWhereItMustBe(t *testing.T) {
	b := NewButton("Open “Runbook: writes lost after a failover”", "O", Face{Ink: color.White, Size: 18}, nil, nil)
	if height := b.MinSize().Height; height < 36 {
		t.Errorf("it is %.0f high", height)
	}
	for _, width := range []float32{500, 200, 80, 20} {
		b.Resize(fyne.NewSize(width, 54))
		label := test.WidgetRenderer(b).(*buttonRenderer).label
		if right := label.Position().X + label.MinSize().Width; label.Position().X < 0 && width > 60 || right > width && width > 60 {
			t.Errorf("in %.0f it says %q from %.0f to %.0f", width, label.Text, label.Position().X, right)
		}
	}
}
