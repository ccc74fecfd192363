package watch

import (
	"slices"
	"strings"
	"time"
)

// SignalState is what is known of one condition for being woken.
type SignalState string

// The four states. Unknown is never taken for OK.
const (
	SignalOK      SignalState = "ok"
	SignalWarning SignalState = "warning"
	SignalFailed  SignalState = "failed"
	SignalUnknown SignalState = "unknown"
)

// Signal is one condition for being woken, with what we know of it.
type Signal struct {
	Name     string
	State    SignalState
	Required bool
	Detail   string
	Since    time.Time
}

// Light is the one word at the top.
type Light string

// What the light can say.
const (
	Armed        Light = "armed"
	BlindLight   Light = "blind"
	NotArmed     Light = "not_armed"
	UnknownLight Light = "unknown"
	OffShift     Light = "off_shift"
)

// The signals that must be ok before the light says armed, beside the sight of
// every account. What nobody has told us about is unknown, never ok.
const (
	SignalCredential = "credential"
	SignalSound      = "sound"
	SignalMute       = "mute"
	SignalStayAwake  = "stay_awake"
	SignalSettings   = "settings"
)

var requiredSignals = []string{SignalCredential, SignalSound, SignalMute, SignalStayAwake, SignalSettings}

const pollPrefix = "poll:"

func pollSignal(account string) string { return pollPrefix + account }

// signalSeen keeps a signal and since when it is so.
func (w *Watch) signalSeen(in SignalSeen) {
	before, known := w.signals[in.Name]
	since := w.now.Wall
	if known && before.State == in.State {
		since = before.Since
	} else if known || in.State == SignalFailed || in.State == SignalWarning {
		w.log(KindSignal, in.Name+": "+in.Detail+".")
	}
	w.signals[in.Name] = Signal{Name: in.Name, State: in.State, Required: slices.Contains(requiredSignals, in.Name), Detail: in.Detail, Since: since}
}

// allSignals are those we were told and those we see ourselves, required first.
func (w *Watch) allSignals() []Signal {
	all := make([]Signal, 0, len(w.signals)+len(w.accounts)+1)
	for _, s := range w.signals {
		all = append(all, s)
	}
	for _, name := range requiredSignals {
		if _, told := w.signals[name]; !told {
			all = append(all, Signal{Name: name, State: SignalUnknown, Required: true, Detail: "not known yet"})
		}
	}
	for _, a := range w.accounts {
		all = append(all, w.sightSignal(a))
	}
	if len(w.accounts) == 0 {
		all = append(all, Signal{Name: "poll", State: SignalFailed, Required: true,
			Detail: "no paging service is set up, so no page can arrive; add one with “nightstand account add”"})
	}
	slices.SortFunc(all, func(a, b Signal) int {
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// sightSignal says how fresh the sight of one account is.
func (w *Watch) sightSignal(a *account) Signal {
	s := Signal{Name: pollSignal(a.name), Required: true}
	switch {
	case a.blind:
		s.State, s.Since, s.Detail = SignalFailed, a.blindSince.Wall, w.blindWords(a)
	case a.lastGood.Wall.IsZero() && a.failure == "":
		s.State, s.Detail = SignalUnknown, "not asked yet"
	case a.lastGood.Wall.IsZero():
		s.State, s.Since, s.Detail = SignalFailed, a.failing, a.failure
	case a.failure != "" && w.stale(a):
		s.State, s.Since, s.Detail = SignalWarning, a.failing, a.failure
	case w.stale(a):
		s.State, s.Since, s.Detail = SignalWarning, a.lastGood.Wall, "it last answered at "+clock(a.lastGood.Wall)
	default:
		s.State, s.Since, s.Detail = SignalOK, a.answersSince, "answers"
	}
	return s
}

// light sums the signals up. Armed needs every required one to be ok; before
// the first answer of a service nothing is known at all.
func (w *Watch) light() Light {
	for _, a := range w.accounts {
		if a.blind {
			return BlindLight
		}
	}
	if !w.onShift {
		return OffShift
	}
	light := Armed
	for _, s := range w.allSignals() {
		switch {
		case !s.Required || s.State == SignalOK:
		case s.State == SignalUnknown && strings.HasPrefix(s.Name, pollPrefix):
			return UnknownLight
		default:
			light = NotArmed
		}
	}
	return light
}
