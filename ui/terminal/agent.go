package terminal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/ui/words"
)

type agentCommand struct {
	NoTray   bool `help:"Without an icon in the tray."`
	NoWindow bool `help:"Without the alarm's window when a page rings."`
	Guarded  bool `help:"With a small parent process that starts the agent again if it dies."`

	// Supervisors that cannot set an environment say it in arguments.
	Home       string `hidden:"" help:"The folder to keep everything under."`
	Supervisor string `hidden:"" help:"Who starts the agent again."`
}

// Run is the agent, until it ends.
func (c *agentCommand) Run(s *session) error {
	for name, value := range map[string]string{"NIGHTSTAND_HOME": c.Home, "NIGHTSTAND_SUPERVISOR": c.Supervisor} {
		if value == "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return &usageError{"The value given for " + name + " cannot be used."}
		}
	}
	return s.RunAgent(s.ctx, AgentOptions{NoTray: c.NoTray, NoWindow: c.NoWindow, Guarded: c.Guarded})
}

type installCommand struct{}

// Run registers the agent with the system's supervisor.
func (*installCommand) Run(s *session) error { return s.sayAll(s.Install(s.ctx)) }

type uninstallCommand struct{}

// Run takes the registration back.
func (*uninstallCommand) Run(s *session) error { return s.sayAll(s.Uninstall(s.ctx)) }

func (s *session) sayAll(sentences []string, err error) error {
	for _, one := range sentences {
		s.say(sentence(one))
	}
	return err
}

type quitCommand struct{}

// goneWithin is how long the agent may take to end.
const goneWithin = 15 * time.Second

// Run ends the agent and waits until it is gone. A person on call is asked first.
func (*quitCommand) Run(s *session) error {
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	if s.Terminal {
		before, err := agent.State(s.ctx)
		if err != nil {
			return err
		}
		if before.Shift.OnCall || !before.Shift.Known {
			s.tell(words.Shift(before.Shift, s.now()) + " Without the agent no page rings on this machine.")
			answer, err := s.ask("End it? Type yes: ")
			if err != nil {
				return err
			}
			if !strings.EqualFold(answer, "yes") && !strings.EqualFold(answer, "y") {
				s.say("The agent goes on.")
				return errNo
			}
		}
	}
	if err := agent.Quit(s.ctx); err != nil {
		return err
	}
	for deadline := time.Now().Add(goneWithin); ; time.Sleep(50 * time.Millisecond) {
		if _, err := agent.State(s.ctx); errors.Is(err, control.ErrNotRunning) {
			s.say("The agent has ended. No page can ring on this machine until it is started again.")
			return nil
		}
		if s.ctx.Err() != nil || time.Now().After(deadline) {
			return errors.New("the agent was asked to end, but one still answers: either it takes its time, or something has started it again; look with “nightstand status”")
		}
	}
}

type versionCommand struct{ printing }

// Run prints the version.
func (c *versionCommand) Run(s *session) error {
	if c.JSON {
		return s.print(struct {
			Version string `json:"version"`
		}{s.Version})
	}
	_, err := fmt.Fprintf(s.Out, "nightstand %s\n", s.Version)
	return err
}
