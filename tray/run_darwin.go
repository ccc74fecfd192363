//go:build cgo

package tray

import (
	"context"

	"fyne.io/systray"
)

var shown = Health{Shown: true, Reason: Shown, Sentence: "Nightstand's lamp is in the menu bar."}

// Run brings the icon up and keeps it up until ctx is done. On macOS it must
// be called by the main goroutine, so main calls it last on every system.
func (t *Tray) Run(ctx context.Context) {
	systray.Run(func() {
		context.AfterFunc(ctx, systray.Quit)
		go t.draw(ctx, newSurface(t.pressed, t.log), func() { t.report(shown) })
	}, nil)
}
