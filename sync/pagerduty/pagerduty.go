// Package pagerduty speaks to PagerDuty (REST API v2) as one of its users.
//
// A page is an incident assigned to that user. Everything is read as state,
// poll by poll. An incident is looked at afresh before it is acknowledged,
// because an acknowledgement that comes late would open it again.
package pagerduty

import (
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
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
	// User is the login e-mail address of the user. A key of a person's own
	// is only compared with it; a key of the whole account acts for this user.
	// Empty, or without an @, it says nothing.
	User string
	// Secret is the user's own API key, an OAuth token, or the account's key.
	Secret string
	// Way is how the network is crossed.
	Way web.Way
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
// provider.Provider; three requests at most are under way at once, one of them
// for polling, one for what is done and one for what is looked up.
type Provider struct {
	options Options
	client  *client
	log     *slog.Logger
	now     func() time.Time

	// A slow poll must not hold up an answer, nor a curious look either of
	// them, so each has a lane of its own.
	polling   provider.Lane
	answering provider.Lane
	looking   provider.Lane

	// What belongs to the polling lane alone.
	listed map[string]bool // the incidents of the last snapshot

	mutex      sync.Mutex
	user       user
	readOnly   bool // the key or its user may only look
	priorities priorities
	alerts     map[string]findings // incident → what its alerts told
	ladders    map[string]ladder   // escalation policy → who is on call for it
	confirmed  provider.Confirmed
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
	base, err := readAddress(options.URL)
	if err != nil {
		return nil, err
	}
	options.Severities, err = provider.ReadSeverities(options.Severities)
	if err != nil {
		return nil, err
	}
	client, err := newClient(base, options)
	if err != nil {
		return nil, err
	}
	return &Provider{
		options: options, client: client, log: options.Log, now: options.Now,
		polling: provider.NewLane(1), answering: provider.NewLane(1), looking: provider.NewLane(1),
		alerts: map[string]findings{}, ladders: map[string]ladder{},
	}, nil
}

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.Client.DropConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.DropConnections() }

// readAddress finds the API's base in what a person typed or pasted.
func readAddress(typed string) (*url.URL, error) {
	switch strings.ToLower(strings.TrimSpace(typed)) {
	case "", "us":
		typed = unitedStates
	case "eu":
		typed = europe
	}
	base, err := web.ReadBase("PagerDuty", typed, unitedStates+"; left empty it is PagerDuty in the United States, and eu stands for the European one")
	if err != nil {
		return nil, err
	}
	if host := strings.ToLower(base.Hostname()); strings.HasSuffix(host, ".pagerduty.com") {
		region := unitedStates
		if strings.HasSuffix(host, ".eu.pagerduty.com") {
			region = europe
		}
		return url.Parse(region)
	}
	return base, nil
}
