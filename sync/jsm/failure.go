package jsm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// reading and changing stand for any request of their sort in sentences.
var (
	reading  = web.Request{Method: http.MethodGet}
	changing = web.Request{Method: http.MethodPost}
)

func (p *Provider) nonsense(what string) error {
	return p.client.Nonsense(reading, errors.New(what))
}

// gaveUp is for a question whose time was over before it could be asked.
func (p *Provider) gaveUp(ctx context.Context) error {
	return p.client.Failure(provider.Unreachable, reading, "did not answer in time", "Check the network and the VPN.", ctx.Err())
}

// refuse is for what should not be sent at all; nothing is in doubt after it.
func (p *Provider) refuse(sentence string) error {
	return web.Invalid(p.dialect.name + " " + sentence)
}

// explain reads an error in the service's own words, of which there are
// several shapes: a list of errors, a code with a message, a message alone,
// and those of the Jira behind it.
func (d dialect) explain(status int, _ http.Header, body []byte) web.Said {
	var said struct {
		Code     any    `json:"code"`
		Message  string `json:"message"`
		Errors   any    `json:"errors"`
		Messages []any  `json:"errorMessages"`
	}
	if decode(body, &said) != nil {
		return web.Said{}
	}
	words := []string{said.Message}
	for _, one := range said.Messages {
		words = append(words, fmt.Sprint(one))
	}
	code := said.Code
	switch reasons := said.Errors.(type) {
	case []any:
		for _, one := range reasons {
			reason, _ := one.(map[string]any)
			if code == nil {
				code = reason["code"]
			}
			words = append(words, text(reason["title"]), text(reason["detail"]))
		}
	case map[string]any:
		for name, reason := range reasons {
			words = append(words, name+" "+fmt.Sprint(reason))
		}
	}
	told := web.Said{Code: page.Plain(text(code), 40), Words: joined(words)}
	if status == http.StatusUnauthorized && strings.Contains(strings.ToLower(told.Words), "scope") {
		told.Sentence = d.name + " does not let this API token do that, because the token lacks a scope. Until this is mended, its pages may not reach you here, nor your answers arrive there. Create a token with the scopes " + scopes + "."
	}
	return told
}

func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case float64:
		return fmt.Sprint(value)
	}
	return ""
}

func joined(words []string) string {
	var some []string
	for _, one := range words {
		if one = strings.TrimSpace(one); one != "" {
			some = append(some, one)
		}
	}
	return strings.Join(some, ": ")
}
