package home_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"nightstand/app/home"
)

func find(t *testing.T) home.Home {
	t.Helper()
	places, err := home.Find()
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func all(h home.Home) []string {
	return []string{h.Settings, h.Database, h.Log, h.Lock, h.Address, h.Socket}
}

func TestEverythingOfAGivenHomeIsUnderIt(t *testing.T) {
	root, err := os.MkdirTemp("", "home")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	t.Setenv(home.Variable, root)
	places := find(t)
	if places.Given != root || places.Name() != root {
		t.Errorf("the home is %q, named %q, want %q", places.Given, places.Name(), root)
	}
	for _, path := range all(places) {
		if !strings.HasPrefix(path, root+string(filepath.Separator)) {
			t.Errorf("%s is outside of %s", path, root)
		}
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("looking for the places created %v (%v)", left, err)
	}
}

func TestARelativeHomeIsMadeAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(home.Variable, "second")
	for _, path := range all(find(t)) {
		if !filepath.IsAbs(path) {
			t.Errorf("%q depends on where the program was started", path)
		}
	}
}

func TestTwoHomesShareNothing(t *testing.T) {
	long := strings.Repeat("a-very-long-folder-name/", 8)
	seen := map[string]string{}
	for _, root := range []string{"/one", "/two", "/" + long + "one", "/" + long + "two"} {
		t.Setenv(home.Variable, root)
		places := find(t)
		for _, path := range append(all(places), places.Temporary().Lock, places.Temporary().Socket, places.Temporary().Address) {
			if other, taken := seen[path]; taken && other != root {
				t.Errorf("%s is used by %s and by %s", path, other, root)
			}
			seen[path] = root
		}
	}
}

func TestTheSocketIsNeverTooLongForTheSystem(t *testing.T) {
	for _, root := range []string{"/n", "/" + strings.Repeat("x", 85), "/" + strings.Repeat("x", 86), "/" + strings.Repeat("x", 300)} {
		t.Setenv(home.Variable, root)
		for _, places := range []home.Home{find(t), find(t).Temporary()} {
			if length := len(places.Socket); length > 103 {
				t.Errorf("the socket of %q has %d bytes: %s", root, length, places.Socket)
			}
		}
	}
}

func TestTheSystemsOwnPlacesAreUsedWithoutAHome(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("these are the variables of the Linux desktops")
	}
	t.Setenv(home.Variable, "")
	t.Setenv("HOME", "/home/anna")
	for _, c := range []struct{ config, data, settings, database string }{
		{"", "", "/home/anna/.config/nightstand/settings.toml", "/home/anna/.local/share/nightstand/nightstand.db"},
		{"/c", "/d", "/c/nightstand/settings.toml", "/d/nightstand/nightstand.db"},
		{"", "relative", "/home/anna/.config/nightstand/settings.toml", "/home/anna/.local/share/nightstand/nightstand.db"},
	} {
		t.Setenv("XDG_CONFIG_HOME", c.config)
		t.Setenv("XDG_DATA_HOME", c.data)
		if places := find(t); places.Settings != c.settings || places.Database != c.database || places.Given != "" {
			t.Errorf("with %q and %q: %+v", c.config, c.data, places)
		}
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	if _, err := home.Find(); err == nil || !strings.Contains(err.Error(), home.Variable) {
		t.Errorf("a user without a home is told %v", err)
	}
}
