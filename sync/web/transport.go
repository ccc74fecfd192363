package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"nightstand/sync/provider"
)

// Way is how the network is crossed, as the user set it up.
type Way struct {
	// CAFile holds further authorities, in PEM form.
	CAFile string
	// CertificateFile and KeyFile are the client's own certificate.
	CertificateFile, KeyFile string
	// Proxy is its address without a password; empty takes the environment's.
	Proxy string
	// Dial reaches the service otherwise than over the network; nil is the
	// usual way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Transport makes connections that way. It has no time-outs of its own: the
// caller's context says how long to wait. Its errors are *provider.Error of the
// kind Invalid.
func (w Way) Transport() (*http.Transport, error) {
	proxy, err := w.proxy()
	if err != nil {
		return nil, err
	}
	trust, err := w.trust()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy: proxy, DialContext: w.Dial, TLSClientConfig: trust, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		// One plain connection a lane is easier to drop than a shared HTTP/2 one.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}, nil
}

// Stay is for a client that follows no redirect: one leads to a login page or a
// captive portal, and would carry the credential with it.
func Stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (w Way) proxy() (func(*http.Request) (*url.URL, error), error) {
	if w.Proxy == "" {
		return http.ProxyFromEnvironment, nil
	}
	through, err := url.Parse(w.Proxy)
	if err != nil || through.Host == "" {
		return nil, Invalid("The proxy's address cannot be read. It should look like http://proxy.example.org:3128.")
	}
	if _, secret := through.User.Password(); secret {
		return nil, Invalid("The proxy's address contains a password, which would be written down. Leave the proxy out here and start the agent with HTTPS_PROXY set to it instead.")
	}
	return http.ProxyURL(through), nil
}

func (w Way) trust() (*tls.Config, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.CAFile != "" {
		text, err := os.ReadFile(w.CAFile)
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
	if w.CertificateFile == "" && w.KeyFile == "" {
		return trust, nil
	}
	own, err := tls.LoadX509KeyPair(w.CertificateFile, w.KeyFile)
	if err != nil {
		return nil, &provider.Error{Kind: provider.Invalid, Cause: err,
			Sentence: "Your own certificate and its key cannot be read as a pair. Both must be files in PEM form, and the key must not want a passphrase."}
	}
	trust.Certificates = []tls.Certificate{own}
	return trust, nil
}
