//go:build unix

package supervise

import (
	"io"
	"os"
	"syscall"
)

// apart gives the child a process group of its own: a terminal's interrupt
// and hang-up reach it once, through us, and it outlives us.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// askToStop hands the signal on. A stopped process could not hear it.
func askToStop(child *os.Process, _ io.Writer, how os.Signal) {
	// If it has just ended there is nobody to ask, and Wait tells so.
	_ = child.Signal(how)
	_ = child.Signal(syscall.SIGCONT)
}
