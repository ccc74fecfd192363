// Package pagerduty speaks to PagerDuty (REST API v2) as one of its users.
//
// A page is an incident assigned to that user. Everything is read as state,
// poll by poll. An incident is looked at afresh before it is acknowledged,
// because an acknowledgement that comes late would open it again.
package pagerduty

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// The two regions of PagerDuty.
const (
	unitedStates = "https://api.pagerduty.com"
	europe       = "https://api.eu.pagerduty.com"
)

// Options describe one account. Secret is required to ask anything.
type Options struct {
	// Account is our name of the account; pages carry it.
	Account string
	// URL is "us", "eu", an address of the API, or the address of the account's
	// web pages; empty means "us". Plain http is taken on this machine only.
	URL string
	// User is the login e-mail address the key should belong to; it is only
	// compared. Empty, or without an @, it is not.
	User string
	// Secret is the user's own API key, or an OAuth token.
	Secret string
	// CAFile names a PEM file whose authorities are trusted beside the system's.
	CAFile string
	// Proxy is a proxy's URL; empty means whatever the environment says.
	Proxy string
	// Severities is the user's own table over the default one, from a
	// priority's name, an alert's severity (critical, error, warning, info) or
	// an urgency (high, low). Upper and lower case make no difference.
	Severities map[string]page.Severity
	// Now is the local clock; nil means time.Now.
	Now func() time.Time
	// Log receives what is worth knowing later; nil means nowhere.
	Log *slog.Logger
}

// Provider is one user's account at PagerDuty. It implements
// provider.Provider; two requests at most are under way at once, one of them
// for polling and one for answers.
type Provider struct {
	options Options
	client  *client
	log     *slog.Logger
	now     func() time.Time

	// A slow poll must not hold up an answer, so each has a lane of its own.
	polling   lane
	answering lane

	// What belongs to the polling lane alone.
	listed map[string]bool // the incidents of the last snapshot

	mutex      sync.Mutex
	user       user
	priorities priorities
	alerts     map[string]findings // incident → what its alerts told
	ladders    map[string]ladder   // escalation policy → who is on call for it
	// requests counts what was changed upstream, and confirmed holds what came
	// of it, so that a list that was on its way meanwhile is not taken for the
	// state after it.
	requests  int
	confirmed map[string]confirmation
}

var (
	_ provider.Provider   = (*Provider)(nil)
	_ provider.Rememberer = (*Provider)(nil)
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
	base, err := readAddress(options.URL)
	if err != nil {
		return nil, err
	}
	options.Severities, err = readSeverities(options.Severities)
	if err != nil {
		return nil, err
	}
	client, err := newClient(base, options)
	if err != nil {
		return nil, err
	}
	return &Provider{
		options: options, client: client, log: options.Log, now: options.Now,
		polling: newLane(), answering: newLane(),
		alerts: map[string]findings{}, ladders: map[string]ladder{}, confirmed: map[string]confirmation{},
	}, nil
}

// Capabilities tells that pages are assigned to users here and that an
// acknowledgement cannot be taken back. How long one lasts is each service's
// own setting, so it stands on the pages.
func (p *Provider) Capabilities() provider.Capabilities {
	return provider.Capabilities{AssignsPages: true}
}

// Test asks PagerDuty whose key this is and what would ring now.
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
	return provider.Introduction{User: me.name(), Service: service, Open: snapshot.Pages, Notes: p.notes(ctx, me)}, nil
}

func (p *Provider) notes(ctx context.Context, me user) []string {
	notes := []string{fmt.Sprintf("The key belongs to %s (%s). Only incidents assigned to this person ring, and acknowledgements carry this name.", me.name(), plain(me.Email, 120))}
	if expected := strings.TrimSpace(p.options.User); strings.Contains(expected, "@") && !strings.EqualFold(expected, me.Email) {
		notes = append(notes, fmt.Sprintf("You gave %s as your address, but that is not the address of this key. Check that it is your own key.", plain(expected, 120)))
	}
	if me.Role == "read_only_user" || me.Role == "observer" || me.Role == "read_only_limited_user" {
		notes = append(notes, "This person may only look at PagerDuty, so acknowledging from here will be refused. Ask an administrator for another role.")
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

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.transport.CloseIdleConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.client.transport.CloseIdleConnections() }

// me is the user whose key this is; asked once.
func (p *Provider) me(ctx context.Context) (user, error) {
	p.mutex.Lock()
	known := p.user
	p.mutex.Unlock()
	if known.ID != "" {
		return known, nil
	}
	var answer struct {
		User user `json:"user"`
	}
	if _, err := p.client.get(ctx, "/users/me", nil, &answer); err != nil {
		return user{}, p.client.notAUser(err)
	}
	if !validID(answer.User.ID) || !strings.Contains(answer.User.Email, "@") || strings.ContainsAny(answer.User.Email, "\r\n") {
		return user{}, p.client.nonsense("a user without an ID or an e-mail address")
	}
	p.mutex.Lock()
	p.user = answer.User
	p.mutex.Unlock()
	return answer.User, nil
}

func (p *Provider) forgetUser() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user = user{}
}

// readAddress finds the API's base in what a person typed or pasted.
func readAddress(typed string) (*url.URL, error) {
	const example = " Leave it empty for PagerDuty in the United States, or write eu for the European one."
	typed = strings.TrimSpace(typed)
	switch strings.ToLower(typed) {
	case "", "us":
		typed = unitedStates
	case "eu":
		typed = europe
	}
	parsed, err := url.Parse(typed)
	if err != nil || parsed.Hostname() == "" {
		// The parser's words quote the text, which may hold a key.
		return nil, invalid("The address of PagerDuty cannot be read." + example)
	}
	if parsed.User != nil {
		return nil, invalid("The address of PagerDuty contains a user name or password, which would end up in the settings file. Leave it out; the key is asked for separately and kept in the keyring.")
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())) {
		return nil, invalid("The address of PagerDuty must start with https://, because the key must not travel without encryption." + example)
	}
	host := strings.ToLower(parsed.Hostname())
	if strings.HasSuffix(host, ".pagerduty.com") {
		region := unitedStates
		if strings.HasSuffix(host, ".eu.pagerduty.com") {
			region = europe
		}
		return url.Parse(region)
	}
	return &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: strings.TrimRight(parsed.Path, "/")}, nil
}

func readSeverities(table map[string]page.Severity) (map[string]page.Severity, error) {
	lower := make(map[string]page.Severity, len(table))
	for name, severity := range table {
		if !slices.Contains(page.Severities(), severity) {
			return nil, invalid(fmt.Sprintf("The severity table gives %q for %q. It must be one of critical, degraded, minor, hidden and other.",
				plain(string(severity), 40), plain(name, 40)))
		}
		lower[strings.ToLower(strings.TrimSpace(name))] = severity
	}
	return lower, nil
}

// lane lets one request through at a time and gives up with its context.
type lane chan struct{}

func newLane() lane { return make(lane, 1) }

func (l lane) enter(ctx context.Context) (release func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
