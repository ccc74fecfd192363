//go:build unix

package control

// socketsWork says that a refused Unix socket is a fault and not the system's way.
const socketsWork = true
