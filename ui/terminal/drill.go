package terminal

import (
	"fmt"
	"time"

	"nightstand/app/control"
)

type drillCommand struct {
	printing
	In time.Duration `default:"0s" help:"How long to wait before the page comes, such as 60s: time to lie down."`
}

// longestDrillWait is as long as anybody lies awake for a drill.
const longestDrillWait = time.Hour

// Help tells what is proved, and what is not.
func (*drillCommand) Help() string {
	return "A page comes through a paging service of its own and the whole chain: it rings for real until you answer it. Then two times are told: until the alarm was played, as the output's own monitor carried it (that proves the sound up to the output, not the air behind it), and until your answer was confirmed. It ends with 1 where nothing was played or nobody answered."
}

// Run holds a fire drill.
func (c *drillCommand) Run(s *session) error {
	if c.In < 0 || c.In > longestDrillWait {
		return &usageError{"A drill can wait between 0s and 1h before its page comes. None was begun."}
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	if !c.JSON {
		if c.In > 0 {
			s.tell("The page of the drill comes in " + span(c.In) + ".")
		}
		s.tell("It rings for real. Answer it as you would at night: the notification, the window, the tray or “nightstand ack --all”.")
	}
	report, err := agent.Drill(s.ctx, control.Drill{InSeconds: c.In.Seconds()})
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.print(report); err != nil {
			return err
		}
	} else {
		s.tellDrill(report)
	}
	if !report.Played || !report.Acknowledged {
		return errNo
	}
	return nil
}

// tellDrill prints the times there are, and none that there is not.
func (s *session) tellDrill(r control.DrillReport) {
	if r.Played && r.PlayedMS != nil {
		words := "Played after " + seconds(*r.PlayedMS)
		if r.Device != "" {
			words += " on " + oneLine(r.Device, 60)
		}
		if r.Level != nil {
			words += fmt.Sprintf(", at %.0f dB below full scale", -*r.Level)
		}
		s.say(words + ".")
	}
	if r.Acknowledged && r.AcknowledgedMS != nil {
		s.say("Acknowledged after " + seconds(*r.AcknowledgedMS) + ", confirmed by the service.")
	}
	s.say(sentence(r.Sentence))
}

func seconds(milliseconds int64) string {
	return fmt.Sprintf("%.1f s", float64(milliseconds)/1000)
}
