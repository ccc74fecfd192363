package terminal

type windowCommand struct {
	View string `arg:"" optional:"" enum:"now,pages,alarm" default:"now" help:"Which: now (would I be woken?), pages, or alarm (comes by itself when a page rings)."`
}

// Run shows a window until it is closed.
func (c *windowCommand) Run(s *session) error { return s.OpenWindow(s.ctx, c.View) }
