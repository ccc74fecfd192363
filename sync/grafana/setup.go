package grafana

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"nightstand/sync/provider"
)

const (
	// How things are set up there changes by day; who is on call, at handover.
	setupEvery = 15 * time.Minute
	dutyEvery  = 2 * time.Minute
	retryAfter = time.Minute
	// A page must not wait longer than this for whose it is; until it is known,
	// it is everybody's.
	setupWithin = 3 * time.Second
)

// setup is what the service told of teams, integrations, schedules and
// escalation. A part that could not be read is nil.
type setup struct {
	due     map[string]time.Time // when to ask for a part anew, by our own clock
	refused map[string]bool      // the parts that this key may not see

	teams        map[string]string // identity → name
	integrations map[string]string
	chains       map[string]string // route → escalation chain
	steps        map[string][]step // escalation chain → its steps
	schedules    []*schedule
}

// The parts of the set-up.
const (
	teamsPart        = "teams"
	integrationsPart = "integrations"
	routesPart       = "routes"
	stepsPart        = "escalation chains"
	schedulesPart    = "schedules"
)

func (p *Provider) knownSetup() setup {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.setup
}

// readSetup asks for what is older than it may be; it belongs to the polling
// lane. What cannot be read stays as it was, and is tried again soon; that is no
// reason not to show the pages.
func (p *Provider) readSetup(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, setupWithin)
	defer cancel()
	known, now := p.knownSetup(), p.now()
	if known.due == nil {
		known.due = map[string]time.Time{}
	}
	known.refused = maps.Clone(known.refused)
	if known.refused == nil {
		known.refused = map[string]bool{}
	}
	for _, part := range []struct {
		name  string
		every time.Duration
		read  func(context.Context, *setup) error
	}{
		{teamsPart, setupEvery, p.readTeams},
		{routesPart, setupEvery, p.readRoutes},
		{stepsPart, setupEvery, p.readSteps},
		{schedulesPart, dutyEvery, p.readSchedules},
		{integrationsPart, setupEvery, p.readIntegrations},
	} {
		if now.Before(known.due[part.name]) {
			continue
		}
		err := part.read(ctx, &known)
		kind := provider.KindOf(err)
		known.refused[part.name] = err != nil && (kind == provider.Refused || kind == provider.Invalid)
		known.due[part.name] = now.Add(part.every)
		if err == nil {
			continue
		}
		p.log.Warn("a part of the set-up could not be read", "account", p.options.Account, "part", part.name, "error", err)
		if !known.refused[part.name] {
			known.due[part.name] = now.Add(retryAfter)
			break // the others would not fare better
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.setup = known
}

// unsure says that whom a route pages may still be found out.
func (s setup) unsure() bool {
	return s.chains == nil && !s.refused[routesPart] || s.steps == nil && !s.refused[stepsPart] || s.schedules == nil && !s.refused[schedulesPart]
}

// incomplete says that something which decides what is mine is not known.
func (s setup) incomplete() bool {
	return s.teams == nil || s.chains == nil || s.steps == nil || s.schedules == nil
}

func (p *Provider) readTeams(ctx context.Context, known *setup) (err error) {
	known.teams, err = p.names(ctx, "/teams/", known.teams)
	return err
}

func (p *Provider) readIntegrations(ctx context.Context, known *setup) (err error) {
	known.integrations, err = p.names(ctx, "/integrations/", known.integrations)
	return err
}

func (p *Provider) readSchedules(ctx context.Context, known *setup) error {
	schedules, err := p.schedules(ctx)
	if err == nil {
		known.schedules = schedules
	}
	return err
}

// names reads a list of things that have names; on an error it returns what
// was known.
func (p *Provider) names(ctx context.Context, path string, known map[string]string) (map[string]string, error) {
	all, _, _, err := list(ctx, p, path, nil, func(n *named) string { return n.ID })
	if err != nil {
		return known, err
	}
	found := make(map[string]string, len(all))
	for _, one := range all {
		found[one.ID] = plain(one.Name, maxName)
	}
	return found, nil
}

func (p *Provider) readRoutes(ctx context.Context, known *setup) error {
	all, _, _, err := list(ctx, p, "/routes/", nil, func(r *route) string { return r.ID })
	if err != nil {
		return err
	}
	known.chains = make(map[string]string, len(all))
	for _, one := range all {
		known.chains[one.ID] = one.Chain
	}
	return nil
}

func (p *Provider) readSteps(ctx context.Context, known *setup) error {
	all, _, _, err := list(ctx, p, "/escalation_policies/", nil, func(s *step) string { return s.ID })
	if err != nil {
		return err
	}
	known.steps = map[string][]step{}
	for _, one := range all {
		known.steps[one.Chain] = append(known.steps[one.Chain], *one)
	}
	return nil
}

func (p *Provider) schedules(ctx context.Context) ([]*schedule, error) {
	all, _, _, err := list(ctx, p, "/schedules/", nil, func(s *schedule) string { return identified(s.ID) })
	if all == nil {
		all = []*schedule{}
	}
	return all, err
}

// stepsOf are the steps that a group goes through when nobody answers.
func (s setup) stepsOf(one *group) []step {
	chain := s.chains[one.Route]
	if one.Route == "" || chain == "" {
		return nil
	}
	return s.steps[chain]
}

// onCall says that somebody is on call now in a schedule, or with an empty
// schedule in any.
func (s setup) onCall(person, schedule string) bool {
	return person != "" && slices.ContainsFunc(s.duties(person), func(id string) bool { return schedule == "" || schedule == id })
}

// duties are the schedules in which somebody is on call now.
func (s setup) duties(person string) []string {
	var found []string
	for _, one := range s.schedules {
		if slices.Contains(one.OnCall, person) {
			found = append(found, one.ID)
		}
	}
	return found
}

func (s setup) scheduleNames(ids []string) []string {
	var found []string
	for _, one := range s.schedules {
		if slices.Contains(ids, one.ID) {
			found = append(found, "“"+plain(one.Name, maxName)+"”")
		}
	}
	return found
}

func (s setup) teamNames(ids []string) []string {
	var found []string
	for _, id := range ids {
		name := s.teams[id]
		if name == "" {
			name = plain(id, maxName)
		}
		found = append(found, "“"+name+"”")
	}
	slices.Sort(found)
	return found
}

// receivers are the names that one can choose from.
func (s setup) receivers() []string {
	return append(slices.SortedFunc(maps.Values(s.teams), strings.Compare), NoTeam)
}
