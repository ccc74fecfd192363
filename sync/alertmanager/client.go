package alertmanager

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"nightstand/sync/provider"
)

// maxAnswer is the most that is read of one answer. Five thousand alerts are
// under three megabytes.
const maxAnswer = 16 << 20

// client carries requests to one server, with the credential it asks for and
// never to anywhere else, and keeps the distance between its clock and ours.
type client struct {
	base          *url.URL
	login, secret string
	negotiate     bool
	now           func() time.Time
	transport     *http.Transport
	http          *http.Client

	mutex  sync.Mutex
	scheme scheme
	ahead  time.Duration // how far the server's clock is ahead of ours
}

// scheme is how the credential is shown.
type scheme string

const (
	anonymous scheme = ""
	basic     scheme = "basic"
	bearer    scheme = "bearer"
)

func newClient(base *url.URL, login string, options Options) (*client, error) {
	c := &client{base: base, login: login, secret: strings.TrimRight(options.Secret, "\r\n"), now: options.Now}
	switch scheme(options.Auth) {
	case anonymous:
		c.negotiate = c.secret != ""
	case basic, bearer:
		c.scheme = scheme(options.Auth)
	default:
		return nil, invalid("The way to log in must be basic, bearer, or left empty to let the server say.")
	}
	proxy := http.ProxyFromEnvironment
	if options.Proxy != "" {
		through, err := url.Parse(options.Proxy)
		if err != nil || through.Host == "" {
			return nil, invalid("The proxy's URL cannot be read. It should look like http://proxy.example.org:3128.")
		}
		if _, secret := through.User.Password(); secret {
			return nil, invalid("A password in the proxy's URL would be written into the database. Leave the proxy out here and start the agent with HTTPS_PROXY set to that URL instead.")
		}
		proxy = http.ProxyURL(through)
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.CAFile != "" {
		pool, err := readAuthorities(options.CAFile)
		if err != nil {
			return nil, err
		}
		trust.RootCAs = pool
	}
	// No time-outs of its own: the caller's context says how long to wait.
	c.transport = &http.Transport{
		Proxy:               proxy,
		TLSClientConfig:     trust,
		MaxIdleConnsPerHost: 1 + postsAtOnce, // a poll beside a batch
		IdleConnTimeout:     90 * time.Second,
		// One plain connection a lane is easier to drop than a shared HTTP/2 one.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	c.http = &http.Client{
		Transport: c.transport,
		// A redirect is a login page or a captive portal, and would carry the
		// credential with it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func readAuthorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &provider.Error{Kind: provider.Invalid, Cause: err,
			Sentence: "The file with the certificate authority cannot be read. Check its name and that you may read it."}
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, invalid("The file with the certificate authority holds no certificate. It must be in PEM form, beginning with BEGIN CERTIFICATE.")
	}
	return pool, nil
}

// get reads one resource below /api/v2 into a value and returns the server's
// clock at the answer, zero if it does not tell.
func (c *client) get(ctx context.Context, resource string, query url.Values, into any) (time.Time, error) {
	var body bodyBuffer
	at, err := c.read(ctx, resource, query, &body)
	if err != nil {
		return time.Time{}, err
	}
	if err := json.Unmarshal(body.Bytes(), into); err != nil {
		return time.Time{}, c.nonsense(err)
	}
	return at, nil
}

// read fetches one resource into body, which is emptied first, and makes sure
// that it is JSON by name.
func (c *client) read(ctx context.Context, resource string, query url.Values, body *bodyBuffer) (time.Time, error) {
	response, err := c.send(ctx, http.MethodGet, resource, query, nil, body)
	if err != nil {
		return time.Time{}, err
	}
	if !isJSON(response.Header.Get("Content-Type")) {
		return time.Time{}, c.notTheAPI("answered " + describeType(response.Header.Get("Content-Type")) + " instead of alerts")
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}

// post sends a value and reads the answer into another.
func (c *client) post(ctx context.Context, resource string, value, into any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return c.nonsense(err)
	}
	var body bodyBuffer
	response, err := c.send(ctx, http.MethodPost, resource, nil, text, &body)
	if err != nil {
		return err
	}
	if !isJSON(response.Header.Get("Content-Type")) {
		return c.notTheAPI("answered " + describeType(response.Header.Get("Content-Type")) + " to an acknowledgement")
	}
	if err := json.Unmarshal(body.Bytes(), into); err != nil {
		return c.nonsense(err)
	}
	return nil
}

func (c *client) delete(ctx context.Context, resource string) error {
	var body bodyBuffer
	_, err := c.send(ctx, http.MethodDelete, resource, nil, nil, &body)
	return err
}

// send makes one request, with the credential in the form the server asks for,
// and reads the whole answer. Anything but 200 is an error.
func (c *client) send(ctx context.Context, method, resource string, query url.Values, payload []byte, body *bodyBuffer) (*http.Response, error) {
	c.mutex.Lock()
	using := c.scheme
	c.mutex.Unlock()
	response, err := c.once(ctx, method, resource, query, payload, body, using)
	if err != nil {
		return nil, err
	}
	if c.negotiate && using == anonymous && wantsCredential(response.StatusCode) {
		using = announced(response.Header)
		if response, err = c.once(ctx, method, resource, query, payload, body, using); err != nil {
			return nil, err
		}
	}
	if c.negotiate {
		c.mutex.Lock()
		if response.StatusCode == http.StatusUnauthorized {
			c.scheme = anonymous // ask again next time: the server may have changed its mind
		} else if response.StatusCode == http.StatusOK {
			c.scheme = using
		}
		c.mutex.Unlock()
	}
	if response.StatusCode != http.StatusOK {
		return nil, c.refusal(response, body.Bytes(), using)
	}
	return response, nil
}

func (c *client) once(ctx context.Context, method, resource string, query url.Values, payload []byte, body *bodyBuffer, using scheme) (*http.Response, error) {
	target := c.base.JoinPath("api", "v2", resource)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(payload))
	if err != nil {
		return nil, c.broken("could not be asked", err)
	}
	request.Header.Set("Accept", "application/json")
	if payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case using == basic:
		request.SetBasicAuth(c.login, c.secret)
	case using == bearer && c.secret != "":
		request.Header.Set("Authorization", "Bearer "+c.secret)
	}
	asked := c.now()
	response, err := c.http.Do(request)
	if err != nil {
		c.dropConnections()
		return nil, c.unreachable(ctx, method, err)
	}
	defer response.Body.Close()
	c.compareClocks(response.Header.Get("Date"), asked, c.now())
	if response.ContentLength > maxAnswer {
		return nil, c.tooLarge()
	}
	body.Reset()
	if _, err := body.ReadFrom(io.LimitReader(response.Body, maxAnswer+1)); err != nil {
		c.dropConnections()
		return nil, c.unreachable(ctx, method, err)
	}
	if body.Len() > maxAnswer {
		body.Buffer = bytes.Buffer{} // do not keep sixteen megabytes for the night
		return nil, c.tooLarge()
	}
	return response, nil
}

// bodyBuffer holds one answer. The polling lane keeps its own, so that a
// storm's megabytes are not allocated anew every three seconds.
type bodyBuffer struct{ bytes.Buffer }

// compareClocks notes how far the server's clock is ahead. Its Date header
// has whole seconds, so half of one is the best guess of the rest.
func (c *client) compareClocks(date string, asked, answered time.Time) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	middle := asked.Add(answered.Sub(asked) / 2)
	c.mutex.Lock()
	c.ahead = at.Add(500 * time.Millisecond).Sub(middle)
	c.mutex.Unlock()
}

// serverNow is the time by the server's clock, UTC, to within a second or so.
func (c *client) serverNow() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now().Add(c.ahead).UTC()
}

func (c *client) credentialUsed() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.scheme != anonymous
}

func (c *client) dropConnections() { c.transport.CloseIdleConnections() }

// wantsCredential says that an anonymous request was turned away. Some front
// doors do that by sending a visitor to a login page.
func wantsCredential(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status >= 300 && status < 400
}

func announced(header http.Header) scheme {
	for _, challenge := range header.Values("WWW-Authenticate") {
		for _, one := range strings.Split(challenge, ",") {
			if name, _, _ := strings.Cut(strings.TrimSpace(one), " "); strings.EqualFold(name, "Basic") {
				return basic
			}
		}
	}
	return bearer
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func describeType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || kind == "":
		return "something without a content type"
	case kind == "text/html":
		return "a web page"
	}
	return plain(kind, 60)
}
