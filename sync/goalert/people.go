package goalert

import (
	"context"
	"slices"
	"strings"

	"nightstand/app/page"
)

// People returns everybody whom GoAlert knows, and the user with the ways to be
// reached; those of others it keeps to itself. Nobody can be given an alert
// here: the policy alone decides whom an escalation calls.
func (p *Provider) People(ctx context.Context) ([]page.Person, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return nil, p.gaveUp(err)
	}
	defer release()
	people, err := p.people(ctx)
	if err != nil || p.key.given() {
		return people, err
	}
	var answer struct {
		User user `json:"user"`
	}
	if _, err := p.ask(ctx, question{operation: "Contacts", document: documentContacts, aside: true}, &answer); err != nil {
		return nil, err
	}
	if answer.User.ID == "" {
		return nil, p.nonsense("a user without an ID")
	}
	at := slices.IndexFunc(people, func(one page.Person) bool { return one.ID == answer.User.ID })
	if at < 0 {
		people, at = append(people, answer.User.person()), len(people)
	}
	people[at].Me, people[at].Contacts = true, answer.User.contacts()
	return people, nil
}

func (p *Provider) people(ctx context.Context) ([]page.Person, error) {
	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	var people []page.Person
	everybody := question{operation: "People", document: operationPeople, aside: true}
	err = each(ctx, p, everybody, map[string]any{"first": peopleAtOnce}, func(one user) error {
		if one.ID == "" {
			return p.nonsense("somebody without an ID")
		}
		if !slices.ContainsFunc(people, func(known page.Person) bool { return known.ID == one.ID }) {
			person := one.person()
			person.Me = one.ID == me.ID
			people = append(people, person)
		}
		return nil
	})
	return people, err
}

func (u user) person() page.Person {
	return page.Person{ID: u.ID, Name: u.name(), Email: plain(u.Email, maxName)}
}

// contacts are the ways to reach the user. The address of a webhook often holds
// a secret, so it is not told.
func (u user) contacts() []page.Contact {
	var all []page.Contact
	for _, one := range u.Contacts {
		if one == nil {
			continue
		}
		got := page.Contact{Kind: page.OtherContact, Enabled: one.Disabled != nil && !*one.Disabled && (one.Pending == nil || !*one.Pending)}
		switch {
		case strings.Contains(one.To.Type, "sms"):
			got.Kind, got.Address = page.SMS, one.To.Args["phone_number"]
		case strings.Contains(one.To.Type, "voice"):
			got.Kind, got.Address = page.Phone, one.To.Args["phone_number"]
		case strings.Contains(one.To.Type, "email"):
			got.Kind, got.Address = page.Mail, one.To.Args["email_address"]
		}
		got.Address = plain(got.Address, maxName)
		all = append(all, got)
	}
	return all
}
