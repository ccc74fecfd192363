package tray

import (
	"context"
	"runtime"
	"time"

	"fyne.io/systray"
)

var (
	shown    = Health{Shown: true, Reason: Shown, Sentence: "Nightstand's lamp is in the notification area."}
	notTaken = Health{Reason: NotTaken, Sentence: "Windows did not take Nightstand's tray icon. " +
		"Pages still ring; use the window or the nightstand command to see and answer them."}
	closed = Health{Reason: Lost, Sentence: "Another program has closed Nightstand's tray icon. " +
		"Pages still ring; use the window or the nightstand command to see and answer them, and restart Nightstand when the night is quiet."}
)

// Run brings the icon up and keeps it up until ctx is done. On macOS it must
// be called by the main goroutine, so main calls it last on every system.
func (t *Tray) Run(ctx context.Context) {
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		// Windows sends a window's messages to the thread that made it.
		runtime.LockOSThread()
		defer close(ended)
		systray.Run(func() { close(ready) }, nil)
	}()
	select {
	case <-ready:
	case <-time.After(10 * time.Second):
		t.report(notTaken)
		<-ctx.Done()
		return
	case <-ctx.Done():
		return
	}
	there, leave := context.WithCancel(ctx)
	defer leave()
	go func() {
		<-ended
		leave()
	}()
	t.draw(there, newSurface(t.pressed, t.log), func() { t.report(shown) })
	if ctx.Err() == nil {
		t.report(closed)
		<-ctx.Done()
		return
	}
	systray.Quit()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
	}
}
