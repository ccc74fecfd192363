// Package web owns the way to a paging service over HTTP: one request and the
// whole of its answer, the credential to the service and to nowhere else, and
// every failure sorted and put into a sentence.
package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
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

// Way is how the network is crossed, as the user set it up.
type Way struct {
	// CAFile holds further authorities, in PEM form.
	CAFile string
	// CertificateFile and KeyFile are the client's own certificate.
	CertificateFile, KeyFile string
	// Proxy is its address without a password; empty takes the environment's.
	Proxy string
}

// Client carries requests to one service. It may be used from several goroutines.
type Client struct {
	options   Options
	transport *http.Transport
	http      *http.Client

	mutex sync.Mutex
	ahead time.Duration // how far the service's clock is ahead of ours
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
	proxy, err := proxyFrom(options.Way.Proxy)
	if err != nil {
		return nil, err
	}
	trust, err := trustFrom(options.Way)
	if err != nil {
		return nil, err
	}
	// No time-outs of its own: the caller's context says how long to wait.
	transport := &http.Transport{
		Proxy: proxy, TLSClientConfig: trust, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		// One plain connection a lane is easier to drop than a shared HTTP/2 one.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	return &Client{options: options, transport: transport, http: &http.Client{
		Transport: transport,
		// A redirect is a login page or a captive portal, and would carry the
		// credential with it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func proxyFrom(typed string) (func(*http.Request) (*url.URL, error), error) {
	if typed == "" {
		return http.ProxyFromEnvironment, nil
	}
	through, err := url.Parse(typed)
	if err != nil || through.Host == "" {
		return nil, Invalid("The proxy's address cannot be read. It should look like http://proxy.example.org:3128.")
	}
	if _, secret := through.User.Password(); secret {
		return nil, Invalid("The proxy's address contains a password, which would be written down. Leave the proxy out here and start the agent with HTTPS_PROXY set to it instead.")
	}
	return http.ProxyURL(through), nil
}

func trustFrom(way Way) (*tls.Config, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if way.CAFile != "" {
		text, err := os.ReadFile(way.CAFile)
		if err != nil {
			return nil, &provider.Error{Kind: provider.Invalid, Cause: err,
				Sentence: "The file with the certificate authority cannot be read. Check its name and that you may read it."}
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, Invalid("The file with the certificate authority holds no certificate. It must be in PEM form, beginning with BEGIN CERTIFICATE.")
		}
		trust.RootCAs = pool
	}
	if way.CertificateFile == "" && way.KeyFile == "" {
		return trust, nil
	}
	own, err := tls.LoadX509KeyPair(way.CertificateFile, way.KeyFile)
	if err != nil {
		return nil, &provider.Error{Kind: provider.Invalid, Cause: err,
			Sentence: "Your own certificate and its key cannot be read as a pair. Both must be files in PEM form, and the key must not want a passphrase."}
	}
	trust.Certificates = []tls.Certificate{own}
	return trust, nil
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
	answer := Answer{Status: response.StatusCode, Header: response.Header, At: c.compareClocks(response.Header.Get("Date"), asked)}
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
	case !isJSON(response.Header.Get("Content-Type")):
		return answer, c.notTheAPI(r, "answered with "+typeWords(response.Header.Get("Content-Type"))+" instead of what was asked for", nil)
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

// compareClocks notes how far the service's clock is ahead. Its Date header has
// whole seconds, so half of one is the best guess of the rest.
func (c *Client) compareClocks(date string, asked time.Time) time.Time {
	at, err := http.ParseTime(date)
	if err != nil {
		return time.Time{}
	}
	middle := asked.Add(c.options.Now().Sub(asked) / 2)
	c.mutex.Lock()
	c.ahead = at.Add(500 * time.Millisecond).Sub(middle)
	c.mutex.Unlock()
	return at.UTC()
}

// Now is the time by the service's clock, UTC, to within a second or so.
func (c *Client) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.options.Now().Add(c.ahead).UTC()
}

// DropConnections throws away what may have died with the network.
func (c *Client) DropConnections() { c.transport.CloseIdleConnections() }

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func typeWords(contentType string) string {
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
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())):
		return nil, Invalid("The address of " + service + " must start with https://, because the credential must not travel without encryption. It looks like " + example + ".")
	}
	return &url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: strings.TrimRight(parsed.Path, "/")}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
