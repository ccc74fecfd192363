//go:build linux

package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nightstand/app/control"
	"nightstand/app/home"
	"nightstand/app/store"
	"nightstand/app/watch"
)

// profile points this process at a home of its own.
func profile(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "claim") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	folder := filepath.Join(root, "night")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv(home.Variable, folder)
	t.Setenv("TMPDIR", root)
	return folder
}

func TestOneAgentAProfile(t *testing.T) {
	profile(t)
	_, lock, err := claim()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := claim(); !errors.As(err, &RunningError{}) {
		t.Errorf("a second one gave %v", err)
	}
	lock.Unlock()
	if _, again, err := claim(); err != nil {
		t.Errorf("after the first ended: %v", err)
	} else {
		again.Unlock()
	}
}

func TestAProfileOnAFullDiskIsClaimedBesideTheTemporaryFilesAndOnlyOnce(t *testing.T) {
	folder := profile(t)
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("only root can mount a disk to fill up: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk did not fill up: %v", err)
	}
	places, lock, err := claim()
	if err != nil {
		t.Fatalf("on a full disk nothing can ring: %v", err)
	}
	defer lock.Unlock()
	if strings.HasPrefix(places.Socket, folder+"/") {
		t.Errorf("it would listen at %s, on the full disk", places.Socket)
	}
	listener, _, err := control.Open(places.Socket, places.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := Dial(); err != nil {
		t.Errorf("the command line does not find it: %v", err)
	}

	kept, seen := openStore(t.Context(), places, discard())
	if kept != nil {
		kept.Close()
	}
	if seen.Name != storageSignal || seen.State != watch.SignalFailed || !strings.Contains(seen.Detail, "the disk is full") {
		t.Errorf("the storage signal is %+v", seen)
	}

	// There is room again: the profile's own lock is free, and yet it is taken.
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, _, err := claim(); !errors.As(err, &RunningError{}) {
		t.Errorf("a second agent would ring beside the first: %v", err)
	}
}

func TestAnOpenDatabaseAndADamagedOneAreSaid(t *testing.T) {
	profile(t)
	places, lock, err := claim()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	kept, seen := openStore(t.Context(), places, discard())
	if kept == nil || seen.State != watch.SignalOK {
		t.Fatalf("a fresh profile: %+v", seen)
	}
	kept.Close()
	if err := os.WriteFile(places.Database, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, seen = openStore(t.Context(), places, discard())
	if kept == nil || seen.State != watch.SignalWarning || !strings.Contains(seen.Detail, "Accounts have to be added again") {
		t.Fatalf("a damaged one: %+v", seen)
	}
	defer kept.Close()
	if _, err := kept.Account(t.Context(), "prod"); !errors.Is(err, store.ErrNoAccount) {
		t.Errorf("the new one does not work: %v", err)
	}
	if err := os.WriteFile(places.Settings, []byte("[alarm]\nhsuh = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, settingsSeen := loadSettings(places)
	if settingsSeen.State != watch.SignalFailed || settingsSeen.Name != watch.SignalSettings || settings.Alarm.Hush == 0 {
		t.Errorf("broken settings: %+v", settingsSeen)
	}
}

// A database that was there and cannot be understood leaves nobody watching;
// that has to ring, and a profile that never had one must not.
func TestANightWithoutItsAccountsIsNotSilent(t *testing.T) {
	damaged := watch.SignalSeen{Name: storageSignal, State: watch.SignalWarning, Detail: "the database was damaged"}
	unreadable := watch.SignalSeen{Name: storageSignal, State: watch.SignalFailed, Detail: "the database cannot be opened"}
	fine := watch.SignalSeen{Name: storageSignal, State: watch.SignalOK}
	kept := &store.Store{}
	for name, one := range map[string]struct {
		kept       *store.Store
		seen       watch.SignalSeen
		noDatabase error
		lost       bool
	}{
		"damaged":               {kept, damaged, nil, true},
		"unreadable":            {nil, unreadable, nil, true},
		"to be read only":       {kept, unreadable, nil, false},
		"fine":                  {kept, fine, nil, false},
		"never there, no right": {nil, unreadable, os.ErrNotExist, false},
	} {
		if got := lostAccounts(one.kept, one.seen, one.noDatabase); got != one.lost {
			t.Errorf("%s: lost is %v", name, got)
		}
	}
}
