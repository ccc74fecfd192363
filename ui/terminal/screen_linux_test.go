package terminal

import (
	"os"
	"testing"
)

// The master side of a pseudo terminal counts as a terminal on Linux.
func TestATerminalGetsColoursUnlessToldOtherwise(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine has no pseudo terminals: %v", err)
	}
	defer terminal.Close()
	for _, c := range []struct {
		environment map[string]string
		want        screen
	}{
		{nil, screen{width: 80, colours: true}},
		{map[string]string{"NO_COLOR": "1"}, screen{width: 80}},
		{map[string]string{"TERM": "dumb"}, screen{width: 80}},
	} {
		if got := newScreen(terminal, func(name string) string { return c.environment[name] }); got != c.want {
			t.Errorf("with %v the screen is %+v, want %+v", c.environment, got, c.want)
		}
	}
}
