package pagerduty_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/sync/drill"
	"nightstand/sync/drill/drilltest"
	"nightstand/sync/pagerduty"
	"nightstand/sync/provider"
	"nightstand/sync/provider/providertest"
)

// accountKey belongs to nobody.
const accountKey = "drill-account-key-00"

// TestConformance runs the suite with a key of the user's own.
func TestConformance(t *testing.T) {
	providertest.Run(t, subject(pagerduty.Options{Secret: drill.DefaultKey}))
}

// TestConformanceOfTheAccountsKey runs it with a key that acts for the user.
func TestConformanceOfTheAccountsKey(t *testing.T) {
	providertest.Run(t, subject(pagerduty.Options{Secret: accountKey, User: "Ana@drill.example"}))
}

func subject(options pagerduty.Options) providertest.Subject {
	options.Account = "prod"
	jsonHeader := func(more ...string) http.Header {
		header := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(more); i += 2 {
			header.Set(more[i], more[i+1])
		}
		return header
	}
	return providertest.Subject{
		Start: func(t testing.TB) providertest.Service {
			return drilltest.New(t, drill.Options{AccountKey: accountKey})
		},
		Connect: func(t testing.TB, address string) provider.Provider {
			t.Helper()
			options := options
			options.URL = address
			made, err := pagerduty.New(options)
			if err != nil {
				t.Fatal(err)
			}
			return made
		},
		Secret: options.Secret,
		AtOnce: 100,
		Errors: []providertest.Answer{
			{Status: 401, Header: jsonHeader(), Body: `{"error":{"code":2006,"message":"Authentication failed"}}`, Kind: provider.Refused},
			{Status: 403, Header: jsonHeader(), Body: `{"error":{"code":2010,"message":"Access Denied","errors":"no"}}`, Kind: provider.Refused},
			{Status: 402, Header: jsonHeader(), Body: `{"error":{"code":2014,"message":"Payment Required"}}`, Kind: provider.Refused},
			{Status: 429, Header: jsonHeader("ratelimit-reset", "17"), Body: `{"error":{"code":2020,"message":"Rate Limit Exceeded"}}`, Kind: provider.RateLimited, RetryAfter: 17 * time.Second},
			{Status: 429, Header: http.Header{"Retry-After": {"4"}}, Kind: provider.RateLimited, RetryAfter: 4 * time.Second},
			{Status: 429, Kind: provider.RateLimited},
			{Status: 503, Header: http.Header{"Retry-After": {"30"}}, Kind: provider.Broken, RetryAfter: 30 * time.Second},
		},
	}
}
