package app

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"nightstand/app/home"
	"nightstand/app/secret"
	"nightstand/app/supervise"
)

// Finding is one thing this machine offers, or does not.
type Finding struct {
	Name, State, Detail, Fix string
}

// What a finding's state can be.
const (
	findingOK      = "ok"
	findingWarning = "warning"
	findingFailed  = "failed"
	findingUnknown = "unknown"
)

// Examine looks at what this machine offers for being woken. It changes nothing.
func Examine(ctx context.Context) []Finding {
	findings := []Finding{examineProfile(), examineSound()}
	findings = append(findings, examineDesktop()...)
	findings = append(findings, examineKeyring(ctx), examineSupervisor(ctx), Finding{
		Name: "stays awake", State: findingUnknown,
		Detail: "this version does not keep the machine awake and does not look whether it will sleep",
		Fix:    "switch automatic sleep off while you are on call",
	})
	return findings
}

func examineProfile() Finding {
	f := Finding{Name: "profile"}
	places, err := home.Find()
	if err == nil {
		f.Detail = places.Name()
		err = places.Prepare()
	}
	if err != nil {
		f.State, f.Detail, f.Fix = findingFailed, err.Error(), "mend the permissions, or set "+home.Variable+" to a folder that may be written"
		return f
	}
	f.State = findingOK
	return f
}

func examineSound() Finding {
	f := Finding{Name: "sound", State: findingOK}
	devices, err := listOutputs()
	switch {
	case err != nil:
		f.State, f.Detail, f.Fix = findingFailed, phrase(err.Error()), "restart the sound system and look again"
	case len(devices) == 0:
		f.State, f.Detail, f.Fix = findingFailed, "there is no sound output, so no alarm would be heard", "connect a speaker, or log in to the desktop whose sound is to be used"
	default:
		var names []string
		for _, d := range devices {
			if d.Default {
				names = append(names, d.Name+" (default)")
			} else {
				names = append(names, d.Name)
			}
		}
		f.Detail = fmt.Sprintf("%d outputs: %s", len(devices), strings.Join(names, ", "))
		if len(devices) == 1 {
			f.Detail = "one output: " + names[0]
		}
	}
	return f
}

func examineKeyring(ctx context.Context) Finding {
	if err := secret.Look(ctx); err != nil {
		return Finding{Name: "keyring", State: findingWarning, Detail: sentence(err), Fix: "start or unlock the keyring; accounts without a password need none"}
	}
	return Finding{Name: "keyring", State: findingOK, Detail: "answers; credentials can be kept in it"}
}

func examineSupervisor(ctx context.Context) Finding {
	status := supervise.Installed(ctx)
	f := Finding{Name: "restart", State: findingWarning, Detail: phrase(status.Sentence), Fix: "run “nightstand install”"}
	if status.Supervisor != supervise.Nobody {
		f.State, f.Fix = findingOK, ""
	}
	return f
}

func examineScreen() Finding {
	if runtime.GOOS != "linux" {
		return Finding{Name: "screen", State: findingOK, Detail: "part of this system"}
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return Finding{Name: "screen", State: findingWarning, Detail: "there is no screen in this session; the siren and the command line work without", Fix: "run “nightstand doctor” inside the desktop to look there"}
	}
	return Finding{Name: "screen", State: findingOK, Detail: "there is one"}
}
