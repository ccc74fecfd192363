// Package now owns the first view of the main window: would I hear a page
// right now, and why?
package now

import (
	"cmp"
	"image/color"
	"reflect"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit"
	"nightstand/ui/look"
	"nightstand/ui/words"
)

// Actions are what the view can ask for. None of them may wait.
type Actions struct {
	Hush    func()
	Dismiss func(noticeID string)
	// Pages shows one page, or with an empty id all.
	Pages func(id string)
}

// View is the view. All of its methods belong to Fyne's goroutine.
type View struct {
	palette look.Palette
	actions Actions
	pane    *kit.Pane
	drawn   picture
	width   float32
	ticking []ticking
}

// ticking is a text that changes merely because time passes; it is said anew
// without building anything.
type ticking struct {
	text *kit.Text
	say  func(picture) string
}

// tick is a text that ticks.
func (v *View) tick(p picture, size float32, ink color.Color, say func(picture) string) *kit.Text {
	text := kit.Words(say(p), size, ink)
	v.ticking = append(v.ticking, ticking{text, say})
	return text
}

// standing is what is shown without what passing time alone changes.
func (p picture) standing() picture {
	p.checked, p.second = "", ""
	p.accounts = slices.Clone(p.accounts)
	for i := range p.accounts {
		p.accounts[i].more = ""
	}
	return p
}

// New prepares the view; Render fills it.
func New(palette look.Palette, actions Actions) *View {
	return &View{palette: palette, actions: actions, pane: kit.NewPane()}
}

// Object is what is put into the window.
func (v *View) Object() fyne.CanvasObject { return v.pane.Object }

// picture is everything the view shows, in words.
type picture struct {
	light    string // the agent's state
	title    string
	sentence string
	second   string
	quiet    string // label of the button that quiets the blind alarm; may be empty
	reasons  []reason
	shift    string
	open     string
	checked  string
	pages    []line
	accounts []line
	notices  []line
}

type reason struct {
	state, name, detail string
	required            bool
}

type line struct{ id, sign, text, more string }

// describe puts a state into words.
func describe(s control.State, problem string, since, now time.Time) picture {
	if problem != "" {
		const unknown = "Not known while the agent does not answer."
		p := picture{light: "blind", title: "The agent does not answer", sentence: words.Sentence(problem), shift: unknown, open: unknown}
		if !s.Agent.StartedAt.IsZero() { // it answered before, and a roster does not change by itself
			p.shift = words.Shift(s.Shift, now)
		}
		if !since.IsZero() {
			p.second = "For " + words.Span(now.Sub(since)) + "."
		}
		return p
	}
	p := picture{light: s.Armed.State, shift: words.Shift(s.Shift, now), open: words.Sentence(words.Open(s.Open)), checked: checked(s.Accounts, now)}
	p.title, p.sentence = headline(s)
	if p.light == "blind" && s.Alarm.Pattern == "blind" {
		p.quiet = "I know, be quiet"
	}
	for _, one := range s.Armed.Signals {
		p.reasons = append(p.reasons, reason{one.State, words.Capital(page.Plain(words.Signal(one.Name), 80)), words.Capital(page.Plain(one.Detail, 400)), one.Required})
	}
	for _, one := range s.Pages {
		if len(p.pages) == 5 {
			break
		}
		p.pages = append(p.pages, line{one.ID, one.Severity, words.Title(one.Title, 90), standing(one)})
	}
	for _, one := range s.Accounts {
		sign := "ok"
		switch {
		case one.Blind || one.Error != "":
			sign = "failed"
		case one.LastGoodPoll == nil:
			sign = "unknown"
		}
		p.accounts = append(p.accounts, line{one.Name, sign, page.Plain(one.Name, 80), words.Sentence(words.Freshness(one, now))})
	}
	for _, one := range s.Notices {
		p.notices = append(p.notices, line{one.ID, "", page.Plain(one.Text, 300), words.Second(one.At, now)})
	}
	return p
}

// headline splits the agent's sentence into its verdict and the rest.
func headline(s control.State) (title, sentence string) {
	whole := words.Light(s.Armed)
	switch s.Armed.State {
	case "armed":
		title = "Armed"
	case "blind":
		title = "Blind"
	case "off_shift":
		title = "Off shift"
	case "not_armed":
		title = "Not armed"
	default:
		title = "Not known yet"
	}
	for _, before := range []string{title + ": ", title + ". "} {
		if rest, found := strings.CutPrefix(whole, before); found {
			return title, words.Capital(rest)
		}
	}
	return title, whole
}

// checked says how old the oldest knowledge is.
func checked(accounts []control.Account, now time.Time) string {
	var oldest *time.Time
	for _, a := range accounts {
		if a.LastGoodPoll == nil {
			return "Not checked yet."
		}
		if oldest == nil || a.LastGoodPoll.Before(*oldest) {
			oldest = a.LastGoodPoll
		}
	}
	if oldest == nil {
		return "No paging service is set up."
	}
	return "Checked " + words.Span(now.Sub(*oldest)) + " ago."
}

// standing is where a page stands, in two words.
func standing(p control.Page) string {
	switch {
	case p.Ringing:
		return "ringing"
	case p.Hushed:
		return "hushed, not answered"
	case p.Answer == "sending":
		return "acknowledging"
	case p.Answer == "not_confirmed", p.Answer == "refused":
		return "not acknowledged"
	case p.StillOnIt:
		return "still on it?"
	case p.AcknowledgedByMe:
		return "yours"
	case p.Status == string(page.Acknowledged):
		return cmp.Or(words.OneLine(p.AcknowledgedBy, 16), "somebody else") + " has it"
	case p.MutedBy != "":
		return "quiet at the service"
	}
	return "open"
}

// Render draws a state.
func (v *View) Render(s control.State, problem string, since, now time.Time) {
	next, width := describe(s, problem, since, now), v.pane.Object.Size().Width
	same := reflect.DeepEqual(next.standing(), v.drawn.standing()) && width == v.width
	v.drawn, v.width = next, width
	if same {
		for _, one := range v.ticking {
			one.text.Set(one.say(next))
		}
		return
	}
	v.ticking = nil
	left := []fyne.CanvasObject{v.lightCard(next)}
	if len(next.reasons) > 0 {
		left = append(left, v.reasonCard(next))
	}
	right := []fyne.CanvasObject{v.shiftCard(next), v.pagesCard(next)}
	if len(next.accounts) > 0 {
		right = append(right, v.accountCard(next))
	}
	if len(next.notices) > 0 {
		right = append(right, v.noticeCard(next))
	}
	const gap = 18
	columns := kit.TopRow(gap, 0, kit.Column(gap, left...), kit.WidthOf(420, kit.Column(gap, right...)))
	if width < 960 {
		columns = kit.Column(gap, append(left, right...)...)
	}
	v.pane.Show(kit.Inset(26, 30, 26, 30, columns))
}

func (v *View) lightCard(p picture) fyne.CanvasObject {
	c := v.palette
	said := []fyne.CanvasObject{kit.Bold(p.title, look.SizeLight, c.Text), kit.Words(p.sentence, look.SizeLead, c.Text)}
	if p.second != "" {
		said = append(said, v.tick(p, look.SizeBody, c.Quiet, func(p picture) string { return p.second }))
	}
	row := []fyne.CanvasObject{kit.Sign(look.Light(p.light, c), 76), kit.Column(4, said...)}
	if p.quiet != "" {
		row = append(row, kit.NewButton(p.quiet, "", kit.Plain(c), nil, v.actions.Hush))
	}
	edge := c.Line
	if p.light == "blind" {
		edge = c.Failed
	}
	return kit.EdgedCard(c, edge, kit.Inset(4, 0, 4, 0, kit.Row(20, 1, row...)))
}

func (v *View) reasonCard(p picture) fyne.CanvasObject {
	c := v.palette
	rows := []fyne.CanvasObject{kit.Heading(c, "Why"), kit.Gap(2)}
	advice := false
	for number, one := range p.reasons {
		switch {
		case !one.required && !advice:
			advice = true
			rows = append(rows, kit.Gap(6), kit.Heading(c, "Worth knowing"), kit.Gap(2))
		case number > 0:
			rows = append(rows, kit.Line(c.Line))
		}
		ink := c.Quiet
		if one.required && one.state != "ok" {
			ink = c.Text
		}
		rows = append(rows, kit.TopRow(12, 2, kit.Sign(look.State(one.state, c), 22),
			kit.WidthOf(150, kit.Words(one.name, look.SizeBody, c.Text)), kit.Words(one.detail, look.SizeBody, ink)))
	}
	return kit.Card(c, kit.Column(9, rows...))
}

func (v *View) shiftCard(p picture) fyne.CanvasObject {
	c := v.palette
	return kit.Card(c, kit.Column(8, kit.Heading(c, "Your shift"), kit.Words(p.shift, look.SizeLead, c.Text)))
}

// opened is how many pages are open, and how old that knowledge is.
func opened(p picture) string { return strings.TrimSpace(p.open + " " + p.checked) }

func (v *View) pagesCard(p picture) fyne.CanvasObject {
	c := v.palette
	rows := []fyne.CanvasObject{kit.Heading(c, "Open pages")}
	if len(p.pages) == 0 {
		rows = append(rows, v.tick(p, look.SizeLead, c.Text, opened))
		return kit.Card(c, kit.Column(8, rows...))
	}
	for _, one := range p.pages {
		rows = append(rows, kit.NewPick(kit.Inset(4, 0, 4, 0, kit.Row(10, 1, kit.Sign(look.Severity(one.sign, c), 16),
			kit.NewText(one.text, kit.Style{Sizes: []float32{look.SizeBody}, Colour: c.Text, Lines: 1}),
			kit.Label(one.more, look.SizeBody, c.Quiet))), func() { v.actions.Pages(one.id) }))
	}
	rows = append(rows, kit.Row(12, 0, v.tick(p, look.SizeBody, c.Quiet, opened),
		kit.NewButton("All pages", "", kit.Plain(c), nil, func() { v.actions.Pages("") })))
	return kit.Card(c, kit.Column(8, rows...))
}

func (v *View) accountCard(p picture) fyne.CanvasObject {
	c := v.palette
	rows := []fyne.CanvasObject{kit.Heading(c, "Paging services")}
	for number, one := range p.accounts {
		rows = append(rows, kit.TopRow(12, 1, kit.Sign(look.State(one.sign, c), 22),
			kit.Column(2, kit.Words(one.text, look.SizeBody, c.Text),
				v.tick(p, look.SizeBody, c.Quiet, func(p picture) string { return p.accounts[number].more }))))
	}
	return kit.Card(c, kit.Column(10, rows...))
}

func (v *View) noticeCard(p picture) fyne.CanvasObject {
	c := v.palette
	rows := []fyne.CanvasObject{kit.Heading(c, "Kept for you")}
	for number := range p.notices {
		one := p.notices[len(p.notices)-1-number]
		if number == 6 {
			rows = append(rows, kit.Words(words.Count(len(p.notices)-number, "older sentence", "older sentences"), look.SizeBody, c.Quiet))
			break
		}
		rows = append(rows, kit.Row(12, 0,
			kit.Column(2, kit.Words(one.text, look.SizeBody, c.Text), kit.Words(one.more, look.SizeTag, c.Quiet)),
			kit.NewButton("Dismiss", "", kit.Plain(c), nil, func() { v.actions.Dismiss(one.id) })), kit.Line(c.Line))
	}
	return kit.Card(c, kit.Column(10, rows...))
}
