package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
)

// mostInStatus is how many pages status lists; “pages” lists them all.
const mostInStatus = 10

type statusCommand struct{ printing }

// Help tells more than the first line.
func (*statusCommand) Help() string {
	return "The first line answers the question. Below it stand the open pages, each condition for being woken, the paging services, and what was kept for you to read."
}

// Run prints how things stand.
func (c *statusCommand) Run(s *session) error {
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	state, err := agent.State(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.print(state.Status)
	}
	now := s.now()
	s.say(verdict(state, now))
	s.heading(openWords(state.Open))
	s.listPages(state.Pages[:min(mostInStatus, len(state.Pages))], now)
	if more := state.Open - mostInStatus; more > 0 {
		fmt.Fprintf(s.Out, "  … and %d more; “nightstand pages” lists them.\n", more)
	}
	s.heading("What it takes to be woken")
	s.listSignals(state.Armed.Signals)
	if len(state.Accounts) > 0 {
		s.heading("Paging services")
		s.listFreshness(state.Accounts, now)
	}
	if len(state.Notices) > 0 {
		s.heading("Kept until you put it away with “nightstand dismiss”")
		s.listNotices(state.Notices, now)
	}
	s.heading(shiftWords(state.Shift, now))
	return nil
}

// verdict answers "would I hear a page right now?" in the agent's own
// sentence, unless a page is calling.
func verdict(state control.State, now time.Time) string {
	if words := alarmWords(state, now); words != "" {
		return words
	}
	return light(state.Armed)
}

// light is what the agent says of itself.
func light(armed control.Armed) string {
	if armed.Sentence == "" {
		return "The agent does not say whether you would hear a page, so do not count on being woken. End it and start it again."
	}
	return page.Plain(armed.Sentence, page.MaxDetails)
}

// alarmWords says what calls now; it is empty when nothing does.
func alarmWords(state control.State, now time.Time) string {
	var calling []control.Page
	for _, p := range state.Pages {
		if p.Ringing {
			calling = append(calling, p)
		}
	}
	if len(calling) == 0 {
		if !state.Alarm.Sounding {
			return ""
		}
		if state.Alarm.Pattern != "blind" {
			return "An alarm is ringing. “nightstand pages” says for what."
		}
		return "The blind alarm is ringing. " + light(state.Armed)
	}
	worst := calling[0]
	if at := slices.IndexFunc(calling, func(p control.Page) bool { return p.ID == state.Alarm.PageID }); at >= 0 {
		worst = calling[at]
	}
	what := "“" + oneLine(worst.Title, 120) + "” (" + worst.Severity + openFor(worst, now) + ")."
	does := "is ringing"
	switch {
	case state.Alarm.Sounding:
	case state.Alarm.Trouble != "":
		does = "is calling, but nothing sounds on this machine"
	default:
		does = "is about to ring"
	}
	if len(calling) == 1 {
		return "A page " + does + ": " + what + " Answer it with “nightstand ack " + worst.ID + "”."
	}
	many := max(len(calling), state.Alarm.Calling) // not all of a storm are listed
	return fmt.Sprintf("%d pages: one alarm %s. The worst: %s Answer them with “nightstand ack --all”.", many, does, what)
}

// signalName reads as words: stay_awake is "stay awake", poll:prod is "sight of prod".
func signalName(name string) string {
	if account, found := strings.CutPrefix(name, "poll:"); found {
		return "sight of " + account
	}
	if name == "poll" {
		return "paging service"
	}
	return strings.ReplaceAll(name, "_", " ")
}

func (s *session) listSignals(signals []control.Signal) {
	rows := make([]row, 0, len(signals))
	for _, one := range signals {
		detail := one.Detail
		if !one.Required {
			detail += " (advice)"
		}
		mark, with := marked(one.State)
		rows = append(rows, row{[]string{mark, signalName(one.Name), detail}, with})
	}
	s.table(rows)
}

// marked draws a state so that it can be told without colours. A word nobody
// knows is not known to be good.
func marked(state string) (string, colour) {
	switch state {
	case "ok":
		return "[+] ok", green
	case "failed":
		return "[x] failed", red
	case "warning":
		return "[!] warning", yellow
	}
	return "[?] unknown", yellow
}

func openWords(open int) string {
	if open == 0 {
		return "No page is open."
	}
	return count(open, "page is open", "pages are open")
}

func (s *session) listFreshness(accounts []control.Account, now time.Time) {
	rows := make([]row, 0, len(accounts))
	for _, a := range accounts {
		rows = append(rows, row{cells: []string{a.Name, a.Provider, freshness(a, now)}})
	}
	s.table(rows)
}

// freshness says when an account was last seen.
func freshness(a control.Account, now time.Time) string {
	words := "not asked yet"
	if a.LastGoodPoll != nil {
		words = "answered " + span(now.Sub(*a.LastGoodPoll)) + " ago"
	} else if a.Error != "" {
		words = "has not answered yet"
	}
	if a.Blind {
		words = "BLIND, pages of it cannot be seen: " + words
	}
	if a.Error != "" {
		words += ", but now: " + a.Error
	}
	return words
}

func (s *session) listNotices(notices []control.Notice, now time.Time) {
	rows := make([]row, 0, len(notices))
	for _, n := range notices {
		rows = append(rows, row{cells: []string{n.ID, second(n.At, now), n.Text}})
	}
	s.table(rows)
}

func shiftWords(shift control.Shift, now time.Time) string {
	role := ""
	if shift.Role != "" {
		role = " as " + oneLine(shift.Role, 30)
	}
	switch {
	case !shift.Known:
		return "No roster is known, so you count as on call."
	case shift.OnCall && shift.EndsAt != nil:
		return "You are on call" + role + " until " + minute(*shift.EndsAt, now) + "."
	case shift.OnCall:
		return "You are on call" + role + "."
	case shift.NextStartsAt != nil:
		return "You are not on call; your next shift starts at " + minute(*shift.NextStartsAt, now) + "."
	}
	return "You are not on call."
}
