package jsm

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
)

const (
	// A timeline may be cut at its first instant, so it is asked for from so
	// long before: the shift that runs then mostly shows its true start.
	shiftsBefore = 7 * 24 * time.Hour
	// People are all who have a shift from a week ago until then.
	peopleAhead = 28 * 24 * time.Hour
)

// schedule is one schedule in either dialect.
type schedule struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled *bool  `json:"enabled"`
}

// timeline is what a schedule comes to, its overrides included.
type timeline struct {
	Final struct {
		Rotations []*rotation `json:"rotations"`
	} `json:"finalTimeline"`
}

type rotation struct {
	Name    string    `json:"name"`
	Periods []*period `json:"periods"`
}

type period struct {
	Start any       `json:"startDate"`
	End   any       `json:"endDate"`
	Type  string    `json:"type"`
	JSM   responder `json:"responder"`
	Older responder `json:"recipient"` // Opsgenie
}

// who is the one on call in a period, and false where nobody is.
func (p *period) who() (responder, bool) {
	who := p.JSM
	if who.ID == "" {
		who = p.Older
	}
	return who, who.ID != "" && !strings.EqualFold(who.Type, "noone")
}

// OnCall returns the shifts of all schedules that this user may see. A place
// is known only where the name of the rotation or of the schedule says
// primary, secondary or backup; their order is a mere convention.
func (p *Provider) OnCall(ctx context.Context, from, to time.Time) ([]roster.Shift, error) {
	leave, err := p.enter(ctx, p.asking)
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, err := p.me(ctx); err != nil {
		return nil, err
	}
	return p.shifts(ctx, from, to)
}

func (p *Provider) shifts(ctx context.Context, from, to time.Time) ([]roster.Shift, error) {
	schedules, err := readAll[*schedule](ctx, p, p.dialect.ops+"/schedules", url.Values{p.dialect.size: {p.dialect.schedules}}, "offset")
	if err != nil {
		return nil, err
	}
	var shifts []roster.Shift
	var people []string
	for _, one := range schedules {
		if one == nil || !validID(one.ID) || one.Enabled != nil && !*one.Enabled {
			continue
		}
		of, err := p.shiftsOf(ctx, one, from, to)
		if forbidden(err) {
			continue // of another team, and not for this user to see
		}
		if err != nil {
			return nil, err
		}
		for _, shift := range of {
			people = append(people, shift.Person.ID)
		}
		shifts = append(shifts, of...)
	}
	_ = p.readNames(ctx, people) // it is in the log, and an id is better than nobody
	for i := range shifts {
		shifts[i].Person = p.personOf(shifts[i].Person)
	}
	slices.SortStableFunc(shifts, func(a, b roster.Shift) int { return a.Start.Compare(b.Start) })
	return once(shifts), nil
}

// shiftsOf reads the shifts of one schedule, with people as they are told there.
func (p *Provider) shiftsOf(ctx context.Context, of *schedule, from, to time.Time) ([]roster.Shift, error) {
	since := from.Add(-shiftsBefore)
	days := int(to.Sub(since)/(24*time.Hour)) + 1
	body, _, err := p.get(ctx, p.dialect.ops+"/schedules/"+url.PathEscape(of.ID)+"/timeline", url.Values{
		"date": {stamp(since)}, "interval": {strconv.Itoa(days)}, "intervalUnit": {"days"},
	})
	if err != nil {
		return nil, err
	}
	var told timeline
	if decode(p.dialect.thing(body), &told) != nil || told.Final.Rotations == nil {
		return nil, p.nonsense("no timeline")
	}
	var shifts []roster.Shift
	for _, turn := range told.Final.Rotations {
		if turn == nil {
			continue
		}
		for _, one := range turn.Periods {
			if one == nil {
				continue
			}
			who, somebody := one.who()
			shift := roster.Shift{
				Person:   page.Person{ID: page.Plain(who.ID, maxName), Name: page.Plain(who.Name, maxName)},
				Schedule: page.Plain(of.Name, maxName), Level: level(turn.Name, of.Name),
				Start: readTime(one.Start), End: readTime(one.End), Override: strings.EqualFold(one.Type, "override"),
			}
			if shift.Person.Name == "" && !who.isUser() {
				shift.Person.Name = page.Plain(strings.ToLower(who.Type)+" "+who.ID, maxName)
			}
			if somebody && shift.Start.Before(to) && (shift.End.IsZero() || shift.End.After(from)) {
				shifts = append(shifts, shift)
			}
		}
	}
	return shifts, nil
}

// level reads the place out of the first of these names that tells one.
func level(names ...string) roster.Level {
	for _, name := range names {
		name = strings.ToLower(name)
		switch {
		case strings.Contains(name, "secondary"), strings.Contains(name, "backup"):
			return roster.Secondary
		case strings.Contains(name, "primary"):
			return roster.Primary
		}
	}
	return roster.LevelNotKnown
}

// personOf completes somebody by what the directory has.
func (p *Provider) personOf(who page.Person) page.Person {
	known := p.known(who.ID)
	if known.id() == "" && strings.Contains(who.Name, "@") {
		known = p.known(who.Name) // the user, by the name that Opsgenie gives
		if known.address() == "" {
			known.OpsgenieAddress = who.Name
		}
	}
	who.Name = cmp.Or(known.called(), who.Name, who.ID)
	who.Email = page.Plain(known.address(), maxName)
	who.Zone = page.Plain(known.TimeZone, maxName)
	p.mutex.Lock()
	who.Me = p.user.is(who.ID) || who.Email != "" && p.user.is(who.Email)
	p.mutex.Unlock()
	return who
}

// People returns the user with the ways to be reached, and all other people who
// have a shift from a week ago to four weeks ahead, by name.
func (p *Provider) People(ctx context.Context) ([]page.Person, error) {
	leave, err := p.enter(ctx, p.asking)
	if err != nil {
		return nil, err
	}
	defer leave()
	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	now := p.client.Now()
	shifts, err := p.shifts(ctx, now, now.Add(peopleAhead))
	if err != nil {
		return nil, err
	}
	contacts, err := p.contacts(ctx)
	if err != nil {
		return nil, err
	}
	people := []page.Person{{
		ID: cmp.Or(me.id(), me.address()), Name: me.called(), Email: page.Plain(me.address(), maxName),
		Zone: page.Plain(me.TimeZone, maxName), Me: true, Contacts: contacts,
	}}
	for _, shift := range shifts {
		same := func(other page.Person) bool { return other.ID == shift.Person.ID }
		if !shift.Person.Me && !slices.ContainsFunc(people, same) {
			people = append(people, shift.Person)
		}
	}
	slices.SortStableFunc(people[1:], func(a, b page.Person) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return people, nil
}

// contacts are the ways to reach this user; nobody may see those of others,
// and a key of Opsgenie's perhaps not even these.
func (p *Provider) contacts(ctx context.Context) ([]page.Contact, error) {
	type way struct {
		Method  string `json:"method"`
		Older   string `json:"contactMethod"`
		To      string `json:"to"`
		Enabled *bool  `json:"enabled"`
		Status  struct {
			Enabled *bool `json:"enabled"`
		} `json:"status"`
	}
	ways, err := readAll[way](ctx, p, p.dialect.ops+p.dialect.contacts, url.Values{}, "offset")
	if forbidden(err) {
		return nil, nil
	}
	var contacts []page.Contact
	for _, one := range ways {
		enabled := cmp.Or(one.Enabled, one.Status.Enabled)
		contacts = append(contacts, page.Contact{
			Kind: kind(cmp.Or(one.Method, one.Older)), Address: page.Plain(one.To, maxName), Enabled: enabled != nil && *enabled,
		})
	}
	return contacts, err
}

func kind(method string) page.ContactKind {
	switch strings.ToLower(method) {
	case "voice", "phone":
		return page.Phone
	case "sms":
		return page.SMS
	case "mobile", "push":
		return page.Push
	case "email":
		return page.Mail
	}
	return page.OtherContact
}

// once leaves each shift in the list a single time: two rotations of a
// schedule can hold the same.
func once(shifts []roster.Shift) []roster.Shift {
	type place struct {
		person, schedule string
		level            roster.Level
		start            time.Time
	}
	seen := map[place]bool{}
	return slices.DeleteFunc(shifts, func(s roster.Shift) bool {
		here := place{s.Person.ID, s.Schedule, s.Level, s.Start}
		again := seen[here]
		seen[here] = true
		return again
	})
}
