package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"nightstand/app/control"
	"nightstand/sync/alertmanager/alertmanagertest"
)

// The tests of this file break the wire between the agent and a real
// Alertmanager, and take their time: blindness is said after 45 seconds.

// sees sets a watch up over a real Alertmanager behind a proxy that can spoil
// the wire.
func sees(t *testing.T) (*office, *toxiproxy.Proxy) {
	t.Helper()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	zerolog.SetGlobalLevel(zerolog.Disabled)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "alertmanager", "127.0.0.1:0", server.Address())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "prod", Provider: "alertmanager", URL: "http://" + proxy.Listen, User: "ben"}); err != nil {
		t.Fatal(err)
	}
	o.until("the account is seen", func() bool { return o.seen("prod") })
	return o, proxy
}

func (o *office) blind() bool { return o.agent.State().Armed.State == "blind" }

// within waits for something and says how long that took.
func (o *office) within(limit time.Duration, what string, holds func() bool) time.Duration {
	o.t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > limit {
			o.t.Fatalf("not within %v: %s\n%+v", limit, what, o.agent.State().Accounts)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// Whatever befalls the wire, that nothing is seen is said within 45 seconds of
// the last look that succeeded, and sight is back five seconds after it mends.
func TestBlindnessAndSightOverASpoiledWire(t *testing.T) {
	if testing.Short() {
		t.Skip("each fault takes a minute")
	}
	for name, toxic := range map[string]string{
		"latency":   `{"name":"fault","type":"latency","stream":"downstream","attributes":{"latency":30000}}`,
		"bandwidth": `{"name":"fault","type":"bandwidth","stream":"downstream","attributes":{"rate":0}}`,
		"reset":     `{"name":"fault","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`,
		"time-out":  `{"name":"fault","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
		"slicer":    `{"name":"fault","type":"slicer","stream":"downstream","attributes":{"average_size":1,"size_variation":0,"delay":100000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, proxy := sees(t)
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
				t.Fatal(err)
			}
			lastSeen := *o.account("prod").LastGoodPoll
			o.within(60*time.Second, "blindness is said", o.blind)
			if took := time.Since(lastSeen); took < 40*time.Second || took > 50*time.Second {
				t.Errorf("it was said %v after the last look that succeeded", took)
			}
			o.mustSound(t, "blind", "without sight")
			if why := o.account("prod").Error; why == "" {
				t.Error("it is not said why")
			}
			if err := proxy.Toxics.RemoveToxic(t.Context(), "fault"); err != nil {
				t.Fatal(err)
			}
			if took := o.within(20*time.Second, "sight is back", func() bool { return !o.blind() }); took > 6*time.Second {
				t.Errorf("sight came back after %v", took)
			}
			o.mustSound(t, "", "with sight")
		})
	}
}

// A service that was down for long is seen soon after it is back, because
// failures never stretch the pause much on shift.
func TestAServiceThatComesBackIsSeenSoon(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes more than a minute")
	}
	t.Parallel()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	through := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "maintenance", http.StatusServiceUnavailable)
			return
		}
		through.ServeHTTP(w, r)
	}))
	defer front.Close()
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "prod", Provider: "alertmanager", URL: front.URL, User: "ben"}); err != nil {
		t.Fatal(err)
	}
	o.until("the account is seen", func() bool { return o.seen("prod") })
	down.Store(true)
	// Long enough for the pauses to be as long as they get.
	time.Sleep(75 * time.Second)
	down.Store(false)
	back := time.Now()
	o.within(12*time.Second, "it is seen again", func() bool { return o.account("prod").LastGoodPoll.After(back) && !o.blind() })
	if took := time.Since(back); took > 6*time.Second {
		t.Errorf("it was seen after %v", took)
	}
}

// One slow account delays nobody's pages.
func TestASlowAccountDelaysNoOther(t *testing.T) {
	o, proxy := sees(t)
	fast := alertmanagertest.Start(t, alertmanagertest.Options{})
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "fast", Provider: "alertmanager", URL: fast.URL, User: "ben"}); err != nil {
		t.Fatal(err)
	}
	o.until("both are seen", func() bool { return o.seen("prod") && o.seen("fast") })
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"name":"fault","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second) // a look at the slow one hangs by now
	fast.Post(alertmanagertest.Alert{Labels: map[string]string{"alertname": "DiskFull", "severity": "critical"}})
	if took := o.within(10*time.Second, "the page of the other account rings", func() bool { return o.bell.pattern() == "critical" }); took > 5*time.Second {
		t.Errorf("it rang after %v", took)
	}
	if got := slices.Collect(func(yield func(string) bool) {
		for _, p := range o.agent.Pages(false) {
			if !yield(fmt.Sprint(p.Account, " ", p.Ringing)) {
				return
			}
		}
	}); !slices.Equal(got, []string{"fast true"}) {
		t.Errorf("there are %q", got)
	}
}
