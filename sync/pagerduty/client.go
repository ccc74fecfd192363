package pagerduty

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
	"regexp"
	"strings"
	"time"

	"nightstand/sync/provider"
)

// maxAnswer is the most that is read of one answer. A hundred incidents are
// under one megabyte.
const maxAnswer = 16 << 20

// client carries requests to PagerDuty, and the key to nowhere else.
type client struct {
	base      *url.URL
	shown     string // the Authorization header; empty without a key
	transport *http.Transport
	http      *http.Client
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
		return "", invalid("The API key contains a space or a letter that no key has. Copy it again from PagerDuty, from “Create API User Token” in your profile.")
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

func newClient(base *url.URL, options Options) (*client, error) {
	shown, err := authorization(options.Secret)
	if err != nil {
		return nil, err
	}
	proxy := http.ProxyFromEnvironment
	if options.Proxy != "" {
		through, err := url.Parse(options.Proxy)
		if err != nil || through.Host == "" {
			return nil, invalid("The proxy's address cannot be read. It should look like http://proxy.example.org:3128.")
		}
		if _, secret := through.User.Password(); secret {
			return nil, invalid("The proxy's address contains a password, which would end up in the settings file. Leave the proxy out here and start the agent with HTTPS_PROXY set to it instead.")
		}
		proxy = http.ProxyURL(through)
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.CAFile != "" {
		text, err := os.ReadFile(options.CAFile)
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
		trust.RootCAs = pool
	}
	// No time-outs of its own: the caller's context says how long to wait.
	transport := &http.Transport{
		Proxy: proxy, TLSClientConfig: trust, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second,
		// One plain connection a lane is easier to drop than a shared HTTP/2 one.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	return &client{base: base, shown: shown, transport: transport, http: &http.Client{
		Transport: transport,
		// A redirect would carry the key to a login page or a guest network.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// get reads one resource and returns PagerDuty's clock at the answer, zero if
// it does not tell.
func (c *client) get(ctx context.Context, resource string, query url.Values, into any) (time.Time, error) {
	return c.send(ctx, http.MethodGet, resource, query, "", nil, into)
}

// put changes one resource in somebody's name.
func (c *client) put(ctx context.Context, resource, from string, value, into any) error {
	_, err := c.send(ctx, http.MethodPut, resource, nil, from, value, into)
	return err
}

// send makes one request and reads the whole answer. Anything but a success
// in JSON is an error.
func (c *client) send(ctx context.Context, method, resource string, query url.Values, from string, value, into any) (time.Time, error) {
	if c.shown == "" {
		return time.Time{}, c.failure(provider.Refused, "wants an API key, and this account has none."+meaning(method)+
			" Create one in your PagerDuty profile with “Create API User Token” and add the account again.", nil)
	}
	var payload io.Reader
	if value != nil {
		text, err := json.Marshal(value)
		if err != nil {
			return time.Time{}, c.failure(provider.Broken, "could not be asked."+meaning(method), err)
		}
		payload = bytes.NewReader(text)
	}
	target := c.base.String() + resource
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return time.Time{}, c.failure(provider.Broken, "could not be asked."+meaning(method), nil)
	}
	request.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", c.shown)
	if from != "" {
		request.Header.Set("From", from)
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.transport.CloseIdleConnections()
		return time.Time{}, c.unreachable(ctx, method, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		c.transport.CloseIdleConnections()
		return time.Time{}, c.unreachable(ctx, method, err)
	case len(body) > maxAnswer:
		return time.Time{}, c.failure(provider.Broken, "sent an answer larger than 16 MB, which was not read."+meaning(method)+" Look at its own page.", nil)
	case response.StatusCode < 200 || response.StatusCode > 299:
		return time.Time{}, c.refusal(response, body)
	case !isJSON(response.Header.Get("Content-Type")):
		return time.Time{}, c.notTheAPI(method, "answered with something other than incidents, a login page perhaps", nil)
	case decode(body, into) != nil:
		return time.Time{}, c.nonsense("undecodable answer")
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
