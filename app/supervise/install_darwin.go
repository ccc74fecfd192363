package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

func install(ctx context.Context, r Registration) (Report, error) {
	path, err := launchAgentPath()
	if err != nil {
		return Report{}, err
	}
	changed, err := place(path, []byte(launchAgent(r)))
	if err != nil {
		return Report{}, err
	}
	report := Report{Supervisor: Launchd, Files: []string{path}}
	running := loaded(ctx)
	if changed && running {
		if _, err := system(ctx, "launchctl", "bootout", launchTarget()); err != nil {
			return report, fmt.Errorf("the file %q was written, but launchd would not let go of the earlier one: %w", path, err)
		}
		running = false
	}
	if !running {
		if _, err := system(ctx, "launchctl", "bootstrap", launchDomain(), path); err != nil {
			return report, fmt.Errorf("the file %q was written and counts from the next login, but launchd would not start Nightstand now: %w", path, err)
		}
	}
	report.say("Nightstand starts at every login.")
	report.say("If it crashes or hangs, a small process of its own starts it again within seconds, and launchd guards that process.")
	report.say("It is running now.")
	return report, nil
}

func uninstall(ctx context.Context) (Report, error) {
	path, err := launchAgentPath()
	if err != nil {
		return Report{}, err
	}
	report := Report{Supervisor: Nobody}
	var failures []error
	if placed(path) && loaded(ctx) {
		if _, err := system(ctx, "launchctl", "bootout", launchTarget()); err != nil {
			failures = append(failures, fmt.Errorf("launchd would not stop Nightstand: %w", err))
		}
	}
	was, err := take(path)
	if err != nil {
		failures = append(failures, err)
	}
	if was {
		report.Files = []string{path}
		report.say("Nightstand no longer starts at login, and nobody starts it again if it dies.")
		report.say("Your settings, pages and notes were left as they are.")
	} else {
		report.say("Nightstand was not installed to start at login; nothing was changed.")
	}
	return report, errors.Join(failures...)
}

func installed(ctx context.Context) Status {
	path, err := launchAgentPath()
	if err != nil {
		return Status{Supervisor: Nobody, Sentence: err.Error()}
	}
	if !placed(path) {
		return Status{Supervisor: Nobody, Sentence: "Nightstand does not start at login. Run \"nightstand install\" to change that."}
	}
	status := Status{Supervisor: Launchd, Files: []string{path}, Running: loaded(ctx)}
	if status.Running {
		status.Sentence = "Nightstand starts at login, and launchd has it loaded."
	} else {
		status.Sentence = "Nightstand starts at login; launchd does not have it loaded now."
	}
	return status
}

func launchAgentPath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("nothing can be installed, because your home folder is not known: %w", err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", launchLabel+".plist"), nil
}

func launchDomain() string { return "gui/" + strconv.Itoa(os.Getuid()) }

func launchTarget() string { return launchDomain() + "/" + launchLabel }

func loaded(ctx context.Context) bool {
	_, err := system(ctx, "launchctl", "print", launchTarget())
	return err == nil
}
