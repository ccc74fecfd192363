package words

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nightstand/app/control"
	"nightstand/app/page"
)

var now = time.Date(2026, 3, 14, 3, 10, 0, 0, time.UTC)

func TestEveryEndingHasWords(t *testing.T) {
	for ending, words := range endings {
		if words == "" || strings.Contains(words, "_") {
			t.Errorf("%s is said as %q", ending, words)
		}
	}
	for want, p := range map[string]control.Page{
		"ended":                           {Ending: "new_kind"},
		"resolved at 03:05:00":            {Ending: "resolved", EndedAt: new(now.Add(-5 * time.Minute))},
		"went to Dana Ito":                {Ending: "reassigned", AssignedTo: "Dana\x1b[2J Ito"},
		"no longer yours":                 {Ending: "reassigned"},
		"it became too minor to wake you": {Ending: "gentler"},
	} {
		if got := Ended(p, now); got != want {
			t.Errorf("%q is said as %q, want %q", p.Ending, got, want)
		}
	}
}

func TestAPageAlwaysHasATitle(t *testing.T) {
	for text, want := range map[string]string{
		"": "A page without a title", " \t\n": "A page without a title", "\x1b[2J": "A page without a title",
		"Disk full": "Disk full", "Disk \x1b[31mfull\nnow": "Disk full now",
	} {
		if got := Title(text, 80); got != want {
			t.Errorf("%q is called %q, want %q", text, got, want)
		}
	}
	if got := Title(strings.Repeat("long ", 80), 20); utf8.RuneCountInString(got) > 20 || !strings.HasSuffix(got, "…") {
		t.Errorf("it is cut to %q", got)
	}
}

func TestCountdown(t *testing.T) {
	for left, want := range map[time.Duration]string{
		-time.Second: "0:00", 400 * time.Millisecond: "0:00", time.Second: "0:01", 258 * time.Second: "4:18",
		time.Hour: "1:00:00", 3*time.Hour + 62*time.Second: "3:01:02", 3600*time.Second - time.Millisecond: "1:00:00",
	} {
		if got := Countdown(left); got != want {
			t.Errorf("%s runs out as %q, want %q", left, got, want)
		}
	}
}

// What need not be told to the second changes seldom.
func TestAgeChangesOnceAMinute(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0: "under a minute", 59 * time.Second: "under a minute", time.Minute: "1 min", 119 * time.Second: "1 min", 18 * time.Minute: "18 min", 125 * time.Minute: "2 h 5 min",
	} {
		if got := Age(age); got != want {
			t.Errorf("%s is %q, want %q", age, got, want)
		}
	}
}

func TestSignalsAreSaidInWords(t *testing.T) {
	for name, want := range map[string]string{"stay_awake": "stay awake", "poll:prod": "sight of prod", "poll": "paging service", "sound": "sound"} {
		if got := Signal(name); got != want {
			t.Errorf("%s is said as %q, want %q", name, got, want)
		}
	}
	if got := Light(control.Armed{State: "armed"}); !strings.Contains(got, "do not count on being woken") {
		t.Errorf("an agent that does not say whether it is armed is said as %q", got)
	}
}

func TestOpenPagesAreCounted(t *testing.T) {
	for open, want := range map[int]string{0: "No page is open.", 1: "1 page is open", 5000: "5000 pages are open"} {
		if got := Open(open); got != want {
			t.Errorf("%d are %q, want %q", open, got, want)
		}
	}
}

func TestOnlyWebAddressesAreLinks(t *testing.T) {
	p := control.Page{URL: "file:///etc/passwd"}
	p.Links = control.List[page.Link]{{Text: "x", URL: "javascript:alert(1)"}, {Text: "y", URL: "http://10.0.0.1/graph"}, {Text: "z", URL: "vscode://x"}, {}}
	if got := Links(p); len(got) != 1 || got[0].URL != "http://10.0.0.1/graph" {
		t.Errorf("these can be opened: %v", got)
	}
}
