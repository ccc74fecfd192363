package grafana_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

func TestTheListIsReadStateByState(t *testing.T) {
	n := begin(t)
	calls, answered, quiet, over := n.service.Page("calls"), n.service.Page("answered"), n.service.Page("quiet"), n.service.Page("over")
	n.service.Acknowledge(answered, "Bela")
	n.service.Silence(quiet, n.now().Add(time.Hour))
	n.service.Resolve(over)
	status := map[string]page.Status{calls: page.Triggered, answered: page.Acknowledged, quiet: page.Triggered}
	pages := n.open()
	if len(pages) != 3 {
		t.Fatalf("%+v", pages)
	}
	for _, got := range pages {
		if got.Status != status[got.UpstreamID] || (got.MutedBy != "") != (got.UpstreamID == quiet) {
			t.Errorf("%+v", got)
		}
	}
	for _, one := range n.service.Heard() {
		if strings.Contains(one, "/alert_groups/") && strings.Count(one, "state=") != 1 {
			t.Errorf("a list of more than one state, or of all: %s", one)
		}
	}
}

func TestTheNextPieceIsAskedForWhereTheKeyBelongs(t *testing.T) {
	n := beginWith(t, grafanatest.Options{AtOnce: 2})
	strangers := 0
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers++ }))
	defer stranger.Close()
	for range 5 {
		n.service.Page("Disk full")
	}
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		recorder := httptest.NewRecorder()
		n.service.ServeHTTP(recorder, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorder.Code)
		_, _ = io.WriteString(w, strings.ReplaceAll(recorder.Body.String(), "https://engine.example.net", stranger.URL))
		return true
	})
	if got := len(n.open()); got != 5 || strangers != 0 {
		t.Errorf("%d pages, and strangers were asked %d times", got, strangers)
	}
}

func TestWhatMovesWhileTheListIsReadIsListedOnceAsItWasReadLast(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.service.Acknowledge(id, "Bela")
	n.before("state=new", func() { n.service.RunOut(id) })
	pages := n.open()
	if len(pages) != 1 || pages[0].Status != page.Triggered || pages[0].AcknowledgedBy != "" {
		t.Errorf("%+v", pages)
	}
}

func TestWhatSlipsBetweenTwoListsIsAskedForByItself(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.open()
	n.before("state=new", func() { n.service.Acknowledge(id, "Bela") }) // the other list was read before
	if pages := n.open(); len(pages) != 1 || pages[0].Status != page.Acknowledged || pages[0].AcknowledgedBy != "bela" {
		t.Errorf("%+v", pages)
	}
}

func TestAListThatShrinksWhileItIsReadLosesNothing(t *testing.T) {
	n := beginWith(t, grafanatest.Options{AtOnce: 2})
	var ids []string
	for range 5 {
		ids = append(ids, n.service.Page("Disk full"))
	}
	n.before("page=2&perpage=100&state=new", func() { n.service.Resolve(ids[4]) }) // the others move up
	open := 0
	for _, one := range n.open() {
		if one.Open() {
			open++
		}
	}
	if open != 4 {
		t.Errorf("%d pages are open", open)
	}
}

func TestAListThatNeverStandsStillIsAnError(t *testing.T) {
	n := beginWith(t, grafanatest.Options{AtOnce: 2})
	var ids []string
	for range 20 {
		ids = append(ids, n.service.Page("Disk full"))
	}
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("state") == "new" && r.URL.Query().Get("page") != "1" {
			n.service.Resolve(ids[len(ids)-1])
			ids = ids[:len(ids)-1]
		}
		return false
	})
	_, err := n.provider.Open(t.Context())
	if said := refused(t, err, "faster than it could be read"); said.Kind != provider.Broken {
		t.Errorf("it is %s", said.Kind)
	}
}

func TestAListThatWouldUseUpTheKeyIsAnError(t *testing.T) {
	n := beginWith(t, grafanatest.Options{AtOnce: 1})
	for range 21 {
		n.service.Page("Disk full")
	}
	_, err := n.provider.Open(t.Context())
	refused(t, err, "more than", "Resolve what is over")
}

func TestAPieceThatIsSentAgainAndAgainEnds(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("state") != "new" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"count":1,"next":"https://engine.example.net/?page=2","results":[{"id":%q,"state":"firing"}]}`, id)
		return true
	})
	if pages := n.open(); len(pages) != 1 || pages[0].UpstreamID != id {
		t.Errorf("%+v", pages)
	}
	if asked := n.heard("state=new"); asked != 0 {
		t.Errorf("the service was asked %d times", asked)
	}
}

func TestWhatEndedIsToldOnce(t *testing.T) {
	n := begin(t)
	over, deleted := n.service.Page("over"), n.service.Page("deleted")
	before := n.open()
	n.service.Resolve(over)
	n.service.Delete(deleted)
	n.provider = n.connect() // the agent was started anew
	n.provider.Remember(before)
	if pages := n.open(); len(pages) != 1 || pages[0].UpstreamID != over || pages[0].Status != page.Resolved {
		t.Errorf("%+v", pages)
	}
	if pages := n.open(); len(pages) != 0 {
		t.Errorf("it is told again: %+v", pages)
	}
}

func TestTheServicesClockIsTold(t *testing.T) {
	n := begin(t)
	if snapshot, err := n.provider.Open(t.Context()); err != nil || !snapshot.ServerTime.Equal(n.now()) {
		t.Errorf("%v, %s", err, snapshot.ServerTime)
	}
}

func TestReadingLeavesRoomForTheUsersOtherTools(t *testing.T) {
	n := beginWith(t, grafanatest.Options{Allowance: 300})
	n.service.Page("Disk full")
	pause := n.provider.Capabilities().LeastPause
	if pause != 20*time.Second {
		t.Errorf("a list is read every %s", pause)
	}
	for range int(5 * time.Minute / pause) {
		n.open()
		n.pass(pause)
	}
	if asked := len(n.service.Heard()); asked > 300/4 {
		t.Errorf("five minutes take %d of 300 requests", asked)
	}

	long := beginWith(t, grafanatest.Options{AtOnce: 1})
	for range 8 {
		long.service.Page("Disk full")
	}
	long.open()
	if pause := long.provider.Capabilities().LeastPause; pause != 40*time.Second {
		t.Errorf("a list of ten requests is read every %s", pause)
	}
}

func TestBeingAskedTooOftenIsToldWithHowLongToWait(t *testing.T) {
	n := beginWith(t, grafanatest.Options{Allowance: 20})
	n.service.Page("Disk full")
	var err error
	for range 10 {
		n.pass(time.Second)
		if _, err = n.provider.Open(t.Context()); err != nil {
			break
		}
	}
	said := refused(t, err, "too often")
	if said.Kind != provider.RateLimited || said.RetryAfter <= 4*time.Minute || said.RetryAfter > 5*time.Minute {
		t.Errorf("it is %s and waits %s", said.Kind, said.RetryAfter)
	}
}

func TestAKeyThatIsNotKnownIsSaidSo(t *testing.T) {
	n := begin(t, func(o *grafana.Options) { o.Secret = "deadbeef" })
	_, err := n.provider.Test(t.Context())
	if said := refused(t, err, "does not know this API key", "Admin & API"); said.Kind != provider.Refused || strings.Contains(said.Error(), "deadbeef") {
		t.Errorf("%s: %v", said.Kind, said)
	}
	n.provider = n.connect(func(o *grafana.Options) { o.Secret = "" })
	asked := len(n.service.Heard())
	_, err = n.provider.Open(t.Context())
	if said := refused(t, err, "has none"); said.Kind != provider.Refused || len(n.service.Heard()) != asked {
		t.Errorf("%s, and the service was asked without a key", said.Kind)
	}
}

func TestSettingsThatCannotWorkAreRefusedInWords(t *testing.T) {
	for name, change := range map[string]func(*grafana.Options){
		"no address":                     func(o *grafana.Options) { o.URL = "" },
		"no encryption":                  func(o *grafana.Options) { o.URL = "http://oncall.example.org" },
		"a password in the address":      func(o *grafana.Options) { o.URL = "https://ana:hunter2@oncall.example.org" },
		"Grafana's own address":          func(o *grafana.Options) { o.URL = "https://example.grafana.net/" },
		"a key with a line end":          func(o *grafana.Options) { o.Secret = "hunter2\nhunter2" },
		"a severity that is none":        func(o *grafana.Options) { o.Severities = map[string]page.Severity{"p1": "awful"} },
		"a proxy that is none":           func(o *grafana.Options) { o.Way = web.Way{Proxy: "::"} },
		"a service account on its own":   func(o *grafana.Options) { o.Secret = grafanatest.Token },
		"a service account over http":    func(o *grafana.Options) { o.Secret, o.User = grafanatest.Token, "http://example.grafana.net" },
		"a service account with a login": func(o *grafana.Options) { o.Secret, o.User = grafanatest.Token, "ana@example.org" },
	} {
		options := grafana.Options{Account: "work", URL: "https://oncall.example.org", Secret: "key"}
		change(&options)
		_, err := grafana.New(options)
		if said := refused(t, err); said.Kind != provider.Invalid || strings.Contains(said.Error(), "hunter2") || !strings.HasSuffix(said.Sentence, ".") {
			t.Errorf("%s: %s, %v", name, said.Kind, said)
		}
	}
}

func TestTheAddressMayBeGivenInAnyUsualWay(t *testing.T) {
	n := begin(t)
	n.service.Page("Disk full")
	for _, ending := range []string{"", "/", "/api/v1", "/api/v1/"} {
		n.provider = n.connect(func(o *grafana.Options) { o.URL = n.address + ending; o.Secret = " Bearer " + grafanatest.Key + "\n" })
		if got := len(n.open()); got != 1 {
			t.Errorf("with %q there are %d pages", ending, got)
		}
	}
}

func TestTheIntroductionNamesTheUser(t *testing.T) {
	n := begin(t, func(o *grafana.Options) { o.User = "bela@example.org" })
	told, err := n.provider.Test(t.Context())
	if err != nil || told.User != "ana" || len(told.Lacks) != 0 {
		t.Fatalf("%v, %+v", err, told)
	}
	if notes := strings.Join(told.Notes, "\n"); !strings.Contains(notes, "ana (ana@example.org)") || !strings.Contains(notes, "belongs to somebody else") {
		t.Error(notes)
	}
	n.service.Arrange(func(all *grafanatest.Arrangement) { (*all.Users)[0].Role = "viewer" })
	if told, err = n.provider.Test(t.Context()); err != nil || len(told.Lacks) != 1 {
		t.Errorf("%v, %q", err, told.Lacks)
	}
}

func TestAServiceAccountMayOnlyLook(t *testing.T) {
	n := begin(t)
	var shown []string
	n.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		shown = append(shown, r.Header.Get("X-Grafana-URL"))
		return false
	})
	n.provider = n.connect(func(o *grafana.Options) { o.Secret, o.User = grafanatest.Token, "https://example.grafana.net/" })
	id := n.service.Fire(grafanatest.Group{Title: "Disk full", Team: grafanatest.Networks})
	told, err := n.provider.Test(t.Context())
	if err != nil || len(told.Open) != 1 || len(told.Lacks) != 1 || !strings.Contains(told.Lacks[0], "your own OnCall API key") {
		t.Fatalf("%v, %+v", err, told)
	}
	for _, one := range shown {
		if one != "https://example.grafana.net" {
			t.Errorf("the stack is told as %q", one)
		}
	}
	able := n.provider.Capabilities()
	if able.Unacknowledge || len(able.Deeds) != 1 || !able.Can(provider.Note) {
		t.Errorf("%+v", able)
	}
	wanted := told.Open[0]
	if !wanted.Mine {
		t.Errorf("%+v", wanted)
	}
	for name, deed := range map[string]func() (page.Page, error){
		"acknowledge":   func() (page.Page, error) { return n.provider.Acknowledge(t.Context(), wanted) },
		"unacknowledge": func() (page.Page, error) { return n.provider.Unacknowledge(t.Context(), wanted) },
		"resolve":       func() (page.Page, error) { return n.do(wanted, provider.Errand{Deed: provider.Resolve}) },
		"reassign":      func() (page.Page, error) { return n.do(wanted, provider.Errand{Deed: provider.Reassign}) },
	} {
		if _, err := deed(); !errors.Is(err, provider.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n.heard("POST") != 0 {
		t.Error("what is refused anyhow was sent")
	}
	for range 2 {
		if _, err := n.do(wanted, provider.Errand{Deed: provider.Note, Text: "Seen.", Tried: true}); err != nil {
			t.Error(err)
		}
	}
	if notes := n.service.Notes(id); len(notes) != 1 {
		t.Errorf("%q", notes)
	}
}

func TestAddressesAreEscapedByNobodyElse(t *testing.T) {
	n := begin(t)
	for _, id := range []string{"", "../users/current", "a b", url.QueryEscape("a/b")} {
		_, err := n.provider.Acknowledge(t.Context(), page.Page{UpstreamID: id})
		refused(t, err, "no identity")
	}
	if asked := n.heard("alert_groups"); asked != 0 {
		t.Errorf("the service was asked %d times", asked)
	}
}
