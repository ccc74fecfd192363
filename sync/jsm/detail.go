package jsm

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// remark is one note of an alert in either dialect.
type remark struct {
	ID        string `json:"id"`     // JSM
	Offset    string `json:"offset"` // Opsgenie
	CreatedAt any    `json:"createdAt"`
	Note      string `json:"note"`
	Owner     string `json:"owner"`
}

func (r remark) at() time.Time { return readTime(r.CreatedAt) }

// entryOfLog is one line of an alert's log in either dialect.
type entryOfLog struct {
	LogTime   any    `json:"logTime"`   // JSM
	CreatedAt any    `json:"createdAt"` // Opsgenie
	Log       string `json:"log"`
	Owner     string `json:"owner"`
}

func (e entryOfLog) at() time.Time {
	if e.LogTime != nil {
		return readTime(e.LogTime)
	}
	return readTime(e.CreatedAt)
}

func (p *Provider) notes(ctx context.Context, id string) ([]remark, error) {
	notes, err := readAll[remark](ctx, p, p.alertPath(id)+"/notes", url.Values{p.dialect.size: {"100"}}, p.dialect.older)
	slices.SortStableFunc(notes, func(a, b remark) int { return a.at().Compare(b.at()) })
	return notes, err
}

func (p *Provider) history(ctx context.Context, id string) ([]entryOfLog, error) {
	entries, err := readAll[entryOfLog](ctx, p, p.alertPath(id)+"/logs", url.Values{p.dialect.size: {"100"}}, p.dialect.older)
	slices.SortStableFunc(entries, func(a, b entryOfLog) int { return a.at().Compare(b.at()) })
	return entries, err
}

// Describe reads one alert with its notes and its log. Without the alert there
// is an error; what else could not be read is among Missing.
func (p *Provider) Describe(ctx context.Context, wanted page.Page) (provider.Detail, error) {
	leave, err := p.enter(ctx, p.asking)
	if err != nil {
		return provider.Detail{}, err
	}
	defer leave()
	me, err := p.me(ctx)
	if err != nil {
		return provider.Detail{}, err
	}
	one, err := p.read(ctx, wanted.UpstreamID)
	if err != nil {
		return provider.Detail{}, err
	}
	told := provider.Detail{Body: page.PlainLines(one.Description, page.MaxDetails)}
	missing := func(what string, err error) {
		if err != nil {
			told.Missing = append(told.Missing, fmt.Sprintf("%s could not be read: %s", what, provider.Sentence(err)))
		}
	}
	notes, err := p.notes(ctx, one.ID)
	missing("The notes", err)
	entries, err := p.history(ctx, one.ID)
	missing("The log", err)
	people := one.people()
	for _, entry := range entries {
		people = append(people, entry.Owner)
	}
	for _, one := range notes {
		people = append(people, one.Owner)
	}
	missing("The names of people", p.readNames(ctx, people))
	told.Page = p.describe(one, me, wanted.Mine)
	for _, entry := range entries {
		told.Log = append(told.Log, provider.Event{At: entry.at(), Who: p.name(entry.Owner), Text: page.Plain(entry.Log, page.MaxTitle)})
	}
	for _, one := range notes {
		told.Notes = append(told.Notes, provider.Remark{
			ID: page.Plain(cmp.Or(one.ID, one.Offset), maxName), At: one.at(), By: p.name(one.Owner), ByMe: me.is(one.Owner),
			Text: page.PlainLines(strings.TrimSpace(one.Note), page.MaxDetails),
		})
	}
	return told, nil
}
