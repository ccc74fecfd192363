//go:build !linux

package app

// examineDesktop has nothing to look for: bus, notifications and tray are part
// of these systems.
func examineDesktop() []Finding { return []Finding{examineScreen()} }
