package assets

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

type point struct{ x, y float64 }

// pen draws filled shapes and round strokes on a square picture, in the
// coordinates of a grid of 64 × 64 whatever the picture's size.
type pen struct {
	picture *image.RGBA
	scale   float64
}

func newPen(side int) *pen {
	return &pen{
		picture: image.NewRGBA(image.Rect(0, 0, side, side)),
		scale:   float64(side) / 64,
	}
}

// fill paints the inside of one closed contour.
func (p *pen) fill(contour []point, ink color.Color) {
	bounds := p.picture.Bounds()
	raster := vector.NewRasterizer(bounds.Dx(), bounds.Dy())
	for i, corner := range contour {
		x, y := float32(corner.x*p.scale), float32(corner.y*p.scale)
		if i == 0 {
			raster.MoveTo(x, y)
		} else {
			raster.LineTo(x, y)
		}
	}
	raster.ClosePath()
	raster.DrawOp = draw.Over
	raster.Draw(p.picture, bounds, image.NewUniform(ink), image.Point{})
}

// stroke draws a line through the points with round ends and corners. Every
// piece is painted by itself, so the ink must be opaque.
func (p *pen) stroke(line []point, width float64, ink color.Color) {
	for i := 1; i < len(line); i++ {
		p.fill(capsule(line[i-1], line[i], width/2), ink)
	}
	if len(line) == 1 {
		p.fill(capsule(line[0], line[0], width/2), ink)
	}
}

// outline strokes a closed contour.
func (p *pen) outline(contour []point, width float64, ink color.Color) {
	closed := append(append([]point{}, contour...), contour[0])
	p.stroke(closed, width, ink)
}

// capsule is the contour of a thick straight line with round ends.
func capsule(from, to point, radius float64) []point {
	along := math.Atan2(to.y-from.y, to.x-from.x)
	contour := arc(to, radius, radius, along-math.Pi/2, along+math.Pi/2)
	return append(contour, arc(from, radius, radius, along+math.Pi/2, along+3*math.Pi/2)...)
}

// arc is a piece of an ellipse between two angles in radians, clockwise from
// three o'clock as seen on the screen.
func arc(centre point, radiusX, radiusY, from, to float64) []point {
	const steps = 24
	line := make([]point, 0, steps+1)
	for i := range steps + 1 {
		angle := from + (to-from)*float64(i)/steps
		line = append(line, point{centre.x + radiusX*math.Cos(angle), centre.y + radiusY*math.Sin(angle)})
	}
	return line
}

// rounded cuts the corners of a polygon to a curve that begins at the given
// distance from each corner.
func rounded(corners []point, distance float64) []point {
	const steps = 8
	var contour []point
	for i, corner := range corners {
		before := towards(corner, corners[(i+len(corners)-1)%len(corners)], distance)
		after := towards(corner, corners[(i+1)%len(corners)], distance)
		for step := range steps + 1 {
			t := float64(step) / steps
			a, b, c := (1-t)*(1-t), 2*t*(1-t), t*t
			contour = append(contour, point{
				a*before.x + b*corner.x + c*after.x,
				a*before.y + b*corner.y + c*after.y,
			})
		}
	}
	return contour
}

func towards(from, to point, distance float64) point {
	length := math.Hypot(to.x-from.x, to.y-from.y)
	return point{from.x + (to.x-from.x)*distance/length, from.y + (to.y-from.y)*distance/length}
}

// glyph is a sign made of strokes in a box from 0,0 to 1,1.
type glyph [][]point

// write draws a glyph stretched into a box.
func (p *pen) write(sign glyph, left, top, width, height, thickness float64, ink color.Color) {
	for _, line := range sign {
		placed := make([]point, len(line))
		for i, at := range line {
			placed[i] = point{left + at.x*width, top + at.y*height}
		}
		p.stroke(placed, thickness, ink)
	}
}

var (
	tick     = glyph{{{0, .55}, {.36, .95}, {1, .05}}}
	question = glyph{
		append(arc(point{.5, .28}, .46, .28, -math.Pi, math.Pi*.28), point{.5, .56}, point{.5, .68}),
		{{.5, 1}},
	}
	plus = glyph{{{0, .5}, {1, .5}}, {{.5, 0}, {.5, 1}}}
	dots = glyph{{{0, .5}}, {{.5, .5}}, {{1, .5}}}
)

// digits holds 1 … 9; they are drawn wide open, to survive being shrunk to
// eight pixels of height.
var digits = func() [10]glyph {
	six := glyph{
		{{.78, 0}, {.48, .16}, {.22, .38}, {.08, .66}},
		arc(point{.52, .68}, .45, .32, 0, 2*math.Pi),
	}
	nine := make(glyph, len(six))
	for i, line := range six {
		for _, at := range line {
			nine[i] = append(nine[i], point{1 - at.x, 1 - at.y})
		}
	}
	return [10]glyph{
		1: {{{.12, .24}, {.55, 0}, {.55, 1}}, {{.12, 1}, {.98, 1}}},
		2: {append(arc(point{.5, .29}, .44, .29, -math.Pi, math.Pi*.2), point{.06, 1}, point{.98, 1})},
		3: {append([]point{{.08, 0}, {.9, 0}, {.46, .4}}, arc(point{.46, .7}, .46, .3, -math.Pi/2, math.Pi*.8)...)},
		4: {{{.72, 1}, {.72, 0}, {.02, .7}, {1, .7}}},
		5: {append([]point{{.9, 0}, {.16, 0}, {.12, .44}}, arc(point{.46, .68}, .46, .32, -math.Pi*.72, math.Pi*.8)...)},
		6: six,
		7: {{{.02, 0}, {.98, 0}, {.38, 1}}},
		8: {arc(point{.5, .25}, .37, .25, 0, 2*math.Pi), arc(point{.5, .74}, .46, .26, 0, 2*math.Pi)},
		9: nine,
	}
}()
