package terminal

import (
	"slices"
	"strings"

	"nightstand/app/page"
)

// service is what the command line knows of a kind of paging service: what to
// ask for, and in which words.
type service struct {
	provider string
	title    string
	// address is an example of where it is; empty where it is known without.
	address string
	// secret is what it wants to be shown; empty where that is found out by
	// asking it. make says how one comes by it.
	secret, make string
	// login says that the user's own name there is needed with the secret.
	login bool
	// matches says that its pages name nobody, so that “mine” is a matter of
	// receivers and labels.
	matches bool
	// teams and query say that “mine” can be narrowed that way.
	teams, query bool
}

var services = []service{
	{provider: "alertmanager", title: "Alertmanager", address: "http://alertmanager.example.org:9093", matches: true},
	{provider: "pagerduty", title: "PagerDuty", secret: "API key",
		make: "You make one in your profile there, with “Create API User Token”."},
	{provider: "goalert", title: "GoAlert", address: "https://goalert.example.org", secret: "password or API key",
		make: "With --user and your own password you hear what pages you; an administrator's API key, made with the document in docs/goalert-api-key.graphql, hears everything and answers without a name."},
	{provider: "grafana", title: "Grafana IRM", address: "https://oncall-prod-us-central-0.grafana.net/oncall", secret: "API key", teams: true,
		make: "You make one in your own OnCall settings there; a service account's token may look but not answer."},
	{provider: "jsm", title: "Jira Service Management", address: "11111111-2222-3333-4444-555555555555 (the cloud id that https://SITE.atlassian.net/_edge/tenant_info shows)", secret: "API token", login: true, query: true,
		make: "You make one in your Atlassian account under Security; --user is the e-mail address you log in with."},
	{provider: "opsgenie", title: "Opsgenie", secret: "API key", login: true, query: true,
		make: "It is the key of an API integration of your team; --user is your user name there, an e-mail address. Opsgenie ends on 5 April 2027."},
}

// serviceOf is the kind of this name.
func serviceOf(provider string) (service, bool) {
	at := slices.IndexFunc(services, func(s service) bool { return s.provider == provider })
	if at < 0 {
		return service{}, false
	}
	return services[at], true
}

// kinds lists the names of all kinds, for a sentence.
func kinds() string {
	var names []string
	for _, s := range services {
		names = append(names, s.provider)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// place says where an account of this kind is.
func (k service) place(address string) string {
	switch {
	case k.provider == "pagerduty" && (address == "" || strings.EqualFold(address, "us")):
		return "PagerDuty in the United States"
	case k.provider == "pagerduty" && strings.EqualFold(address, "eu"):
		return "PagerDuty in Europe"
	case k.provider == "opsgenie" && (address == "" || strings.EqualFold(address, "us")):
		return "Opsgenie in the United States"
	case k.provider == "opsgenie" && strings.EqualFold(address, "eu"):
		return "Opsgenie in Europe"
	case k.title == "" || k.matches:
		return page.Plain(address, 120)
	}
	return k.title + " at " + page.Plain(address, 120)
}
