package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/sync/provider"
)

// farthest is how far ahead PagerDuty tells who is on call, less the time that
// a request may take.
const farthest = 90*24*time.Hour - time.Hour

// contact is a way to reach somebody, as PagerDuty keeps it.
type contact struct {
	Type        string `json:"type"`
	Address     string `json:"address"`
	CountryCode int    `json:"country_code"`
	Enabled     *bool  `json:"enabled"`
	Blacklisted bool   `json:"blacklisted"`
}

// OnCall returns the shifts of this span, of everybody on every escalation
// policy that the user may see. A shift that stands on several policies is one.
// PagerDuty tells nothing beyond ninety days ahead, and not who stands in for whom.
func (p *Provider) OnCall(ctx context.Context, from, to time.Time) ([]roster.Shift, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return nil, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	if last := p.client.Now().Add(farthest); to.After(last) {
		to = last
	}
	if !from.Before(to) {
		return nil, nil
	}
	listed, err := every[onCall](ctx, p.client.asAside(), "/oncalls", "oncalls", url.Values{
		"since": {stamp(from)}, "until": {stamp(to)}, "include[]": {"users"},
		"time_zone": {"UTC"}, // or it is the account's
	})
	if err != nil {
		return nil, err
	}
	type place struct {
		person, schedule string
		level            int
		start            time.Time
	}
	var shifts []roster.Shift
	told := map[place]bool{}
	for _, one := range listed {
		if one == nil || !validID(one.User.ID) {
			return nil, p.client.asAside().nonsense("an on-call of nobody")
		}
		start, startKnown := one.bound(one.Start)
		end, endKnown := one.bound(one.End)
		if !startKnown || !endKnown {
			return nil, p.client.asAside().nonsense("an on-call at no time")
		}
		at := place{one.User.ID, one.Schedule.ID, one.Level, start}
		if told[at] || !start.Before(to) || !end.IsZero() && !end.After(from) {
			continue
		}
		told[at] = true
		shifts = append(shifts, roster.Shift{
			Person: one.User.person(me), Schedule: one.Schedule.label(), Level: roster.Level(one.Level), Start: start, End: end,
		})
	}
	slices.SortStableFunc(shifts, func(a, b roster.Shift) int { return a.Start.Compare(b.Start) })
	return shifts, nil
}

// People returns everybody whom an incident can be assigned to, and this user
// with the ways to be reached, as far as the key may see them.
func (p *Provider) People(ctx context.Context) ([]page.Person, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return nil, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	users, err := every[user](ctx, p.client.asAside(), "/users", "users", url.Values{})
	if err != nil {
		return nil, err
	}
	contacts, err := p.contacts(ctx, me)
	if err != nil {
		return nil, err
	}
	var people []page.Person
	told := map[string]bool{}
	for _, one := range append(users, &me) {
		if one == nil || !validID(one.ID) {
			return nil, p.client.asAside().nonsense("a user without an ID")
		}
		if told[one.ID] || one.mayOnlyLook() && one.ID != me.ID {
			continue
		}
		told[one.ID] = true
		person := one.person(me)
		if person.Me {
			person.Contacts = contacts
		}
		people = append(people, person)
	}
	return people, nil
}

// contacts are this user's; none where they are not for this key to see.
func (p *Provider) contacts(ctx context.Context, me user) ([]page.Contact, error) {
	var answer struct {
		Contacts []*contact `json:"contact_methods"`
	}
	_, err := p.client.asAside().get(ctx, "/users/"+me.ID+"/contact_methods", nil, &answer)
	switch {
	case provider.KindOf(err) == provider.Refused && err != nil:
		return nil, nil
	case err != nil:
		return nil, err
	case answer.Contacts == nil:
		return nil, p.client.asAside().nonsense("no list of contact methods")
	}
	var contacts []page.Contact
	for _, one := range answer.Contacts {
		if one != nil {
			contacts = append(contacts, one.describe())
		}
	}
	return contacts, nil
}

var contactKinds = map[string]page.ContactKind{
	"phone": page.Phone, "sms": page.SMS, "push_notification": page.Push, "email": page.Mail,
}

func (c contact) describe() page.Contact {
	kind, known := contactKinds[strings.TrimSuffix(c.Type, "_contact_method")]
	if !known {
		kind = page.OtherContact
	}
	told := page.Contact{Kind: kind, Address: plain(c.Address, maxName), Enabled: !c.Blacklisted && (c.Enabled == nil || *c.Enabled)}
	switch {
	case kind == page.Push:
		told.Address = "" // a device's token means nothing to a person
	case c.CountryCode > 0 && told.Address != "":
		told.Address = fmt.Sprintf("+%d %s", c.CountryCode, told.Address)
	}
	return told
}

func (u user) person(me user) page.Person {
	return page.Person{ID: u.ID, Name: u.name(), Email: plain(u.Email, maxName), Zone: plain(u.Zone, maxName), Me: u.ID == me.ID}
}
