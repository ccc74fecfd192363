package grafana_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
	"nightstand/sync/provider/providertest"
)

// inPieces is how many groups one answer holds: few, so that long lists stay short.
const inPieces = 4

func TestGrafanaIsAProviderLikeAnyOther(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Start: func(testing.TB) providertest.Service { return grafanatest.New(grafanatest.Options{AtOnce: inPieces}) },
		Connect: func(t testing.TB, address string) provider.Provider {
			p, err := grafana.New(grafana.Options{Account: "prod", URL: address, Secret: grafanatest.Key})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Secret: grafanatest.Key,
		AtOnce: inPieces,
		Errors: []providertest.Answer{
			{Status: 400, Body: `{"state":["no such state"]}`, Kind: provider.Invalid},
			{Status: 401, Body: `{"detail":"who are you"}`, Kind: provider.Refused},
			{Status: 402, Body: `{"detail":"not in this plan"}`, Kind: provider.Refused},
			{Status: 403, Body: `{"detail":"Invalid token."}`, Kind: provider.Refused},
			{Status: 403, Body: `{"detail":"no permission"}`, Kind: provider.Refused},
			{Status: 404, Body: `{"detail":"Not found."}`, Kind: provider.Invalid},
			{Status: 409, Body: `{"detail":{"team":["busy"]}}`, Kind: provider.Invalid},
			{Status: 429, Header: http.Header{"RateLimit-Reset": {"42"}}, Body: `{"detail":"slow down"}`, Kind: provider.RateLimited, RetryAfter: 42 * time.Second},
			{Status: 429, Body: `["slow down"]`, Kind: provider.RateLimited},
		},
		Never: map[providertest.Event]string{providertest.GivenAway: "alert groups belong to teams and are nobody's"},
	})
}
