// Package web owns the way to a paging service over HTTP: one request and the
// whole of its answer, the credential to the service and to nowhere else, and
// every failure sorted and put into a sentence.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// maxAnswer is the most that is read of one answer. Five thousand pages are
// under three megabytes.
const maxAnswer = 16 << 20

// Options say which service is spoken to, and how.
type Options struct {
	// Service names it in sentences, such as "GoAlert at goalert.example.org".
	Service string
	Base    *url.URL
	Way     Way
	// Authorize shows the credential in a request; nil shows none.
	Authorize func(*http.Request)
	// Explain reads the service's own words in an answer that is no success.
	Explain func(status int, header http.Header, body []byte) Said
	// WaitHeaders name the headers that tell, in seconds, how long to wait;
	// Retry-After is always read.
	WaitHeaders []string
	// CredentialAdvice says what to do when the credential is not accepted.
	CredentialAdvice string
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Client carries requests to one service. It may be used from several goroutines.
type Client struct {
	options   Options
	transport *http.Transport
	http      *http.Client
	clock     *Clock
}

// Request is one question or order.
type Request struct {
	Method string
	// Path is put behind the base as it is, its escapes and trailing slash kept.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is sent as JSON, or as a form when it is url.Values; nil sends none.
	Body any
	// Asks says that a request which is not a GET only reads, as GraphQL's do.
	Asks bool
	// Aside says that no page depends on the answer, as on a log or a roster.
	Aside bool
}

// reads says that a lost answer leaves nothing in doubt.
func (r Request) reads() bool {
	return r.Asks || r.Method == http.MethodGet || r.Method == http.MethodHead
}

// Answer is what came back beside the body.
type Answer struct {
	Status int
	Header http.Header
	// At is the service's clock at the answer, UTC; zero if it does not tell.
	At time.Time
}

// New makes a client. Its errors are *provider.Error of the kind Invalid.
func New(options Options) (*Client, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	transport, err := options.Way.Transport()
	if err != nil {
		return nil, err
	}
	return &Client{
		options: options, transport: transport, clock: NewClock(options.Now),
		http: &http.Client{Transport: transport, CheckRedirect: Stay},
	}, nil
}

// Do makes one request and reads its whole answer into a value; a nil value
// takes any success. Anything but a success is a *provider.Error.
func (c *Client) Do(ctx context.Context, r Request, into any) (Answer, error) {
	request, err := c.build(ctx, r)
	if err != nil {
		return Answer{}, c.Failure(provider.Broken, r, "could not be asked", "", err)
	}
	asked := c.options.Now()
	response, err := c.http.Do(request)
	if err != nil {
		c.DropConnections()
		return Answer{}, c.unreachable(ctx, r, err)
	}
	defer response.Body.Close()
	answer := Answer{Status: response.StatusCode, Header: response.Header, At: c.clock.Compare(response.Header.Get("Date"), asked)}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		c.DropConnections()
		return answer, c.unreachable(ctx, r, err)
	case len(body) > maxAnswer:
		return answer, c.Failure(provider.Broken, r, "sent an answer larger than 16 MB, which was not read", "Narrow what the account lists, and look at the service's own page.", nil)
	case response.StatusCode < 200 || response.StatusCode > 299:
		return answer, c.refusal(r, response, body)
	case into == nil:
		return answer, nil
	case !IsJSON(response.Header.Get("Content-Type")):
		return answer, c.notTheAPI(r, "answered with "+TypeWords(response.Header.Get("Content-Type"))+" instead of what was asked for", nil)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return answer, c.Nonsense(r, err)
	}
	return answer, nil
}

func (c *Client) build(ctx context.Context, r Request) (*http.Request, error) {
	var payload io.Reader
	kind := ""
	switch body := r.Body.(type) {
	case nil:
	case url.Values:
		payload, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload, kind = bytes.NewReader(text), "application/json"
	}
	target := strings.TrimRight(c.options.Base.String(), "/") + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target, payload)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	if c.options.Authorize != nil {
		c.options.Authorize(request)
	}
	return request, nil
}

// Now is the time by the service's clock, UTC, to within a second or so.
func (c *Client) Now() time.Time { return c.clock.Now() }

// DropConnections throws away what may have died with the network.
func (c *Client) DropConnections() { c.transport.CloseIdleConnections() }

// IsJSON says that a content type is one of JSON.
func IsJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// TypeWords names a content type in a sentence.
func TypeWords(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || kind == "":
		return "something without a content type"
	case kind == "text/html":
		return "a web page"
	}
	return page.Plain(kind, 60)
}

// ReadBase reads the address of a service as a person typed it; example ends
// the sentence of a refusal. A credential never travels without encryption,
// except to this machine.
func ReadBase(service, typed, example string) (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimSpace(typed))
	switch {
	case err != nil || parsed.Hostname() == "":
		// The parser's words quote the text, which may hold a key.
		return nil, Invalid("The address of " + service + " cannot be read. It looks like " + example + ".")
	case parsed.User != nil:
		return nil, Invalid("The address of " + service + " contains a user name or password, which would be written down. Leave it out; the credential is asked for separately and kept in the keyring.")
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !Loopback(parsed.Hostname())):
		return nil, Invalid("The address of " + service + " must start with https://, because the credential must not travel without encryption. It looks like " + example + ".")
	}
	return &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: strings.TrimRight(parsed.Path, "/")}, nil
}

// Loopback says that a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
