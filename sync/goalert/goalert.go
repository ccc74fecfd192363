// Package goalert speaks to GoAlert (GraphQL over HTTP), as one of its users
// or with an API key.
//
// A page is an alert that GoAlert has paged the user for, or one of a service
// for which the user is on call and whose escalation has come to the user's
// step. An API key is nobody: with it every open alert is a page. Everything
// is read as state, poll by poll.
package goalert

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// Options describe one account.
type Options struct {
	// Account is our name of the account; pages carry it.
	Account string
	// URL is the address of GoAlert's own pages, with a path if it has one.
	// Plain http is taken on this machine only.
	URL string
	// User is the name to log in with; an API key needs none.
	User string
	// Secret is the password, or a GraphQL API key made for KeyDocument.
	Secret string
	// Way is how the network is crossed.
	Way web.Way
	// Severities is the user's own table over the default one. It goes from the
	// value of an alert's or a service's “severity” or “priority”, or from any
	// of their labels written as name=value. Upper and lower case make no
	// difference.
	Severities map[string]page.Severity
	// Log receives what is worth knowing later; nil means nowhere.
	Log *slog.Logger
	// Now is the local clock; nil means time.Now.
	Now func() time.Time
}

// Provider is one account at GoAlert. It implements provider.Provider; three
// requests at most are under way at once, and GoAlert takes those of one
// session one after the other.
type Provider struct {
	options Options
	base    *url.URL
	client  *web.Client
	log     *slog.Logger
	now     func() time.Time
	key     apiKey

	// A slow poll must not hold up an answer, nor a long list of shifts either.
	polling   provider.Lane
	answering provider.Lane
	looking   provider.Lane

	// What belongs to the polling lane alone.
	listed map[string]bool // the alerts of the last snapshot

	signing provider.Lane // one login at a time

	mutex     sync.Mutex
	session   session
	wrong     error // the password was refused; it is not tried again by itself
	user      user
	duty      duty                // where the user is on call, as last told
	answers   map[string]answered // alert → who has acknowledged it
	taken     map[string]string   // alert → its state when our own request acknowledged it
	policies  map[string]policy   // service → how it escalates
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
	base, err := web.ReadBase("GoAlert", options.URL, "https://goalert.example.org")
	if err != nil {
		return nil, err
	}
	options.Severities, err = provider.ReadSeverities(options.Severities)
	if err != nil {
		return nil, err
	}
	key, err := readCredential(options)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		options: options, base: base, log: options.Log, now: options.Now, key: key,
		polling: provider.NewLane(1), answering: provider.NewLane(1), looking: provider.NewLane(1), signing: provider.NewLane(1),
		answers: map[string]answered{}, taken: map[string]string{}, policies: map[string]policy{},
	}
	advice := "Log in to GoAlert in the browser to see whether the user still may, and add the account again."
	if key.given() {
		advice = "It may have been deleted; ask an administrator of GoAlert for a new one and add the account again."
	}
	p.client, err = web.New(web.Options{
		Service: "GoAlert at " + plain(base.Host, maxName), Base: base, Way: options.Way,
		Explain: p.explain, CredentialAdvice: advice, Now: options.Now,
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Capabilities tells what a session can do, or an API key, which is bound to
// the operations of KeyDocument and belongs to nobody. GoAlert takes no
// acknowledgement back, and none runs out.
func (p *Provider) Capabilities() provider.Capabilities {
	if p.key.given() {
		return provider.Capabilities{Deeds: []provider.Deed{provider.Resolve}, Expires: p.key.expires}
	}
	return provider.Capabilities{AssignsPages: true, Deeds: []provider.Deed{provider.Resolve, provider.Escalate}}
}

// Test asks GoAlert who we are and what would ring now. A password that was
// refused is tried once more.
func (p *Provider) Test(ctx context.Context) (provider.Introduction, error) {
	p.mutex.Lock()
	p.wrong = nil
	p.mutex.Unlock()
	snapshot, err := p.Open(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	me, err := p.me(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	told := provider.Introduction{User: me.name(), Service: "GoAlert", Open: snapshot.Pages, Notes: p.notes(me), Lacks: p.lacks()}
	return told, nil
}

func (p *Provider) notes(me user) []string {
	const always = "GoAlert takes no acknowledgement back, and closing an alert is final. It keeps no notes: what you write when closing an alert stays here."
	if p.key.given() {
		notes := []string{"An API key belongs to nobody, so every open alert of this GoAlert is taken as yours and rings. Log in as a user to hear only your own."}
		if !p.key.expires.IsZero() {
			notes = append(notes, fmt.Sprintf("The key runs out on %s; then nothing reaches you here until the account has a new one.", p.key.expires.Format("2 January 2006 at 15:04 UTC")))
		}
		return append(notes, always)
	}
	notes := []string{fmt.Sprintf("You are logged in as %s. Alerts ring that GoAlert has paged this person for, and those of services for which this person is on call at the step they have come to; acknowledgements carry this name. Services that are only your favourites do not ring.", me.name())}
	p.mutex.Lock()
	services := len(p.duty)
	p.mutex.Unlock()
	if services == 0 {
		notes = append(notes, "GoAlert says that this person is on call for no service now. Check that it is the right person.")
	}
	return append(notes, always)
}

func (p *Provider) lacks() []string {
	if !p.key.given() {
		return nil
	}
	return []string{
		"With an API key, acknowledging and closing carry no name in GoAlert's log, so nobody there sees that it was you.",
		"With an API key, alerts cannot be escalated from here; a login with user name and password can do that.",
		"With an API key, GoAlert can say neither which alerts are yours nor how you are reached.",
	}
}

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.DropConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.client.DropConnections() }

// me is the user who is logged in; asked once, and told anew by every list. An
// API key is nobody.
func (p *Provider) me(ctx context.Context) (user, error) {
	if p.key.given() {
		return nobody, nil
	}
	p.mutex.Lock()
	known := p.user
	p.mutex.Unlock()
	if known.ID != "" {
		return known, nil
	}
	var answer struct {
		User user `json:"user"`
	}
	if _, err := p.ask(ctx, question{operation: "Me", document: documentMe}, &answer); err != nil {
		return user{}, err
	}
	if answer.User.ID == "" {
		return user{}, p.nonsense("a user without an ID")
	}
	p.know(answer.User)
	return answer.User, nil
}

func (p *Provider) know(me user) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.user = me
}

// gaveUp is for a question whose time was over before it could be asked.
func (p *Provider) gaveUp(cause error) error {
	return p.client.Failure(provider.Unreachable, web.Request{Asks: true}, "did not answer in time", "Check the network, the VPN and the service.", cause)
}
