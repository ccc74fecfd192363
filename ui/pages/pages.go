// Package pages owns the view of the open pages: the list, and everything
// known about one of them.
package pages

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit"
	"nightstand/ui/look"
	"nightstand/ui/words"
)

// Actions are what the view can ask for. None of them may wait.
type Actions struct {
	Acknowledge func(ids []string)
	Undo        func(id string)
	Note        func(pageID, text string)
	// Do has something done to a page at its service.
	Do func(id string, asked control.Deed)
	// Read asks for everything known about a page; it comes back by Know.
	Read func(id string)
	Open func(address string)
}

// View is the view. All of its methods belong to Fyne's goroutine.
type View struct {
	palette look.Palette
	actions Actions
	list    *kit.Pane
	about   *kit.Pane
	note    *kit.Note
	object  *fyne.Container

	state   control.State
	problem string
	now     time.Time
	detail  control.Detail
	chosen  string
	told    string
	sure    string    // the deed that was pressed once
	asked   time.Time // when it was
	readFor string    // the page as it was when its detail was asked for
	drawn   picture
	width   float32
	ticking []ticking
}

// ticking is a text of the list that changes merely because time passes; it is
// said anew without building anything.
type ticking struct {
	text *kit.Text
	say  func(listing) string
}

// New prepares the view; Render fills it.
func New(palette look.Palette, actions Actions) *View {
	v := &View{palette: palette, actions: actions, list: kit.NewPane(), about: kit.NewPane(), note: kit.NewNote(actions.Note)}
	v.object = container.New(kit.Stretch(), kit.Gap(0))
	return v
}

// Object is what is put into the window.
func (v *View) Object() fyne.CanvasObject { return v.object }

// Choose shows this page.
func (v *View) Choose(id string) {
	if id != "" && id != v.chosen {
		v.chosen, v.told, v.readFor, v.sure = id, "", "", ""
		v.note.About(id, "")
		v.about.ToTop()
	}
}

// Step chooses the page so many places further down the list.
func (v *View) Step(places int) {
	at := slices.IndexFunc(v.state.Pages, func(p control.Page) bool { return p.ID == v.chosen })
	at = max(0, min(len(v.state.Pages)-1, at+places))
	if at < len(v.state.Pages) {
		v.Choose(v.state.Pages[at].ID)
	}
}

// Know takes in everything known about a page.
func (v *View) Know(detail control.Detail) { v.detail = detail }

// Tell takes in how a command went.
func (v *View) Tell(sentence string) { v.told = sentence }

// Kept takes in how a note went; what was typed goes only when it is kept.
func (v *View) Kept(pageID, text, sentence string, done bool) {
	v.told = sentence
	if done {
		v.readFor = ""
		v.note.Kept(pageID, text)
	}
}

// card is one page of the list, in words.
type card struct {
	id, severity, title, where, stands string
	good, chosen, answer               bool
}

// listing is the list, in words.
type listing struct {
	heading string
	calling []card // want an answer, or had one
	morning []card // wake nobody
	hidden  int    // how many more there are than are listed
	problem string
}

// standing is what is listed without what passing time alone changes.
func (l listing) standing() listing {
	l.calling, l.morning = slices.Clone(l.calling), slices.Clone(l.morning)
	for _, cards := range [][]card{l.calling, l.morning} {
		for number := range cards {
			cards[number].where = ""
		}
	}
	return l
}

// about is all that is shown of one page, in words.
type about struct {
	one      control.Page
	age      string
	detail   string
	timeline []control.Entry
	stands   string
	undo     bool
	deeds    []string // what the service does from here, by label
	told     string
}

// picture is everything the view shows.
type picture struct {
	list  listing
	about about
}

func (v *View) describe() picture {
	l := listing{heading: words.Count(v.state.Open, "open page", "open pages"), problem: page.Plain(v.problem, page.MaxTitle)}
	if v.state.Open == 0 {
		l.heading = "No page is open"
	}
	l.hidden = max(0, v.state.Open-len(v.state.Pages))
	for _, one := range v.state.Pages {
		stands, good := standing(one, v.now)
		c := card{
			id: one.ID, severity: one.Severity, title: words.Title(one.Title, 120), where: where(one, v.now),
			stands: words.Capital(stands), good: good, chosen: one.ID == v.chosen, answer: answerable(one),
		}
		if page.Severity(one.Severity).Wakes() || answerable(one) {
			l.calling = append(l.calling, c)
		} else {
			l.morning = append(l.morning, c)
		}
	}
	return picture{l, v.describeChosen()}
}

func (v *View) describeChosen() about {
	a := about{told: page.Plain(v.told, page.MaxTitle)}
	if at := slices.IndexFunc(v.state.Pages, func(p control.Page) bool { return p.ID == v.chosen }); at >= 0 {
		a.one = v.state.Pages[at]
	} else if v.detail.ID == v.chosen { // it has ended meanwhile
		a.one = v.detail.Page
	}
	if a.one.ID == "" {
		return a
	}
	stands, _ := standing(a.one, v.now)
	a.stands = words.Sentence(stands)
	if a.one.TriggeredAt != nil {
		a.age = "paged " + words.Age(v.now.Sub(*a.one.TriggeredAt)) + " ago"
	}
	a.deeds = v.deedLabels(a.one)
	a.undo = a.one.UndoUntil != nil && a.one.UndoUntil.After(v.now)
	if v.detail.ID == a.one.ID {
		a.detail, a.timeline = page.PlainLines(v.detail.Details, page.MaxDetails), v.detail.Timeline
	}
	return a
}

// deeds are what can be done to a page with two presses, in the order of the
// buttons.
var deeds = []struct {
	name, label, sure string
	asked             control.Deed
}{
	{"resolve", "Resolve", "Really resolve it?", control.Deed{Deed: "resolve"}},
	{"snooze", "Snooze 1 h", "Really snooze it for 1 h?", control.Deed{Deed: "snooze", ForSeconds: 3600}},
	{"escalate", "Escalate", "Really hand it on?", control.Deed{Deed: "escalate"}},
}

// The second press of a deed comes after a moment of thought, and soon.
const (
	sureAfter = 600 * time.Millisecond
	sureFor   = 5 * time.Second
)

// deedLabels are the buttons of a page that is open.
func (v *View) deedLabels(p control.Page) []string {
	at := slices.IndexFunc(v.state.Accounts, func(a control.Account) bool { return a.Name == p.Account })
	if at < 0 || p.Ending != "" {
		return nil
	}
	if v.now.Sub(v.asked) > sureFor {
		v.sure = ""
	}
	var labels []string
	for _, d := range deeds {
		if slices.Contains(v.state.Accounts[at].Can, d.name) {
			labels = append(labels, choose(v.sure == d.name, d.sure, d.label))
		}
	}
	return labels
}

// press does a deed at the second press; the first only asks.
func (v *View) press(id, label string) {
	for _, d := range deeds {
		switch label {
		case d.label:
			v.sure, v.asked = d.name, v.now
		case d.sure:
			if v.now.Sub(v.asked) < sureAfter {
				return // the second half of a double click
			}
			v.sure, v.told = "", "On its way to the service."
			v.actions.Do(id, d.asked)
		}
	}
	v.again()
}

// answerable says that an acknowledgement is asked for.
func answerable(p control.Page) bool {
	return p.StillOnIt || p.Status == string(page.Triggered) && p.Answer != "sending" && (p.Ringing || p.Hushed || p.Answer != "")
}

func where(p control.Page, now time.Time) string {
	parts := []string{words.OneLine(cmp.Or(p.Severity, "severity not known"), 30)}
	if p.Service != "" {
		parts = append(parts, words.OneLine(p.Service, 40))
	}
	if p.TriggeredAt != nil {
		parts = append(parts, words.Age(now.Sub(*p.TriggeredAt)))
	}
	return strings.Join(parts, " · ")
}

// standing is where a page stands, and whether that is well.
func standing(p control.Page, now time.Time) (said string, good bool) {
	switch {
	case p.Ending != "":
		return words.Ended(p, now), true
	case p.StillOnIt:
		return "still on it? It rings again soon", false
	case p.Answer == "sending":
		return "acknowledging, not confirmed yet", false
	case p.Answer == "not_confirmed", p.Answer == "refused":
		return "not acknowledged: " + words.Clause(p.AnswerReason), false
	case p.AcknowledgedByMe && p.SnoozedUntil != nil && p.SnoozedUntil.After(now):
		return "snoozed by you until " + words.Minute(*p.SnoozedUntil, now), true
	case p.AcknowledgedByMe && p.AcknowledgedAt != nil:
		return "acknowledged by you, confirmed " + words.Second(*p.AcknowledgedAt, now), true
	case p.AcknowledgedByMe:
		return "acknowledged by you, confirmed", true
	case p.Status == string(page.Acknowledged):
		return cmp.Or(words.OneLine(p.AcknowledgedBy, 40), "somebody else") + " has it", true
	case p.Hushed:
		return "hushed for a moment, not answered", false
	case p.Ringing:
		return "ringing", false
	case p.MutedBy != "":
		return "quiet at the service: " + words.OneLine(p.MutedBy, 60), false
	}
	return "open", false
}

// Render draws a state.
func (v *View) Render(s control.State, problem string, now time.Time) {
	v.state, v.problem, v.now = s, problem, now
	if v.chosen == "" && len(s.Pages) > 0 {
		v.Choose(s.Pages[0].ID)
	}
	next, before, resized := v.describe(), v.drawn, v.object.Size().Width != v.width
	one := next.about.one
	if key := one.ID + one.Status + one.Answer; one.ID != "" && key != v.readFor {
		v.readFor = key
		v.actions.Read(one.ID)
	}
	first := before.list.heading == ""
	v.drawn, v.width = next, v.object.Size().Width
	if first || resized || !reflect.DeepEqual(next.list.standing(), before.list.standing()) {
		v.ticking = nil
		v.list.Show(v.listed(next.list))
	}
	for _, one := range v.ticking {
		one.text.Set(one.say(next.list))
	}
	if first || resized || !reflect.DeepEqual(next.about, before.about) {
		v.about.Show(v.described(next.about))
	}
	if first {
		v.place()
	}
}

// again draws anew what has changed by a click.
func (v *View) again() { v.Render(v.state, v.problem, v.now) }

// place puts the list to the left, and to the right what is known, above the
// field for notes.
func (v *View) place() {
	c := v.palette
	foot := kit.Row(12, 0, v.note.Entry, kit.NewButton("Keep", "", kit.Plain(c), nil, v.note.Submit))
	right := kit.Behind(kit.Box(c.Card, c.Line, 12), kit.Inset(18, 18, 16, 20, kit.Ends(kit.Inset(0, 0, 12, 0, v.about.Object), foot)))
	v.object.Objects = []fyne.CanvasObject{kit.Inset(22, 22, 22, 22, kit.Beside(340, 18, v.list.Object, right))}
	v.object.Refresh()
}

func (v *View) listed(p listing) fyne.CanvasObject {
	c := v.palette
	rows := []fyne.CanvasObject{kit.Bold(p.heading, 20, c.Text)}
	if p.problem != "" {
		rows = append(rows, kit.Words("As last seen. "+p.problem, look.SizeBody, c.Warning))
	}
	if len(p.calling)+len(p.morning) == 0 {
		rows = append(rows, kit.Words("Nothing wants an answer.", look.SizeBody, c.Quiet))
	}
	for number, one := range p.calling {
		rows = append(rows, v.listedCard(one, func(l listing) string { return l.calling[number].where }))
	}
	if p.hidden > 0 {
		rows = append(rows, kit.Words(words.Count(p.hidden, "more is", "more are")+" open; “nightstand pages” lists them all.", look.SizeBody, c.Quiet))
	}
	if len(p.morning) > 0 {
		rows = append(rows, kit.Gap(4), kit.Heading(c, "For the morning"))
		for number, one := range p.morning {
			rows = append(rows, v.listedCard(one, func(l listing) string { return l.morning[number].where }))
		}
	}
	return besideBar(kit.Column(10, rows...))
}

// besideBar leaves room for the bar that shows how far it is scrolled.
func besideBar(content fyne.CanvasObject) fyne.CanvasObject { return kit.Inset(0, 12, 0, 0, content) }

func (v *View) listedCard(one card, where func(listing) string) fyne.CanvasObject {
	c := v.palette
	told := kit.Words(one.where, look.SizeBody, c.Quiet)
	v.ticking = append(v.ticking, ticking{told, where})
	ink, edge := c.Quiet, c.Line
	if one.good {
		ink = c.OK
	}
	if one.chosen {
		edge = c.Lamp
	}
	rows := []fyne.CanvasObject{
		kit.TopRow(10, 1, kit.Inset(3, 0, 0, 0, kit.Sign(look.Severity(one.severity, c), 14)),
			kit.NewText(one.title, kit.Style{Sizes: []float32{look.SizeBody}, Colour: c.Text, Bold: true, Lines: 2})),
		told,
		kit.NewText(one.stands, kit.Style{Sizes: []float32{look.SizeBody}, Colour: ink, Lines: 3}),
	}
	if one.answer {
		rows = append(rows, kit.Gap(2), kit.Row(8, -1, kit.NewButton("Acknowledge", "", kit.Plain(c), nil, func() { v.actions.Acknowledge([]string{one.id}) })))
	}
	return kit.NewPick(kit.EdgedCard(c, edge, kit.Column(3, rows...)), func() { v.Choose(one.id); v.again() })
}

func (v *View) described(p about) fyne.CanvasObject {
	c, one := v.palette, p.one
	if one.ID == "" {
		return kit.Column(8, kit.Bold("Nothing is chosen", 20, c.Text), kit.Words("A page shows here with its links, and with what happened.", look.SizeBody, c.Quiet))
	}
	head := []fyne.CanvasObject{kit.NewText(words.Title(one.Title, page.MaxTitle), kit.Style{Sizes: []float32{20, 17}, Colour: c.Text, Bold: true, Lines: 3})}
	if p.undo {
		head = append(head, kit.NewButton("Undo", "", kit.Plain(c), nil, func() { v.actions.Undo(one.ID) }))
	}
	if answerable(one) {
		head = append(head, kit.NewButton(choose(one.StillOnIt, "Still on it", "Acknowledge"), "", kit.Loud(c), nil, func() { v.actions.Acknowledge([]string{one.ID}) }))
	}
	tags := []fyne.CanvasObject{kit.Tag(c, words.OneLine(cmp.Or(one.Severity, "severity not known"), 30))}
	if p.age != "" {
		tags = append(tags, kit.Tag(c, p.age))
	}
	for _, l := range one.Labels {
		tags = append(tags, kit.Tag(c, words.OneLine(l.Name+": "+l.Value, 48)))
		if len(tags) == 12 {
			break
		}
	}
	rows := []fyne.CanvasObject{kit.TopRow(12, 0, head...), kit.Words(p.stands, look.SizeBody, c.Quiet), kit.Wrap(8, tags...)}
	var links []fyne.CanvasObject
	for _, link := range words.Links(one) {
		if len(links) < 8 {
			links = append(links, kit.NewButton(words.OneLine(cmp.Or(link.Text, link.URL), 44), "", kit.Plain(c), nil, func() { v.actions.Open(link.URL) }))
		}
	}
	if len(links) > 0 {
		rows = append(rows, kit.Wrap(10, links...))
	}
	var buttons []fyne.CanvasObject
	for _, label := range p.deeds {
		buttons = append(buttons, kit.NewButton(label, "", kit.Plain(c), nil, func() { v.press(one.ID, label) }))
	}
	if len(buttons) > 0 {
		rows = append(rows, kit.Wrap(10, buttons...))
	}
	if p.told != "" {
		rows = append(rows, kit.Words(p.told, look.SizeBody, c.Warning))
	}
	if one.EscalatesAt != nil && one.Status == string(page.Triggered) {
		rows = append(rows, kit.Words("Goes to "+cmp.Or(words.OneLine(one.EscalatesTo, 60), "the next person")+" at "+words.Second(*one.EscalatesAt, v.now)+" if nobody answers.", look.SizeBody, c.Text))
	}
	if one.AnswerMutes != "" && one.Status == string(page.Triggered) {
		rows = append(rows, kit.Words("Acknowledging "+words.Clause(one.AnswerMutes)+".", look.SizeBody, c.Quiet))
	}
	if p.detail != "" {
		rows = append(rows, kit.Behind(kit.Box(c.Raised, nil, 8), kit.Inset(10, 12, 10, 12, kit.Words(p.detail, look.SizeBody, c.Text))))
	}
	rows = append(rows, kit.Gap(4))
	for number, e := range p.timeline {
		if number > 0 {
			rows = append(rows, kit.Line(c.Line))
		}
		rows = append(rows, kit.TopRow(14, 2, kit.Label(words.Second(e.At, v.now), look.SizeBody, c.Quiet),
			kit.Inset(3, 0, 0, 0, kit.Sign(look.Kind(e.Kind, c), 14)), kit.Words(page.PlainLines(e.Text, page.MaxDetails), look.SizeBody, c.Text)))
	}
	return besideBar(kit.Column(9, rows...))
}

func choose(yes bool, first, second string) string {
	if yes {
		return first
	}
	return second
}
