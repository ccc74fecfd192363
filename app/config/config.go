// Package config owns the settings file: it loads it, says in words what is
// wrong with it, and never lets a broken file keep the agent from ringing.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Settings are what the user can choose. Every field has a default; a missing
// file is a file of defaults.
type Settings struct {
	Sound  Sound  `toml:"sound"`
	Alarm  Alarm  `toml:"alarm"`
	Poll   Poll   `toml:"poll"`
	Answer Answer `toml:"answer"`
}

// Sound is where the alarm comes out.
type Sound struct {
	// Device is the name of the output to ring on; empty means the system's default.
	Device string `toml:"device"`
}

// Alarm is when it becomes loud.
type Alarm struct {
	// BlindAfter is how long after the last good poll the blind alarm rings.
	BlindAfter Duration `toml:"blind_after"`
	// BlindKnown is how long "I know" keeps it quiet.
	BlindKnown Duration `toml:"blind_known"`
	// Hush is how long one hush lasts.
	Hush Duration `toml:"hush"`
	// StillOnIt is when "still on it?" is asked after an acknowledgement that
	// can run out.
	StillOnIt Duration `toml:"still_on_it"`
	// TextWhenLocked lets notifications show the whole text on a locked screen.
	TextWhenLocked bool `toml:"text_when_locked"`
}

// Poll is how often the services are asked.
type Poll struct {
	OnShift  Duration `toml:"on_shift"`
	OffShift Duration `toml:"off_shift"`
	// Unanswered is the pace while a page is unanswered.
	Unanswered Duration `toml:"unanswered"`
}

// Answer is about acknowledgements.
type Answer struct {
	// SilenceFor is how long the silence holds by which an Alertmanager is
	// told that somebody works on an alert.
	SilenceFor Duration `toml:"alertmanager_silence"`
	// JoinSameKey lets one answer count for the page of another service that came
	// from the same source under the same key.
	JoinSameKey bool `toml:"join_same_key"`
}

// Duration is a span written as "45s" or "20m".
type Duration time.Duration

// UnmarshalText reads a span such as 90s, 20m or 1h30m.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("“%s” is not a span of time; write 45s, 20m or 1h30m", text)
	}
	*d = Duration(span)
	return nil
}

// String writes a span as a person would: 20m, not 20m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if shorter, cut := strings.CutSuffix(text, "m0s"); cut {
		text = shorter + "m"
	}
	if shorter, cut := strings.CutSuffix(text, "h0m"); cut {
		text = shorter + "h"
	}
	return text
}

// MarshalText writes a span the way it is read.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Defaults are the settings of somebody who never opened the file.
func Defaults() Settings {
	return Settings{
		Alarm: Alarm{
			BlindAfter: Duration(45 * time.Second), BlindKnown: Duration(15 * time.Minute),
			Hush: Duration(60 * time.Second), StillOnIt: Duration(20 * time.Minute),
		},
		Poll:   Poll{OnShift: Duration(3 * time.Second), OffShift: Duration(30 * time.Second), Unanswered: Duration(2 * time.Second)},
		Answer: Answer{SilenceFor: Duration(30 * time.Minute)},
	}
}

// Load reads the settings file. It always returns usable settings; an error
// says in a sentence which part of the file was not, and that the defaults
// hold for all of it.
func Load(path string) (Settings, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Defaults(), nil
	}
	if err != nil {
		return Defaults(), fmt.Errorf("the settings file %s cannot be read, so the default settings hold tonight (%w)", path, err)
	}
	settings := Defaults()
	decoder := toml.NewDecoder(strings.NewReader(string(content))).DisallowUnknownFields()
	if err := decoder.Decode(&settings); err != nil {
		return Defaults(), fmt.Errorf("the settings file %s is not understood, so the default settings hold tonight: %s", path, explain(err))
	}
	if problems := settings.problems(); len(problems) > 0 {
		return Defaults(), fmt.Errorf("the settings file %s asks for what would not work, so the default settings hold tonight: %s", path, strings.Join(problems, "; "))
	}
	return settings, nil
}

// explain points at the place in the file.
func explain(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		row, _ := unknown.Errors[0].Position()
		return fmt.Sprintf("line %d sets “%s”, which there is not", row, strings.Join(unknown.Errors[0].Key(), "."))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, _ := wrong.Position()
		if key := strings.Join(wrong.Key(), "."); strings.Contains(wrong.Error(), "cannot decode") {
			// The library's words name Go's types.
			return fmt.Sprintf("line %d sets “%s” to the wrong kind of value; texts and spans of time stand in quotation marks, such as \"45s\"", row, key)
		}
		return fmt.Sprintf("line %d: %s", row, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return err.Error()
}

// problems are the values that would keep somebody from being woken.
func (s Settings) problems() []string {
	var found []string
	within := func(name string, d Duration, least, most time.Duration) {
		if time.Duration(d) < least || time.Duration(d) > most {
			found = append(found, fmt.Sprintf("%s is %s and must be between %s and %s (written \"45s\" or \"20m\")", name, d, Duration(least), Duration(most)))
		}
	}
	within("alarm.blind_after", s.Alarm.BlindAfter, 10*time.Second, 10*time.Minute)
	within("alarm.blind_known", s.Alarm.BlindKnown, time.Minute, time.Hour)
	within("alarm.hush", s.Alarm.Hush, 10*time.Second, 5*time.Minute)
	within("alarm.still_on_it", s.Alarm.StillOnIt, 2*time.Minute, 2*time.Hour)
	within("poll.on_shift", s.Poll.OnShift, time.Second, 30*time.Second)
	within("poll.off_shift", s.Poll.OffShift, 2*time.Second, 5*time.Minute)
	within("poll.unanswered", s.Poll.Unanswered, time.Second, 30*time.Second)
	within("answer.alertmanager_silence", s.Answer.SilenceFor, 3*time.Minute, 24*time.Hour)
	if least := 2*s.Poll.OnShift + Duration(5*time.Second); s.Alarm.BlindAfter < least {
		found = append(found, fmt.Sprintf("alarm.blind_after is %s, and with a look every %s it must be at least %s, or one slow answer would ring", s.Alarm.BlindAfter, s.Poll.OnShift, least))
	}
	return slices.Clip(found)
}
