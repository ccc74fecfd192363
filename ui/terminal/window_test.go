package terminal

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTheWindowThatIsAskedForIsShown(t *testing.T) {
	d := newDesk(t, nil) // it finds the agent by itself, also one that is not there yet
	shown := ""
	d.OpenWindow = func(_ context.Context, view string) error {
		shown = view
		return nil
	}
	for command, want := range map[string]string{"window": "now", "window now": "now", "window pages": "pages", "window alarm": "alarm"} {
		shown = ""
		if code := d.run(t, strings.Fields(command)...); code != 0 || shown != want || d.out.Len()+d.err.Len() != 0 {
			t.Errorf("%s ends with %d, shows %q, says %q, %q", command, code, shown, &d.out, &d.err)
		}
	}
	for _, command := range []string{"window roster", "window NOW", "window now pages", "window --json", "window ../now"} {
		shown = ""
		if code := d.run(t, strings.Fields(command)...); code != 2 || shown != "" || !strings.Contains(strings.Join(strings.Fields(d.err.String()), " "), "nightstand window --help") {
			t.Errorf("%s ends with %d, shows %q, says %q", command, code, shown, &d.err)
		}
		safe(t, d.err.String())
	}
}

func TestAWindowThatCannotBeShownSaysWhy(t *testing.T) {
	d := newDesk(t, nil)
	for want, fault := range map[int]error{1: errors.New("no window can be shown here: there is no screen"), 69: codedError{69}} {
		d.OpenWindow = func(context.Context, string) error { return fault }
		if code := d.run(t, "window"); code != want || d.err.Len() == 0 || d.out.Len() != 0 {
			t.Errorf("it ends with %d, want %d; it says %q", code, want, &d.err)
		}
		safe(t, d.err.String())
	}
}
