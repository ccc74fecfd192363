//go:build !linux

package supervise

// forgetProgramPages does nothing: these systems count a program's own pages
// once for all its processes.
func forgetProgramPages() {}
