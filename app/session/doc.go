// Package session owns the ways to the desktop session that the agent runs in:
// the message bus (D-Bus), whether the screen is locked, and what lights it up.
//
// It only ever joins a bus that is already running, and starts no program on
// it: left to themselves the D-Bus libraries start a bus with dbus-launch,
// which nobody would be listening on and which stays behind when the program
// has gone.
package session
