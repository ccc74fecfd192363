package goalert

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const (
	loginPath = "/api/v2/identity/providers/basic"
	// The name of the session's cookie, to which GoAlert adds a number.
	cookieName = "goalert_session"
	// A session that is refused when it is younger than this is not replaced:
	// whatever is wrong, logging in again and again does not mend it.
	loginEvery = time.Minute
)

// apiKey is a GraphQL API key; empty for an account with a password.
type apiKey struct {
	text    string
	expires time.Time // UTC; zero when the key does not tell
}

func (k apiKey) given() bool { return k.text != "" }

// readCredential tells a key from a password by its shape. A key's signature
// is GoAlert's business, and its method one that the parser need not know.
func readCredential(options Options) (apiKey, error) {
	secret := strings.TrimPrefix(strings.TrimSpace(options.Secret), "Bearer ")
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(secret, &claims)
	switch {
	case err == nil, errors.Is(err, jwt.ErrTokenUnverifiable):
		key := apiKey{text: secret}
		if claims.ExpiresAt != nil {
			key.expires = claims.ExpiresAt.UTC()
		}
		return key, nil
	case secret != "" && strings.TrimSpace(options.User) == "":
		return apiKey{}, web.Invalid("The account at GoAlert has no user name, and its secret is no API key. Give the name you log in with beside your password, or an API key alone.")
	}
	return apiKey{}, nil
}

// session is a login that GoAlert knows. It is held in memory only.
type session struct {
	cookie string // name=value; empty without a session
	since  time.Time
}

// credential is what a request shows: the key, or the cookie of a session,
// which is begun when there is none.
func (p *Provider) credential(ctx context.Context) (http.Header, session, error) {
	if p.key.given() {
		return http.Header{"Authorization": {"Bearer " + p.key.text}}, session{}, nil
	}
	p.mutex.Lock()
	known := p.session
	p.mutex.Unlock()
	if known.cookie == "" {
		var err error
		if known, err = p.login(ctx, known); err != nil {
			return nil, session{}, err
		}
	}
	return http.Header{"Cookie": {known.cookie}}, known, nil
}

// login begins a session in the place of one that has ended, unless somebody
// else did so meanwhile.
func (p *Provider) login(ctx context.Context, ended session) (session, error) {
	release, err := p.signing.Enter(ctx)
	if err != nil {
		return session{}, p.gaveUp(err)
	}
	defer release()
	p.mutex.Lock()
	known, wrong := p.session, p.wrong
	p.mutex.Unlock()
	switch {
	case known.cookie != ended.cookie && known.cookie != "":
		return known, nil
	case wrong != nil:
		return session{}, wrong
	case strings.TrimSpace(p.options.Secret) == "":
		return session{}, p.client.Failure(provider.Refused, web.Request{Asks: true}, "wants a password or an API key, and this account has none", "Add the account again with one of them.", nil)
	}
	began, err := p.signIn(ctx)
	if err != nil {
		return session{}, err
	}
	p.mutex.Lock()
	p.session = began
	p.mutex.Unlock()
	return began, nil
}

// signIn sends the password. GoAlert takes it only from its own pages, by the
// Referer; when it calls its own address something else than we do, it says so
// in the redirect, and is asked once more with that.
func (p *Provider) signIn(ctx context.Context) (session, error) {
	referer := p.base.String() + "/"
	for range 2 {
		request := web.Request{
			Method: http.MethodPost, Path: loginPath, Asks: true, Header: http.Header{"Referer": {referer}},
			Body: url.Values{"username": {p.options.User}, "password": {p.options.Secret}},
		}
		answer, err := p.client.Do(ctx, request, nil)
		if cookie, _ := sessionCookie(answer.Header); cookie != "" {
			return session{cookie: cookie, since: p.now()}, nil
		}
		target, said := loginError(answer)
		own := (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: strings.TrimRight(target.Path, "/") + "/"}).String()
		switch {
		case said == "invalid referer" && target.Host != "" && own != referer:
			referer = own
			continue
		case said == "invalid referer":
			return session{}, p.client.Failure(provider.NotTheAPI, request, "takes no login from the address that this account has", "Use the address that GoAlert itself calls its public one.", err)
		case strings.Contains(said, "password"):
			return session{}, p.wrongPassword(request, err)
		case said != "":
			return session{}, p.client.Failure(provider.Refused, request, "did not let you log in ("+said+")", "Log in to it in the browser to see why.", err)
		case err != nil:
			return session{}, err
		case strings.Contains(answer.Header.Get("Content-Type"), "json"):
			return session{}, p.client.Nonsense(request, web.Senseless("a login without a session"))
		}
		return session{}, p.client.Failure(provider.NotTheAPI, request, "answered the login with something else than a session", "Log in to the network if it has a login page, and check the account's address.", nil)
	}
	return session{}, p.client.Failure(provider.NotTheAPI, web.Request{Asks: true}, "takes a login neither from the address that this account has nor from its own", "Ask whoever runs it for its public address.", nil)
}

// wrongPassword is remembered: the same password again would be no better, and
// might lock the user out.
func (p *Provider) wrongPassword(request web.Request, cause error) error {
	wrong := p.client.Failure(provider.Refused, request, "does not know this user name with this password",
		"It is not tried again by itself, so that nothing gets locked; add the account again with the right ones.", cause)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.wrong = wrong
	return wrong
}

// renew logs in anew when a session has ended, and reports whether it did.
func (p *Provider) renew(ctx context.Context, ended session) (bool, error) {
	if p.key.given() || p.now().Sub(ended.since) < loginEvery {
		return false, nil
	}
	_, err := p.login(ctx, ended)
	return err == nil, err
}

// refresh takes over a cookie that GoAlert has issued anew for this session.
func (p *Provider) refresh(shown session, header http.Header) {
	cookie, _ := sessionCookie(header)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if cookie != "" && shown.cookie != "" && p.session.cookie == shown.cookie {
		p.session.cookie = cookie
	}
}

// sessionCookie finds the session in an answer; one without a value ends it.
func sessionCookie(header http.Header) (cookie string, found bool) {
	for _, one := range (&http.Response{Header: header}).Cookies() {
		if !strings.HasPrefix(one.Name, cookieName) {
			continue
		}
		found = true
		if one.Value != "" && one.MaxAge >= 0 {
			cookie = one.Name + "=" + one.Value
		}
	}
	return cookie, found
}

// loginError reads the reason that stands in the address of a redirect.
func loginError(answer web.Answer) (target *url.URL, said string) {
	target, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.Status < 300 || answer.Status > 399 {
		return &url.URL{}, ""
	}
	return target, strings.ToLower(plain(target.Query().Get("login_error"), 80))
}
