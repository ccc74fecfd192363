package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
)

// taskName is the name in the Task Scheduler.
const taskName = "Nightstand"

func install(ctx context.Context, r Registration) (Report, error) {
	if err := checkForTask(r); err != nil {
		return Report{}, err
	}
	me, err := user.Current()
	if err != nil {
		return Report{}, fmt.Errorf("nothing was installed, because Windows does not tell who you are: %w", err)
	}
	document, err := scheduledTask(r, me.Uid)
	if err != nil {
		return Report{}, fmt.Errorf("nothing was installed, because the task could not be described: %w", err)
	}
	if there, mine := registered(ctx); there && !mine {
		return Report{}, fmt.Errorf("nothing was installed, because the task %q was not made by Nightstand; rename it and try again", taskName)
	}
	draft, err := os.CreateTemp("", "nightstand-*.xml")
	if err != nil {
		return Report{}, fmt.Errorf("nothing was installed, because no temporary file can be written: %w", err)
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(utf16File(document))
	if err := errors.Join(err, draft.Close()); err != nil {
		return Report{}, fmt.Errorf("nothing was installed, because no temporary file can be written: %w", err)
	}
	if _, err := system(ctx, "schtasks", "/Create", "/TN", taskName, "/XML", draft.Name(), "/F"); err != nil {
		return Report{}, fmt.Errorf("nothing was installed, because the Task Scheduler refused; on a managed computer ask its administrators: %w", err)
	}
	report := Report{Supervisor: TaskScheduler}
	report.say("Nightstand starts at every login.")
	report.say("If it crashes or hangs, a small process of its own starts it again within seconds, and the Task Scheduler starts that process again after a minute.")
	if _, err := system(ctx, "schtasks", "/Run", "/TN", taskName); err != nil {
		report.say("It is not running yet: start it now with \"nightstand\", or log in again.")
	} else {
		report.say("It is running now.")
	}
	return report, nil
}

func uninstall(ctx context.Context) (Report, error) {
	report := Report{Supervisor: Nobody}
	there, mine := registered(ctx)
	switch {
	case !there:
		report.say("Nightstand was not installed to start at login; nothing was changed.")
		return report, nil
	case !mine:
		return report, fmt.Errorf("the task %q was not made by Nightstand and was left alone", taskName)
	}
	// A task that is not running cannot be ended, and that is no failure.
	_, _ = system(ctx, "schtasks", "/End", "/TN", taskName)
	if _, err := system(ctx, "schtasks", "/Delete", "/TN", taskName, "/F"); err != nil {
		return report, fmt.Errorf("the Task Scheduler would not remove Nightstand: %w", err)
	}
	report.say("Nightstand no longer starts at login, and nobody starts it again if it dies.")
	report.say("Your settings, pages and notes were left as they are.")
	return report, nil
}

func installed(ctx context.Context) Status {
	if there, mine := registered(ctx); !there || !mine {
		return Status{Supervisor: Nobody, Sentence: "Nightstand does not start at login. Run \"nightstand install\" to change that."}
	}
	status := Status{Supervisor: TaskScheduler}
	// The words of schtasks are translated, its numbers are not: 267009 is
	// "the task is running now".
	line, err := system(ctx, "schtasks", "/Query", "/TN", taskName, "/V", "/FO", "CSV", "/NH")
	status.Running = err == nil && strings.Contains(line, `"267009"`)
	if status.Running {
		status.Sentence = "Nightstand starts at login and runs under the Task Scheduler."
	} else {
		status.Sentence = "Nightstand starts at login through the Task Scheduler and is not running there now."
	}
	return status
}

// registered says whether a task of our name is there, and whether it is ours.
func registered(ctx context.Context) (there, mine bool) {
	document, err := system(ctx, "schtasks", "/Query", "/TN", taskName, "/XML")
	if err != nil {
		return false, false
	}
	return true, ours([]byte(document))
}
