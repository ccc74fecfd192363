package app

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/watch"
	"nightstand/tray"
	"nightstand/tray/notify"
)

// What is shown is a pure function of the state: the same state always gives
// the same words, and nothing in them changes merely because a second passed.

// headline is the one sentence at the top of every face.
func headline(s watch.State) string {
	switch s.Light {
	case watch.Armed:
		return "Armed. You would hear a page right now."
	case watch.BlindLight:
		return "Blind: " + strings.Join(s.Blind, "; ") + "."
	case watch.OffShift:
		return "Off shift. Pages that name you still ring."
	case watch.UnknownLight:
		return "Not known yet: the paging service has not answered since the start."
	}
	return "Not armed: " + firstReason(s.Signals) + "."
}

// firstReason is the most telling of the required signals that are not ok: what
// has failed before what is merely unknown, and the sound before the rest.
func firstReason(signals []watch.Signal) string {
	rank := func(s watch.Signal) int {
		switch {
		case s.State == watch.SignalFailed:
			return 0
		case s.State == watch.SignalWarning:
			return 1
		case s.Name == watch.SignalSound:
			return 2
		}
		return 3
	}
	reason, best := "it is not known why", 4
	for _, s := range signals {
		if s.Required && s.State != watch.SignalOK && rank(s) < best {
			reason, best = s.Detail, rank(s)
		}
	}
	return reason
}

// sortOut splits the open pages by what they want from the user.
func sortOut(s watch.State) (calling, underWay, asking, mine []watch.PageState) {
	for _, p := range s.Pages {
		switch {
		case p.StillOnIt:
			asking = append(asking, p)
		case p.Alarming && p.Answer == watch.AnswerUnderWay:
			underWay = append(underWay, p)
		case p.Alarming:
			calling = append(calling, p)
		case p.Status == page.Acknowledged && p.AcknowledgedByMe:
			mine = append(mine, p)
		}
	}
	return calling, underWay, asking, mine
}

// trayView is what the icon and its menu show.
func trayView(s watch.State) tray.View {
	calling, underWay, asking, mine := sortOut(s)
	view := tray.View{OnShift: s.OnShift, Hush: hushWords(s), Count: len(calling) + len(asking)}
	switch {
	case len(calling) > 0:
		view.State, view.Status = tray.Page, ringing(calling)
	case len(asking) > 0:
		view.State, view.Status = tray.Page, "Still on it? “"+asking[0].Title+"”"
	case s.Light == watch.BlindLight:
		view.State, view.Status = tray.Blind, headline(s)
	case len(underWay) > 0:
		view.State, view.Status = tray.Acknowledged, "Acknowledging, not confirmed yet: "+underWay[0].Title
	case len(mine) > 0:
		view.State, view.Status = tray.Acknowledged, acknowledged(mine)
	default:
		view.State = map[watch.Light]tray.State{
			watch.Armed: tray.Armed, watch.NotArmed: tray.NotArmed, watch.UnknownLight: tray.Unknown, watch.OffShift: tray.OffShift,
		}[s.Light]
		view.Status = headline(s)
	}
	view.Tooltip = "Nightstand. " + view.Status
	for _, p := range s.Pages {
		view.Pages = append(view.Pages, tray.Item{
			ID: p.ID, Title: menuTitle(p),
			CanAcknowledge: p.Alarming && p.Answer != watch.AnswerUnderWay || p.StillOnIt,
			CanUndo:        p.UndoLeft > 0,
		})
	}
	for _, n := range s.Notices {
		view.Notices = append(view.Notices, tray.Item{ID: n.ID, Title: n.Text})
	}
	return view
}

// hushWords say what being quiet means now; nothing while nothing rings.
func hushWords(s watch.State) string {
	switch s.Alarm.Pattern {
	case watch.Silent:
		return ""
	case watch.Blind:
		return "I know: quiet for " + short(s.KnownLasts)
	}
	return "Hush: quiet for " + short(s.HushLasts) + ", nothing is answered"
}

// short says a set span as a person would.
func short(d time.Duration) string {
	if d >= 2*time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}

func ringing(calling []watch.PageState) string {
	first := calling[0]
	words := capital(string(first.Severity)) + ": " + first.Title
	if len(calling) > 1 {
		words = fmt.Sprintf("%d pages. %s", len(calling), words)
	}
	return words
}

func acknowledged(mine []watch.PageState) string {
	words := "Acknowledged by you, confirmed: " + mine[0].Title
	if len(mine) > 1 {
		words += fmt.Sprintf(" and %d more", len(mine)-1)
	}
	return words
}

// menuTitle is a page's line in the menu.
func menuTitle(p watch.PageState) string {
	switch {
	case p.StillOnIt:
		return "Still on it? " + p.Title
	case p.Status == page.Acknowledged:
		return p.Title + " (acknowledged by " + byWhomShort(p.Page) + ")"
	case p.Answer == watch.AnswerUnderWay:
		return p.Title + " (acknowledging, not confirmed yet)"
	case p.Answer == watch.AnswerNotYet, p.Answer == watch.AnswerRefused:
		return p.Title + " (not acknowledged: " + p.AnswerReason + ")"
	case p.MutedBy != "":
		return p.Title + " (" + p.MutedBy + ")"
	}
	return p.Title
}

// byWhomShort is byWhom inside a sentence.
func byWhomShort(p page.Page) string {
	if !p.AcknowledgedByMe && p.AcknowledgedBy == "" {
		return "somebody else"
	}
	return byWhom(p)
}

// The words before the first space of an action's key say what it does; page
// ids follow.
const (
	actAcknowledge = "acknowledge"
	actHush        = "hush"
	actDismiss     = "dismiss"
	actUndo        = "undo"
)

// Keys of the notifications. Notices have one each.
const (
	noteAlarm   = "alarm"
	noteBlind   = "blind"
	noteStill   = "still"
	noteState   = "state"
	notePrefix  = "notice "
	mostNotices = 3
	mostNamed   = 3
)

// notes are the notifications that should be on the screen.
func notes(s watch.State) []notify.Note {
	calling, underWay, asking, _ := sortOut(s)
	var all []notify.Note
	switch {
	case len(calling) > 0:
		all = append(all, alarmNote(calling, s))
	case len(underWay) > 0:
		all = append(all, notify.Note{
			Key: noteAlarm, Title: "Acknowledging", Body: "Not confirmed yet: " + underWay[0].Title,
			Fixed: "Acknowledging; not confirmed yet.", Resident: true,
		})
	}
	if len(asking) > 0 {
		all = append(all, notify.Note{
			Key: noteStill, Title: "Still on it?", Urgent: true, Resident: true, Count: len(asking),
			Body:    asking[0].Title + "\nYour acknowledgement runs out at " + asking[0].AckExpiresAt.In(s.At.Location()).Format("15:04") + "; then it rings again.",
			Actions: []notify.Action{{Key: actAcknowledge + ids(asking), Label: "Still on it"}},
			Fixed:   "Still on it? Your acknowledgement runs out soon. Open Nightstand.",
		})
	}
	if len(s.Blind) > 0 && s.OnShift {
		all = append(all, notify.Note{
			Key: noteBlind, Title: "Blind: pages cannot be seen", Body: strings.Join(s.Blind, "\n") + ".", Urgent: true, Resident: true,
			Actions: []notify.Action{{Key: actHush, Label: "I know, " + short(s.KnownLasts)}},
			Fixed:   "Blind: the paging service cannot be seen. Open Nightstand.",
		})
	}
	newest := s.Notices[max(0, len(s.Notices)-mostNotices):]
	for _, n := range newest {
		all = append(all, noticeNote(n, s))
	}
	return all
}

// stateNote answers somebody who wants to see how things stand.
func stateNote(s watch.State) notify.Note {
	open := "No page is open."
	if n := len(s.Pages); n > 0 {
		open = fmt.Sprintf("%d open: %s", n, s.Pages[0].Title)
	}
	return notify.Note{
		Key: noteState, Title: headline(s), Body: open + "\n“nightstand status” in a terminal says more.", Resident: true,
		Fixed: "“nightstand status” in a terminal says how things stand.",
	}
}

// alarmNote is one notification for everything that rings: a storm is one alarm.
func alarmNote(calling []watch.PageState, s watch.State) notify.Note {
	first := calling[0]
	note := notify.Note{
		Key: noteAlarm, Title: ringing(calling), Urgent: true, Resident: true, Count: len(calling),
		Actions: []notify.Action{{Key: actAcknowledge + ids(calling), Label: "Acknowledge"}, {Key: actHush, Label: "Hush " + short(s.HushLasts)}},
		Fixed:   fmt.Sprintf("%d pages are ringing. Open Nightstand to acknowledge.", len(calling)),
	}
	var body []string
	if first.Service != "" {
		body = append(body, first.Service)
	}
	body = append(body, "Since "+since(first).In(s.At.Location()).Format("15:04")+". "+capital(first.Severity.Meaning())+".")
	if first.Answer == watch.AnswerNotYet || first.Answer == watch.AnswerRefused {
		body = append(body, "Not acknowledged: "+first.AnswerReason+".")
	}
	if first.Status == page.Triggered && !first.EscalatesAt.IsZero() {
		next := cmp.Or(first.EscalatesTo, "the next person")
		body = append(body, "Goes to "+next+" at "+first.EscalatesAt.In(s.At.Location()).Format("15:04")+".")
	}
	if len(calling) == 1 {
		note.Fixed = "A page is ringing. Open Nightstand to acknowledge."
		if first.AnswerMutes != "" {
			body = append(body, "Acknowledge "+first.AnswerMutes+".")
		}
	} else {
		note.Actions[0].Label = fmt.Sprintf("Acknowledge %d", len(calling))
		body = append(body, "Also: "+others(calling[1:]))
		if first.AnswerMutes != "" {
			body = append(body, "Each answer "+first.AnswerMutes+".")
		}
	}
	note.Body = strings.Join(body, "\n")
	return note
}

// others names a few more pages of a storm and counts the rest.
func others(pages []watch.PageState) string {
	var titles []string
	for _, p := range pages[:min(len(pages), mostNamed)] {
		titles = append(titles, p.Title)
	}
	words := strings.Join(titles, "; ")
	if more := len(pages) - mostNamed; more > 0 {
		words += fmt.Sprintf("; and %d more", more)
	}
	return words
}

// since is when a page began; a sender's clock may be ahead of ours.
func since(p watch.PageState) time.Time {
	if p.TriggeredAt.IsZero() || p.TriggeredAt.After(p.FirstSeen) {
		return p.FirstSeen
	}
	return p.TriggeredAt
}

func noticeNote(n watch.Notice, s watch.State) notify.Note {
	note := notify.Note{
		Key: notePrefix + n.ID, Title: endingTitle(n.Ending), Body: n.Text, Resident: true,
		Actions: []notify.Action{{Key: actDismiss + " " + n.ID, Label: "Dismiss"}},
		Fixed:   "Nightstand has a message for you.",
	}
	for _, p := range s.Pages {
		if p.ID == n.PageID && p.UndoLeft > 0 && n.Ending == watch.EndedHere {
			note.Actions = append(note.Actions, notify.Action{Key: actUndo + " " + p.ID, Label: "Undo"})
		}
	}
	return note
}

func endingTitle(e watch.Ending) string {
	switch e {
	case watch.EndedHere:
		return "Acknowledged, confirmed"
	case watch.EndedElsewhere:
		return "Acknowledged by you elsewhere"
	case watch.EndedTaken:
		return "Somebody else has it"
	case watch.EndedResolved:
		return "Resolved"
	case watch.EndedReassigned:
		return "Given to somebody else"
	case watch.EndedForgotten:
		return "No longer listed"
	case watch.EndedMuted:
		return "Quiet at the service"
	case watch.EndedShift:
		return "Your shift is over"
	case watch.EndedSight:
		return "Sight is back"
	}
	return "Nightstand"
}

func ids(pages []watch.PageState) string {
	var all strings.Builder
	for _, p := range pages {
		all.WriteString(" " + p.ID)
	}
	return all.String()
}

// capital begins words, which are ours and plain letters, with a large one.
func capital(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
