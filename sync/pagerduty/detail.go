package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

const (
	// changesTold is how many changes are asked for, the newest of them.
	changesTold = 20
	maxRemark   = 4000
)

// logEntry is one line of an incident's log.
type logEntry struct {
	Type      string `json:"type"`
	Summary   string `json:"summary"`
	CreatedAt string `json:"created_at"`
	Agent     user   `json:"agent"`
	Note      string `json:"note"`
}

// remark is a note.
type remark struct {
	ID        string `json:"id"`
	User      user   `json:"user"`
	Content   string `json:"content"`
	CreatedAt string `json:"created_at"`
}

// change is a change event.
type change struct {
	At      string `json:"timestamp"`
	Summary string `json:"summary"`
	Source  string `json:"source"`
	Links   []struct {
		URL  string `json:"href"`
		Text string `json:"text"`
	} `json:"links"`
}

// Describe reads an incident with its alerts, its log, its notes and the
// changes that PagerDuty relates to it. Only the incident itself has to be
// there; what else could not be read is said.
func (p *Provider) Describe(ctx context.Context, wanted page.Page) (provider.Detail, error) {
	release, err := p.looking.Enter(ctx)
	if err != nil {
		return provider.Detail{}, p.client.gaveUp(err)
	}
	defer release()

	me, err := p.me(ctx)
	if err != nil {
		return provider.Detail{}, err
	}
	id := wanted.UpstreamID
	one, err := p.readWith(ctx, id, "acknowledgers", "body")
	if err != nil {
		return provider.Detail{}, err
	}
	told := provider.Detail{Page: p.describe(one, me), Body: bodyText(one.Body.Details)}
	missing := func(what string, err error) bool {
		if err != nil {
			told.Missing = append(told.Missing, "The "+what+" could not be read: "+provider.Sentence(err))
		}
		return err != nil
	}
	if alerts, err := every[alert](ctx, p.client.asAside(), "/incidents/"+id+"/alerts", "alerts", url.Values{}); !missing("alerts", err) {
		told.Alerts = describeAlerts(alerts)
	}
	if entries, err := p.logOf(ctx, id); !missing("log", err) {
		told.Log = describeLog(entries)
	}
	if notes, err := p.notesOf(ctx, id); !missing("notes", err) {
		told.Notes = describeNotes(notes, me)
	}
	if changes, err := p.changesOf(ctx, id); !missing("changes", err) {
		told.Changes = describeChanges(changes)
	}
	if told.Body == "" && len(told.Alerts) > 0 {
		told.Body = told.Alerts[0].Details
	}
	return told, nil
}

// logOf reads the whole log of an incident, newest first.
func (p *Provider) logOf(ctx context.Context, id string) ([]*logEntry, error) {
	return every[logEntry](ctx, p.client.asAside(), "/incidents/"+id+"/log_entries", "log_entries", url.Values{"is_overview": {"false"}, "time_zone": {"UTC"}})
}

// notesOf reads all notes, which come in one piece.
func (p *Provider) notesOf(ctx context.Context, id string) ([]*remark, error) {
	var answer struct {
		Notes []*remark `json:"notes"`
	}
	if _, err := p.client.asAside().get(ctx, "/incidents/"+id+"/notes", nil, &answer); err != nil {
		return nil, err
	}
	if answer.Notes == nil {
		return nil, p.client.asAside().nonsense("no list of notes")
	}
	return answer.Notes, nil
}

func (p *Provider) changesOf(ctx context.Context, id string) ([]*change, error) {
	var answer struct {
		Changes []*change `json:"change_events"`
	}
	_, err := p.client.asAside().get(ctx, "/incidents/"+id+"/related_change_events", url.Values{"limit": {fmt.Sprint(changesTold)}}, &answer)
	if err == nil && answer.Changes == nil {
		err = p.client.asAside().nonsense("no list of changes")
	}
	return answer.Changes, err
}

func describeAlerts(alerts []*alert) []provider.Alert {
	var told []provider.Alert
	for _, one := range alerts {
		if one == nil {
			continue
		}
		found := summarise([]*alert{one})
		told = append(told, provider.Alert{
			Title: plain(one.Summary, page.MaxTitle), Severity: plain(one.Severity, maxName), Status: plain(one.Status, maxName),
			At: readTime(one.CreatedAt), Details: bodyText(one.Body.Details), Links: found.links,
		})
	}
	return told
}

func describeLog(entries []*logEntry) []provider.Event {
	var told []provider.Event
	for _, one := range slices.Backward(entries) {
		if one == nil {
			continue
		}
		text := plain(one.Summary, page.MaxTitle)
		if text == "" {
			text = plain(strings.ReplaceAll(strings.TrimSuffix(one.Type, "_log_entry"), "_", " "), maxName)
		}
		if note := plain(one.Note, maxRemark); note != "" {
			text += ": " + note
		}
		told = append(told, provider.Event{At: readTime(one.CreatedAt), Who: one.Agent.called(), Text: text})
	}
	slices.SortStableFunc(told, func(a, b provider.Event) int { return a.At.Compare(b.At) })
	return told
}

func describeNotes(notes []*remark, me user) []provider.Remark {
	var told []provider.Remark
	for _, one := range notes {
		if one == nil {
			continue
		}
		told = append(told, provider.Remark{
			ID: plain(one.ID, maxName), At: readTime(one.CreatedAt), By: one.User.name(), ByMe: one.User.ID == me.ID, Text: page.PlainLines(one.Content, maxRemark),
		})
	}
	slices.SortStableFunc(told, func(a, b provider.Remark) int { return a.At.Compare(b.At) })
	return told
}

func describeChanges(changes []*change) []provider.Change {
	var told []provider.Change
	for _, one := range changes {
		if one == nil {
			continue
		}
		made := provider.Change{At: readTime(one.At), Summary: plain(one.Summary, page.MaxTitle), Source: plain(one.Source, maxName)}
		for _, link := range one.Links {
			if address := webAddress(link.URL); address != "" && len(made.Links) < maxLinks {
				made.Links = append(made.Links, page.Link{Text: plain(link.Text, maxName), URL: address})
			}
		}
		told = append(told, made)
	}
	slices.SortStableFunc(told, func(a, b provider.Change) int { return b.At.Compare(a.At) })
	return told
}

// bodyText writes details, a text or a table, as lines.
func bodyText(details any) string {
	text, labels := describeDetails(details)
	lines := []string{text}
	if text == "" {
		lines = nil
	}
	for _, one := range labels {
		lines = append(lines, one.Name+": "+one.Value)
	}
	return strings.Join(lines, "\n")
}
