package goalert_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/sync/goalert"
	"nightstand/sync/goalert/goalerttest"
	"nightstand/sync/provider"
	"nightstand/sync/provider/providertest"
)

// never are the events that GoAlert does not know.
var never = map[providertest.Event]string{
	providertest.ReopenedThere: "a closed alert is final",
}

// saysNo are the shapes of GoAlert's refusals, as they were met.
func saysNo() []providertest.Answer {
	plain := http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	graph := http.Header{"Content-Type": {"application/json"}}
	return []providertest.Answer{
		{Status: 401, Header: plain, Body: "unauthorized\n", Kind: provider.Refused},
		{Status: 400, Header: plain, Body: "invalid signature\n", Kind: provider.Refused},
		{Status: 400, Header: plain, Body: "invalid token header format\n", Kind: provider.Refused},
		{Status: 403, Header: plain, Body: "forbidden\n", Kind: provider.Refused},
		{Status: 404, Header: plain, Body: "404 page not found\n", Kind: provider.NotTheAPI},
		{Status: 408, Header: plain, Body: "request timeout\n", Kind: provider.RateLimited},
		{Status: 429, Header: plain, Body: "Too many concurrent requests for this key or session\n", Kind: provider.RateLimited},
		{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Kind: provider.RateLimited, RetryAfter: 7 * time.Second},
		{Status: 503, Header: graph, Body: `{"errors":[{"message":"unexpected error"}],"data":null}`, Kind: provider.Broken},
	}
}

func TestASessionIsAProvider(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Start: func(testing.TB) providertest.Service { return goalerttest.New(goalerttest.Options{}) },
		Connect: func(t testing.TB, address string) provider.Provider {
			return connect(t, goalert.Options{Account: "prod", URL: address, User: goalerttest.User, Secret: goalerttest.Password})
		},
		Secret: goalerttest.Password, AtOnce: 100, Errors: saysNo(), Never: never,
	})
}

func TestAnAPIKeyIsAProvider(t *testing.T) {
	const secret = "eyJhbGciOiJFUzIyNCIsImtleSI6MCwidHlwIjoiSldUIn0"
	var service *goalerttest.Server
	providertest.Run(t, providertest.Subject{
		Start: func(testing.TB) providertest.Service {
			service = goalerttest.New(goalerttest.Options{})
			return service
		},
		Connect: func(t testing.TB, address string) provider.Provider {
			return connect(t, goalert.Options{Account: "prod", URL: address, Secret: service.Key(goalert.KeyDocument, time.Now().Add(time.Hour))})
		},
		Secret: secret, AtOnce: 100, Errors: saysNo(),
		Never: map[providertest.Event]string{
			providertest.ReopenedThere: "a closed alert is final",
			providertest.GivenAway:     "a key is nobody, and everything open is listed",
		},
	})
}

func connect(t testing.TB, options goalert.Options) *goalert.Provider {
	t.Helper()
	p, err := goalert.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
