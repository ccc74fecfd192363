package home_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nightstand/app/home"
)

func TestAFullDiskIsNoticedBeforeTheAgentReliesOnIt(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("only root can mount a disk to fill up: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv(home.Variable, disk)
	places := find(t)
	if err := places.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk did not fill up: %v", err)
	}
	if err := places.Prepare(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the full disk was not noticed: %v", err)
	}
}
