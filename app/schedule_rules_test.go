package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/provider"
)

const (
	// prompt is how soon a change at a service that can be seen has to be known.
	prompt = 15 * time.Second
	// aftermath is how long trouble may last beyond its end: the service asked
	// for half a minute of patience, and a request may still hang.
	aftermath = 45 * time.Second
	// answerLives is how long after it was asked for something may be done.
	answerLives = 15 * time.Minute
	// underway is how long a request that was sent may take to arrive: it is
	// given up after 8 s, and a slow service takes it in a little later.
	underway = 12 * time.Second
)

func (l *life) breaks(format string, values ...any) {
	l.broken = append(l.broken, fmt.Sprintf("at %.3f ", time.Since(l.world.began).Seconds())+fmt.Sprintf(format, values...))
}

// nothingLost holds, whenever the service can be seen, that what it lists as
// Ana's is known here as it is there, and rings if it should. What changed a
// moment ago has a moment to come here.
func (l *life) nothingLost() {
	if l.well.IsZero() || time.Since(l.well) < aftermath {
		return
	}
	there, here := l.world.mine(), map[string]watch.PageState{}
	state := l.agent.state.Load()
	calls := false
	for _, p := range state.Pages {
		here[p.UpstreamID] = p
		calls = calls || p.Calls
	}
	changed := l.lastChanges()
	fresh := func(id string) bool { return time.Since(changed[id]) < prompt }
	for _, id := range slices.Sorted(maps.Keys(there)) {
		one := there[id]
		p, known := here[id]
		switch {
		case fresh(id):
		case !known:
			l.breaks("%s is %s at the service and not known here", id, one.Status)
		case string(p.Status) != one.Status:
			l.breaks("%s is %s at the service and %s here", id, one.Status, p.Status)
		case p.Status == page.Triggered && one.wakes() && !p.Alarming:
			l.breaks("%s should ring and does not: %+v", id, p)
		case p.Status == page.Triggered && p.Alarming && !p.Calls && !p.Hushed && p.Answer == watch.AnswerNone:
			l.breaks("%s is quiet without a reason: %+v", id, p)
		case p.Status == page.Acknowledged && p.Calls && !p.StillOnIt:
			l.breaks("%s rings although it is answered: %+v", id, p)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(here)) {
		if _, listed := there[id]; !listed && !fresh(id) {
			l.breaks("%s is over at the service, or Béla's, and open here: %+v", id, here[id])
		}
	}
	if sounds := l.bell.pattern() != watch.Silent; sounds != calls {
		l.breaks("the bell sounds: %v; a page calls: %v", sounds, calls)
	}
}

// wakes says that a triggered page has to ring, by what the service tells.
func (i incident) wakes() bool {
	handedOn := slices.ContainsFunc(i.PendingActions, func(a struct{ Type string }) bool { return a.Type == "escalate" })
	return i.Urgency == "high" || handedOn || i.Priority.Name == "P2"
}

// lastChanges are when something last happened to each page.
func (l *life) lastChanges() map[string]time.Time {
	last := map[string]time.Time{}
	for _, e := range l.world.events() {
		if e.page != "" && e.kind != looked {
			last[e.page] = e.at
		}
	}
	return last
}

// holdRules looks back when all is well and everything had time to settle.
func (l *life) holdRules() {
	entries, err := l.kept.Timeline(l.t.Context(), "", 100_000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, p := range l.agent.state.Load().Pages {
		if p.Alarming && !p.Calls && !p.Hushed {
			l.breaks("%s is still quiet on the word of an answer that waits: %+v", p.UpstreamID, p)
		}
	}
	events := l.world.events()
	for _, upstream := range l.pages {
		var told []store.Entry
		for _, e := range entries {
			if e.PageID == page.NewID("prod", upstream) {
				told = append(told, e)
			}
		}
		var happened []event
		for _, e := range events {
			if e.page == upstream || e.page == "" {
				happened = append(happened, e)
			}
		}
		l.noneRungTwice(upstream, told, happened)
		l.noAnswerSentWrongly(upstream, happened)
		l.errandsRight(upstream, told, happened)
	}
}

// noneRungTwice holds that one epoch rings once, and once more after each start
// of Nightstand that found it unanswered, and that there are no more epochs
// than reasons for them at the service.
func (l *life) noneRungTwice(upstream string, told []store.Entry, happened []event) {
	rang, rangAgain, epochs := map[int]int{}, map[int]int{}, 0
	for _, e := range told {
		epochs = max(epochs, e.Epoch)
		switch {
		case e.Kind != string(watch.KindPaged):
		case strings.HasPrefix(e.Text, "Still unanswered after Nightstand was started again"):
			rangAgain[e.Epoch]++
		default:
			rang[e.Epoch]++
		}
	}
	for epoch, times := range rang {
		if times > 1 {
			l.breaks("%s rang %d times in epoch %d", upstream, times, epoch)
		}
	}
	for epoch, times := range rangAgain {
		if times > l.starts-1 {
			l.breaks("%s rang %d times in epoch %d after %d starts", upstream, times, epoch, l.starts)
		}
	}
	reasons, gentle := 0, false
	for _, e := range happened {
		switch e.kind {
		case "trigger", "unacknowledge", "assign", reopened, "escalate", "repeat_escalation_path":
			reasons++
		}
	}
	for _, one := range l.world.mine() {
		gentle = gentle || one.ID == upstream && one.Urgency != "high"
	}
	// One that wakes nobody by itself rings while its priority cannot be read,
	// and anew each time it is going to be handed on.
	if epochs > reasons && !gentle {
		l.breaks("%s has %d epochs, and the service gave %d reasons", upstream, epochs, reasons)
	}
}

// noAnswerSentWrongly holds that every acknowledgement the agent sent was asked
// for, not long ago, and wanted at the last look that the agent could have.
func (l *life) noAnswerSentWrongly(upstream string, happened []event) {
	presses, sent, troubled := 0, 0, false
	status, others := "triggered", false
	for at, e := range happened {
		switch e.kind {
		case pressed:
			presses++
		case lost:
			troubled = true
		case "Nightstand starts again", "Nightstand is killed", "the machine sleeps":
			troubled = true // what was confirmed may not have been heard
		case "resolve":
			status = "resolved"
		case "trigger", "assign", "escalate", "unacknowledge", "repeat_escalation_path":
			status, others, sent = "triggered", false, 0
		case "acknowledge":
			if !e.ours {
				others, status = true, "acknowledged"
				continue
			}
			asked := slices.ContainsFunc(happened[:at], func(p event) bool {
				return p.kind == pressed && e.at.Sub(p.at) <= answerLives+underway
			})
			wanted := slices.ContainsFunc(happened[:at], func(look event) bool {
				return look.kind == looked && e.at.Sub(look.at) <= underway && look.shown.wantsAnswer()
			})
			switch {
			case !asked:
				l.breaks("%s was acknowledged at %.3f, and nobody asked for that", upstream, e.at.Sub(l.world.began).Seconds())
			case !wanted:
				l.breaks("%s was acknowledged at %.3f, when it was %s (taken: %v), without a look that it is wanted", upstream, e.at.Sub(l.world.began).Seconds(), status, others)
			}
			// One press is one acknowledgement; when what came of it could not
			// be heard it is sent again, which changes nothing.
			if sent++; sent > presses && !troubled {
				l.breaks("%s was acknowledged %d times for %d presses", upstream, sent, presses)
			}
			status = "acknowledged"
		}
	}
}

// wantsAnswer says that an acknowledgement by Ana would be right.
func (i incident) wantsAnswer() bool {
	hers := slices.ContainsFunc(i.Assignments, func(a struct{ Assignee struct{ ID string } }) bool { return a.Assignee.ID == ana })
	ours := slices.ContainsFunc(i.Acknowledgements, func(a struct{ Acknowledger struct{ ID string } }) bool { return a.Acknowledger.ID == ana })
	return i.Status == "triggered" && hers || i.Status == "acknowledged" && ours
}

// errandsRight holds that what was asked for was done once, in time, or that it
// is told why not.
func (l *life) errandsRight(upstream string, told []store.Entry, happened []event) {
	notes := l.world.notes(upstream)
	// Whether an earlier try arrived is told by the service's clock. When that
	// jumps between two tries nobody can tell, and rather twice than never.
	jumped := slices.ContainsFunc(happened, func(e event) bool { return e.kind == "the service's clock jumps" })
	asks := map[provider.Deed][]*wish{}
	for _, a := range l.asked {
		if a.page == upstream && !a.refused.Load() {
			asks[a.deed] = append(asks[a.deed], a)
		}
	}
	for _, a := range asks[provider.Note] {
		times := 0
		for _, text := range notes {
			if text == a.text {
				times++
			}
		}
		switch {
		case times == 0 && !a.unsure.Load() && !slices.ContainsFunc(told, func(e store.Entry) bool { return givenUp(e, provider.Note) }):
			l.breaks("the note %q was lost", a.text)
		case times > 1 && !jumped:
			l.breaks("the note %q was sent %d times", a.text, times)
		}
	}
	logged := map[provider.Deed]string{provider.Resolve: "resolve", provider.Snooze: "snooze", provider.Escalate: "escalate", provider.Reassign: "assign"}
	for deed, kind := range logged {
		done := 0
		for _, e := range happened {
			if e.kind != kind || !e.ours {
				continue
			}
			done++
			if !slices.ContainsFunc(asks[deed], func(a *wish) bool { return !a.at.After(e.at) && e.at.Sub(a.at) <= answerLives+underway }) {
				l.breaks("%s: %s was done at %.3f, and nobody asked for that", upstream, deed, e.at.Sub(l.world.began).Seconds())
			}
		}
		if done > len(asks[deed]) && !jumped {
			l.breaks("%s: %s was asked for %d times and done %d times", upstream, deed, len(asks[deed]), done)
		}
	}
	for deed, all := range asks {
		sure, settled := 0, 0
		for _, a := range all {
			if !a.unsure.Load() {
				sure++
			}
		}
		for _, e := range told {
			if e.Kind == deedKinds[deed] || givenUp(e, deed) {
				settled++
			}
		}
		if settled < sure {
			l.breaks("%s: %s was asked for %d times, and the timeline tells of %d", upstream, deed, sure, settled)
		}
	}
}

// givenUp says that an entry of the timeline tells why a deed will not be done.
func givenUp(e store.Entry, deed provider.Deed) bool {
	why, tells := strings.CutPrefix(e.Text, deedVerb(deed)+": ")
	return e.Kind == "not_done" && tells && !strings.HasPrefix(why, "Not yet")
}
