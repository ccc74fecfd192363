package now

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"nightstand/app/control"
	"nightstand/ui/kit"
	"nightstand/ui/kit/kittest"
	"nightstand/ui/look"
)

var night = time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)

func before(seconds int) *time.Time { return new(night.Add(-time.Duration(seconds) * time.Second)) }

func ahead(seconds int) *time.Time { return new(night.Add(time.Duration(seconds) * time.Second)) }

// calm is a night in which all is well.
func calm() control.State {
	s := control.State{}
	s.Agent.StartedAt = *before(9000)
	s.Armed = control.Armed{State: "armed", Sentence: "Armed. You would hear a page right now.", Signals: []control.Signal{
		{Name: "poll:prod", State: "ok", Required: true, Detail: "answers"},
		{Name: "stay_awake", State: "ok", Required: true, Detail: "on mains, sleep is held off"},
		{Name: "supervisor", State: "warning", Detail: "if I crash, nobody restarts me"},
	}}
	s.Shift = control.Shift{Known: true, OnCall: true, Role: "primary", EndsAt: ahead(7200)}
	s.Accounts = control.List[control.Account]{{Name: "prod", LastGoodPoll: before(2)}, {Name: "home", LastGoodPoll: before(7)}}
	return s
}

func changed(s control.State, change func(*control.State)) control.State {
	change(&s)
	return s
}

// many is a state of which so many pages are open, and at most 200 are listed.
func many(open int, title string) control.State {
	return changed(calm(), func(s *control.State) {
		s.Open = open
		for number := range min(open, control.MostPages) {
			s.Pages = append(s.Pages, control.Page{ID: fmt.Sprint("p", number), Title: title, Severity: "degraded", Status: "triggered", Ringing: true, TriggeredAt: before(30 * number)})
		}
	})
}

type moment struct {
	name    string
	state   control.State
	problem string
	says    string
}

func moments() []moment {
	return []moment{
		{"armed", calm(), "", `
			(armed) Armed
			You would hear a page right now.
			! ok Sight of prod: Answers
			! ok Stay awake: On mains, sleep is held off
			  warning Supervisor: If I crash, nobody restarts me
			You are on call as primary until 05:12.
			No page is open. Checked 7 s ago.
			ok prod: Answered 2 s ago.
			ok home: Answered 7 s ago.`},
		{"not armed", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "not_armed", Sentence: "Not armed: the sound is not proved.", Signals: []control.Signal{{Name: "sound", State: "unknown", Required: true, Detail: "not proved yet"}}}
			s.Shift = control.Shift{OnCall: true}
			s.Notices = control.List[control.Notice]{{ID: "n1", Text: "“Cache\x1b[2J” is resolved.", At: *before(600)}}
		}), "", `
			(not_armed) Not armed
			The sound is not proved.
			! unknown Sound: Not proved yet
			No roster is known, so you count as on call.
			No page is open. Checked 7 s ago.
			ok prod: Answered 2 s ago.
			ok home: Answered 7 s ago.
			“Cache” is resolved. 03:02:00 [Dismiss n1]`},
		{"blind, and ringing", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "blind", Sentence: "Blind: prod was last seen at 03:10:00."}
			s.Alarm = control.Alarm{Sounding: true, Pattern: "blind"}
			s.Accounts = control.List[control.Account]{{Name: "prod", LastGoodPoll: before(120), Blind: true, Error: "it does not answer"}}
		}), "", `
			(blind) Blind
			Prod was last seen at 03:10:00.
			[I know, be quiet]
			You are on call as primary until 05:12.
			No page is open. Checked 2 min ago.
			failed prod: BLIND, pages of it cannot be seen: answered 2 min ago, but now: it does not answer.`},
		{"blind, and known", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "blind", Sentence: "Blind: prod was last seen at 03:10:00."}
			s.Accounts = nil
		}), "", `
			(blind) Blind
			Prod was last seen at 03:10:00.
			You are on call as primary until 05:12.
			No page is open. No paging service is set up.`},
		{"unknown", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "unknown", Sentence: "Nothing is known yet."}
			s.Accounts = control.List[control.Account]{{Name: "prod"}}
		}), "", `
			(unknown) Not known yet
			Nothing is known yet.
			You are on call as primary until 05:12.
			No page is open. Not checked yet.
			unknown prod: Not asked yet.`},
		{"off shift", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "off_shift", Sentence: "Off shift. Pages that are assigned to you ring all the same."}
			s.Shift = control.Shift{Known: true, NextStartsAt: ahead(3600)}
		}), "", `
			(off_shift) Off shift
			Pages that are assigned to you ring all the same.
			You are not on call; your next shift starts at 04:12.
			No page is open. Checked 7 s ago.
			ok prod: Answered 2 s ago.
			ok home: Answered 7 s ago.`},
		{"the agent is lost", calm(), "the agent went away. This window looks for it again by itself", `
			(blind) The agent does not answer
			The agent went away. This window looks for it again by itself.
			For 75 s.
			You are on call as primary until 05:12.
			Not known while the agent does not answer.`},
		{"there was no agent yet", control.State{}, "Looking for the agent.", `
			(blind) The agent does not answer
			Looking for the agent.
			For 75 s.
			Not known while the agent does not answer.
			Not known while the agent does not answer.`},
		{"no accounts", changed(calm(), func(s *control.State) {
			s.Armed = control.Armed{State: "not_armed", Sentence: "Not armed: no paging service is set up."}
			s.Accounts = nil
		}), "", `
			(not_armed) Not armed
			No paging service is set up.
			You are on call as primary until 05:12.
			No page is open. No paging service is set up.`},
		{"an older agent that says little", control.State{}, "", `
			() Not known yet
			The agent does not say whether you would hear a page, so do not count on being woken. End it and start it again.
			No roster is known, so you count as on call.
			No page is open. No paging service is set up.`},
		{"how pages stand", changed(calm(), func(s *control.State) {
			s.Armed.Signals, s.Accounts, s.Open = nil, nil, 9
			s.Pages = []control.Page{
				{ID: "a", Severity: "critical", Title: "Rings", Ringing: true}, {ID: "b", Title: "", Hushed: true},
				{ID: "c", Title: "Sent", Answer: "sending"}, {ID: "d", Title: "Failed", Answer: "not_confirmed"}, {ID: "e", Title: "Refused", Answer: "refused"}, {ID: "f", Title: "Not shown"},
			}
		}), "", `
			(armed) Armed
			You would hear a page right now.
			You are on call as primary until 05:12.
			critical Rings: ringing
			 A page without a title: hushed, not answered
			 Sent: acknowledging
			 Failed: not acknowledged
			 Refused: not acknowledged
			9 pages are open. No paging service is set up.`},
		{"and the rest of how they stand", changed(calm(), func(s *control.State) {
			s.Armed.Signals, s.Accounts, s.Open = nil, nil, 5
			s.Pages = []control.Page{
				{ID: "a", Title: "Asked", Status: "acknowledged", AcknowledgedByMe: true, StillOnIt: true}, {ID: "b", Title: "Mine", Status: "acknowledged", AcknowledgedByMe: true},
				{ID: "c", Title: "Ben's", Status: "acknowledged", AcknowledgedBy: "ben"}, {ID: "d", Title: "Somebody's", Status: "acknowledged"}, {ID: "e", Title: "Muted", MutedBy: "a silence"},
			}
		}), "", `
			(armed) Armed
			You would hear a page right now.
			You are on call as primary until 05:12.
			 Asked: still on it?
			 Mine: yours
			 Ben's: ben has it
			 Somebody's: somebody else has it
			 Muted: quiet at the service
			5 pages are open. No paging service is set up.`},
		{"a storm", many(5000, "Web server does not answer"), "", `
			(armed) Armed
			You would hear a page right now.
			! ok Sight of prod: Answers
			! ok Stay awake: On mains, sleep is held off
			  warning Supervisor: If I crash, nobody restarts me
			You are on call as primary until 05:12.
			degraded Web server does not answer: ringing
			degraded Web server does not answer: ringing
			degraded Web server does not answer: ringing
			degraded Web server does not answer: ringing
			degraded Web server does not answer: ringing
			5000 pages are open. Checked 7 s ago.
			ok prod: Answered 2 s ago.
			ok home: Answered 7 s ago.`},
	}
}

// reads is what a picture says, from above.
func reads(p picture) string {
	lines := []string{"(" + p.light + ") " + p.title, p.sentence}
	add := func(format string, of ...any) { lines = append(lines, fmt.Sprintf(format, of...)) }
	if p.second != "" {
		add("%s", p.second)
	}
	if p.quiet != "" {
		add("[%s]", p.quiet)
	}
	for _, r := range p.reasons {
		must := " "
		if r.required {
			must = "!"
		}
		add("%s %s %s: %s", must, r.state, r.name, r.detail)
	}
	add("%s", p.shift)
	for _, l := range p.pages {
		add("%s %s: %s", l.sign, l.text, l.more)
	}
	add("%s", opened(p))
	for _, l := range p.accounts {
		add("%s %s: %s", l.sign, l.text, l.more)
	}
	for _, l := range p.notices {
		add("%s %s [Dismiss %s]", l.text, l.more, l.id)
	}
	return strings.Join(lines, "\n")
}

func TestEveryMomentSaysWhatItIs(t *testing.T) {
	for _, m := range moments() {
		want := strings.ReplaceAll(strings.Trim(m.says, "\n"), "\t", "")
		if got := reads(describe(m.state, m.problem, *before(75), night)); got != want {
			t.Errorf("%s reads\n%s\n\nwant\n%s", m.name, got, want)
		}
	}
}

// What nobody knows looks like nothing that is well.
func TestUnknownIsNeverGreen(t *testing.T) {
	s := calm()
	s.Armed.State = "splendid"
	for number := range s.Armed.Signals {
		s.Armed.Signals[number].State = "splendid"
	}
	s.Accounts = control.List[control.Account]{{Name: "prod"}}
	p := describe(s, "", time.Time{}, night)
	if p.title != "Not known yet" || look.Light(p.light, look.Night).Name() != look.Light("unknown", look.Night).Name() {
		t.Errorf("a light nobody knows is called %q", p.title)
	}
	for _, one := range p.reasons {
		if look.State(one.state, look.Night).Name() != look.State("unknown", look.Night).Name() {
			t.Errorf("the state %q of %s is not drawn as unknown", one.state, one.name)
		}
	}
	if p.accounts[0].sign != "unknown" {
		t.Errorf("a service that was never asked is %q", p.accounts[0].sign)
	}
}

// TestMain dresses all windows alike, as the program does.
func TestMain(m *testing.M) {
	test.NewApp().Settings().SetTheme(look.Theme{Palette: look.Night})
	os.Exit(m.Run())
}

// room is the view in a window of that size, beside the rail.
type room struct {
	view   *View
	window fyne.Window
	did    []string
}

func open(t testing.TB, size fyne.Size) *room {
	r := &room{}
	did := func(what string) { r.did = append(r.did, what) }
	r.view = New(look.Night, Actions{
		Hush: func() { did("hush") }, Dismiss: func(id string) { did("dismiss " + id) }, Pages: func(id string) { did("pages " + id) },
	})
	r.window = test.NewTempWindow(t, kit.Beside(84, 0, kit.Gap(0), r.view.Object()))
	r.window.Resize(size)
	return r
}

// draw draws a moment twice, as the window does: the width is known only then.
func (r *room) draw(m moment) {
	for range 2 {
		r.view.Render(m.state, m.problem, *before(75), night)
	}
}

var sizes = map[string]fyne.Size{"large": {Width: 1200, Height: 760}, "middle": {Width: 1000, Height: 700}, "small": {Width: 800, Height: 560}}

func TestNothingLiesOnAnythingElse(t *testing.T) {
	longs := []string{"", strings.Repeat("Orders lost again, ", 16), strings.Repeat("W", 300), strings.Repeat("結帳服務正在遺失訂單", 30), "Orders \x1b[31mlost\x1b[0m\a\nin <b>two</b> lines"}
	for where, size := range sizes {
		for number, m := range moments() {
			for turn := range 2 { // each moment with two of them, and each of them in many moments
				long := longs[(2*number+turn)%len(longs)]
				r := open(t, size)
				if long != "" {
					m.state = lengthened(m.state, long)
				}
				r.draw(m)
				for _, fault := range kittest.Faults(r.window.Content(), size) {
					t.Errorf("%s, %s, “%.30s”: %s", where, m.name, long, fault)
				}
			}
		}
	}
}

// lengthened puts that text wherever a text comes from outside.
func lengthened(s control.State, long string) control.State {
	s.Pages = append(control.List[control.Page]{}, s.Pages...)
	for number := range s.Pages {
		s.Pages[number].Title, s.Pages[number].AcknowledgedBy = long, long
	}
	s.Armed.Signals = append(control.List[control.Signal]{}, s.Armed.Signals...)
	for number := range s.Armed.Signals {
		s.Armed.Signals[number].Name, s.Armed.Signals[number].Detail = "poll:"+long, long
	}
	s.Accounts = append(control.List[control.Account]{}, s.Accounts...)
	for number := range s.Accounts {
		s.Accounts[number].Name, s.Accounts[number].Error = long, long
	}
	s.Notices = control.List[control.Notice]{{ID: "n", Text: long, At: *before(90000)}}
	s.Shift.Role, s.Armed.Sentence = long, "Armed. "+long
	return s
}

func TestWhatCanBeClicked(t *testing.T) {
	r := open(t, sizes["large"])
	s := many(7, "Web server does not answer")
	s.Notices = control.List[control.Notice]{{ID: "n1", Text: "Older.", At: *before(60)}, {ID: "n2", Text: "Newer.", At: *before(30)}}
	s.Armed.State, s.Alarm.Pattern = "blind", "blind"
	r.draw(moment{state: s})
	for _, label := range []string{"I know", "All pages", "Dismiss"} {
		button := kittest.Button(r.window.Content(), label)
		if button == nil {
			t.Fatalf("there is no button “%s”:\n%s", label, kittest.Words(r.window.Content()))
		}
		button.MouseDown(nil)
		button.Tapped(nil)
	}
	for _, part := range kittest.Parts(r.window.Content()) {
		if pick, is := part.(*kit.Pick); is {
			pick.Tapped(nil)
			break
		}
	}
	if got, want := strings.Join(r.did, "|"), "hush|pages |dismiss n2|pages p0"; got != want {
		t.Errorf("the view asked for %s, want %s", got, want)
	}
}

// Time that passes is said anew; nothing is built for it.
func TestTimePassesWithoutAnythingBeingBuilt(t *testing.T) {
	for _, m := range moments() {
		r := open(t, sizes["large"])
		r.draw(m)
		before := kittest.Parts(r.window.Content())
		words := kittest.Words(r.window.Content())
		r.view.Render(m.state, m.problem, *ahead(-75), night.Add(time.Second))
		after := kittest.Parts(r.window.Content())
		if len(before) != len(after) {
			t.Fatalf("%s: of %d parts it has become %d", m.name, len(before), len(after))
		}
		for number := range before {
			if before[number] != after[number] {
				t.Fatalf("%s: %T was built anew", m.name, after[number])
			}
		}
		if strings.Contains(words, "7 s ago") && strings.Contains(kittest.Words(r.window.Content()), "7 s ago") {
			t.Errorf("%s: a second later it still says 7 s ago", m.name)
		}
	}
}

func TestAStormIsDrawnAtOnce(t *testing.T) {
	r := open(t, sizes["large"])
	s := many(5000, strings.Repeat("Orders lost again, ", 16)[:300])
	r.draw(moment{state: calm()})
	began := time.Now()
	r.draw(moment{state: s})
	took := time.Since(began)
	t.Logf("a state of %d pages with titles of 300 letters is drawn in %v", len(s.Pages), took.Round(time.Millisecond))
	if took > 2*time.Second {
		t.Errorf("it takes %v", took)
	}
}
