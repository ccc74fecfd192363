package supervise

import (
	"io"
	"os"
	"syscall"
)

// apart gives the child a process group of its own, so that an interrupt at
// the console reaches it once, through us.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// askToStop writes the wish to the child's standard input: Windows hands no
// signals from process to process.
func askToStop(_ *os.Process, leash io.Writer, _ os.Signal) {
	// If it has just ended there is nobody to ask, and Wait tells so.
	_, _ = io.WriteString(leash, stopLine+"\n")
}
