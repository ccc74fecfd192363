// Package alertmanager speaks to a Prometheus Alertmanager (API v2).
//
// An Alertmanager knows no users, no assignment and no acknowledgement: it
// lists what fires now and keeps silences. Here a page is one firing of one
// alert, and its acknowledgement is a silence whose comment names exactly that
// firing. Everything is read as state, poll by poll; nothing is remembered
// that the server does not say again.
package alertmanager

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// DefaultAckLasts is how long an acknowledgement's silence holds unless the
// user chose otherwise.
const DefaultAckLasts = 30 * time.Minute

// Options describe one account. Only URL and a user name are required; the
// name may come from User or from the URL.
type Options struct {
	// Account is our name of the account; pages carry it.
	Account string
	// URL is the server as the user typed it. A slash at the end, a route
	// prefix, "/api/v2" and the "/#/alerts" of a browser's address bar are
	// tolerated, and a user name in it is the one for basic authentication.
	URL string
	// User is the name that acknowledgements carry, and the name for basic
	// authentication when the URL has none.
	User string
	// Secret is the password or bearer token; empty where none is needed.
	Secret string
	// Auth is "basic", "bearer", or empty to find out what the server asks.
	Auth string
	// Way is how the network is crossed.
	Way web.Way
	// Receiver is the anchored expression of the receivers that are mine.
	Receiver string
	// Filters are label conditions such as team="db"; all of them must hold.
	// With Receiver and Filters both empty everything listed is mine.
	Filters []string
	// Heartbeats are names of alerts that must always fire and never ring;
	// nil means Watchdog, an empty list means none.
	Heartbeats []string
	// Severities is the user's own table from a label's value, over the
	// default one. Upper and lower case make no difference.
	Severities map[string]page.Severity
	// SeverityLabel is the label that is looked up; empty means "severity".
	SeverityLabel string
	// AckLasts is how long an acknowledgement holds; zero means DefaultAckLasts.
	AckLasts time.Duration
	// Now is the local clock; nil means time.Now.
	Now func() time.Time
	// Log receives what is worth knowing later; nil means nowhere.
	Log *slog.Logger
}

// Provider is one account at one Alertmanager. It implements
// provider.Provider and provider.Batcher; one request at most is under way for
// polling, one for a description, and one for answers or the few silences of a
// batch.
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
	body          bodyBuffer
	decoded       *listing
	heartbeatRead time.Time
	tidied        map[string]time.Time // silence of ours → when its firing was last looked for

	mutex      sync.Mutex
	current    *listing // the list of the last snapshot that succeeded
	server     instance
	serverRead time.Time
	silences   silenceBook
	early      earlyList
	// requests counts the silences asked for and ended, and confirmed holds
	// what came of them, so that a list that was on its way meanwhile is not
	// taken for the state after them.
	requests  int
	confirmed map[string]confirmation
}

var (
	_ provider.Provider  = (*Provider)(nil)
	_ provider.Batcher   = (*Provider)(nil)
	_ provider.Doer      = (*Provider)(nil)
	_ provider.Describer = (*Provider)(nil)
)

// New checks the options and prepares the account; it sends nothing yet. Its
// errors are *provider.Error of kind Invalid.
func New(options Options) (*Provider, error) {
	if options.Heartbeats == nil {
		options.Heartbeats = []string{"Watchdog"}
	}
	if options.SeverityLabel == "" {
		options.SeverityLabel = "severity"
	}
	if options.AckLasts == 0 {
		options.AckLasts = DefaultAckLasts
	}
	if options.AckLasts < 0 {
		return nil, web.Invalid("An acknowledgement cannot last a negative time. Set how long it holds to 30m, for example.")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	base, login, err := readAddress(options.URL)
	if err != nil {
		return nil, err
	}
	options.User = page.Plain(options.User, 100)
	if options.User == "" {
		options.User = page.Plain(login, 100)
	}
	if options.User == "" {
		return nil, web.Invalid("An acknowledgement at an Alertmanager carries a name, and there are no users to take it from. Say who you are with --user.")
	}
	if login == "" {
		login = options.User
	}
	options.Severities, err = provider.ReadSeverities(options.Severities)
	if err != nil {
		return nil, err
	}
	client, err := newClient(base, login, options)
	if err != nil {
		return nil, err
	}
	return &Provider{
		options:   options,
		client:    client,
		log:       options.Log,
		now:       options.Now,
		polling:   provider.NewLane(1),
		answering: provider.NewLane(1),
		looking:   provider.NewLane(1),
		tidied:    map[string]time.Time{},
		confirmed: map[string]confirmation{},
	}, nil
}

// Capabilities tells that an acknowledgement can be taken back and runs out,
// that it can be made to last, and that nobody is assigned here.
func (p *Provider) Capabilities() provider.Capabilities {
	return provider.Capabilities{
		Unacknowledge: true, AckLasts: p.options.AckLasts,
		Deeds: []provider.Deed{provider.Snooze}, LongestSnooze: LongestSnooze,
	}
}

// Test asks the server for its version, its receivers and what would ring now,
// and says what the user should know about this account.
func (p *Provider) Test(ctx context.Context) (provider.Introduction, error) {
	release, err := p.polling.Enter(ctx)
	if err != nil {
		return provider.Introduction{}, p.client.gaveUp(err)
	}
	defer release()

	status, err := p.readStatus(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	receivers, err := p.receivers(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	// The heartbeat has to be looked for, whenever it was last read.
	p.heartbeatRead = time.Time{}
	snapshot, _, err := p.read(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	return provider.Introduction{
		User:      p.options.User,
		Service:   strings.TrimSpace("Alertmanager " + plain(status.VersionInfo.Version, 40)),
		Receivers: receivers,
		Open:      snapshot.Pages,
		Notes:     p.notes(receivers, snapshot.Heartbeat),
	}, nil
}

// DropConnections closes idle connections, so that the next request does not
// go into one that died with the network or in the machine's sleep.
func (p *Provider) DropConnections() { p.client.dropConnections() }

// Close lets go of connections. No method is called after it.
func (p *Provider) Close() { p.client.dropConnections() }

func (p *Provider) everything() bool {
	return p.options.Receiver == "" && len(p.options.Filters) == 0
}

func (p *Provider) receivers(ctx context.Context) ([]string, error) {
	var listed []struct {
		Name string `json:"name"`
	}
	if _, err := p.client.get(ctx, "receivers", nil, &listed); err != nil {
		return nil, err
	}
	var names []string
	for _, receiver := range listed {
		if name := plain(receiver.Name, page.MaxTitle); name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

func (p *Provider) notes(receivers []string, heartbeat provider.Heartbeat) []string {
	var notes []string
	if p.everything() {
		notes = append(notes, "Everything this Alertmanager lists is taken as yours. Choose a receiver or label filters if some of it belongs to other people.")
	}
	if p.options.Receiver != "" && !anyMatches(p.options.Receiver, receivers) {
		notes = append(notes, "No receiver of this Alertmanager matches the one you chose, so no page of this account would ever ring. Check its spelling.")
	}
	if heartbeat == provider.HeartbeatMissing {
		notes = append(notes, "No heartbeat alert ("+plain(strings.Join(p.options.Heartbeats, ", "), page.MaxTitle)+
			") is firing, so Nightstand cannot notice when Prometheus goes quiet. An alert that always fires would make that visible.")
	}
	switch used := p.client.credentialUsed(); {
	case !used && p.options.Secret != "":
		notes = append(notes, "This Alertmanager asks for no password, so yours is not sent. Anybody who reaches it can silence its alerts.")
	case !used:
		notes = append(notes, "This Alertmanager asks for no password: anybody who reaches it can silence its alerts.")
	case p.client.base.Scheme == "http" && !web.Loopback(p.client.base.Hostname()):
		notes = append(notes, "Your password travels to this Alertmanager without encryption. Use https:// if the server offers it.")
	}
	return notes
}

func anyMatches(expression string, names []string) bool {
	matching, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return false
	}
	for _, name := range names {
		if matching.MatchString(name) {
			return true
		}
	}
	return false
}

// readAddress makes the server's base out of what a person typed or pasted,
// and returns the user name that stood in it.
func readAddress(typed string) (base *url.URL, login string, err error) {
	const example = " It should look like http://alertmanager.example.org:9093 or https://example.org/alertmanager."
	parsed, parseErr := url.Parse(strings.TrimSpace(typed))
	if parseErr != nil {
		// The parser's words quote the text, which may hold a password.
		return nil, "", web.Invalid("The URL of the Alertmanager cannot be read." + example)
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, "", web.Invalid("The URL of the Alertmanager must start with http:// or https://." + example)
	}
	if parsed.Hostname() == "" {
		return nil, "", web.Invalid("The URL of the Alertmanager names no server." + example)
	}
	if _, given := parsed.User.Password(); given {
		return nil, "", web.Invalid("The URL of the Alertmanager contains a password, which would end up in the settings file. Leave it out of the URL; it is asked for separately and kept in the keyring.")
	}
	path := parsed.Path
	if at := strings.LastIndex(path+"/", "/api/v"); at >= 0 {
		path = path[:at]
	}
	return &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: strings.TrimRight(path, "/")}, parsed.User.Username(), nil
}
