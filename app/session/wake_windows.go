package session

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	setThreadExecutionState = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")
	sendInput               = user32.NewProc("SendInput")
)

func waysToWake() []way {
	return []way{{"execution state", requireDisplay}, {"mouse", nudgeMouse}}
}

// requireDisplay starts the time after which the screen goes dark anew. On some
// versions that alone lights it up.
func requireDisplay(context.Context) error {
	const systemRequired, displayRequired = 0x1, 0x2
	before, _, err := setThreadExecutionState.Call(systemRequired | displayRequired)
	if before == 0 {
		return err
	}
	return nil
}

// input is one movement of the mouse, as SendInput takes it.
type input struct {
	kind  uint32 // 0 is a mouse
	mouse struct {
		dx, dy            int32
		data, flags, time uint32
		extra             uintptr
	}
}

// nudgeMouse moves the pointer down by one dot and up again, as a foot against
// the table does; a movement by nothing lights up nothing on some versions. It
// presses no button. Windows refuses it while the session is locked.
func nudgeMouse(context.Context) error {
	const move = 0x1 // MOUSEEVENTF_MOVE
	var nudge [2]input
	nudge[0].mouse.flags, nudge[0].mouse.dy = move, 1
	nudge[1].mouse.flags, nudge[1].mouse.dy = move, -1
	taken, _, err := sendInput.Call(uintptr(len(nudge)), uintptr(unsafe.Pointer(&nudge)), unsafe.Sizeof(nudge[0]))
	if taken == 0 {
		return err
	}
	return nil
}
