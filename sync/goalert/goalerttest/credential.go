package goalerttest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const cookieName = "goalert_session.2"

// key is a GraphQL API key: it may ask one text, until it runs out.
type key struct {
	query   string
	expires time.Time
}

// Key makes an API key for a query, as an administrator does.
func (s *Server) Key(query string, expires time.Time) string {
	part := func(value any) string {
		text, _ := json.Marshal(value)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	token := part(map[string]any{"alg": "ES224", "key": 0, "typ": "JWT"}) + "." +
		part(map[string]any{"iss": "goalert", "aud": []string{"apikey-v1/graphql-v1"}, "exp": expires.Unix(), "jti": rand.Text()}) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(rand.Text()+rand.Text()))
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys[token] = key{query, expires}
	return token
}

// login takes a password from GoAlert's own pages only, and puts every outcome
// into a redirect.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	own := "http://" + r.Host
	if s.options.PublicURL != "" {
		own = s.options.PublicURL
	}
	if !strings.HasPrefix(r.Header.Get("Referer"), own+"/") {
		w.Header().Set("Location", own+"/?"+url.Values{"login_error": {"invalid referer"}}.Encode())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	s.logins++
	http.SetCookie(w, &http.Cookie{Name: "login_redir", Value: own + "/", Path: "/", HttpOnly: true})
	if r.PostFormValue("username") != User || r.PostFormValue("password") != Password {
		w.Header().Set("Location", own+"/?"+url.Values{"login_error": {"unknown username/password"}}.Encode())
		w.WriteHeader(http.StatusFound)
		return
	}
	token := rand.Text() + rand.Text()
	s.sessions[token] = true
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: 30 * 24 * 60 * 60, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Location", own+"/")
	w.WriteHeader(http.StatusFound)
}

// admit looks at the credential of a request: a session is Anna, a key is
// nobody and may ask only its own query.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (who string, bound *key, admitted bool) {
	token, shown := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if cookie, err := r.Cookie(cookieName); !shown && err == nil {
		token = cookie.Value
	}
	if found, known := s.keys[token]; known && s.now().Before(found.expires) {
		return "", &found, true
	}
	if s.sessions[token] {
		return Anna, nil, true
	}
	if shown && !strings.HasPrefix(token, "eyJ") && len(token) < 20 {
		http.Error(w, "invalid token header format", http.StatusBadRequest)
		return "", nil, false
	}
	http.Error(w, "unauthorized", http.StatusUnauthorized)
	return "", nil, false
}
