package goalert

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

const graphPath = "/api/graphql"

// question is one operation. With an API key its document is not sent, because
// the key holds it.
type question struct {
	operation string
	document  string
	variables map[string]any
	changes   bool
	// aside says that no page depends on the answer.
	aside bool
}

func (q question) request() web.Request {
	return web.Request{Method: http.MethodPost, Path: graphPath, Asks: !q.changes, Aside: q.aside}
}

// ask sends one operation and reads the whole of its data, or fails. It returns
// GoAlert's clock at the answer, zero if it does not tell. A session that has
// ended is begun anew, once.
func (p *Provider) ask(ctx context.Context, q question, into any) (time.Time, error) {
	shown, with, err := p.credential(ctx)
	if err != nil {
		return time.Time{}, err
	}
	at, err := p.send(ctx, q, shown, with, into)
	if !sessionOver(err) {
		return at, err
	}
	renewed, failed := p.renew(ctx, with)
	if failed != nil {
		return time.Time{}, failed
	}
	if !renewed {
		return time.Time{}, p.expired(err)
	}
	if shown, with, err = p.credential(ctx); err != nil {
		return time.Time{}, err
	}
	return p.send(ctx, q, shown, with, into)
}

func (p *Provider) send(ctx context.Context, q question, shown http.Header, with session, into any) (time.Time, error) {
	body := map[string]any{"operationName": q.operation, "variables": q.variables}
	if !p.key.given() {
		body["query"] = q.document
	}
	request := q.request()
	request.Header, request.Body = shown, body
	var told struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	answer, err := p.client.Do(ctx, request, &told)
	p.refresh(with, answer.Header)
	switch {
	case err != nil && p.key.given() && answer.Status == http.StatusUnprocessableEntity:
		return answer.At, p.otherQuery(q, err) // the key's query has no such operation
	case err != nil:
		return answer.At, err
	}
	if said := complaints(told.Errors); len(said) > 0 {
		return answer.At, p.refuse(q, said)
	}
	if isNull(told.Data) {
		return answer.At, p.nonsense("neither data nor errors")
	}
	if err := decode(told.Data, into); err != nil {
		return answer.At, p.nonsense("undecodable data")
	}
	return answer.At, nil
}

func (p *Provider) nonsense(what string) error {
	return p.client.Nonsense(web.Request{Asks: true}, web.Senseless(what))
}

// complaint is one error of GraphQL. A request with any is not answered in full.
type complaint struct {
	Message    string `json:"message"`
	Extensions struct {
		Code    string `json:"code"`
		IsField bool   `json:"isFieldError"`
	} `json:"extensions"`
}

func complaints(text json.RawMessage) []complaint {
	if isNull(text) {
		return nil
	}
	var said []complaint
	if decode(text, &said) != nil || len(said) == 0 && strings.TrimSpace(string(text)) != "[]" {
		return []complaint{{}} // something is wrong, in a shape that we do not know
	}
	return said
}

// Codes and words of complaints that mean something to us, as received from
// GoAlert after 0.34.1.
const (
	codeOtherQuery = "invalid_query"
	saidClosed     = "alert is already closed"
	saidUnknown    = "alert not found"
	saidEscalated  = "alert has already escalated"
	saidMaintained = "service is in maintenance mode"
	saidDenied     = "access denied"
	saidTrouble    = "unexpected error"
	saidTooMuch    = "request canceled"
)

// refuse makes an error of what GoAlert says inside an answer that is otherwise
// a success.
func (p *Provider) refuse(q question, said []complaint) error {
	first := said[0]
	cause := &web.StatusError{Status: http.StatusOK, Said: web.Said{Code: first.Extensions.Code, Words: plain(first.Message, 200)}}
	fail := func(kind provider.Kind, what, advice string) error {
		return p.client.Failure(kind, q.request(), what, advice, cause)
	}
	switch words := strings.ToLower(first.Message); {
	case first.Extensions.Code == codeOtherQuery:
		return p.otherQuery(q, cause)
	case strings.Contains(words, saidDenied):
		return fail(provider.Refused, "does not let this account do that", "Do it in GoAlert itself, or ask an administrator for the right to.")
	case strings.Contains(words, saidMaintained):
		return fail(provider.Invalid, "escalates nothing of a service in maintenance mode", "End the maintenance in GoAlert, or call the next person yourself.")
	case words == "", strings.Contains(words, saidTrouble), strings.Contains(words, saidTooMuch):
		return fail(provider.Broken, "reports trouble of its own", "It is asked again by itself; its log says more.")
	}
	return fail(provider.Invalid, "turned the request down ("+strings.TrimRight(cause.Said.Words, ".")+")", "Do it in GoAlert itself.")
}

func (p *Provider) otherQuery(q question, cause error) error {
	return p.client.Failure(provider.Refused, q.request(), "does not let this API key ask what we have to ask, because a key is bound to one query",
		"Have a key made with the query that Nightstand shows when the account is added.", cause)
}

// Words of GoAlert for a session or a key that it cannot read, which it sends
// with HTTP 400.
var unreadable = []string{"invalid signature", "invalid token", "illegal base64"}

// explain reads GoAlert's words in an answer that is no success: plain text
// where the credential was looked at, GraphQL's errors behind that.
func (p *Provider) explain(status int, header http.Header, body []byte) web.Said {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch kind {
	case "application/json":
		var told struct {
			Errors json.RawMessage `json:"errors"`
		}
		if decode(body, &told) != nil {
			return web.Said{}
		}
		if said := complaints(told.Errors); len(said) > 0 {
			return web.Said{Code: said[0].Extensions.Code, Words: said[0].Message}
		}
	case "text/plain":
		words := plain(string(body), 200)
		switch {
		case status == http.StatusNotFound:
			return web.Said{} // any web server says so
		case status == http.StatusRequestTimeout:
			// One request a session at a time: the others waited for too long.
			return web.Said{Words: words, Kind: provider.RateLimited}
		case status == http.StatusBadRequest && saysAny(words, unreadable):
			return web.Said{Words: words, Kind: provider.Refused}
		}
		return web.Said{Words: words}
	}
	return web.Said{}
}

func saysAny(words string, known []string) bool {
	for _, one := range known {
		if strings.Contains(strings.ToLower(words), one) {
			return true
		}
	}
	return false
}

// sessionOver says that the credential was looked at and not accepted. Nothing
// was done then.
func sessionOver(err error) bool {
	status := web.StatusOf(err)
	return status.Status == http.StatusUnauthorized || status.Status == http.StatusBadRequest && status.Said.Kind == provider.Refused
}

// expired says of a key that has run out that it has: GoAlert's answer is the
// same for every key that it does not accept.
func (p *Provider) expired(err error) error {
	if !p.key.given() || p.key.expires.IsZero() || p.client.Now().Before(p.key.expires) {
		return err
	}
	return p.client.Failure(provider.Refused, web.Request{Asks: true}, "does not accept the API key any more, because it ran out on "+p.key.expires.Format("2 January 2006"),
		"Ask an administrator of GoAlert for a new one and add the account again.", err)
}

// says tells whether this is what GoAlert answered.
func says(err error, words string) bool {
	return err != nil && strings.Contains(strings.ToLower(web.StatusOf(err).Said.Words), words)
}
