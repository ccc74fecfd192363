package jsm

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"nightstand/sync/web"
)

// Where the services live. Basic authorisation with an API token goes to the
// first; the other two are the regions of Opsgenie.
const (
	atlassian    = "https://api.atlassian.com"
	unitedStates = "https://api.opsgenie.com"
	europe       = "https://api.eu.opsgenie.com"
)

// scopes are the rights that an API token with scopes needs.
const scopes = "read:ops-alert:jira-service-management, write:ops-alert:jira-service-management, read:ops-config:jira-service-management and read:jira-user"

var cloudID = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

// readAddress finds out which service is spoken to, and where, from what a
// person typed or pasted. The base has no path; the dialect has.
func readAddress(options Options) (dialect, *url.URL, error) {
	typed := strings.TrimSpace(options.URL)
	switch options.Dialect {
	case JSM, "":
		return readAtlassian(typed)
	case Opsgenie:
		return readOpsgenie(typed, strings.TrimSpace(options.User))
	}
	return dialect{}, nil, web.Invalid("The account names a service that is neither Jira Service Management nor Opsgenie. Write jsm or opsgenie.")
}

func readAtlassian(typed string) (dialect, *url.URL, error) {
	const example = atlassian + "/jsm/ops/api/ followed by the cloud id of your site"
	if cloudID.FindString(typed) == typed && typed != "" {
		typed = atlassian + "/jsm/ops/api/" + typed
	}
	base, err := web.ReadBase("Jira Service Management", typed, example)
	if err != nil {
		return dialect{}, nil, err
	}
	if strings.HasSuffix(strings.ToLower(base.Hostname()), ".atlassian.net") {
		return dialect{}, nil, web.Invalid("That is the address of your site, and Nightstand needs its cloud id. Open " + base.Scheme + "://" + base.Host +
			"/_edge/tenant_info in a browser, and give the id that stands there instead of the address.")
	}
	cloud := cloudID.FindString(base.Path)
	if cloud == "" {
		return dialect{}, nil, web.Invalid("The address of Jira Service Management has no cloud id in it. It looks like " + example + ".")
	}
	ops := strings.TrimSuffix(base.EscapedPath(), "/v1")
	base.Path = ""
	return jiraServiceManagement(ops, cloud), base, nil
}

func readOpsgenie(typed, user string) (dialect, *url.URL, error) {
	switch strings.ToLower(typed) {
	case "", "us":
		typed = unitedStates
	case "eu":
		typed = europe
	}
	base, err := web.ReadBase("Opsgenie", typed, unitedStates+", or "+europe+" for the European one")
	if err != nil {
		return dialect{}, nil, err
	}
	spoken := opsgenie(user)
	host := strings.ToLower(base.Hostname())
	if host == "opsgenie.com" || strings.HasSuffix(host, ".opsgenie.com") {
		region := unitedStates
		if strings.HasSuffix(host, ".eu.opsgenie.com") {
			region = europe
			spoken.name = "Opsgenie (EU)"
		}
		base, err = url.Parse(region)
		return spoken, base, err
	}
	base.Path = strings.TrimSuffix(base.Path, "/v2")
	return spoken, base, nil
}

// readCredential makes what shows the credential in a request.
func readCredential(spoken dialect, typedUser, typedSecret string) (func(*http.Request), error) {
	user, secret := strings.TrimSpace(typedUser), strings.TrimSpace(typedSecret)
	secret = strings.TrimSpace(strings.TrimPrefix(secret, "GenieKey"))
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	switch {
	case !strings.Contains(user, "@") || strings.ContainsFunc(user, odd) || strings.Contains(user, ":"):
		return nil, web.Invalid("The account needs the e-mail address with which you log in to " + spoken.name + "; without it nobody could tell which alerts are yours.")
	case secret == "" && spoken.signed:
		return nil, web.Invalid("The account has no key. Create an API integration in Opsgenie, and give its key.")
	case secret == "":
		return nil, web.Invalid("The account has no API token. Create one at id.atlassian.com, under Security.")
	case strings.ContainsFunc(secret, odd):
		return nil, web.Invalid("The key or token contains a space or a letter that none has. Copy it again.")
	case spoken.signed:
		return func(r *http.Request) { r.Header.Set("Authorization", "GenieKey "+secret) }, nil
	}
	return func(r *http.Request) { r.SetBasicAuth(user, secret) }, nil
}
