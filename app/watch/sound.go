package watch

import (
	"time"

	"nightstand/app/page"
)

// unprovedGrace is how long a page remembered from a killed run waits for the
// first poll before it rings again on the strength of what was known.
const unprovedGrace = 10 * time.Second

// rings says whether a page of this kind makes noise at all.
func (i *item) rings(onShift bool) bool {
	loud := i.page.Severity.Wakes() || i.page.HandedOn
	return loud && (onShift || i.page.Assigned)
}

// silentBecause returns why a page does not call, or wants = true. Hush and
// an acknowledgement under way are looked at later: they quiet, but end nothing.
func (w *Watch) wants(i *item) (wants bool, ending Ending, why string) {
	p := i.page
	switch {
	case i.ended || !p.Open():
		return false, EndedResolved, w.resolvedWords(p)
	case p.Status == page.Acknowledged:
		return i.asked && w.onShift && w.now.Mono-i.askedAt >= w.settings.StillOnItSiren,
			EndedHere, "You are still on “" + p.Title + "”."
	case i.unproved && !(i.rang && !i.quieted && w.now.Mono-i.firstSeen.Mono > unprovedGrace):
		return false, "", ""
	case !p.Mine:
		return false, EndedReassigned, "The page “" + p.Title + "” is not yours any more."
	case p.MutedBy != "":
		return false, EndedMuted, "“" + p.Title + "” is quiet at the service: " + p.MutedBy + "."
	case p.SnoozedUntil.After(w.now.Wall):
		return false, EndedMuted, "“" + p.Title + "” is snoozed until " + w.day(p.SnoozedUntil) + "."
	case i.old:
		return false, "", ""
	case !p.Severity.Wakes() && !p.HandedOn:
		return false, EndedGentler, "“" + p.Title + "” is now only “" + p.Severity.Meaning() + "” and does not wake anybody."
	case !w.onShift && !p.Assigned:
		return false, EndedShift, "Your shift is over; “" + p.Title + "” is still open."
	}
	return true, "", ""
}

// calls says that the item makes noise right now.
func (w *Watch) calls(i *item) bool {
	return i.alarming && !i.answer.quiet(w.now.Mono) && w.now.Mono >= i.hushedUntil
}

func (w *Watch) anybodyCalls() bool {
	for _, i := range w.items {
		if w.calls(i) {
			return true
		}
	}
	return false
}

// decideSound begins and ends alarms and asks for the sound that follows.
func (w *Watch) decideSound() {
	var loudest *item
	var since time.Duration
	for _, i := range w.sorted() {
		w.beginOrEnd(i)
		if !w.calls(i) {
			continue
		}
		if loudest == nil {
			loudest, since = i, i.calledAt
		}
		since = min(since, i.calledAt)
	}
	wanted := Alarm{}
	if loudest != nil {
		wanted = w.alarm(patternOf(loudest.page.Severity), since)
		wanted.PageID = loudest.page.ID
	} else if since, blind := w.blindCalls(); blind {
		wanted = w.alarm(Blind, since)
	}
	w.keepOneTone(wanted)
	if wanted != w.sounding {
		w.sounding = wanted
		w.emit(Sound{Alarm: wanted})
	}
}

// beginOrEnd keeps an item's alarm in step with what it wants.
func (w *Watch) beginOrEnd(i *item) {
	wants, ending, why := w.wants(i)
	switch {
	case wants && !i.alarming:
		w.begin(i)
	case !wants && i.alarming:
		if kind, told := map[Ending]Kind{EndedMuted: KindMuted, EndedGentler: KindStayedQuieter, EndedShift: KindShift, EndedReassigned: KindReassigned}[ending]; told {
			w.write(i, kind, why)
		}
		w.finishAlarm(i, ending, why)
		w.keep(i)
	}
}

// begin starts an alarm. One epoch has at most one: what ended and calls
// again is a new epoch.
func (w *Watch) begin(i *item) {
	i.alarming, i.calledAt = true, w.now.Mono
	w.outdated(i.page.ID)
	if i.page.Status == page.Acknowledged {
		w.write(i, KindAsked, "Nobody answered “Still on it?”; it rings.")
		return
	}
	if i.quieted {
		i.nextEpoch(w.now)
	}
	again := i.rang
	i.rang = true
	if again {
		w.write(i, KindPaged, "Still unanswered after Nightstand was started again; it rings.")
	} else {
		w.write(i, KindPaged, "Paged"+w.ageWords(i.page)+": "+i.page.Title)
	}
	w.keep(i)
}

// alarm is a pattern with the loudness its age asks for.
func (w *Watch) alarm(pattern Pattern, since time.Duration) Alarm {
	age := w.now.Mono - since
	return Alarm{
		Pattern: pattern,
		Step:    min(LoudestStep, int(age/w.settings.RampStep)),
		Sparse:  age >= w.settings.SparseAfter,
	}
}

// patternOf is the sound of a severity. What rings although its severity would
// not (because it will be handed on) gets the gentle pattern.
func patternOf(s page.Severity) Pattern {
	switch s.Rank() {
	case page.Critical.Rank():
		return Critical
	case page.Degraded.Rank():
		return Degraded
	}
	return Minor
}

// keepOneTone leaves at most one short tone, and none under a siren.
func (w *Watch) keepOneTone(wanted Alarm) {
	last := -1
	for n, effect := range w.effects {
		if _, tone := effect.(Tone); tone {
			last = n
		}
	}
	kept := w.effects[:0]
	for n, effect := range w.effects {
		if _, tone := effect.(Tone); tone && (n != last || wanted.Pattern != Silent) {
			continue
		}
		kept = append(kept, effect)
	}
	w.effects = kept
}

// hush makes it quiet for a while without answering anything. A page can be
// hushed twice; blindness alone is then known for longer.
func (w *Watch) hush() {
	pages := false
	for _, i := range w.sorted() {
		if !w.calls(i) {
			continue
		}
		pages = true
		if i.hushes < w.settings.Hushes {
			i.hushes++
			i.hushedUntil = w.now.Mono + w.settings.Hush
			w.write(i, KindHushed, "Hushed for "+span(w.settings.Hush)+"; nothing was told to the service.")
			w.keep(i)
		}
	}
	for _, a := range w.accounts {
		if !a.blind {
			continue
		}
		if pages {
			a.knownUntil = max(a.knownUntil, w.now.Mono+w.settings.Hush)
			continue
		}
		a.knownUntil = w.now.Mono + w.settings.BlindKnown
		w.log(KindHushed, "You know that "+a.name+" cannot be seen; quiet for "+span(w.settings.BlindKnown)+".")
	}
}
