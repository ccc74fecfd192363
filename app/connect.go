package app

import (
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/sync/alertmanager"
	"nightstand/sync/goalert"
	"nightstand/sync/grafana"
	"nightstand/sync/jsm"
	"nightstand/sync/pagerduty"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// kind is a paging service that accounts can be at.
type kind struct {
	provider string
	// takes are the settings that mean something to it, beside those that every
	// service has.
	takes []string
	// mine says which pages are the user's where no setting does.
	mine string
	// connect makes the provider of an account.
	connect func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error)
}

var kindsOfService = []kind{
	{"alertmanager", []string{"auth", "receiver", "filter", "heartbeat", "severity label"}, "everything it lists",
		func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error) {
			return alertmanager.New(alertmanager.Options{
				Account: account.Name, URL: account.URL, User: account.User, Secret: secret,
				Auth: account.Options.Auth, Way: way(account),
				Receiver: account.Options.Receiver, Filters: account.Options.Filters,
				Heartbeats: account.Options.Heartbeats, SeverityLabel: account.Options.SeverityLabel, Severities: severities,
				AckLasts: time.Duration(a.settings.Answer.SilenceFor),
				Log:      a.log.With("account", account.Name),
			})
		}},
	{"pagerduty", nil, "what is assigned to you",
		func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error) {
			return pagerduty.New(pagerduty.Options{
				Account: account.Name, URL: account.URL, User: account.User, Secret: secret,
				Way: way(account), Severities: severities,
				Log: a.log.With("account", account.Name),
			})
		}},
	{"goalert", nil, "what pages you",
		func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error) {
			return goalert.New(goalert.Options{
				Account: account.Name, URL: account.URL, User: account.User, Secret: secret,
				Way: way(account), Severities: severities, Log: a.log.With("account", account.Name),
			})
		}},
	{"grafana", []string{"team", "severity label"}, "what belongs to your teams or pages you now",
		func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error) {
			return grafana.New(grafana.Options{
				Account: account.Name, URL: account.URL, User: account.User, Secret: secret,
				Way: way(account), Teams: account.Options.Teams, SeverityLabel: account.Options.SeverityLabel,
				Severities: severities, Log: a.log.With("account", account.Name),
			})
		}},
	{"jsm", []string{"query"}, "what you own or have to respond to", connectJSM(jsm.JSM)},
	{"opsgenie", []string{"query"}, "what you own or have to respond to", connectJSM(jsm.Opsgenie)},
}

func connectJSM(dialect jsm.Dialect) func(*Accounts, store.Account, string, map[string]page.Severity) (provider.Provider, error) {
	return func(a *Accounts, account store.Account, secret string, severities map[string]page.Severity) (provider.Provider, error) {
		return jsm.New(jsm.Options{
			Account: account.Name, Dialect: dialect, URL: account.URL, User: account.User, Secret: secret,
			Way: way(account), Query: account.Options.Query, Severities: severities, Log: a.log.With("account", account.Name),
		})
	}
}

func way(account store.Account) web.Way {
	o := account.Options
	return web.Way{CAFile: o.CAFile, CertificateFile: o.CertFile, KeyFile: o.KeyFile, Proxy: o.Proxy}
}

// kindOf finds the kind of an account.
func kindOf(account store.Account) (kind, bool) {
	at := slices.IndexFunc(kindsOfService, func(k kind) bool { return k.provider == account.Provider })
	if at < 0 {
		return kind{}, false
	}
	return kindsOfService[at], true
}

// connect makes the provider of an account.
func (a *Accounts) connect(account store.Account, secret string) (provider.Provider, error) {
	severities, err := severityTable(account.Options.Severities)
	if err != nil {
		return nil, err
	}
	k, known := kindOf(account)
	if !known {
		var names []string
		for _, one := range kindsOfService {
			names = append(names, one.provider)
		}
		return nil, &provider.Error{Kind: provider.Invalid, Sentence: "This version of Nightstand does not know the paging service “" + page.Plain(account.Provider, 40) + "”. It knows: " + strings.Join(names, ", ") + "."}
	}
	if setting := k.foreign(account.Options); setting != "" {
		return nil, &provider.Error{Kind: provider.Invalid, Sentence: "The setting “" + setting + "” means nothing to " + k.provider + ". Leave it out."}
	}
	return k.connect(a, account, secret, severities)
}

// foreign is a setting that is given and that means nothing to the kind.
func (k kind) foreign(o store.AccountOptions) string {
	for _, one := range []struct {
		setting string
		given   bool
	}{
		{"auth", o.Auth != ""}, {"receiver", o.Receiver != ""}, {"filter", len(o.Filters) > 0}, {"heartbeat", len(o.Heartbeats) > 0},
		{"severity label", o.SeverityLabel != ""}, {"team", len(o.Teams) > 0}, {"query", o.Query != ""},
	} {
		if one.given && !slices.Contains(k.takes, one.setting) {
			return one.setting
		}
	}
	return ""
}

// mine says in words which pages of the account are the user's.
func mine(account store.Account) string {
	var parts []string
	o := account.Options
	if o.Receiver != "" {
		parts = append(parts, "receiver "+o.Receiver)
	}
	for _, team := range o.Teams {
		parts = append(parts, "team "+team)
	}
	if o.Query != "" {
		parts = append(parts, "what “"+o.Query+"” finds")
	}
	parts = append(parts, o.Filters...)
	if len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	k, _ := kindOf(account)
	return k.mine
}
