package alertmanager_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/provider"
	"nightstand/sync/provider/providertest"
)

// TestConformance runs the suite over a real Alertmanager that asks for a
// password. One server serves all stories, one after the other.
func TestConformance(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{BasicAuth: true})
	kind := func(of string) http.Header { return http.Header{"Content-Type": {of}} }
	providertest.Run(t, providertest.Subject{
		Start: func(t testing.TB) providertest.Service { return alertmanagertest.Hold(t, server) },
		Connect: func(t testing.TB, address string) provider.Provider {
			t.Helper()
			made, err := alertmanager.New(alertmanager.Options{Account: "prod", URL: address, User: alertmanagertest.User, Secret: alertmanagertest.Password})
			if err != nil {
				t.Fatal(err)
			}
			return made
		},
		Secret:  alertmanagertest.Password,
		Forgets: true,
		Errors: []providertest.Answer{
			{Status: 401, Header: http.Header{"WWW-Authenticate": {"Basic"}}, Body: "Unauthorized\n", Kind: provider.Refused},
			{Status: 401, Kind: provider.Refused},
			{Status: 403, Header: kind("text/html"), Body: "<h1>Forbidden</h1>", Kind: provider.Refused},
			{Status: 429, Header: http.Header{"Retry-After": {"12"}}, Kind: provider.RateLimited, RetryAfter: 12 * time.Second},
			{Status: 503, Header: kind("text/plain; charset=utf-8"), Body: "Limit of concurrent GET requests reached (8), try again later.\n", Kind: provider.RateLimited},
			{Status: 400, Header: kind("application/json"), Body: `"bad matcher format"`, Kind: provider.Invalid},
			{Status: 422, Header: kind("application/json"), Body: `{"code":612,"message":"matchers in body should have at least 1 items"}`, Kind: provider.Invalid},
			{Status: 404, Header: kind("application/json"), Body: `{"code":404,"message":"path /api/v2/alerts was not found"}`, Kind: provider.NotTheAPI},
			{Status: 410, Header: kind("application/json"), Body: `{"status":"deprecated"}`, Kind: provider.NotTheAPI},
		},
		Never: map[providertest.Event]string{
			providertest.ReopenedThere: "an alert that fires again has another start and is another page",
			providertest.GivenAway:     "nobody is assigned here",
			providertest.ManyPages:     "every list comes in one answer",
		},
	})
}
