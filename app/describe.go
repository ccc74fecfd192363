package app

import (
	"cmp"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/watch"
)

// utc is a time for a script: UTC, and null when it is not known or lies
// outside of what RFC 3339 can say, which would cost the whole answer.
func utc(at time.Time) *time.Time {
	at = at.UTC()
	if at.IsZero() || at.Year() < 0 || at.Year() > 9999 {
		return nil
	}
	return &at
}

// describePage turns a page as its service describes it into the API's words.
func describePage(p page.Page) control.Page {
	described := control.Page{
		ID: p.ID, Account: p.Account, UpstreamID: p.UpstreamID, Title: p.Title, Service: p.Service,
		Severity: string(p.Severity), Status: string(p.Status),
		TriggeredAt: utc(p.TriggeredAt), AcknowledgedAt: utc(p.AcknowledgedAt), AcknowledgedBy: p.AcknowledgedBy,
		EscalatesAt: utc(p.EscalatesAt), AckExpiresAt: utc(p.AckExpiresAt), SnoozedUntil: utc(p.SnoozedUntil),
		Mine: p.Mine, Links: []page.Link{}, URL: p.URL, Epoch: 1, Labels: []page.Label{},
		AssignedTo: p.AssignedTo, EscalatesTo: p.EscalatesTo,
		MutedBy: p.MutedBy, AcknowledgedByMe: p.AcknowledgedByMe, AnswerMutes: p.AnswerMutes,
	}
	described.Links = append(described.Links, p.Links...)
	described.Labels = append(described.Labels, p.Labels...)
	return described
}

// describePageState adds what was decided about a page.
func describePageState(p watch.PageState, now time.Time) control.Page {
	described := describePage(p.Page)
	described.Epoch = p.Epoch
	described.Ringing = p.Calls
	described.Answer, described.AnswerReason = string(p.Answer), p.AnswerReason
	if p.UndoLeft > 0 {
		described.UndoUntil = utc(now.Add(p.UndoLeft))
	}
	described.StillOnIt, described.Hushed, described.HushesLeft = p.StillOnIt, p.Hushed, p.HushesLeft
	described.Ending, described.EndedAt = string(p.Ending), utc(p.EndedAt)
	if p.Ended {
		described.Status = string(page.Resolved)
	}
	return described
}

// byWhom names who acknowledged a page.
func byWhom(p page.Page) string {
	switch {
	case p.AcknowledgedByMe:
		return "you"
	case p.AcknowledgedBy == "":
		return "Somebody else"
	}
	return p.AcknowledgedBy
}

// confirmedWords say that the service holds our acknowledgement.
func confirmedWords(p watch.PageState, zone *time.Location) string {
	at := p.AnsweredAt
	if at.IsZero() {
		at = p.AcknowledgedAt
	}
	words := "Acknowledged by you, confirmed by the service"
	if !at.IsZero() {
		words = "Acknowledged by you at " + at.In(zone).Format("15:04:05") + ", confirmed by the service"
	}
	if !p.AckExpiresAt.IsZero() {
		words += "; it holds until " + p.AckExpiresAt.In(zone).Format("15:04")
	}
	return words + "."
}

// endedWords say how a page ended.
func endedWords(p watch.PageState) string {
	switch p.Ending {
	case watch.EndedReassigned:
		return cmp.Or(p.AssignedTo, "Somebody else") + " has the page now; there is nothing to do here."
	case watch.EndedForgotten:
		return "The paging service restarted and no longer lists the page; there is nothing to answer."
	case watch.EndedUnwatched:
		return "Its account was removed from Nightstand."
	}
	return "The page is resolved; there is nothing left to do."
}
