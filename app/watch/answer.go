package watch

import (
	"time"

	"nightstand/app/page"
)

// An acknowledgement is a fact, not a wish: it is only believed when the
// service lists it. Until then the page is quiet for as long as a request may
// reasonably take, and calls again with the reason when it takes longer.
type answerPhase int

const (
	answerNone    answerPhase = iota
	answerWaiting             // the request has not begun
	answerSending             // the request is under way
	answerPausing             // not reached; tried again in a moment
	answerQueued              // not reached in time; sent when the service is seen again
	answerRefused             // the service was reached and said no
)

type answer struct {
	phase     answerPhase
	number    int           // of the request, so that late replies are told apart
	pressedAt time.Time     // Wall of the last press
	pressed   time.Duration // Mono of the last press
	lastTry   time.Duration // Mono of the last request
	nextTry   time.Duration // Mono of the next one while pausing
	deadline  time.Duration // Mono at which it must be confirmed; 0 before the request began
	loud      bool          // the deadline passed: it calls again, with the reason
	quietTill time.Duration // Mono until which a second press keeps it quiet
	reason    string
}

// longestWait is how long a press may stay quiet while nothing moves: a large
// batch takes its time, but each of its answers shows that it goes on.
const longestWait = 30 * time.Second

// wanted says that an acknowledgement was asked for and is not settled.
func (a answer) wanted() bool { return a.phase != answerNone }

// quiet says that the press keeps the siren quiet now.
func (a answer) quiet(now time.Duration) bool {
	return a.wanted() && (!a.loud || now < a.quietTill)
}

// underWay says that a press is still at work and has not been heard to fail.
func (a answer) underWay() bool {
	return a.wanted() && !a.loud && a.phase != answerRefused
}

func (w *Watch) acknowledge(in Acknowledge) {
	for _, id := range in.IDs {
		if i, known := w.items[id]; known {
			w.press(i)
		}
	}
}

// press is one click on one page.
func (w *Watch) press(i *item) {
	switch {
	case i.ended:
		return
	case i.page.Status == page.Acknowledged && !i.page.AcknowledgedByMe:
		return // somebody else has it; taking it over is another command
	case i.page.Status == page.Acknowledged:
		w.stillOnIt(i)
		return
	}
	a := &i.answer
	if a.underWay() {
		return // the first press is still at work
	}
	if a.loud { // the second press: we know, and want quiet
		a.quietTill = w.now.Mono + w.settings.AnswerLives
	}
	a.pressedAt, a.pressed = w.now.Wall, w.now.Mono
	w.write(i, KindPressed, "You pressed Acknowledge.")
	w.send(i)
	w.keep(i)
}

// send begins a request. Whether it is quiet meanwhile is up to the press.
func (w *Watch) send(i *item) {
	a := &i.answer
	a.number++
	a.phase, a.lastTry, a.nextTry = answerWaiting, w.now.Mono, 0
	w.emit(SendAnswer{Page: i.page, Number: a.number})
}

// current finds the item a reply belongs to; late replies of an earlier try
// still count when they bring facts, so only the page has to be known.
func (w *Watch) current(id string) *item {
	i, known := w.items[id]
	if !known || i.ended {
		return nil
	}
	return i
}

// answerStarted starts the clock: in a batch each page's own runs from here.
func (w *Watch) answerStarted(in AnswerStarted) {
	i := w.current(in.ID)
	if i == nil || i.answer.phase != answerWaiting || i.answer.number != in.Number {
		return
	}
	w.answersMove(i)
	i.answer.phase = answerSending
	if i.answer.deadline == 0 {
		i.answer.deadline = w.now.Mono + w.settings.Confirm
	}
}

func (w *Watch) answerConfirmed(in AnswerConfirmed) {
	i, known := w.items[in.ID]
	if !known {
		return
	}
	was := i.page.Status
	i.known, i.missed = w.now.Mono, 0
	if i.ended { // it was opened again and answered between two looks
		w.update(i, in.Page)
		return
	}
	if in.Page.Status == page.Triggered {
		if i.answer.wanted() && in.Number == i.answer.number {
			i.page = in.Page
			w.refused(i, "the service took the answer but still lists the page as unanswered")
		}
		return
	}
	i.page = in.Page
	switch {
	case !in.Page.Open():
		w.end(i, EndedResolved, w.resolvedWords(in.Page))
	case was == page.Acknowledged && !i.answer.wanted(): // a poll was quicker
		w.reckonStillOnIt(i)
		w.keep(i)
	case was == page.Acknowledged: // "still on it" was answered
		i.answer = answer{number: i.answer.number}
		i.asked = false
		w.write(i, KindConfirmed, "You are still on it; confirmed by the service.")
		if i.alarming {
			w.finishAlarm(i, EndedHere, "You are still on “"+i.page.Title+"”, "+w.holdsUntil(i.page)+".")
		}
		w.reckonStillOnIt(i)
		w.keep(i)
	case !in.Page.AcknowledgedByMe:
		w.answeredUpstream(i)
		w.keep(i)
	default:
		w.confirmed(i)
		w.reckonStillOnIt(i)
		w.keep(i)
	}
}

// confirmed settles our own acknowledgement: the service lists it.
func (w *Watch) confirmed(i *item) {
	pressedAt := i.answer.pressedAt
	i.answer = answer{number: i.answer.number}
	if pressedAt.IsZero() {
		pressedAt = w.now.Wall
	}
	i.confirmed = w.now
	w.write(i, KindConfirmed, "Acknowledged by you at "+clock(pressedAt)+", confirmed by the service.")
	w.finishAlarm(i, EndedHere, "“"+i.page.Title+"”: acknowledged by you at "+clock(pressedAt)+", confirmed by the service.")
}

func (w *Watch) answerFailed(in AnswerFailed) {
	i := w.current(in.ID)
	if i == nil || !i.answer.wanted() || i.answer.number != in.Number {
		return
	}
	if !in.Offline {
		w.refused(i, in.Sentence)
		return
	}
	a := &i.answer
	a.reason = in.Sentence
	if a.deadline == 0 {
		a.deadline = w.now.Mono + w.settings.Confirm
	}
	if a.loud {
		a.phase = answerQueued
		return
	}
	a.phase, a.nextTry = answerPausing, w.now.Mono+w.settings.RetryAnswer
}

// refused is a plain no; it calls again at once, with the reason.
func (w *Watch) refused(i *item, reason string) {
	i.answer.phase = answerRefused
	i.answer.reason = reason
	i.answer.quietTill = 0 // sight is there: only the service's word keeps it quiet
	w.callAgain(i)
}

// callAgain brings the siren back once, with the reason.
func (w *Watch) callAgain(i *item) {
	a := &i.answer
	if a.phase == answerPausing {
		a.phase = answerQueued
	}
	if a.reason == "" {
		a.reason = "the service did not confirm it within " + span(w.settings.Confirm)
	}
	if !a.loud {
		a.loud = true
		w.write(i, KindNotConfirmed, notConfirmedWords(i)+": "+a.reason+".")
	}
	w.keep(i)
}

func (w *Watch) answerTaken(in AnswerTaken) {
	i := w.current(in.ID)
	if i == nil {
		return
	}
	i.known, i.missed = w.now.Mono, 0
	i.page.Status, i.page.AcknowledgedBy, i.page.AcknowledgedByMe = page.Acknowledged, in.By, false
	w.answeredUpstream(i)
	w.emit(LookAgain{Account: i.page.Account})
	w.keep(i)
}

func (w *Watch) answerGone(in AnswerGone) {
	i := w.current(in.ID)
	if i == nil {
		return
	}
	i.known = w.now.Mono
	w.end(i, EndedResolved, w.resolvedWords(i.page))
}

// ageAnswer lets the spans of an unsettled acknowledgement run out.
func (w *Watch) ageAnswer(i *item) {
	a := &i.answer
	if !a.wanted() || i.ended {
		return
	}
	now := w.now.Mono
	switch {
	case now-a.pressed > w.settings.AnswerLives:
		words := notConfirmedWords(i) + ": your answer of " + clock(a.pressedAt) + " never reached the service and is not sent any more."
		*a = answer{number: a.number}
		w.write(i, KindNotConfirmed, words)
		w.keep(i)
	case !a.loud && a.deadline != 0 && now >= a.deadline:
		w.callAgain(i)
	case !a.loud && a.phase == answerWaiting && now-max(a.lastTry, w.moved(i)) > longestWait:
		a.reason = "the request could not even begin"
		w.callAgain(i)
	case a.phase == answerPausing && now >= a.nextTry:
		w.send(i)
	}
}

// moved is when the account of a page last took an answer or let one fail.
func (w *Watch) moved(i *item) time.Duration {
	if a, known := w.accounts[i.page.Account]; known {
		return a.moved
	}
	return 0
}

// answersMove notes that the line to an account's service is not stuck.
func (w *Watch) answersMove(i *item) {
	if a, known := w.accounts[i.page.Account]; known {
		a.moved = w.now.Mono
	}
}

// sendQueued sends what could not be delivered as soon as the service is seen
// again, also what waits for its next try: there is nothing left to wait for.
// Sight is back, so a second press keeps it quiet no longer than this one
// request may take.
func (w *Watch) sendQueued(a *account) {
	for _, i := range w.sorted() {
		undelivered := i.answer.phase == answerQueued || i.answer.phase == answerPausing
		if i.page.Account != a.name || i.ended || !undelivered {
			continue
		}
		i.answer.quietTill = min(i.answer.quietTill, w.now.Mono+w.settings.Confirm)
		w.send(i)
	}
}

func (w *Watch) unacknowledge(in Unacknowledge) {
	i := w.current(in.ID)
	if i == nil || i.page.Status != page.Acknowledged || !i.page.AcknowledgedByMe || i.takeBack {
		return
	}
	i.takeBack, i.takeBackReason = true, ""
	w.emit(SendTakeBack{Page: i.page})
}

func (w *Watch) takenBack(in TakenBack) {
	i := w.current(in.ID)
	if i == nil {
		return
	}
	before := i.page
	i.takeBack, i.known, i.page, i.missed = false, w.now.Mono, in.Page, 0
	switch {
	case !in.Page.Open():
		w.end(i, EndedResolved, w.resolvedWords(in.Page))
	case before.Mine && !in.Page.Mine:
		w.end(i, EndedReassigned, w.reassignedWords(before, in.Page))
	case before.Status == page.Acknowledged && in.Page.Status == page.Triggered:
		i.nextEpoch(w.now)
		w.write(i, KindTookBack, "You took your acknowledgement back; the page calls again.")
		w.keep(i)
	}
}

func (w *Watch) takeBackFailed(in TakeBackFailed) {
	i := w.current(in.ID)
	if i == nil {
		return
	}
	i.takeBack, i.takeBackReason = false, in.Sentence
	w.write(i, KindNotConfirmed, "Your acknowledgement could not be taken back: "+in.Sentence+".")
	w.notice(i.page.ID, "", "“"+i.page.Title+"” is still acknowledged by you: "+in.Sentence+".")
}

// reckonStillOnIt decides when to ask whether somebody still works on a page
// whose acknowledgement will run out: two thirds of the way, at the latest
// ten minutes before the end, and never later than the setting. Whoever snoozed
// a page has said until when it may be left alone.
func (w *Watch) reckonStillOnIt(i *item) {
	p := i.page
	if p.Status != page.Acknowledged || !p.AcknowledgedByMe || p.AckExpiresAt.IsZero() || i.asideUntil().After(w.now.Wall) {
		i.expiry, i.askAt, i.asked = time.Time{}, 0, false
		return
	}
	if p.AckExpiresAt.Equal(i.expiry) {
		return
	}
	left := p.AckExpiresAt.Sub(w.now.Wall)
	whole := left
	if !p.AcknowledgedAt.IsZero() {
		whole = max(left, p.AckExpiresAt.Sub(p.AcknowledgedAt))
	}
	lead := min(w.settings.StillOnIt/2, whole/3)
	i.expiry = p.AckExpiresAt
	i.askAt = w.now.Mono + max(1, min(left-lead, w.settings.StillOnIt))
	i.asked = false
}

// asideUntil is until when the page was put aside, by the service's word or by
// ours.
func (i *item) asideUntil() time.Time {
	if i.page.SnoozedUntil.After(i.snoozed) {
		return i.page.SnoozedUntil
	}
	return i.snoozed
}

// snoozed takes in that this user put a page aside: nobody is asked whether
// they are still on what they chose to leave alone.
func (w *Watch) snoozed(in Snoozed) {
	i := w.current(in.ID)
	if i == nil {
		return
	}
	i.snoozed, i.expiry = in.Until, time.Time{}
	w.reckonStillOnIt(i)
	w.keep(i)
}

// askStillOnIt puts the question when its time has come.
func (w *Watch) askStillOnIt(i *item) {
	if i.ended || i.asked || i.askAt == 0 || w.now.Mono < i.askAt || i.page.Status != page.Acknowledged {
		return
	}
	i.asked, i.askedAt = true, w.now.Mono
	w.write(i, KindAsked, "Still on it? The acknowledgement "+w.runsOut(i.page)+".")
	w.emit(Tone{})
}

// stillOnIt answers the question by renewing the acknowledgement; nobody who
// was not asked renews it by accident.
func (w *Watch) stillOnIt(i *item) {
	if !i.asked || i.answer.underWay() {
		return
	}
	i.answer = answer{number: i.answer.number, pressedAt: w.now.Wall, pressed: w.now.Mono}
	w.write(i, KindPressed, "You said you are still on it.")
	w.send(i)
}
