package watch

import (
	"fmt"
	"time"
)

// offShiftFactor stretches the blind span off shift, where polls are rare and
// blindness is shown, not rung.
const offShiftFactor = 3

// sightGood takes in that an account was read.
func (w *Watch) sightGood(a *account, in Polled) {
	if a.failure != "" || w.stale(a) {
		a.answersSince = w.now.Wall
	}
	a.lastGood, a.failure, a.failing = w.now, "", time.Time{}
	if in.Instance != "" && in.Instance != a.instance {
		if a.instance != "" {
			a.restarted = w.now.Mono
			w.log(KindRestarted, "The paging service of "+a.name+" was restarted. What it no longer lists has "+span(w.settings.RestartGrace)+" to come back.")
		}
		a.instance = in.Instance
		w.keepAccount(a)
	}
	switch in.Heartbeat {
	case HeartbeatSeen:
		a.heartbeatSince, a.heartbeatMissed, a.heartbeatGone = w.now, nil, false
		if !a.heartbeat {
			a.heartbeat = true
			w.keepAccount(a)
		}
	case HeartbeatMissing:
		// What nobody could see is not counted as absence: the span runs from
		// the first look that missed it.
		if a.heartbeatMissed == nil {
			at := w.now.Mono
			a.heartbeatMissed = &at
		}
		a.heartbeatGone = a.heartbeat && w.now.Mono-*a.heartbeatMissed >= w.settings.HeartbeatGrace
	}
}

func (w *Watch) pollFailed(in PollFailed) {
	a, known := w.accounts[in.Account]
	if !known {
		return
	}
	if a.failure == "" {
		a.failing = w.now.Wall
	}
	a.failure = in.Sentence
}

// lookForBlindness decides whether an account can still be seen.
func (w *Watch) lookForBlindness(a *account) {
	blind := a.heartbeatGone || w.unseenFor(a) > w.blindAfter() && !w.justResumed()
	switch {
	case blind && !a.blind:
		a.blind, a.blindSince, a.unseen, a.knownUntil = true, w.now, w.lastSight(a), 0
		w.log(KindBlind, w.blindWords(a))
	case !blind && a.blind && !w.stale(a):
		w.sightBack(a)
	}
}

func (w *Watch) blindAfter() time.Duration {
	if w.onShift {
		return w.settings.BlindAfter
	}
	return max(offShiftFactor*w.settings.BlindAfter, w.settings.FreshOffShift)
}

// unseenFor is how long the account has not been read, or not been read since
// it is watched.
func (w *Watch) unseenFor(a *account) time.Duration {
	return w.now.Mono - max(a.watching, a.lastGood.Mono)
}

// lastSight is since when pages may have been missed.
func (w *Watch) lastSight(a *account) Instant {
	switch {
	case a.heartbeatGone && w.unseenFor(a) <= w.blindAfter():
		return a.heartbeatSince
	case a.lastGood.Wall.IsZero():
		return Instant{Wall: w.now.Wall.Add(a.watching - w.now.Mono), Mono: a.watching}
	}
	return a.lastGood
}

func (w *Watch) justResumed() bool {
	return w.resumed != nil && w.now.Mono-*w.resumed < w.settings.ResumeGrace
}

// stale says that the last good poll is too old to be called sight.
func (w *Watch) stale(a *account) bool {
	if a.lastGood.Wall.IsZero() {
		return true
	}
	if w.onShift {
		return w.now.Mono-a.lastGood.Mono > w.settings.FreshOnShift
	}
	return w.now.Mono-a.lastGood.Mono > w.settings.FreshOffShift
}

func (w *Watch) sightBack(a *account) {
	words := fmt.Sprintf("Sight is back: %s could not be seen for %s, from %s.", a.name,
		span(w.now.Mono-a.unseen.Mono), clock(a.unseen.Wall))
	rang := w.onShift
	a.blind = false
	w.log(KindSight, words)
	if rang {
		w.notice("", EndedSight, words)
		w.emit(Tone{Ending: EndedSight})
	}
}

// blindCalls says whether blindness rings, and since when.
func (w *Watch) blindCalls() (since time.Duration, calls bool) {
	for _, a := range w.accounts {
		if !a.blind || !w.onShift || w.now.Mono < a.knownUntil {
			continue
		}
		if !calls || a.blindSince.Mono < since {
			since = a.blindSince.Mono
		}
		calls = true
	}
	return since, calls
}

// resume takes in that the machine slept: polls are asked for at once, and
// nobody cries wolf before they had a chance.
func (w *Watch) resume(in Resumed) {
	at := w.now.Mono
	w.resumed = &at
	w.log(KindSlept, "This machine was asleep for "+span(in.Asleep)+"; pages were not heard here.")
	for name := range w.accounts {
		w.emit(LookAgain{Account: name})
	}
}
