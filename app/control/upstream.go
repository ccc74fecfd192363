package control

import (
	"time"

	"nightstand/app/page"
)

// Upstream is what the paging service itself tells of one page, asked for at
// this moment. What it does not have is empty.
type Upstream struct {
	Body   string         `json:"body"`
	Alerts List[Alert]    `json:"alerts"`
	Log    List[LogEntry] `json:"log"`
	Notes  List[Note]     `json:"notes"`
	// Changes are what was altered lately, newest first.
	Changes List[Change] `json:"changes"`
	// Missing says in sentences what could not be read.
	Missing List[string] `json:"missing"`
}

// Alert is one of the things a page was made of, in the service's own words.
type Alert struct {
	Title    string          `json:"title"`
	Severity string          `json:"severity"`
	Status   string          `json:"status"`
	At       *time.Time      `json:"at"`
	Details  string          `json:"details"`
	Links    List[page.Link] `json:"links"`
}

// LogEntry is a line of the service's own log of a page.
type LogEntry struct {
	At   *time.Time `json:"at"`
	Who  string     `json:"who"`
	Text string     `json:"text"`
}

// Note is a note that the service keeps.
type Note struct {
	At   *time.Time `json:"at"`
	By   string     `json:"by"`
	ByMe bool       `json:"by_me"`
	Text string     `json:"text"`
}

// Change is something that was deployed or altered.
type Change struct {
	At      *time.Time      `json:"at"`
	Summary string          `json:"summary"`
	Source  string          `json:"source"`
	Links   List[page.Link] `json:"links"`
}
