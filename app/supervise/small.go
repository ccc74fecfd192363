package supervise

import "runtime/debug"

// BecomeSmall gives back what was only needed to start: freed memory that the
// runtime keeps, and resident parts of the program itself. It costs a few
// milliseconds and is meant for a process that idles for hours.
func BecomeSmall() {
	debug.FreeOSMemory()
	forgetProgramPages()
}
