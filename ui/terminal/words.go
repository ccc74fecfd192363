package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nightstand/app/page"
)

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	text = page.Plain(text, page.MaxDetails)
	first, width := utf8.DecodeRuneInString(text)
	if text == "" {
		return ""
	}
	text = string(unicode.ToUpper(first)) + text[width:]
	if strings.ContainsAny(text[len(text)-1:], ".!?:") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}

// clause is a sentence's text to go on from.
func clause(text string) string { return strings.TrimRight(page.Plain(text, page.MaxDetails), ". ") }

// oneLine is a title short enough for one line.
func oneLine(text string, width int) string {
	text = page.Plain(text, page.MaxTitle)
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:max(1, width-1)]), " …") + "…"
}

// span says a length of time as a colleague would.
func span(d time.Duration) string {
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

// second is a time of day in the reader's zone, with the date when it is not
// today's.
func second(at, now time.Time) string { return timeOfDay(at, now, "15:04:05") }

// minute is second without the seconds, for times ahead.
func minute(at, now time.Time) string { return timeOfDay(at, now, "15:04") }

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

// count puts a number before a noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
