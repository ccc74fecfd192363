package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"nightstand/app/control"
	"nightstand/app/page"
)

type ackCommand struct {
	printing
	IDs []string `arg:"" optional:"" name:"id" help:"Which pages, by their ids."`
	All bool     `help:"Every page that rings now."`
}

// Help tells what the answer means.
func (*ackCommand) Help() string {
	return "It waits until the service lists the page as acknowledged, and ends with 1 if it does not. With --all it answers the pages that ring, but not one that came within the last second: nobody can have read that."
}

// Run acknowledges pages.
func (c *ackCommand) Run(s *session) error {
	switch {
	case c.All && len(c.IDs) > 0:
		return &usageError{"Name the pages or use --all, not both. Nothing was acknowledged."}
	case !c.All && len(c.IDs) == 0:
		return &usageError{"Say which pages: “nightstand ack ID”, or “nightstand ack --all” for all that ring. Nothing was acknowledged."}
	}
	var ids []string
	for _, typed := range c.IDs {
		id, err := pageID(typed)
		if err != nil {
			return err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	if c.All {
		outcomes, err := agent.AcknowledgeAll(s.ctx)
		if err != nil {
			return err
		}
		if len(outcomes) == 0 && !c.JSON {
			s.say("Nothing rang, so there was nothing to acknowledge.")
			return nil
		}
		return s.settle(outcomes, c.JSON)
	}
	return s.acknowledge(agent, ids, c.JSON)
}

// acknowledge answers several pages at once, so that no page rings on while
// another one is being confirmed, and tells of them in the order they were named.
func (s *session) acknowledge(agent *control.Client, ids []string, asJSON bool) error {
	answers := make([][]control.Outcome, len(ids))
	failures := make([]error, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() { answers[i], failures[i] = agent.Acknowledge(s.ctx, id) })
	}
	all.Wait()

	var outcomes []control.Outcome
	var misses []error
	for i, id := range ids {
		err := failures[i]
		var refused *control.RefusedError
		switch {
		case errors.Is(err, control.ErrNotRunning), errors.Is(err, control.ErrSilent):
			return err
		case errors.As(err, &refused):
			outcomes = append(outcomes, control.Outcome{ID: id, Sentence: sentence(refused.Sentence)})
		case err != nil:
			misses = append(misses, unknownPage(id, err))
		default:
			outcomes = append(outcomes, answers[i]...)
		}
	}
	err := s.settle(outcomes, asJSON)
	if len(misses) > 0 {
		return errors.Join(misses...)
	}
	return err
}

type unackCommand struct {
	printing
	ID string `arg:"" name:"id" help:"The page's id."`
}

// Run takes an acknowledgement back.
func (c *unackCommand) Run(s *session) error {
	id, err := pageID(c.ID)
	if err != nil {
		return err
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	outcome, err := agent.Unacknowledge(s.ctx, id)
	if err != nil {
		return unknownPage(id, err)
	}
	return s.settle([]control.Outcome{outcome}, c.JSON)
}

type hushCommand struct{ printing }

// Run makes it quiet for a while.
func (c *hushCommand) Run(s *session) error {
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	outcome, err := agent.Hush(s.ctx)
	if err != nil {
		return err
	}
	return s.settle([]control.Outcome{outcome}, c.JSON)
}

// settle prints what became of commands; it is errNo unless all were done.
func (s *session) settle(outcomes []control.Outcome, asJSON bool) error {
	if asJSON {
		if err := s.print(control.List[control.Outcome](outcomes)); err != nil {
			return err
		}
	}
	done := true
	for _, o := range outcomes {
		done = done && o.Done
		if asJSON {
			continue
		}
		about := o.Title
		if about == "" {
			about = o.ID
		}
		if about == "" || strings.Contains(o.Sentence, about) {
			s.say(sentence(o.Sentence))
		} else {
			s.say("“" + about + "”: " + sentence(o.Sentence))
		}
	}
	if !done {
		return errNo
	}
	return nil
}

type dismissCommand struct {
	printing
	ID  string `arg:"" optional:"" name:"id" help:"Which sentence, by the id beside it in “nightstand status”. Not needed when there is only one."`
	All bool   `help:"All that are kept now."`
}

// Run puts kept sentences away. It names each to the agent, so that one that
// arrives meanwhile stays.
func (c *dismissCommand) Run(s *session) error {
	if c.All && c.ID != "" {
		return &usageError{"Name a sentence or use --all, not both."}
	}
	agent, err := s.Dial()
	if err != nil {
		return err
	}
	state, err := agent.State(s.ctx)
	if err != nil {
		return err
	}
	chosen := state.Notices
	switch id := strings.ToLower(strings.TrimSpace(c.ID)); {
	case id != "":
		at := slices.IndexFunc(chosen, func(n control.Notice) bool { return strings.EqualFold(n.ID, id) })
		if at < 0 {
			return &usageError{"No sentence with the id “" + id + "” is kept; “nightstand status” lists them."}
		}
		chosen = chosen[at : at+1]
	case !c.All && len(chosen) > 1:
		return &usageError{fmt.Sprintf("%d sentences are kept. Name one by its id, which “nightstand status” shows, or put all away with --all.", len(chosen))}
	}
	for _, n := range chosen {
		if err := agent.Dismiss(s.ctx, n.ID); err != nil && !errors.Is(err, control.ErrUnknown) {
			return err
		}
	}
	if c.JSON {
		return s.print(chosen)
	}
	if len(chosen) == 0 {
		s.say("Nothing is kept, so there was nothing to put away.")
		return nil
	}
	s.say("Put away:")
	s.listNotices(chosen, s.now())
	return nil
}

// pageID reads an id as a person types it.
func pageID(typed string) (string, error) {
	id := strings.ToLower(strings.TrimSpace(typed))
	if !page.ValidID(id) {
		return "", &usageError{"“" + page.Plain(typed, 40) + "” is not the id of a page. “nightstand pages” lists them."}
	}
	return id, nil
}

// unknownPage names the page that nobody knows.
func unknownPage(id string, err error) error {
	if errors.Is(err, control.ErrUnknown) {
		return &unknownError{"No page has the id “" + id + "”. “nightstand pages --all” lists them."}
	}
	return err
}

// unknownError is control.ErrUnknown in words that fit what was asked.
type unknownError struct{ sentence string }

func (e *unknownError) Error() string        { return e.sentence }
func (e *unknownError) Is(target error) bool { return target == control.ErrUnknown }
