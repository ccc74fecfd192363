package watch

import (
	"time"

	"nightstand/app/page"
)

// Input is an observation or a command; Step takes one at a time.
type Input interface{ input() }

// Heartbeat is what one poll tells of the alert that must always fire.
type Heartbeat int

// A poll either did not look for the heartbeat, saw it, or missed it.
const (
	HeartbeatNotRead Heartbeat = iota
	HeartbeatSeen
	HeartbeatMissing
)

type (
	// Tick lets time pass; the agent sends one each second.
	Tick struct{}

	// Polled is one complete snapshot of an account's open pages.
	Polled struct {
		Account string
		// Started is the Mono at which the reading began: what we learnt of a
		// page after that is newer than this snapshot.
		Started   time.Duration
		Pages     []page.Page
		Instance  string // changes when the service restarted; may be empty
		Heartbeat Heartbeat
	}

	// PollFailed says that an account could not be read, in a sentence.
	PollFailed struct {
		Account  string
		Sentence string
	}

	// AnswerStarted says that the request of an acknowledgement is on its way;
	// the span for its confirmation runs from here.
	AnswerStarted struct {
		ID     string
		Number int
	}

	// AnswerConfirmed is the page as re-read after an acknowledgement.
	AnswerConfirmed struct {
		ID     string
		Number int
		Page   page.Page
	}

	// AnswerFailed says that an acknowledgement did not arrive. Offline means
	// that the service was not reached and that trying again makes sense.
	AnswerFailed struct {
		ID       string
		Number   int
		Offline  bool
		Sentence string
	}

	// AnswerTaken says that somebody else had acknowledged before.
	AnswerTaken struct {
		ID     string
		Number int
		By     string
	}

	// AnswerGone says that there was nothing left to acknowledge.
	AnswerGone struct {
		ID     string
		Number int
	}

	// TakenBack is the page as re-read after our acknowledgement was taken back.
	TakenBack struct {
		ID   string
		Page page.Page
	}

	// TakeBackFailed says why an acknowledgement could not be taken back.
	TakeBackFailed struct {
		ID       string
		Sentence string
	}

	// Resumed says that the machine slept until now.
	Resumed struct{ Asleep time.Duration }

	// Duty says whether a shift is running.
	Duty struct{ OnShift bool }

	// AccountAdded and AccountRemoved say which services are watched.
	AccountAdded struct {
		Name string
		// Final says that this service cannot take an acknowledgement back.
		Final bool
	}
	// AccountRemoved ends the watch over one service.
	AccountRemoved struct{ Name string }

	// SignalSeen is one fact about whether a page would be heard.
	SignalSeen struct {
		Name   string
		State  SignalState
		Detail string
	}
)

type (
	// Acknowledge answers the pages with these ids; OnScreen says which one
	// press for all answers. On a page that is ours already it answers "still
	// on it?".
	Acknowledge struct{ IDs []string }

	// Unacknowledge takes our acknowledgement of one page back.
	Unacknowledge struct{ ID string }

	// Snoozed says that this user let the service put a page aside until then.
	Snoozed struct {
		ID    string
		Until time.Time
	}

	// Hush makes it quiet for a while; nothing goes upstream.
	Hush struct{}

	// Dismiss puts a kept sentence away; an empty ID puts all away.
	Dismiss struct{ ID string }
)

func (Tick) input()            {}
func (Polled) input()          {}
func (PollFailed) input()      {}
func (AnswerStarted) input()   {}
func (AnswerConfirmed) input() {}
func (AnswerFailed) input()    {}
func (AnswerTaken) input()     {}
func (AnswerGone) input()      {}
func (TakenBack) input()       {}
func (TakeBackFailed) input()  {}
func (Resumed) input()         {}
func (Duty) input()            {}
func (AccountAdded) input()    {}
func (AccountRemoved) input()  {}
func (SignalSeen) input()      {}
func (Acknowledge) input()     {}
func (Unacknowledge) input()   {}
func (Snoozed) input()         {}
func (Hush) input()            {}
func (Dismiss) input()         {}
