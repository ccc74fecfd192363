//go:build darwin && !cgo

package tray

import "context"

// Run says that this build has no menu bar icon, and returns when ctx is done.
func (t *Tray) Run(ctx context.Context) {
	t.report(Health{Reason: NotBuilt, Sentence: "This build of Nightstand has no menu bar icon. " +
		"Pages still ring; use the window or the nightstand command to see and answer them."})
	<-ctx.Done()
}
