package alertmanager

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
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nightstand/sync/provider"
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

// unreachable sorts what went wrong below HTTP.
func (c *client) unreachable(ctx context.Context, method string, err error) *provider.Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the wrapper quotes the URL
	}
	fail := func(kind provider.Kind, what, advice string) *provider.Error {
		return c.failure(kind, c.at()+" "+what+"."+meaning(method)+" "+advice, err)
	}
	var (
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		lookup   *net.DNSError
		dialling *net.OpError
	)
	switch {
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return fail(provider.Unreachable, "did not answer in time", "Check the network, the VPN and the server.")
	case errors.As(err, &unknown):
		return fail(provider.Untrusted, "shows a certificate from an authority this machine does not know",
			"If that authority is your company's own, add it to the account with --ca; if not, somebody may be listening in.")
	case errors.As(err, &name):
		return fail(provider.Untrusted, "shows a certificate that was made out for another name",
			"Use the name that stands in the certificate, or have the certificate renewed with this one.")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail(provider.Untrusted, "shows a certificate that has expired or is not valid yet",
			"Have it renewed, and check that this machine's clock is right.")
	case errors.As(err, &invalid), errors.As(err, &verify):
		return fail(provider.Untrusted, "shows a certificate that cannot be trusted", "Ask whoever runs the server to check its certificate.")
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return fail(provider.NotTheAPI, "does not speak TLS on this port", "Write http:// instead of https:// in the URL, or use the port that has TLS.")
	case errors.As(err, &dialling) && dialling.Op == "proxyconnect":
		return fail(provider.Unreachable, "cannot be asked, because the proxy on the way does not answer", "Check the proxy's URL and that the proxy is up.")
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return fail(provider.Unreachable, "cannot be found: no such host is known", "Check the spelling of the URL, and whether the VPN must be up for this name.")
	case errors.As(err, &lookup):
		return fail(provider.Unreachable, "cannot be found, because looking up its name failed", "Check the network and the VPN.")
	case isErrno(err, syscall.ECONNREFUSED, 10061):
		return fail(provider.Unreachable, "refuses connections: it is not running, or a firewall is in the way", "Check that the server is up and that the URL names the right port.")
	case isErrno(err, syscall.ECONNRESET, 10054), isErrno(err, syscall.EPIPE, 10053), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "malformed HTTP status"):
		return fail(provider.Unreachable, "broke off in the middle of an answer", "Check the network and the server; it is asked again by itself.")
	case isErrno(err, syscall.ENETUNREACH, 10051), isErrno(err, syscall.EHOSTUNREACH, 10065):
		return fail(provider.Unreachable, "cannot be reached: there is no way to it from this network", "Check the network and the VPN.")
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return fail(provider.NotTheAPI, "does not answer in HTTP", "If it has TLS on this port, write https:// in the URL.")
	}
	return fail(provider.Unreachable, "could not be reached", "Check the network, the VPN and the server.")
}

// isErrno compares with an error of the operating system; Windows has numbers
// of its own for those of the network.
func isErrno(err error, unix, windows syscall.Errno) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	return number == unix || runtime.GOOS == "windows" && number == windows
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
		failure.RetryAfter = c.retryAfter(response)
		return failure
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return fail(provider.Broken, "does not answer the gateway in front of it", "Check that the server behind the gateway is up.")
	case status >= 500:
		failure := fail(provider.Broken, fmt.Sprintf("reports trouble of its own (HTTP %d)", status), "Its log says more; it is asked again by itself.")
		failure.RetryAfter = c.retryAfter(response)
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

// retryAfter reads how long we are asked to wait, in seconds or until a date.
func (c *client) retryAfter(response *http.Response) time.Duration {
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.serverNow()), 0), time.Hour)
	}
	return 0
}
