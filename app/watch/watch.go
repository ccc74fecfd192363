// Package watch decides everything that matters at 03:00 and does nothing
// itself. Observations and commands go in through Step; a new state and the
// effects to carry out come out. There is no I/O, no goroutine and no clock in
// here, so ten thousand random nights can be run through it in a test.
package watch

import (
	"cmp"
	"slices"
	"time"

	"nightstand/app/page"
)

// Instant is one moment on two clocks. Deadlines are kept on Mono, which never
// jumps and stands still while the machine sleeps; Wall is for words and for
// times that a paging service gave. Wall carries the reader's time zone.
type Instant struct {
	Wall time.Time
	Mono time.Duration
}

// Settings are the spans everything is decided by. See Defaults.
type Settings struct {
	// BlindAfter is how long after the last good poll we call ourselves blind.
	BlindAfter time.Duration
	// FreshOnShift and FreshOffShift are how old the last good poll may be
	// before the light goes out: one miss is forgiven, two are not.
	FreshOnShift, FreshOffShift time.Duration
	// BlindKnown is how long "I know" keeps the blind alarm quiet.
	BlindKnown time.Duration
	// ResumeGrace is how long after a resume from sleep nobody cries wolf.
	ResumeGrace time.Duration
	// RestartGrace is how long a restarted service may take to list a page again.
	RestartGrace time.Duration
	// HeartbeatGrace is how long the always-firing alert may be absent.
	HeartbeatGrace time.Duration
	// Confirm is how long an acknowledgement may take to be confirmed.
	Confirm time.Duration
	// RetryAnswer is the pause between tries of one acknowledgement.
	RetryAnswer time.Duration
	// AnswerLives is how long an undelivered acknowledgement is still sent.
	AnswerLives time.Duration
	// Undo is how long after an acknowledgement a face offers to take it back.
	Undo time.Duration
	// StillOnIt is when "still on it?" is asked at the latest, StillOnItSiren
	// how long the question may stay unanswered before it rings.
	StillOnIt, StillOnItSiren time.Duration
	// Hush is how long a hush lasts, Hushes how often one page can be hushed.
	Hush   time.Duration
	Hushes int
	// RampStep is how long each step of loudness lasts.
	RampStep time.Duration
	// SparseAfter is when the siren falls to one burst a minute.
	SparseAfter time.Duration
	// OldPage is the age from which a page met at first contact is a gentle
	// notice instead of an alarm.
	OldPage time.Duration
	// OnScreen is how long a page must have been shown before one press for
	// several pages answers it too.
	OnScreen time.Duration
}

// Defaults are the spans the design names.
func Defaults() Settings {
	return Settings{
		BlindAfter:     45 * time.Second,
		FreshOnShift:   11 * time.Second,
		FreshOffShift:  90 * time.Second,
		BlindKnown:     15 * time.Minute,
		ResumeGrace:    20 * time.Second,
		RestartGrace:   5 * time.Minute,
		HeartbeatGrace: 5 * time.Minute,
		Confirm:        10 * time.Second,
		RetryAnswer:    2 * time.Second,
		AnswerLives:    15 * time.Minute,
		Undo:           30 * time.Second,
		StillOnIt:      20 * time.Minute,
		StillOnItSiren: 60 * time.Second,
		Hush:           60 * time.Second,
		Hushes:         2,
		RampStep:       30 * time.Second,
		SparseAfter:    3 * time.Hour,
		OldPage:        24 * time.Hour,
		OnScreen:       time.Second,
	}
}

// LoudestStep is the last of the four steps of loudness, counted from 0.
const LoudestStep = 3

// Watch holds what is known of tonight. It is not safe for concurrent use.
type Watch struct {
	settings Settings
	now      Instant
	onShift  bool
	accounts map[string]*account
	items    map[string]*item
	order    []*item // items, worst and oldest first; nil when it has to be sorted again
	notices  []Notice
	signals  map[string]Signal
	sounding Alarm
	resumed  *time.Duration // Mono of the last resume
	effects  []Effect
}

// account is one paging service as far as we can see it.
type account struct {
	name         string
	watching     time.Duration // Mono since when we try to see it
	lastGood     Instant       // last good poll; zero Wall if never
	answersSince time.Time     // Wall since when polls have been good
	failure      string        // the sentence of the last failed poll, empty after a good one
	failing      time.Time     // Wall of the first failure in a row
	instance     string
	restarted    time.Duration // Mono of the last restart we noticed, else since when it is watched
	met          bool          // a complete snapshot was read once, tonight or earlier
	final        bool          // an acknowledgement cannot be taken back there

	moved time.Duration // Mono when an answer last began or ended

	heartbeat       bool           // the always-firing alert was seen once
	heartbeatSince  Instant        // when it was last seen or we began to look
	heartbeatMissed *time.Duration // Mono of the first of the looks in a row that missed it
	heartbeatGone   bool

	blind      bool
	blindSince Instant
	unseen     Instant       // the last sight before it was blind
	knownUntil time.Duration // Mono until which "I know" holds
}

// item is one page with everything we decided about it.
type item struct {
	page  page.Page
	epoch int

	firstSeen Instant
	known     time.Duration // Mono of the last direct knowledge; older polls are stale
	listedBy  string        // the instance of the service that last listed it
	missed    int           // complete snapshots in a row without it
	awaiting  bool          // missing since its service restarted

	ended    bool
	ending   Ending
	endedAt  time.Time
	old      bool // met at first contact, older than a day: no alarm
	rang     bool // an alarm of this epoch has begun
	quieted  bool // an alarm of this epoch has ended
	unproved bool // remembered from an earlier run, not listed since
	alarming bool // wants the siren now, hushed or not
	calledAt time.Duration
	shownAt  time.Duration

	hushes      int
	hushedUntil time.Duration

	answer    answer
	confirmed Instant // when our last acknowledgement was confirmed; zero Wall if never

	expiry  time.Time     // the AckExpiresAt that askAt was reckoned from
	askAt   time.Duration // Mono when "still on it?" is asked; 0 never
	asked   bool
	askedAt time.Duration
	snoozed time.Time // until when this user put it aside; not every service tells

	takeBack       bool // our own un-acknowledge is under way
	takeBackReason string
}

// New starts a watch with what an earlier run remembered.
func New(settings Settings, now Instant, memory Memory) *Watch {
	w := &Watch{
		settings: settings,
		now:      now,
		onShift:  true, // while no roster is known it is as on shift
		accounts: map[string]*account{},
		items:    map[string]*item{},
		signals:  map[string]Signal{},
		notices:  slices.Clone(memory.Notices),
	}
	for _, known := range memory.Accounts {
		a := w.addAccount(known.Name)
		a.instance, a.met = known.Instance, known.Met
		a.heartbeat = known.Heartbeat
	}
	for _, known := range memory.Pages {
		w.remember(known)
	}
	return w
}

func (w *Watch) remember(known Known) {
	i := &item{
		page: known.Page, epoch: known.Epoch,
		firstSeen: Instant{Wall: known.FirstSeen, Mono: w.now.Mono},
		ended:     known.Ended, ending: known.Ending, endedAt: known.EndedAt,
		old: known.Old, rang: known.Rang, quieted: known.Quieted, unproved: true,
		calledAt: w.now.Mono, shownAt: w.now.Mono,
		listedBy: known.ListedBy, hushes: known.Hushes, snoozed: known.Snoozed,
	}
	if i.page.Status == page.Triggered && !i.ended && !known.AnswerPressed.IsZero() {
		i.answer = answer{
			phase: answerQueued, number: known.AnswerNumber,
			pressedAt: known.AnswerPressed,
			pressed:   w.now.Mono - max(0, w.now.Wall.Sub(known.AnswerPressed)),
			deadline:  w.now.Mono + w.settings.Confirm,
			reason:    "Nightstand was stopped before the service confirmed it",
		}
	}
	i.answer.number = max(i.answer.number, known.AnswerNumber)
	w.reckonStillOnIt(i)
	w.items[i.page.ID], w.order = i, nil
}

// Step takes one observation or command and returns the effects to carry out,
// in order.
func (w *Watch) Step(now Instant, in Input) []Effect {
	w.now = now
	w.effects = nil
	switch in := in.(type) {
	case Tick:
	case Polled:
		w.polled(in)
	case PollFailed:
		w.pollFailed(in)
	case AnswerStarted:
		w.answerStarted(in)
	case AnswerConfirmed:
		w.answerConfirmed(in)
	case AnswerFailed:
		w.answerFailed(in)
	case AnswerTaken:
		w.answerTaken(in)
	case AnswerGone:
		w.answerGone(in)
	case TakenBack:
		w.takenBack(in)
	case TakeBackFailed:
		w.takeBackFailed(in)
	case Resumed:
		w.resume(in)
	case Duty:
		w.onShift = in.OnShift
	case AccountAdded:
		w.addAccount(in.Name).final = in.Final
	case AccountRemoved:
		w.removeAccount(in.Name)
	case SignalSeen:
		w.signalSeen(in)
	case Acknowledge:
		w.acknowledge(in)
	case Unacknowledge:
		w.unacknowledge(in)
	case Snoozed:
		w.snoozed(in)
	case Hush:
		w.hush()
	case Dismiss:
		w.dismiss(in)
	}
	w.passTime()
	w.decideSound()
	return w.effects
}

// passTime does what only the clock brings about.
func (w *Watch) passTime() {
	for _, i := range w.sorted() {
		w.ageAnswer(i)
		w.askStillOnIt(i)
	}
	for _, a := range w.accounts {
		w.lookForBlindness(a)
	}
}

func (w *Watch) emit(effects ...Effect) { w.effects = append(w.effects, effects...) }

// sorted returns all items, worst and oldest first, so that decisions do not
// depend on the order of a map. The list is sorted again only after a change.
func (w *Watch) sorted() []*item {
	if w.order == nil {
		w.order = make([]*item, 0, len(w.items))
		for _, i := range w.items {
			w.order = append(w.order, i)
		}
		slices.SortFunc(w.order, func(a, b *item) int {
			return cmp.Or(
				cmp.Compare(a.page.Severity.Rank(), b.page.Severity.Rank()),
				a.page.TriggeredAt.Compare(b.page.TriggeredAt),
				cmp.Compare(a.page.ID, b.page.ID))
		})
	}
	return w.order
}

func (w *Watch) addAccount(name string) *account {
	a, known := w.accounts[name]
	if !known {
		a = &account{name: name, watching: w.now.Mono, restarted: w.now.Mono, heartbeatSince: w.now}
		w.accounts[name] = a
	}
	return a
}

// removeAccount forgets an account; its pages end, because nobody looks after
// them any more.
func (w *Watch) removeAccount(name string) {
	if _, known := w.accounts[name]; !known {
		return
	}
	for _, i := range w.sorted() {
		if i.page.Account == name && !i.ended {
			w.end(i, EndedUnwatched, "The account "+name+" was removed from Nightstand.")
		}
	}
	delete(w.accounts, name)
	delete(w.signals, pollSignal(name))
	w.emit(ForgetAccount{Name: name})
}
