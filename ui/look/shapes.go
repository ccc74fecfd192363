package look

import (
	"fmt"
	"hash/crc32"
	"image/color"

	"fyne.io/fyne/v2"
)

// Shapes are drawn, never characters: without the system's fonts a tick or an
// arrow is an empty box. Each stands on a field of 24 by 24.

// drawn is a sign of that kind. Fyne keeps pictures by name, so the name changes
// with whatever changes in the drawing.
func drawn(kind, body string) fyne.Resource {
	return fyne.NewStaticResource(
		fmt.Sprintf("%s-%08x.svg", kind, crc32.ChecksumIEEE([]byte(body))),
		[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+body+`</svg>`))
}

func css(ink color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", ink.R, ink.G, ink.B) }

// Severity is a triangle for critical, a diamond for degraded (and for words
// nobody knows), a disc for minor and a ring for what wakes nobody.
func Severity(severity string, p Palette) fyne.Resource {
	ink := p.Severity(severity)
	switch severity {
	case "critical":
		return drawn("critical", `<path d="M12 2.5 L23 21.5 L1 21.5 Z" fill="`+css(ink)+`"/>`)
	case "minor":
		return drawn("minor", `<circle cx="12" cy="12" r="6.5" fill="`+css(ink)+`"/>`)
	case "hidden", "other":
		return drawn("calm", `<circle cx="12" cy="12" r="7" fill="none" stroke="`+css(ink)+`" stroke-width="2.5"/>`)
	}
	return drawn("degraded", `<path d="M12 1.5 L22.5 12 L12 22.5 L1.5 12 Z" fill="`+css(ink)+`"/>`)
}

// State is a tick in a circle, a cross in a square, an exclamation mark in a
// rounded square, and a question mark in a broken ring for whatever is unknown.
func State(state string, p Palette) fyne.Resource {
	ink, mark := p.State(state), css(p.OnState)
	switch state {
	case "ok":
		return drawn("ok", `<circle cx="12" cy="12" r="11" fill="`+css(ink)+`"/>`+
			`<path d="M6.8 12.4 L10.4 16 L17.2 8.4" fill="none" stroke="`+mark+`" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>`)
	case "failed":
		return drawn("failed", `<rect x="1" y="1" width="22" height="22" rx="3" ry="3" fill="`+css(ink)+`"/>`+
			`<path d="M7.5 7.5 L16.5 16.5 M16.5 7.5 L7.5 16.5" fill="none" stroke="#ffffff" stroke-width="2.6" stroke-linecap="round"/>`)
	case "warning":
		return drawn("warning", `<rect x="1" y="1" width="22" height="22" rx="7" ry="7" fill="`+css(ink)+`"/>`+
			`<path d="M12 6 L12 13.2" fill="none" stroke="`+mark+`" stroke-width="2.8" stroke-linecap="round"/><circle cx="12" cy="17.4" r="1.7" fill="`+mark+`"/>`)
	}
	return drawn("unknown", brokenRing(css(ink))+questionMark(css(ink)))
}

// brokenRing is drawn arc by arc, because dashes are not drawn everywhere.
func brokenRing(ink string) string {
	const arcs = `M14.85 1.37 A11 11 0 0 1 19.78 4.22 M21.53 6.5 A11 11 0 0 1 23 12 M22.63 14.85 A11 11 0 0 1 19.78 19.78 M17.5 21.53 A11 11 0 0 1 12 23 M9.15 22.63 A11 11 0 0 1 4.22 19.78 M2.47 17.5 A11 11 0 0 1 1 12 M1.37 9.15 A11 11 0 0 1 4.22 4.22 M6.5 2.47 A11 11 0 0 1 12 1`
	return `<path d="` + arcs + `" fill="none" stroke="` + ink + `" stroke-width="2"/>`
}

func questionMark(ink string) string {
	return `<path d="M8.9 9.6 C8.9 5.6 15.1 5.6 15.1 9.6 C15.1 12 12 12 12 14.4" fill="none" stroke="` + ink + `" stroke-width="2" stroke-linecap="round"/>` +
		`<circle cx="12" cy="17.6" r="1.4" fill="` + ink + `"/>`
}

// Light is the large sign of the agent's state beside its sentence.
func Light(state string, p Palette) fyne.Resource {
	switch state {
	case "armed":
		return ring("armed", p.OK, `<path d="M7.4 12.3 L10.7 15.6 L16.8 8.8" fill="none" stroke="`+css(p.OK)+`" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`)
	case "blind":
		return drawn("blind", brokenRing(css(p.Failed))+
			`<circle cx="12" cy="12" r="4.6" fill="none" stroke="`+css(p.Failed)+`" stroke-width="1.6"/><path d="M8.8 15.2 L15.2 8.8" stroke="`+css(p.Failed)+`" stroke-width="1.6" stroke-linecap="round" fill="none"/>`)
	case "off_shift":
		return ring("off-shift", p.Quiet, `<path d="M15.5 14.6 A5.4 5.4 0 1 1 10.2 7 A4.4 4.4 0 0 0 15.5 14.6 Z" fill="`+css(p.Quiet)+`"/>`)
	case "not_armed":
		return drawn("light-not-armed", `<rect x="1.5" y="1.5" width="21" height="21" rx="6.5" ry="6.5" fill="none" stroke="`+css(p.Warning)+`" stroke-width="1.5"/><path d="M12 6.6 L12 13" fill="none" stroke="`+css(p.Warning)+`" stroke-width="1.9" stroke-linecap="round"/><circle cx="12" cy="16.6" r="1.2" fill="`+css(p.Warning)+`"/>`)
	}
	return drawn("light-unknown", brokenRing(css(p.Unknown))+questionMark(css(p.Unknown)))
}

func ring(name string, ink color.NRGBA, inside string) fyne.Resource {
	return drawn("light-"+name, `<circle cx="12" cy="12" r="11" fill="none" stroke="`+css(ink)+`" stroke-width="1.5"/>`+inside)
}

// Rail is the sign of a view in the rail of the main window.
func Rail(view string, ink color.NRGBA) fyne.Resource {
	if view == "pages" {
		return drawn("rail-pages", `<path d="M12 3.5 L22 20.5 L2 20.5 Z" fill="none" stroke="`+css(ink)+`" stroke-width="2" stroke-linejoin="round"/><path d="M12 10 L12 15" stroke="`+css(ink)+`" stroke-width="2" stroke-linecap="round" fill="none"/><circle cx="12" cy="17.8" r="1.1" fill="`+css(ink)+`"/>`)
	}
	return drawn("rail-now", `<circle cx="12" cy="12" r="9" fill="none" stroke="`+css(ink)+`" stroke-width="2"/><circle cx="12" cy="12" r="4.4" fill="`+css(ink)+`"/>`)
}

// Kind is the sign of one line of a timeline.
func Kind(kind string, p Palette) fyne.Resource {
	ink := css(p.Quiet)
	switch kind {
	case "paged", "not_confirmed", "unacknowledged", "blind":
		return drawn("kind-"+kind, `<path d="M12 4 L21 20 L3 20 Z" fill="`+css(p.Warning)+`"/>`)
	case "confirmed", "resolved", "sight_back":
		return drawn("kind-done", `<path d="M5 12.6 L10 17.4 L19.2 7" fill="none" stroke="`+css(p.OK)+`" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>`)
	case "note":
		return drawn("kind-note", `<path d="M4 20 L5.4 15 L16 4.4 L19.6 8 L9 18.6 Z" fill="none" stroke="`+css(p.Text)+`" stroke-width="2" stroke-linejoin="round"/>`)
	case "siren_playing", "siren_device_changed", "siren_device_lost", "siren_no_device":
		return drawn("kind-sound", `<path d="M3 9.5 L8 9.5 L13 5 L13 19 L8 14.5 L3 14.5 Z" fill="`+ink+`"/><path d="M16.5 8.5 A5 5 0 0 1 16.5 15.5 M19 6 A8.5 8.5 0 0 1 19 18" fill="none" stroke="`+ink+`" stroke-width="1.8" stroke-linecap="round"/>`)
	}
	return drawn("kind-other", `<circle cx="12" cy="12" r="3.4" fill="`+ink+`"/>`)
}
