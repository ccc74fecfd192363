// Package grafana speaks to Grafana OnCall (part of Grafana Cloud IRM) through
// its public HTTP API, as one of its users.
//
// A page is an alert group. The service assigns groups to teams and not to
// people, so what is mine is worked out here: the groups of my teams, and those
// whose route pages me now. Everything is read as state, poll by poll, and a
// group is looked at afresh before anything is done to it.
package grafana

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// Options describe one account. Secret is required to ask anything.
type Options struct {
	// Account is our name of the account; pages carry it.
	Account string
	// URL is the address of the API as Grafana shows it under “Admin & API”, with
	// or without /api/v1. Plain http is taken on this machine only.
	URL string
	// User is the login or e-mail address the key should belong to; it is only
	// compared. With a service account's token it is the address of the Grafana
	// stack, which the service wants to be told then.
	User string
	// Secret is the user's own OnCall API key, or the token of a service account
	// (glsa_…), which may only look.
	Secret string
	Way    web.Way
	// Teams are the names or identities of the teams whose groups are mine;
	// NoTeam stands for what belongs to none. Empty leaves it to the service: my
	// own teams, and whatever pages me now.
	Teams []string
	// Severities is the user's own table over the default one, from the value of
	// the severity label. Upper and lower case make no difference.
	Severities map[string]page.Severity
	// SeverityLabel is the label that tells how bad it is; empty means "severity".
	SeverityLabel string
	// Log receives what is worth knowing later; nil means nowhere.
	Log *slog.Logger
	// Now is the local clock; nil means time.Now.
	Now func() time.Time
}

// Provider is one account at Grafana OnCall. It implements provider.Provider
// and everything that is optional about it but provider.Batcher.
type Provider struct {
	options    Options
	client     *web.Client
	log        *slog.Logger
	now        func() time.Time
	credential credential

	// A slow poll must not hold up an answer, nor a long roster either, so each
	// has a lane of its own.
	polling, answering, looking provider.Lane

	// What belongs to the polling lane alone.
	listed map[string]bool // the groups of the last snapshot

	mutex     sync.Mutex
	user      user
	setup     setup
	people    map[string]user
	snoozes   map[string]snooze
	requests  int // how many requests the last list took
	confirmed provider.Confirmed
}

var (
	_ provider.Provider   = (*Provider)(nil)
	_ provider.Rememberer = (*Provider)(nil)
	_ provider.Doer       = (*Provider)(nil)
	_ provider.Describer  = (*Provider)(nil)
	_ provider.Roster     = (*Provider)(nil)
)

// New checks the options and prepares the account; it sends nothing yet. Its
// errors are *provider.Error of kind Invalid.
func New(options Options) (*Provider, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.SeverityLabel = strings.TrimSpace(options.SeverityLabel); options.SeverityLabel == "" {
		options.SeverityLabel = "severity"
	}
	base, err := readAddress(options.URL)
	if err != nil {
		return nil, err
	}
	shown, err := readCredential(options.Secret, options.User)
	if err != nil {
		return nil, err
	}
	options.Severities, err = provider.ReadSeverities(options.Severities)
	if err != nil {
		return nil, err
	}
	client, err := web.New(web.Options{
		Service: "Grafana OnCall at " + plain(base.Host, maxName), Base: base, Way: options.Way, Now: options.Now,
		Authorize: shown.authorize, Explain: explain, WaitHeaders: []string{"RateLimit-Reset"},
		CredentialAdvice: credentialAdvice,
	})
	if err != nil {
		return nil, err
	}
	return &Provider{
		options: options, client: client, log: options.Log, now: options.Now, credential: shown,
		polling: provider.NewLane(1), answering: provider.NewLane(1), looking: provider.NewLane(1),
		people: map[string]user{}, snoozes: map[string]snooze{},
	}, nil
}

// readAddress finds the API's base in what a person pasted.
func readAddress(typed string) (*url.URL, error) {
	const example = "https://oncall-prod-us-central-0.grafana.net/oncall, as Grafana shows it under “Admin & API” in the settings of IRM"
	base, err := web.ReadBase("Grafana OnCall", typed, example)
	if err != nil {
		return nil, err
	}
	base.Path = strings.TrimRight(strings.TrimSuffix(base.Path, "/api/v1"), "/")
	if base.Path == "" && strings.HasSuffix(strings.ToLower(base.Hostname()), ".grafana.net") {
		return nil, web.Invalid("This is the address of your Grafana, not that of the OnCall API, which has a host of its own. It looks like " + example + ".")
	}
	return base, nil
}

// The service lets a key ask this often (grafana.com, “API rate limits”). A
// quarter of it is ours, and a list is not read oftener than every 20 seconds.
const (
	allowance   = 300
	allowedIn   = 5 * time.Minute
	ourPart     = 4
	shortestGap = 20 * time.Second
)

// Capabilities tells that pages are assigned to nobody here, what this
// credential can do, and how far apart readings must be, by what the last one
// cost. Acknowledgements may run out at the service, which does not tell when.
func (p *Provider) Capabilities() provider.Capabilities {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	able := provider.Capabilities{
		Unacknowledge: true,
		Deeds:         []provider.Deed{provider.Resolve, provider.Snooze, provider.Escalate, provider.Note},
		LeastPause:    max(shortestGap, time.Duration(p.requests)*ourPart*allowedIn/allowance),
	}
	if p.credential.onlyLooks() {
		able.Unacknowledge, able.Deeds = false, []provider.Deed{provider.Note}
	}
	return able
}

// Test asks Grafana whose key this is, what can be chosen as mine, and what
// would ring now.
func (p *Provider) Test(ctx context.Context) (provider.Introduction, error) {
	p.forget()
	snapshot, err := p.Open(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	me, err := p.me(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	known := p.knownSetup()
	told := provider.Introduction{User: me.name(), Service: "Grafana OnCall", Receivers: known.receivers(), Open: snapshot.Pages}
	told.Notes = append(p.whose(me), p.mineInWords(known, me)...)
	if p.credential.onlyLooks() {
		told.Lacks = []string{"A service account may look and leave notes, but not acknowledge, resolve, silence or page anybody. Use your own OnCall API key if you want to answer from here."}
	} else if me.onlyLooks() {
		told.Lacks = []string{"This user may only look at Grafana OnCall, so answering from here will be refused. Ask an administrator for a role that may edit alert groups."}
	}
	return told, nil
}

// whose says in whose name answers are given.
func (p *Provider) whose(me user) []string {
	if p.credential.onlyLooks() {
		return nil
	}
	notes := []string{fmt.Sprintf("The key belongs to %s, and acknowledgements carry this name.", me.fullName())}
	if expected := strings.TrimSpace(p.options.User); expected != "" && !me.answersTo(expected) {
		notes = append(notes, fmt.Sprintf("You gave %s as your name there, but this key belongs to somebody else. Check that it is your own key.", plain(expected, maxName)))
	}
	return append(notes, "Grafana may take an acknowledgement back by itself after some hours and does not tell when; the page rings again then.")
}

// me is the user whose key this is; asked once.
func (p *Provider) me(ctx context.Context) (user, error) {
	if p.credential.onlyLooks() {
		return user{Username: "a service account"}, nil
	}
	p.mutex.Lock()
	known := p.user
	p.mutex.Unlock()
	if known.ID != "" {
		return known, nil
	}
	request := get("/users/current/", nil)
	var found user
	if _, err := p.ask(ctx, request, &found); err != nil {
		return user{}, err
	}
	if !validID(found.ID) {
		return user{}, p.nonsense(request, "a user without an identity")
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user, p.people[found.ID] = found, found
	return found, nil
}

// forget lets the next question be asked afresh.
func (p *Provider) forget() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user, p.setup = user{}, setup{}
}

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.DropConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.client.DropConnections() }

// get is a question.
func get(path string, query url.Values) web.Request {
	return web.Request{Method: http.MethodGet, Path: "/api/v1" + path, Query: query}
}

// post is an order.
func post(path string, body any) web.Request {
	return web.Request{Method: http.MethodPost, Path: "/api/v1" + path, Body: body}
}
