package app

import (
	"context"
	"time"

	"nightstand/app/control"
	"nightstand/sync/changes"
	"nightstand/sync/provider"
)

// detailPatience is how long a service may take to tell all of a page.
const detailPatience = 8 * time.Second

// Describe asks the service of a page for everything it knows of it now.
func (a *Agent) Describe(ctx context.Context, id string) (control.Upstream, error) {
	p, err := a.find(ctx, id)
	if err != nil {
		return control.Upstream{}, err
	}
	line := a.lines.find(p.Account)
	if line == nil {
		return control.Upstream{}, &control.RefusedError{Sentence: "The account " + p.Account + " is not connected, so its service cannot be asked."}
	}
	describer, can := line.service.(provider.Describer)
	if !can {
		return control.Upstream{Missing: []string{"This service tells no more of a page than stands in the list."}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, detailPatience)
	defer cancel()
	told, err := describer.Describe(ctx, p.Page)
	if err != nil {
		return control.Upstream{}, &control.RefusedError{Sentence: provider.Sentence(err)}
	}
	if account, known := a.lines.kept(p.Account); known && account.Options.Changes != "" {
		ours, err := changes.Read(ctx, account.Options.Changes, p.Page)
		if err != nil {
			told.Missing = append(told.Missing, provider.Sentence(err))
		}
		told.Changes = append(ours, told.Changes...)
	}
	return describeUpstream(told), nil
}

func describeUpstream(told provider.Detail) control.Upstream {
	up := control.Upstream{Body: told.Body, Missing: told.Missing}
	for _, one := range told.Alerts {
		up.Alerts = append(up.Alerts, control.Alert{Title: one.Title, Severity: one.Severity, Status: one.Status, At: utc(one.At), Details: one.Details, Links: one.Links})
	}
	for _, one := range told.Log {
		up.Log = append(up.Log, control.LogEntry{At: utc(one.At), Who: one.Who, Text: one.Text})
	}
	for _, one := range told.Notes {
		up.Notes = append(up.Notes, control.Note{At: utc(one.At), By: one.By, ByMe: one.ByMe, Text: one.Text})
	}
	for _, one := range told.Changes {
		up.Changes = append(up.Changes, control.Change{At: utc(one.At), Summary: one.Summary, Source: one.Source, Links: one.Links})
	}
	return up
}
