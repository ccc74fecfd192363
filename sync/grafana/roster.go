package grafana

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/web"
)

const (
	// Shifts are asked for so long before and after the span, because the
	// service cuts them at the bounds of the question.
	shiftsAround = 7 * 24 * time.Hour
	// longestSpan is a little under the year that the service allows.
	longestSpan = 350 * 24 * time.Hour
	// So many schedules are asked for their shifts, one request each. Where
	// there are more, only those of the user are.
	schedulesAtOnce = 40
	day             = "2006-01-02"
)

// OnCall returns the shifts of all schedules that touch this span. A shift that
// was cut by the service has no bound on that side.
func (p *Provider) OnCall(ctx context.Context, from, to time.Time) ([]roster.Shift, error) {
	release, me, err := p.toLook(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	schedules, err := p.schedules(ctx)
	if err != nil {
		return nil, err
	}
	if schedules, err = p.nearest(schedules, me); err != nil {
		return nil, err
	}
	from, to = from.UTC(), to.UTC()
	var all []roster.Shift
	for _, one := range schedules {
		shifts, err := p.shifts(ctx, one, from, to, me)
		if err != nil {
			return nil, err
		}
		all = append(all, shifts...)
	}
	slices.SortStableFunc(all, func(a, b roster.Shift) int { return a.Start.Compare(b.Start) })
	return all, nil
}

// toLook waits for the looking lane, and finds out who looks.
func (p *Provider) toLook(ctx context.Context) (release func(), me user, err error) {
	release, err = p.looking.Enter(ctx)
	if err != nil {
		return nil, user{}, p.gaveUp(get("", nil), err)
	}
	if me, err = p.me(ctx); err != nil {
		release()
		return nil, user{}, err
	}
	return release, me, nil
}

// nearest leaves out other teams' schedules where there are too many.
func (p *Provider) nearest(schedules []*schedule, me user) ([]*schedule, error) {
	if len(schedules) <= schedulesAtOnce {
		return schedules, nil
	}
	mine := p.claimOf(p.knownSetup(), me)
	near := slices.DeleteFunc(slices.Clone(schedules), func(s *schedule) bool {
		return !slices.Contains(mine.teams, s.Team) && !slices.Contains(s.OnCall, me.ID)
	})
	if len(near) > schedulesAtOnce {
		return nil, web.Invalid("Grafana has more schedules for you than can be asked about without using up what your key may ask. Choose fewer teams in the account.")
	}
	return near, nil
}

// shifts asks for the final shifts of one schedule, overrides already applied.
func (p *Provider) shifts(ctx context.Context, one *schedule, from, to time.Time, me user) ([]roster.Shift, error) {
	since := from.Add(-shiftsAround).Truncate(24 * time.Hour)
	until := to.Add(shiftsAround).Truncate(24 * time.Hour)
	if until.Sub(since) > longestSpan {
		return nil, web.Invalid("Grafana tells of no more than a year of shifts at once. Ask for a shorter span.")
	}
	request := get("/schedules/"+one.ID+"/final_shifts/", url.Values{"start_date": {since.Format(day)}, "end_date": {until.Format(day)}})
	var got piece[shift]
	if _, err := p.ask(ctx, request, &got); err != nil {
		return nil, err
	}
	if got.Results == nil {
		return nil, p.nonsense(request, "no list of shifts")
	}
	type place struct {
		person     string
		start, end time.Time
	}
	known := map[place]bool{}
	var all []roster.Shift
	for _, each := range got.Results {
		if each == nil || each.Person == "" {
			continue // a gap: nobody is on call
		}
		start, end := readTime(each.Start), readTime(each.End)
		at := place{each.Person, start, end}
		if start.IsZero() || end.IsZero() || !start.Before(to) || !end.After(from) || known[at] {
			continue
		}
		known[at] = true
		if start.Equal(since) {
			start = time.Time{}
		}
		// The last day is read to its end by some versions, and not at all by others.
		if !end.Before(until.Add(-time.Second)) {
			end = time.Time{}
		}
		person := user{ID: each.Person, Username: each.Username, Email: each.Email}
		all = append(all, roster.Shift{Person: personOf(person, me), Schedule: plain(one.Name, maxName), Level: levelOf(one.Name), Start: start, End: end})
	}
	return all, nil
}

// levels are the words by which people name the places of their schedules; the
// service has no places of its own.
var levels = []struct {
	word  *regexp.Regexp
	level roster.Level
}{
	{regexp.MustCompile(`(?i)\bprimary\b`), roster.Primary},
	{regexp.MustCompile(`(?i)\bsecondary\b`), roster.Secondary},
	{regexp.MustCompile(`(?i)\btertiary\b`), roster.Secondary + 1},
}

// levelOf goes by a schedule's name. Words joined by underscores count apart.
func levelOf(name string) roster.Level {
	for _, known := range levels {
		if known.word.MatchString(strings.ReplaceAll(name, "_", " ")) {
			return known.level
		}
	}
	return roster.LevelNotKnown
}

// People returns everybody whom a page can be escalated to. The service keeps
// their numbers to itself and tells whether one was verified.
func (p *Provider) People(ctx context.Context) ([]page.Person, error) {
	release, me, err := p.toLook(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	users, _, _, err := list(ctx, p, "/users/", nil, func(u *user) string { return u.ID })
	if err != nil {
		return nil, err
	}
	var people []page.Person
	for _, one := range users {
		p.mutex.Lock()
		p.people[one.ID] = *one
		p.mutex.Unlock()
		people = append(people, personOf(*one, me))
	}
	slices.SortFunc(people, func(a, b page.Person) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return people, nil
}

func personOf(one, me user) page.Person {
	person := page.Person{ID: one.ID, Name: one.name(), Email: plain(one.Email, maxName), Zone: plain(one.Zone, maxName), Me: me.ID != "" && one.ID == me.ID}
	if one.PhoneVerified != nil {
		person.Contacts = []page.Contact{{Kind: page.Phone, Enabled: *one.PhoneVerified}}
	}
	return person
}
