package watch

import (
	"fmt"
	"slices"
	"time"

	"nightstand/app/page"
)

// remembered is how long an ended page is kept in mind, so that a service that
// opens it again gets a new epoch.
const remembered = 7 * 24 * time.Hour

// polled compares one complete snapshot with what we know. Snapshots are
// states, not events: nothing is lost because one was missed, nothing rings
// twice because one was repeated.
func (w *Watch) polled(in Polled) {
	a, known := w.accounts[in.Account]
	if !known {
		return // removed while it was being read
	}
	w.sightGood(a, in)
	listed := make(map[string]bool, len(in.Pages))
	for _, p := range in.Pages {
		if listed[p.ID] {
			continue // the same page twice in one answer
		}
		listed[p.ID] = true
		w.seen(a, in, p)
	}
	w.missing(a, in, listed)
	w.gentleNotice(a)
	if !a.met {
		a.met = true
		w.keepAccount(a)
	}
	w.sendQueued(a)
	w.prune()
}

// seen takes in one page of a snapshot.
func (w *Watch) seen(a *account, in Polled, p page.Page) {
	i, known := w.items[p.ID]
	if !known {
		w.firstSight(a, in, p)
		return
	}
	i.missed, i.awaiting, i.unproved = 0, false, false
	moved := i.listedBy != in.Instance
	i.listedBy = in.Instance
	if in.Started > i.known { // else read before what we already learnt directly
		w.update(i, p)
	}
	if moved {
		w.keep(i)
	}
}

// firstSight takes in a page nobody here has met.
func (w *Watch) firstSight(a *account, in Polled, p page.Page) {
	if !p.Open() {
		return
	}
	i := &item{
		page: p, epoch: 1, firstSeen: w.now,
		listedBy: in.Instance, shownAt: w.now.Mono,
	}
	w.items[p.ID], w.order = i, nil
	if p.Status == page.Triggered && !a.met && !p.TriggeredAt.IsZero() &&
		w.now.Wall.Sub(p.TriggeredAt) > w.settings.OldPage {
		i.old = true
	}
	switch {
	case p.Status == page.Acknowledged:
		w.write(i, KindListed, "Open and acknowledged by "+w.whoAnswered(p)+".")
	case i.old:
		w.write(i, KindListed, "Open since "+w.day(p.TriggeredAt)+", met at first contact; not rung.")
	case p.MutedBy != "":
		w.write(i, KindListed, "Open and kept quiet at the service: "+p.MutedBy+".")
	case !i.rings(w.onShift):
		w.write(i, KindListed, "Open; "+string(p.Severity)+" does not wake anybody.")
	}
	w.reckonStillOnIt(i)
	w.keep(i)
}

// update compares a page with its newest description and says what changed.
func (w *Watch) update(i *item, p page.Page) {
	before := i.page
	i.page = p
	if before.Severity != p.Severity || !before.TriggeredAt.Equal(p.TriggeredAt) {
		w.order = nil
	}
	switch {
	case i.ended && !p.Mine:
		return // somebody else's; what ended here comes back only as mine
	case i.ended && p.Open():
		w.openAgain(i, p)
	case i.ended:
		return
	case !p.Open():
		w.end(i, EndedResolved, w.resolvedWords(p))
		return
	case before.Mine && !p.Mine:
		w.end(i, EndedReassigned, w.reassignedWords(before, p))
		return
	case before.Status == page.Acknowledged && p.Status == page.Triggered:
		w.calledAgain(i, before)
	case before.Status == page.Triggered && p.Status == page.Acknowledged:
		w.answeredUpstream(i)
	}
	if samePage(before, p) {
		return
	}
	w.reckonStillOnIt(i)
	w.keep(i)
}

// openAgain gives a page that had ended a new epoch.
func (w *Watch) openAgain(i *item, p page.Page) {
	i.ended, i.ending, i.endedAt = false, "", time.Time{}
	i.nextEpoch(w.now)
	if p.Status == page.Acknowledged {
		w.write(i, KindListed, "Opened again, already acknowledged by "+w.whoAnswered(p)+".")
	}
	w.keep(i)
}

// calledAgain is a page whose acknowledgement is gone: it rings again.
func (w *Watch) calledAgain(i *item, before page.Page) {
	i.nextEpoch(w.now)
	why := "The acknowledgement by " + w.whoAnswered(before) + " no longer holds at the service"
	if !before.AckExpiresAt.IsZero() && !w.now.Wall.Before(before.AckExpiresAt) {
		why = "The acknowledgement by " + w.whoAnswered(before) + " ran out"
	}
	w.write(i, KindUnanswered, why+"; the page calls again.")
}

// nextEpoch makes the item call anew.
func (i *item) nextEpoch(now Instant) {
	i.epoch++
	i.rang, i.quieted, i.old = false, false, false
	i.hushes, i.hushedUntil = 0, 0
	i.snoozed = time.Time{}
	i.answer = answer{number: i.answer.number}
	i.asked, i.askAt, i.expiry = false, 0, time.Time{}
	i.shownAt = now.Mono
	i.missed = 0
}

// answeredUpstream is a triggered page that the service now lists as acknowledged.
func (w *Watch) answeredUpstream(i *item) {
	switch {
	case i.page.AcknowledgedByMe && i.answer.wanted():
		w.confirmed(i)
	case i.page.AcknowledgedByMe:
		w.write(i, KindElsewhere, "Acknowledged by you on another device.")
		w.endAlarm(i, EndedElsewhere, "You acknowledged “"+i.page.Title+"” on another device.")
	default:
		w.write(i, KindTaken, w.whoAnswered(i.page)+" acknowledged it.")
		w.endAlarm(i, EndedTaken, w.whoAnswered(i.page)+" has “"+i.page.Title+"” now.")
	}
}

// missing looks at the pages that a complete snapshot no longer holds. The
// first time the account is read again at once, the second time the page is
// gone; after a restart of the service it has a while to come back.
func (w *Watch) missing(a *account, in Polled, listed map[string]bool) {
	again := false
	for _, i := range w.sorted() {
		if i.page.Account != a.name || i.ended || listed[i.page.ID] || in.Started <= i.known {
			continue
		}
		if w.forgotten(a, i) {
			i.awaiting = true
			if w.now.Mono-a.restarted < w.settings.RestartGrace {
				continue
			}
			w.end(i, EndedForgotten, "The paging service restarted and no longer lists “"+i.page.Title+"”. Nobody said it is resolved.")
			continue
		}
		i.missed++
		if i.missed == 1 {
			again = true
			continue
		}
		w.end(i, EndedResolved, w.resolvedWords(i.page))
	}
	if again { // by the next look it is back, or gone
		w.emit(LookAgain{Account: a.name})
	}
}

// forgotten says that the service has restarted since it last listed the page.
func (w *Watch) forgotten(a *account, i *item) bool {
	return i.listedBy != a.instance
}

// end closes a page for good, until the service opens it again.
func (w *Watch) end(i *item, ending Ending, sentence string) {
	i.ended, i.ending, i.endedAt = true, ending, w.now.Wall
	i.awaiting, i.asked, i.askAt = false, false, 0
	if ending == EndedResolved {
		i.page.Status = page.Resolved
	}
	kind := map[Ending]Kind{
		EndedResolved: KindResolved, EndedReassigned: KindReassigned,
		EndedForgotten: KindForgotten, EndedUnwatched: KindUnwatched,
	}[ending]
	w.write(i, kind, sentence)
	w.endAlarm(i, ending, sentence)
	w.keep(i)
}

// endAlarm finishes what rings or waits for a confirmation; a page that did
// neither goes without a word.
func (w *Watch) endAlarm(i *item, ending Ending, sentence string) {
	waiting := i.answer.wanted()
	i.answer = answer{number: i.answer.number}
	if i.alarming || waiting {
		w.finishAlarm(i, ending, sentence)
	}
}

// finishAlarm ends the alarm of the item's epoch with a reason to be seen and heard.
func (w *Watch) finishAlarm(i *item, ending Ending, sentence string) {
	i.alarming, i.quieted = false, true
	w.notice(i.page.ID, ending, sentence)
	if !w.anybodyCalls() {
		w.emit(Tone{Ending: ending})
	}
}

// notice keeps a sentence until it is dismissed. One page has one sentence.
func (w *Watch) notice(pageID string, ending Ending, text string) {
	n := Notice{PageID: pageID, Ending: ending, Text: text, At: w.now.Wall}
	n.ID = page.NewID(pageID, string(ending)+n.At.UTC().Format(time.RFC3339Nano))
	w.outdated(pageID)
	const most = 100
	for len(w.notices) >= most {
		w.emit(DropNotice{ID: w.notices[0].ID})
		w.notices = w.notices[1:]
	}
	w.notices = append(w.notices, n)
	w.emit(KeepNotice{Notice: n})
}

// outdated drops what was told of a page: it has something newer to tell, or
// calls again.
func (w *Watch) outdated(pageID string) {
	w.notices = slices.DeleteFunc(w.notices, func(old Notice) bool {
		if pageID == "" || old.PageID != pageID {
			return false
		}
		w.emit(DropNotice{ID: old.ID})
		return true
	})
}

func (w *Watch) dismiss(in Dismiss) {
	w.notices = slices.DeleteFunc(w.notices, func(n Notice) bool {
		if in.ID != "" && n.ID != in.ID {
			return false
		}
		w.emit(DropNotice{ID: n.ID})
		return true
	})
}

// gentleNotice tells once, softly, of pages that were old already when the
// account was met for the first time.
func (w *Watch) gentleNotice(a *account) {
	if a.met {
		return
	}
	old := 0
	for _, i := range w.items {
		if i.page.Account == a.name && i.old {
			old++
		}
	}
	if old == 0 {
		return
	}
	words := "One page has been open for more than a day at %s. It did not ring; look at it when you can."
	if old > 1 {
		words = fmt.Sprint(old) + " pages have been open for more than a day at %s. They did not ring; look at them when you can."
	}
	w.notice("", "", fmt.Sprintf(words, a.name))
	w.emit(Tone{})
}

// prune forgets pages that ended long ago.
func (w *Watch) prune() {
	for id, i := range w.items {
		if i.ended && w.now.Wall.Sub(i.endedAt) > remembered {
			delete(w.items, id)
			w.order = nil
		}
	}
}

func (w *Watch) write(i *item, kind Kind, text string) {
	w.emit(Write{PageID: i.page.ID, Epoch: i.epoch, At: w.now.Wall, Kind: kind, Text: text})
}

func (w *Watch) log(kind Kind, text string) {
	w.emit(Write{At: w.now.Wall, Kind: kind, Text: text})
}

func (w *Watch) keep(i *item) {
	known := Known{
		Page: i.page, Epoch: i.epoch, FirstSeen: i.firstSeen.Wall,
		Ended: i.ended, Ending: i.ending, EndedAt: i.endedAt, Old: i.old,
		Rang: i.rang, Quieted: i.quieted, Hushes: i.hushes,
		Snoozed:  i.snoozed,
		ListedBy: i.listedBy, AnswerNumber: i.answer.number,
	}
	if i.answer.wanted() {
		known.AnswerPressed = i.answer.pressedAt
	}
	w.emit(Keep{Known: known})
}

func (w *Watch) keepAccount(a *account) {
	w.emit(KeepAccount{Known: KnownAccount{Name: a.name, Instance: a.instance, Met: a.met, Heartbeat: a.heartbeat}})
}

// samePage compares what is worth storing or deciding again.
func samePage(a, b page.Page) bool {
	return a.Status == b.Status && a.Severity == b.Severity && a.Title == b.Title &&
		a.MutedBy == b.MutedBy && a.Mine == b.Mine && a.Assigned == b.Assigned && a.HandedOn == b.HandedOn &&
		a.AcknowledgedBy == b.AcknowledgedBy && a.AckExpiresAt.Equal(b.AckExpiresAt) &&
		a.AssignedTo == b.AssignedTo && a.EscalatesTo == b.EscalatesTo &&
		a.EscalatesAt.Equal(b.EscalatesAt) && a.SnoozedUntil.Equal(b.SnoozedUntil) &&
		a.Details == b.Details && slices.Equal(a.Links, b.Links) && slices.Equal(a.Labels, b.Labels)
}
