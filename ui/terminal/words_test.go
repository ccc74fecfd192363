package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightstand/app/control"
	"nightstand/ui/words"
)

var (
	zone = time.FixedZone("here", 2*3600)
	// night is the moment the following sentences are read.
	night = time.Date(2026, 3, 14, 3, 10, 0, 0, zone)
)

// at is a moment of that night, as the agent tells it: in UTC.
func at(clock string) *time.Time {
	parsed, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-03-14 "+clock, zone)
	if err != nil {
		panic(err)
	}
	utc := parsed.UTC()
	return &utc
}

func TestTheFirstLineAnswersTheQuestion(t *testing.T) {
	armed := func(state, sentence string) control.State {
		return control.State{Status: control.Status{Armed: control.Armed{State: state, Sentence: sentence}}}
	}
	calling := armed("not_armed", "Not armed: sound not proved.")
	calling.Pages = []control.Page{{ID: "a", Title: "One", Severity: "critical", Ringing: true}, {ID: "b", Title: "Two", Severity: "minor", TriggeredAt: at("03:00:00"), Ringing: true}}
	mute := armed("armed", "Armed.")
	mute.Pages = calling.Pages[1:]
	soon := mute
	mute.Alarm.Trouble = "There is no sound output."
	blind := armed("blind", "Blind: prod was last seen at 03:01:00.")
	blind.Alarm.Sounding, blind.Alarm.Pattern = true, "blind"
	unlisted := armed("not_armed", "Not armed: sound not proved.")
	unlisted.Alarm.Sounding, unlisted.Alarm.Pattern = true, "critical"
	calling.Alarm = control.Alarm{Sounding: true, PageID: "b"}

	for want, state := range map[string]control.State{
		"Armed. You would hear a page right now.":                                                                                   armed("armed", "Armed. You would hear a page right now."),
		"Not armed: sound not proved.":                                                                                              armed("not_armed", "Not armed: sound \x1b[31mnot proved."),
		"An alarm is ringing. “nightstand pages” says for what.":                                                                    unlisted,
		"The blind alarm is ringing. Blind: prod was last seen at 03:01:00.":                                                        blind,
		"The agent does not say whether you would hear a page, so do not count on being woken. End it and start it again.":          armed("splendid", ""),
		"2 pages: one alarm is ringing. The worst: “Two” (minor, open for 10 min). Answer them with “nightstand ack --all”.":        calling,
		"A page is calling, but nothing sounds on this machine: “Two” (minor, open for 10 min). Answer it with “nightstand ack b”.": mute,
		"A page is about to ring: “Two” (minor, open for 10 min). Answer it with “nightstand ack b”.":                               soon,
	} {
		if got := verdict(state, night); got != want {
			t.Errorf("the first line is\n%s, want\n%s", got, want)
		}
	}
}

func TestHowAPageStands(t *testing.T) {
	for want, p := range map[string]control.Page{
		"acknowledged, confirmed by the service: by you at 03:02:11; it runs out at 03:32": {Status: "acknowledged", AcknowledgedByMe: true, AcknowledgedAt: at("03:02:11"), Answer: "confirmed", AckExpiresAt: at("03:32:00")},
		"acknowledged by you at 03:02:11":                                                  {Status: "acknowledged", AcknowledgedByMe: true, AcknowledgedAt: at("03:02:11")},
		"acknowledged by ben":                                                              {Status: "acknowledged", AcknowledgedBy: "ben", Answer: "confirmed"},
		"acknowledged by somebody":                                                         {Status: "acknowledged", Answer: "confirmed"},
		"acknowledged by you; still on it? “nightstand ack x” says yes":                    {ID: "x", Status: "acknowledged", AcknowledgedByMe: true, StillOnIt: true},
		"acknowledged by you; it was not renewed: it does not answer":                      {Status: "acknowledged", AcknowledgedByMe: true, Answer: "not_confirmed", AnswerReason: "it does not answer."},
		"your acknowledgement is on its way and not confirmed yet":                         {Status: "triggered", Answer: "sending", Mine: true},
		"rings now; not acknowledged yet: it does not answer":                              {Status: "triggered", Answer: "not_confirmed", AnswerReason: "it does not answer", Ringing: true, Mine: true},
		"not acknowledged: it says no":                                                     {Status: "triggered", Answer: "refused", AnswerReason: "it says no", Mine: true},
		"rings now; open for 3 h 9 min; goes to the next person in 10 min":                 {Status: "triggered", Ringing: true, Mine: true, TriggeredAt: at("00:00:01"), EscalatesAt: at("03:20:00")},
		"rings now; goes to Béla Kovács in 4 min":                                          {Status: "triggered", Ringing: true, Mine: true, EscalatesAt: at("03:14:59"), EscalatesTo: "Béla Kovács"},
		"rings now; goes to Béla Kovács and Dana Ito in 59 s":                              {Status: "triggered", Ringing: true, Mine: true, EscalatesAt: at("03:10:59"), EscalatesTo: "Béla Kovács and Dana Ito"},
		"rings now; goes to Béla Kovács now":                                               {Status: "triggered", Ringing: true, Mine: true, EscalatesAt: at("03:09:50"), EscalatesTo: "Béla Kovács"},
		"acknowledged by you at 03:02:00":                                                  {Status: "acknowledged", AcknowledgedByMe: true, AcknowledgedAt: at("03:02:00"), EscalatesAt: at("03:20:00"), EscalatesTo: "Béla Kovács"},
		"not yours; Béla Kovács has it":                                                    {Status: "triggered", AssignedTo: "Béla Kovács"},
		"went to Béla Kovács at 03:05:00":                                                  {Status: "resolved", Ending: "reassigned", EndedAt: at("03:05:00"), AssignedTo: "Béla Kovács", EscalatesAt: at("03:20:00")},
		"no longer yours at 03:05:00":                                                      {Status: "resolved", Ending: "reassigned", EndedAt: at("03:05:00")},
		"hushed for a moment, and not acknowledged":                                        {Status: "triggered", Hushed: true, Mine: true},
		"snoozed until 04:00":                                                              {Status: "triggered", SnoozedUntil: at("04:00:00"), Mine: true},
		"quiet: silenced by ben":                                                           {Status: "triggered", MutedBy: "silenced by ben", Mine: true},
		"not yours":                                                                        {Status: "triggered"},
		"open, and does not ring":                                                          {Status: "triggered", Mine: true},
		"resolved at 03:05:00":                                                             {Status: "resolved", Ending: "resolved", EndedAt: at("03:05:00"), TriggeredAt: at("01:00:00")},
		"somebody else took it":                                                            {Status: "acknowledged", Ending: "taken"},
	} {
		if got := standing(p, night); got != want {
			t.Errorf("a page stands\n%s, want\n%s", got, want)
		}
	}
}

func TestSight(t *testing.T) {
	for want, a := range map[string]control.Account{
		"answered 2 s ago": {LastGoodPoll: at("03:09:58")},
		"not asked yet":    {},
		"has not answered yet, but now: it is down":            {Error: "it is down"},
		"answered 5 min ago, but now: it is down":              {LastGoodPoll: at("03:04:59"), Error: "it is down"},
		"BLIND, pages of it cannot be seen: answered 90 s ago": {LastGoodPoll: at("03:08:30"), Blind: true},
	} {
		if got := words.Freshness(a, night); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShift(t *testing.T) {
	for want, shift := range map[string]control.Shift{
		"No roster is known, so you count as on call.":       {OnCall: true},
		"You are on call as primary until Sun 15 Mar 08:00.": {Known: true, OnCall: true, Role: "primary", EndsAt: new(at("08:00:00").Add(24 * time.Hour))},
		"You are on call.": {Known: true, OnCall: true},
		"You are not on call; your next shift starts at 18:00.": {Known: true, NextStartsAt: at("18:00:00")},
		"You are not on call.": {Known: true},
	} {
		if got := words.Shift(shift, night); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTimesAndSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 s", 119 * time.Second: "119 s", 18 * time.Minute: "18 min", 125 * time.Minute: "2 h 5 min", 75 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%s is said as %q, want %q", d, got, want)
		}
	}
	for want, moment := range map[string]time.Time{
		"03:02:11":             *at("03:02:11"),
		"Fri 13 Mar 23:59:59":  at("23:59:59").Add(-24 * time.Hour),
		"31 Dec 2025 12:00:00": time.Date(2025, 12, 31, 12, 0, 0, 0, zone),
	} {
		if got := second(moment, night); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "A.", "élan!": "Élan!", "Is it?": "Is it?", "so …": "So …", "tricky \x1b[2J": "Tricky."} {
		if got := sentence(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestFolding(t *testing.T) {
	lines := fold("one two three "+strings.Repeat("x", 45)+" four", 20)
	want := []string{"one two three", strings.Repeat("x", 20), strings.Repeat("x", 20), "xxxxx four"}
	if strings.Join(lines, "|") != strings.Join(want, "|") {
		t.Errorf("folded to %q, want %q", lines, want)
	}
	if got := oneLine(strings.Repeat("wide words ", 20), 12); got != "wide words…" {
		t.Errorf("cut to %q", got)
	}
}

// Colours only where somebody sees them and did not ask for none; a file is
// no terminal.
func TestColours(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := newScreen(file, func(string) string { return "" }); got != (screen{width: 80}) {
		t.Errorf("a file is drawn on as %+v", got)
	}
	if got := (screen{}).paint("x", red); got != "x" {
		t.Errorf("without colours: %q", got)
	}
	if got := (screen{colours: true}).paint("x", red); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colours: %q", got)
	}
}
