package window

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"nightstand/app/control"
	"nightstand/ui/kit"
	"nightstand/ui/look"
	"nightstand/ui/now"
	"nightstand/ui/pages"
)

// mainFace is the main window: a rail, and the view it chose.
type mainFace struct {
	*process
	palette look.Palette
	now     *now.View
	pages   *pages.View
	place   *fyne.Container // where the chosen view stands
	rail    *fyne.Container
	chosen  string

	state   control.State
	problem string
	since   time.Time
	asked   int
	met     bool
}

// rooms are the views of the main window, in the order of the rail.
var rooms = []struct{ name, label string }{{"now", "Now"}, {"pages", "Pages"}}

func (p *process) mainView(palette look.Palette) view {
	f := &mainFace{process: p, palette: palette, problem: "Looking for the agent."}
	f.now = now.New(palette, now.Actions{
		Hush: func() {
			p.ask(func(ctx context.Context, c *control.Client) error { _, err := c.Hush(ctx); return err }, nil)
		},
		Dismiss: func(id string) {
			p.ask(func(ctx context.Context, c *control.Client) error { return c.Dismiss(ctx, id) }, nil)
		},
		Pages: func(id string) { f.pages.Choose(id); f.choose("pages") },
	})
	read := func(id string) {
		p.read(id, func(d control.Detail) { f.pages.Know(d); f.draw() })
	}
	tell := func(sentence string) { f.pages.Tell(sentence); f.draw() }
	f.pages = pages.New(palette, pages.Actions{
		Acknowledge: func(ids []string) {
			p.ask(func(ctx context.Context, c *control.Client) error {
				outcomes, err := c.AcknowledgeThese(ctx, ids)
				for _, o := range outcomes {
					if !o.Done {
						fyne.Do(func() { tell(o.Sentence) })
					}
				}
				return err
			}, tell)
		},
		Undo: func(id string) {
			p.ask(func(ctx context.Context, c *control.Client) error {
				outcome, err := c.Unacknowledge(ctx, id)
				if err == nil {
					fyne.Do(func() { tell(outcome.Sentence) })
				}
				return err
			}, tell)
		},
		Note: func(id, text string) {
			p.keepNote(id, text, func(id, text, sentence string, done bool) { f.pages.Kept(id, text, sentence, done); f.draw() }, read)
		},
		Do: func(id string, asked control.Deed) {
			p.ask(func(ctx context.Context, c *control.Client) error {
				outcome, err := c.Do(ctx, id, asked)
				if err == nil {
					fyne.Do(func() { tell(outcome.Sentence) })
				}
				return err
			}, tell)
		},
		Read: read, Open: p.open,
	})
	f.place = container.New(kit.Stretch(), kit.Gap(0))
	f.rail = container.New(kit.Stretch(), kit.Gap(0))
	ground := canvas.NewRectangle(palette.Ground)
	side := canvas.NewRectangle(palette.Rail)
	p.window.SetContent(kit.Behind(ground, kit.Beside(84, 0, kit.Behind(side, f.rail), f.place)))
	p.window.Canvas().SetOnTypedKey(f.key)
	chosen := p.options.View
	f.choose(chosen)
	return f
}

// key lets the window be used without a pointer: digits choose a view, the
// arrows a page.
func (f *mainFace) key(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.Key1:
		f.choose("now")
	case fyne.Key2:
		f.choose("pages")
	case fyne.KeyUp:
		f.pages.Step(-1)
	case fyne.KeyDown:
		f.pages.Step(1)
	}
	f.draw()
}

func (f *mainFace) choose(name string) {
	if f.chosen == name {
		return
	}
	f.chosen = name
	view := f.now.Object()
	if name == "pages" {
		view = f.pages.Object()
	}
	f.place.Objects = []fyne.CanvasObject{view}
	f.place.Refresh()
	f.drawRail()
	f.draw()
}

func (f *mainFace) drawRail() {
	var signs []fyne.CanvasObject
	for _, room := range rooms {
		ink, ground := f.palette.Quiet, f.palette.Rail
		if room.name == f.chosen {
			ink, ground = f.palette.Lamp, f.palette.Card
		}
		sign := kit.Behind(kit.Box(ground, nil, 8), kit.Inset(8, 4, 8, 4, kit.Column(4,
			kit.Sign(look.Rail(room.name, ink), 20),
			kit.NewText(room.label, kit.Style{Sizes: []float32{look.SizeRail}, Colour: ink, Lines: 1, Align: fyne.TextAlignCenter}))))
		signs = append(signs, kit.NewPick(sign, func() { f.choose(room.name) }))
	}
	f.rail.Objects = []fyne.CanvasObject{kit.Inset(14, 8, 8, 8, kit.Column(6, signs...))}
	f.rail.Refresh()
}

func (f *mainFace) see(s control.State) {
	f.state, f.problem, f.since = f.alike(s), "", time.Time{}
	if f.met && s.Desk.Asked != f.asked {
		f.choose(s.Desk.Show)
		f.raise()
	}
	f.met, f.asked = true, s.Desk.Asked
	f.draw()
}

func (f *mainFace) miss(problem string) {
	if f.problem == "" {
		f.since = time.Now()
	}
	f.problem = problem
	f.draw()
}

func (f *mainFace) tick()      { f.draw() }
func (f *mainFace) focus(bool) {}

func (f *mainFace) draw() {
	if f.chosen == "pages" {
		f.pages.Render(f.state, f.problem, time.Now())
		return
	}
	f.now.Render(f.state, f.problem, f.since, time.Now())
}
