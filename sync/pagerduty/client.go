package pagerduty

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// client carries requests to PagerDuty.
type client struct {
	*web.Client
	base  *url.URL
	keyed bool // there is a key to be shown
	aside bool // no page depends on what is asked
}

func newClient(base *url.URL, options Options) (*client, error) {
	shown, err := authorization(options.Secret)
	if err != nil {
		return nil, err
	}
	name := "PagerDuty"
	if base.String() != unitedStates && base.String() != europe {
		name += " at " + plain(base.Host, 120)
	}
	way, err := web.New(web.Options{
		Service: name, Base: base, Way: options.Way,
		Authorize: func(request *http.Request) {
			request.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", shown)
		},
		Explain: explain, WaitHeaders: []string{"ratelimit-reset"}, Now: options.Now,
		CredentialAdvice: "The API key may have been deleted, or belong to the other region; create a new one and add the account again.",
	})
	if err != nil {
		return nil, err
	}
	return &client{Client: way, base: base, keyed: shown != ""}, nil
}

// apiKey is the shape of PagerDuty's API keys; everything else is a token.
var apiKey = regexp.MustCompile(`^[A-Za-z0-9_+-]{20}$`)

func authorization(secret string) (string, error) {
	secret = strings.TrimSpace(secret)
	bare := secret
	for _, prefix := range []string{"Token token=", "Bearer "} {
		bare = strings.TrimPrefix(bare, prefix)
	}
	if strings.ContainsFunc(bare, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", web.Invalid("The API key contains a space or a letter that no key has. Copy it again from PagerDuty, from “Create API User Token” in your profile.")
	}
	switch {
	case bare == "":
		return "", nil
	case bare != secret:
		return secret, nil
	case apiKey.MatchString(bare):
		return "Token token=" + bare, nil
	}
	return "Bearer " + bare, nil
}

// asAside is the client for questions on which no page depends.
func (c *client) asAside() *client {
	aside := *c
	aside.aside = true
	return &aside
}

// get reads one resource and returns PagerDuty's clock at the answer, zero if
// it does not tell.
func (c *client) get(ctx context.Context, resource string, query url.Values, into any) (time.Time, error) {
	return c.ask(ctx, web.Request{Method: http.MethodGet, Path: resource, Query: query, Aside: c.aside}, into)
}

// change puts or posts a value in somebody's name.
func (c *client) change(ctx context.Context, method, resource, from string, value, into any) error {
	_, err := c.ask(ctx, web.Request{Method: method, Path: resource, Header: http.Header{"From": {from}}, Body: value}, into)
	return err
}

func (c *client) ask(ctx context.Context, r web.Request, into any) (time.Time, error) {
	if !c.keyed {
		return time.Time{}, c.Failure(provider.Refused, r, "wants an API key, and this account has none",
			"Create one in your PagerDuty profile with “Create API User Token” and add the account again.", nil)
	}
	answer, err := c.Do(ctx, r, &forgiving{into})
	if err != nil {
		return time.Time{}, err
	}
	return answer.At, nil
}

// every reads a list of several pieces to its end, or to the last place that
// can be asked for.
func every[T any](ctx context.Context, c *client, resource, name string, query url.Values) ([]*T, error) {
	var all []*T
	for offset := 0; offset+pieceSize <= lastPlace; offset += pieceSize {
		query.Set("limit", strconv.Itoa(pieceSize))
		query.Set("offset", strconv.Itoa(offset))
		piece := piece[T]{name: name}
		if _, err := c.get(ctx, resource, query, &piece); err != nil {
			return nil, err
		}
		if piece.entries == nil {
			return nil, c.nonsense("no list of " + name)
		}
		all = append(all, piece.entries...)
		if !piece.more {
			return all, nil
		}
	}
	return nil, c.failure(provider.Broken, "has more "+strings.ReplaceAll(name, "_", " ")+" than it lists", "", nil)
}

func (c *client) failure(kind provider.Kind, what, advice string, cause error) *provider.Error {
	return c.Failure(kind, web.Request{Method: http.MethodGet, Aside: c.aside}, what, advice, cause)
}

func (c *client) nonsense(what string) *provider.Error {
	return c.Nonsense(web.Request{Method: http.MethodGet, Aside: c.aside}, web.Senseless(what))
}

// gaveUp is for a question whose time was over before it could be asked.
func (c *client) gaveUp(cause error) *provider.Error {
	return c.failure(provider.Unreachable, "did not answer in time", "Check the network and the VPN.", cause)
}
