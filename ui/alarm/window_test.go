package alarm

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit"
	"nightstand/ui/kit/kittest"
	"nightstand/ui/look"
)

// desk is somebody in front of the window. What is pressed goes where Fyne
// sends it: to whatever has the keyboard, else to the window.
type desk struct {
	window *Window
	canvas fyne.Canvas
	now    time.Time
	did    []string // what the window asked for, but for reading
	read   []string
}

var large = fyne.NewSize(1200, 760)

// TestMain dresses all windows alike, as the program does.
func TestMain(m *testing.M) {
	test.NewApp().Settings().SetTheme(look.Theme{Palette: look.Alarm})
	os.Exit(m.Run())
}

// sit opens a window of that size, which has the focus.
func sit(t testing.TB, size fyne.Size) *desk {
	place := test.NewTempWindow(t, kit.Gap(0))
	place.Resize(size)
	d := &desk{canvas: place.Canvas(), now: start}
	did := func(what string) { d.did = append(d.did, what) }
	d.window = New(d.canvas, Actions{
		Acknowledge: func(ids []string) { did("acknowledge " + strings.Join(ids, " ")) },
		Hush:        func() { did("hush") },
		Undo:        func(id string) { did("undo " + id) },
		Note:        func(id, text string) { did("note " + id + ": " + text) },
		Read:        func(id string) { d.read = append(d.read, id) },
		Open:        func(address string) { did("open " + address) },
		Close:       func() { did("close") },
	}, func() time.Time { return d.now })
	d.window.Render()
	d.window.Focus(true)
	return d
}

// frame is how often the window is drawn anew while nothing happens.
const frame = 200 * time.Millisecond

func (d *desk) wait(long time.Duration) {
	for end := d.now.Add(long); d.now.Before(end); d.window.Render() {
		d.now = d.now.Add(min(frame, end.Sub(d.now)))
	}
}

// ready waits until what is shown may be answered.
func (d *desk) ready() { d.wait(1100 * time.Millisecond) }

func (d *desk) down(key fyne.KeyName) {
	event := &fyne.KeyEvent{Name: key}
	if focused := d.canvas.Focused(); focused == nil {
		d.window.KeyDown(event)
	} else if keyable, is := focused.(desktop.Keyable); is {
		keyable.KeyDown(event)
	}
	d.again(key)
}

// again is a key that is held repeating by itself.
func (d *desk) again(key fyne.KeyName) {
	letter := rune(0)
	switch {
	case key == fyne.KeySpace:
		letter = ' '
	case len(key) == 1:
		letter = rune(key[0]) + 'a' - 'A'
	}
	if focused := d.canvas.Focused(); focused != nil {
		focused.TypedKey(&fyne.KeyEvent{Name: key})
	} else {
		d.window.Stir()
	}
	switch focused := d.canvas.Focused(); {
	case letter == 0:
	case focused != nil:
		focused.TypedRune(letter)
	default:
		d.window.Stir()
	}
}

func (d *desk) up(key fyne.KeyName) {
	event := &fyne.KeyEvent{Name: key}
	if focused := d.canvas.Focused(); focused == nil {
		d.window.KeyUp(event)
	} else if keyable, is := focused.(desktop.Keyable); is {
		keyable.KeyUp(event)
	}
}

func (d *desk) press(keys ...fyne.KeyName) {
	for _, key := range keys {
		d.down(key)
		d.up(key)
	}
}

// click presses and lets go of whatever is at that place.
func (d *desk) click(at fyne.Position) {
	d.release(d.hold(at))
}

// hold presses the button of the pointer there.
func (d *desk) hold(at fyne.Position) (fyne.CanvasObject, fyne.Position) {
	object := d.under(at)
	if mouseable, is := object.(desktop.Mouseable); is {
		mouseable.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	if focusable, is := object.(fyne.Focusable); !is || d.canvas.Focused() != focusable {
		d.canvas.Unfocus()
	}
	return object, at
}

// release lets go; it is a click when the same thing is still there.
func (d *desk) release(pressed fyne.CanvasObject, at fyne.Position) {
	object := d.under(at)
	if mouseable, is := object.(desktop.Mouseable); is {
		mouseable.MouseUp(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	if tappable, is := object.(fyne.Tappable); is && object == pressed {
		tappable.Tapped(&fyne.PointEvent{})
	}
}

// under is the button at that place, else the ground.
func (d *desk) under(at fyne.Position) fyne.CanvasObject {
	var found fyne.CanvasObject
	for _, part := range kittest.Parts(d.canvas.Content()) {
		if ground, is := part.(*kit.Ground); is {
			found = ground
		}
	}
	for _, thing := range kittest.Things(d.canvas.Content()) {
		interested := thing.Kind == "button" || thing.Kind == "field"
		if interested && thing.Place.Holds(at) {
			found = thing.Object
		}
	}
	return found
}

// button is where the button of that label is.
func (d *desk) button(t testing.TB, label string) fyne.Position {
	t.Helper()
	for _, thing := range kittest.Things(d.canvas.Content()) {
		if thing.Kind == "button" && strings.HasPrefix(thing.Text, label) {
			return thing.Place.Middle()
		}
	}
	t.Fatalf("there is no button “%s” in\n%s", label, d.words())
	return fyne.Position{}
}

func (d *desk) words() string { return kittest.Words(d.canvas.Content()) }

func (d *desk) mustHave(t testing.TB, why string, did ...string) {
	t.Helper()
	if !slices.Equal(d.did, did) {
		t.Errorf("%s: the window asked for %q, want %q", why, d.did, did)
	}
	d.did = nil
}

func TestSpaceAnswersOnceAfterACalm(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.wait(600 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.wait(690 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.mustHave(t, "before 700 ms without a key")
	d.wait(700 * time.Millisecond)
	d.down(fyne.KeySpace)
	d.mustHave(t, "after 700 ms of calm", "acknowledge a")
	for range 40 {
		d.wait(50 * time.Millisecond)
		d.again(fyne.KeySpace)
	}
	d.up(fyne.KeySpace)
	d.press(fyne.KeySpace)
	d.mustHave(t, "a key that is held, and pressed again at once")
}

func TestAPageIsNotAnsweredBeforeItWasShownForASecond(t *testing.T) {
	d := sit(t, large)
	d.wait(5 * time.Second)
	d.window.See(of(paged("a")))
	d.wait(900 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.mustHave(t, "after 900 ms")
	d.wait(900 * time.Millisecond)
	d.window.See(of(paged("a"), paged("b")))
	d.wait(300 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.mustHave(t, "one page is old and one is new", "acknowledge a")
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "both are old", "acknowledge a b")
}

func TestEnterNeverAnswers(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter, fyne.KeyTab, fyne.KeyEscape, fyne.KeyA, fyne.KeyY, fyne.KeyBackspace} {
		d.ready()
		d.press(key)
		d.mustHave(t, string(key))
	}
}

func TestTypingFingersDoNothing(t *testing.T) {
	d := sit(t, large)
	for range 5 {
		d.window.See(of())
		d.press(fyne.KeyA, fyne.KeyB)
		d.window.See(of(paged("a")))
		for range 8 {
			for _, key := range []fyne.KeyName{fyne.KeyA, fyne.KeyH, fyne.KeyO, fyne.KeyReturn, fyne.KeySpace} {
				d.wait(130 * time.Millisecond)
				d.press(key)
			}
		}
	}
	d.mustHave(t, "typing goes on")
}

// However somebody types, clicks and turns away, no press counts within 700 ms
// of another one, and none answers a page that was not shown for a second.
func TestNothingHappensByAccident(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := sit(t, large)
		pages := []control.Page{paged("a")}
		shown := map[string]time.Time{"a": d.now}
		d.window.See(of(pages...))
		last, focused := d.now, true
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			d.wait(time.Duration(rapid.IntRange(1, 14).Draw(r, "tenths of a second")) * 100 * time.Millisecond)
			calm := focused && d.now.Sub(last) >= calm
			switch what := rapid.SampledFrom([]string{"Space", "H", "Return", "click", "focus", "page"}).Draw(r, "what"); what {
			case "page":
				id := string(rune('a' + len(pages)))
				pages, shown[id] = append(pages, paged(id)), d.now
				d.window.See(of(pages...))
			case "focus":
				focused = !focused
				d.window.Focus(focused)
				last = d.now
			case "click":
				d.click(d.window.keyAt())
				last = d.now
			default:
				d.press(fyne.KeyName(what))
				last = d.now
			}
			for _, did := range d.did {
				ids, acknowledged := strings.CutPrefix(did, "acknowledge ")
				for id := range strings.FieldsSeq(ids) {
					if acknowledged && d.now.Sub(shown[id]) < time.Second {
						r.Fatalf("%s was answered after %s", id, d.now.Sub(shown[id]))
					}
				}
			}
			if len(d.did) > 1 || len(d.did) == 1 && !calm {
				r.Fatalf("one press within the calm, or one that does several things: %q", d.did)
			}
			d.did = nil
		}
	})
}

// keyAt is where the large key is.
func (w *Window) keyAt() fyne.Position {
	for _, thing := range kittest.Things(w.canvas.Content()) {
		if thing.Object == fyne.CanvasObject(w.key) {
			return thing.Place.Middle()
		}
	}
	return fyne.Position{}
}

func TestAClickAnswersOnlyWhenTheKeyShowsThatItDoes(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	key := d.window.keyAt()
	if !strings.Contains(d.words(), "hands off the keys for a second") {
		t.Errorf("a key that does nothing yet does not say so:\n%s", d.words())
	}
	d.click(key)
	d.wait(600 * time.Millisecond)
	d.click(key)
	d.mustHave(t, "a key that is not ready")
	d.ready()
	if !strings.Contains(d.words(), "Space") || strings.Contains(d.words(), "hands off") {
		t.Errorf("a key that is ready does not say so:\n%s", d.words())
	}
	d.click(key)
	d.click(key)
	d.mustHave(t, "a double click on a key that is ready", "acknowledge a")
	d.ready()
	d.click(fyne.NewPos(20, 20))
	d.click(key)
	d.mustHave(t, "a click right after one beside it")
}

func TestWithoutTheFocusNothingAnswers(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.window.Focus(false)
	d.ready()
	if d.button(t, "Click here first") != d.window.keyAt() {
		t.Error("the key does not say that it wants a click first")
	}
	d.press(fyne.KeySpace, fyne.KeyH, fyne.KeyO)
	d.ready()
	pressed, at := d.hold(d.window.keyAt())
	d.window.Focus(true)
	d.release(pressed, at)
	d.mustHave(t, "the click that gives it the focus")
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "with the focus", "acknowledge a")
}

func TestWhileAKeyIsHeldNothingAnswers(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.down(fyne.KeyA)
	for range 3 {
		d.ready()
		d.click(d.window.keyAt())
	}
	d.up(fyne.KeyA)
	d.mustHave(t, "A is held down")

	d.ready()
	d.window.See(of())
	d.again(fyne.KeySpace) // held since before the window came up: only its repeating is told
	d.window.See(of(paged("b")))
	for range 30 {
		d.wait(100 * time.Millisecond)
		d.again(fyne.KeySpace)
	}
	d.up(fyne.KeySpace)
	d.mustHave(t, "Space was held down when the page came")
}

// What is drawn anew under a click must neither swallow it nor turn it into
// another one.
func TestAClickSurvivesThatThePictureChanges(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.ready()
	pressed, at := d.hold(d.window.keyAt())
	d.window.See(of(with(paged("a"), func(p *control.Page) { p.Service = "checkout" }), paged("b")))
	d.release(pressed, at)
	d.mustHave(t, "another page came under the click", "acknowledge a")

	d.ready()
	pressed, at = d.hold(d.window.keyAt())
	d.window.See(of(with(ours("a"), func(p *control.Page) { p.StillOnIt = true })))
	d.release(pressed, at)
	d.mustHave(t, "the question became another one under the click")
}

func TestTheQuietKeys(t *testing.T) {
	d := sit(t, large)
	unsafe := with(paged("a"), func(p *control.Page) {
		p.Links = append(control.List[page.Link]{{Text: "Evil", URL: "javascript:alert(1)"}, {Text: "Evil", URL: "file:///etc/passwd"}}, p.Links...)
	})
	d.window.See(of(unsafe))
	d.press(fyne.KeyH, fyne.KeyO)
	d.mustHave(t, "not ready")
	for key, want := range map[fyne.KeyName]string{fyne.KeyH: "hush", fyne.KeyO: "open https://runbooks.example/orders"} {
		d.ready()
		d.press(key)
		d.mustHave(t, string(key), want)
	}
	for label, want := range map[string]string{"Hush": "hush", "Open": "open https://runbooks.example/orders"} {
		d.ready()
		d.click(d.button(t, label))
		d.mustHave(t, label, want)
	}
	d.ready()
	d.press(fyne.KeyU, fyne.KeyN)
	d.mustHave(t, "there is nothing to undo and nothing to note")

	d.window.See(of(with(unsafe, func(p *control.Page) { p.HushesLeft, p.Links = 0, p.Links[:2] })))
	for _, key := range []fyne.KeyName{fyne.KeyH, fyne.KeyO} {
		d.ready()
		d.press(key)
	}
	d.mustHave(t, "no hush is left, and no link is safe")

	known := of()
	known.Armed.State = "blind"
	d.window.See(known)
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "blindness is known, not answered", "hush")
}

func TestUndo(t *testing.T) {
	d := sit(t, large)
	taken := of(with(ours("a"), func(p *control.Page) { p.UndoUntil = ahead(25) }))
	d.window.See(taken)
	if strings.Contains(d.words(), "\nU\n") {
		t.Error("U is offered as a key while it is a letter of the note")
	}
	d.ready()
	d.press(fyne.KeyU)
	if d.mustHave(t, "U while the note has the keyboard"); d.window.note.Entry.Text != "u" {
		t.Errorf("the note is %q", d.window.note.Entry.Text)
	}
	d.click(fyne.NewPos(20, 20))
	d.ready()
	if !strings.Contains(d.words(), "\nU\n") {
		t.Errorf("U is not offered although it would undo:\n%s", d.words())
	}
	d.press(fyne.KeyU)
	d.mustHave(t, "U", "undo a")
	d.ready()
	d.click(d.button(t, "Undo"))
	d.mustHave(t, "a click", "undo a")
	d.wait(25 * time.Second)
	if kittest.Button(d.canvas.Content(), "Undo") != nil {
		t.Error("it is still offered when it is too late")
	}
	d.press(fyne.KeyU)
	d.mustHave(t, "too late")
}

func TestTheNoteHasTheKeyboardExactlyWhileThereIsSomethingToNote(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	if d.canvas.Focused() != nil {
		t.Error("something has the keyboard while a page rings")
	}
	d.window.See(of(ours("a")))
	if d.canvas.Focused() != fyne.Focusable(d.window.note.Entry) {
		t.Fatal("the note does not have the keyboard")
	}
	d.press(fyne.KeyD, fyne.KeyB, fyne.KeyReturn)
	d.mustHave(t, "Enter", "note a: db")
	d.window.Kept("a", "db", "The agent does not answer.", false)
	if d.window.note.Entry.Text != "db" || !strings.Contains(d.words(), "The agent does not answer.") {
		t.Errorf("a note that was not kept is %q, and is said so in\n%s", d.window.note.Entry.Text, d.words())
	}
	d.press(fyne.KeyX)
	d.window.Kept("a", "db", "Kept at 03:12:09.", true)
	if d.window.note.Entry.Text != "dbx" {
		t.Errorf("what was typed meanwhile has become %q", d.window.note.Entry.Text)
	}
	d.window.Kept("a", "dbx", "Kept at 03:12:10.", true)
	if d.window.note.Entry.Text != "" || d.canvas.Focused() != fyne.Focusable(d.window.note.Entry) {
		t.Errorf("after it was kept the note is %q and has the keyboard: %v", d.window.note.Entry.Text, d.canvas.Focused() != nil)
	}
	d.press(fyne.KeyReturn)
	d.mustHave(t, "there is nothing to note")

	d.click(fyne.NewPos(20, 20))
	d.window.Know(control.Detail{Page: ours("a"), Timeline: []control.Entry{{At: start, Kind: "note", Text: "db"}}})
	if d.canvas.Focused() != nil {
		t.Error("the note takes the keyboard by itself")
	}
	d.ready()
	d.press(fyne.KeyN)
	if d.canvas.Focused() != fyne.Focusable(d.window.note.Entry) || d.window.note.Entry.Text != "" {
		t.Errorf("after N the note is %q and has the keyboard: %v", d.window.note.Entry.Text, d.canvas.Focused() != nil)
	}
}

func TestAPageThatComesWhileANoteIsTypedIsNotAnsweredAndTheDraftIsKept(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.window.See(of(ours("a")))
	d.press(fyne.KeyD, fyne.KeyB, fyne.KeySpace)
	d.down(fyne.KeyI)
	d.window.See(of(paged("b"), ours("a")))
	d.up(fyne.KeyI)
	for _, key := range []fyne.KeyName{fyne.KeyS, fyne.KeySpace, fyne.KeyReturn, fyne.KeyH, fyne.KeySpace} {
		d.wait(150 * time.Millisecond)
		d.press(key)
	}
	d.mustHave(t, "typing goes on")
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "after a calm", "acknowledge b")
	d.window.See(of(ours("b"), ours("a")))
	if d.window.note.Entry.Text != "" || d.canvas.Focused() != fyne.Focusable(d.window.note.Entry) {
		t.Errorf("the note about b begins with %q, with the keyboard: %v", d.window.note.Entry.Text, d.canvas.Focused() != nil)
	}
	if !strings.Contains(d.words(), "”: db i") {
		t.Errorf("what was begun about a is not offered:\n%s", d.words())
	}
	d.ready()
	d.click(d.button(t, "Keep it there"))
	d.mustHave(t, "the draft is kept where it belongs", "note a: db i")
	d.window.Kept("a", "db i", "Kept at 03:12:09.", true)
	if strings.Contains(d.words(), "db i") {
		t.Errorf("it is kept and still offered:\n%s", d.words())
	}
}

// The page that somebody writes about may be resolved under their hands.
func TestADraftAboutAPageThatEndsCanStillBeKept(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(ours("a")))
	d.press(fyne.KeyD, fyne.KeyB)
	d.window.See(of())
	d.ready()
	d.click(d.button(t, "Keep it there"))
	d.mustHave(t, "the page has ended", "note a: db")
	d.window.Kept("a", "db", "The agent does not answer.", false)
	d.window.See(of(ours("a")))
	if d.window.note.Entry.Text != "db" {
		t.Errorf("a note that was not kept is %q", d.window.note.Entry.Text)
	}
}

// Before the agent has said anything, nothing is known, least of all that it is quiet.
func TestNothingIsSaidBeforeTheAgentHasSpoken(t *testing.T) {
	d := sit(t, large)
	d.window.Focus(true)
	if said := strings.TrimSpace(d.words()); said != "" {
		t.Errorf("it says\n%s", said)
	}
	d.window.Miss("It is gone.")
	if !strings.Contains(d.words(), "It is gone.") {
		t.Errorf("it says\n%s", d.words())
	}
}

func TestTheWindowReadsAboutThePageItIsAbout(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a"), paged("b")))
	d.wait(time.Second)
	d.window.See(of(paged("b"), ours("a")))
	if !slices.Equal(d.read, []string{"a", "b"}) {
		t.Errorf("it has read about %q", d.read)
	}
	d.read = nil
	d.window.See(of(ours("b"), ours("a")))
	if !slices.Contains(d.read, "b") || slices.Contains(d.read, "a") {
		t.Errorf("working, it has read about %q", d.read)
	}
}

func TestWhatACommandSaidIsShownUntilThePictureChanges(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.window.Tell("The agent does not answer.")
	if !strings.Contains(d.words(), "The agent does not answer.") {
		t.Errorf("it is not said:\n%s", d.words())
	}
	d.window.See(of(ours("a")))
	if strings.Contains(d.words(), "The agent does not answer.") {
		t.Errorf("it is still said:\n%s", d.words())
	}
}

func TestTheWindowIsNeededWhileSomethingIsOpen(t *testing.T) {
	needed := []kind{ringing, asking, sending, blind}
	for _, m := range moments() {
		d := sit(t, large)
		d.window.view.about = m.view.about
		d.window.See(m.view.state)
		if m.view.problem != "" {
			d.window.Miss(m.view.problem)
		}
		if got := d.window.Ringing(); got != slices.Contains(needed, d.window.drawn.scene.kind) {
			t.Errorf("%s: needed is %v", m.name, got)
		}
	}
}

func TestAnAgentThatIsLostIsSaidAndFoundAgain(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(paged("a")))
	d.ready()
	d.window.Miss("The agent went away.")
	d.wait(3 * time.Second)
	d.press(fyne.KeySpace)
	if d.mustHave(t, "nothing can be answered"); !strings.Contains(d.words(), "The agent has not answered for 3 s.") {
		t.Errorf("it does not say for how long:\n%s", d.words())
	}
	d.ready()
	d.window.See(of(paged("a")))
	d.wait(500 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.mustHave(t, "the picture has just become another one")
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "the agent is back", "acknowledge a")
}

// Only what passing time changes is drawn anew, and nothing is built for it.
func TestTimePassesWithoutAnythingBeingBuilt(t *testing.T) {
	for _, m := range moments() {
		d := sit(t, large)
		d.window.view.about = m.view.about
		d.window.See(m.view.state)
		if m.view.problem != "" {
			d.window.Miss(m.view.problem)
		}
		d.ready()
		content, parts := d.canvas.Content(), len(kittest.Parts(d.canvas.Content()))
		before := d.words()
		for range 5 {
			d.wait(time.Second)
			d.window.Render()
		}
		if d.canvas.Content() != content || len(kittest.Parts(content)) != parts {
			t.Errorf("%s: it was built anew", m.name)
		}
		if strings.Contains(before, "4:1") && d.words() == before {
			t.Errorf("%s: the countdown stands still", m.name)
		}
	}
}

// A window that comes to stay above all others is a new one: its keys rest, and
// nothing that was typed is lost.
func TestAnotherWindowBeginsAnewAndKeepsTheDraft(t *testing.T) {
	d := sit(t, large)
	d.window.See(of(ours("a")))
	d.press(fyne.KeyD, fyne.KeyB)
	other := test.NewTempWindow(t, kit.Gap(0))
	other.Resize(large)
	d.canvas = other.Canvas()
	d.window.Move(d.canvas)
	d.window.TakeKeyboard()
	if d.window.note.Entry.Text != "db" || d.canvas.Focused() != fyne.Focusable(d.window.note.Entry) {
		t.Errorf("the draft is %q, with the keyboard: %v", d.window.note.Entry.Text, d.canvas.Focused() != nil)
	}

	d.window.See(of(paged("b")))
	d.ready()
	third := test.NewTempWindow(t, kit.Gap(0))
	third.Resize(large)
	d.canvas = third.Canvas()
	d.window.Move(d.canvas)
	d.wait(600 * time.Millisecond)
	d.press(fyne.KeySpace)
	d.mustHave(t, "the window has just appeared")
	d.ready()
	d.press(fyne.KeySpace)
	d.mustHave(t, "after a calm", "acknowledge b")
}

// Blindness that somebody knows of is in nobody's way.
func TestTheWindowIsAboveAllOthersWhileItIsNeeded(t *testing.T) {
	above := map[string]bool{"blind, and known": false, "blind, and ringing": true, "sending": true, "a single page": true, "working": false, "resolved": false}
	for _, m := range moments() {
		want, asked := above[m.name]
		if !asked {
			continue
		}
		d := sit(t, large)
		d.window.view.about = m.view.about
		d.window.See(m.view.state)
		if got := d.window.Above(); got != want {
			t.Errorf("%s: above all others is %v", m.name, got)
		}
	}
}
