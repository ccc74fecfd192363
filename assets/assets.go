// Package assets owns what Nightstand ships besides code: its application icon
// and the bedside lamp that shows in the tray. Both are drawn by code, so that
// a new size or colour is a change that can be read.
package assets

import (
	"bytes"
	_ "embed"
	"image"
	"image/png"
	"runtime"
	"sync"

	"github.com/fyne-io/image/ico"
)

//go:generate go run ./generate icon.png

// Icon is the application icon, a PNG of 512 × 512 pixels.
//
//go:embed icon.png
var Icon []byte

// traySide is the width and height of a tray icon in pixels; panels scale it
// down to 16 to 48.
const traySide = 64

type trayIcon struct {
	light Light
	count string
}

// drawn keeps the tray icons that were asked for. There are fifteen at most.
var drawn = struct {
	sync.Mutex
	icons map[trayIcon][]byte
}{icons: map[trayIcon][]byte{}}

// TrayIcon is the lamp for a tray, 64 × 64 pixels, in the format that the
// system's tray takes: ICO on Windows, PNG elsewhere. The count is drawn only
// on the Red lamp, as 1 … 9 or 9+; at zero the lamp carries no number.
// The caller must not change the bytes.
func TrayIcon(light Light, count int) []byte {
	want := trayIcon{light: light, count: numeral(light, count)}
	drawn.Lock()
	defer drawn.Unlock()
	if icon, ok := drawn.icons[want]; ok {
		return icon
	}
	picture := Lamp(light, count, traySide)
	var icon bytes.Buffer
	// Neither encoder can fail: they write to memory, from a picture of a
	// valid size.
	switch runtime.GOOS {
	case "windows":
		_ = ico.Encode(&icon, picture)
	case "darwin":
		_ = png.Encode(&icon, picture)
	default:
		_ = png.Encode(&icon, hardEdges(picture))
	}
	drawn.icons[want] = icon.Bytes()
	return icon.Bytes()
}

// hardEdges makes every pixel either opaque or clear. systray 1.12.2 sends the
// low byte of a premultiplied colour over D-Bus, which is noise wherever a
// pixel is half transparent and right everywhere else. Panels scale the icon
// down, and that smooths the edge again.
func hardEdges(picture *image.RGBA) *image.RGBA {
	for i := 0; i < len(picture.Pix); i += 4 {
		pixel := picture.Pix[i : i+4 : i+4]
		alpha := int(pixel[3])
		if alpha < 128 {
			clear(pixel)
			continue
		}
		for channel := range 3 {
			pixel[channel] = uint8(min(255, int(pixel[channel])*255/alpha))
		}
		pixel[3] = 255
	}
	return picture
}
