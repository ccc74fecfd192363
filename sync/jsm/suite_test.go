package jsm_test

import (
	"net/http"
	"testing"
	"time"

	"nightstand/sync/jsm"
	"nightstand/sync/jsm/jsmtest"
	"nightstand/sync/provider"
	"nightstand/sync/provider/providertest"
)

// The cloud's path is part of a JSM account's address.
const cloudPath = "/jsm/ops/api/" + jsmtest.Cloud

var dialects = []jsm.Dialect{jsm.JSM, jsm.Opsgenie}

func options(spoken jsm.Dialect, address string) jsm.Options {
	if spoken == jsm.JSM {
		address += cloudPath
	}
	return jsm.Options{Account: "prod", Dialect: spoken, URL: address, User: jsmtest.User, Secret: jsmtest.Secret}
}

func connect(t testing.TB, o jsm.Options) *jsm.Provider {
	t.Helper()
	p, err := jsm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestBothDialectsKeepToTheContract(t *testing.T) {
	says := func(status int, kind provider.Kind, body string) providertest.Answer {
		return providertest.Answer{Status: status, Kind: kind, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
	}
	busy := says(429, provider.RateLimited, `{"message":"You are making too many requests!","took":0.0,"requestId":"r"}`)
	busy.Header.Set("X-RateLimit-Period-In-Sec", "17")
	busy.RetryAfter = 17 * time.Second
	later := says(429, provider.RateLimited, `{"errors":[{"title":"Too many requests","code":"429"}]}`)
	later.Header.Set("Retry-After", "5")
	later.RetryAfter = 5 * time.Second
	for _, spoken := range dialects {
		t.Run(string(spoken), func(t *testing.T) {
			providertest.Run(t, providertest.Subject{
				Start: func(testing.TB) providertest.Service {
					return jsmtest.New(jsmtest.Options{Dialect: spoken, Moment: 2 * time.Millisecond})
				},
				Connect: func(t testing.TB, address string) provider.Provider {
					p, err := jsm.New(options(spoken, address))
					if err != nil {
						t.Fatal(err)
					}
					return p
				},
				Secret: jsmtest.Secret,
				AtOnce: 100,
				Errors: []providertest.Answer{
					says(401, provider.Refused, `{"errors":[{"title":"Unauthorized","code":"401","detail":"scope does not match"}]}`),
					says(401, provider.Refused, `{"message":"Could not authenticate","took":0.001,"requestId":"r"}`),
					says(402, provider.Refused, `{"message":"Your plan does not include this","took":0.001}`),
					says(403, provider.Refused, `{"code":403,"message":"You are not authorized"}`),
					says(403, provider.Refused, `{"errorMessages":["no"],"errors":{}}`),
					says(422, provider.Invalid, `{"message":"Request body is not processable","errors":{"query":"is odd"},"took":0.0}`),
					busy, later,
				},
			})
		})
	}
}
