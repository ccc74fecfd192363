package session

import (
	"context"
	"errors"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32                   = windows.NewLazySystemDLL("user32.dll")
	openInputDesktop         = user32.NewProc("OpenInputDesktop")
	closeDesktop             = user32.NewProc("CloseDesktop")
	getUserObjectInformation = user32.NewProc("GetUserObjectInformationW")
)

// lookAgain is the pause between two looks; a look costs next to nothing.
const lookAgain = 2 * time.Second

func witnesses() []witness { return []witness{watchInputDesktop} }

func watchInputDesktop(ctx context.Context, say func(Lock)) {
	pause := time.NewTicker(lookAgain)
	defer pause.Stop()
	for ctx.Err() == nil {
		say(inputDesktop())
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// inputDesktop looks at the desktop that keys and clicks go to now. Where the
// password is asked for is another one, which Windows lets nobody open. The
// same goes for the question whether a program may change the computer: while
// that stands, a text is hidden that could have been shown.
func inputDesktop() Lock {
	const mayReadObjects = 0x0001 // DESKTOP_READOBJECTS
	desktop, _, err := openInputDesktop.Call(0, 0, mayReadObjects)
	if desktop == 0 {
		if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return Locked
		}
		return LockUnknown
	}
	defer closeDesktop.Call(desktop)
	const itsName = 2 // UOI_NAME
	var name [64]uint16
	var length uint32
	read, _, _ := getUserObjectInformation.Call(desktop, itsName,
		uintptr(unsafe.Pointer(&name)), unsafe.Sizeof(name), uintptr(unsafe.Pointer(&length)))
	if read == 0 {
		return LockUnknown
	}
	if strings.EqualFold(windows.UTF16ToString(name[:]), "Default") {
		return Unlocked
	}
	return Locked
}
