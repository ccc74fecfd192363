// Package words says what the faces say in the same way: spans and times as a
// colleague would, names of signals, how fresh sight is. The command line and
// the windows both speak through it.
package words

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nightstand/app/control"
	"nightstand/app/page"
)

// Sentence begins with a capital letter and ends with a full stop.
func Sentence(text string) string {
	text = Capital(page.Plain(text, page.MaxDetails))
	if text == "" {
		return ""
	}
	if strings.ContainsAny(text[len(text)-1:], ".!?:") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}

// Clause is a sentence's text to go on from.
func Clause(text string) string { return strings.TrimRight(page.Plain(text, page.MaxDetails), ". ") }

// Capital begins with a capital letter.
func Capital(text string) string {
	first, width := utf8.DecodeRuneInString(text)
	if text == "" {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[width:]
}

// OneLine is a title short enough for one line of so many letters.
func OneLine(text string, width int) string {
	text = page.Plain(text, page.MaxTitle)
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:max(1, width-1)]), " …") + "…"
}

// Title is what a page is called, in so many letters; some come without.
func Title(text string, width int) string {
	if text = OneLine(text, width); text == "" {
		return "A page without a title"
	}
	return text
}

// Span says a length of time as a colleague would.
func Span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d/time.Minute)%60)
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

// Age is Span for what need not be told to the second, and so changes seldom.
func Age(d time.Duration) string {
	if d < time.Minute {
		return "under a minute"
	}
	if d < 2*time.Minute {
		return "1 min"
	}
	return Span(d)
}

// Countdown is a span that is watched running out: 4:18.
func Countdown(d time.Duration) string {
	left := max(0, d).Round(time.Second)
	if left >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(left/time.Hour), int(left/time.Minute)%60, int(left/time.Second)%60)
	}
	return fmt.Sprintf("%d:%02d", int(left/time.Minute), int(left/time.Second)%60)
}

// Second is a time of day in the reader's zone, with the date when it is not
// today's.
func Second(at, now time.Time) string { return timeOfDay(at, now, "15:04:05") }

// Minute is Second without the seconds, for times ahead.
func Minute(at, now time.Time) string { return timeOfDay(at, now, "15:04") }

func timeOfDay(at, now time.Time, layout string) string {
	at = at.In(now.Location())
	switch {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return at.Format(layout)
	case at.Year() == now.Year():
		return at.Format("Mon 2 Jan " + layout)
	}
	return at.Format("2 Jan 2006 " + layout)
}

// Count puts a number before a noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Light is what the agent says of itself: whether a page would be heard now.
func Light(armed control.Armed) string {
	if armed.Sentence == "" {
		return "The agent does not say whether you would hear a page, so do not count on being woken. End it and start it again."
	}
	return page.Plain(armed.Sentence, page.MaxDetails)
}

// Signal reads a signal's name as words: stay_awake is "stay awake", poll:prod
// is "sight of prod".
func Signal(name string) string {
	if account, found := strings.CutPrefix(name, "poll:"); found {
		return "sight of " + account
	}
	if name == "poll" {
		return "paging service"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// Open counts the open pages.
func Open(open int) string {
	if open == 0 {
		return "No page is open."
	}
	return Count(open, "page is open", "pages are open")
}

// Freshness says when an account was last seen.
func Freshness(a control.Account, now time.Time) string {
	said := "not asked yet"
	if a.LastGoodPoll != nil {
		said = "answered " + Span(now.Sub(*a.LastGoodPoll)) + " ago"
		if a.LooksEvery > 0 {
			said += ", asked every " + Span(time.Duration(a.LooksEvery*float64(time.Second)))
		}
	} else if a.Error != "" {
		said = "has not answered yet"
	}
	if a.Blind {
		said = "BLIND, pages of it cannot be seen: " + said
	}
	if a.Error != "" {
		said += ", but now: " + a.Error
	}
	return said
}

// Shift says whether this user is on call.
func Shift(shift control.Shift, now time.Time) string {
	role := ""
	if shift.Role != "" {
		role = " as " + OneLine(shift.Role, 30)
	}
	switch {
	case !shift.Known:
		return "No roster is known, so you count as on call."
	case shift.OnCall && shift.EndsAt != nil:
		return "You are on call" + role + " until " + Minute(*shift.EndsAt, now) + "."
	case shift.OnCall:
		return "You are on call" + role + "."
	case shift.NextStartsAt != nil:
		return "You are not on call; your next shift starts at " + Minute(*shift.NextStartsAt, now) + "."
	}
	return "You are not on call."
}

// endings are the reasons a page ended, as the agent names them.
var endings = map[string]string{
	"acknowledged_here":      "acknowledged by you",
	"acknowledged_elsewhere": "acknowledged by you elsewhere",
	"taken":                  "somebody else took it",
	"resolved":               "resolved",
	"reassigned":             "no longer yours",
	"forgotten":              "the service restarted and no longer lists it",
	"muted":                  "silenced at the service",
	"shift_over":             "your shift was over",
	"unwatched":              "its account was removed",
	"gentler":                "it became too minor to wake you",
}

// Ended says why and when a page ended.
func Ended(p control.Page, now time.Time) string {
	why, known := endings[p.Ending]
	if !known {
		why = "ended"
	}
	if p.Ending == "reassigned" && p.AssignedTo != "" {
		why = "went to " + OneLine(p.AssignedTo, 60)
	}
	if p.EndedAt == nil {
		return why
	}
	return why + " at " + Second(*p.EndedAt, now)
}

// Links are the places of a page that may be opened, the service's own page
// last. A page comes from outside, so only web addresses are.
func Links(p control.Page) []page.Link {
	links := []page.Link{}
	for _, link := range append(slices.Clone([]page.Link(p.Links)), page.Link{Text: "Open at the service", URL: p.URL}) {
		if page.WebAddress(link.URL) {
			links = append(links, link)
		}
	}
	return links
}
