package watch

import (
	"time"

	"nightstand/app/page"
)

// Effect is something to be carried out; the core itself does nothing.
type Effect interface{ effect() }

// Pattern is what the siren sounds.
type Pattern string

// The patterns; Silent is none.
const (
	Silent   Pattern = ""
	Critical Pattern = "critical"
	Degraded Pattern = "degraded"
	Minor    Pattern = "minor"
	Blind    Pattern = "blind"
)

// Alarm is the sound that is wanted from now on.
type Alarm struct {
	Pattern Pattern
	Step    int  // loudness, 0 to LoudestStep
	Sparse  bool // one burst a minute
	PageID  string
}

// Ending is why an alarm or a page ended.
type Ending string

// Every siren ends with one of these, seen and heard.
const (
	EndedHere       Ending = "acknowledged_here"
	EndedElsewhere  Ending = "acknowledged_elsewhere"
	EndedTaken      Ending = "taken"
	EndedResolved   Ending = "resolved"
	EndedReassigned Ending = "reassigned"
	EndedForgotten  Ending = "forgotten" // the service restarted and no longer lists it
	EndedMuted      Ending = "muted"     // somebody silenced it at the service
	EndedShift      Ending = "shift_over"
	EndedUnwatched  Ending = "unwatched" // its account was removed
	EndedSight      Ending = "sight_back"
	EndedKnown      Ending = "blind_known"
	EndedGentler    Ending = "gentler" // its severity fell below what wakes
)

// Kind names an entry of the timeline.
type Kind string

// What the timeline tells.
const (
	KindPaged         Kind = "paged"
	KindListed        Kind = "listed" // open and met without an alarm
	KindPressed       Kind = "answer_pressed"
	KindConfirmed     Kind = "confirmed"
	KindNotConfirmed  Kind = "not_confirmed"
	KindQueued        Kind = "queued"
	KindElsewhere     Kind = "acknowledged_elsewhere"
	KindTaken         Kind = "taken"
	KindUnanswered    Kind = "unacknowledged"
	KindResolved      Kind = "resolved"
	KindReassigned    Kind = "reassigned"
	KindMuted         Kind = "muted"
	KindForgotten     Kind = "forgotten"
	KindHushed        Kind = "hushed"
	KindAsked         Kind = "still_on_it"
	KindBlind         Kind = "blind"
	KindSight         Kind = "sight_back"
	KindRestarted     Kind = "service_restarted"
	KindSlept         Kind = "slept"
	KindShift         Kind = "shift"
	KindUnwatched     Kind = "unwatched"
	KindSignal        Kind = "signal"
	KindTookBack      Kind = "took_back"
	KindStayedQuieter Kind = "gentler"
)

// Notice is a sentence that stays until somebody dismisses it.
type Notice struct {
	ID     string
	PageID string
	Ending Ending
	Text   string
	At     time.Time
}

// Known is what has to survive the process, per page.
type Known struct {
	Page      page.Page
	Epoch     int
	FirstSeen time.Time
	Ended     bool
	Ending    Ending
	EndedAt   time.Time
	Old       bool
	Rang      bool
	Quieted   bool
	Hushes    int
	// Snoozed is until when this user put the page aside; zero when never.
	Snoozed time.Time
	// ListedBy is the instance of the service that last listed the page.
	ListedBy string
	// AnswerPressed is when an acknowledgement was asked for that is not
	// confirmed yet; zero when there is none.
	AnswerPressed time.Time
	AnswerNumber  int
}

// KnownAccount is what has to survive the process, per account.
type KnownAccount struct {
	Name      string
	Instance  string
	Met       bool
	Heartbeat bool
}

// Memory is what an earlier run kept.
type Memory struct {
	Accounts []KnownAccount
	Pages    []Known
	Notices  []Notice
}

type (
	// Sound asks for this sound from now on; it comes only when it changes.
	Sound struct{ Alarm Alarm }

	// Tone plays the short tone of an ending.
	Tone struct{ Ending Ending }

	// SendAnswer tells the service that the page is acknowledged.
	SendAnswer struct {
		Page   page.Page
		Number int
	}

	// SendTakeBack takes our acknowledgement back at the service.
	SendTakeBack struct{ Page page.Page }

	// LookAgain asks for a poll of the account at once.
	LookAgain struct{ Account string }

	// Write adds an entry to the timeline.
	Write struct {
		PageID string
		Epoch  int
		At     time.Time
		Kind   Kind
		Text   string
	}

	// Keep stores what we know of a page.
	Keep struct{ Known Known }

	// KeepAccount stores what we know of an account.
	KeepAccount struct{ Known KnownAccount }

	// ForgetAccount drops what is stored of an account.
	ForgetAccount struct{ Name string }

	// KeepNotice stores a notice, DropNotice deletes it.
	KeepNotice struct{ Notice Notice }
	// DropNotice deletes a stored notice.
	DropNotice struct{ ID string }
)

func (Sound) effect()         {}
func (Tone) effect()          {}
func (SendAnswer) effect()    {}
func (SendTakeBack) effect()  {}
func (LookAgain) effect()     {}
func (Write) effect()         {}
func (Keep) effect()          {}
func (KeepAccount) effect()   {}
func (ForgetAccount) effect() {}
func (KeepNotice) effect()    {}
func (DropNotice) effect()    {}
