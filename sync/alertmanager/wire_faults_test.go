package alertmanager_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// The tests of this file break the wire between us and the server.

func between(t *testing.T, server *alertmanagertest.Server) *toxiproxy.Proxy {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // its toxics log beside the logger they are given
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(control, "alertmanager", "127.0.0.1:0", server.Address())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return proxy
}

func poison(t *testing.T, proxy *toxiproxy.Proxy, kind, stream, attributes string) {
	t.Helper()
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(
		fmt.Sprintf(`{"name":"fault","type":%q,"stream":%q,"attributes":{%s}}`, kind, stream, attributes)))
	if err != nil {
		t.Fatal(err)
	}
}

func heal(t *testing.T, proxy *toxiproxy.Proxy) {
	t.Helper()
	if err := proxy.Toxics.RemoveToxic(t.Context(), "fault"); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsOnTheWire(t *testing.T) {
	for name, one := range map[string]struct {
		kind, stream, attributes string
		says                     string
	}{
		"hang":           {"timeout", "downstream", `"timeout":0`, "did not answer in time"},
		"hang and close": {"timeout", "downstream", `"timeout":50`, "broke off"},
		"reset":          {"reset_peer", "downstream", `"timeout":0`, "broke off"},
		"half an answer": {"limit_data", "downstream", `"bytes":400`, "broke off"},
		"no headers":     {"limit_data", "downstream", `"bytes":10`, "broke off"},
		"a trickle":      {"bandwidth", "downstream", `"rate":1`, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			server := alertmanagertest.Start(t, alertmanagertest.Options{})
			for i := range 40 {
				fire(server, with(diskFull, "instance", fmt.Sprintf("db-%d", i)))
			}
			proxy := between(t, server)
			p := account(t, alertmanager.Options{URL: "http://" + proxy.Listen})
			open(t, p)

			poison(t, proxy, one.kind, one.stream, one.attributes)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := p.Open(ctx)
			checkSentence(t, err, provider.Unreachable, one.says)
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("it took %s to notice", took)
			}

			heal(t, proxy)
			p.DropConnections()
			if pages := open(t, p).Pages; len(pages) != 40 {
				t.Errorf("healed, %d pages", len(pages))
			}
		})
	}
}

func TestASlowLineIsNoFailure(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	proxy := between(t, server)
	poison(t, proxy, "latency", "downstream", `"latency":150,"jitter":50`)
	p := account(t, alertmanager.Options{URL: "http://" + proxy.Listen})
	if got, err := p.Acknowledge(t.Context(), only(t, p)); err != nil || got.Status != page.Acknowledged {
		t.Fatalf("acknowledge over a slow line: %+v, %v", got, err)
	}
}

// The request got through and its answer was lost: the second press must not
// make a second silence.
func TestALostAnswerIsNotAcknowledgedTwice(t *testing.T) {
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	fire(server, checkout)
	wanted := only(t, account(t, alertmanager.Options{URL: server.URL}))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward(t, server.URL, w, r, r.Method == http.MethodPost)
	}))
	defer front.Close()
	p := account(t, alertmanager.Options{URL: front.URL})
	for range 2 {
		_, err := p.Acknowledge(t.Context(), wanted)
		checkSentence(t, err, provider.Unreachable, "broke off")
	}
	if active := server.ActiveSilences(); len(active) != 1 {
		t.Fatalf("pressed twice, %d silences", len(active))
	}
	if got := only(t, p); got.Status != page.Acknowledged {
		t.Fatalf("the poll finds it %s", got.Status)
	}
}

// forward passes a request on to another server, and with lose set hangs up
// where the answer should be.
func forward(t *testing.T, to string, w http.ResponseWriter, r *http.Request, lose bool) {
	request, err := http.NewRequest(r.Method, to+r.URL.RequestURI(), r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	if lose {
		panic(http.ErrAbortHandler)
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		t.Error(err)
	}
}

func TestAHangingPollDoesNotHoldUpAnAnswer(t *testing.T) {
	s := scripted(t)
	p := account(t, alertmanager.Options{URL: s.URL})
	open(t, p)
	stuck := make(chan struct{})
	entered := make(chan struct{}, 1)
	s.on("GET alerts", func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("filter") {
			entered <- struct{}{}
			select {
			case <-stuck:
			case <-r.Context().Done():
			}
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, oneAlert)
	})
	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := p.Open(ctx); done <- err }()
	<-entered
	got, err := p.Unacknowledge(t.Context(), page.Page{UpstreamID: oneFiring})
	if err != nil || got.UpstreamID != oneFiring {
		t.Errorf("an answer beside a hanging poll: %+v, %v", got, err)
	}
	// A second poll waits for its turn no longer than it is told to.
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = p.Open(brief)
	checkSentence(t, err, provider.Unreachable, "did not answer in time")
	giveUp()
	if err := <-done; provider.KindOf(err) != provider.Unreachable {
		t.Errorf("the hanging poll ended with %v", err)
	}
	close(stuck)
}

func TestNobodyThere(t *testing.T) {
	vacant, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := vacant.Addr().String()
	vacant.Close()
	_, err = account(t, alertmanager.Options{URL: "http://" + address}).Open(t.Context())
	checkSentence(t, err, provider.Unreachable, "refuses connections")
	if !strings.Contains(err.Error(), address) {
		t.Errorf("the sentence does not name the server: %v", err)
	}
	_, err = account(t, alertmanager.Options{URL: "http://alertmanager.invalid", Way: web.Way{Proxy: "http://" + address}}).Open(t.Context())
	if provider.KindOf(err) != provider.Unreachable {
		t.Errorf("a proxy that is down gave %v", err)
	}
	_, err = account(t, alertmanager.Options{URL: "https://alertmanager.invalid", Way: web.Way{Proxy: "http://" + address}}).Open(t.Context())
	checkSentence(t, err, provider.Unreachable, "proxy")
	_, err = account(t, alertmanager.Options{URL: "http://alertmanager.invalid:9093"}).Open(t.Context())
	checkSentence(t, err, provider.Unreachable, "cannot be found")
}

func TestThroughAProxy(t *testing.T) {
	s := scripted(t)
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Host)
		s.Config.Handler.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	open(t, account(t, alertmanager.Options{URL: "http://alertmanager.invalid:9093", Way: web.Way{Proxy: proxy.URL}}))
	if len(asked) == 0 || asked[0] != "alertmanager.invalid:9093" {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

func TestNotTLS(t *testing.T) {
	s := scripted(t)
	_, err := account(t, alertmanager.Options{URL: strings.Replace(s.URL, "http", "https", 1)}).Open(t.Context())
	checkSentence(t, err, provider.NotTheAPI, "http:// instead of https://")
}
