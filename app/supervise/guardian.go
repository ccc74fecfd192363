package supervise

// Supervisor names who starts the agent again.
type Supervisor string

// The supervisors there are. Parent is our own guarding process; Autostart
// starts the parent at login and restarts nothing.
const (
	Systemd       Supervisor = "systemd"
	Parent        Supervisor = "parent"
	Launchd       Supervisor = "launchd"
	TaskScheduler Supervisor = "task-scheduler"
	Autostart     Supervisor = "autostart"
	Nobody        Supervisor = "nobody"
)

// Guardian is who would start the agent again if it died now.
type Guardian struct {
	Who Supervisor
	// AfterCrash: a dead agent is back within 5 seconds.
	AfterCrash bool
	// AfterHang: an agent without a beat is killed and back within 20 seconds.
	AfterHang bool
	// Sentence says it to a person.
	Sentence string
}

// Safe says that both a crash and a hang are mended in time, with no hand on it.
func (g Guardian) Safe() bool { return g.AfterCrash && g.AfterHang }

// Guardian tells who restarts this process, as of now: a parent that died a
// moment ago, or has stood still for 15 s, no longer counts.
func (h *Heart) Guardian() Guardian {
	dead, mute := h.parentLost()
	switch {
	case h.guarded && mute && !dead:
		return Guardian{
			Who:      Nobody,
			Sentence: "The small process that guards me no longer answers. If I crash, nobody restarts me. Restart Nightstand when the night is quiet.",
		}
	case h.guarded && !dead:
		return Guardian{
			Who: Parent, AfterCrash: true, AfterHang: true,
			Sentence: "If I crash or hang, a small guarding process starts me again within seconds" + h.above(),
		}
	case h.watchdog > 0:
		return Guardian{
			Who: Systemd, AfterCrash: true, AfterHang: true,
			Sentence: "If I crash or hang, systemd starts me again within seconds.",
		}
	case h.notify && h.named == Systemd:
		return Guardian{
			Who: Systemd, AfterCrash: true,
			Sentence: "If I crash, systemd starts me again, but if I hang, nobody notices, because the watchdog of the unit is switched off. Run \"nightstand install\" to switch it on.",
		}
	case h.guarded && h.named == Launchd:
		return Guardian{
			Who:      Launchd,
			Sentence: "The small process that guarded me has died. If I crash, launchd starts me again after ten seconds or more; if I hang, nobody notices. Restart Nightstand when the night is quiet.",
		}
	case h.guarded && h.named == TaskScheduler:
		return Guardian{
			Who:      TaskScheduler,
			Sentence: "The small process that guarded me has died. If I crash, the Task Scheduler starts me again after a minute or more; if I hang, nobody notices. Restart Nightstand when the night is quiet.",
		}
	case h.guarded:
		return Guardian{
			Who:      Nobody,
			Sentence: "The small process that guarded me has died. If I crash, nobody restarts me. Restart Nightstand when the night is quiet.",
		}
	}
	return Guardian{
		Who:      Nobody,
		Sentence: "If I crash, nobody restarts me. Run \"nightstand install\", or start me as plain \"nightstand\".",
	}
}

// above names who stands behind the guarding process.
func (h *Heart) above() string {
	switch h.named {
	case Launchd:
		return ", and launchd starts that process again."
	case TaskScheduler:
		return ", and the Task Scheduler starts that process again."
	}
	return "."
}
