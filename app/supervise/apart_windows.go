package supervise

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

var getConsoleWindow = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleWindow")

// apart gives the child a process group of its own, so that an interrupt at
// the console reaches it once, through us. Where we have no console, Windows
// would open one for the child, empty and in front of everything.
func apart() *syscall.SysProcAttr {
	flags := uint32(windows.CREATE_NEW_PROCESS_GROUP)
	if console, _, _ := getConsoleWindow.Call(); console == 0 {
		flags |= windows.CREATE_NO_WINDOW
	}
	return &syscall.SysProcAttr{CreationFlags: flags}
}

// askToStop writes the wish to the child's standard input: Windows hands no
// signals from process to process.
func askToStop(_ *os.Process, leash io.Writer, _ os.Signal) {
	// If it has just ended there is nobody to ask, and Wait tells so.
	_, _ = io.WriteString(leash, stopLine+"\n")
}
