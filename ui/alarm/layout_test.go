package alarm

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/kit/kittest"
)

var windows = map[string]fyne.Size{"large": large, "middle": {Width: 1000, Height: 700}, "small": {Width: 800, Height: 560}}

// titles are all that a page can be called.
var titles = []string{
	"D",
	"Checkout is dropping orders since the failover of 03:02 today",
	strings.Repeat("Orders lost again, ", 16)[:300],
	strings.Repeat("Orders ", 1500)[:10_000],
	strings.Repeat("W", 300),
	strings.Repeat("مسار الدفع يفقد الطلبات ", 12),
	strings.Repeat("結帳服務正在遺失訂單", 30),
	strings.Repeat("\ue123\U000f1234 ", 100), // no font has these
	`<b onclick="x">Orders</b> & <i>**lost**</i> [x](javascript:alert(1)) &amp; ${HOME} $(reboot) %s`,
	"Orders \x1b[31mlost\x1b[0m\a\x00 in\nfour\tlines\r\nand \u202egnorw\u202c \u200bhidden",
	strings.Repeat("Z\u0301\u0302\u0303\u0308\u030a\u0330\u0331 ", 60),
	" \t \n ",
	"🔥🔥 Orders ❤️ ✓▲◆●→ lost 👩‍💻",
}

// called hands each moment two of the titles in turn, so that every title is
// seen in every kind of picture.
func called(number int, tell func(title string)) {
	for turn := range 2 {
		tell(titles[(2*number+turn)%len(titles)])
	}
}

// drawnIn is a window of that size with that moment on it, as it is two seconds later.
func drawnIn(t testing.TB, size fyne.Size, m moment, change func(*control.Page)) *desk {
	d := sit(t, size)
	state := m.view.state
	state.Pages = append(control.List[control.Page]{}, state.Pages...)
	for number := range state.Pages {
		change(&state.Pages[number])
	}
	about, detail := m.view.about, m.view.detail
	change(&about)
	if about.ID == "" {
		about = control.Page{}
	}
	if len(state.Pages) > 0 && detail.ID == "" {
		detail = control.Detail{Page: state.Pages[0], Details: state.Pages[0].Title}
		for _, kind := range []string{"paged", "siren_playing", "confirmed", "note", "never_heard_of"} {
			detail.Timeline = append(detail.Timeline, control.Entry{At: start, Kind: kind, Text: state.Pages[0].Title})
		}
	}
	d.window.view.about, d.window.view.detail = about, detail
	for _, p := range state.Pages {
		d.window.view.shown[p.ID] = *before(2)
	}
	if d.window.view.state = state; m.view.problem != "" {
		d.window.Miss(m.view.problem)
	} else {
		d.window.See(state)
	}
	d.ready()
	d.ready()
	return d
}

func TestNothingLiesOnAnythingElse(t *testing.T) {
	for where, size := range windows {
		for number, m := range moments() {
			called(number, func(title string) {
				d := drawnIn(t, size, m, func(p *control.Page) { p.Title = title })
				d.mustBeTidy(t, where, m.name, title)
			})
		}
	}
}

// Everything that comes from outside can be long, not only the title.
func TestNothingLiesOnAnythingElseHoweverLongItIs(t *testing.T) {
	for where, size := range windows {
		for number, m := range moments() {
			called(number, func(long string) {
				m := m
				m.view.state.Alarm.Device = long
				m.view.problem = strings.Repeat(m.view.problem, 20)
				d := drawnIn(t, size, m, func(p *control.Page) {
					p.Service, p.EscalatesTo, p.AnswerReason, p.AnswerMutes = long, long, page.Plain(long, 200), long
					p.Labels = control.List[page.Label]{{Name: "host", Value: long}, {Name: long, Value: long}}
					p.Links = control.List[page.Link]{{Text: long, URL: "https://runbooks.example/"}, {URL: "https://x.example/" + strings.Repeat("w", 300)}}
				})
				d.window.kept = page.Plain(long, page.MaxTitle)
				d.window.Tell(long)
				d.mustBeTidy(t, where, m.name, "everything is "+long)
			})
		}
	}
}

func (d *desk) mustBeTidy(t testing.TB, where, moment, title string) {
	t.Helper()
	d.picture(t, where+" "+moment+" "+page.Plain(title, 20))
	for _, fault := range kittest.Faults(d.canvas.Content(), windows[where]) {
		t.Errorf("%s, %s, “%.60s”: %s", where, moment, title, fault)
	}
}

// Whatever has to give way, the title and a key that can be hit stay.
func TestTheTitleAndTheKeyAlwaysStay(t *testing.T) {
	for where, size := range windows {
		least := float32(120)
		if size == large {
			least = 140
		}
		for _, m := range moments() {
			d := drawnIn(t, size, m, func(p *control.Page) { p.Title = "Checkout is dropping orders since the failover of 03:02 today" })
			switch d.window.drawn.scene.kind {
			case ringing, asking, blind:
			default:
				continue
			}
			if height := d.window.key.Size().Height; height < least {
				t.Errorf("%s, %s: the key is %.0f high", where, m.name, height)
			}
			s, read := d.window.drawn.scene, strings.ReplaceAll(d.words(), "\n", " ")
			if !strings.Contains(read, s.title) {
				t.Errorf("%s, %s: the title is not there:\n%s", where, m.name, d.words())
			}
			if placed := strings.Contains(read, s.place); !placed && (strings.Contains(read, "Also: ") || s.details != s.title && strings.Contains(read, s.details)) {
				t.Errorf("%s, %s: the place has gone before the rest:\n%s", where, m.name, d.words())
			}
		}
	}
}

// The service and the countdown of an ordinary page are read at two metres,
// and the countdown is never cut off by a name.
func TestWhatHasToBeReadFromTheBedIsLarge(t *testing.T) {
	d := drawnIn(t, large, moments()[0], func(*control.Page) {})
	sizes := map[string]float32{}
	for _, thing := range kittest.Things(d.canvas.Content()) {
		if text, is := thing.Object.(*canvas.Text); is {
			sizes[thing.Text] = max(text.TextSize, sizes[thing.Text])
		}
	}
	for words, least := range map[string]float32{"Checkout is dropping orders": 56, "checkout-api · eu-west-1": 36, "Goes to Dana Ito in 4:16": 36} {
		if sizes[words] < least {
			t.Errorf("“%s” is set in %.0f, want at least %.0f", words, sizes[words], least)
		}
	}
	for where, size := range windows {
		d := drawnIn(t, size, moments()[0], func(p *control.Page) { p.EscalatesTo = strings.Repeat("Maximilian ", 9) })
		if !strings.Contains(d.words(), " in 4:16") {
			t.Errorf("%s: the countdown is cut off:\n%s", where, d.words())
		}
	}
}

// picture draws the window into the folder that NIGHTSTAND_PICTURES names, for
// somebody to look at.
func (d *desk) picture(t testing.TB, name string) {
	folder := os.Getenv("NIGHTSTAND_PICTURES")
	if folder == "" {
		return
	}
	file, err := os.Create(filepath.Join(folder, strings.NewReplacer(" ", "-", ",", "", "/", "").Replace(name)+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, d.canvas.Capture()); err != nil {
		t.Fatal(err)
	}
}
