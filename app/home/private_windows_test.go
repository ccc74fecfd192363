package home

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The token of the loopback door must not be readable for other users, also
// where the home lies in a folder that everybody may read.
func TestOnlyTheUserAndTheSystemReachTheRunFolder(t *testing.T) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		t.Skip("Wine lets folders inherit also where it is told not to, and keeps only the modes of Unix")
	}
	open := t.TempDir()
	everybody, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	allowed, _, err := everybody.DACL()
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.SetNamedSecurityInfo(open, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, allowed, nil); err != nil {
		t.Fatal(err)
	}
	t.Setenv(Variable, filepath.Join(open, "home"))
	places, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if err := places.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(places.Address, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	stranger, err := windows.CreateWellKnownSid(windows.WinWorldSid)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Dir(places.Address), places.Address} {
		descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		allowed, _, err := descriptor.DACL()
		if err != nil {
			t.Fatal(err)
		}
		for entry := range uint32(allowed.AceCount) {
			var ace *windows.ACCESS_ALLOWED_ACE
			if err := windows.GetAce(allowed, entry, &ace); err != nil {
				t.Fatal(err)
			}
			if sid(ace).Equals(stranger) && ace.Mask != 0 {
				t.Errorf("everybody may use %s: %v", path, descriptor)
			}
		}
	}
}

// sid is whom an entry is about.
func sid(ace *windows.ACCESS_ALLOWED_ACE) *windows.SID {
	return (*windows.SID)(unsafe.Pointer(&ace.SidStart))
}
