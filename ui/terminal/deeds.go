package terminal

import (
	"io"
	"strings"
	"time"

	"nightstand/app/control"
)

type resolveCommand struct {
	printing
	ID   string `arg:"" name:"id" help:"The page's id."`
	Text string `placeholder:"WORDS" help:"How it was resolved, for the service's log."`
}

// Run resolves a page at its service.
func (c *resolveCommand) Run(s *session) error {
	return s.deed(c.ID, control.Deed{Deed: "resolve", Text: c.Text}, c.JSON)
}

type snoozeCommand struct {
	printing
	ID    string        `arg:"" name:"id" help:"The page's id."`
	For   time.Duration `placeholder:"1h" help:"For how long, such as 30m or 1h."`
	Until string        `placeholder:"TIME" help:"Until when, such as 07:30, by this machine's clock; tomorrow's if that is past."`
}

// Run snoozes a page at its service.
func (c *snoozeCommand) Run(s *session) error {
	asked := control.Deed{Deed: "snooze", ForSeconds: c.For.Seconds()}
	switch {
	case (c.For != 0) == (c.Until != ""):
		return &usageError{"Say how long with --for 1h, or until when with --until 07:30. Nothing was done."}
	case c.For < 0:
		return &usageError{"--for is a span of time that lies ahead, such as 1h. Nothing was done."}
	case c.Until != "":
		until, err := timeOfDay(c.Until, s.now())
		if err != nil {
			return err
		}
		asked.Until = &until
	}
	return s.deed(c.ID, asked, c.JSON)
}

// timeOfDay is the next time that a clock here shows this.
func timeOfDay(typed string, now time.Time) (time.Time, error) {
	at, err := time.Parse("15:04", typed)
	if err != nil {
		if whole, err := time.Parse(time.RFC3339, typed); err == nil {
			return whole, nil
		}
		return time.Time{}, &usageError{"“" + oneLine(typed, 40) + "” is not a time. It looks like 07:30. Nothing was done."}
	}
	until := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, now.Location())
	if !until.After(now) {
		until = time.Date(now.Year(), now.Month(), now.Day()+1, at.Hour(), at.Minute(), 0, 0, now.Location())
	}
	return until, nil
}

type escalateCommand struct {
	printing
	ID string `arg:"" name:"id" help:"The page's id."`
	To string `placeholder:"WHO" help:"Whom to page as well, where the service asks for that: a name, an address, or “secondary”."`
}

// Run hands a page to the next step of its escalation.
func (c *escalateCommand) Run(s *session) error {
	return s.deed(c.ID, control.Deed{Deed: "escalate", To: c.To}, c.JSON)
}

type reassignCommand struct {
	printing
	ID string `arg:"" name:"id" help:"The page's id."`
	To string `arg:"" name:"to" help:"Who gets it: a name or an address as the service has it, or “primary” or “secondary”, whoever that is now."`
}

// Run gives a page to somebody else.
func (c *reassignCommand) Run(s *session) error {
	return s.deed(c.ID, control.Deed{Deed: "reassign", To: c.To}, c.JSON)
}

// deed has something done to a page and tells what became of it.
func (s *session) deed(typed string, asked control.Deed, asJSON bool) error {
	id, err := pageID(typed)
	if err != nil {
		return err
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	outcome, err := agent.Do(s.ctx, id, asked)
	if err != nil {
		return unknownPage(id, err)
	}
	return s.settle([]control.Outcome{outcome}, asJSON)
}

type noteAddCommand struct {
	printing
	Page string   `placeholder:"ID" help:"The page it is about."`
	Send bool     `help:"Let the page's service have it too, now or as soon as that can be reached."`
	Text []string `arg:"" optional:"" help:"The note; from standard input when nothing is given."`
}

// Help tells where a note goes.
func (*noteAddCommand) Help() string {
	return "A note is kept on this machine, and nothing leaves it unless you say --send. It is on the disk when the command ends, also without a network."
}

// Run keeps a note.
func (c *noteAddCommand) Run(s *session) error {
	if c.Page == "" {
		return &usageError{"Say which page the note is about with --page ID. Nothing was kept."}
	}
	id, err := pageID(c.Page)
	if err != nil {
		return err
	}
	text := strings.Join(c.Text, " ")
	if len(c.Text) == 0 {
		read, err := s.await(func() (string, error) {
			content, err := io.ReadAll(io.LimitReader(s.typed, longestNote))
			return string(content), err
		})
		if err != nil {
			return err
		}
		text = read
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	entry, err := agent.AddNote(s.ctx, id, control.NewNote{Text: text, Send: c.Send})
	if err != nil {
		return unknownPage(id, err)
	}
	if c.JSON {
		return s.print(entry)
	}
	if c.Send {
		s.say("Kept, and on its way to the service; “nightstand show " + id + "” tells when it is there.")
		return nil
	}
	s.say("Kept on this machine.")
	return nil
}

// longestNote is more than the agent keeps of one.
const longestNote = 256 << 10
