package web

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

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Said is what a service's own error says.
type Said struct {
	// Code is the service's own, when it has codes.
	Code string
	// Words are its message, for the sentence; they are cut and cleaned.
	Words string
	// Kind overrides what the status alone means; empty leaves it.
	Kind provider.Kind
	// Sentence, if not empty, is said instead of anything made from Words.
	Sentence string
}

// StatusError is an answer that is no success: for the log, and for the few
// callers to whom it is not a failure.
type StatusError struct {
	Status int
	Said   Said
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP %d, code %q: %s", e.Status, e.Said.Code, e.Said.Words)
}

// StatusOf returns the answer behind an error; Status 0 when there was none.
func StatusOf(err error) StatusError {
	var answer *StatusError
	if errors.As(err, &answer) {
		return *answer
	}
	return StatusError{}
}

// Invalid is a refusal of settings.
func Invalid(sentence string) *provider.Error {
	return &provider.Error{Kind: provider.Invalid, Sentence: sentence}
}

// Failure begins with the service's name, and says what a request that failed
// means for the night.
func (c *Client) Failure(kind provider.Kind, r Request, what, advice string, cause error) *provider.Error {
	meaning := " Your answer may not have arrived there."
	switch {
	case r.Aside:
		meaning = ""
	case r.reads():
		meaning = " Until this is mended, its pages cannot reach you here."
	}
	return &provider.Error{Kind: kind, Sentence: strings.TrimSpace(c.options.Service + " " + what + "." + meaning + " " + advice), Cause: cause}
}

// Senseless is what is wrong with an answer that could be decoded, in words
// that quote nothing of it.
type Senseless string

func (s Senseless) Error() string { return string(s) }

// Nonsense is an answer that cannot be what was asked for. The decoder's words
// can quote the answer, so of any cause but Senseless only the kind is kept.
func (c *Client) Nonsense(r Request, cause error) *provider.Error {
	if _, ours := cause.(Senseless); !ours {
		cause = fmt.Errorf("undecodable answer: %T", cause)
	}
	return c.Failure(provider.Broken, r, "sent an answer that makes no sense", "It is asked again by itself; check that nothing on the way alters its answers.", cause)
}

func (c *Client) notTheAPI(r Request, what string, cause error) *provider.Error {
	return c.Failure(provider.NotTheAPI, r, what, "Log in to the network if it has a login page, and check the account's address.", cause)
}

// Trouble is one sort of failure. What goes behind the service's name, and
// Advice is a sentence.
type Trouble struct {
	Kind         provider.Kind
	What, Advice string
}

// Sort says what went wrong below HTTP, and returns the cause without the
// address, which the library quotes.
func Sort(ctx context.Context, err error) (Trouble, error) {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return Trouble{provider.Unreachable, "did not answer in time", "Check the network, the VPN and the service."}, err
	}
	return sorted(err), err
}

func (c *Client) unreachable(ctx context.Context, r Request, err error) *provider.Error {
	t, cause := Sort(ctx, err)
	return c.Failure(t.Kind, r, t.What, t.Advice, cause)
}

func sorted(err error) Trouble {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		lookup    *net.DNSError
		dialling  *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		return Trouble{provider.Untrusted, "shows a certificate from an authority this machine does not know", "If that authority is your company's own, add it to the account with --ca; if not, somebody may be listening in."}
	case errors.As(err, &name):
		return Trouble{provider.Untrusted, "shows a certificate that was made out for another name", "Use the name that stands in the certificate, or have the certificate renewed with this one."}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Trouble{provider.Untrusted, "shows a certificate that has expired or is not valid yet", "Have it renewed, and check that this machine's clock is right."}
	case errors.As(err, &invalid), errors.As(err, &verify):
		return Trouble{provider.Untrusted, "shows a certificate that cannot be trusted", "Ask whoever runs the service to check its certificate; somebody may be listening in."}
	case strings.Contains(err.Error(), "tls: certificate required"), strings.Contains(err.Error(), "tls: bad certificate"):
		return Trouble{provider.Untrusted, "wants a certificate of yours that it accepts, and did not get one", "Give the account your certificate with --cert and --key."}
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return Trouble{provider.NotTheAPI, "does not speak TLS on this port", "Write http:// instead of https:// in the address, or use the port that has TLS."}
	case errors.As(err, &dialling) && dialling.Op == "proxyconnect":
		return Trouble{provider.Unreachable, "cannot be asked, because the proxy on the way does not answer", "Check the proxy's address and that the proxy is up."}
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return Trouble{provider.Unreachable, "cannot be found: no such host is known", "Check the spelling of the address, and whether the VPN must be up for this name."}
	case errors.As(err, &lookup):
		return Trouble{provider.Unreachable, "cannot be found, because looking up its name failed", "Check the network and the VPN."}
	case isErrno(err, syscall.ECONNREFUSED, 10061):
		return Trouble{provider.Unreachable, "refuses connections: it is not running, or a firewall is in the way", "Check that it is up and that the address names the right port."}
	case isErrno(err, syscall.ECONNRESET, 10054), isErrno(err, syscall.EPIPE, 10053), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "malformed HTTP status"):
		return Trouble{provider.Unreachable, "broke off in the middle of an answer", "Check the network and the service; it is asked again by itself."}
	case isErrno(err, syscall.ENETUNREACH, 10051), isErrno(err, syscall.EHOSTUNREACH, 10065):
		return Trouble{provider.Unreachable, "cannot be reached: there is no way to it from this network", "Check the network and the VPN."}
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return Trouble{provider.NotTheAPI, "does not answer in HTTP", "If it has TLS on this port, write https:// in the address."}
	}
	return Trouble{provider.Unreachable, "could not be reached", "Check the network, the VPN and the service."}
}

// isErrno compares with an error of the operating system; Windows has numbers
// of its own for those of the network.
func isErrno(err error, unix, windows syscall.Errno) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	if runtime.GOOS == "windows" {
		return number == windows
	}
	return number == unix
}

// refusal sorts the answers that are no success.
func (c *Client) refusal(r Request, response *http.Response, body []byte) *provider.Error {
	said := Said{}
	if c.options.Explain != nil {
		said = c.options.Explain(response.StatusCode, response.Header, body)
	}
	said.Words = page.Plain(said.Words, 200)
	cause := &StatusError{Status: response.StatusCode, Said: said}
	t := byStatus(response.StatusCode, r.reads(), said)
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return c.redirect(r, response, cause)
	case t.Kind == provider.Refused && t.Advice == "":
		t.Advice = c.options.CredentialAdvice
	}
	if said.Sentence != "" {
		return &provider.Error{Kind: t.Kind, Sentence: said.Sentence, Cause: cause, RetryAfter: c.retryAfter(response.Header)}
	}
	failure := c.Failure(t.Kind, r, t.What, t.Advice, cause)
	if t.Kind == provider.RateLimited || t.Kind == provider.Broken {
		failure.RetryAfter = c.retryAfter(response.Header)
	}
	return failure
}

func byStatus(status int, reads bool, said Said) Trouble {
	t := statusTrouble(status, reads, said)
	if said.Kind != "" {
		t.Kind = said.Kind
	}
	return t
}

func statusTrouble(status int, reads bool, said Said) Trouble {
	switch {
	case status == http.StatusUnauthorized:
		return Trouble{provider.Refused, "does not accept the credential", ""}
	case status == http.StatusForbidden && !reads:
		return Trouble{provider.Refused, "does not let this credential do that", "Answer in the service itself now, and ask for the right to."}
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return Trouble{provider.Refused, "does not let this credential see that", "Ask whoever runs it for the right to."}
	case status == http.StatusProxyAuthRequired:
		return Trouble{provider.Refused, "cannot be asked, because the proxy on the way wants a password", "Start the agent with HTTPS_PROXY set to the proxy's address with user and password."}
	case status == http.StatusTooManyRequests:
		return Trouble{provider.RateLimited, "is asked too often with this credential and wants us to wait", "It is asked again by itself; if this stays, see what else uses the credential."}
	case status == http.StatusNotFound && said.Words == "", status == http.StatusMethodNotAllowed, status == http.StatusGone:
		return Trouble{provider.NotTheAPI, fmt.Sprintf("has nothing to show under this address (HTTP %d)", status), "Check the account's address."}
	case status == http.StatusNotFound:
		return Trouble{provider.Invalid, "does not know that, or does not let this credential see it", "Look for it in the service itself."}
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return Trouble{provider.Broken, "does not answer the gateway in front of it", "It is asked again by itself."}
	case status >= 500, status == http.StatusRequestTimeout:
		return Trouble{provider.Broken, fmt.Sprintf("reports trouble of its own (HTTP %d)", status), "It is asked again by itself; its status page or log says more."}
	}
	why := said.Words
	if why == "" {
		why = "no reason given"
	}
	return Trouble{provider.Invalid, fmt.Sprintf("turned the request down (HTTP %d, %s)", status, strings.TrimRight(why, ".")), "Do it in the service itself."}
}

func (c *Client) redirect(r Request, response *http.Response, cause error) *provider.Error {
	target, err := response.Location()
	base := c.options.Base
	switch {
	case err != nil:
		return c.notTheAPI(r, "sends us on to nowhere", cause)
	case target.Hostname() == base.Hostname() && target.Scheme == "https" && base.Scheme == "http":
		return c.Failure(provider.NotTheAPI, r, "sends us on to https on the same host, and redirects are never followed", "Write https:// instead of http:// in the address.", cause)
	}
	return c.Failure(provider.NotTheAPI, r, "sends us on to "+page.Plain(target.Host, 120)+", which looks like a login page or the portal of a guest network; redirects are never followed, so that no credential gets there",
		"Log in to the network, or use an address that answers without a login page.", cause)
}

func (c *Client) retryAfter(header http.Header) time.Duration {
	return RetryAfter(header, c.Now(), c.options.WaitHeaders...)
}

// RetryAfter reads how long we are asked to wait, in seconds or until a date by
// the service's clock, from Retry-After and further headers; an hour at most.
func RetryAfter(header http.Header, now time.Time, further ...string) time.Duration {
	for _, name := range append([]string{"Retry-After"}, further...) {
		text := header.Get(name)
		if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
			return time.Duration(min(seconds, 3600) * float64(time.Second))
		}
		if at, err := http.ParseTime(text); err == nil {
			return min(max(at.Sub(now), 0), time.Hour)
		}
	}
	return 0
}
