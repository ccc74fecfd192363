// Package page owns the words every other room speaks: a page, how bad it is,
// where it stands, and who answered it. It knows no paging service, no
// storage and no screen.
package page

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// Status is where a page stands at its paging service.
type Status string

// The three states a page can be in. Snoozed and muted are properties of a
// page, not states of their own.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Severity says how bad a page is, and with that whether it wakes anybody.
type Severity string

// The five severities, worst first. What a service says that cannot be mapped
// is Degraded, never silent.
const (
	Critical Severity = "critical" // customer data is being lost
	Degraded Severity = "degraded" // customers notice
	Minor    Severity = "minor"    // a minor function is lost
	Hidden   Severity = "hidden"   // nobody outside notices; waits for the morning
	Other    Severity = "other"    // repairs itself; noted and counted
)

// Severities lists all five, worst first.
func Severities() []Severity { return []Severity{Critical, Degraded, Minor, Hidden, Other} }

// Meaning is what the severity means, in the words a tired person reads.
func (s Severity) Meaning() string {
	switch s {
	case Critical:
		return "customer data is being lost"
	case Degraded:
		return "customers notice"
	case Minor:
		return "a minor function is lost"
	case Hidden:
		return "nobody outside notices"
	case Other:
		return "repairs itself"
	}
	return "severity not known"
}

// Rank orders severities: 0 is the worst. An unknown word ranks as Degraded.
func (s Severity) Rank() int {
	for rank, known := range Severities() {
		if s == known {
			return rank
		}
	}
	return Degraded.Rank()
}

// Wakes tells whether this severity rings by its own weight.
func (s Severity) Wakes() bool { return s.Rank() <= Minor.Rank() }

// Link is a place to look: a runbook, a dashboard, the alert's source.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Label is one name and value that the service attached to a page.
type Label struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Page is one incident or alert as its paging service last described it.
// All times are UTC; a zero time means the service does not say.
type Page struct {
	// ID is ours: short, a-z, 0-9 and hyphen, stable for one Account and UpstreamID.
	ID string
	// Account is the name of the account it came through.
	Account string
	// UpstreamID is the identity at the service. On Alertmanager it is
	// fingerprint@startsAt, so that a new firing is a new page.
	UpstreamID string
	// SourceKey is the key under which whatever raised the page sent it, by which
	// the service joins repeated events; empty where the service does not tell.
	// Pages of two services with the same key are about the same thing.
	SourceKey string
	// Number is what the service's own screens call it, when that differs.
	Number   string
	Title    string
	Details  string
	Service  string
	Severity Severity
	Status   Status

	TriggeredAt    time.Time
	AcknowledgedAt time.Time
	// AcknowledgedBy is the name of whoever answered, as the service tells it.
	AcknowledgedBy string
	// AcknowledgedByMe says that this name is the account's own user.
	AcknowledgedByMe bool
	// AssignedTo names whoever has it now, as the service tells it; several
	// are joined by ", ". It is empty where the service assigns to nobody.
	AssignedTo string
	// EscalatesAt is when the service hands the unanswered page on.
	EscalatesAt time.Time
	// EscalatesTo names whoever it goes to then; empty when not known.
	EscalatesTo string
	// AckExpiresAt is when the acknowledgement runs out at the service.
	AckExpiresAt time.Time
	SnoozedUntil time.Time

	// Mine says the page is meant for this user.
	Mine bool
	// Assigned says the service named this user; false on services that only
	// match labels or receivers. An assigned page rings off shift too.
	Assigned bool
	// HandedOn says that the service will pass the page to somebody else when
	// nobody answers, or that it was sent with high urgency. Such a page
	// rings whatever its severity.
	HandedOn bool
	// MutedBy says in words why the service keeps quiet about it (somebody
	// else's silence, an inhibition). A muted page is shown, not rung.
	MutedBy string
	// AnswerMutes describes what an acknowledgement does for everybody else,
	// empty when it touches nobody ("silences this alert for the whole team
	// until 03:42").
	AnswerMutes string

	URL    string
	Links  []Link
	Labels []Label
}

// Key identifies the page across accounts.
func (p Page) Key() string { return p.Account + "/" + p.UpstreamID }

// Open says that the page still wants somebody.
func (p Page) Open() bool { return p.Status != Resolved }

// idAlphabet leaves out letters that are read as digits at 03:00.
var idAlphabet = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// NewID derives our short id from an account's name and the identity at the
// service. The same two always give the same id; fifty bits keep two pages of
// one night apart.
func NewID(account, upstreamID string) string {
	sum := sha256.Sum256([]byte(account + "\x00" + upstreamID))
	letters := idAlphabet.EncodeToString(sum[:7])
	return letters[:5] + "-" + letters[5:10]
}

// ValidID says whether a text could be one of our ids.
func ValidID(id string) bool {
	return id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
