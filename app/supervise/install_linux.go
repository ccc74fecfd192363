package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// install prefers the user's systemd; where there is none, a desktop session's
// autostart is what is left.
func install(ctx context.Context, r Registration) (Report, error) {
	unit, autostart, err := linuxPlaces()
	if err != nil {
		return Report{}, err
	}
	if !userManagerAnswers(ctx) {
		return installAutostart(r, autostart)
	}
	changed, err := place(unit, []byte(systemdUnit(r)))
	if err != nil {
		return Report{}, err
	}
	report := Report{Supervisor: Systemd, Files: []string{unit}}
	if _, err := system(ctx, "systemctl", "--user", "daemon-reload"); err != nil {
		return report, fmt.Errorf("the unit %q was written, but systemd would not read it: %w", unit, err)
	}
	if _, err := system(ctx, "systemctl", "--user", "enable", unitName); err != nil {
		return report, fmt.Errorf("the unit %q was written, but systemd would not have it start at login: %w", unit, err)
	}
	// The agent must not be started twice at login.
	if _, err := take(autostart); err != nil {
		report.say("A second registration was found: %v.", err)
	}
	how := "start"
	if changed {
		how = "restart"
	}
	report.say("Nightstand starts at every login, with or without a display.")
	report.say("If it crashes or hangs, systemd starts it again within seconds.")
	if _, err := system(ctx, "systemctl", "--user", how, unitName); err != nil {
		report.say("It is not running under systemd yet, perhaps because another Nightstand is running: quit that one and run \"systemctl --user start nightstand\", or log in again.")
	} else {
		report.say("It is running now.")
	}
	report.say("On a machine where nobody logs in, run \"loginctl enable-linger\" once, so that it starts with the machine.")
	return report, nil
}

func installAutostart(r Registration, autostart string) (Report, error) {
	if _, err := place(autostart, []byte(autostartEntry(r))); err != nil {
		return Report{}, err
	}
	report := Report{Supervisor: Autostart, Files: []string{autostart}}
	report.say("No systemd answers for this user, so Nightstand starts when a desktop session begins, guarded by a small process of its own.")
	report.say("If it crashes or hangs, that process starts it again within seconds; nobody guards the guard itself, and without a desktop session nothing starts at all.")
	report.say("It is not running yet because of this: start it now with \"nightstand\", or log in again.")
	return report, nil
}

func uninstall(ctx context.Context) (Report, error) {
	unit, autostart, err := linuxPlaces()
	if err != nil {
		return Report{}, err
	}
	report := Report{Supervisor: Nobody}
	var failures []error
	manager := userManagerAnswers(ctx)
	if placed(unit) && manager {
		if _, err := system(ctx, "systemctl", "--user", "disable", "--now", unitName); err != nil {
			failures = append(failures, fmt.Errorf("systemd would not stop Nightstand: %w", err))
		}
	}
	// Without a manager the link that starts the unit at login is still there.
	wanted := filepath.Join(filepath.Dir(unit), "default.target.wants", unitName)
	if target, err := os.Readlink(wanted); err == nil && filepath.Base(target) == unitName && placed(unit) {
		if err := os.Remove(wanted); err != nil {
			failures = append(failures, fmt.Errorf("the link %q cannot be removed: %w", wanted, err))
		} else {
			report.Files = append(report.Files, wanted)
		}
	}
	for _, path := range []string{unit, autostart} {
		was, err := take(path)
		if err != nil {
			failures = append(failures, err)
		}
		if was {
			report.Files = append(report.Files, path)
		}
	}
	if manager {
		if _, err := system(ctx, "systemctl", "--user", "daemon-reload"); err != nil {
			failures = append(failures, fmt.Errorf("systemd would not read its units again: %w", err))
		}
	}
	if len(report.Files) == 0 {
		report.say("Nightstand was not installed to start at login; nothing was changed.")
	} else {
		report.say("Nightstand no longer starts at login, and nobody starts it again if it dies.")
		report.say("Your settings, pages and notes were left as they are.")
	}
	return report, errors.Join(failures...)
}

func installed(ctx context.Context) Status {
	unit, autostart, err := linuxPlaces()
	if err != nil {
		return Status{Supervisor: Nobody, Sentence: err.Error()}
	}
	switch {
	case placed(unit):
		status := Status{Supervisor: Systemd, Files: []string{unit}}
		state, err := system(ctx, "systemctl", "--user", "show", "--property=ActiveState", "--value", unitName)
		status.Running = err == nil && (state == "active" || state == "activating" || state == "reloading")
		switch {
		case status.Running:
			status.Sentence = "Nightstand starts at login and runs under systemd."
		case err != nil:
			status.Sentence = "Nightstand is registered with systemd, but no systemd answers for this user, so it will not start by itself. Run \"nightstand install\" again."
		default:
			status.Sentence = "Nightstand starts at login through systemd and is not running there now."
		}
		return status
	case placed(autostart):
		return Status{
			Supervisor: Autostart, Files: []string{autostart},
			Sentence: "Nightstand starts when a desktop session begins, guarded by a small process of its own.",
		}
	}
	return Status{Supervisor: Nobody, Sentence: "Nightstand does not start at login. Run \"nightstand install\" to change that."}
}

// linuxPlaces are the two files, one of which is used.
func linuxPlaces() (unit, autostart string, err error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return "", "", fmt.Errorf("nothing can be installed, because the folder for your settings is not known: %w", err)
	}
	return filepath.Join(config, "systemd", "user", unitName), filepath.Join(config, "autostart", "nightstand.desktop"), nil
}

// userManagerAnswers says whether a systemd of this user is there to be asked.
func userManagerAnswers(ctx context.Context) bool {
	version, err := system(ctx, "systemctl", "--user", "show", "--property=Version", "--value")
	return err == nil && strings.TrimSpace(version) != ""
}
