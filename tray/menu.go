package tray

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
)

// The menu is built once, with a place for everything it can ever hold, and
// its entries are then only renamed, shown and hidden. So an open menu stays
// open while pages come and go, and no click is lost to a rebuild.
const (
	mostPages   = 8
	mostNotices = 5
)

// slot is one place in the menu, from the top.
type slot int

const (
	slotStatus slot = iota
	slotAll
	slotPages
	slotMorePages   = slotPages + mostPages
	slotHush        = slotMorePages + 1
	slotNotices     = slotHush + 1
	slotMoreNotices = slotNotices + mostNotices
	slotOpen        = slotMoreNotices + 1
	slotQuit        = slotOpen + 1 // off shift
	slotQuitAsk     = slotQuit + 1 // on shift: opens the three below
	slotQuitWarning = slotQuitAsk + 1
	slotStay        = slotQuitWarning + 1 // first, where the keyboard lands
	slotQuitAnyway  = slotStay + 1
	slotCount       = slotQuitAnyway + 1
)

// deed is what a click asks for.
type deed int

const (
	nothing deed = iota
	acknowledge
	dismiss
	undo
	hush
	open
	quit
	stay
)

// harmless deeds may be done by a click that missed.
func (d deed) harmless() bool { return d == hush || d == open || d == stay }

// line is what one slot shows and does.
type line struct {
	title string // empty: hidden
	does  deed   // nothing: greyed
	ids   []string
}

func (l line) equal(other line) bool {
	return l.title == other.title && l.does == other.does && slices.Equal(l.ids, other.ids)
}

type menu [slotCount]line

func (m menu) equal(other menu) bool {
	return slices.EqualFunc(m[:], other[:], line.equal)
}

// The longest lines a menu shows, in characters; panels do not wrap.
const (
	longestPage     = 70
	longestSentence = 110
	longestTooltip  = 120 // Windows cuts a tooltip at 127
)

// compose lays out the menu for a view.
func compose(view View) menu {
	var m menu
	m[slotStatus] = line{title: words(view.Status, longestSentence)}

	var answerable []string
	for i, item := range view.Pages {
		if item.CanAcknowledge {
			answerable = append(answerable, item.ID)
		}
		if i >= mostPages {
			continue
		}
		title := words(item.Title, longestPage)
		switch {
		case item.CanAcknowledge:
			m[slotPages+slot(i)] = line{"Acknowledge: " + title, acknowledge, []string{item.ID}}
		case item.CanUndo:
			m[slotPages+slot(i)] = line{"Undo: " + title, undo, []string{item.ID}}
		default:
			m[slotPages+slot(i)] = line{title: title}
		}
	}
	if len(answerable) > 1 {
		m[slotAll] = line{fmt.Sprintf("Acknowledge all (%d)", len(answerable)), acknowledge, answerable}
	}
	if more := len(view.Pages) - mostPages; more > 0 {
		m[slotMorePages] = line{fmt.Sprintf("and %d more", more), open, nil}
	}

	if view.Hush != "" {
		m[slotHush] = line{words(view.Hush, longestSentence), hush, nil}
	}
	for i, item := range view.Notices[:min(len(view.Notices), mostNotices)] {
		m[slotNotices+slot(i)] = line{"Dismiss: " + words(item.Title, longestSentence), dismiss, []string{item.ID}}
	}
	if more := len(view.Notices) - mostNotices; more > 0 {
		m[slotMoreNotices] = line{fmt.Sprintf("and %d more to read", more), open, nil}
	}

	m[slotOpen] = line{"Open Nightstand", open, nil}
	if view.OnShift {
		m[slotQuitAsk] = line{title: "Quit…"}
		m[slotQuitWarning] = line{title: "You are on shift."}
		m[slotStay] = line{"Stay", stay, nil}
		m[slotQuitAnyway] = line{"Quit anyway: pages will not ring here", quit, nil}
	} else {
		m[slotQuit] = line{"Quit", quit, nil}
	}
	return m
}

// words makes a text fit for one line of a menu.
func words(text string, limit int) string {
	text = short(text, limit)
	switch runtime.GOOS {
	case "windows": // an ampersand underlines the letter after it
		text = strings.ReplaceAll(text, "&", "&&")
	case "darwin":
	default: // so does an underscore
		text = strings.ReplaceAll(text, "_", "__")
	}
	if text == "" {
		return " " // a slot without a title is hidden, and a page must not be
	}
	return text
}

// short cleans a text from outside and cuts it to a number of characters.
func short(text string, limit int) string {
	text = page.Plain(text, limit)
	if letters := []rune(text); len(letters) > limit {
		return strings.TrimRight(string(letters[:limit-1]), " …") + "…"
	}
	return text
}

// tooltipText makes a text fit for a tooltip. Some panels read angle brackets
// there as markup.
func tooltipText(text string) string {
	return strings.NewReplacer("<", "‹", ">", "›").Replace(short(text, longestTooltip))
}

// request is a click, understood.
type request struct {
	does deed
	ids  []string
}

// settle is how long an entry must have been where it is before a click on it
// counts: a page that slips under the pointer is not answered.
const settle = time.Second

// counter knows since when everything has been in the menu.
type counter struct {
	menu    menu
	since   [slotCount]time.Time // each entry in its place, with its meaning
	counted map[string]time.Time // each page, listed or only counted
}

// lay takes note of a menu that has just come on screen.
func (c *counter) lay(is menu, now time.Time) {
	was := c.menu
	moved := false
	for at := range is {
		shown := is[at].title != ""
		moved = moved || shown != (was[at].title != "")
		// "Acknowledge all" stays itself when its pages change; they are
		// counted one by one.
		same := is[at].does == was[at].does && (slot(at) == slotAll || slices.Equal(is[at].ids, was[at].ids))
		if moved || !same {
			c.since[at] = now
		}
	}
	counted := map[string]time.Time{}
	for _, each := range is {
		if each.does != acknowledge {
			continue
		}
		for _, id := range each.ids {
			counted[id] = now
			if before, known := c.counted[id]; known {
				counted[id] = before
			}
		}
	}
	c.menu, c.counted = is, counted
}

// press tells what a click on a slot asks for; ok is false when it must not
// count.
func (c *counter) press(at slot, now time.Time) (wanted request, ok bool) {
	pressed := c.menu[at]
	switch {
	case pressed.does == nothing:
		return request{}, false
	case pressed.does.harmless():
		return request{does: pressed.does}, true
	case now.Sub(c.since[at]) < settle:
		return request{}, false
	case pressed.does != acknowledge:
		return request{pressed.does, pressed.ids}, true
	}
	var ids []string
	for _, id := range pressed.ids {
		if now.Sub(c.counted[id]) >= settle {
			ids = append(ids, id)
		}
	}
	return request{acknowledge, ids}, len(ids) > 0
}
