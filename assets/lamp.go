package assets

import (
	"image"
	"image/color"
	"math"
	"strconv"
)

// Light is how the bedside lamp looks. Each differs from the others in shape,
// so that it can be told without colour.
type Light string

// The six lights, a closed set.
const (
	Lit     Light = "lit"     // glowing, with a tick: armed
	Half    Light = "half"    // half dark, with a question mark: not armed, or not known
	Red     Light = "red"     // red with a number: pages nobody has answered
	Amber   Light = "amber"   // amber with three dots: answered and still open
	Crossed Light = "crossed" // dark and crossed out: blind
	Unlit   Light = "unlit"   // an empty outline: off shift
)

// Lights lists all six.
func Lights() []Light { return []Light{Lit, Half, Red, Amber, Crossed, Unlit} }

var (
	ink   = color.NRGBA{0x1b, 0x18, 0x15, 0xff} // contours, and signs on a bright shade
	paper = color.NRGBA{0xff, 0xff, 0xff, 0xff} // signs on a dark shade
	metal = color.NRGBA{0xa8, 0xa3, 0x99, 0xff} // stem and foot
	glow  = color.NRGBA{0xff, 0xd6, 0x6b, 0xff}
	beam  = color.NRGBA{0xff, 0xe9, 0xb0, 0xff}
	dark  = color.NRGBA{0x4a, 0x4d, 0x55, 0xff}
	red   = color.NRGBA{0xd9, 0x2b, 0x30, 0xff}
	amber = color.NRGBA{0xf0, 0x8c, 0x1e, 0xff}
	dim   = color.NRGBA{0xa8, 0x74, 0x10, 0xff} // bright enough to look lit, dark enough for a white sign
	night = color.NRGBA{0x1d, 0x20, 0x26, 0xff}
)

// The parts of the lamp on the grid of 64.
var (
	shade  = rounded([]point{{14, 4}, {50, 4}, {61, 43}, {3, 43}}, 6)
	stem   = []point{{28.5, 42}, {35.5, 42}, {35.5, 55}, {28.5, 55}}
	foot   = rounded([]point{{15, 53}, {49, 53}, {51, 61}, {13, 61}}, 3)
	hollow = rounded([]point{{17, 7}, {47, 7}, {57, 40}, {7, 40}}, 6)
	cone   = []point{{9, 43}, {55, 43}, {61, 62}, {3, 62}}
)

const contour = 5.0 // half of it lies outside the shape

// Lamp draws the lamp on a clear ground, side × side pixels. The count is
// drawn only on the Red lamp, as 1 … 9 or 9+.
func Lamp(light Light, count int, side int) *image.RGBA {
	p := newPen(side)
	switch light {
	case Lit:
		p.fill(cone, beam)
		p.body(glow)
		p.write(tick, 19, 13, 27, 21, 8, ink)
	case Red:
		p.body(red)
		p.number(numeral(light, count))
	case Amber:
		p.body(amber)
		p.write(dots, 16.5, 24, 31, 0, 8.5, ink)
	case Crossed:
		p.body(dark)
		p.stroke([]point{{6, 58}, {58, 6}}, 15, paper)
		p.stroke([]point{{6, 58}, {58, 6}}, 8.5, red)
	case Unlit:
		for _, line := range []struct {
			width float64
			ink   color.Color
		}{{9.5, ink}, {5, metal}} {
			p.outline(hollow, line.width, line.ink)
			p.stroke([]point{{32, 44}, {32, 56}}, line.width, line.ink)
			p.stroke([]point{{17, 58}, {47, 58}}, line.width, line.ink)
		}
	default: // Half, and whatever is not known
		p.body(dark)
		p.fill(rightHalf(shade), dim)
		p.outline(shade, contour/2, ink)
		p.write(question, 22, 10, 20, 27, 7, paper)
	}
	return p.picture
}

// body draws the whole lamp with its shade in one colour.
func (p *pen) body(light color.Color) {
	for _, part := range [][]point{stem, foot, shade} {
		p.outline(part, contour, ink)
	}
	p.fill(stem, metal)
	p.fill(foot, metal)
	p.fill(shade, light)
}

// number writes a count on the shade, as large as it will go.
func (p *pen) number(text string) {
	switch {
	case text == "":
	case len(text) == 1:
		p.write(digits[text[0]-'0'], 23, 10, 18, 27, 7, paper)
	default:
		p.write(digits[9], 14, 10.5, 15, 26, 6.5, paper)
		p.write(plus, 37, 16.5, 14, 14, 6, paper)
	}
}

// numeral is what a lamp shows of a count.
func numeral(light Light, count int) string {
	switch {
	case light != Red || count < 1:
		return ""
	case count > 9:
		return "9+"
	}
	return strconv.Itoa(count)
}

func rightHalf(contour []point) []point {
	half := make([]point, len(contour))
	for i, corner := range contour {
		half[i] = point{math.Max(corner.x, 32), corner.y}
	}
	return half
}

// ApplicationIcon draws the icon of the program itself: the lamp, lit, on a
// square of night, side × side pixels. It carries no sign: it must not say
// armed where nobody asked.
func ApplicationIcon(side int) *image.RGBA {
	p := newPen(side)
	p.fill(rounded([]point{{2, 2}, {62, 2}, {62, 62}, {2, 62}}, 14), night)
	p.fill([]point{{20, 32}, {44, 32}, {52, 51}, {12, 51}}, color.NRGBA{0x5a, 0x4a, 0x2a, 0xff})
	p.fill(rounded([]point{{23, 12}, {41, 12}, {49, 33}, {15, 33}}, 4), glow)
	p.fill([]point{{30.5, 33}, {33.5, 33}, {33.5, 49}, {30.5, 49}}, metal)
	p.fill(rounded([]point{{22, 48}, {42, 48}, {43, 52}, {21, 52}}, 1.5), metal)
	return p.picture
}
