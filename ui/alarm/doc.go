// Package alarm owns the window that comes up when a page rings, and what it
// becomes when the page is answered. It draws what the agent says and keeps no
// truth of its own.
package alarm
