package look

import (
	"image/color"
	"math"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	_ "fyne.io/fyne/v2/test" // there is an application, as in the program
	"fyne.io/fyne/v2/theme"
)

var palettes = map[string]Palette{"night": Night, "day": Day, "alarm": Alarm}

// contrast is how far two colours are apart, as the web's guidelines reckon it.
func contrast(a, b color.NRGBA) float64 {
	lighter, darker := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
	return (lighter + 0.05) / (darker + 0.05)
}

func luminance(c color.NRGBA) float64 {
	linear := func(channel uint8) float64 {
		v := float64(channel) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func TestContrastIsReckonedAsTheGuidelinesSay(t *testing.T) {
	black, white, grey := hex(0x000000), hex(0xFFFFFF), hex(0x767676)
	if got := contrast(black, white); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white is %.2f", got)
	}
	if got := contrast(grey, white); math.Abs(got-4.54) > 0.01 {
		t.Errorf("grey on white is %.2f", got)
	}
}

// Tired eyes read all of it: quiet text at 4.5 to 1 and more, text at 7 to 1,
// on every ground that there is text on.
func TestEveryTextStandsOutFromItsGround(t *testing.T) {
	for name, p := range palettes {
		grounds := map[string]color.NRGBA{"the ground": p.Ground, "the rail": p.Rail, "a card": p.Card, "a raised field": p.Raised}
		must := func(least float64, what string, ink color.NRGBA, on string, ground color.NRGBA) {
			t.Helper()
			if got := contrast(ink, ground); got < least {
				t.Errorf("%s: %s on %s is %.2f to 1, want %.1f", name, what, on, got, least)
			}
		}
		for on, ground := range grounds {
			must(7, "text", p.Text, on, ground)
			must(4.5, "quiet text", p.Quiet, on, ground)
		}
		must(4.5, "what is written on the lamp", p.OnLamp, "the lamp", p.Lamp)
		must(4.5, "the chosen view", p.Lamp, "its field in the rail", p.Card)
		for _, on := range []string{"the ground", "a card"} {
			must(4.5, "a warning", p.Warning, on, grounds[on])
			must(4.5, "what is well", p.OK, on, grounds[on])
		}
	}
	for what, ink := range map[string]color.NRGBA{
		"critical": Alarm.Critical, "degraded": Alarm.Degraded, "minor": Alarm.Minor, "calm": Alarm.Calm, "blind": Alarm.Failed,
	} {
		if got := contrast(ink, Alarm.Ground); got < 4.5 {
			t.Errorf("the alarm's %s is %.2f to 1", what, got)
		}
	}
}

// Signs are no text, and large; 3 to 1 is what they need.
func TestEverySignStandsOutFromItsGround(t *testing.T) {
	for name, p := range palettes {
		for what, ink := range map[string]color.NRGBA{
			"ok": p.OK, "failed": p.Failed, "warning": p.Warning, "unknown": p.Unknown,
			"critical": p.Critical, "degraded": p.Degraded, "minor": p.Minor, "calm": p.Calm,
		} {
			for _, ground := range []color.NRGBA{p.Ground, p.Card} {
				if got := contrast(ink, ground); got < 3 {
					t.Errorf("%s: %s is %.2f to 1", name, what, got)
				}
			}
		}
	}
}

func TestWhatNobodyKnowsIsNeverTheColourOfWhatIsWell(t *testing.T) {
	for name, p := range palettes {
		for _, state := range []string{"", "unknown", "never_heard_of", "OK", "ok ", "armed"} {
			if p.State(state) == p.OK {
				t.Errorf("%s: %q is drawn like ok", name, state)
			}
		}
		for _, severity := range []string{"", "P1", "CRITICAL", "never_heard_of"} {
			if p.Severity(severity) != p.Degraded {
				t.Errorf("%s: the severity %q is not drawn like degraded", name, severity)
			}
		}
	}
}

func TestNightIsFromDuskToDawnAndWhereverTheSystemIsDark(t *testing.T) {
	for hour := range 24 {
		at := time.Date(2026, 11, 23, hour, 30, 0, 0, time.UTC)
		if want := hour < 7 || hour >= 19; Dark(false, at) != want || !Dark(true, at) {
			t.Errorf("at %s it is dark: %v", at.Format("15:04"), Dark(false, at))
		}
	}
}

// Fyne's own widgets are dressed too: nothing flashes white at night.
func TestNothingIsBrightAtNight(t *testing.T) {
	for name, p := range map[string]Palette{"night": Night, "alarm": Alarm} {
		dressed := Theme{Palette: p}
		ink := func(of fyne.ThemeColorName) color.NRGBA {
			return color.NRGBAModel.Convert(dressed.Color(of, theme.VariantLight)).(color.NRGBA)
		}
		for _, of := range []fyne.ThemeColorName{
			theme.ColorNameBackground, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground,
			theme.ColorNameButton, theme.ColorNameDisabledButton, theme.ColorNameHeaderBackground, theme.ColorNameHover, theme.ColorNamePressed,
		} {
			if got := ink(of); got.A == 0xFF && luminance(got) > 0.1 {
				t.Errorf("%s: Fyne's %s is %v", name, of, got)
			}
		}
		text, hint, field := ink(theme.ColorNameForeground), ink(theme.ColorNamePlaceHolder), ink(theme.ColorNameInputBackground)
		if contrast(text, field) < 7 || contrast(hint, field) < 4.5 {
			t.Errorf("%s: in a field text is %.2f to 1, and the hint %.2f", name, contrast(text, field), contrast(hint, field))
		}
	}
}
