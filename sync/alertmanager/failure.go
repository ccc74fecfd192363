package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// What a failure means for the night: a list that was not read, or an answer
// that may not have arrived.
const (
	unseen = " Until this is mended, its pages cannot reach you here."
	unsaid = " Your answer may not have arrived there."
)

func meaning(method string) string {
	if method == http.MethodGet {
		return unseen
	}
	return unsaid
}

// at names the server in sentences: its host and path, never a user name.
func (c *client) at() string {
	return "The Alertmanager at " + plain(c.base.Host+c.base.Path, 120)
}

func (c *client) failure(kind provider.Kind, sentence string, cause error) *provider.Error {
	return &provider.Error{Kind: kind, Sentence: sentence, Cause: cause}
}

func (c *client) broken(what string, cause error) *provider.Error {
	return c.failure(provider.Broken, c.at()+" "+what+"."+unseen, cause)
}

func (c *client) nonsense(cause error) *provider.Error {
	// The decoder's words can quote the answer, so only their kind is kept.
	return c.failure(provider.Broken, c.at()+" sent an answer that makes no sense."+unseen+
		" Check that nothing between here and the server alters its answers.", fmt.Errorf("undecodable answer: %T", cause))
}

func (c *client) tooLarge() *provider.Error {
	return c.failure(provider.Broken, c.at()+" sent an answer larger than 16 MB, which was not read."+unseen+
		" Narrow the account with a receiver or label filters.", nil)
}

func (c *client) notTheAPI(what string) *provider.Error {
	return c.failure(provider.NotTheAPI, "What listens at "+plain(c.base.Host+c.base.Path, 120)+" "+what+
		", so it does not seem to be an Alertmanager."+unseen+
		" The URL should look like http://alertmanager.example.org:9093, with the route prefix if there is one.", nil)
}

// gaveUp is for a question whose time was over before it could be asked.
func (c *client) gaveUp(cause error) *provider.Error {
	return c.failure(provider.Unreachable, c.at()+" did not answer in time."+unseen+
		" Check the network, the VPN and the server.", cause)
}

// unreachable says what went wrong below HTTP.
func (c *client) unreachable(ctx context.Context, method string, err error) *provider.Error {
	t, cause := web.Sort(ctx, err)
	return c.failure(t.Kind, c.at()+" "+t.What+"."+meaning(method)+" "+t.Advice, cause)
}

// statusError is an answer other than 200, for the log and for the few callers
// to whom such an answer is not a failure.
type statusError struct {
	status int
	said   string
}

func (e *statusError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.status, e.said) }

// noSuchSilence recognises the ways in which servers say that a silence to be
// ended or prolonged is not there: 404, and before 0.26 a 500 with words.
func noSuchSilence(err error) bool {
	var answer *statusError
	return errors.As(err, &answer) &&
		(answer.status == http.StatusNotFound || strings.Contains(answer.said, "silence not found"))
}

// refusal sorts the answers that are not 200.
func (c *client) refusal(response *http.Response, body []byte, using scheme) *provider.Error {
	said := errorWords(response.Header.Get("Content-Type"), body)
	cause := &statusError{response.StatusCode, said}
	method := response.Request.Method
	fail := func(kind provider.Kind, what, advice string) *provider.Error {
		return c.failure(kind, c.at()+" "+what+"."+meaning(method)+" "+advice, cause)
	}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized && (using == anonymous || c.secret == ""):
		return fail(provider.Refused, "asks for a password or token, and this account has none", "Add the account again with its password or token.")
	case status == http.StatusUnauthorized && using == bearer:
		return fail(provider.Refused, "does not accept the token", "It may have run out; add the account again with a new one.")
	case status == http.StatusUnauthorized:
		return fail(provider.Refused, "does not accept the user name or password", "Add the account again with the right ones.")
	case status == http.StatusForbidden:
		return fail(provider.Refused, "says that this account is not allowed to do that", "Ask whoever runs it for the right to read alerts and to make silences.")
	case status == http.StatusProxyAuthRequired:
		return fail(provider.Refused, "cannot be asked, because the proxy on the way wants a password", "Set the proxy account up in the environment of the agent: HTTPS_PROXY=http://user:password@proxy:port.")
	case status >= 300 && status < 400:
		return c.redirect(response, cause)
	case status == http.StatusBadRequest && strings.Contains(string(body), "HTTPS"):
		return fail(provider.NotTheAPI, "wants TLS on this port", "Write https:// instead of http:// in the URL.")
	case method != http.MethodGet && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		return fail(provider.Refused, fmt.Sprintf("does not let this account make or end silences (HTTP %d)", status), "Ask whoever runs it, or what stands in front of it, for the right to.")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone:
		failure := c.notTheAPI(fmt.Sprintf("has no alerts to show under this address (HTTP %d)", status))
		failure.Cause = cause
		return failure
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && strings.Contains(said, "concurrent"):
		failure := fail(provider.RateLimited, "is asked too much at once and wants us to wait", "It is asked again by itself; if this stays, see who else asks it so often.")
		failure.RetryAfter = web.RetryAfter(response.Header, c.serverNow())
		return failure
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return fail(provider.Broken, "does not answer the gateway in front of it", "Check that the server behind the gateway is up.")
	case status >= 500:
		failure := fail(provider.Broken, fmt.Sprintf("reports trouble of its own (HTTP %d)", status), "Its log says more; it is asked again by itself.")
		failure.RetryAfter = web.RetryAfter(response.Header, c.serverNow())
		return failure
	}
	if said == "" {
		said = "no reason given"
	}
	said = fmt.Sprintf("turned the request down (HTTP %d, %s)", response.StatusCode, strings.TrimRight(said, "."))
	if method == http.MethodGet {
		return fail(provider.Invalid, said, "Check the account's receiver and filters.")
	}
	return fail(provider.Invalid, said, "Answer the alert at its own page.")
}

func (c *client) redirect(response *http.Response, cause error) *provider.Error {
	target, err := response.Location()
	if err != nil {
		failure := c.notTheAPI("sends us on to nowhere")
		failure.Cause = cause
		return failure
	}
	if target.Hostname() == c.base.Hostname() && target.Scheme == "https" && c.base.Scheme == "http" {
		return c.failure(provider.NotTheAPI, c.at()+" sends us on to https on the same host, and redirects are never followed."+unseen+
			" Write https:// instead of http:// in the URL.", cause)
	}
	return c.failure(provider.NotTheAPI, c.at()+" sends us on to "+plain(target.Host, 120)+
		", which looks like a login page or the portal of a guest network; redirects are never followed, so that no password gets there."+unseen+
		" Log in to the network, or use a URL that answers without a login page.", cause)
}
