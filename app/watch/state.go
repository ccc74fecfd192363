package watch

import (
	"slices"
	"time"

	"nightstand/app/page"
)

// State is what the faces draw: everything known at one instant.
type State struct {
	At       time.Time
	Light    Light
	Signals  []Signal
	OnShift  bool
	Alarm    Alarm
	Accounts []AccountState
	Pages    []PageState // the open ones, worst first
	Notices  []Notice
	Blind    []string // sentences, one per account that cannot be seen
	// BlindKnown says that somebody has answered "I know" to all of Blind.
	BlindKnown bool
	// HushLasts and KnownLasts are how long a hush, and "I know", keep quiet.
	HushLasts, KnownLasts time.Duration
}

// AccountState is one paging service as we see it.
type AccountState struct {
	Name         string
	LastGoodPoll time.Time // UTC; zero if never
	Failure      string
	Blind        bool
}

// PageState is one page with what we decided about it.
type PageState struct {
	page.Page
	Epoch     int
	FirstSeen time.Time
	Ended     bool
	Ending    Ending
	EndedAt   time.Time
	// Calls says that it makes noise now; Alarming that it wants to, hushed or
	// answered but not confirmed.
	Calls    bool
	Alarming bool
	// Answer says how an acknowledgement of ours stands.
	Answer       AnswerState
	AnswerReason string
	// Trying says that a request for it is under way, the first or a later one.
	Trying     bool
	AnsweredAt time.Time
	// UndoLeft is how long the acknowledgement can still be taken back by one
	// click; zero when that offer is over.
	UndoLeft time.Duration
	// TakingBack says that our acknowledgement is being taken back, and
	// TakeBackReason why the last time it could not be.
	TakingBack     bool
	TakeBackReason string
	// StillOnIt says that the question is put.
	StillOnIt bool
	Hushed    bool
	// HushesLeft is how often it can still be hushed.
	HushesLeft int
	// Awaiting says its service restarted and does not list it yet.
	Awaiting bool
	// Old says that it was met at first contact, older than a day, and not rung.
	Old bool
}

// AnswerState is how far an acknowledgement has come.
type AnswerState string

// The stations of an acknowledgement. A page acknowledged at the service is
// confirmed, whoever did it.
const (
	AnswerNone        AnswerState = ""
	AnswerUnderWay    AnswerState = "sending"
	AnswerNotYet      AnswerState = "not_confirmed" // tried again when the service is seen
	AnswerRefused     AnswerState = "refused"
	AnswerIsConfirmed AnswerState = "confirmed"
)

// State describes everything as of the last Step.
func (w *Watch) State() State {
	s := State{
		At: w.now.Wall, Light: w.light(), Signals: w.allSignals(), OnShift: w.onShift,
		Alarm: w.sounding, Notices: slices.Clone(w.notices),
		HushLasts: w.settings.Hush, KnownLasts: w.settings.BlindKnown,
		Pages: make([]PageState, 0, len(w.items)), BlindKnown: true,
	}
	for _, name := range w.accountNames() {
		a := w.accounts[name]
		s.Accounts = append(s.Accounts, AccountState{Name: name, LastGoodPoll: a.lastGood.Wall, Failure: a.failure, Blind: a.blind})
		if a.blind {
			s.Blind = append(s.Blind, w.blindWords(a))
			s.BlindKnown = s.BlindKnown && w.now.Mono < a.knownUntil
		}
	}
	s.BlindKnown = s.BlindKnown && len(s.Blind) > 0
	for _, i := range w.sorted() {
		if !i.ended {
			s.Pages = append(s.Pages, w.pageState(i))
		}
	}
	return s
}

// Page describes one page, open or ended.
func (w *Watch) Page(id string) (PageState, bool) {
	i, known := w.items[id]
	if !known {
		return PageState{}, false
	}
	return w.pageState(i), true
}

// OnScreen are the pages that one press for all answers now: what rings and
// has been shown for long enough to be seen.
func (w *Watch) OnScreen() []string {
	var ids []string
	for _, i := range w.sorted() {
		if i.alarming && w.now.Mono-i.shownAt >= w.settings.OnScreen {
			ids = append(ids, i.page.ID)
		}
	}
	return ids
}

// Ended describes the pages that ended and are still remembered.
func (w *Watch) Ended() []PageState {
	var ended []PageState
	for _, i := range w.sorted() {
		if i.ended {
			ended = append(ended, w.pageState(i))
		}
	}
	return ended
}

func (w *Watch) accountNames() []string {
	names := make([]string, 0, len(w.accounts))
	for name := range w.accounts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *Watch) pageState(i *item) PageState {
	s := PageState{
		Page: i.page, Epoch: i.epoch, FirstSeen: i.firstSeen.Wall,
		Ended: i.ended, Ending: i.ending, EndedAt: i.endedAt,
		Calls: w.calls(i), Alarming: i.alarming,
		AnswerReason: i.answer.reason, AnsweredAt: i.answer.pressedAt,
		Trying:    i.answer.phase == answerWaiting || i.answer.phase == answerSending,
		StillOnIt: i.asked, Hushed: i.alarming && w.now.Mono < i.hushedUntil,
		HushesLeft: max(0, w.settings.Hushes-i.hushes),
		Awaiting:   i.awaiting, Old: i.old,
		TakingBack: i.takeBack, TakeBackReason: i.takeBackReason,
	}
	if i.page.Status == page.Acknowledged && i.page.AcknowledgedByMe && i.snoozed.After(w.now.Wall) {
		s.SnoozedUntil = i.asideUntil()
	}
	if i.page.Status == page.Acknowledged && !i.confirmed.Wall.IsZero() {
		s.AnsweredAt = i.confirmed.Wall
		if a, known := w.accounts[i.page.Account]; !known || !a.final {
			s.UndoLeft = max(0, w.settings.Undo-(w.now.Mono-i.confirmed.Mono))
		}
	}
	switch {
	case i.answer.phase == answerRefused:
		s.Answer = AnswerRefused
	case i.answer.wanted() && i.answer.loud:
		s.Answer = AnswerNotYet
	case i.answer.wanted():
		s.Answer = AnswerUnderWay
	case i.page.Status == page.Acknowledged:
		s.Answer = AnswerIsConfirmed
	}
	return s
}
