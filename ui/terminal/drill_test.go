package terminal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nightstand/app/control"
)

// heard is a drill that was played and answered.
func heard() control.DrillReport {
	return control.DrillReport{
		Played: true, PlayedMS: new(int64(1840)), Device: "Built-in \x1b[2JSpeakers", Level: new(-21.4),
		Acknowledged: true, AcknowledgedMS: new(int64(9120)), Sentence: "the drill went well",
	}
}

func changed(r control.DrillReport, change func(*control.DrillReport)) control.DrillReport {
	change(&r)
	return r
}

// It ends with 0 only when the alarm was played and answered, and tells no time
// that there is not.
func TestDrill(t *testing.T) {
	for name, c := range map[string]struct {
		report control.DrillReport
		code   int
		says   []string
		not    []string
	}{
		"played and answered": {heard(), 0, []string{"Played after 1.8 s on Built-in Speakers, at 21 dB below full scale.", "Acknowledged after 9.1 s, confirmed by the service.", "The drill went well."}, nil},
		"not answered": {changed(heard(), func(r *control.DrillReport) {
			r.Acknowledged, r.AcknowledgedMS, r.Sentence = false, nil, "nobody answered within 5 min"
		}), 1, []string{"Played after 1.8 s", "Nobody answered within 5 min."}, []string{"Acknowledged"}},
		"answered, but nothing was played": {changed(heard(), func(r *control.DrillReport) {
			r.Played, r.PlayedMS, r.Level, r.Device = false, nil, nil, ""
		}), 1, []string{"Acknowledged after 9.1 s"}, []string{"Played"}},
		"times of what did not happen": {changed(heard(), func(r *control.DrillReport) { r.Played, r.Acknowledged = false, false }), 1,
			[]string{"The drill went well."}, []string{"Played", "Acknowledged", "1.8", "9.1"}},
		"played nobody knows when, at nobody knows what level": {changed(heard(), func(r *control.DrillReport) { r.PlayedMS, r.AcknowledgedMS = nil, nil }), 0,
			[]string{"The drill went well."}, []string{"Played", "Acknowledged", "0.0"}},
		"played on a device that nobody knows": {changed(heard(), func(r *control.DrillReport) { r.Device, r.Level = "", nil }), 0,
			[]string{"Played after 1.8 s.\n"}, []string{" on ", "full scale"}},
	} {
		t.Run(name, func(t *testing.T) {
			agent := ringing()
			agent.drilled = c.report
			d := newDesk(t, agent)
			if code := d.run(t, "drill"); code != c.code {
				t.Errorf("it ends with %d, want %d", code, c.code)
			}
			for _, part := range c.says {
				if !strings.Contains(d.out.String(), part) {
					t.Errorf("it does not say %q:\n%s", part, &d.out)
				}
			}
			for _, part := range c.not {
				if strings.Contains(d.out.String(), part) {
					t.Errorf("it says %q:\n%s", part, &d.out)
				}
			}
			if !strings.Contains(d.err.String(), "It rings for real.") {
				t.Errorf("it does not warn:\n%s", &d.err)
			}
			safe(t, d.out.String()+d.err.String())
		})
	}
}

func TestADrillAsJSONSaysNullForWhatIsNotKnown(t *testing.T) {
	agent := ringing()
	agent.drilled = control.DrillReport{Sentence: "No sound output."}
	d := newDesk(t, agent)
	code := d.run(t, "drill", "--in", "1ms", "--json")
	want := map[string]any{"played": false, "played_ms": nil, "device": "", "level_dbfs": nil, "acknowledged": false, "acknowledged_ms": nil, "sentence": "No sound output."}
	var got map[string]any
	if err := json.Unmarshal(d.out.Bytes(), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) || code != 1 {
		t.Errorf("it ends with %d and is %v, want %v (%v)", code, got, want, err)
	}
	if d.err.Len() != 0 {
		t.Errorf("a script reads beside it %q", &d.err)
	}
	agent.drilled = heard()
	code = d.run(t, "drill", "--json")
	if err := json.Unmarshal(d.out.Bytes(), &got); err != nil || code != 0 || got["played_ms"] != 1840.0 || got["acknowledged_ms"] != 9120.0 || got["level_dbfs"] != -21.4 {
		t.Errorf("it ends with %d and is %v (%v)", code, got, err)
	}
}

func TestADrillComesWhenItWasAskedFor(t *testing.T) {
	agent := ringing()
	agent.drilled = heard()
	d := newDesk(t, agent)
	for in, want := range map[string]string{"0s": "drill 0", "90s": "drill 90", "2m": "drill 120", "1h": "drill 3600", "500ms": "drill 0.5"} {
		if code := d.run(t, "drill", "--in", in); code != 0 {
			t.Errorf("--in %s ends with %d and says %q", in, code, &d.err)
		}
		if told := agent.wasTold(t, 1); told[0] != want {
			t.Errorf("--in %s asks the agent for %q", in, told)
		}
		if waits := strings.Contains(d.err.String(), "The page of the drill comes in "); waits != (in != "0s") {
			t.Errorf("--in %s says %q", in, &d.err)
		}
	}
	for _, in := range []string{"-1s", "61m", "1h1ns", "soon", "60", ""} {
		code := d.run(t, "drill", "--in="+in)
		if code != 2 || d.out.Len() != 0 || d.err.Len() == 0 || len(agent.told) != 0 {
			t.Errorf("--in=%s ends with %d, prints %q and %q, tells %q", in, code, &d.out, &d.err, agent.told)
		}
	}
	if d.run(t, "drill", "--in=2h"); !strings.Contains(d.err.String(), "between 0s and 1h") || !strings.Contains(d.err.String(), "None was begun.") {
		t.Errorf("it does not say what would be right: %q", &d.err)
	}
}

func TestADrillThatCannotBeHeld(t *testing.T) {
	agent := ringing()
	agent.fault = &control.RefusedError{Sentence: "a drill is going on already"}
	d := newDesk(t, agent)
	if code := d.run(t, "drill"); code != 1 || !strings.Contains(d.err.String(), "A drill is going on already.") || d.out.Len() != 0 {
		t.Errorf("it ends with %d and says %q, %q", code, &d.out, &d.err)
	}
	if code := newDesk(t, nil).run(t, "drill"); code != 3 {
		t.Errorf("without an agent it ends with %d", code)
	}
}
