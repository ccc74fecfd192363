package jsm

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// user is somebody at the service. Jira, Atlassian's accounts and Opsgenie write
// the same things differently.
type user struct {
	JiraID           string `json:"accountId"`
	AtlassianID      string `json:"account_id"`
	OpsgenieID       string `json:"id"`
	DisplayName      string `json:"displayName"`
	Name             string `json:"name"`
	FullName         string `json:"fullName"`
	JiraAddress      string `json:"emailAddress"`
	AtlassianAddress string `json:"email"`
	OpsgenieAddress  string `json:"username"`
	TimeZone         string `json:"timeZone"`
}

func (u user) id() string { return cmp.Or(u.JiraID, u.AtlassianID, u.OpsgenieID) }
func (u user) address() string {
	return cmp.Or(u.JiraAddress, u.AtlassianAddress, u.OpsgenieAddress)
}

// userFrom is somebody whom a face names.
func userFrom(who page.Person) user {
	return user{JiraID: who.ID, JiraAddress: who.Email, DisplayName: who.Name}
}

// called is the name to call somebody by, empty where none is told.
func (u user) called() string {
	return page.Plain(cmp.Or(u.DisplayName, u.FullName, u.Name, u.address()), maxName)
}

// is says whether the service means this user, by whatever it calls people.
func (u user) is(told string) bool {
	return told != "" && (told == u.id() || strings.EqualFold(told, u.address()) || told == u.called())
}

// me is the user whose credential this is; asked once.
func (p *Provider) me(ctx context.Context) (user, error) {
	p.mutex.Lock()
	known := p.user
	p.mutex.Unlock()
	if known.address() != "" {
		return known, nil
	}
	told, err := p.ask(ctx)
	switch {
	case err != nil && p.dialect.signed && forbidden(err):
		// A key may do without the right to look at users, because an address
		// says who somebody is, too.
		told = user{}
	case web.StatusOf(err).Status == http.StatusForbidden:
		return user{}, p.client.Failure(provider.Refused, reading, "does not say whose API token this is", "Create a token with the scopes "+scopes+".", err)
	case err != nil:
		return user{}, err
	case !validID(told.id()):
		return user{}, p.nonsense("a user without an id")
	}
	if p.dialect.signed || told.address() == "" {
		told.JiraAddress = p.options.User
	}
	p.mutex.Lock()
	p.user = told
	p.mutex.Unlock()
	return told, nil
}

// ask asks whose credential this is, in all the places that could tell.
func (p *Provider) ask(ctx context.Context) (told user, err error) {
	for _, path := range p.dialect.whoAmI {
		body, _, failed := p.get(ctx, path, nil)
		if failed == nil {
			if decode(p.dialect.thing(body), &told) != nil {
				return user{}, p.nonsense("no user")
			}
			return told, nil
		}
		err = cmp.Or(err, failed) // the first place says best what is wrong
		if !forbidden(failed) && web.StatusOf(failed).Status != http.StatusUnauthorized {
			return user{}, failed
		}
	}
	return user{}, err
}

// forbidden says that an answer is there and not for us.
func forbidden(err error) bool {
	switch web.StatusOf(err).Status {
	case http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

func (p *Provider) forgetMe() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user = user{}
}

// directory are the people whose names were asked for; those without a name
// are there as well, so that they are not asked for all the time.
type directory map[string]entry

type entry struct {
	user
	asked time.Time
}

const (
	// Names are kept for so long, and asked for again so soon where there was
	// none.
	namesLast = 12 * time.Hour
	readAgain = 10 * time.Minute
	// A page must not wait for names any longer than this.
	namesWithin = 2 * time.Second
	// So many are asked for at once.
	namesAtOnce = 50
)

// accountID is the shape of the ids by which Atlassian knows people.
var accountID = regexp.MustCompile(`^(\w+:)?[0-9a-fA-F-]{24,}$`)

// readNames asks Jira who these people are, as far as that is not known.
// Opsgenie calls people by their addresses, which need no translation. An
// error means that they stay without names, and is for those who want to tell.
func (p *Provider) readNames(ctx context.Context, ids []string) error {
	var unknown []string
	now := p.now()
	p.mutex.Lock()
	for _, id := range ids {
		last := namesLast
		if p.names[id].called() == "" {
			last = readAgain
		}
		if accountID.MatchString(id) && now.Sub(p.names[id].asked) > last && !p.user.is(id) {
			p.names[id] = entry{p.names[id].user, now}
			unknown = append(unknown, id)
		}
	}
	p.mutex.Unlock()
	if p.dialect.jira == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	for len(unknown) > 0 {
		some := unknown[:min(len(unknown), namesAtOnce)]
		unknown = unknown[len(some):]
		body, _, err := p.get(ctx, p.dialect.jira+"/rest/api/3/user/bulk", url.Values{"accountId": some, "maxResults": {strconv.Itoa(namesAtOnce)}})
		if err != nil {
			p.log.Warn("the names of people could not be read", "account", p.options.Account, "error", err)
			return err
		}
		rows, _ := p.dialect.rows(body)
		var people []user
		if decode(rows, &people) != nil {
			return p.nonsense("no people")
		}
		p.mutex.Lock()
		for _, one := range people {
			p.names[one.id()] = entry{one, now}
		}
		p.mutex.Unlock()
	}
	return nil
}

// known is what the directory has on somebody, me included.
func (p *Provider) known(told string) user {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.user.is(told) {
		return p.user
	}
	return p.names[told].user
}

// name is what to call somebody whom the service writes like this; empty where
// only an id is known.
func (p *Provider) name(told string) string {
	if name := p.known(told).called(); name != "" {
		return name
	}
	if accountID.MatchString(told) {
		return ""
	}
	return page.Plain(told, maxName)
}

// somebody is name, or words in its place.
func (p *Provider) somebody(told string) string {
	return cmp.Or(p.name(told), "somebody whose name "+p.dialect.name+" does not tell")
}
