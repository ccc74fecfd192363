package supervise

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program makes an executable file with this name in a folder of its own.
func program(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSystemdItselfAcceptsTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("this system has no systemd-analyze; the Debian package systemd brings it")
	}
	verify := func(t *testing.T, unit string) (string, error) {
		t.Helper()
		runtime := t.TempDir()
		path := filepath.Join(t.TempDir(), unitName)
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(analyze, "--user", "verify", path)
		command.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtime, "HOME="+runtime, "LC_ALL=C")
		output, err := command.CombinedOutput()
		return string(output), err
	}
	plain, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Registration{
		"plain":   {Executable: plain},
		"awkward": {Executable: program(t, awkward), Home: filepath.Join(t.TempDir(), awkward)},
		"no quotes": {
			Executable: program(t, strings.NewReplacer(`"`, "", `'`, "", `\`, "").Replace(awkward)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if output, err := verify(t, systemdUnit(r)); err != nil || strings.Contains(output, unitName) {
				t.Errorf("%v: %s\n%s", err, output, systemdUnit(r))
			}
		})
	}
	t.Run("a program that is not there is refused", func(t *testing.T) {
		output, err := verify(t, systemdUnit(Registration{Executable: "/nowhere/night stand"}))
		if err == nil || !strings.Contains(output, "/nowhere/night stand") {
			t.Errorf("verification saw nothing: %v: %s", err, output)
		}
	})
}

// What stands behind the colon must start the program, whatever its name.
func TestTheShellOfTheUnitStartsTheProgram(t *testing.T) {
	path := program(t, awkward)
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho started \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	script, found := strings.CutPrefix(systemdStart(path), `:/bin/sh -c `)
	script, _, cut := strings.Cut(script, `" "`)
	if !found || !cut {
		t.Fatalf("the command line is %s", systemdStart(path))
	}
	script = strings.ReplaceAll(strings.TrimPrefix(script, `"`), `\"`, `"`)
	output, err := exec.Command("/bin/sh", "-c", script, path).CombinedOutput()
	if err != nil || string(output) != "started agent\n" {
		t.Errorf("%v: %s", err, output)
	}
}

// fakeSystemctl puts a systemctl first in the PATH that writes down what it
// was asked, and answers with this shell code.
func fakeSystemctl(t *testing.T, answer string) (asked func() string) {
	t.Helper()
	directory := t.TempDir()
	diary := filepath.Join(directory, "asked")
	script := "#!/bin/sh\necho \"$*\" >> '" + diary + "'\n" + answer + "\n"
	if err := os.WriteFile(filepath.Join(directory, "systemctl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(diary)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(diary); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestInstallWithSystemd(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	asked := fakeSystemctl(t, `case "$*" in *Version*) echo 252;; *ActiveState*) echo active;; esac`)
	r := Registration{Executable: program(t, awkward), Home: "/srv/night"}

	// An autostart entry from a time without systemd would start it twice.
	autostart := filepath.Join(config, "autostart", "nightstand.desktop")
	if _, err := place(autostart, []byte(autostartEntry(r))); err != nil {
		t.Fatal(err)
	}
	report, err := Install(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(config, "systemd", "user", unitName)
	if report.Supervisor != Systemd || len(report.Files) != 1 || report.Files[0] != unit {
		t.Errorf("the report is %+v", report)
	}
	if content, err := os.ReadFile(unit); err != nil || string(content) != systemdUnit(r) {
		t.Errorf("the unit reads %q, %v", content, err)
	}
	if placed(autostart) {
		t.Error("the autostart entry is still there")
	}
	want := "--user daemon-reload\n--user enable nightstand.service\n--user restart nightstand.service\n"
	if got := asked(); !strings.HasSuffix(got, want) {
		t.Errorf("systemctl was asked\n%swant\n%s", got, want)
	}
	if _, err := Install(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := asked(); !strings.HasSuffix(got, "--user start nightstand.service\n") {
		t.Errorf("a second time systemctl was asked\n%s", got)
	}
	if status := Installed(t.Context()); status.Supervisor != Systemd || !status.Running {
		t.Errorf("the status is %+v", status)
	}

	foreign := filepath.Join(filepath.Dir(unit), "other.service")
	if err := os.WriteFile(foreign, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked()
	report, err = Uninstall(t.Context())
	if err != nil || report.Supervisor != Nobody {
		t.Errorf("uninstalling: %+v, %v", report, err)
	}
	if got := asked(); !strings.Contains(got, "--user disable --now nightstand.service\n") || !strings.HasSuffix(got, "--user daemon-reload\n") {
		t.Errorf("to uninstall, systemctl was asked\n%s", got)
	}
	left, err := os.ReadDir(filepath.Dir(unit))
	if err != nil || len(left) != 1 || left[0].Name() != "other.service" {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if status := Installed(t.Context()); status.Supervisor != Nobody {
		t.Errorf("afterwards the status is %+v", status)
	}
	report, err = Uninstall(t.Context())
	if err != nil || len(report.Files) != 0 || !strings.Contains(report.Sentences[0], "nothing was changed") {
		t.Errorf("uninstalling again: %+v, %v", report, err)
	}
}

func TestInstallWithoutSystemd(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	fakeSystemctl(t, "echo 'Failed to connect to bus: No medium found' >&2; exit 1")
	r := Registration{Executable: program(t, awkward)}
	for range 2 {
		report, err := Install(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if report.Supervisor != Autostart || !strings.HasPrefix(report.Sentences[0], "No systemd answers") {
			t.Errorf("the report is %+v", report)
		}
	}
	if status := Installed(t.Context()); status.Supervisor != Autostart {
		t.Errorf("the status is %+v", status)
	}
	report, err := Uninstall(t.Context())
	if err != nil || len(report.Files) != 1 {
		t.Errorf("uninstalling: %+v, %v", report, err)
	}
	if status := Installed(t.Context()); status.Supervisor != Nobody {
		t.Errorf("afterwards the status is %+v", status)
	}
}

func TestUninstallWithoutSystemdRemovesItsLink(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	fakeSystemctl(t, "exit 1")
	unit := filepath.Join(config, "systemd", "user", unitName)
	if _, err := place(unit, []byte(systemdUnit(Registration{Executable: "/usr/bin/nightstand"}))); err != nil {
		t.Fatal(err)
	}
	wanted := filepath.Join(filepath.Dir(unit), "default.target.wants", unitName)
	if err := os.Mkdir(filepath.Dir(wanted), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(unit, wanted); err != nil {
		t.Fatal(err)
	}
	if status := Installed(t.Context()); status.Running || !strings.Contains(status.Sentence, "no systemd answers") {
		t.Errorf("the status is %+v", status)
	}
	if report, err := Uninstall(t.Context()); err != nil || len(report.Files) != 2 {
		t.Errorf("uninstalling: %+v, %v", report, err)
	}
	if _, err := os.Lstat(wanted); err == nil {
		t.Error("the link is still there")
	}
}
