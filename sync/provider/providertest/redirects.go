package providertest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"nightstand/sync/provider"
)

// redirects are the stories of being sent on: to a login page, which is no
// answer, and to strangers, who must never see the credential.
func redirects(t *testing.T, subject Subject) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect} {
		t.Run(fmt.Sprintf("%d to a login page", status), func(t *testing.T) {
			s := begin(t, subject)
			ids := s.pages(2)
			wanted := s.snapshot().Pages[0]
			s.way.breaks(sentTo(status, "/login?next=%2F"))
			s.sentAway(t, wanted.UpstreamID, func(account provider.Provider) error {
				_, err := account.Open(soon(t))
				return err
			})
			s.mended(s.provider, ids)
		})
		t.Run(fmt.Sprintf("%d to strangers", status), func(t *testing.T) {
			s := begin(t, subject)
			stranger := listen(t)
			ids := s.pages(2)
			wanted := s.snapshot().Pages[0]
			s.way.breaks(sentTo(status, stranger.address+"/api"))
			for _, ask := range []func(provider.Provider) error{
				func(account provider.Provider) error { _, err := account.Open(soon(t)); return err },
				func(account provider.Provider) error { _, err := account.Test(soon(t)); return err },
				func(account provider.Provider) error { _, err := account.Acknowledge(soon(t), wanted); return err },
			} {
				s.sentAway(t, wanted.UpstreamID, ask)
			}
			if heard := stranger.heard(); heard != "" && (s.Secret == "" || strings.Contains(heard, s.Secret)) {
				t.Errorf("strangers were shown the credential: %s", strings.ReplaceAll(heard, s.Secret, "***"))
			}
			s.mended(s.provider, ids)
		})
	}
}

// sentAway asks over a way that leads elsewhere, with a connection that knows
// its way and with a new one.
func (s *story) sentAway(t *testing.T, id string, ask func(provider.Provider) error) {
	t.Helper()
	for _, account := range s.accounts(t) {
		if err := ask(account); provider.KindOf(err) != provider.NotTheAPI {
			t.Errorf("being sent on is %s: %v", provider.KindOf(err), err)
		} else {
			checkSentence(t, s.Secret, provider.Sentence(err))
		}
	}
	if did := s.service.Applied(id); len(did) > 0 {
		t.Errorf("the service did %v", did)
	}
}

// sentTo redirects everything but the login page itself.
func sentTo(status int, target string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // nobody reads what was meant for the service
		if r.URL.Path == "/login" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<title>Log in</title>")
			return
		}
		w.Header().Set("Location", target)
		w.WriteHeader(status)
	}
}

// stranger writes down everything that it is told.
type stranger struct {
	address string

	mutex sync.Mutex
	told  bytes.Buffer
}

func listen(t *testing.T) *stranger {
	heard := &stranger{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.mutex.Lock()
		defer heard.mutex.Unlock()
		_ = r.Write(&heard.told) // headers, query and body, as far as they came
		if user, password, given := r.BasicAuth(); given {
			heard.told.WriteString(user + " " + password)
		}
	}))
	t.Cleanup(server.Close)
	heard.address = server.URL
	return heard
}

func (s *stranger) heard() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.told.String()
}
