package terminal

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
)

type demoCommand struct {
	NoTray   bool `help:"Without an icon in the tray."`
	NoWindow bool `help:"Without the alarm's window."`
}

// Help tells what comes.
func (*demoCommand) Help() string {
	return "The agent and the bundled paging service, in a home that is thrown away: a critical page, one that resolves itself, a storm, and one that goes on to the secondary when nobody answers it. Everything is real but the service: it rings."
}

// Run plays the night until it is ended by hand.
func (c *demoCommand) Run(s *session) error {
	ctx, end := context.WithCancel(s.ctx)
	defer end()
	return s.Demo(ctx, AgentOptions{NoTray: c.NoTray, NoWindow: c.NoWindow},
		func(ctx context.Context, agent *control.Client, lasts time.Duration) { s.narrate(ctx, agent, lasts) })
}

// overAfter is how long after its last step a night is told to be over.
const overAfter = 25 * time.Second

// narrate tells the night as it goes, and takes keys where somebody types.
func (s *session) narrate(ctx context.Context, agent *control.Client, lasts time.Duration) {
	var keys <-chan byte
	if s.Terminal && s.Keys != nil {
		read, restore, err := s.Keys()
		if err == nil {
			defer restore()
			keys = read
			s.lineEnd = "\r\n"
		}
	}
	s.line("A short night begins, of about " + span(lasts) + ". It rings for real, at the volume you have now.")
	if keys != nil {
		s.line("Here: Space answers what rings, H hushes it for a minute, Q ends the demonstration.")
	} else {
		s.line("Ctrl-C ends the demonstration. In another terminal " + inHome(s.home()) + "nightstand ack --all answers.")
	}
	s.line("")

	story := newStory(agent)
	look := time.NewTicker(300 * time.Millisecond)
	defer look.Stop()
	over := time.After(lasts + overAfter)
	for {
		select {
		case <-look.C:
			for _, words := range story.news(ctx, s.now()) {
				s.line(words)
			}
		case <-over:
			s.line("")
			s.line("That was the night. Nightstand stays until you end it: look around, or answer what still rings.")
			over = nil
		case key, reading := <-keys:
			if !reading {
				keys = nil
				break
			}
			if s.pressed(ctx, agent, key) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// inHome is how a shell is told which profile the next command is for.
func inHome(home string) string {
	if runtime.GOOS == "windows" {
		return "$env:NIGHTSTAND_HOME='" + home + "'; "
	}
	return "NIGHTSTAND_HOME=" + home + " "
}

// pressed does what a key says; it says true for the end.
func (s *session) pressed(ctx context.Context, agent *control.Client, key byte) (end bool) {
	const interrupt = 3 // Ctrl-C, where keys are read one by one
	switch key {
	case 'q', 'Q', interrupt:
		return true
	case ' ':
		go func() { // what comes of it is told by the timeline
			if outcomes, err := agent.AcknowledgeAll(ctx); err == nil && len(outcomes) == 0 {
				s.line("Nothing rings that could be answered.")
			}
		}()
	case 'h', 'H':
		if outcome, err := agent.Hush(ctx); err == nil {
			s.line(sentence(outcome.Sentence))
		}
	}
	return false
}

// line prints one line of the story, whole also while keys are read one by one.
func (s *session) line(text string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	fmt.Fprint(s.Out, strings.Join(fold(text, s.screen.width), s.lineEnd)+s.lineEnd)
}

// story tells what is new in the agent's timeline.
type story struct {
	agent *control.Client
	last  control.Entry // that was told; the agent hands out only the newest entries
}

func newStory(agent *control.Client) *story { return &story{agent: agent} }

// news returns the lines that have come since it was last asked.
func (t *story) news(ctx context.Context, now time.Time) []string {
	entries, err := t.agent.Timeline(ctx)
	if err != nil || len(entries) == 0 {
		return nil // it is asked again
	}
	for at, e := range slices.Backward(entries) {
		if e.At.Equal(t.last.At) && e.Kind == t.last.Kind && e.Text == t.last.Text {
			entries = entries[at+1:]
			break
		}
	}
	if len(entries) > 0 {
		t.last = entries[len(entries)-1]
	}
	var lines []string
	paged := 0
	for _, e := range entries {
		if e.Kind == "signal" || strings.HasPrefix(e.Kind, "siren_step") {
			continue
		}
		if e.Kind == "paged" {
			if paged++; paged > 3 {
				continue // a storm is one alarm
			}
		}
		lines = append(lines, second(e.At, now)+"  "+sentence(e.Text))
	}
	if more := paged - 3; more > 0 {
		lines = append(lines, "… and "+count(more, "more page", "more pages")+", all one alarm.")
	}
	return lines
}
