package pages

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit"
	"nightstand/ui/kit/kittest"
	"nightstand/ui/look"
)

var night = time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)

func before(seconds int) *time.Time { return new(night.Add(-time.Duration(seconds) * time.Second)) }

func ahead(seconds int) *time.Time { return new(night.Add(time.Duration(seconds) * time.Second)) }

// paged is a page that rings.
func paged(id string) control.Page {
	return control.Page{
		ID: id, Account: "prod", Title: "Checkout is dropping orders", Service: "checkout-api", Severity: "critical",
		Status: "triggered", Mine: true, Ringing: true, TriggeredAt: before(1080), EscalatesAt: ahead(258), EscalatesTo: "Dana Ito",
		AnswerMutes: "silences this alert for the whole team.",
		Labels:      control.List[page.Label]{{Name: "region", Value: "eu-west-1"}},
		Links:       control.List[page.Link]{{Text: "Runbook: orders", URL: "https://runbooks.example/orders"}, {Text: "Evil", URL: "javascript:alert(1)"}},
		URL:         "https://alerts.example/7",
	}
}

// ours is a page that was answered here.
func ours(id string) control.Page {
	return with(paged(id), func(p *control.Page) {
		p.Status, p.Ringing, p.Answer, p.AcknowledgedByMe, p.AcknowledgedAt, p.EscalatesAt = "acknowledged", false, "confirmed", true, before(10), nil
	})
}

func with(p control.Page, change func(*control.Page)) control.Page {
	change(&p)
	return p
}

func of(pages ...control.Page) control.State {
	s := control.State{Pages: pages}
	s.Open = len(pages)
	return s
}

// storm is a state of which so many pages are open, and at most 200 are listed.
func storm(open int, title string) control.State {
	s := of()
	s.Open = open
	for number := range min(open, control.MostPages) {
		s.Pages = append(s.Pages, with(paged(fmt.Sprintf("p%d", number)), func(p *control.Page) { p.Title, p.TriggeredAt = title, before(7*number) }))
	}
	return s
}

type moment struct {
	name    string
	state   control.State
	problem string
	says    string // of the list
}

func moments() []moment {
	return []moment{
		{"nothing", of(), "", `
			No page is open`},
		{"one rings", of(paged("a")), "", `
			1 open page
			> critical Checkout is dropping orders, critical · checkout-api · 18 min, Ringing [Acknowledge]`},
		{"how pages stand", of(
			with(paged("a"), func(p *control.Page) { p.Ringing, p.Hushed = false, true }),
			with(paged("b"), func(p *control.Page) { p.Ringing, p.Answer = false, "sending" }),
			with(paged("c"), func(p *control.Page) {
				p.Answer, p.AnswerReason = "not_confirmed", "the service did not confirm it within 10 s."
			}),
			with(paged("d"), func(p *control.Page) { p.Ringing, p.Answer, p.AnswerReason = false, "refused", "it says no" }),
			with(ours("e"), func(p *control.Page) { p.StillOnIt = true }),
			ours("f"),
			with(ours("m"), func(p *control.Page) { p.SnoozedUntil = ahead(3600) }),
			with(ours("g"), func(p *control.Page) { p.AcknowledgedAt = nil }),
			with(ours("h"), func(p *control.Page) { p.AcknowledgedByMe, p.AcknowledgedBy = false, "ben" }),
			with(ours("i"), func(p *control.Page) { p.AcknowledgedByMe = false }),
			with(paged("j"), func(p *control.Page) { p.Ringing, p.MutedBy = false, "silenced by ben" }),
			with(paged("k"), func(p *control.Page) { p.Ringing = false }),
			control.Page{ID: "l"},
		), "", `
			13 open pages
			> critical Checkout is dropping orders, critical · checkout-api · 18 min, Hushed for a moment, not answered [Acknowledge]
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Acknowledging, not confirmed yet
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Not acknowledged: the service did not confirm it within 10 s [Acknowledge]
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Not acknowledged: it says no [Acknowledge]
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Still on it? It rings again soon [Acknowledge]
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Acknowledged by you, confirmed 03:11:50 (good)
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Snoozed by you until 04:12 (good)
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Acknowledged by you, confirmed (good)
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Ben has it (good)
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Somebody else has it (good)
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Quiet at the service: silenced by ben
			critical Checkout is dropping orders, critical · checkout-api · 18 min, Open
			 A page without a title, severity not known, Open`},
		{"what wakes nobody waits for the morning", of(
			with(paged("a"), func(p *control.Page) { p.Severity, p.Ringing = "hidden", false }),
			with(paged("b"), func(p *control.Page) { p.Severity = "other" }),
		), "", `
			2 open pages
			other Checkout is dropping orders, other · checkout-api · 18 min, Ringing [Acknowledge]
			For the morning
			> hidden Checkout is dropping orders, hidden · checkout-api · 18 min, Open`},
		{"the agent is lost", of(ours("a")), "the agent went away.", `
			As last seen: the agent went away.
			1 open page
			> critical Checkout is dropping orders, critical · checkout-api · 18 min, Acknowledged by you, confirmed 03:11:50 (good)`},
	}
}

// reads is what a list says, from above.
func reads(l listing) string {
	lines := []string{}
	if l.problem != "" {
		lines = append(lines, "As last seen: "+l.problem)
	}
	lines = append(lines, l.heading)
	tell := func(cards []card) {
		for _, c := range cards {
			line := strings.Join([]string{c.severity + " " + c.title, c.where, c.stands}, ", ")
			for mark, set := range map[string]bool{" (good)": c.good, " [Acknowledge]": c.answer} {
				if set {
					line += mark
				}
			}
			if c.chosen {
				line = "> " + line
			}
			lines = append(lines, line)
		}
	}
	tell(l.calling)
	if len(l.morning) > 0 {
		lines = append(lines, "For the morning")
		tell(l.morning)
	}
	return strings.Join(lines, "\n")
}

// TestMain dresses all windows alike, as the program does.
func TestMain(m *testing.M) {
	test.NewApp().Settings().SetTheme(look.Theme{Palette: look.Night})
	os.Exit(m.Run())
}

var sizes = map[string]fyne.Size{"large": {Width: 1200, Height: 760}, "middle": {Width: 1000, Height: 700}, "small": {Width: 800, Height: 560}}

// room is the view in a window of that size, beside the rail.
type room struct {
	view   *View
	window fyne.Window
	did    []string
	read   []string
}

func open(t testing.TB, size fyne.Size) *room {
	r := &room{}
	did := func(what string) { r.did = append(r.did, what) }
	r.view = New(look.Night, Actions{
		Acknowledge: func(ids []string) { did("acknowledge " + strings.Join(ids, " ")) },
		Undo:        func(id string) { did("undo " + id) },
		Note:        func(id, text string) { did("note " + id + ": " + text) },
		Do: func(id string, asked control.Deed) {
			did(fmt.Sprintf("%s %s for %.0f s", asked.Deed, id, asked.ForSeconds))
		},
		Read: func(id string) { r.read = append(r.read, id) },
		Open: func(address string) { did("open " + address) },
	})
	r.window = test.NewTempWindow(t, kit.Beside(84, 0, kit.Gap(0), r.view.Object()))
	r.window.Resize(size)
	return r
}

// draw draws a state as the window does: again and again.
func (r *room) draw(s control.State, problem string) {
	for range 2 {
		r.view.Render(s, problem, night)
	}
}

func (r *room) words() string { return kittest.Words(r.window.Content()) }

func (r *room) click(t testing.TB, label string) {
	t.Helper()
	button := kittest.Button(r.window.Content(), label)
	if button == nil {
		t.Fatalf("there is no button “%s”:\n%s", label, r.words())
	}
	button.MouseDown(nil)
	button.Tapped(nil)
}

func TestTheListSaysHowEachPageStands(t *testing.T) {
	for _, m := range moments() {
		r := open(t, sizes["large"])
		r.draw(m.state, m.problem)
		want := strings.ReplaceAll(strings.Trim(m.says, "\n"), "\t", "")
		if got := reads(r.view.drawn.list); got != want {
			t.Errorf("%s reads\n%s\n\nwant\n%s", m.name, got, want)
		}
		if strings.Contains(r.words(), "_") {
			t.Errorf("%s: nobody says\n%s", m.name, r.words())
		}
	}
}

func TestAStormIsCountedWhole(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(storm(5000, "Web server does not answer"), "")
	if l := r.view.drawn.list; l.heading != "5000 open pages" || l.hidden != 4800 || len(l.calling) != control.MostPages {
		t.Errorf("it is %q, of which %d are listed and %d are not", l.heading, len(l.calling), l.hidden)
	}
	if r.draw(of(), ""); r.view.drawn.list.hidden != 0 || !strings.Contains(r.words(), "Nothing wants an answer.") {
		t.Errorf("without pages it reads\n%s", r.words())
	}
}

func TestEverythingIsToldOfOnePage(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(of(paged("a")), "")
	r.view.Know(control.Detail{Page: paged("a"), Details: "Error rate 38 %.\nQueue\x1b[31m 12 000.", Timeline: []control.Entry{
		{At: *before(1080), Kind: "paged", Text: "Paged: Checkout is dropping orders"}, {At: *before(1), Kind: "note", Text: "looking\x1b[2J at it"},
	}})
	r.draw(of(paged("a")), "")
	for _, want := range []string{
		"Checkout is dropping orders", "Ringing.", "paged 18 min ago", "region: eu-west-1", "Runbook: orders", "Open at the service",
		"Goes to Dana Ito at 03:16:18 if nobody answers.", "Acknowledging silences this alert for the whole team.",
		"Error rate 38 %.", "Queue 12 000.", "02:54:00", "Paged: Checkout is dropping orders", "looking at it",
	} {
		if !strings.Contains(r.words(), want) {
			t.Errorf("it does not say %q:\n%s", want, r.words())
		}
	}
	if strings.Contains(r.words(), "Evil") {
		t.Error("a link that is no web address is offered")
	}
	r.click(t, "Runbook: orders")
	r.click(t, "Open at the service")
	r.click(t, "Acknowledge")
	if want := []string{"open https://runbooks.example/orders", "open https://alerts.example/7", "acknowledge a"}; !slices.Equal(r.did, want) {
		t.Errorf("the view asked for %q, want %q", r.did, want)
	}
}

// A page that has ended is shown with its reason for as long as it is chosen.
func TestAPageThatEndedSaysWhy(t *testing.T) {
	for want, p := range map[string]control.Page{
		"Resolved at 03:11:59.":                         {Ending: "resolved", EndedAt: before(1)},
		"Went to Dana Ito.":                             {Ending: "reassigned", AssignedTo: "Dana Ito"},
		"The service restarted and no longer lists it.": {Ending: "forgotten"},
		"Your shift was over.":                          {Ending: "shift_over"},
		"Ended.":                                        {Ending: "never_heard_of"},
	} {
		r := open(t, sizes["large"])
		r.draw(of(paged("a")), "")
		gone := with(paged("a"), func(g *control.Page) {
			g.Status, g.Ringing, g.Ending, g.EndedAt, g.AssignedTo = "resolved", false, p.Ending, p.EndedAt, p.AssignedTo
		})
		r.view.Know(control.Detail{Page: gone})
		if r.draw(of(), ""); !strings.Contains(r.words(), want) || kittest.Button(r.window.Content(), "Acknowledge") != nil {
			t.Errorf("%s reads\n%s\nwant %q", p.Ending, r.words(), want)
		}
	}
}

func TestUndoIsOfferedForAsLongAsItCan(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(of(with(ours("a"), func(p *control.Page) { p.UndoUntil = ahead(22) })), "")
	r.click(t, "Undo")
	if !slices.Equal(r.did, []string{"undo a"}) {
		t.Errorf("the view asked for %q", r.did)
	}
	r.view.Render(r.view.state, "", night.Add(23*time.Second))
	if kittest.Button(r.window.Content(), "Undo") != nil {
		t.Error("it is offered when it is too late")
	}
}

func TestAPageIsChosen(t *testing.T) {
	r := open(t, sizes["large"])
	s := of(paged("a"), paged("b"), paged("c"))
	r.draw(s, "")
	chosen := func(want, why string) {
		t.Helper()
		if r.view.chosen != want || r.view.drawn.about.one.ID != want {
			t.Errorf("%s: chosen is %q and shown is %q, want %q", why, r.view.chosen, r.view.drawn.about.one.ID, want)
		}
	}
	chosen("a", "without a choice the first")
	for _, c := range []struct {
		steps int
		want  string
	}{{1, "b"}, {1, "c"}, {1, "c"}, {-1, "b"}, {-5, "a"}} {
		r.view.Step(c.steps)
		r.draw(s, "")
		chosen(c.want, fmt.Sprint(c.steps, " steps"))
	}
	picks := 0
	for _, part := range kittest.Parts(r.window.Content()) {
		if pick, is := part.(*kit.Pick); is {
			if picks++; picks == 3 {
				pick.Tapped(nil)
			}
		}
	}
	chosen("c", "a click on the third")
	if !slices.Equal(r.read, []string{"a", "b", "c", "b", "a", "c"}) {
		t.Errorf("it has read about %q", r.read)
	}
	r.view.Step(1)
	empty := open(t, sizes["large"])
	empty.draw(of(), "")
	empty.view.Step(1)
	if empty.draw(of(), ""); !strings.Contains(empty.words(), "Nothing is chosen") {
		t.Errorf("without pages it reads\n%s", empty.words())
	}
}

// A page is read about again when it stands differently, not at every state.
func TestAPageIsReadAboutAgainWhenItStandsDifferently(t *testing.T) {
	r := open(t, sizes["large"])
	for range 5 {
		r.draw(of(paged("a")), "")
	}
	for range 5 {
		r.draw(of(ours("a")), "")
	}
	r.view.Kept("a", "db", "Kept.", true)
	if r.draw(of(ours("a")), ""); !slices.Equal(r.read, []string{"a", "a", "a"}) {
		t.Errorf("it has read %d times", len(r.read))
	}
}

func TestANoteIsTakenOutOfItsFieldOnlyWhenItIsKept(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(of(ours("a")), "")
	r.view.note.Entry.SetText("db")
	r.click(t, "Keep")
	if !slices.Equal(r.did, []string{"note a: db"}) {
		t.Errorf("the view asked for %q", r.did)
	}
	r.view.Kept("a", "db", "The agent does not answer.", false)
	if r.draw(of(ours("a")), ""); r.view.note.Entry.Text != "db" || !strings.Contains(r.words(), "The agent does not answer.") {
		t.Errorf("the note is %q in\n%s", r.view.note.Entry.Text, r.words())
	}
	r.view.note.Entry.SetText("dbx")
	if r.view.Kept("a", "db", "Kept.", true); r.view.note.Entry.Text != "dbx" {
		t.Errorf("what was typed meanwhile has become %q", r.view.note.Entry.Text)
	}
	if r.view.Kept("a", "dbx", "Kept.", true); r.view.note.Entry.Text != "" {
		t.Errorf("a note that was kept is still there: %q", r.view.note.Entry.Text)
	}
	r.did = nil
	if r.click(t, "Keep"); len(r.did) != 0 {
		t.Errorf("an empty note was kept: %q", r.did)
	}
}

// What cannot be taken back wants two presses, and what a service cannot do is
// not offered.
func TestADeedWantsTwoPresses(t *testing.T) {
	r := open(t, sizes["large"])
	s := of(ours("a"))
	s.Accounts = []control.Account{{Name: "prod", Can: []string{"resolve", "snooze", "note"}}}
	r.draw(s, "")
	if kittest.Button(r.window.Content(), "Escalate") != nil {
		t.Error("what the service cannot do is offered")
	}
	r.click(t, "Resolve")
	if len(r.did) != 0 {
		t.Fatalf("one press did %q", r.did)
	}
	if r.click(t, "Really resolve it?"); len(r.did) != 0 {
		t.Fatalf("a double click did %q", r.did)
	}
	r.view.Render(s, "", night.Add(time.Second))
	r.click(t, "Really resolve it?")
	r.click(t, "Snooze 1 h")
	r.view.Render(s, "", night.Add(2*time.Second))
	r.click(t, "Really snooze it for 1 h?")
	if !slices.Equal(r.did, []string{"resolve a for 0 s", "snooze a for 3600 s"}) {
		t.Errorf("the view asked for %q", r.did)
	}
	r.did = nil
	r.click(t, "Resolve")
	r.view.Render(s, "", night.Add(sureFor+4*time.Second))
	if kittest.Button(r.window.Content(), "Resolve") == nil {
		t.Errorf("the question stays for ever:\n%s", r.words())
	}
	s.Accounts[0].Can = nil
	r.view.Render(s, "", night.Add(sureFor+5*time.Second))
	if kittest.Button(r.window.Content(), "Resolve") != nil || len(r.did) != 0 {
		t.Errorf("without the right to, it is offered, or was done: %q", r.did)
	}
}

func TestADraftStaysWithItsPage(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(of(ours("a"), ours("b")), "")
	r.view.note.Entry.SetText("db")
	r.view.Choose("b")
	if r.view.note.Entry.Text != "" {
		t.Errorf("the note about b begins with %q", r.view.note.Entry.Text)
	}
	r.view.note.Entry.SetText("disk")
	r.click(t, "Keep")
	r.view.Choose("a")
	if r.view.note.Entry.Text != "db" || !slices.Equal(r.did, []string{"note b: disk"}) {
		t.Errorf("the note about a is %q after %q", r.view.note.Entry.Text, r.did)
	}
	r.view.Kept("b", "disk", "Kept.", true)
	if r.view.Choose("b"); r.view.note.Entry.Text != "" {
		t.Errorf("a note that was kept is still there: %q", r.view.note.Entry.Text)
	}
}

func TestNothingLiesOnAnythingElse(t *testing.T) {
	longs := []string{
		"", strings.Repeat("Orders lost again, ", 16), strings.Repeat("W", 300), strings.Repeat("結帳服務正在遺失訂單", 30),
		strings.Repeat("مسار الدفع يفقد الطلبات ", 12), "Orders \x1b[31mlost\x1b[0m\a\nin <b>two</b> lines",
	}
	for where, size := range sizes {
		for number, m := range moments() {
			for turn := range 4 { // each moment with four of them
				long := longs[(2*number+turn)%len(longs)]
				r := open(t, size)
				s := m.state
				s.Pages = append(control.List[control.Page]{}, s.Pages...)
				for number := range s.Pages {
					if p := &s.Pages[number]; long != "" {
						p.Title, p.Service, p.AnswerReason, p.AcknowledgedBy, p.MutedBy, p.EscalatesTo, p.AnswerMutes = long, long, page.Plain(long, 200), long, long, long, long
						p.Labels = control.List[page.Label]{{Name: "host", Value: long}, {Name: long, Value: long}, {Name: "region", Value: "eu-west-1"}}
						p.Links = control.List[page.Link]{{Text: long, URL: "https://runbooks.example/"}, {URL: "https://x.example/" + strings.Repeat("w", 300)}}
						p.UndoUntil = ahead(20)
					}
				}
				r.draw(s, m.problem+long)
				if len(s.Pages) > 0 {
					r.view.Know(control.Detail{Page: s.Pages[0], Details: long, Timeline: []control.Entry{{At: *before(90_000), Kind: "note", Text: long}, {At: night, Kind: "paged", Text: long}}})
				}
				r.view.Tell(long)
				r.draw(s, m.problem+long)
				for _, fault := range kittest.Faults(r.window.Content(), size) {
					t.Errorf("%s, %s, “%.30s”: %s", where, m.name, long, fault)
				}
			}
		}
	}
}

// Time that passes is said anew; nothing is built for it. Of 200 pages one gets
// a minute older every few hundred milliseconds.
func TestTimePassesWithoutAnythingBeingBuilt(t *testing.T) {
	r := open(t, sizes["large"])
	s := storm(5000, "Web server does not answer")
	r.draw(s, "")
	before, words := kittest.Parts(r.window.Content()), r.words()
	r.view.Render(s, "", night.Add(5*time.Second))
	after := kittest.Parts(r.window.Content())
	if len(before) != len(after) {
		t.Fatalf("of %d parts it has become %d", len(before), len(after))
	}
	for number := range before {
		if before[number] != after[number] {
			t.Fatalf("%T was built anew", after[number])
		}
	}
	if r.words() == words {
		t.Error("five seconds later nothing has become older")
	}
}

func TestAStormIsDrawnAtOnce(t *testing.T) {
	r := open(t, sizes["large"])
	r.draw(of(), "")
	s := storm(5000, strings.Repeat("Orders lost again, ", 16)[:300])
	began := time.Now()
	r.draw(s, "")
	took := time.Since(began)
	t.Logf("a state of %d pages with titles of 300 letters is drawn in %v, of %d parts", len(s.Pages), took.Round(time.Millisecond), len(kittest.Parts(r.window.Content())))
	if took > 2*time.Second {
		t.Errorf("it takes %v", took)
	}
	began = time.Now()
	r.view.Render(s, "", night.Add(time.Second))
	t.Logf("and again a second later in %v", time.Since(began).Round(100*time.Microsecond))
}
