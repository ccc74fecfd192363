package look

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
)

// paper is a card of that colour with a sign on it, in grey.
func paper(sign fyne.Resource, size float32, ground color.Color) *image.Gray {
	picture := canvas.NewImageFromResource(sign)
	picture.FillMode = canvas.ImageFillContain
	place := software.NewTransparentCanvas()
	place.SetPadded(false)
	place.SetContent(picture)
	place.Resize(fyne.NewSize(size, size))
	drawn := place.Capture()
	grey := image.NewGray(drawn.Bounds())
	under := color.RGBAModel.Convert(ground).(color.RGBA)
	for y := range drawn.Bounds().Dy() {
		for x := range drawn.Bounds().Dx() {
			red, green, blue, alpha := drawn.At(x, y).RGBA()
			over := func(ink uint32, under uint8) uint8 { return uint8((ink + uint32(under)*(0xFFFF-alpha)/0xFF) >> 8) }
			grey.Set(x, y, color.RGBA{over(red, under.R), over(green, under.G), over(blue, under.B), 0xFF})
		}
	}
	return grey
}

// inked is how much of a picture is not its ground.
func inked(picture *image.Gray, ground color.Color) float64 {
	empty := color.GrayModel.Convert(ground).(color.Gray).Y
	count := 0
	for _, value := range picture.Pix {
		if math.Abs(float64(value)-float64(empty)) > 16 {
			count++
		}
	}
	return float64(count) / float64(len(picture.Pix))
}

// differs is how much of what is drawn in either picture is not alike in both.
func differs(a, b *image.Gray, ground color.Color) float64 {
	empty := float64(color.GrayModel.Convert(ground).(color.Gray).Y)
	different, drawn := 0, 0
	for i := range a.Pix {
		one, other := float64(a.Pix[i]), float64(b.Pix[i])
		if math.Abs(one-empty) > 16 || math.Abs(other-empty) > 16 {
			drawn++
		}
		if math.Abs(one-other) > 64 {
			different++
		}
	}
	return float64(different) / float64(max(1, drawn))
}

// oneInk is a palette in which nothing but the shape tells signs apart.
func oneInk() Palette {
	grey := hex(0xB0B0B0)
	return Palette{
		OK: grey, Failed: grey, Warning: grey, Unknown: grey, Quiet: grey, Text: grey, Lamp: grey,
		Critical: grey, Degraded: grey, Minor: grey, Calm: grey, OnState: hex(0x000000),
	}
}

var (
	states     = []string{"ok", "failed", "warning", "unknown"}
	severities = []string{"critical", "degraded", "minor", "hidden"}
	lights     = []string{"armed", "blind", "off_shift", "not_armed", "unknown"}
	kinds      = []string{"paged", "confirmed", "note", "siren_playing", "never_heard_of"}
)

// families are the signs that stand in each other's place, by the size they
// are drawn in.
func families(p Palette) map[string]map[string]fyne.Resource {
	of := func(names []string, draw func(string, Palette) fyne.Resource) map[string]fyne.Resource {
		signs := map[string]fyne.Resource{}
		for _, name := range names {
			signs[name] = draw(name, p)
		}
		return signs
	}
	return map[string]map[string]fyne.Resource{
		"state": of(states, State), "severity": of(severities, Severity), "light": of(lights, Light), "line of a timeline": of(kinds, Kind),
		"view": {"now": Rail("now", p.Quiet), "pages": Rail("pages", p.Quiet)},
	}
}

// least is how much of two signs of a family has to differ. Severities are mere
// shapes; in the others a mark tells as well, and is thin.
var least = map[string]float64{"severity": 0.3, "state": 0.12, "light": 0.15, "line of a timeline": 0.3, "view": 0.3}

// Who sees no colours tells every state and every severity from the others by
// its shape alone, small and large.
func TestSignsAreToldApartWithoutColour(t *testing.T) {
	for family, signs := range families(oneInk()) {
		for _, size := range []float32{14, 22, 76} {
			for one, first := range signs {
				for other, second := range signs {
					if one >= other {
						continue
					}
					if part := differs(paper(first, size, color.Black), paper(second, size, color.Black), color.Black); part < least[family] {
						t.Errorf("%s: %s and %s differ in %.1f %% of what is drawn, at %.0f", family, one, other, 100*part, size)
					}
				}
			}
		}
	}
}

// The same in the colours they have, as a grey picture of the view shows them;
// there the edges are softer.
func TestSignsAreToldApartInGrey(t *testing.T) {
	for name, p := range palettes {
		for family, signs := range families(p) {
			for one, first := range signs {
				for other, second := range signs {
					if one < other && differs(paper(first, 22, p.Card), paper(second, 22, p.Card), p.Card) < least[family]/2 {
						t.Errorf("%s, %s: %s and %s look alike in grey", name, family, one, other)
					}
				}
			}
		}
	}
}

func TestWhatNobodyKnowsHasASignOfItsOwn(t *testing.T) {
	p := Night
	for _, state := range []string{"", "OK", "never_heard_of", "armed"} {
		if State(state, p).Name() != State("unknown", p).Name() {
			t.Errorf("the state %q is drawn as %s", state, State(state, p).Name())
		}
		if light := Light(state, p); state != "armed" && light.Name() != Light("unknown", p).Name() {
			t.Errorf("the light %q is drawn as %s", state, light.Name())
		}
	}
	for _, severity := range []string{"", "P1", "never_heard_of"} {
		if Severity(severity, p).Name() != Severity("degraded", p).Name() {
			t.Errorf("the severity %q is drawn as %s", severity, Severity(severity, p).Name())
		}
	}
}

// Every part of every sign is drawn: the library that does it leaves out in
// silence what it does not understand.
func TestEveryPartOfEverySignIsDrawn(t *testing.T) {
	for name, p := range palettes {
		for family, signs := range families(p) {
			for of, sign := range signs {
				picture := paper(sign, 48, p.Card)
				if part := inked(picture, p.Card); part < 0.03 || part > 0.95 {
					t.Errorf("%s: the sign of the %s %s covers %.1f %% of its field", name, family, of, 100*part)
				}
				for number, part := range parts(t, sign) {
					// A mark in the colour of the card is seen on what it lies on.
					if inked(paper(part, 48, color.Black), color.Black) < 0.003 && inked(paper(part, 48, color.White), color.White) < 0.003 {
						t.Errorf("%s: part %d of the sign of the %s %s is not drawn: %s", name, number, family, of, part.Content())
					}
				}
			}
		}
	}
}

// parts are signs of one element each.
func parts(t *testing.T, sign fyne.Resource) []fyne.Resource {
	t.Helper()
	var parsed struct {
		Elements []struct {
			XMLName    xml.Name
			Attributes []xml.Attr `xml:",any,attr"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(sign.Content(), &parsed); err != nil {
		t.Fatalf("%s is no drawing: %v", sign.Name(), err)
	}
	var parts []fyne.Resource
	for number, element := range parsed.Elements {
		text := "<" + element.XMLName.Local
		for _, attribute := range element.Attributes {
			text += fmt.Sprintf(" %s=%q", attribute.Name.Local, attribute.Value)
		}
		parts = append(parts, fyne.NewStaticResource(fmt.Sprintf("part-%d-of-%s", number, sign.Name()),
			[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+text+`/></svg>`)))
	}
	if len(parts) == 0 {
		t.Errorf("%s is empty", sign.Name())
	}
	return parts
}

// Fyne keeps drawn pictures by name, so a name must stand for one picture.
func TestANameStandsForOnePicture(t *testing.T) {
	named := map[string]string{}
	for _, p := range palettes {
		for _, signs := range families(p) {
			for _, sign := range signs {
				if other, taken := named[sign.Name()]; taken && other != string(sign.Content()) {
					t.Errorf("two pictures are called %s:\n%s\n%s", sign.Name(), other, sign.Content())
				}
				named[sign.Name()] = string(sign.Content())
			}
		}
	}
}
