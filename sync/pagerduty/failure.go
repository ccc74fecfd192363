package pagerduty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"nightstand/sync/web"
)

// complaint is an error in PagerDuty's words; they come in several shapes.
type complaint struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Errors  any    `json:"errors"`
	} `json:"error"`
}

// The codes of complaints that mean something to us.
const (
	codeAlreadyResolved     = "1001"
	codeAlreadyAcknowledged = "1002"
	codeChangedMeanwhile    = "1005"
	codeCannotEscalate      = "1006"
	codeNobodyOnCall        = "1015"
)

// explain reads a complaint, as far as it is one.
func explain(_ int, _ http.Header, body []byte) web.Said {
	var said complaint
	if decode(body, &said) != nil || said.Error.Code == 0 && said.Error.Message == "" {
		return web.Said{}
	}
	return web.Said{Code: strconv.Itoa(said.Error.Code), Words: said.words()}
}

// words joins a complaint's message with its reasons, which are a text, a list
// or a table.
func (c complaint) words() string {
	words := c.Error.Message
	switch reasons := c.Error.Errors.(type) {
	case string:
		words += ": " + reasons
	case []any:
		for _, one := range reasons {
			words += fmt.Sprintf(": %v", one)
		}
	}
	return words
}

func codeOf(err error) string { return web.StatusOf(err).Said.Code }

// forgiving takes fields of an unexpected type for absent.
type forgiving struct{ into any }

// UnmarshalJSON never fails on text that is JSON.
func (f *forgiving) UnmarshalJSON(text []byte) error { return decode(text, f.into) }

// decode reads an answer and forgives fields of an unexpected type: they stay
// empty, like those that are null. Whoever needs a field looks whether it is
// there.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if _, odd := err.(*json.UnmarshalTypeError); odd {
		return nil
	}
	return err
}
