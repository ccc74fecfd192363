//go:build linux

package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The Windows build runs on this desktop too: Wine is Windows enough that it is
// heard, seen and answered.

const (
	// wineVariable demands Wine with "1": a Wine that is missing is a failure
	// then. It is a skip otherwise, with NIGHTSTAND_RIG=1 too, because Wine is
	// large.
	wineVariable = "NIGHTSTAND_WINE"
	// exeVariable names a Windows build that is there already.
	exeVariable = "NIGHTSTAND_EXE"
)

// crossCompiler makes C into programs for Windows.
const crossCompiler = "x86_64-w64-mingw32-gcc"

// How long Wine may take on a busy machine with a slow disk: to lay a Windows
// out, which is 700 MB of files, and for a program to be ready in it.
const (
	layOutWithin       = 3 * time.Minute
	windowsReadyWithin = time.Minute
)

// windowsProgram builds Nightstand for Windows once and returns where it is.
var windowsProgram = sync.OnceValues(func() (string, error) {
	if ready := os.Getenv(exeVariable); ready != "" {
		return filepath.Abs(ready)
	}
	folder, err := os.MkdirTemp("", "nightstand-build")
	if err != nil {
		return "", err
	}
	afterwards = append(afterwards, func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "nightstand.exe")
	// In the words of "make cross", so that what it compiled is taken up.
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, "nightstand")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=1", "CC="+crossCompiler, "CGO_CFLAGS=-O2 -w")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("nightstand could not be built for Windows: %w\n%s", err, output)
	}
	return path, nil
})

// needWine returns the program that runs Windows programs, and skips or fails
// the test where it, its server or the compiler is missing.
func needWine(tb testing.TB) string {
	tb.Helper()
	found := func(programs ...string) string {
		tb.Helper()
		for _, program := range programs {
			if _, err := exec.LookPath(program); err == nil {
				return program
			}
		}
		reason := programs[0] + " is not installed; the Debian packages wine, wine64 and gcc-mingw-w64-x86-64 bring what it takes to run the Windows build"
		if os.Getenv(wineVariable) == "1" {
			tb.Fatal(reason)
		}
		tb.Skip(reason)
		return ""
	}
	found(crossCompiler)
	found("wineserver")
	return found("wine64", "wine") // its makers call it so, and Debian so
}

// Windows is a Windows of its own on a desktop. It is switched off and thrown
// away with the test.
type Windows struct {
	// Prefix is the folder that holds it: its drive C is "drive_c" there, and
	// its drive Z is this machine.
	Prefix string

	tb      testing.TB
	desktop *Desktop
	wine    string
}

// StartWindows lays a Windows out and returns when programs can run in it.
func StartWindows(tb testing.TB, d *Desktop) *Windows {
	tb.Helper()
	w := &Windows{Prefix: filepath.Join(d.Directory, "wine"), tb: tb, desktop: d, wine: needWine(tb)}
	tb.Cleanup(w.switchOff)
	boot := d.Run(w.environment(), w.wine, "wineboot", "--init")
	select {
	case <-boot.Ended():
	case <-time.After(layOutWithin):
		tb.Fatalf("Wine did not lay a Windows out within %v:\n%s", layOutWithin, boot.tail())
	}
	if code := boot.ExitCode(); code != 0 {
		tb.Fatalf("Wine could not lay a Windows out (%d):\n%s", code, boot.tail())
	}
	// What laid it out would stand in the way of the first window for ten seconds.
	w.serve("--kill")
	w.addRandomness()
	return w
}

// environment keeps Wine from talking about itself, from offering a .NET and a
// browser, and from putting programs into menus.
func (w *Windows) environment() []string {
	return []string{
		"WINEPREFIX=" + w.Prefix,
		"WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d",
	}
}

// randomness is the one function that Go needs of Windows and Wine 8 lacks.
const randomness = `#include <windows.h>
BOOLEAN WINAPI SystemFunction036(void *into, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(void *into, SIZE_T length) { return SystemFunction036(into, length); }
`

func (w *Windows) addRandomness() {
	w.tb.Helper()
	source := filepath.Join(w.desktop.Directory, "tmp", "randomness.c")
	w.desktop.write(source, randomness, 0o600)
	library := filepath.Join(w.Prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	w.desktop.Output(crossCompiler, "-shared", "-o", library, source, "-ladvapi32")
}

// Install gives this Windows a Nightstand that is started, asked and answered
// like any other: its binary is a script that runs the Windows build.
func (w *Windows) Install() *Nightstand {
	w.tb.Helper()
	program, err := windowsProgram()
	if err != nil {
		w.tb.Fatal(err)
	}
	night := &Nightstand{
		Home: filepath.Join(w.Prefix, "drive_c", "night"), tb: w.tb, desktop: w.desktop,
		binary: filepath.Join(w.desktop.Directory, "nightstand-for-windows"),
	}
	script := "#!/bin/sh\n"
	for _, variable := range w.environment() {
		script += "export '" + variable + "'\n"
	}
	w.desktop.write(night.binary, script+"exec "+w.wine+" '"+program+"' \"$@\"\n", 0o700)
	w.tb.Cleanup(func() {
		if w.tb.Failed() {
			w.tb.Logf("the agent's log:\n%s", night.Log())
		}
	})
	return night
}

// Demo starts a demonstration and returns when its throw-away home is there,
// with the instant just before its start.
func (w *Windows) Demo(night *Nightstand) time.Time {
	w.tb.Helper()
	began := night.Launch("demo")
	night.Agent.awaitReady(w.tb, windowsReadyWithin, func() error {
		var homes []string
		for _, temporary := range []string{"Temp", "AppData/Local/Temp"} { // the second from Wine 9 on
			found, err := filepath.Glob(filepath.Join(w.Prefix, "drive_c/users/*", temporary, "nightstand-demo-*/home"))
			if err != nil {
				return err
			}
			homes = append(homes, found...)
		}
		if len(homes) != 1 {
			return fmt.Errorf("there are the homes %q", homes)
		}
		night.Home = homes[0]
		return nil
	})
	return began
}

// Running are the ids of the processes in this Windows that have this in their
// command line; of all of them if it is empty.
func (w *Windows) Running(what string) []int {
	w.tb.Helper()
	return slices.DeleteFunc(w.desktop.processes(), func(id int) bool {
		about := filepath.Join("/proc", strconv.Itoa(id))
		environment, err := os.ReadFile(filepath.Join(about, "environ"))
		line, failed := os.ReadFile(filepath.Join(about, "cmdline"))
		if err != nil || failed != nil {
			return true // it has ended
		}
		here := bytes.Contains(environment, []byte("WINEPREFIX="+w.Prefix+"\x00"))
		return !here || !bytes.Contains(bytes.ReplaceAll(line, []byte{0}, []byte{' '}), []byte(what))
	})
}

// serve tells this Windows' own server something. It fails where none runs any
// more, and that is well.
func (w *Windows) serve(wish string) {
	server := w.desktop.Command("wineserver", wish)
	server.Env = append(server.Env, w.environment()...)
	_ = server.Run()
}

// switchOff ends everything in this Windows, and in no other.
func (w *Windows) switchOff() {
	w.serve("--kill")
	Eventually(w.tb, readyWithin, func() error {
		if left := w.Running(""); len(left) > 0 {
			return fmt.Errorf("the processes %v of Wine are left behind", left)
		}
		return nil
	})
}
