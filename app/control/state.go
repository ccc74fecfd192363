// Package control is the agent's door: one local API for every face. The
// window, the tray's menu, the command line and people's own scripts see the
// same state and give the same commands. Its JSON is a contract; names here
// do not change.
package control

import (
	"bytes"
	"encoding/json"
	"time"

	"nightstand/app/page"
)

// Status answers "would I be woken, and what is open?".
type Status struct {
	Armed    Armed         `json:"armed"`
	Shift    Shift         `json:"shift"`
	Alarm    Alarm         `json:"alarm"`
	Accounts List[Account] `json:"accounts"`
	// Open is how many pages are open, those of others included.
	Open    int          `json:"open"`
	Notices List[Notice] `json:"notices"`
	Agent   Agent        `json:"agent"`
}

// Armed is the light with its reasons. State is armed, blind, not_armed,
// unknown or off_shift.
type Armed struct {
	State string `json:"state"`
	// Sentence says it in words, with the first reason.
	Sentence string       `json:"sentence"`
	Signals  List[Signal] `json:"signals"`
}

// Signal is one condition for being woken. State is ok, warning, failed or
// unknown; unknown is never as good as ok.
type Signal struct {
	Name     string     `json:"name"`
	State    string     `json:"state"`
	Required bool       `json:"required"`
	Detail   string     `json:"detail"`
	Since    *time.Time `json:"since"`
}

// Shift says whether this user is on call. Known is false while no roster is
// known; then it is as on shift.
type Shift struct {
	OnCall       bool       `json:"on_call"`
	Known        bool       `json:"known"`
	Role         string     `json:"role"`
	StartedAt    *time.Time `json:"started_at"`
	EndsAt       *time.Time `json:"ends_at"`
	NextStartsAt *time.Time `json:"next_starts_at"`
}

// Alarm is what the siren was told. Step is its loudness, 0 to 3; PageID is
// empty when it is blindness that rings.
type Alarm struct {
	Sounding bool   `json:"sounding"`
	PageID   string `json:"page_id"`
	Step     int    `json:"step"`
	// Calling is how many pages call for it: a storm is one alarm with a count.
	Calling int    `json:"calling"`
	Pattern string `json:"pattern"`
	// Device is where it comes out, as far as the sound system says.
	Device string `json:"device"`
	// Trouble says why it cannot sound; empty when nothing is known to be wrong.
	Trouble string `json:"trouble"`
}

// Account is one paging service as the agent sees it.
type Account struct {
	Name         string     `json:"name"`
	Provider     string     `json:"provider"`
	URL          string     `json:"url"`
	User         string     `json:"user"`
	Mine         string     `json:"mine"`
	LastGoodPoll *time.Time `json:"last_good_poll"`
	Error        string     `json:"error"`
	Blind        bool       `json:"blind"`
	// TakesBack says that an acknowledgement can be taken back at this service.
	TakesBack bool `json:"takes_back"`
	// LooksEvery is the present pace in seconds.
	LooksEvery float64 `json:"looks_every_s"`
	// Can are the deeds that this service does from here: resolve, snooze,
	// escalate, reassign, note.
	Can List[string] `json:"can"`
	// Waiting is what was asked for and is not confirmed yet.
	Waiting List[Waiting] `json:"waiting"`
	// ClockAhead is how far the service's clock is ahead of this machine's.
	ClockAhead float64 `json:"clock_ahead_s"`
	// Expires is when the credential runs out; null when that is not known.
	Expires *time.Time `json:"expires_at"`
}

// Waiting is a deed that a service has not confirmed yet.
type Waiting struct {
	PageID string    `json:"page_id"`
	Deed   string    `json:"deed"`
	Asked  time.Time `json:"asked_at"`
	// Problem is why the last try did not get through.
	Problem string `json:"problem"`
}

// Deed asks for something to be done to a page at its service.
type Deed struct {
	// Deed is resolve, snooze, escalate, reassign or note; it stands in the path.
	Deed string `json:"-"`
	// ForSeconds or Until say how long a page is snoozed.
	ForSeconds float64    `json:"for_s,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	// To names a person, or is primary or secondary.
	To string `json:"to,omitempty"`
	// Text is the note, or how the page was resolved.
	Text string `json:"text,omitempty"`
}

// Notice is a sentence that stays until it is dismissed.
type Notice struct {
	ID     string    `json:"id"`
	PageID string    `json:"page_id"`
	Reason string    `json:"reason"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Agent is the process behind it all.
type Agent struct {
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
}

// Page is one page as scripts see it. Times are RFC 3339 in UTC; what the
// service does not say is null or empty.
type Page struct {
	ID             string           `json:"id"`
	Account        string           `json:"account"`
	UpstreamID     string           `json:"upstream_id"`
	Title          string           `json:"title"`
	Service        string           `json:"service"`
	Severity       string           `json:"severity"`
	Status         string           `json:"status"`
	TriggeredAt    *time.Time       `json:"triggered_at"`
	AcknowledgedAt *time.Time       `json:"acknowledged_at"`
	AcknowledgedBy string           `json:"acknowledged_by"`
	EscalatesAt    *time.Time       `json:"escalates_at"`
	AckExpiresAt   *time.Time       `json:"ack_expires_at"`
	SnoozedUntil   *time.Time       `json:"snoozed_until"`
	Mine           bool             `json:"mine"`
	Links          List[page.Link]  `json:"links"`
	URL            string           `json:"url"`
	Epoch          int              `json:"epoch"`
	Labels         List[page.Label] `json:"labels"`

	// AssignedTo names whoever has it now, and EscalatesTo whoever it goes to
	// at EscalatesAt.
	AssignedTo  string `json:"assigned_to"`
	EscalatesTo string `json:"escalates_to"`
	// Ringing says that it makes noise now.
	Ringing bool `json:"ringing"`
	// MutedBy says why the service keeps quiet about it.
	MutedBy string `json:"muted_by"`
	// AcknowledgedByMe says that the answer is this user's.
	AcknowledgedByMe bool `json:"acknowledged_by_me"`
	// Answer is how our acknowledgement stands: "", sending, not_confirmed,
	// refused or confirmed.
	Answer       string `json:"answer"`
	AnswerReason string `json:"answer_reason"`
	// AnswerMutes says whom an acknowledgement touches beside this user.
	AnswerMutes string `json:"answer_mutes"`
	// UndoUntil is until when a face offers to take the acknowledgement back.
	UndoUntil *time.Time `json:"undo_until"`
	// StillOnIt says that the question is put and waits for an answer.
	StillOnIt  bool `json:"still_on_it"`
	Hushed     bool `json:"hushed"`
	HushesLeft int  `json:"hushes_left"`
	// Ending says why it ended; empty while it is open.
	Ending  string     `json:"ending"`
	EndedAt *time.Time `json:"ended_at"`
}

// Detail is one page with everything known about it.
type Detail struct {
	Page
	Details  string      `json:"details"`
	Timeline List[Entry] `json:"timeline"`
}

// Entry is one line of a page's timeline.
type Entry struct {
	At    time.Time `json:"at"`
	Epoch int       `json:"epoch"`
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
}

// State is what the agent publishes after every change.
type State struct {
	Status
	// Pages are the open ones, worst first, at most MostPages, of more those
	// that call before the rest; Open counts all.
	Pages List[Page] `json:"pages"`
	Desk  Desk       `json:"desk"`
}

// Desk is what the windows need to know of the session they are in.
type Desk struct {
	// Lock is unlocked, locked or unknown.
	Lock string `json:"lock"`
	// Show names the view that the main window was asked to show; Asked grows
	// with every such request.
	Show  string `json:"show"`
	Asked int    `json:"asked"`
}

// MostPages is how many pages one published state carries.
const MostPages = 200

// Outcome is what became of one command for one page.
type Outcome struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Done     bool   `json:"done"`
	Sentence string `json:"sentence"`
}

// These are the pages of one press.
type These struct {
	IDs []string `json:"ids"`
}

// NewNote is a note as it was typed.
type NewNote struct {
	Text string `json:"text"`
	// Send lets the page's service have it too.
	Send bool `json:"send,omitempty"`
}

// DrillReport is how a fire drill went. What is not known is null, never zero.
type DrillReport struct {
	// Played says that the output's own monitor carried the alarm; it proves
	// mixing, not air.
	Played   bool   `json:"played"`
	PlayedMS *int64 `json:"played_ms"` // from the page at the service to the first audible sample
	Device   string `json:"device"`
	// Level is how loud it was there, in decibels below full scale.
	Level        *float64 `json:"level_dbfs"`
	Acknowledged bool     `json:"acknowledged"`
	// AcknowledgedMS is from the page at the service to the service's own word
	// that it is acknowledged.
	AcknowledgedMS *int64 `json:"acknowledged_ms"`
	Sentence       string `json:"sentence"`
}

// Drill asks for a fire drill.
type Drill struct {
	// InSeconds is how long to wait before the page comes.
	InSeconds float64 `json:"in_s"`
}

// NewAccount asks for an account to be set up.
type NewAccount struct {
	Name     string   `json:"name"`
	Provider string   `json:"provider"`
	URL      string   `json:"url"`
	User     string   `json:"user"`
	Secret   string   `json:"secret,omitempty"`
	Auth     string   `json:"auth,omitempty"`
	CAFile   string   `json:"ca_file,omitempty"`
	CertFile string   `json:"cert_file,omitempty"`
	KeyFile  string   `json:"key_file,omitempty"`
	Teams    []string `json:"teams,omitempty"`
	Query    string   `json:"query,omitempty"`
	// Changes is an address or a program that tells what was changed lately.
	Changes       string            `json:"changes,omitempty"`
	Proxy         string            `json:"proxy,omitempty"`
	Receiver      string            `json:"receiver,omitempty"`
	Filters       []string          `json:"filters,omitempty"`
	SeverityLabel string            `json:"severity_label,omitempty"`
	Severities    map[string]string `json:"severities,omitempty"`
	Heartbeats    []string          `json:"heartbeats,omitempty"`
	// NoTest keeps it even if the service cannot be reached now.
	NoTest bool `json:"no_test,omitempty"`
	// Replace allows an account of this name to be there already.
	Replace bool `json:"replace,omitempty"`
	// MemoryOnly keeps the secret in the agent's memory, on the user's word.
	MemoryOnly bool `json:"memory_only,omitempty"`
	// Edit changes the account of this name: what is empty here stays as it is,
	// the secret too, and what is Nothing is taken away.
	Edit bool `json:"edit,omitempty"`
	// OnlyLook tests and keeps nothing.
	OnlyLook bool `json:"only_look,omitempty"`
}

// Nothing takes a setting of an account away when it is edited.
const Nothing = "none"

// AccountReport is what a service said when an account was tested.
type AccountReport struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Kept  bool   `json:"kept"`
	Error string `json:"error"`
	// WantsSecret says that the service was reached and turned down what it was
	// given as password or token, or that nothing was given.
	WantsSecret bool         `json:"wants_secret"`
	User        string       `json:"user"`
	Service     string       `json:"service"`
	Receivers   List[string] `json:"receivers"`
	Open        List[Page]   `json:"open"`
	// Notes are sentences the user should read, such as that everything the
	// service lists is taken as theirs.
	Notes List[string] `json:"notes"`
	// Lacks are sentences on what this credential may not do although the
	// service could.
	Lacks List[string] `json:"lacks"`
	// Can are the deeds beside acknowledging that can be done from here.
	Can List[string] `json:"can"`
	// Mine is how many of the open pages are this user's.
	Mine int `json:"mine"`
	// Expires is when the credential runs out; null when that is not known.
	Expires *time.Time `json:"expires_at"`
}

// List is written as [] when it is empty, never as null.
type List[Item any] []Item

// MarshalJSON writes the list.
func (l List[Item]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode([]Item(l))
	return out.Bytes(), err
}
