// Package jsm speaks to Jira Service Management Operations as one of its
// users, and to Opsgenie, of which it is the successor.
//
// A page is an alert that names this user as its owner or as a responder.
// Everything is read as state, poll by poll. Both services only take a change
// in and carry it out later, so every change is followed until it shows.
package jsm

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// Options describe one account. User and Secret are required.
type Options struct {
	// Account is our name of the account; pages carry it.
	Account string
	// Dialect says which of the two services it is; empty means JSM.
	Dialect Dialect
	// URL is, for JSM, the cloud id of the site or the address of its API with
	// the cloud id in it; for Opsgenie "us", "eu", an address of the API or of
	// the account's web pages, and empty means "us". Plain http is taken on
	// this machine only.
	URL string
	// User is the e-mail address of the Atlassian account, or the user name at
	// Opsgenie, which is an e-mail address too.
	User string
	// Secret is an Atlassian API token, or the key of an Opsgenie API integration.
	Secret string
	Way    web.Way
	// Query is the user's own search for what is theirs, in the service's
	// search syntax; empty means open alerts that name the user as owner or
	// responder.
	Query string
	// Severities is the user's own table over the default one, from a
	// priority (P1 to P5). Upper and lower case make no difference.
	Severities map[string]page.Severity
	// Log receives what is worth knowing later; nil means nowhere.
	Log *slog.Logger
	// Now is the local clock; nil means time.Now.
	Now func() time.Time
}

// Provider is one user's account. It may be used from several goroutines.
type Provider struct {
	options Options
	dialect dialect
	client  *web.Client
	log     *slog.Logger
	now     func() time.Time

	// A slow poll must not hold up an answer, nor what somebody looks up, so
	// each has a lane of its own.
	polling   provider.Lane
	answering provider.Lane
	asking    provider.Lane

	// What belongs to the polling lane alone.
	listed map[string]bool // the alerts of the last snapshot

	mutex     sync.Mutex
	user      user
	names     directory
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
// errors are *provider.Error of the kind Invalid.
func New(options Options) (*Provider, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	spoken, base, err := readAddress(options)
	if err != nil {
		return nil, err
	}
	authorize, err := readCredential(spoken, options.User, options.Secret)
	if err != nil {
		return nil, err
	}
	options.User = strings.TrimSpace(options.User)
	options.Query = strings.TrimSpace(options.Query)
	if options.Severities, err = provider.ReadSeverities(options.Severities); err != nil {
		return nil, err
	}
	client, err := web.New(web.Options{
		Service: spoken.name, Base: base, Way: options.Way, Authorize: authorize, Explain: spoken.explain,
		WaitHeaders: []string{"X-RateLimit-Period-In-Sec"}, CredentialAdvice: spoken.credentialAdvice, Now: options.Now,
	})
	if err != nil {
		return nil, err
	}
	return &Provider{
		options: options, dialect: spoken, client: client, log: options.Log, now: options.Now,
		polling: provider.NewLane(1), answering: provider.NewLane(4), asking: provider.NewLane(2),
		names: directory{},
	}, nil
}

// leastPause is how far apart two readings should be: the limit belongs to the
// whole company, and how wide it is, nobody tells.
const leastPause = 10 * time.Second

// Capabilities tells that pages are assigned to users here, and that an
// acknowledgement holds until somebody takes it back. Both dialects can do the
// same.
func (p *Provider) Capabilities() provider.Capabilities {
	return provider.Capabilities{Unacknowledge: true, AssignsPages: true, Deeds: provider.Deeds(), LeastPause: leastPause}
}

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.DropConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.client.DropConnections() }

func (p *Provider) enter(ctx context.Context, l provider.Lane) (leave func(), err error) {
	leave, err = l.Enter(ctx)
	if err != nil {
		return nil, p.gaveUp(ctx)
	}
	return leave, nil
}
