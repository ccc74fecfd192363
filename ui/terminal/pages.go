package terminal

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/words"
)

type pagesCommand struct {
	printing
	All bool `help:"Also list the pages that have ended."`
}

// Run lists pages.
func (c *pagesCommand) Run(s *session) error {
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	pages, err := agent.Pages(s.ctx, c.All)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.print(control.List[control.Page](pages))
	}
	if len(pages) == 0 {
		s.say(words.Open(0))
		return nil
	}
	s.listPages(pages, s.now())
	return nil
}

type showCommand struct {
	printing
	ID      string `arg:"" name:"id" help:"The page's id, as “nightstand pages” lists it."`
	Service bool   `help:"Ask the paging service for all it knows of it: alerts, its own log and notes, what was changed lately."`
}

// Run shows one page.
func (c *showCommand) Run(s *session) error {
	id, err := pageID(c.ID)
	if err != nil {
		return err
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	detail, err := agent.Page(s.ctx, id)
	if err != nil {
		return unknownPage(id, err)
	}
	if !c.Service {
		if c.JSON {
			return s.print(detail)
		}
		s.showPage(detail, s.now())
		return nil
	}
	upstream, err := agent.Describe(s.ctx, id)
	if c.JSON {
		if err != nil {
			return err
		}
		return s.print(struct {
			control.Detail
			Service control.Upstream `json:"service_detail"`
		}{detail, upstream})
	}
	s.showPage(detail, s.now())
	if err != nil {
		return err
	}
	s.showUpstream(upstream, s.now())
	return nil
}

type timelineCommand struct{ printing }

// Run tells what happened lately.
func (c *timelineCommand) Run(s *session) error {
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	entries, err := agent.Timeline(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.print(control.List[control.Entry](entries))
	}
	if len(entries) == 0 {
		s.say("Nothing has happened yet.")
		return nil
	}
	s.listEntries(entries, s.now())
	return nil
}

// listPages draws two lines a page: what it is, and how it stands.
func (s *session) listPages(pages []control.Page, now time.Time) {
	var rows []row
	for _, p := range pages {
		with := plain
		if p.Ringing {
			with = red
		}
		title := oneLine(p.Title, s.screen.width-25)
		rows = append(rows,
			row{[]string{p.ID, p.Severity, title}, with},
			row{cells: []string{"", "", standing(p, now)}})
	}
	s.table(rows)
}

// standing says where a page stands, and what comes next.
func standing(p control.Page, now time.Time) string {
	words := []string{situation(p, now)}
	if p.Ending == "" {
		if age := openFor(p, now); age != "" {
			words = append(words, strings.TrimPrefix(age, ", "))
		}
		if p.EscalatesAt != nil && p.Status == string(page.Triggered) {
			words = append(words, handingOn(p, now))
		}
	}
	return strings.Join(words, "; ")
}

// handingOn says whom a page goes to and when, unless somebody answers.
func handingOn(p control.Page, now time.Time) string {
	words := "goes to " + cmp.Or(p.EscalatesTo, "the next person")
	if left := p.EscalatesAt.Sub(now); left >= time.Second {
		return words + " in " + span(left)
	}
	return words + " now"
}

// situation is what a page does now, or who has it.
func situation(p control.Page, now time.Time) string {
	switch {
	case p.Ending != "":
		return ended(p, now)
	case p.Status == string(page.Acknowledged):
		return acknowledged(p, now) + settling(p)
	case p.Answer == "sending":
		return "your acknowledgement is on its way and not confirmed yet"
	case p.Answer == "not_confirmed":
		return calling(p) + "not acknowledged yet: " + clause(p.AnswerReason)
	case p.Answer == "refused":
		return calling(p) + "not acknowledged: " + clause(p.AnswerReason)
	case p.Ringing:
		return "rings now"
	case p.Hushed:
		return "hushed for a moment, and not acknowledged"
	case p.SnoozedUntil != nil && p.SnoozedUntil.After(now):
		return "snoozed until " + minute(*p.SnoozedUntil, now)
	case p.MutedBy != "":
		return "quiet: " + clause(p.MutedBy)
	case !p.Mine && p.AssignedTo != "":
		return "not yours; " + p.AssignedTo + " has it"
	case !p.Mine:
		return "not yours"
	}
	return "open, and does not ring"
}

func calling(p control.Page) string {
	if p.Ringing {
		return "rings now; "
	}
	return ""
}

// acknowledged says who has it, since when and for how long. Ours counts as
// confirmed only where the agent says so.
func acknowledged(p control.Page, now time.Time) string {
	who := p.AcknowledgedBy
	switch {
	case p.AcknowledgedByMe:
		who = "you"
	case who == "":
		who = "somebody"
	}
	words := "acknowledged by " + who
	if p.AcknowledgedByMe && p.Answer == "confirmed" {
		words = "acknowledged, confirmed by the service: by you"
	}
	if p.AcknowledgedAt != nil {
		words += " at " + second(*p.AcknowledgedAt, now)
	}
	switch {
	case p.SnoozedUntil != nil && p.SnoozedUntil.After(now):
		words += "; snoozed until " + minute(*p.SnoozedUntil, now)
	case p.AckExpiresAt != nil:
		words += "; it runs out at " + minute(*p.AckExpiresAt, now)
	}
	if p.StillOnIt {
		words += "; still on it? “nightstand ack " + p.ID + "” says yes"
	}
	return words
}

// settling says how the renewal of an acknowledgement stands.
func settling(p control.Page) string {
	switch p.Answer {
	case "sending":
		return "; its renewal is on its way"
	case "not_confirmed", "refused":
		return "; it was not renewed: " + clause(p.AnswerReason)
	}
	return ""
}

// openFor is how long a page has been open, to be put after something.
func openFor(p control.Page, now time.Time) string {
	if p.TriggeredAt == nil {
		return ""
	}
	return ", open for " + span(now.Sub(*p.TriggeredAt))
}

func (s *session) showPage(d control.Detail, now time.Time) {
	s.say(d.Title)
	s.say(sentence(d.Severity + ": " + page.Severity(d.Severity).Meaning()))
	fmt.Fprintln(s.Out)

	var rows []row
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, row{cells: []string{name, value}})
		}
	}
	add("id", d.ID)
	add("state", standing(d.Page, now))
	if d.TriggeredAt != nil {
		add("began", second(*d.TriggeredAt, now))
	}
	add("service", d.Service)
	add("account", d.Account)
	add("assigned to", d.AssignedTo)
	if d.Status == string(page.Triggered) {
		add("to acknowledge", d.AnswerMutes)
	}
	add("address", d.URL)
	for _, link := range d.Links {
		add("link", link.Text+": "+link.URL)
	}
	for _, label := range d.Labels {
		add("label", label.Name+" = "+label.Value)
	}
	s.table(rows)

	if d.Details != "" {
		s.heading("Details")
		for line := range strings.Lines(page.PlainLines(d.Details, page.MaxDetails)) {
			fmt.Fprintln(s.Out, strings.TrimRight("  "+strings.Join(fold(line, s.screen.width-2), "\n  "), " "))
		}
	}
	if len(d.Timeline) > 0 {
		s.heading("Timeline")
		s.listEntries(d.Timeline, now)
	}
}

// showUpstream tells what the paging service itself says.
func (s *session) showUpstream(up control.Upstream, now time.Time) {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return second(*t, now)
	}
	if up.Body != "" {
		s.heading("The service's own words")
		for line := range strings.Lines(page.PlainLines(up.Body, page.MaxDetails)) {
			fmt.Fprintln(s.Out, strings.TrimRight("  "+strings.Join(fold(line, s.screen.width-2), "\n  "), " "))
		}
	}
	var changes, alerts, notes, log []row
	for _, c := range up.Changes {
		changes = append(changes, row{cells: []string{at(c.At), strings.TrimSuffix(c.Summary+" ("+c.Source+")", " ()")}})
	}
	for _, a := range up.Alerts {
		alerts = append(alerts, row{cells: []string{at(a.At), a.Status, a.Severity, a.Title}})
	}
	for _, n := range up.Notes {
		notes = append(notes, row{cells: []string{at(n.At), n.By, n.Text}})
	}
	for _, e := range up.Log {
		log = append(log, row{cells: []string{at(e.At), e.Who, e.Text}})
	}
	for _, part := range []struct {
		heading string
		rows    []row
	}{{"What was changed lately", changes}, {"Alerts", alerts}, {"Notes at the service", notes}, {"The service's log", log}} {
		if len(part.rows) > 0 {
			s.heading(part.heading)
			s.table(part.rows)
		}
	}
	for _, sentence := range up.Missing {
		s.say(sentence)
	}
}

func (s *session) listEntries(entries []control.Entry, now time.Time) {
	rows := make([]row, 0, len(entries))
	for _, e := range entries {
		rows = append(rows, row{cells: []string{second(e.At, now), e.Text}})
	}
	s.table(rows)
}
