package assets

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"golang.org/x/image/draw"
)

type look struct {
	light Light
	count int
}

func everyLook() []look {
	var all []look
	for _, light := range Lights() {
		if light != Red {
			all = append(all, look{light, 0})
			continue
		}
		for count := range 11 {
			all = append(all, look{light, count})
		}
	}
	return all
}

// Somebody who does not see colours must tell the lamps apart at the smallest
// size that panels use, whatever the panel's ground.
func TestEveryLampDiffersWithoutColour(t *testing.T) {
	const side = 16
	for _, ground := range []color.Gray{{0x16}, {0xf8}} {
		shrunk := map[look]*image.Gray{}
		for _, each := range everyLook() {
			grey := image.NewGray(image.Rect(0, 0, side, side))
			draw.Draw(grey, grey.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
			lamp := Lamp(each.light, each.count, traySide)
			draw.CatmullRom.Scale(grey, grey.Bounds(), lamp, lamp.Bounds(), draw.Over, nil)
			shrunk[each] = grey
		}
		for one, first := range shrunk {
			for other, second := range shrunk {
				if one == other {
					continue
				}
				different := 0
				for i := range first.Pix {
					if d := int(first.Pix[i]) - int(second.Pix[i]); d > 60 || d < -60 {
						different++
					}
				}
				// 8 and 9 are the closest pair by nature; five pixels of a
				// digit six wide still tell them apart.
				if different < 5 {
					t.Errorf("on ground %#x %v and %v differ in only %d pixels", ground.Y, one, other, different)
				}
			}
		}
	}
}

func TestTrayIconsArePicturesWithoutHalfTransparentPixels(t *testing.T) {
	for _, each := range everyLook() {
		picture, err := png.Decode(bytes.NewReader(TrayIcon(each.light, each.count)))
		if err != nil {
			t.Fatalf("%v: %v", each, err)
		}
		if picture.Bounds() != image.Rect(0, 0, 64, 64) {
			t.Errorf("%v is %v", each, picture.Bounds())
		}
		seen := 0
		for y := range 64 {
			for x := range 64 {
				_, _, _, alpha := picture.At(x, y).RGBA()
				if alpha != 0 && alpha != 0xffff {
					t.Fatalf("%v has a half transparent pixel at %d,%d", each, x, y)
				}
				if alpha != 0 {
					seen++
				}
			}
		}
		if seen < 64*64/8 {
			t.Errorf("%v covers only %d pixels", each, seen)
		}
	}
}

func TestTheSetIsClosed(t *testing.T) {
	if !bytes.Equal(TrayIcon(Red, 10), TrayIcon(Red, 500)) {
		t.Error("more than nine pages need more than one icon")
	}
	if bytes.Equal(TrayIcon(Red, 9), TrayIcon(Red, 10)) {
		t.Error("nine and more than nine look the same")
	}
	if !bytes.Equal(TrayIcon(Lit, 0), TrayIcon(Lit, 7)) {
		t.Error("a lamp that is not red carries a number")
	}
	if !bytes.Equal(TrayIcon(Half, 0), TrayIcon("never heard of", 0)) {
		t.Error("an unknown light must look unknown")
	}
}

// The file is drawn by "go generate"; processors may round the last bit of a
// colour differently.
func TestTheApplicationIconIsUpToDate(t *testing.T) {
	shipped, err := png.Decode(bytes.NewReader(Icon))
	if err != nil {
		t.Fatal(err)
	}
	fresh := ApplicationIcon(512)
	if shipped.Bounds() != fresh.Bounds() {
		t.Fatalf("the shipped icon is %v", shipped.Bounds())
	}
	for y := range 512 {
		for x := range 512 {
			r, g, b, a := shipped.At(x, y).RGBA()
			r2, g2, b2, a2 := fresh.At(x, y).RGBA()
			for _, d := range []int{int(r) - int(r2), int(g) - int(g2), int(b) - int(b2), int(a) - int(a2)} {
				if d > 0x0500 || d < -0x0500 {
					t.Fatalf("icon.png is out of date at %d,%d: run go generate in assets", x, y)
				}
			}
		}
	}
}
