package alarm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/words"
)

// kind is which of its pictures the window shows.
type kind int

const (
	nothing kind = iota // nothing rings and nothing was answered here
	ringing             // pages call; one key answers them
	asking              // an acknowledgement runs out: still on it?
	sending             // answered, not confirmed yet
	blind               // the paging service cannot be seen
	working             // the page is ours
	ended               // the page went another way
	lost                // the agent does not answer
)

// onScreen is how long a page must have been shown before one press for
// several answers it too.
const onScreen = time.Second

// scene is everything the window shows, in words; it is made from the agent's
// state and nothing else, so that it can be tested without a window.
type scene struct {
	kind     kind
	severity string
	level    string // "CRITICAL"
	meaning  string
	age      string
	title    string
	place    string // where it is: service and host
	details  string
	others   []string // of a storm: the next few titles
	trouble  string   // why an answer did not count
	next     string   // "Goes to Dana"
	left     string   // " in 4:18"
	passed   float32  // how much of the time until then is over
	answers  string   // what the key is for
	key      string   // its label
	keyDoes  string   // "ack", "hush", "close"; empty: nothing
	ids      []string // what the key acknowledges
	hush     string   // label of the quiet button
	footer   string
	sentence string // the headline of working, ended, lost, blind
	second   string // the line below it
	undo     string // page id; empty where there is no undo
	undoSays string
	page     string // whose notes and timeline are shown
	links    []page.Link
	good     bool // ended well: drawn with a tick
}

// view is what a scene is made from.
type view struct {
	state   control.State
	detail  control.Detail // of the page the window is about, once it was read
	about   control.Page   // the page the window was about last
	problem string         // why the agent cannot be seen; empty while it is
	since   time.Time      // when the agent was lost
	shown   map[string]time.Time
	now     time.Time
}

// wants says that a page asks for an answer or waits for one to count.
func wants(p control.Page) bool {
	if p.Status != string(page.Triggered) {
		return p.StillOnIt
	}
	return p.Ringing || p.Hushed || p.Answer == "sending" || p.Answer == "not_confirmed" || p.Answer == "refused"
}

// groups are the pages that want an answer, those of which it is asked whether
// somebody is still on them, and those whose answer is on its way.
func (v view) groups() (calling, asked, waiting []control.Page) {
	for _, p := range v.state.Pages {
		switch {
		case !wants(p):
		case p.Answer == "sending" && !p.Ringing:
			waiting = append(waiting, p)
		case p.StillOnIt:
			asked = append(asked, p)
		default:
			calling = append(calling, p)
		}
	}
	return calling, asked, waiting
}

// lead is the page the window is about: of those that want something the one
// the alarm is for, else the first; else the one it was about before.
func (v view) lead() control.Page {
	calling, asked, waiting := v.groups()
	for _, group := range [][]control.Page{calling, asked, waiting} {
		if len(group) > 0 {
			return group[max(0, slices.IndexFunc(group, func(p control.Page) bool { return p.ID == v.state.Alarm.PageID }))]
		}
	}
	for _, p := range v.state.Pages {
		if p.ID == v.about.ID {
			return p
		}
	}
	if v.about.ID != "" {
		return v.about
	}
	mine := slices.IndexFunc(v.state.Pages, func(p control.Page) bool {
		return p.AcknowledgedByMe && p.Status == string(page.Acknowledged)
	})
	if mine >= 0 {
		return v.state.Pages[mine]
	}
	return control.Page{}
}

// scene decides what is shown.
func (v view) scene() scene {
	if v.problem != "" {
		return v.lostScene()
	}
	calling, asked, waiting := v.groups()
	lead := v.lead()
	switch {
	case len(calling) > 0:
		return v.ringingScene(lead, calling)
	case len(asked) > 0:
		return v.askingScene(lead, asked)
	case len(waiting) > 0:
		return v.sendingScene(lead, waiting)
	case v.state.Armed.State == "blind":
		return v.blindScene()
	case lead.ID == "":
		return scene{kind: nothing, sentence: "Nothing is ringing.", second: words.Light(v.state.Armed), key: "Close", keyDoes: "close"}
	case lead.Status == string(page.Acknowledged) && lead.AcknowledgedByMe && v.open(lead.ID):
		return v.workingScene(lead)
	}
	return v.endedScene(lead)
}

func (v view) open(id string) bool {
	return slices.ContainsFunc(v.state.Pages, func(p control.Page) bool { return p.ID == id })
}

// picture fills in what every picture of a page has.
func (v view) picture(k kind, p control.Page) scene {
	s := scene{
		kind: k, severity: p.Severity, level: level(p), meaning: page.Severity(p.Severity).Meaning(),
		title: words.Title(p.Title, page.MaxTitle), place: place(p), page: p.ID, links: words.Links(p),
	}
	if v.detail.ID == p.ID {
		s.details = strings.Join(strings.Fields(page.Plain(v.detail.Details, page.MaxDetails)), " ")
	}
	if s.details == "" {
		s.details = labels(p)
	}
	if p.TriggeredAt != nil {
		s.age = "paged " + words.Span(v.now.Sub(*p.TriggeredAt)) + " ago"
	}
	return s
}

// level is the severity as the alarm shows it.
func level(p control.Page) string { return cmp.Or(strings.ToUpper(p.Severity), "NOT KNOWN") }

// place is the service and, where the labels tell, the host or region.
func place(p control.Page) string {
	parts := []string{}
	if p.Service != "" {
		parts = append(parts, words.OneLine(p.Service, 40))
	}
	for _, name := range []string{"region", "cluster", "instance", "host"} {
		at := slices.IndexFunc(p.Labels, func(l page.Label) bool { return l.Name == name && l.Value != "" })
		if at >= 0 {
			parts = append(parts, words.OneLine(p.Labels[at].Value, 30))
			break
		}
	}
	return strings.Join(parts, " · ")
}

// labels are what a page says of itself where it has no words.
func labels(p control.Page) string {
	var parts []string
	for _, l := range p.Labels {
		if len(parts) == 6 {
			break
		}
		if l.Value != "" && !slices.Contains([]string{"alertname", "severity", "service", "priority", "urgency", "alert severity", "escalation policy"}, l.Name) {
			parts = append(parts, words.OneLine(l.Name+": "+l.Value, 80))
		}
	}
	return strings.Join(parts, " · ")
}

func (v view) ringingScene(lead control.Page, calling []control.Page) scene {
	s := v.picture(ringing, lead)
	s.ids = v.answerable(calling)
	v.count(&s, calling)
	for _, p := range calling {
		if p.ID != lead.ID && len(s.others) < 3 {
			s.others = append(s.others, words.Title(p.Title, 90))
		}
	}
	if more := v.total(calling) - 1 - len(s.others); more > 0 {
		s.others = append(s.others, fmt.Sprintf("and %d more", more))
	}
	v.escalation(&s, lead)
	v.trouble(&s, lead)
	if lead.Ringing && lead.HushesLeft > 0 {
		s.hush = "Hush 60 s"
	}
	s.footer = v.soundWords()
	if lead.AnswerMutes != "" {
		s.footer += " · acknowledging " + words.Clause(lead.AnswerMutes)
	}
	return s
}

// trouble says why an answer did not count, or that it is only hushed.
func (v view) trouble(s *scene, lead control.Page) {
	why := words.Clause(lead.AnswerReason)
	again := "again: quiet until the service is seen, at most 15 min"
	switch {
	case lead.Answer == "not_confirmed" && lead.Hushed:
		s.trouble, s.answers = "Not acknowledged: "+why+". Hushed for a moment; then it rings again.", again
	case lead.Answer == "not_confirmed" && !lead.Ringing:
		s.trouble = "Not acknowledged yet: " + why + ". It is sent when the service is seen again."
		s.answers = "quiet until then; it is not answered"
	case lead.Answer == "not_confirmed":
		s.trouble, s.answers = "Not acknowledged: "+why+".", again
	case lead.Answer == "refused":
		s.trouble, s.answers = "Not acknowledged: "+why+".", "tries again"
	case lead.Hushed:
		s.trouble = "Hushed for a moment. Nobody was told; the page is still unanswered."
	}
}

// total is how many pages call. Of a storm that is larger than one state can
// tell, the agent has counted them.
func (v view) total(calling []control.Page) int {
	if v.state.Open > len(v.state.Pages) {
		return max(len(calling), v.state.Alarm.Calling)
	}
	return len(calling)
}

// count says how many pages there are, and how many of them one press answers.
func (v view) count(s *scene, calling []control.Page) {
	total, reached := v.total(calling), len(s.ids)
	s.key, s.keyDoes, s.answers = "Acknowledge", "ack", "answers this one page"
	if total == 1 {
		return
	}
	worst := slices.MinFunc(calling, func(a, b control.Page) int {
		return page.Severity(a.Severity).Rank() - page.Severity(b.Severity).Rank()
	})
	s.severity = worst.Severity
	s.level, s.meaning = fmt.Sprintf("%d PAGES, THE WORST IS %s", total, level(worst)), ""
	s.key, s.answers = fmt.Sprintf("Acknowledge %d", total), fmt.Sprintf("answers all %d pages", total)
	if 0 < reached && reached < len(calling) {
		s.key = fmt.Sprintf("Acknowledge %d", reached)
		s.answers = fmt.Sprintf("answers %d of %d pages; the rest came just now", reached, total)
	}
}

// answerable are the pages that one press answers: those that could be read.
func (v view) answerable(calling []control.Page) []string {
	var ids []string
	for _, p := range calling {
		if first, seen := v.shown[p.ID]; seen && v.now.Sub(first) >= onScreen {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// escalation says whom the page goes to next, and when.
func (v view) escalation(s *scene, p control.Page) {
	if p.EscalatesAt == nil || p.Status != string(page.Triggered) {
		return
	}
	left := p.EscalatesAt.Sub(v.now)
	who := cmp.Or(words.OneLine(p.EscalatesTo, 40), "the next person")
	if left <= 0 {
		s.next, s.left, s.passed = "Going to "+who, " now", 1
		return
	}
	s.next, s.left = "Goes to "+who, " in "+words.Countdown(left)
	if p.TriggeredAt != nil {
		whole := p.EscalatesAt.Sub(*p.TriggeredAt)
		s.passed = float32(v.now.Sub(*p.TriggeredAt)) / float32(max(whole, 1))
	}
}

// soundWords say what can be heard, and no more than is known.
func (v view) soundWords() string {
	alarm := v.state.Alarm
	switch {
	case alarm.Trouble != "":
		return "Nothing sounds: " + words.Clause(alarm.Trouble)
	case alarm.Sounding && alarm.Device != "":
		return "Sounding on " + words.OneLine(alarm.Device, 60)
	case alarm.Sounding:
		return "Sounding on the default output"
	}
	return "Nothing sounds at the moment"
}

func (v view) askingScene(lead control.Page, asked []control.Page) scene {
	s := v.picture(asking, lead)
	s.level, s.meaning = "STILL ON IT?", "your acknowledgement runs out"
	s.key, s.keyDoes, s.answers = "Still on it", "ack", "keeps the page yours"
	s.ids = v.answerable(asked)
	if lead.AckExpiresAt != nil {
		s.next, s.left = "Yours", " for "+words.Countdown(lead.AckExpiresAt.Sub(v.now))+" more"
	}
	if lead.Answer == "not_confirmed" || lead.Answer == "refused" {
		s.trouble = "It was not renewed: " + words.Clause(lead.AnswerReason) + "."
	}
	switch reached := len(s.ids); {
	case 0 < reached && reached < len(asked):
		s.answers = fmt.Sprintf("keeps %d of %d pages yours; the rest came just now", reached, len(asked))
	case len(asked) > 1:
		s.answers = fmt.Sprintf("keeps all %d pages yours", len(asked))
	}
	s.footer = v.soundWords()
	return s
}

func (v view) sendingScene(lead control.Page, waiting []control.Page) scene {
	s := v.picture(sending, lead)
	s.sentence, s.second = "Acknowledging. Not confirmed yet.", "It rings again if the service does not confirm it."
	if len(waiting) > 1 {
		s.sentence = fmt.Sprintf("Acknowledging %d pages. Not confirmed yet.", len(waiting))
		s.second = "Those that the service does not confirm ring again."
	}
	return s
}

func (v view) blindScene() scene {
	s := scene{
		kind: blind, severity: "critical", level: "BLIND", meaning: "pages cannot be seen", title: "The paging service cannot be seen",
		details: words.Light(v.state.Armed), key: "I know", keyDoes: "hush", answers: "quiet for 15 min; pages still cannot ring",
		footer: "Be reachable another way: phone, SMS or push at the service.",
	}
	for _, a := range v.state.Accounts {
		if a.Blind && a.LastGoodPoll != nil {
			s.age = "last seen " + words.Second(*a.LastGoodPoll, v.now)
		}
	}
	if v.state.Alarm.Pattern == "" {
		s.trouble = "You know. It stays quiet for a while; pages still cannot ring here."
	}
	return s
}

func (v view) workingScene(p control.Page) scene {
	s := v.picture(working, p)
	s.sentence, s.good = "You have it. Confirmed by the service.", true
	if p.AcknowledgedAt != nil {
		s.sentence = "You have it. Confirmed by the service at " + words.Second(*p.AcknowledgedAt, v.now) + "."
	}
	if p.AckExpiresAt != nil {
		s.second = "Still yours until " + words.Minute(*p.AckExpiresAt, v.now) + "; you are asked before it runs out."
	} else {
		s.second = "It stays yours until it is resolved."
	}
	if more := v.mine() - 1; more > 0 {
		s.second += " " + words.Capital(words.Count(more, "more page is", "more pages are")) + " yours too."
	}
	at := slices.IndexFunc(v.state.Accounts, func(a control.Account) bool { return a.Name == p.Account })
	final := at >= 0 && !v.state.Accounts[at].TakesBack
	if final {
		s.second += " This service cannot take an answer back: if you cannot work on it, bring in the secondary."
	}
	if p.UndoUntil != nil && p.UndoUntil.After(v.now) && !final {
		s.undo = p.ID
		s.undoSays = "Undo for " + words.Span(p.UndoUntil.Sub(v.now)) + " more."
	}
	s.key, s.keyDoes = "Back to bed", "close"
	return s
}

// mine are how many open pages this user has acknowledged.
func (v view) mine() int {
	mine := 0
	for _, p := range v.state.Pages {
		if p.AcknowledgedByMe && p.Status == string(page.Acknowledged) {
			mine++
		}
	}
	return mine
}

// endedScene says why it is quiet; silence without a reason would be a fault.
func (v view) endedScene(p control.Page) scene {
	s := v.picture(ended, p)
	s.key, s.keyDoes = "Back to bed", "close"
	s.sentence, s.second = "“"+words.Title(p.Title, 60)+"” no longer rings.", "Look at “Pages” for what became of it."
	for _, n := range slices.Backward(v.state.Notices) {
		if n.PageID == p.ID {
			s.sentence, s.second = words.Sentence(n.Text), "At "+words.Second(n.At, v.now)+". There is nothing for you to do about it here."
			s.good = n.Reason == "resolved" || n.Reason == "acknowledged_here" || n.Reason == "acknowledged_elsewhere"
			break
		}
	}
	if v.mine() > 0 {
		s.key = "Close"
		s.second += " Still yours: " + v.stillMine() + "."
	}
	return s
}

// stillMine names the open pages that were answered here.
func (v view) stillMine() string {
	var titles []string
	for _, p := range v.state.Pages {
		if p.AcknowledgedByMe && p.Status == string(page.Acknowledged) {
			titles = append(titles, "“"+words.Title(p.Title, 60)+"”")
		}
	}
	const most = 3
	if more := len(titles) - most; more > 0 {
		titles = append(titles[:most], words.Count(more, "more", "more"))
	}
	return strings.Join(titles, ", ")
}

func (v view) lostScene() scene {
	s := scene{kind: lost, sentence: "The agent does not answer.", severity: "critical"}
	if !v.since.IsZero() {
		s.sentence = "The agent has not answered for " + words.Span(v.now.Sub(v.since)) + "."
	}
	s.second = words.Sentence(v.problem)
	s.title, s.page = page.Plain(v.about.Title, page.MaxTitle), v.about.ID
	s.key, s.keyDoes = "Close", "close"
	return s
}
