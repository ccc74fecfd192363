package alertmanager_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// The tests of this file speak to a scripted server, for what a real one of
// today does not do on demand: odd answers, other versions, old age.

// script answers each request by its method and path below /api/v2.
type script struct {
	*httptest.Server
	mutex    sync.Mutex
	answers  map[string]http.HandlerFunc
	requests []string
	secrets  []string
}

const (
	startedLongAgo = "2026-11-01T00:00:00.000Z"
	oneAlert       = `[{"fingerprint":"0c6be24186ecae9a","startsAt":"2026-11-22T17:37:49.000Z","endsAt":"2026-11-22T17:47:49.478Z",
 "updatedAt":"2026-11-22T17:42:49.478Z","labels":{"alertname":"HighErr","severity":"critical","service":"checkout"},
 "annotations":{"summary":"5xx"},"generatorURL":"http://prom/g",
 "receivers":[{"name":"default","labels":{"team":"web"}}],
 "status":{"state":"active","silencedBy":[],"inhibitedBy":[],"mutedBy":[]}}]`
	oneFiring = "0c6be24186ecae9a@2026-11-22T17:37:49Z"
)

func scripted(tb testing.TB) *script {
	tb.Helper()
	s := &script{answers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v2/")
		s.mutex.Lock()
		s.requests = append(s.requests, name)
		s.secrets = append(s.secrets, r.Header.Get("Authorization"))
		answer := s.answers[name]
		s.mutex.Unlock()
		if answer == nil {
			http.NotFound(w, r)
			return
		}
		answer(w, r)
	}))
	tb.Cleanup(s.Close)
	s.json("GET status", `{"uptime":"`+startedLongAgo+`","versionInfo":{"version":"0.34.0"},"config":{"original":"smtp_auth_password: hunter2"}}`)
	s.json("GET alerts", oneAlert)
	s.json("GET silences", `[]`)
	s.json("GET receivers", `[{"name":"default","labels":{"team":"web"}}]`)
	return s
}

func (s *script) on(name string, answer http.HandlerFunc) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.answers[name] = answer
}

func (s *script) json(name, body string) {
	s.on(name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	})
}

func (s *script) text(name string, status int, contentType, body string) {
	s.on(name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

// asked counts the requests of a name and forgets them all.
func (s *script) asked(name string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := 0
	for _, one := range s.requests {
		if one == name {
			count++
		}
	}
	s.requests = nil
	return count
}

func TestBadAnswersAreClearSentences(t *testing.T) {
	long := strings.Repeat("x", 17<<20)
	for name, one := range map[string]struct {
		status            int
		contentType, body string
		kind              provider.Kind
		says              string
	}{
		"a web page":            {200, "text/html; charset=utf-8", "<html>Welcome</html>", provider.NotTheAPI, "a web page"},
		"no content type":       {200, "", "", provider.NotTheAPI, "without a content type"},
		"half JSON":             {200, "application/json", `[{"fingerprint":`, provider.Broken, "makes no sense"},
		"JSON of another shape": {200, "application/json", `{"status":"success","data":[]}`, provider.Broken, "makes no sense"},
		"a number as a label":   {200, "application/json", `[{"labels":{"a":1}}]`, provider.Broken, "makes no sense"},
		"null":                  {200, "application/json", `null`, provider.Broken, "makes no sense"},
		"null as an alert":      {200, "application/json", `[null]`, provider.Broken, "makes no sense"},
		"nothing":               {200, "application/json", ``, provider.Broken, "makes no sense"},
		"17 MB":                 {200, "application/json", `["` + long + `"]`, provider.Broken, "larger than 16 MB"},
		"not found":             {404, "text/plain", "404 page not found", provider.NotTheAPI, "should look like"},
		"gone":                  {410, "application/json", `{"status":"deprecated"}`, provider.NotTheAPI, "HTTP 410"},
		"method":                {405, "text/plain", "", provider.NotTheAPI, "HTTP 405"},
		"unauthorised":          {401, "text/plain", "Unauthorized", provider.Refused, "asks for a password"},
		"forbidden":             {403, "application/json", `{"code":403,"message":"no"}`, provider.Refused, "not allowed"},
		"proxy password":        {407, "text/plain", "", provider.Refused, "proxy"},
		"bare string":           {400, "application/json", `"bad matcher format: team"`, provider.Invalid, "bad matcher format: team"},
		"code and message":      {422, "application/json", `{"code":612,"message":"matchers in body should have at least 1 items"}`, provider.Invalid, "at least 1 items"},
		"wrong type":            {415, "application/json", `{"code":415,"message":"unsupported media type"}`, provider.Invalid, "unsupported media type"},
		"too many at once":      {503, "text/plain", "Limit of concurrent GET requests reached (8), try again later.\n", provider.RateLimited, "wait"},
		"too often":             {429, "text/plain", "", provider.RateLimited, "wait"},
		"unwell":                {500, "application/json", `"storage broken"`, provider.Broken, "HTTP 500"},
		"unavailable":           {503, "text/html", "<h1>503</h1>", provider.Broken, "HTTP 503"},
		"gateway":               {502, "text/html", "<h1>502</h1>", provider.Broken, "gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t)
			if one.contentType == "" {
				s.on("GET alerts", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil })
			} else {
				s.text("GET alerts", one.status, one.contentType, one.body)
			}
			p := account(t, alertmanager.Options{URL: s.URL})
			_, err := p.Open(t.Context())
			checkSentence(t, err, one.kind, one.says)
			s.json("GET alerts", oneAlert)
			if got := only(t, p); got.Title != "5xx" {
				t.Errorf("when the server is well again: %+v", got)
			}
		})
	}
}

func checkSentence(t *testing.T, err error, kind provider.Kind, says string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	sentence := provider.Sentence(err)
	if provider.KindOf(err) != kind || !strings.Contains(sentence, says) {
		t.Fatalf("kind %s: %v\nwant %s with %q", provider.KindOf(err), err, kind, says)
	}
	if !strings.HasSuffix(sentence, ".") || strings.ContainsAny(sentence, "\n\x1b") || len(sentence) > 600 {
		t.Errorf("not a sentence for people: %q", sentence)
	}
}

func TestRetryAfter(t *testing.T) {
	s := scripted(t)
	s.on("GET alerts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := account(t, alertmanager.Options{URL: s.URL}).Open(t.Context())
	var failure *provider.Error
	if !errors.As(err, &failure) || failure.RetryAfter != 17*time.Second {
		t.Fatalf("asked to wait 17 s, got %v", err)
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	var strayed []string
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strayed = append(strayed, r.Header.Get("Authorization"))
	}))
	defer portal.Close()
	for _, auth := range []string{"", "basic", "bearer"} {
		s := scripted(t)
		s.on("GET status", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, portal.URL+"/login", http.StatusFound)
		})
		_, err := account(t, alertmanager.Options{URL: s.URL, Secret: "sesame", Auth: auth}).Open(t.Context())
		checkSentence(t, err, provider.NotTheAPI, strings.TrimPrefix(portal.URL, "http://"))
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	if len(strayed) != 0 {
		t.Errorf("%d requests reached the other host, with %q", len(strayed), strayed)
	}
	s := scripted(t)
	s.on("GET status", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(s.URL, "http", "https", 1), http.StatusMovedPermanently)
	})
	_, err := account(t, alertmanager.Options{URL: s.URL}).Open(t.Context())
	checkSentence(t, err, provider.NotTheAPI, "https:// instead of http://")
}

func TestTheServerSaysHowToLogIn(t *testing.T) {
	for name, one := range map[string]struct{ auth, challenge, want string }{
		"asked for basic":    {"", `Bearer realm="x", Basic realm="y"`, "Basic YW5uYTpzZXNhbWU="},
		"asked for a token":  {"", `Bearer realm="x"`, "Bearer sesame"},
		"asked for anything": {"", ``, "Bearer sesame"},
		"basic by choice":    {"basic", `Bearer`, "Basic YW5uYTpzZXNhbWU="},
		"a token by choice":  {"bearer", `Basic`, "Bearer sesame"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t)
			doors := http.NewServeMux()
			doors.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				s.mutex.Lock()
				s.secrets = append(s.secrets, r.Header.Get("Authorization"))
				s.mutex.Unlock()
				if r.Header.Get("Authorization") != one.want {
					w.Header().Set("WWW-Authenticate", one.challenge)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				s.Config.Handler.ServeHTTP(w, r)
			})
			front := httptest.NewServer(doors)
			defer front.Close()
			p := account(t, alertmanager.Options{URL: front.URL, Secret: "sesame", Auth: one.auth})
			open(t, p)
			open(t, p)
			anonymous := 0
			for _, shown := range s.secrets {
				if shown == "" {
					anonymous++
				}
			}
			if want := map[bool]int{true: 1, false: 0}[one.auth == ""]; anonymous != want {
				t.Errorf("%d requests without a credential, want %d: the answer must be remembered", anonymous, want)
			}
		})
	}
	s := scripted(t)
	open(t, account(t, alertmanager.Options{URL: s.URL, Secret: "sesame"}))
	for _, shown := range s.secrets {
		if shown != "" {
			t.Errorf("a server that asks for nothing was shown %q", shown)
		}
	}
}

func TestNewerServers(t *testing.T) {
	s := scripted(t)
	muted := strings.Replace(oneAlert, `"mutedBy":[]`, `"mutedBy":["weekend"]`, 1)
	s.json("GET alerts", strings.Replace(muted, `"state":"active"`, `"state":"suppressed"`, 1))
	p := account(t, alertmanager.Options{URL: s.URL})
	if got := only(t, p); got.MutedBy != "kept quiet by the time interval weekend" || got.Status != page.Triggered {
		t.Errorf("muted by %q, %s", got.MutedBy, got.Status)
	}
	introduced, err := p.Test(t.Context())
	if err != nil || introduced.Service != "Alertmanager 0.34.0" || len(introduced.Receivers) != 1 {
		t.Errorf("introduced as %+v, %v", introduced, err)
	}
}

func TestOddListsStillRing(t *testing.T) {
	for name, one := range map[string]struct {
		alerts string
		pages  int
		check  func(page.Page) bool
	}{
		"listed twice":      {oneAlert[:len(oneAlert)-1] + "," + oneAlert[1:], 1, func(p page.Page) bool { return p.UpstreamID == oneFiring }},
		"another spelling":  {strings.Replace(oneAlert, "2026-11-22T17:37:49.000Z", "2026-11-22T19:37:49+02:00", 1), 1, func(p page.Page) bool { return p.UpstreamID == oneFiring }},
		"unprocessed":       {strings.Replace(oneAlert, `"active"`, `"unprocessed"`, 1), 1, func(p page.Page) bool { return p.Status == page.Triggered && p.MutedBy == "" }},
		"unknown state":     {strings.Replace(oneAlert, `"active"`, `"banana"`, 1), 1, func(p page.Page) bool { return p.Status == page.Triggered && p.MutedBy == "" }},
		"suppressed by":     {strings.Replace(oneAlert, `"active"`, `"suppressed"`, 1), 1, func(p page.Page) bool { return p.Status == page.Triggered && p.MutedBy == "" }},
		"an unknown muffle": {strings.Replace(oneAlert, `"silencedBy":[]`, `"silencedBy":["11111111-2222-3333-4444-555555555555"]`, 1), 1, func(p page.Page) bool { return p.Status == page.Triggered && p.MutedBy == "" }},
		"null all over": {`[{"fingerprint":null,"startsAt":null,"labels":null,"annotations":null,"generatorURL":null,"receivers":null,"status":null}]`, 1,
			func(p page.Page) bool {
				return p.Title == "An alert without a name" && p.Severity == page.Degraded && p.TriggeredAt.IsZero()
			}},
		"null inside": {strings.Replace(strings.Replace(oneAlert, `"silencedBy":[]`, `"silencedBy":null`, 1), `"summary":"5xx"`, `"summary":null`, 1), 1,
			func(p page.Page) bool { return p.Title == "HighErr" }},
		"empty": {`[]`, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t)
			s.json("GET alerts", one.alerts)
			pages := open(t, account(t, alertmanager.Options{URL: s.URL})).Pages
			if len(pages) != one.pages {
				t.Fatalf("want %d pages, got %+v", one.pages, pages)
			}
			for _, got := range pages {
				if !one.check(got) || !page.ValidID(got.ID) {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}

func TestSeverities(t *testing.T) {
	p := map[string]page.Severity{
		"critical": page.Critical, "page": page.Critical, "Emergency": page.Critical,
		"error": page.Degraded, "high": page.Degraded, "major": page.Degraded, "": page.Degraded, "purple": page.Degraded,
		"warning": page.Minor, "minor": page.Minor, "info": page.Hidden, "low": page.Hidden, "none": page.Other,
	}
	for value, want := range p {
		s := scripted(t)
		s.json("GET alerts", strings.Replace(oneAlert, `"severity":"critical"`, `"severity":"`+value+`"`, 1))
		if got := only(t, account(t, alertmanager.Options{URL: s.URL})); got.Severity != want {
			t.Errorf("severity=%q is %s, want %s", value, got.Severity, want)
		}
	}
	s := scripted(t)
	s.json("GET alerts", strings.Replace(oneAlert, `"severity":"critical"`, `"prio":"P1","severity":"info"`, 1))
	own := account(t, alertmanager.Options{URL: s.URL, SeverityLabel: "prio", Severities: map[string]page.Severity{"p1": page.Critical}})
	if got := only(t, own); got.Severity != page.Critical {
		t.Errorf("the user's own table gave %s", got.Severity)
	}
}

func TestFewRequestsAPoll(t *testing.T) {
	s := scripted(t)
	now := time.Now()
	p := account(t, alertmanager.Options{URL: s.URL, Now: func() time.Time { return now }})
	open(t, p)
	s.asked("")
	for range 5 {
		now = now.Add(3 * time.Second)
		open(t, p)
	}
	s.mutex.Lock()
	if len(s.requests) != 5 {
		t.Errorf("five quiet polls made %d requests: %v", len(s.requests), s.requests)
	}
	s.mutex.Unlock()
	now = now.Add(30 * time.Second)
	s.asked("")
	open(t, p)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.requests) != 3 {
		t.Errorf("after half a minute the start time and the silences are read too, got %v", s.requests)
	}
}

func TestASilenceNobodyListsIsNotAskedForInEachPoll(t *testing.T) {
	s := scripted(t)
	s.json("GET alerts", strings.Replace(oneAlert, `"silencedBy":[]`, `"silencedBy":["11111111-2222-3333-4444-555555555555"]`, 1))
	now := time.Now()
	p := account(t, alertmanager.Options{URL: s.URL, Now: func() time.Time { return now }})
	open(t, p)
	s.asked("")
	open(t, p)
	if again := s.asked("GET silences"); again != 0 {
		t.Errorf("asked again at once")
	}
	now = now.Add(6 * time.Second)
	s.json("GET silences", `[{"id":"11111111-2222-3333-4444-555555555555","status":{"state":"active"},"createdBy":"ben","comment":"late","endsAt":"`+
		now.Add(time.Hour).UTC().Format(time.RFC3339)+`","startsAt":"2026-11-22T17:00:00Z","matchers":[]}]`)
	if got := only(t, p); !strings.Contains(got.MutedBy, "silenced by ben") {
		t.Errorf("a little later it is known, muted by %q", got.MutedBy)
	}
}

// A restart between the list and the start time must not join the old list
// with the new run, nor the empty list with the old run.
func TestAListBelongsToItsRun(t *testing.T) {
	s := scripted(t)
	now := time.Now()
	p := account(t, alertmanager.Options{URL: s.URL, Now: func() time.Time { return now }})
	first := open(t, p)

	now = now.Add(31 * time.Second)
	restarted := time.Now().UTC().Format(time.RFC3339Nano)
	s.on("GET status", func(w http.ResponseWriter, _ *http.Request) {
		s.json("GET alerts", `[]`) // it ended after the list was sent
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"uptime":%q}`, restarted)
	})
	second := open(t, p)
	if second.Instance == first.Instance || len(second.Pages) != 0 {
		t.Fatalf("the full list of the old run came with instance %q (before %q), %d pages", second.Instance, first.Instance, len(second.Pages))
	}

	s.json("GET status", `{}`)
	now = now.Add(31 * time.Second)
	_, err := p.Open(t.Context())
	checkSentence(t, err, provider.Broken, "does not say when it was started")
}

// As long as the start time cannot be read, what went missing stays missing
// news: the next poll must ask again.
func TestAMissingAlertWaitsForTheStartTime(t *testing.T) {
	s := scripted(t)
	p := account(t, alertmanager.Options{URL: s.URL})
	open(t, p)
	s.json("GET alerts", `[]`)
	s.text("GET status", 500, "application/json", `"broken"`)
	for range 2 {
		if _, err := p.Open(t.Context()); provider.KindOf(err) != provider.Broken {
			t.Fatalf("an empty list without a start time gave %v", err)
		}
	}
	s.json("GET status", `{"uptime":"`+startedLongAgo+`"}`)
	if after := open(t, p); len(after.Pages) != 0 {
		t.Fatalf("still %+v", after.Pages)
	}
}

func ownSilence(firing string) string {
	return `[{"id":"11111111-2222-3333-4444-555555555555","status":{"state":"active"},"createdBy":"anna",
 "comment":"Acknowledged by anna in Nightstand [nightstand:` + firing + `]","startsAt":"2026-11-22T17:40:00Z","endsAt":"2026-11-22T18:40:00Z",
 "matchers":[{"name":"alertname","value":"HighErr","isRegex":false,"isEqual":true}]}]`
}

func TestASilenceIsEndedOnlyWhenItsFiringIsSurelyGone(t *testing.T) {
	young := func() string { return time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano) }
	old := func() string { return time.Now().Add(-6 * time.Minute).UTC().Format(time.RFC3339Nano) }
	for name, one := range map[string]struct {
		started func() string
		alerts  string
		ended   bool
	}{
		"absent from a server started a minute ago":    {young, `[]`, false},
		"absent from a server started six minutes ago": {old, `[]`, true},
		"fires anew on a server started a minute ago":  {young, strings.Replace(oneAlert, "17:37:49", "18:00:00", 1), true},
		"still firing": {old, oneAlert, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t)
			s.json("GET status", `{"uptime":"`+one.started()+`"}`)
			s.json("GET alerts", one.alerts)
			s.json("GET silences", ownSilence(oneFiring))
			s.on("DELETE silence/11111111-2222-3333-4444-555555555555", func(http.ResponseWriter, *http.Request) {})
			open(t, account(t, alertmanager.Options{URL: s.URL}))
			if ended := s.asked("DELETE silence/11111111-2222-3333-4444-555555555555") == 1; ended != one.ended {
				t.Errorf("ended %v, want %v", ended, one.ended)
			}
		})
	}
}

func TestEndingASilenceThatIsNotThereIsFine(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{"0.25": {500, `"silence not found"`}, "0.34": {404, ``}} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t)
			s.json("GET silences", ownSilence(oneFiring))
			s.text("DELETE silence/11111111-2222-3333-4444-555555555555", answer.status, "application/json", answer.body)
			got, err := account(t, alertmanager.Options{URL: s.URL}).Unacknowledge(t.Context(), page.Page{UpstreamID: oneFiring})
			if err != nil || got.Status != page.Triggered {
				t.Fatalf("take back: %+v, %v", got, err)
			}
			if s.asked("DELETE silence/11111111-2222-3333-4444-555555555555") != 1 {
				t.Error("it was not even tried")
			}
		})
	}
}

func TestATidyingThatFailsDoesNotSpoilThePoll(t *testing.T) {
	s := scripted(t)
	s.json("GET silences", ownSilence("0c6be24186ecae9a@2026-11-22T03:00:00Z"))
	s.text("DELETE silence/11111111-2222-3333-4444-555555555555", 500, "application/json", `"storage broken"`)
	p := account(t, alertmanager.Options{URL: s.URL})
	if got := only(t, p); got.Status != page.Triggered {
		t.Fatalf("got %+v", got)
	}
	if s.asked("DELETE silence/11111111-2222-3333-4444-555555555555") != 1 {
		t.Fatal("the old silence was not looked after")
	}
}

// A list that was on its way while an answer was confirmed must not make the
// page look open again.
func TestAPollOvertakenByAnAnswer(t *testing.T) {
	s := scripted(t)
	p := account(t, alertmanager.Options{URL: s.URL})
	open(t, p)

	const id = "11111111-2222-3333-4444-555555555555"
	silenced := strings.Replace(oneAlert, `"silencedBy":[]`, `"silencedBy":["`+id+`"]`, 1)
	held, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.on("GET alerts", func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("filter") {
			once.Do(func() { close(held) })
			<-goOn
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, oneAlert)
	})
	s.on("POST silences", func(w http.ResponseWriter, _ *http.Request) {
		s.on("GET alerts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, silenced)
		})
		s.json("GET silences", ownSilence(oneFiring))
		s.json("GET silence/"+id, strings.Trim(ownSilence(oneFiring), "[]"))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"silenceID":%q}`, id)
	})

	polled := make(chan provider.Snapshot, 1)
	go func() {
		snapshot, err := p.Open(t.Context())
		if err != nil {
			t.Errorf("open: %v", err)
		}
		polled <- snapshot
	}()
	<-held
	got, err := p.Acknowledge(t.Context(), page.Page{UpstreamID: oneFiring})
	if err != nil || got.Status != page.Acknowledged {
		t.Fatalf("acknowledge beside a slow poll: %+v, %v", got, err)
	}
	close(goOn)
	if snapshot := <-polled; len(snapshot.Pages) != 1 || snapshot.Pages[0].Status != page.Acknowledged {
		t.Fatalf("the overtaken poll says %+v", snapshot.Pages)
	}
	if got := only(t, p); got.Status != page.Acknowledged {
		t.Fatalf("the next poll says %+v", got)
	}
	s.json("GET alerts", oneAlert) // somebody ends the silence at the server
	if got := only(t, p); got.Status != page.Triggered {
		t.Fatalf("an old answer must not outlive what the server says: %+v", got)
	}
}

func TestAnAnswerThatDoesNotTakeIsNotConfirmed(t *testing.T) {
	s := scripted(t)
	s.json("POST silences", `{"silenceID":"11111111-2222-3333-4444-555555555555"}`)
	_, err := account(t, alertmanager.Options{URL: s.URL}).Acknowledge(t.Context(), page.Page{UpstreamID: oneFiring})
	checkSentence(t, err, provider.Broken, "still treats the alert as unanswered")
}

func TestAServerThatOnlyLetsUsRead(t *testing.T) {
	for status, kind := range map[int]provider.Kind{403: provider.Refused, 404: provider.Refused, 405: provider.Refused, 400: provider.Invalid, 500: provider.Broken} {
		s := scripted(t)
		s.text("POST silences", status, "text/plain", "read only")
		_, err := account(t, alertmanager.Options{URL: s.URL}).Acknowledge(t.Context(), page.Page{UpstreamID: oneFiring})
		checkSentence(t, err, kind, "Your answer may not have arrived")
	}
}

func TestNoSecretIsKept(t *testing.T) {
	var log strings.Builder
	s := scripted(t)
	p := account(t, alertmanager.Options{URL: s.URL, Secret: "sesame", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	introduced, err := p.Test(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.json("GET status", `{"uptime":"2026-11-20T00:00:00.000Z","config":{"original":"smtp_auth_password: hunter2"}}`)
	s.json("GET alerts", `[]`)
	open(t, p)
	if told := fmt.Sprintf("%+v", introduced) + log.String(); strings.Contains(told, "hunter2") || strings.Contains(told, "sesame") {
		t.Errorf("told a secret: %s", told)
	}
	if !strings.Contains(log.String(), "restarted") {
		t.Errorf("a restart should be in the log: %q", log.String())
	}
}

func TestHostileTextIsTamed(t *testing.T) {
	s := scripted(t)
	hostile := "\\u001b]0;owned\\u0007<b>\\u202egnp.exe\\u0000" + strings.Repeat("A", 10_000)
	s.json("GET alerts", strings.NewReplacer(`"5xx"`, `"`+hostile+`"`, `"HighErr"`, `"`+hostile+`"`, `"checkout"`, `"`+hostile+`"`,
		"http://prom/g", "https://prometheus.example.org@evil.example.org/").Replace(oneAlert))
	got := only(t, account(t, alertmanager.Options{URL: s.URL}))
	for name, text := range map[string]string{"title": got.Title, "service": got.Service, "details": got.Details, "label": got.Labels[0].Value, "URL": got.URL} {
		if strings.ContainsAny(text, "\x1b\x00\u202e\a") || len([]rune(text)) > page.MaxTitle+1 && name != "details" && name != "URL" {
			t.Errorf("the %s came through as %.80q (%d runes)", name, text, len([]rune(text)))
		}
	}
	if len(got.Links) != 0 {
		t.Errorf("a user name that passes for a host must not be clicked: %+v", got.Links)
	}
	if len(got.URL) > 4096 {
		t.Errorf("a link of %d characters", len(got.URL))
	}
}

func TestOptions(t *testing.T) {
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		options alertmanager.Options
		says    string
	}{
		"no scheme":         {alertmanager.Options{URL: "localhost:9093", User: "anna"}, "http://"},
		"another scheme":    {alertmanager.Options{URL: "ftp://am.example.org", User: "anna"}, "http://"},
		"no host":           {alertmanager.Options{URL: "http:///alerts", User: "anna"}, "names no server"},
		"unreadable":        {alertmanager.Options{URL: "http://anna:se same@[", User: "anna"}, "cannot be read"},
		"a password in it":  {alertmanager.Options{URL: "http://anna:sesame@am.example.org", User: "anna"}, "contains a password"},
		"nobody":            {alertmanager.Options{URL: "http://am.example.org"}, "Say who you are"},
		"odd login":         {alertmanager.Options{URL: "http://am.example.org", User: "anna", Auth: "kerberos"}, "basic, bearer"},
		"odd severity":      {alertmanager.Options{URL: "http://am.example.org", User: "anna", Severities: map[string]page.Severity{"p1": "awful"}}, "must be one of"},
		"odd proxy":         {alertmanager.Options{URL: "http://am.example.org", User: "anna", Way: web.Way{Proxy: "::"}}, "proxy"},
		"a proxy password":  {alertmanager.Options{URL: "http://am.example.org", User: "anna", Way: web.Way{Proxy: "http://anna:sesame@proxy.example.org:3128"}}, "HTTPS_PROXY"},
		"no such authority": {alertmanager.Options{URL: "http://am.example.org", User: "anna", Way: web.Way{CAFile: authority + "x"}}, "cannot be read"},
		"no authority":      {alertmanager.Options{URL: "http://am.example.org", User: "anna", Way: web.Way{CAFile: authority}}, "no certificate"},
		"negative":          {alertmanager.Options{URL: "http://am.example.org", User: "anna", AckLasts: -time.Minute}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := alertmanager.New(one.options)
			checkSentence(t, err, provider.Invalid, one.says)
			if strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "se same") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
	s := scripted(t)
	for _, typed := range []string{"", "/", "/api/v2", "/api/v2/", "/api/v2/alerts?active=true", "/#/alerts", "/#/silences?filter=x", " "} {
		open(t, account(t, alertmanager.Options{URL: s.URL + typed}))
	}
}
