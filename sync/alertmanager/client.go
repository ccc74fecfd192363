package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"nightstand/sync/web"
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
	clock         *web.Clock
	transport     *http.Transport
	http          *http.Client

	mutex  sync.Mutex
	scheme scheme
}

// scheme is how the credential is shown.
type scheme string

const (
	anonymous scheme = ""
	basic     scheme = "basic"
	bearer    scheme = "bearer"
)

func newClient(base *url.URL, login string, options Options) (*client, error) {
	c := &client{base: base, login: login, secret: strings.TrimRight(options.Secret, "\r\n"), now: options.Now, clock: web.NewClock(options.Now)}
	switch scheme(options.Auth) {
	case anonymous:
		c.negotiate = c.secret != ""
	case basic, bearer:
		c.scheme = scheme(options.Auth)
	default:
		return nil, web.Invalid("The way to log in must be basic, bearer, or left empty to let the server say.")
	}
	transport, err := options.Way.Transport()
	if err != nil {
		return nil, err
	}
	transport.MaxIdleConnsPerHost = 1 + postsAtOnce // a poll beside a batch
	c.transport, c.http = transport, &http.Client{Transport: transport, CheckRedirect: web.Stay}
	return c, nil
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
	if !web.IsJSON(response.Header.Get("Content-Type")) {
		return time.Time{}, c.notTheAPI("answered " + web.TypeWords(response.Header.Get("Content-Type")) + " instead of alerts")
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
	if !web.IsJSON(response.Header.Get("Content-Type")) {
		return c.notTheAPI("answered " + web.TypeWords(response.Header.Get("Content-Type")) + " to an acknowledgement")
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
	c.clock.Compare(response.Header.Get("Date"), asked)
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

// serverNow is the time by the server's clock, UTC, to within a second or so.
func (c *client) serverNow() time.Time { return c.clock.Now() }

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
