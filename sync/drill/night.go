package drill

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Night is a script: what happens at the paging service, and when.
type Night struct {
	Name string
	// Steps are played in the order of their times.
	Steps []Step
}

// Step is one thing that happens. Exactly one of Trigger, Resolve and
// Acknowledge is set.
type Step struct {
	// After is when it happens, counted from the night's beginning.
	After time.Duration
	// Trigger opens a page.
	Trigger *Trigger
	// Resolve names the page that resolves itself, if it is still open.
	Resolve string
	// Acknowledge names the page that By, a person's ID, answers elsewhere, if
	// nobody has answered it yet.
	Acknowledge, By string
}

// Lasts is when the last step happens, counted from the beginning.
func (n Night) Lasts() time.Duration {
	var last time.Duration
	for _, step := range n.Steps {
		last = max(last, step.After)
	}
	return last
}

// Play begins a night now. Steps that make no sense are an error, and then
// nothing of the night is played.
func (s *Service) Play(night Night) error {
	named := map[string]bool{}
	steps := slices.Clone(night.Steps)
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.After - b.After) })
	for _, step := range steps {
		kinds := 0
		for _, set := range []bool{step.Trigger != nil, step.Resolve != "", step.Acknowledge != ""} {
			if set {
				kinds++
			}
		}
		switch {
		case kinds != 1:
			return errors.New("every step of a night either triggers, resolves or acknowledges one page")
		case step.Trigger != nil && step.Trigger.Name != "" && named[step.Trigger.Name]:
			return fmt.Errorf("two pages of the night are called %q", step.Trigger.Name)
		case step.Trigger != nil:
			named[step.Trigger.Name] = true
		case !named[step.Resolve+step.Acknowledge]:
			return fmt.Errorf("a step of the night is about %q before it is triggered", step.Resolve+step.Acknowledge)
		case step.Acknowledge != "" && s.person(step.By) == nil:
			return fmt.Errorf("nobody on the drill's roster is %s", step.By)
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.nights = append(s.nights, &playing{began: s.advance(), steps: steps, pages: map[string]*incident{}})
	return nil
}

// playing is a night that has begun; steps are those still to come.
type playing struct {
	began time.Time
	steps []Step
	pages map[string]*incident
}

func (p *playing) next() (time.Time, *Step) {
	if len(p.steps) == 0 {
		return time.Time{}, nil
	}
	return p.began.Add(p.steps[0].After), &p.steps[0]
}

func (s *Service) play(at time.Time, night *playing) {
	step := night.steps[0]
	night.steps = night.steps[1:]
	switch {
	case step.Trigger != nil:
		night.pages[step.Trigger.Name] = s.trigger(at, *step.Trigger)
	case step.Resolve != "":
		if one := night.pages[step.Resolve]; one.status != resolved {
			s.resolve(at, one, nil, "")
		}
	default:
		if one := night.pages[step.Acknowledge]; one.status == triggered {
			s.acknowledge(at, one, s.person(step.By))
		}
	}
}

// ShortNight is a night of about two minutes: a critical page, a page that
// resolves itself, a storm, and a page that is handed on when nobody answers
// it for twenty seconds.
func ShortNight() Night {
	steps := []Step{
		{After: 3 * time.Second, Trigger: &Trigger{
			Name: "disk", Title: "Orders database is losing writes", Service: "Orders", Priority: "P1", Severity: "critical",
			Details: map[string]string{"host": "db-2", "since": "the failover at 03:02", "lost": "about 40 orders a minute"},
			Links:   []Link{{"Runbook: writes lost after a failover", "https://runbooks.example/orders/lost-writes"}},
		}},
		{After: 35 * time.Second, Trigger: &Trigger{
			Name: "latency", Title: "Checkout answers slowly", Service: "Checkout", Priority: "P2", Severity: "error",
			Details: map[string]string{"p99": "4.1 s"},
		}},
		{After: 47 * time.Second, Resolve: "latency"},
	}
	for number := range 12 {
		steps = append(steps, Step{After: 60*time.Second + time.Duration(number)*150*time.Millisecond, Trigger: &Trigger{
			Title: fmt.Sprintf("Web server web-%02d does not answer", number+1), Service: "Shop", Priority: "P3", Severity: "warning",
			Details: map[string]string{"host": fmt.Sprintf("web-%02d", number+1)},
		}})
	}
	steps = append(steps, Step{After: 95 * time.Second, Trigger: &Trigger{
		Name: "certificate", Title: "The shop's certificate expires in one hour", Service: "Shop", Priority: "P2", Severity: "error",
		EscalateAfter: 20 * time.Second,
	}})
	return Night{Name: "a short night", Steps: steps}
}
