package terminal

import (
	"fmt"
	"slices"
	"time"

	"nightstand/app/control"
	"nightstand/ui/words"
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
	s.heading(words.Open(state.Open))
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
	s.heading(words.Shift(state.Shift, now))
	return nil
}

// verdict answers "would I hear a page right now?" in the agent's own
// sentence, unless a page is calling.
func verdict(state control.State, now time.Time) string {
	if words := alarmWords(state, now); words != "" {
		return words
	}
	return words.Light(state.Armed)
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
		return "The blind alarm is ringing. " + words.Light(state.Armed)
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

func (s *session) listSignals(signals []control.Signal) {
	rows := make([]row, 0, len(signals))
	for _, one := range signals {
		detail := one.Detail
		if !one.Required {
			detail += " (advice)"
		}
		mark, with := marked(one.State)
		rows = append(rows, row{[]string{mark, words.Signal(one.Name), detail}, with})
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

func (s *session) listFreshness(accounts []control.Account, now time.Time) {
	rows := make([]row, 0, len(accounts))
	for _, a := range accounts {
		rows = append(rows, row{cells: []string{a.Name, a.Provider, words.Freshness(a, now)}})
	}
	s.table(rows)
}

func (s *session) listNotices(notices []control.Notice, now time.Time) {
	rows := make([]row, 0, len(notices))
	for _, n := range notices {
		rows = append(rows, row{cells: []string{n.ID, second(n.At, now), n.Text}})
	}
	s.table(rows)
}
