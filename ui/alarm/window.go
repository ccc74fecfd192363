package alarm

import (
	"cmp"
	"reflect"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit"
	"nightstand/ui/look"
	"nightstand/ui/words"
)

// Actions are what the window can ask for. None of them may wait.
type Actions struct {
	Acknowledge func(ids []string)
	Hush        func()
	Undo        func(id string)
	// Note keeps a note to a page and tells how it went in a sentence.
	Note func(pageID, text string)
	// Read asks for everything known about a page.
	Read func(pageID string)
	// Open shows a web address in the browser.
	Open  func(address string)
	Close func()
}

// Window is what the alarm's window shows. All of its methods belong to
// Fyne's goroutine.
type Window struct {
	actions Actions
	canvas  fyne.Canvas
	now     func() time.Time
	guard   guard

	view     view
	knows    bool // the agent has said something, or is known to say nothing
	drawn    drawn
	key      *kit.Button // one for good: a press must find it although it is drawn anew
	undo     *kit.Button
	note     *kit.Note
	age      *kit.Text // what changes merely because time passes is not
	next     *kit.Text // built anew, only said anew
	hour     *kit.Text
	second   *kit.Text
	bar      *kit.Bar
	in       *kit.Pane
	happened *kit.Pane
	kept     string // how the last note went
	told     string // what the last command said
	toNote   bool   // the note gets the keyboard when the key that asked for it is let go
}

// drawn is what is on the screen; where nothing of it changes, nothing is
// drawn again.
type drawn struct {
	scene    scene
	size     fyne.Size
	kept     string
	told     string
	timeline int // how long the timeline is
	aside    []kit.Draft
}

// New prepares the content of a window; Render fills it.
func New(canvas fyne.Canvas, actions Actions, now func() time.Time) *Window {
	w := &Window{actions: actions, canvas: canvas, now: now, in: kit.NewPane(), happened: kit.NewPane()}
	w.view.shown = map[string]time.Time{}
	w.guard.appear(now())
	w.key = kit.NewButton("", "", kit.Face{}, w, w.pressKey)
	w.note = kit.NewNote(w.keepNote)
	return w
}

// See takes in what the agent says.
func (w *Window) See(state control.State) {
	w.knows, w.view.state, w.view.problem, w.view.since = true, state, "", time.Time{}
	w.Render()
}

// Miss takes in that the agent cannot be seen, and why.
func (w *Window) Miss(problem string) {
	if w.view.problem == "" {
		w.view.since = w.now()
	}
	w.knows, w.view.problem = true, problem
	w.Render()
}

// Know takes in everything known about a page.
func (w *Window) Know(detail control.Detail) {
	w.view.detail = detail
	w.Render()
}

// Tell takes in how a command went, where that is not in the state.
func (w *Window) Tell(sentence string) {
	w.told = page.Plain(sentence, page.MaxTitle)
	w.Render()
}

// Kept takes in how a note went; what was typed goes only when it is kept.
func (w *Window) Kept(pageID, text, sentence string, done bool) {
	w.kept = page.Plain(sentence, page.MaxTitle)
	if done {
		w.note.Kept(pageID, text)
	}
	w.Render()
}

// Move draws into another window from now on; that one has only just appeared.
func (w *Window) Move(canvas fyne.Canvas) {
	w.guard.appear(w.now())
	w.key.Forget()
	w.canvas = canvas
	w.drawn.size = fyne.Size{}
	w.Render()
}

// TakeKeyboard gives the note the keyboard while there is something to note. A
// window that was not on the screen yet may have lost it.
func (w *Window) TakeKeyboard() {
	if w.drawn.scene.kind == working {
		w.canvas.Focus(w.note.Entry)
	}
}

// Above says that the window has to stay above all others: something rings, or
// waits to be confirmed. Blindness that somebody knows of must not be in the way.
func (w *Window) Above() bool {
	return w.Ringing() && (w.drawn.scene.kind != blind || w.view.state.Alarm.Pattern == "blind")
}

// Ringing says that the window is needed: something rings, or waits.
func (w *Window) Ringing() bool {
	switch w.drawn.scene.kind {
	case ringing, asking, sending, blind:
		return true
	}
	return false
}

// Focus takes in that the window has gained or lost the keyboard.
func (w *Window) Focus(has bool) {
	w.guard.focus(has, w.now())
	w.Render()
}

// KeyDown takes in a key.
func (w *Window) KeyDown(event *fyne.KeyEvent) {
	counts := w.guard.press(string(event.Name), w.now())
	scene := w.drawn.scene
	if counts {
		switch event.Name {
		case fyne.KeySpace:
			w.pressKey()
		case fyne.KeyH:
			if scene.hush != "" {
				w.actions.Hush()
			}
		case fyne.KeyU:
			if scene.undo != "" {
				w.actions.Undo(scene.undo)
			}
		case fyne.KeyO:
			if len(scene.links) > 0 {
				w.actions.Open(scene.links[0].URL)
			}
		case fyne.KeyN:
			if scene.kind == working {
				w.toNote = true // not yet: its letter would be typed into it
			}
		}
	}
	w.Render()
}

// KeyUp takes in a key that is let go.
func (w *Window) KeyUp(event *fyne.KeyEvent) {
	w.guard.release(string(event.Name))
	if w.toNote && w.drawn.scene.kind == working {
		w.canvas.Focus(w.note.Entry)
	}
	w.toNote = false
}

// Stir takes in a sign of typing that names no key.
func (w *Window) Stir() { w.guard.stir(w.now()) }

// Press and Release are the pointer's.
func (w *Window) Press() bool { return w.guard.press(pointer, w.now()) }

// Release takes in that the pointer's button is let go.
func (w *Window) Release() { w.guard.release(pointer) }

// pressKey does what the one large key is for.
func (w *Window) pressKey() {
	scene := w.drawn.scene
	switch {
	case scene.keyDoes == "ack" && len(scene.ids) > 0:
		w.actions.Acknowledge(scene.ids)
	case scene.keyDoes == "hush":
		w.actions.Hush()
	}
}

func (w *Window) keepNote(pageID, text string) {
	w.kept = "Keeping…"
	w.actions.Note(pageID, text)
}

// Render draws the present scene; it is called after every change and a few
// times a second, for the countdowns and for the key. As long as nothing is
// known there is nothing to draw.
func (w *Window) Render() {
	if !w.knows {
		return
	}
	now := w.now()
	w.view.now = now
	if lead := w.view.lead(); lead.ID != "" {
		if lead.ID != w.view.about.ID {
			w.actions.Read(lead.ID)
			w.kept = ""
		}
		w.view.about = lead
	}
	w.remember(now)
	next := drawn{scene: w.view.scene(), size: w.canvas.Size(), kept: w.kept, told: w.told, timeline: len(w.view.detail.Timeline)}
	switch next.scene.kind {
	case working:
		w.note.About(next.scene.page, next.scene.title)
	case ended, nothing: // there is no field, so all drafts are shown
		w.note.About("", "")
	}
	next.aside = w.note.Aside()
	changed := next.scene.kind != w.drawn.scene.kind
	if changed {
		w.change(next.scene, now)
	}
	typing := w.canvas.Focused() == fyne.Focusable(w.note.Entry)
	same := reflect.DeepEqual(next.standing(), w.drawn.standing())
	w.drawn = next
	w.drawKey() // first, for the picture is laid out around it
	if !same {
		w.canvas.SetContent(kit.Behind(kit.NewGround(look.Alarm.Ground, w), w.content(next)))
	}
	if next.scene.kind == working && (changed || typing) {
		w.canvas.Focus(w.note.Entry)
	}
	w.drawTime(now)
	w.drawUndo()
}

// standing is what is drawn without what passing time alone changes.
func (d drawn) standing() drawn {
	d.scene.age, d.scene.left, d.scene.passed, d.scene.undoSays = "", "", 0, ""
	if d.scene.next != "" {
		d.scene.next = "soon"
	}
	if d.scene.kind == lost {
		d.scene.sentence = ""
	}
	return d
}

// drawTime says anew what passing time changes.
func (w *Window) drawTime(now time.Time) {
	s := w.drawn.scene
	w.hour.Set(now.Format("15:04"))
	if w.age != nil {
		w.age.Set(s.age)
	}
	if w.next != nil {
		w.next.SetEnd(s.next, s.left)
	}
	if w.bar != nil {
		w.bar.Set(s.passed)
	}
	if w.second != nil && s.kind == working {
		w.second.Set(joined(s.second, s.undoSays))
	}
	if w.second != nil && s.kind == lost {
		w.second.Set(s.sentence)
	}
}

// remember notes since when each page has been on the screen.
func (w *Window) remember(now time.Time) {
	shown := map[string]time.Time{}
	for _, p := range w.view.state.Pages {
		if !wants(p) {
			continue
		}
		shown[p.ID] = now
		if since, known := w.view.shown[p.ID]; known {
			shown[p.ID] = since
		}
	}
	w.view.shown = shown
}

// change is what happens when the picture becomes another one: the keys rest, a
// press that began on the old one is forgotten, and the note has the keyboard
// exactly while there is something to note.
func (w *Window) change(next scene, now time.Time) {
	w.guard.appear(now)
	w.key.Forget()
	w.told, w.toNote = "", false
	if next.kind == working {
		w.actions.Read(next.page)
		return
	}
	w.canvas.Unfocus()
}

// drawUndo shows whether its letter would count.
func (w *Window) drawUndo() {
	if w.undo == nil {
		return
	}
	hint := "U"
	if w.canvas.Focused() != nil { // there it would be a letter of the note
		hint = ""
	}
	w.undo.Set("Undo", hint, kit.Plain(look.Alarm))
}

// drawKey shows whether a press would count.
func (w *Window) drawKey() {
	scene, label, size := w.drawn.scene, w.drawn.scene.key, w.sizes()
	p := look.Alarm
	face := kit.Face{Fill: p.Lamp, Ink: p.OnLamp, Hint: p.OnLamp, Size: size.key, Radius: 18, Height: size.keyHeight, Bold: true, Cap: true}
	hint := "Space"
	ready := w.guard.armed(w.now()) && (scene.keyDoes != "ack" || len(scene.ids) > 0)
	if !ready {
		face.Fill, face.Ink, face.Hint, face.Stroke = p.Card, p.Quiet, p.Quiet, p.Quiet
		hint = "hands off the keys for a second"
		if !w.guard.focused {
			label, hint = "Click here first", "then Space answers"
		}
	}
	w.key.Set(label, hint, face)
}

// sizes are how large things are; small windows have smaller ones.
type sizes struct {
	title                             []float32
	level                             []float32
	place, text, next, answers, quiet float32
	key, keyHeight, buttonHeight      float32
	side, gap, age                    float32
}

func (w *Window) sizes() sizes {
	if size := w.canvas.Size(); size.Height < 700 || size.Width < 1000 {
		return sizes{
			title: []float32{40, 34, 28}, level: []float32{20, 17, 14},
			place: 24, text: 16, next: 26, answers: 15, quiet: 13,
			key: 34, keyHeight: 120, buttonHeight: 42, side: 32, gap: 5, age: 170,
		}
	}
	return sizes{
		title: []float32{62, 52, 44, 36}, level: []float32{20, 17},
		place: 36, text: 20, next: 36, answers: 18, quiet: 15,
		key: 44, keyHeight: 150, buttonHeight: 54, side: 64, gap: 8, age: 250,
	}
}

// content builds the picture.
func (w *Window) content(d drawn) fyne.CanvasObject {
	side := w.sizes().side
	w.age, w.next, w.second, w.bar, w.undo = nil, nil, nil, nil, nil
	w.hour = kit.NewText("", kit.Style{Sizes: []float32{34}, Colour: look.Alarm.Text, Bold: true, Lines: 1, Align: fyne.TextAlignTrailing})
	var picture fyne.CanvasObject
	switch d.scene.kind {
	case ringing, asking, sending, blind:
		picture = kit.Ends(w.above(d.scene), w.below(d.scene))
	case working:
		picture = w.working(d)
	default:
		picture = w.ended(d)
	}
	return kit.Inset(side*0.7, side, side*0.6, side, picture)
}

// clock has a width of its own, so that a new minute moves nothing.
func (w *Window) clock() fyne.CanvasObject { return kit.WidthOf(104, w.hour) }

// above is what the alarm is about. Where there is no room for all of it, the
// details go first, then the other pages, then the place; the title gets
// smaller, and stays.
func (w *Window) above(s scene) fyne.CanvasObject {
	p, size := look.Alarm, w.sizes()
	parts := []kit.Part{
		{Object: w.heading(s)},
		{Object: kit.NewText(s.title, kit.Style{Sizes: size.title, Colour: p.Text, Bold: true, Lines: 2}), Above: 2 * size.gap, Yields: 3, Stays: true},
	}
	if s.place != "" {
		parts = append(parts, kit.Part{Object: kit.NewText(s.place, kit.Style{Sizes: []float32{size.place}, Colour: p.Quiet, Lines: 1}), Above: size.gap, Yields: 4})
	}
	if s.trouble != "" {
		said := kit.NewText(s.trouble, kit.Style{Sizes: []float32{size.text, 14}, Colour: p.Warning, Lines: 2})
		parts = append(parts, kit.Part{Object: kit.TopRow(12, 1, kit.Sign(look.State("warning", p), 24), said), Above: 2 * size.gap})
	}
	quiet := kit.Style{Sizes: []float32{size.text}, Colour: p.Quiet, Lines: 2}
	switch {
	case len(s.others) > 0:
		parts = append(parts, kit.Part{Object: kit.NewText("Also: "+strings.Join(s.others, "; "), quiet), Above: size.gap, Yields: 2})
	case s.details != "":
		parts = append(parts, kit.Part{Object: kit.NewText(s.details, quiet), Above: size.gap, Yields: 1})
	}
	return kit.Fit(parts...)
}

// heading is how bad it is, since when, and what time it is.
func (w *Window) heading(s scene) fyne.CanvasObject {
	p, size := look.Alarm, w.sizes()
	sign, ink := kit.Sign(look.Severity(s.severity, p), 28), p.Severity(s.severity)
	if s.kind == blind {
		sign, ink = kit.Sign(look.Light("blind", p), 34), p.Failed
	}
	w.age = kit.NewText(s.age, kit.Style{Sizes: []float32{20, 17, 14}, Colour: p.Quiet, Lines: 1, Align: fyne.TextAlignTrailing})
	age := kit.WidthOf(size.age, w.age)
	if s.meaning == "" { // several pages, in as many words
		return kit.Row(14, 1, sign, kit.NewText(s.level, kit.Style{Sizes: size.level, Colour: ink, Bold: true, Lines: 1}), age, w.clock())
	}
	meaning := kit.NewText(s.meaning, kit.Style{Sizes: []float32{20, 16, 14}, Colour: p.Quiet, Lines: 1})
	return kit.Row(14, 2, sign, kit.BoldLabel(s.level, 20, ink), meaning, age, w.clock())
}

// below is the key, with what it answers and how much time there is.
func (w *Window) below(s scene) fyne.CanvasObject {
	p, size := look.Alarm, w.sizes()
	if s.kind == sending {
		return kit.Column(10, kit.Bold(s.sentence, size.next, p.Text), kit.Words(s.second, size.text, p.Quiet))
	}
	w.next = kit.NewText(s.next, kit.Style{Sizes: []float32{size.next, 26, 20}, Colour: p.Text, Lines: 1, End: s.left})
	rows := []fyne.CanvasObject{kit.Row(20, 0, w.next, kit.Label(s.answers, size.answers, p.Quiet))}
	if s.next != "" {
		w.bar = kit.NewBar(p.Degraded, p.Raised, 8, s.passed)
		rows = append(rows, w.bar.Object)
	}
	rows = append(rows, kit.Gap(size.gap/2), w.key)
	if buttons := w.sideButtons(s); len(buttons) > 0 {
		rows = append(rows, kit.Gap(2), kit.Equal(14, buttons...))
	}
	rows = append(rows, kit.Gap(2), kit.NewText(cmp.Or(w.told, s.footer), kit.Style{Sizes: []float32{size.quiet}, Colour: p.Quiet, Lines: 2}))
	return kit.Column(size.gap, rows...)
}

// sideButtons are the quiet ones below the key.
func (w *Window) sideButtons(s scene) []fyne.CanvasObject {
	face := kit.Plain(look.Alarm)
	face.Size, face.Radius, face.Height = 18, 12, w.sizes().buttonHeight
	var buttons []fyne.CanvasObject
	if s.hush != "" {
		buttons = append(buttons, kit.NewButton(s.hush, "H", face, w, w.actions.Hush))
	}
	if len(s.links) > 0 {
		link := s.links[0]
		buttons = append(buttons, kit.NewButton("Open “"+words.OneLine(cmp.Or(link.Text, "link"), 34)+"”", "O", face, w, func() { w.actions.Open(link.URL) }))
	}
	return buttons
}

// working is what the alarm becomes: it is yours; here is the way in, and the
// place for notes.
func (w *Window) working(d drawn) fyne.CanvasObject {
	p, s := look.Alarm, d.scene
	face := kit.Plain(p)
	w.second = kit.Words(joined(s.second, s.undoSays), look.SizeBody, p.Quiet)
	head := []fyne.CanvasObject{
		kit.Sign(look.State("ok", p), 40),
		kit.Column(2, kit.NewText(s.sentence, kit.Style{Sizes: []float32{24, 20, 17}, Colour: p.Text, Bold: true, Lines: 2}),
			w.second),
	}
	if s.undo != "" {
		w.undo = kit.NewButton("Undo", "U", face, w, func() { w.actions.Undo(s.undo) })
		head = append(head, w.undo)
	}
	head = append(head, w.clock())
	title := kit.NewText(s.title, kit.Style{Sizes: []float32{34, 28, 22}, Colour: p.Text, Bold: true, Lines: 2})
	about := kit.Row(10, 1, kit.Sign(look.Severity(s.severity, p), 18),
		kit.NewText(joinedBy(" · ", s.place, s.severity+": "+s.meaning), kit.Style{Sizes: []float32{18, 15}, Colour: p.Quiet, Lines: 1}))
	above := kit.Column(14, kit.Row(16, 1, head...), kit.Column(4, title, about))
	below := kit.Column(8, append(w.drafts(d.aside), w.noteRow(s, face))...)
	if message := cmp.Or(w.told, d.kept); message != "" {
		below.Add(kit.NewText(message, kit.Style{Sizes: []float32{look.SizeBody}, Colour: p.Quiet, Lines: 2}))
	}
	cards := kit.Equal(18,
		kit.Fill(p, w.in.Object), kit.Fill(p, w.happened.Object))
	w.in.Show(w.wayIn(s))
	w.happened.Show(timeline(w.view.detail, s.page, w.now()))
	return kit.Ends(kit.Under(above, 18, kit.Inset(0, 0, 18, 0, cards)), below)
}

// drafts are the newest of the notes that were begun about other pages.
func (w *Window) drafts(drafts []kit.Draft) []fyne.CanvasObject {
	const most = 2
	var rows []fyne.CanvasObject
	for _, d := range drafts[max(0, len(drafts)-most):] {
		said := "Begun about “" + words.OneLine(d.Title, 60) + "”: " + words.OneLine(d.Text, 80)
		rows = append(rows, kit.Row(12, 0, kit.NewText(said, kit.Style{Sizes: []float32{look.SizeBody}, Colour: look.Alarm.Text, Lines: 1}),
			kit.NewButton("Keep it there", "", kit.Plain(look.Alarm), w, func() { w.note.SubmitAside(d) })))
	}
	return rows
}

func (w *Window) noteRow(s scene, face kit.Face) fyne.CanvasObject {
	bed := face
	bed.Height = 44
	return kit.Row(12, 0, w.note.Entry, kit.NewButton(s.key, "", bed, w, w.actions.Close))
}

// wayIn are the links of the page, and what the page says of itself.
func (w *Window) wayIn(s scene) fyne.CanvasObject {
	p := look.Alarm
	rows := []fyne.CanvasObject{kit.Heading(p, "Get in")}
	if len(s.links) == 0 {
		rows = append(rows, kit.Words("The page came without a link.", look.SizeBody, p.Quiet))
	}
	for _, link := range s.links {
		rows = append(rows, kit.Row(12, 0,
			kit.Words(words.OneLine(cmp.Or(link.Text, link.URL), 80), look.SizeBody, p.Text),
			kit.NewButton("Open", "", kit.Plain(p), w, func() { w.actions.Open(link.URL) })), kit.Line(p.Line))
	}
	if s.details != "" {
		rows = append(rows, kit.Gap(4), kit.Heading(p, "What the page says"), kit.Words(s.details, look.SizeBody, p.Text))
	}
	return kit.Column(10, rows...)
}

// timeline is what happened, newest last.
func timeline(detail control.Detail, id string, now time.Time) fyne.CanvasObject {
	p := look.Alarm
	rows := []fyne.CanvasObject{kit.Heading(p, "What happened")}
	if detail.ID != id {
		return kit.Column(10, append(rows, kit.Words("Reading…", look.SizeBody, p.Quiet))...)
	}
	const most = 40
	entries := detail.Timeline
	if len(entries) > most {
		entries = entries[len(entries)-most:]
	}
	for _, e := range entries {
		rows = append(rows, kit.TopRow(12, 2,
			kit.Label(words.Second(e.At, now), look.SizeBody, p.Quiet),
			kit.Inset(3, 0, 0, 0, kit.Sign(look.Kind(e.Kind, p), 14)),
			kit.Words(page.PlainLines(e.Text, page.MaxDetails), look.SizeBody, p.Text)))
	}
	return kit.Column(10, rows...)
}

// ended is quiet with its reason.
func (w *Window) ended(d drawn) fyne.CanvasObject {
	p, s := look.Alarm, d.scene
	sign := look.State("unknown", p)
	switch {
	case s.good:
		sign = look.State("ok", p)
	case s.kind == lost:
		sign = look.State("failed", p)
	case s.kind == ended:
		sign = look.State("warning", p)
	}
	face := kit.Plain(p)
	face.Size, face.Height, face.Radius = 18, 54, 12
	sentence := kit.NewText(s.sentence, kit.Style{Sizes: []float32{40, 34, 28, 22}, Colour: p.Text, Bold: true, Lines: 4})
	if s.kind == lost {
		w.second = sentence
	}
	return kit.Ends(
		kit.Column(12,
			kit.Row(14, 1, kit.Sign(sign, 40), kit.Gap(0), w.clock()),
			kit.Gap(20),
			sentence,
			kit.NewText(s.second, kit.Style{Sizes: []float32{20, 17}, Colour: p.Quiet, Lines: 4})),
		kit.Column(8, append(w.drafts(d.aside), kit.NewButton(s.key, "", face, w, w.actions.Close))...))
}

func joined(parts ...string) string { return joinedBy(" ", parts...) }

func joinedBy(between string, parts ...string) string {
	text := ""
	for _, part := range parts {
		if part != "" && text != "" {
			text += between
		}
		text += part
	}
	return text
}
