//go:build !linux && !darwin && !windows

package supervise

import (
	"context"
	"errors"
)

var errNoSupervisor = errors.New("nightstand does not know how programs are started at login on this system; have \"nightstand agent --guarded\" started there")

func install(context.Context, Registration) (Report, error) { return Report{}, errNoSupervisor }

func uninstall(context.Context) (Report, error) { return Report{}, errNoSupervisor }

func installed(context.Context) Status {
	return Status{Supervisor: Nobody, Sentence: "Nightstand does not know how programs are started at login on this system."}
}
