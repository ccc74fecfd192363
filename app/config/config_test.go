package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, content string) (Settings, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := Load(path)
	if err == nil {
		return settings, ""
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("the sentence does not name the file: %v", err)
	}
	return settings, strings.ReplaceAll(err.Error(), path, "FILE")
}

func TestWithoutAFileTheDefaultsOfTheDesignHold(t *testing.T) {
	settings, err := Load(filepath.Join(t.TempDir(), "nothing", "settings.toml"))
	if err != nil || settings != Defaults() {
		t.Fatalf("%+v (%v)", settings, err)
	}
	for name, c := range map[string]struct{ got, want time.Duration }{
		"blind after":      {time.Duration(settings.Alarm.BlindAfter), 45 * time.Second},
		"“I know”":         {time.Duration(settings.Alarm.BlindKnown), 15 * time.Minute},
		"hush":             {time.Duration(settings.Alarm.Hush), time.Minute},
		"still on it":      {time.Duration(settings.Alarm.StillOnIt), 20 * time.Minute},
		"silence":          {time.Duration(settings.Answer.SilenceFor), 30 * time.Minute},
		"every, on shift":  {time.Duration(settings.Poll.OnShift), 3 * time.Second},
		"every, off shift": {time.Duration(settings.Poll.OffShift), 30 * time.Second},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if problems := Defaults().problems(); len(problems) > 0 {
		t.Errorf("the defaults are refused: %v", problems)
	}
}

func TestWhatIsSetHoldsAndTheRestIsDefault(t *testing.T) {
	settings, problem := load(t, "# night\n[alarm]\nhush = \" 90s \"\nblind_known = \"1h\"\n[sound]\ndevice = \"Büro\"\n")
	want := Defaults()
	want.Alarm.Hush, want.Alarm.BlindKnown, want.Sound.Device = Duration(90*time.Second), Duration(time.Hour), "Büro"
	if problem != "" || settings != want {
		t.Errorf("%+v (%s)", settings, problem)
	}
}

func TestABrokenFileIsExplainedAndNeverKeepsAnybodyAsleep(t *testing.T) {
	for name, c := range map[string]struct{ content, says string }{
		"a word it does not know":   {"[alarm]\nhsuh = \"60s\"\n", "line 2 sets “alarm.hsuh”, which there is not"},
		"not a span":                {"[alarm]\n\nhush = \"soon\"\n", "line 3: “soon” is not a span of time; write 45s, 20m or 1h30m"},
		"a number without a unit":   {"[alarm]\nhush = 60\n", "alarm.hush is 60ns and must be between 10s and 5m (written \"45s\" or \"20m\")"},
		"a switch for a name":       {"[sound]\ndevice = true\n", "line 2 sets “sound.device” to the wrong kind of value; texts and spans of time stand in quotation marks"},
		"not even the form":         {"[alarm\nhush = \"60s\"\n", "line 1:"},
		"a span that never wakes":   {"[alarm]\nblind_after = \"24h\"\n", "alarm.blind_after is 24h and must be between 10s and 10m"},
		"a negative span":           {"[poll]\non_shift = \"-3s\"\n", "poll.on_shift is -3s and must be between 1s and 30s"},
		"a silence that is no help": {"[answer]\nalertmanager_silence = \"1s\"\n", "answer.alertmanager_silence is 1s and must be between 3m and 24h"},
		"bytes":                     {"\xff\xfe\x00", "line 1:"},
	} {
		t.Run(name, func(t *testing.T) {
			settings, problem := load(t, c.content)
			if settings != Defaults() {
				t.Errorf("a broken file changed the settings: %+v", settings)
			}
			if !strings.Contains(problem, c.says) {
				t.Errorf("it says %q, want %q in it", problem, c.says)
			}
			if !strings.Contains(problem, "so the default settings hold tonight") {
				t.Errorf("it does not say what this means for tonight: %q", problem)
			}
			for _, jargon := range []string{"struct", "config.", "toml", "cannot decode", "m0s", "\n"} {
				if strings.Contains(problem, jargon) {
					t.Errorf("it speaks as a developer would (%q): %q", jargon, problem)
				}
			}
		})
	}
}

func TestAFileThatCannotBeReadIsExplained(t *testing.T) {
	folder := t.TempDir() // reading a folder fails for root too
	settings, err := Load(folder)
	if err == nil || settings != Defaults() || !strings.Contains(err.Error(), "cannot be read, so the default settings hold tonight") {
		t.Errorf("%+v, %v", settings, err)
	}
}

func TestASpanIsWrittenTheWayItIsRead(t *testing.T) {
	for _, span := range []time.Duration{time.Second, 90 * time.Second, 20 * time.Minute, 24 * time.Hour, 90 * time.Minute} {
		text, err := Duration(span).MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again Duration
		if err := again.UnmarshalText(text); err != nil || time.Duration(again) != span {
			t.Errorf("%v is written %q and read %v (%v)", span, text, time.Duration(again), err)
		}
	}
	for span, want := range map[time.Duration]string{45 * time.Second: "45s", 20 * time.Minute: "20m", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h"} {
		if text := Duration(span).String(); text != want {
			t.Errorf("%d s is written %q, want %q", int(span.Seconds()), text, want)
		}
	}
}
