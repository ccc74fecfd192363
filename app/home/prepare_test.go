//go:build unix

package home_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nightstand/app/home"
)

// profile is a home in a folder whose path is short enough for a socket.
func profile(t *testing.T) (string, home.Home) {
	t.Helper()
	root, err := os.MkdirTemp("", "home")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	t.Setenv(home.Variable, filepath.Join(root, "night"))
	return root, find(t)
}

func TestThePlacesAreForTheUserAlone(t *testing.T) {
	_, places := profile(t)
	run := filepath.Dir(places.Socket)
	// Somebody was careless before.
	if err := os.MkdirAll(run, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(run, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := places.Prepare(); err != nil {
		t.Fatal(err)
	}
	if about, err := os.Stat(run); err != nil || about.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %v (%v)", about.Mode(), err)
	}
	if left, err := os.ReadDir(run); err != nil || len(left) != 0 {
		t.Errorf("trying to write left %v behind (%v)", left, err)
	}
}

func TestAFolderOfSomebodyElsesIsRefused(t *testing.T) {
	_, places := profile(t)
	run := filepath.Dir(places.Socket)
	if err := os.MkdirAll(filepath.Dir(run), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Run("a link to another place", func(t *testing.T) {
		if err := os.Symlink(t.TempDir(), run); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(run)
		if err := places.Prepare(); err == nil {
			t.Error("the agent would listen wherever the link points")
		}
	})
	t.Run("another owner", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can give a folder away")
		}
		if err := os.Mkdir(run, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(run, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if err := places.Prepare(); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
			t.Errorf("it was taken: %v", err)
		}
	})
}

func TestAProfileThatCannotBeWrittenMovesToTheTemporaryFiles(t *testing.T) {
	root, places := profile(t)
	temporary := filepath.Join(root, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temporary)
	// A file where the profile should be cannot be written by root either.
	if err := os.WriteFile(filepath.Join(root, "night"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := places.Prepare(); err == nil {
		t.Fatal("a file was taken for a folder")
	}
	moved := places.Temporary()
	if err := moved.PrepareRun(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{moved.Lock, moved.Address, moved.Socket} {
		if !strings.HasPrefix(path, temporary+"/") {
			t.Errorf("%s is not among the temporary files", path)
		}
	}
	if moved.Database != places.Database || moved.Settings != places.Settings {
		t.Error("the database and the settings moved, so the accounts would not be found")
	}
	if again := find(t).Temporary(); again != moved {
		t.Errorf("the command line would look at %+v, the agent listens at %+v", again, moved)
	}
	if about, err := os.Stat(filepath.Dir(moved.Lock)); err != nil || about.Mode().Perm() != 0o700 || about.Sys().(*syscall.Stat_t).Uid != uint32(os.Getuid()) {
		t.Errorf("the temporary folder is %v (%v)", about.Mode(), err)
	}
}
