// Package changes reads what was deployed or altered lately from a place of the
// user's own, where the paging service does not know: an address that answers
// with JSON, or a program that prints it.
//
// Both give a list of changes, newest first or not, such as
//
//	[{"at": "2026-11-24T02:58:00Z", "summary": "checkout 4.2", "source": "deploy bot", "url": "https://…"}]
//
// Only summary is required.
package changes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// patience is how long the place may take; the page does not wait for it.
const patience = 5 * time.Second

// mostRead is more than a list of changes is long, in bytes and in changes.
const (
	mostBytes   = 1 << 20
	mostChanges = 20
)

// Read asks a place what was changed lately on what a page is about. A place is
// an address with http:// or https://, which is asked with the page's service as
// the query “service”, or else the path of a program, which is run without a
// shell and finds the page in its environment: NIGHTSTAND_SERVICE,
// NIGHTSTAND_TITLE and NIGHTSTAND_PAGE. The changes are newest first. Errors are
// *provider.Error.
func Read(ctx context.Context, place string, p page.Page) ([]provider.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var told []change
	var err error
	if page.WebAddress(place) {
		told, err = ask(ctx, place, p)
	} else {
		told, err = run(ctx, place, p)
	}
	if err != nil {
		return nil, err
	}
	var all []provider.Change
	for _, one := range told {
		if change, is := one.plain(); is {
			all = append(all, change)
		}
	}
	slices.SortStableFunc(all, func(a, b provider.Change) int { return b.At.Compare(a.At) })
	return all[:min(len(all), mostChanges)], nil
}

// change is one change as the place tells it.
type change struct {
	At      string `json:"at"`
	Summary string `json:"summary"`
	Source  string `json:"source"`
	URL     string `json:"url"`
}

// plain cleans what came from outside; one without words is none.
func (c change) plain() (provider.Change, bool) {
	clean := provider.Change{Summary: page.Plain(c.Summary, page.MaxTitle), Source: page.Plain(c.Source, 80)}
	if at, err := time.Parse(time.RFC3339, c.At); err == nil {
		clean.At = at.UTC()
	}
	if page.WebAddress(c.URL) {
		clean.Links = []page.Link{{Text: "the change", URL: c.URL}}
	}
	return clean, clean.Summary != ""
}

func ask(ctx context.Context, place string, p page.Page) ([]change, error) {
	address, err := url.Parse(place)
	if err != nil {
		return nil, web.Invalid("The address that tells of changes cannot be read. Set it anew with “nightstand account edit”.")
	}
	query := address.Query()
	query.Set("service", p.Service)
	address.RawQuery = ""
	client, err := web.New(web.Options{Service: "What tells of changes at " + page.Plain(address.Host, 120), Base: address})
	if err != nil {
		return nil, err
	}
	defer client.DropConnections()
	var told []change
	_, err = client.Do(ctx, web.Request{Method: http.MethodGet, Query: query, Aside: true}, &told)
	return told, err
}

func run(ctx context.Context, program string, p page.Page) ([]change, error) {
	var printed bytes.Buffer
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), "NIGHTSTAND_SERVICE="+p.Service, "NIGHTSTAND_TITLE="+p.Title, "NIGHTSTAND_PAGE="+p.ID)
	command.Stdout = &bounded{into: &printed}
	command.WaitDelay = time.Second // it may have children that hold on to its output
	err := command.Run()
	name := "The program that tells of changes, " + page.Plain(program, 120) + ","
	switch {
	case ctx.Err() != nil:
		return nil, failed(name+" did not end in time. Run it by hand to see why.", ctx.Err())
	case errors.Is(err, errTooMuch):
		return nil, failed(name+" printed more than a list of changes can be.", err)
	case err != nil:
		return nil, failed(name+" cannot be run or failed. Run it by hand to see why.", err)
	}
	var told []change
	if strings.TrimSpace(printed.String()) == "" {
		return nil, nil
	}
	if err := json.Unmarshal(printed.Bytes(), &told); err != nil {
		return nil, failed(name+" printed something other than a JSON list of changes.", nil)
	}
	return told, nil
}

func failed(sentence string, cause error) error {
	return &provider.Error{Kind: provider.Broken, Sentence: sentence, Cause: cause}
}

var errTooMuch = errors.New("too much was printed")

// bounded keeps a program that never stops printing from filling the memory.
type bounded struct{ into *bytes.Buffer }

func (b *bounded) Write(text []byte) (int, error) {
	if b.into.Len()+len(text) > mostBytes {
		return 0, errTooMuch
	}
	return b.into.Write(text)
}
