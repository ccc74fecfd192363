package window

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"nightstand/app/control"
	"nightstand/ui/alarm"
	"nightstand/ui/look"
)

// alarmFace is the alarm's window. While something rings it stays above all
// others; once it is answered it must not cover the dashboards that are opened
// next. A window cannot be told to come down again, so another takes its place.
type alarmFace struct {
	*process
	content *alarm.Window
	ringing bool
	above   bool // the present window stays above all others
	lock    string
	calling int // by the last state
}

func (p *process) alarmView(look.Palette) view {
	f := &alarmFace{process: p, above: true}
	canvas := p.window.Canvas()
	f.content = alarm.New(canvas, alarm.Actions{
		Acknowledge: f.acknowledge,
		Hush: func() {
			p.ask(func(ctx context.Context, c *control.Client) error { _, err := c.Hush(ctx); return err }, f.content.Tell)
		},
		Undo: func(id string) {
			p.ask(func(ctx context.Context, c *control.Client) error {
				outcome, err := c.Unacknowledge(ctx, id)
				if err == nil && !outcome.Done {
					fyne.Do(func() { f.content.Tell(outcome.Sentence) })
				}
				return err
			}, f.content.Tell)
		},
		Note: func(id, text string) { p.keepNote(id, text, f.content.Kept, f.read) },
		Read: f.read,
		Open: p.open, Close: func() { p.window.Close() },
	}, time.Now)
	f.listen(canvas)
	return f
}

// listen brings what is pressed in a window to its content.
func (f *alarmFace) listen(canvas fyne.Canvas) {
	if keys, is := canvas.(desktop.Canvas); is {
		keys.SetOnKeyDown(f.content.KeyDown)
		keys.SetOnKeyUp(f.content.KeyUp)
	}
	canvas.SetOnTypedKey(func(*fyne.KeyEvent) { f.content.Stir() })
	canvas.SetOnTypedRune(func(rune) { f.content.Stir() })
}

// place puts the content into a window that stays above all others, or into one
// that does not.
func (f *alarmFace) place(above bool) {
	if f.above == above {
		return
	}
	f.above = above
	before := f.window
	f.window = f.alarmWindow(above, before.Canvas().Size())
	f.listen(f.window.Canvas())
	f.content.Move(f.window.Canvas())
	f.window.Show()
	f.content.TakeKeyboard()
	before.Close()
}

// acknowledge answers the pages of one press. Of a storm that is larger than
// one state can tell, the agent knows which were on the screen.
func (f *alarmFace) acknowledge(ids []string) {
	whole := f.calling > control.MostPages
	f.ask(func(ctx context.Context, c *control.Client) error {
		if whole {
			_, err := c.AcknowledgeAll(ctx)
			return err
		}
		_, err := c.AcknowledgeThese(ctx, ids)
		return err // what became of each is in the state
	}, f.content.Tell)
}

func (f *alarmFace) read(id string) { f.process.read(id, f.content.Know) }

func (f *alarmFace) see(s control.State) {
	s, f.calling = f.alike(s), s.Alarm.Calling
	f.content.See(s)
	rings := f.content.Ringing()
	f.place(f.content.Above())
	if rings && !f.ringing || f.lock == "locked" && s.Desk.Lock != "locked" {
		f.raise()
	}
	f.ringing, f.lock = rings, s.Desk.Lock
}

func (f *alarmFace) miss(problem string) { f.content.Miss(problem) }
func (f *alarmFace) tick()               { f.content.Render() }
func (f *alarmFace) focus(has bool)      { f.content.Focus(has) }
