package grafana

import (
	"net/http"
	"net/url"
	"strings"

	"nightstand/app/page"
	"nightstand/sync/web"
)

const credentialAdvice = "Create an OnCall API key of your own in Grafana, in the settings of IRM under “Admin & API”, and add the account again."

// serviceAccount is how the tokens of Grafana's service accounts begin.
const serviceAccount = "glsa_"

// credential is what is shown with every request.
type credential struct {
	secret string
	stack  string // the address of Grafana itself; only with a service account
}

func readCredential(secret, stack string) (credential, error) {
	secret = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(secret), "Bearer "))
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return credential{}, web.Invalid("The API key contains a space or a letter that no key has. Copy it again from Grafana.")
	}
	shown := credential{secret: secret}
	if !shown.onlyLooks() {
		return shown, nil
	}
	parsed, err := url.Parse(strings.TrimSpace(stack))
	if err != nil || parsed.Scheme != "https" || parsed.Hostname() == "" || parsed.User != nil {
		return credential{}, web.Invalid("With a service account's token Grafana OnCall must be told which Grafana it belongs to. Give the address of yours as the user, like https://example.grafana.net.")
	}
	shown.stack = page.Plain("https://"+parsed.Host, maxName)
	return shown, nil
}

// onlyLooks says that the service refuses answers from this credential: those
// of service accounts carry nobody's name.
func (c credential) onlyLooks() bool { return strings.HasPrefix(c.secret, serviceAccount) }

// authorize shows the secret as it is: the service knows no “Bearer” for keys.
func (c credential) authorize(request *http.Request) {
	request.Header.Set("Authorization", c.secret)
	if c.stack != "" {
		request.Header.Set("X-Grafana-URL", c.stack)
	}
}
