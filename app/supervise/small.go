package supervise

import "runtime/debug"

// Frugal lets garbage be collected earlier than usual: a process that idles for
// hours pays for that with little, and a large one would be paid for all night.
func Frugal() { debug.SetGCPercent(40) }

// BecomeSmall gives back what was only needed to start: freed memory that the
// runtime keeps, and resident parts of the program itself. It costs a few
// milliseconds and is meant for a process that idles for hours.
func BecomeSmall() {
	debug.FreeOSMemory()
	forgetProgramPages()
}
