package watch

import (
	"fmt"
	"time"

	"nightstand/app/page"
)

// clock is a time of day in the zone it carries.
func clock(at time.Time) string { return at.Format("15:04:05") }

// day is a time of day in the reader's zone, with its date when that is
// another day.
func (w *Watch) day(at time.Time) string {
	local := at.In(w.now.Wall.Location())
	if local.Format(time.DateOnly) == w.now.Wall.Format(time.DateOnly) {
		return local.Format("15:04")
	}
	return local.Format("Mon 2 Jan 15:04")
}

// span says a length of time as a colleague would.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// ageWords tells an old page's age; a fresh one needs none.
func (w *Watch) ageWords(p page.Page) string {
	age := w.now.Wall.Sub(p.TriggeredAt)
	if p.TriggeredAt.IsZero() || age < 2*time.Minute {
		return ""
	}
	return ", open for " + span(age)
}

func (w *Watch) whoAnswered(p page.Page) string {
	switch {
	case p.AcknowledgedByMe:
		return "you"
	case p.AcknowledgedBy == "":
		return "somebody"
	}
	return p.AcknowledgedBy
}

func (w *Watch) resolvedWords(p page.Page) string {
	return "“" + p.Title + "” is resolved."
}

// reassignedWords say who has a page now that is not ours any more, and that
// it went on because nobody answered where its time for that was over.
func (w *Watch) reassignedWords(before, p page.Page) string {
	to := p.AssignedTo
	if to == "" {
		to = "somebody else"
	}
	unanswered := before.Status == page.Triggered && !before.EscalatesAt.IsZero() && !before.EscalatesAt.After(w.now.Wall)
	if unanswered {
		return "Nobody answered “" + p.Title + "” in time, so it went to " + to + "."
	}
	return "The page “" + p.Title + "” was given to " + to + "."
}

func (w *Watch) holdsUntil(p page.Page) string {
	return "acknowledged until " + w.day(p.AckExpiresAt)
}

func (w *Watch) runsOut(p page.Page) string {
	return "runs out at " + w.day(p.AckExpiresAt)
}

func notConfirmedWords(i *item) string {
	if i.page.Status == page.Acknowledged {
		return "Not renewed"
	}
	return "Not acknowledged"
}

// blindWords says what cannot be seen and since when.
func (w *Watch) blindWords(a *account) string {
	switch {
	case a.heartbeatGone && w.unseenFor(a) <= w.blindAfter():
		return a.name + ": Prometheus has gone quiet. Its always-firing Watchdog alert has not come since " +
			clock(a.heartbeatSince.Wall) + ", so real alerts may not come either"
	case a.lastGood.Wall.IsZero() && a.failure == "":
		return a.name + " has not been seen since Nightstand was started"
	case a.failure == "":
		return a.name + " was last seen at " + clock(a.lastGood.Wall)
	case a.lastGood.Wall.IsZero():
		return a.name + " has not been seen since Nightstand was started: " + a.failure
	}
	return a.name + " was last seen at " + clock(a.lastGood.Wall) + ": " + a.failure
}
