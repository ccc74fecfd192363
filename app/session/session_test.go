//go:build unix && !darwin

package session

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheBusIsOnlyEverJoined(t *testing.T) {
	directory, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	t.Setenv("XDG_RUNTIME_DIR", directory)
	for _, address := range []string{"", "autolaunch:", "autolaunch:scope=user"} {
		t.Setenv(addressVariable, address)
		if _, err := Dial(); !errors.Is(err, ErrNoBus) {
			t.Errorf("with %q: %v", address, err)
		}
		if err := Publish(); !errors.Is(err, ErrNoBus) {
			t.Errorf("with %q it published a bus: %v", address, err)
		}
	}
	socket, err := net.Listen("unix", filepath.Join(directory, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if got, want := Address(), "unix:path="+filepath.Join(directory, "bus"); got != want {
		t.Errorf("the address is %q, want %q", got, want)
	}
	t.Setenv(addressVariable, "unix:path=/elsewhere")
	if got := Address(); got != "unix:path=/elsewhere" {
		t.Errorf("the environment was overruled by %q", got)
	}
}

func TestABusThatSaysNothingIsGivenUp(t *testing.T) {
	directory, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	socket, err := net.Listen("unix", filepath.Join(directory, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv(addressVariable, "unix:path="+filepath.Join(directory, "bus"))
	start := time.Now()
	if _, err := Dial(); err == nil {
		t.Error("it greeted nobody")
	}
	if took := time.Since(start); took < Patience/2 || took > 2*Patience {
		t.Errorf("it gave up after %v", took)
	}
}
