//go:build !darwin || cgo

package tray

import (
	"log/slog"

	"fyne.io/systray"
)

// surface paints with systray. All its methods are called by one goroutine.
type surface struct {
	items [slotCount]*systray.MenuItem
	log   *slog.Logger
}

// newSurface builds every entry the menu can hold. Clicks go to pressed.
func newSurface(pressed func(slot), log *slog.Logger) *surface {
	s := &surface{log: log}
	for at := range slotCount {
		switch at {
		case slotOpen:
			systray.AddSeparator()
			s.items[at] = systray.AddMenuItem("", "")
		case slotQuitWarning, slotQuitAnyway, slotStay:
			s.items[at] = s.items[slotQuitAsk].AddSubMenuItem("", "")
		default:
			s.items[at] = systray.AddMenuItem("", "")
		}
	}
	// From the last to the first: a submenu's entries before the submenu.
	for at := slotCount - 1; at >= 0; at-- {
		s.items[at].Hide()
		// systray drops a click that nobody is waiting for, so each entry has
		// a goroutine that does nothing but wait.
		go func() {
			for range s.items[at].ClickedCh {
				pressed(at)
			}
		}()
	}
	return s
}

// icon replaces the lamp. systray writes the new pixels over the old ones, so a
// panel that reads at this instant can get a mixture; all our icons have one
// size, which keeps that harmless, and it is told to read again at once.
func (s *surface) icon(picture []byte) {
	s.guarded(func() { systray.SetIcon(picture) })
}

func (s *surface) tooltip(text string) {
	s.guarded(func() { systray.SetTooltip(text) })
}

// lay changes only what differs between two menus.
func (s *surface) lay(was, is menu) {
	s.guarded(func() {
		for at, item := range s.items {
			before, after := was[at], is[at]
			if after.title == "" {
				if before.title != "" {
					item.Hide()
				}
				continue
			}
			if enabled := after.does != nothing || slot(at) == slotQuitAsk; enabled && item.Disabled() {
				item.Enable()
			} else if !enabled && !item.Disabled() {
				item.Disable()
			}
			if after.title != before.title {
				item.SetTitle(after.title)
			}
			if before.title == "" {
				item.Show()
			}
		}
	})
}

// guarded survives systray's own panics: systray 1.12.2 panics in SetIcon when
// the message bus has gone away, and that must not end the process that rings.
func (s *surface) guarded(paint func()) {
	defer func() {
		if problem := recover(); problem != nil {
			s.log.Warn("the tray icon could not be painted", "problem", problem)
		}
	}()
	paint()
}
