// Generate draws the pictures that have to lie in the repository as files:
//
//	go run ./generate icon.png
//	go run ./generate -sheet sheet.png
//
// The sheet shows every tray icon at 64, 32, 22 and 16 pixels on a dark and on
// a light panel, for somebody to look at.
package main

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"log"
	"os"

	scale "golang.org/x/image/draw"

	"nightstand/assets"
)

func main() {
	sheet := flag.Bool("sheet", false, "draw the sheet of all tray icons instead of the application icon")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("Give one file name to draw to.")
	}
	var picture image.Image = assets.ApplicationIcon(512)
	if *sheet {
		picture = everyLamp()
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(flag.Arg(0), file.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// everyLamp lays the icons out as panels show them: the very bytes a tray
// gets, scaled down.
func everyLamp() image.Image {
	type lamp struct {
		light assets.Light
		count int
	}
	var lamps []lamp
	for _, light := range assets.Lights() {
		if light != assets.Red {
			lamps = append(lamps, lamp{light, 0})
			continue
		}
		for _, count := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10} {
			lamps = append(lamps, lamp{light, count})
		}
	}
	const cell = 80
	sides := []int{64, 32, 22, 16}
	grounds := []color.Color{color.NRGBA{0x14, 0x16, 0x1a, 0xff}, color.NRGBA{0xfa, 0xf8, 0xf4, 0xff}, color.NRGBA{0x80, 0x80, 0x80, 0xff}}
	rows := len(grounds) * len(sides)
	sheet := image.NewRGBA(image.Rect(0, 0, cell*len(lamps), cell*rows))
	for row := range rows {
		ground, side := grounds[row/len(sides)], sides[row%len(sides)]
		strip := image.Rect(0, row*cell, sheet.Bounds().Dx(), (row+1)*cell)
		draw.Draw(sheet, strip, image.NewUniform(ground), image.Point{}, draw.Src)
		for column, each := range lamps {
			icon, _, err := image.Decode(bytes.NewReader(assets.TrayIcon(each.light, each.count)))
			if err != nil {
				log.Fatal(err)
			}
			at := image.Pt(column*cell+(cell-side)/2, row*cell+(cell-side)/2)
			scale.CatmullRom.Scale(sheet, image.Rectangle{at, at.Add(image.Pt(side, side))}, icon, icon.Bounds(), draw.Over, nil)
		}
	}
	return sheet
}
