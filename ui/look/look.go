// Package look owns how the windows look: the colours of night and day, the
// sizes of type, and the shapes that say a state without relying on colour.
package look

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Palette is one set of colours by role.
type Palette struct {
	Ground, Rail, Card, Raised, Line color.NRGBA
	Text, Quiet                      color.NRGBA
	Lamp, OnLamp                     color.NRGBA
	OK, Failed, Warning, Unknown     color.NRGBA
	OnState                          color.NRGBA // the mark inside a filled state
	Critical, Degraded, Minor, Calm  color.NRGBA
}

// Night is warm, low in blue and dim.
var Night = Palette{
	Ground: hex(0x14161A), Rail: hex(0x101215), Card: hex(0x1D2026), Raised: hex(0x2F343D), Line: hex(0x262A31),
	Text: hex(0xECE7DF), Quiet: hex(0xA8A399), Lamp: hex(0xF2B84B), OnLamp: hex(0x14161A),
	OK: hex(0x4CB782), Failed: hex(0xE5484D), Warning: hex(0xF2B84B), Unknown: hex(0xA8A399), OnState: hex(0x14161A),
	Critical: hex(0xFF7A70), Degraded: hex(0xF2803A), Minor: hex(0xE8C547), Calm: hex(0x6F8FAF),
}

// Day is for a bright room.
var Day = Palette{
	Ground: hex(0xFAF8F4), Rail: hex(0xF1EEE8), Card: hex(0xFFFFFF), Raised: hex(0xECE8E1), Line: hex(0xE2DDD4),
	Text: hex(0x23211E), Quiet: hex(0x625D55), Lamp: hex(0x9A6400), OnLamp: hex(0xFFFFFF),
	OK: hex(0x197548), Failed: hex(0xC4282D), Warning: hex(0x8A5A00), Unknown: hex(0x625D55), OnState: hex(0xFFFFFF),
	Critical: hex(0xC4282D), Degraded: hex(0xB85412), Minor: hex(0x8A6D00), Calm: hex(0x3F6486),
}

// Alarm is dimmer still, night or day, but for its one key.
var Alarm = Palette{
	Ground: hex(0x0C0B0A), Rail: hex(0x0C0B0A), Card: hex(0x15120E), Raised: hex(0x241D16), Line: hex(0x2A2318),
	Text: hex(0xF4DDB8), Quiet: hex(0xCDB48C), Lamp: hex(0xF2B84B), OnLamp: hex(0x14110C),
	OK: hex(0x4CB782), Failed: hex(0xE5484D), Warning: hex(0xF2B84B), Unknown: hex(0xCDB48C), OnState: hex(0x0C0B0A),
	Critical: hex(0xFF7A70), Degraded: hex(0xF2803A), Minor: hex(0xE8C547), Calm: hex(0x8FA9C4),
}

func hex(rgb uint32) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xFF}
}

// Severity is the colour of a page's level; an unknown word looks like degraded.
func (p Palette) Severity(severity string) color.NRGBA {
	switch severity {
	case "critical":
		return p.Critical
	case "minor":
		return p.Minor
	case "hidden", "other":
		return p.Calm
	}
	return p.Degraded
}

// State is the colour of a signal's state; what nobody knows is unknown.
func (p Palette) State(state string) color.NRGBA {
	switch state {
	case "ok":
		return p.OK
	case "failed":
		return p.Failed
	case "warning":
		return p.Warning
	}
	return p.Unknown
}

// Sizes of type, in Fyne's units.
const (
	SizeRail    float32 = 11
	SizeTag     float32 = 12
	SizeHeading float32 = 13
	SizeBody    float32 = 14
	SizeLead    float32 = 16
	SizeTitle   float32 = 22
	SizeLight   float32 = 26
)

// Dark says which palette an hour and a system ask for: night between dusk and
// dawn, else whatever the system has.
func Dark(systemIsDark bool, now time.Time) bool {
	hour := now.Hour()
	return systemIsDark || hour < 7 || hour >= 19
}

// Theme dresses Fyne's own widgets (the note field, the scroll bars) in a
// palette.
type Theme struct{ Palette Palette }

// Color is the palette's colour for a role of Fyne's.
func (t Theme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	p := t.Palette
	switch name {
	case theme.ColorNameBackground:
		return p.Ground
	case theme.ColorNameForeground:
		return p.Text
	case theme.ColorNamePlaceHolder, theme.ColorNameDisabled:
		return p.Quiet
	case theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground:
		return p.Rail
	case theme.ColorNameInputBorder, theme.ColorNameSeparator:
		return p.Raised
	case theme.ColorNamePrimary, theme.ColorNameFocus:
		return p.Lamp
	case theme.ColorNameForegroundOnPrimary:
		return p.OnLamp
	case theme.ColorNameButton:
		return p.Raised
	case theme.ColorNameHover, theme.ColorNamePressed, theme.ColorNameDisabledButton:
		return p.Line
	case theme.ColorNameSelection:
		selected := p.Lamp
		selected.A = 0x55
		return selected
	case theme.ColorNameScrollBar:
		return p.Quiet
	case theme.ColorNameScrollBarBackground, theme.ColorNameShadow:
		return color.NRGBA{}
	case theme.ColorNameError:
		return p.Failed
	case theme.ColorNameSuccess:
		return p.OK
	case theme.ColorNameWarning:
		return p.Warning
	}
	variant := theme.VariantDark
	if p == Day {
		variant = theme.VariantLight
	}
	return theme.DefaultTheme().Color(name, variant)
}

// Font is Fyne's own Noto Sans, which every machine has that has us.
func (Theme) Font(style fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(style) }

// Icon is Fyne's own; ours are drawn in this package.
func (Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size sets the body to 14, and narrow scroll bars.
func (Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return SizeBody
	case theme.SizeNameInputRadius:
		return 8
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameScrollBarSmall:
		return 4
	}
	return theme.DefaultTheme().Size(name)
}
