//go:build unix

package home

import (
	"fmt"
	"os"
	"syscall"
)

// private makes sure that nobody else can reach into the folder.
func private(folder string) error {
	about, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	if owner, ok := about.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() || !about.IsDir() {
		return fmt.Errorf("the folder %s belongs to somebody else, so the agent will not listen in it", folder)
	}
	return os.Chmod(folder, 0o700)
}
