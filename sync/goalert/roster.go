package goalert

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
)

const (
	// Schedules, policies and people come in pieces of this size. A schedule's
	// shifts cost GoAlert queries of their own, of which a request has a hundred.
	schedulesAtOnce = 10
	policiesAtOnce  = 10
	peopleAtOnce    = 50
	// GoAlert tells shifts for fifty days at most (measured after 0.34.1). A
	// shift that goes on beyond them has no end in the answer, so it is asked for
	// somewhat more than is wanted.
	longestSpan = 50 * 24 * time.Hour
	beyond      = 8 * 24 * time.Hour
)

// OnCall reads the shifts of all schedules, with the step of an escalation
// policy at which each schedule is called, and the people whom policies name
// directly. A shift that runs on for longer than GoAlert looks ahead has no end.
func (p *Provider) OnCall(ctx context.Context, from, to time.Time) ([]roster.Shift, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return nil, p.gaveUp(err)
	}
	defer release()
	from, to = from.UTC(), to.UTC()
	if !from.Before(to) {
		return nil, nil
	}
	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	levels, err := p.levels(ctx)
	if err != nil {
		return nil, err
	}
	overrides, err := p.overrides(ctx, from, to)
	if err != nil {
		return nil, err
	}
	gathered := map[place]roster.Shift{}
	for start := from; start.Before(to); start = start.Add(longestSpan) {
		end := start.Add(longestSpan)
		if wanted := to.Add(beyond); wanted.Before(end) {
			end = wanted
		}
		if err := p.shifts(ctx, start, end, me, levels, gathered); err != nil {
			return nil, err
		}
	}
	if err := p.named(ctx, levels, gathered); err != nil {
		return nil, err
	}
	var shifts []roster.Shift
	for at, one := range gathered {
		if one.Start.Before(to) && (one.End.IsZero() || one.End.After(from)) {
			one.Override = overrides.cover(at.schedule, one)
			shifts = append(shifts, one)
		}
	}
	slices.SortFunc(shifts, func(a, b roster.Shift) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Schedule, b.Schedule), strings.Compare(a.Person.Name, b.Person.Name), cmp.Compare(a.Level, b.Level))
	})
	return shifts, nil
}

// place tells shifts apart. GoAlert always tells where a shift truly began.
type place struct {
	schedule, person string
	start            time.Time
}

// shifts gathers what is told for one span.
func (p *Provider) shifts(ctx context.Context, start, end time.Time, me user, levels levels, into map[place]roster.Shift) error {
	type shift struct {
		UserID string `json:"userID"`
		User   user   `json:"user"`
		Start  string `json:"start"`
		End    string `json:"end"`
		Cut    bool   `json:"truncated"`
	}
	type schedule struct {
		ID     string   `json:"id"`
		Name   string   `json:"name"`
		Shifts []*shift `json:"shifts"`
	}
	schedules := question{
		operation: "Schedules", document: operationSchedules, aside: true,
		variables: map[string]any{"start": stamp(start), "end": stamp(end)},
	}
	return each(ctx, p, schedules, map[string]any{"first": schedulesAtOnce}, func(one schedule) error {
		if one.Shifts == nil {
			return p.nonsense("a schedule without shifts")
		}
		for _, told := range one.Shifts {
			if told == nil || readTime(told.Start).IsZero() {
				return p.nonsense("a shift without a start")
			}
			got := roster.Shift{
				Person:   page.Person{ID: cmp.Or(told.UserID, told.User.ID), Name: told.User.name()},
				Schedule: plain(one.Name, maxName), Level: levels.schedules[one.ID], Start: readTime(told.Start), End: readTime(told.End),
			}
			got.Person.Name = cmp.Or(got.Person.Name, got.Person.ID)
			got.Person.Me = got.Person.ID == me.ID
			if got.Person.ID == "" {
				return p.nonsense("a shift of nobody")
			}
			if told.Cut {
				got.End = time.Time{} // that was where we stopped looking
			}
			at := place{one.ID, got.Person.ID, got.Start}
			if earlier, found := into[at]; !found || earlier.End.IsZero() {
				into[at] = got
			}
		}
		return nil
	})
}

// levels are the places at which schedules and people are called, the first
// where there are several.
type levels struct{ schedules, people map[string]roster.Level }

func (p *Provider) levels(ctx context.Context) (levels, error) {
	type policy struct {
		Steps []*struct {
			Number  *int `json:"stepNumber"`
			Actions []*struct {
				Type string            `json:"type"`
				Args map[string]string `json:"args"`
			} `json:"actions"`
		} `json:"steps"`
	}
	told := levels{map[string]roster.Level{}, map[string]roster.Level{}}
	lower := func(into map[string]roster.Level, id string, level roster.Level) {
		if known, found := into[id]; id != "" && (!found || level < known) {
			into[id] = level
		}
	}
	steps := question{operation: "Steps", document: operationSteps, aside: true}
	err := each(ctx, p, steps, map[string]any{"first": policiesAtOnce}, func(one policy) error {
		for _, step := range one.Steps {
			if step == nil || step.Number == nil {
				continue
			}
			for _, action := range step.Actions {
				if action != nil {
					lower(told.schedules, action.Args["schedule_id"], roster.Level(*step.Number+1))
					lower(told.people, action.Args["user_id"], roster.Level(*step.Number+1))
				}
			}
		}
		return nil
	})
	return told, err
}

// named adds the people whom policies name directly: they have no schedule and
// are on call always.
func (p *Provider) named(ctx context.Context, levels levels, into map[place]roster.Shift) error {
	if len(levels.people) == 0 {
		return nil
	}
	people, err := p.people(ctx)
	if err != nil {
		return err
	}
	for _, one := range people {
		if level, found := levels.people[one.ID]; found {
			into[place{person: one.ID}] = roster.Shift{Person: one, Level: level}
		}
	}
	return nil
}

// override is a span in which one person stands in on a schedule.
type override struct {
	AddUserID    string `json:"addUserID"`
	RemoveUserID string `json:"removeUserID"`
	Start        string `json:"start"`
	End          string `json:"end"`
	Target       struct {
		ID string `json:"id"`
	} `json:"target"`
}

type overrides []override

func (p *Provider) overrides(ctx context.Context, from, to time.Time) (all overrides, err error) {
	search := map[string]any{"first": peopleAtOnce, "start": stamp(from), "end": stamp(to)}
	err = each(ctx, p, question{operation: "Overrides", document: operationOverrides, aside: true}, search, func(one override) error {
		all = append(all, one)
		return nil
	})
	return all, err
}

// cover says that a shift is one of somebody who stands in.
func (o overrides) cover(schedule string, shift roster.Shift) bool {
	return slices.ContainsFunc(o, func(one override) bool {
		start, end := readTime(one.Start).Truncate(time.Minute), readTime(one.End)
		return one.Target.ID == schedule && one.AddUserID == shift.Person.ID && one.RemoveUserID != "" &&
			!shift.Start.Before(start) && shift.Start.Before(end)
	})
}

// stamp writes a time as GoAlert reads it: UTC, in whole seconds.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
