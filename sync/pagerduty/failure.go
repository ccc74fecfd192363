package pagerduty

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nightstand/sync/provider"
)

func invalid(sentence string) error {
	return &provider.Error{Kind: provider.Invalid, Sentence: sentence}
}

// meaning is what a failure means for the night: a list that was not read, or
// an answer that may not have arrived.
func meaning(method string) string {
	if method == http.MethodGet {
		return " Until this is mended, its pages cannot reach you here."
	}
	return " Your answer may not have arrived there."
}

// failure begins the sentence with the service's name.
func (c *client) failure(kind provider.Kind, what string, cause error) *provider.Error {
	name := "PagerDuty"
	if c.base.String() != unitedStates && c.base.String() != europe {
		name += " at " + plain(c.base.Host, 120)
	}
	return &provider.Error{Kind: kind, Sentence: name + " " + what, Cause: cause}
}

func (c *client) nonsense(what string) *provider.Error {
	return c.failure(provider.Broken, "sent an answer that makes no sense."+meaning(http.MethodGet)+
		" It is asked again by itself; check that nothing on the way alters its answers.", errors.New(what))
}

func (c *client) notTheAPI(method, what string, cause error) *provider.Error {
	return c.failure(provider.NotTheAPI, what+"."+meaning(method)+
		" Log in to the network if it has a login page, and check the account's address.", cause)
}

// gaveUp is for a question whose time was over before it could be asked.
func (c *client) gaveUp(cause error) *provider.Error {
	return c.failure(provider.Unreachable, "did not answer in time."+meaning(http.MethodGet)+" Check the network and the VPN.", cause)
}

// unreachable sorts what went wrong below HTTP.
func (c *client) unreachable(ctx context.Context, method string, err error) *provider.Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the wrapper quotes the address
	}
	var (
		authority x509.UnknownAuthorityError
		verify    *tls.CertificateVerificationError
		lookup    *net.DNSError
		dialling  *net.OpError
	)
	kind, what, advice := provider.Unreachable, "could not be reached", "Check the network, the VPN and the proxy."
	switch {
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		what = "did not answer in time"
	case errors.As(err, &authority):
		kind, what, advice = provider.Untrusted, "shows a certificate from an authority this machine does not know",
			"If your company looks into encrypted traffic, add its authority to the account; if not, somebody may be listening in."
	case errors.As(err, &verify):
		kind, what, advice = provider.Untrusted, "shows a certificate that cannot be trusted",
			"Check this machine's clock and the account's address; somebody may be listening in."
	case errors.As(err, &dialling) && dialling.Op == "proxyconnect":
		what, advice = "cannot be asked, because the proxy on the way does not answer", "Check the proxy's address and that the proxy is up."
	case errors.As(err, &lookup):
		what, advice = "cannot be found, because looking up its name failed", "Check the network and the VPN."
	case errors.Is(err, syscall.ECONNREFUSED):
		what, advice = "refuses connections", "A firewall may be in the way; check the account's address."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		what, advice = "broke off in the middle of an answer", "It is asked again by itself; check the network if this stays."
	}
	return c.failure(kind, what+"."+meaning(method)+" "+advice, err)
}

// statusError is an answer that is no success, for the log and for the few
// callers to whom it is not a failure.
type statusError struct {
	status, code int
	said         string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d, code %d: %s", e.status, e.code, e.said)
}

func codeOf(err error) int {
	var answer *statusError
	if errors.As(err, &answer) {
		return answer.code
	}
	return 0
}

func statusOf(err error) int {
	var answer *statusError
	if errors.As(err, &answer) {
		return answer.status
	}
	return 0
}

// notAUser explains why a key does not belong to a person.
func (c *client) notAUser(err error) error {
	if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusNotFound && status != http.StatusForbidden {
		return err
	}
	return c.failure(provider.Refused, "does not say whose key this is, so it is not the key of a person."+meaning(http.MethodGet)+
		" Create one in your own profile with “Create API User Token”, and add the account again with it.", err)
}

// refusal sorts the answers that are no success.
func (c *client) refusal(response *http.Response, body []byte) *provider.Error {
	var said complaint
	cause := &statusError{status: response.StatusCode}
	if isJSON(response.Header.Get("Content-Type")) && decode(body, &said) == nil {
		cause.code, cause.said = said.Error.Code, plain(said.words(), 200)
	}
	method := response.Request.Method
	fail := func(kind provider.Kind, what, advice string) *provider.Error {
		return c.failure(kind, what+"."+meaning(method)+" "+advice, cause)
	}
	switch status := response.StatusCode; {
	case status >= 300 && status < 400:
		return c.notTheAPI(method, "sends us on to another address, which is never followed, so that the key gets nowhere else", cause)
	case status == http.StatusUnauthorized:
		return fail(provider.Refused, "does not accept the API key", "It may have been deleted, or belong to the other region; create a new one and add the account again.")
	case status == http.StatusForbidden && method != http.MethodGet:
		return fail(provider.Refused, "does not let this key answer incidents", "Answer in PagerDuty itself now, and ask an administrator for a role that may answer.")
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return fail(provider.Refused, "does not let this key see that", "Ask an administrator of your PagerDuty account for the right to.")
	case status == http.StatusProxyAuthRequired:
		return fail(provider.Refused, "cannot be asked, because the proxy on the way wants a password", "Start the agent with HTTPS_PROXY set to the proxy's address with user and password.")
	case status == http.StatusTooManyRequests:
		failure := fail(provider.RateLimited, "is asked too often with this key and wants us to wait", "It is asked again by itself; if this stays, see what else uses the key.")
		failure.RetryAfter = retryAfter(response.Header)
		return failure
	case status == http.StatusNotFound && cause.said == "", status == http.StatusMethodNotAllowed, status == http.StatusGone:
		return c.notTheAPI(method, fmt.Sprintf("has nothing to show under this address (HTTP %d)", status), cause)
	case status == http.StatusNotFound:
		return fail(provider.Invalid, "does not know that, or does not let this key see it", "Look for it in PagerDuty itself.")
	case status >= 500, status == http.StatusRequestTimeout:
		failure := fail(provider.Broken, fmt.Sprintf("reports trouble of its own (HTTP %d)", status), "It is asked again by itself; its status page says more.")
		failure.RetryAfter = retryAfter(response.Header)
		return failure
	}
	why := cause.said
	if why == "" {
		why = "no reason given"
	}
	return fail(provider.Invalid, fmt.Sprintf("turned the request down (HTTP %d, %s)", response.StatusCode, strings.TrimRight(why, ".")), "Answer in PagerDuty itself.")
}

// words joins a complaint's message with its reasons, which are a text, a list
// or a table.
func (c complaint) words() string {
	words := c.Error.Message
	switch reasons := c.Error.Errors.(type) {
	case string:
		words += ": " + reasons
	case []any:
		for _, one := range reasons {
			words += fmt.Sprintf(": %v", one)
		}
	}
	return words
}

// retryAfter reads how long we are asked to wait; an hour at most.
func retryAfter(header http.Header) time.Duration {
	for _, name := range []string{"ratelimit-reset", "Retry-After"} {
		if seconds, err := strconv.Atoi(header.Get(name)); err == nil && seconds > 0 {
			return time.Duration(min(seconds, 3600)) * time.Second
		}
	}
	return 0
}
