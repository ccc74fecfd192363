package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// ask makes one request and reads its answer, nil taking any success.
func (p *Provider) ask(ctx context.Context, request web.Request, into any) (web.Answer, error) {
	if p.credential.secret == "" {
		return web.Answer{}, p.client.Failure(provider.Refused, request, "wants an API key, and this account has none", credentialAdvice, nil)
	}
	if into == nil {
		return p.client.Do(ctx, request, nil)
	}
	return p.client.Do(ctx, request, &forgiving{into})
}

// forgiving reads an answer and forgives fields of an unexpected type: they
// stay empty, like those that are null. Whoever needs a field looks whether it
// is there.
type forgiving struct{ into any }

func (f *forgiving) UnmarshalJSON(body []byte) error {
	if len(body) == 0 || body[0] != '{' {
		return errors.New("an answer that is no object")
	}
	err := json.Unmarshal(body, f.into)
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) {
		return nil
	}
	return err
}

func (p *Provider) nonsense(request web.Request, what string) *provider.Error {
	failure := p.client.Nonsense(request, nil)
	failure.Cause = errors.New(what)
	return failure
}

// gaveUp is for what had no time left before it could be asked.
func (p *Provider) gaveUp(request web.Request, cause error) *provider.Error {
	return p.client.Failure(provider.Unreachable, request, "did not answer in time", "Check the network, the VPN and the service.", cause)
}

const (
	pieceSize = 100 // entries of one answer, the most the service sends
	longest   = 20  // answers that one list may take
	// A list that goes on changing while it is read is begun anew so often.
	attempts = 4
)

// piece is one answer of a list. Its next address is only looked at for whether
// there is one: it may lead to another host than the one that gets the key.
type piece[T any] struct {
	Count   *int `json:"count"`
	Next    any  `json:"next"`
	Results []*T `json:"results"`
}

// list reads all pieces of a list; name tells its entries apart. It returns
// everything or an error, the service's clock at the last answer, and how many
// requests it took.
func list[T any](ctx context.Context, p *Provider, path string, query url.Values, name func(*T) string) (all []*T, at time.Time, requests int, err error) {
	for range attempts {
		var settled bool
		all, at, settled, err = listOnce(ctx, p, path, query, name, &requests)
		if err != nil || settled {
			return all, at, requests, err
		}
	}
	return nil, at, requests, p.client.Failure(provider.Broken, get(path, query), "changed its list faster than it could be read", "It is asked again by itself.", nil)
}

// listOnce notices what would leave a gap: a list that shrinks moves up what
// has not been read yet, and a number beyond the end gives the last piece again.
func listOnce[T any](ctx context.Context, p *Provider, path string, query url.Values, name func(*T) string, requests *int) (all []*T, at time.Time, settled bool, err error) {
	known := map[string]bool{}
	before, first := 0, -1
	for number := 1; number <= longest; number++ {
		request := get(path, maps.Clone(query))
		if request.Query == nil {
			request.Query = url.Values{}
		}
		request.Query.Set("perpage", strconv.Itoa(pieceSize))
		request.Query.Set("page", strconv.Itoa(number))
		var got piece[T]
		*requests++
		answer, err := p.ask(ctx, request, &got)
		switch {
		case number > 1 && web.StatusOf(err).Status == http.StatusNotFound:
			return nil, at, false, nil // there is no such piece any more
		case err != nil:
			return nil, at, false, err
		case got.Results == nil:
			return nil, at, false, p.nonsense(request, "no list")
		}
		at = answer.At
		fresh := 0
		for _, one := range got.Results {
			if one == nil || name(one) == "" {
				return nil, at, false, p.nonsense(request, "an entry without an identity")
			}
			if id := name(one); !known[id] {
				known[id] = true
				all = append(all, one)
				fresh++
			}
		}
		if got.Count != nil {
			if *got.Count < before {
				return nil, at, false, nil
			}
			if before = *got.Count; first < 0 {
				first = before
			}
		}
		switch whole := len(all) >= first; {
		case got.Next == nil:
			return all, at, whole, nil
		case fresh == 0:
			return all, at, whole && first >= 0, nil // the last piece once more
		}
	}
	return nil, at, false, p.client.Failure(provider.Broken, get(path, query), fmt.Sprintf("lists more than %d entries, which would use up what your key may ask", longest*pieceSize),
		"Resolve what is over in Grafana, or choose the teams that are yours.", nil)
}

// explain reads the service's own words: {"detail": …} or {"field": […]}.
func explain(status int, _ http.Header, body []byte) web.Said {
	var said any
	if json.Unmarshal(body, &said) != nil {
		return web.Said{}
	}
	if fields, object := said.(map[string]any); object && len(fields) == 1 && fields["detail"] != nil {
		said = fields["detail"]
	}
	explained := web.Said{Words: words(said)}
	// A key that is not known is answered with 403, like a right that is missing.
	if lower := strings.ToLower(explained.Words); status == http.StatusForbidden && (strings.Contains(lower, "token") || strings.Contains(lower, "credentials")) {
		explained.Sentence = "Grafana OnCall does not know this API key. Until this is mended, its pages cannot reach you here. " + credentialAdvice
	}
	return explained
}

// words joins the texts of a complaint, fields by their names.
func words(said any) string {
	var all []string
	switch said := said.(type) {
	case string:
		return said
	case []any:
		for _, one := range said {
			all = append(all, words(one))
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(said)) {
			all = append(all, name+": "+words(said[name]))
		}
	}
	return strings.Join(all, ", ")
}
