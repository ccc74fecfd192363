package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// LongestSnooze is PagerDuty's own bound.
const LongestSnooze = 7 * 24 * time.Hour

// Capabilities tells that pages are assigned to users here and that an
// acknowledgement cannot be taken back. How long one lasts is each service's
// own setting, so it stands on the pages. Nothing can be done with a key that
// may only look, once that is known.
func (p *Provider) Capabilities() provider.Capabilities {
	able := provider.Capabilities{AssignsPages: true, LongestSnooze: LongestSnooze, Deeds: provider.Deeds()}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.readOnly {
		able.Deeds, able.LongestSnooze = nil, 0
	}
	return able
}

// Test asks PagerDuty whose key this is, what it may do, and what would ring now.
func (p *Provider) Test(ctx context.Context) (provider.Introduction, error) {
	p.forgetUser()
	snapshot, err := p.Open(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	me, err := p.me(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	service := "PagerDuty"
	if p.client.base.String() == europe {
		service = "PagerDuty (EU)"
	}
	lacks, err := p.lacks(ctx, me)
	if err != nil {
		return provider.Introduction{}, err
	}
	return provider.Introduction{User: me.name(), Service: service, Open: snapshot.Pages, Notes: p.notes(ctx, me), Lacks: lacks}, nil
}

func (p *Provider) notes(ctx context.Context, me user) []string {
	notes := []string{fmt.Sprintf("The key belongs to %s (%s). Only incidents assigned to this person ring, and acknowledgements carry this name.", me.name(), plain(me.Email, 120))}
	if me.byAccount {
		notes[0] = fmt.Sprintf("The key belongs to the whole account and acts for %s (%s) here. Only incidents assigned to this person ring, and acknowledgements carry this name. A key of your own would do less harm if it were lost.", me.name(), plain(me.Email, 120))
	}
	if expected := p.expected(); expected != "" && !strings.EqualFold(expected, me.Email) {
		notes = append(notes, fmt.Sprintf("You gave %s as your address, but that is not the address of this key. Check that it is your own key.", plain(expected, 120)))
	}
	known := p.knownPriorities(ctx, true)
	if !known.read {
		notes = append(notes, "PagerDuty did not tell this account's priorities. Pages are sorted by the severity of their alerts and by their urgency instead.")
	}
	var unmapped []string
	for rank, one := range known.order {
		if _, own := p.options.Severities[strings.ToLower(one.name)]; !own && rank >= len(byRank) {
			unmapped = append(unmapped, one.name)
		}
	}
	if len(unmapped) > 0 {
		notes = append(notes, "Pages with the priority "+strings.Join(unmapped, ", ")+" ring like those that customers notice, because nothing says how bad they are. Give them a severity in the account's table if they should not.")
	}
	return append(notes, "An acknowledgement cannot be taken back at PagerDuty; bring in the secondary instead.")
}

// lacks says what this key may not do. What a person's role allows is known
// from the role; whether the account's key may write shows only in an order
// that changes nothing, since no incident is named in it.
func (p *Provider) lacks(ctx context.Context, me user) ([]string, error) {
	switch {
	case me.mayOnlyLook():
		p.setReadOnly(true)
		return []string{"This person may only look at PagerDuty, so acknowledging and everything else from here will be refused. Ask an administrator for another role."}, nil
	case me.Role == "observer" || me.Role == "restricted_access":
		p.setReadOnly(false)
		return []string{"This person's role may only look, except where a team gives it more, so acknowledging from here may be refused. Ask an administrator for another role if it is."}, nil
	case !me.byAccount:
		p.setReadOnly(false)
		return nil, nil
	}
	nothing := map[string]any{"incidents": []any{}}
	err := p.client.change(ctx, http.MethodPut, "/incidents", me.Email, nothing, &struct{}{})
	switch kind := provider.KindOf(err); {
	case err == nil, kind == provider.Invalid:
		p.setReadOnly(false)
		return nil, nil
	case kind == provider.Refused:
		p.setReadOnly(true)
		return []string{"This key of the account may only read, so acknowledging and everything else from here will be refused. Use a key of your own, from “Create API User Token” in your PagerDuty profile."}, nil
	}
	return nil, err
}

func (p *Provider) setReadOnly(may bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.readOnly = may
}

// expected is the address that the user gave, empty where it is none.
func (p *Provider) expected() string {
	if given := strings.TrimSpace(p.options.User); strings.Contains(given, "@") {
		return given
	}
	return ""
}

// me is the user whose key this is, or for whom the account's key acts; asked once.
func (p *Provider) me(ctx context.Context) (user, error) {
	p.mutex.Lock()
	known := p.user
	p.mutex.Unlock()
	if known.ID != "" {
		return known, nil
	}
	found, err := p.askMe(ctx)
	if err != nil {
		return user{}, err
	}
	if !validID(found.ID) || !strings.Contains(found.Email, "@") || strings.ContainsAny(found.Email, "\r\n") {
		return user{}, p.client.nonsense("a user without an ID or an e-mail address")
	}
	p.mutex.Lock()
	p.user = found
	p.mutex.Unlock()
	return found, nil
}

func (p *Provider) forgetUser() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user = user{}
}

func (p *Provider) askMe(ctx context.Context) (user, error) {
	var answer struct {
		User user `json:"user"`
	}
	_, err := p.client.get(ctx, "/users/me", nil, &answer)
	nobodys := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusForbidden}
	switch {
	case err == nil:
		return answer.User, nil
	case !slices.Contains(nobodys, web.StatusOf(err).Status):
		return user{}, err
	case p.expected() == "":
		return user{}, p.client.failure(provider.Refused, "does not say whose key this is, so it is not the key of a person",
			"Create one in your own profile with “Create API User Token” and add the account again with it; or, if it is the account's key, give your login e-mail address with --user.", err)
	}
	people, listErr := every[user](ctx, p.client, "/users", "users", url.Values{"query": {p.expected()}})
	if listErr != nil {
		return user{}, listErr
	}
	for _, one := range people {
		if one != nil && strings.EqualFold(one.Email, p.expected()) {
			one.byAccount = true
			return *one, nil
		}
	}
	return user{}, p.client.failure(provider.Refused, "knows nobody with the e-mail address "+plain(p.expected(), 120)+", for whom this account's key could act",
		"Give the address that you log in with.", err)
}
