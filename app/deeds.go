package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/roster"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/outbox"
	"nightstand/sync/provider"
)

// deedPatience is how long a command waits for its errand before it says that
// it is on its way.
const deedPatience = 10 * time.Second

// namesPatience is how long it may take to find out who is meant by a name.
const namesPatience = 8 * time.Second

// Do asks the service of a page for a deed and waits a while for it. What does
// not get through at once is kept, and sent when the service can be reached.
func (a *Agent) Do(ctx context.Context, id string, asked control.Deed) (control.Outcome, error) {
	p, err := a.find(ctx, id)
	if err != nil {
		return control.Outcome{}, err
	}
	line, err := a.lineFor(p.Page, provider.Deed(asked.Deed))
	if err != nil {
		return control.Outcome{}, err
	}
	errand, err := a.errand(ctx, line, p.Page, asked)
	if err != nil {
		return control.Outcome{}, err
	}
	if errand.Deed == provider.Snooze || errand.Deed == provider.Resolve {
		// Whoever does that is awake and has answered: it is quiet at once.
		if p.Status == page.Triggered && !p.Ended {
			if err := a.do(ctx, watch.Acknowledge{IDs: []string{id}}); err != nil {
				return control.Outcome{}, err
			}
		}
	}
	return a.runErrand(ctx, line, p, errand)
}

// runErrand puts an errand on its way and waits for it.
func (a *Agent) runErrand(ctx context.Context, line *line, p watch.PageState, errand provider.Errand) (control.Outcome, error) {
	changed, end := a.changed.listen()
	defer end()
	number, err := line.errands.Put(ctx, p.Page, errand)
	if err != nil {
		return control.Outcome{}, &control.RefusedError{Sentence: "That was not kept and so not sent: " + store.Why(err) + ". Do it in the service itself, and make room on the disk."}
	}
	a.changed.tell()
	late, cancel := context.WithTimeout(ctx, deedPatience)
	defer cancel()
	o := control.Outcome{ID: p.ID, Title: p.Title}
	for {
		if result, known := line.results.of(number); known {
			if result.Err == nil {
				o.Done, o.Sentence = true, line.doneWords(result)
				return o, nil
			}
			if o.Sentence = failedWords(result); !result.Waits {
				return o, nil
			}
			if provider.KindOf(result.Err) == provider.Unreachable {
				return o, nil // who sits offline need not wait for the rest of the patience
			}
		}
		select {
		case <-changed:
		case <-late.Done():
			if o.Sentence == "" {
				o.Sentence = "It is on its way and not confirmed yet; “nightstand show " + p.ID + "” tells."
			}
			return o, nil
		}
	}
}

// lineFor finds the connection that can do a deed for a page.
func (a *Agent) lineFor(p page.Page, deed provider.Deed) (*line, error) {
	line := a.lines.find(p.Account)
	switch {
	case !slices.Contains(provider.Deeds(), deed):
		return nil, &control.RefusedError{Sentence: "Nightstand does not know “" + page.Plain(string(deed), 40) + "”."}
	case line == nil:
		return nil, &control.RefusedError{Sentence: "The account " + p.Account + " is not connected, so nothing can be done there. “nightstand account test " + p.Account + "” says why."}
	case line.errands == nil || !line.service.Capabilities().Can(deed):
		return nil, &control.RefusedError{Sentence: a.lines.cannot(line, deed)}
	}
	return line, nil
}

// cannot says that a service does not do something, and what to do instead.
func (l *lines) cannot(one *line, deed provider.Deed) string {
	account, _ := l.kept(one.name)
	instead := map[provider.Deed]string{
		provider.Resolve:  "It ends when its cause ends, or in the service itself.",
		provider.Snooze:   "Acknowledge it, or hush it here for a minute with “nightstand hush”.",
		provider.Escalate: "Call whoever is next; the service goes on to them by itself if it has somebody to go to.",
		provider.Reassign: "Do it in the service itself, or call the person.",
		provider.Note:     "The note can be kept here: “nightstand note add”.",
	}[deed]
	return fmt.Sprintf("The account %s (%s) cannot %s a page from here. %s", one.name, account.Provider, deedVerb(deed), instead)
}

func deedVerb(deed provider.Deed) string {
	if deed == provider.Note {
		return "add a note to"
	}
	return string(deed)
}

// errand reads what was asked for.
func (a *Agent) errand(ctx context.Context, line *line, p page.Page, asked control.Deed) (provider.Errand, error) {
	errand := provider.Errand{Deed: provider.Deed(asked.Deed), Asked: time.Now().UTC(), Text: strings.TrimSpace(page.PlainLines(asked.Text, maxNote))}
	switch errand.Deed {
	case provider.Snooze:
		until, err := snoozeEnd(asked, time.Now(), line.service.Capabilities().LongestSnooze)
		if err != nil {
			return errand, err
		}
		errand.Until = line.clock.theirs(until).UTC()
	case provider.Reassign:
		to, err := line.person(ctx, asked.To)
		if err != nil {
			return errand, err
		}
		errand.To = to
	case provider.Escalate:
		if asked.To != "" {
			to, err := line.person(ctx, asked.To)
			if err != nil {
				return errand, err
			}
			errand.To = to
		}
	case provider.Note:
		if errand.Text == "" {
			return errand, &control.RefusedError{Sentence: "The note is empty, so there is nothing to send."}
		}
	}
	return errand, nil
}

// snoozeEnd is the instant that was asked for, by this machine's clock.
func snoozeEnd(asked control.Deed, now time.Time, longest time.Duration) (time.Time, error) {
	until := now.Add(time.Duration(asked.ForSeconds * float64(time.Second)))
	if asked.Until != nil {
		until = *asked.Until
	}
	switch length := until.Sub(now); {
	case length < time.Minute:
		return until, &control.RefusedError{Sentence: "A page can be snoozed for a minute or longer. Nothing was done."}
	case longest > 0 && length > longest:
		return until, &control.RefusedError{Sentence: "This service snoozes for " + short(longest) + " at most. Nothing was done."}
	}
	return until, nil
}

// person finds out who is meant, at this instant: an address or a name as the
// service has it, or “primary” and “secondary”, whoever that is now.
func (one *line) person(ctx context.Context, typed string) (page.Person, error) {
	typed = strings.TrimSpace(typed)
	rosters, can := one.service.(provider.Roster)
	switch {
	case typed == "":
		return page.Person{}, &control.RefusedError{Sentence: "Say who gets the page: a name, an address, or “secondary”. Nothing was done."}
	case !can:
		return page.Person{}, &control.RefusedError{Sentence: "The account " + one.name + " does not tell who there is, so nobody can be named. Nothing was done."}
	}
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	for level, name := range map[roster.Level]string{roster.Primary: "primary", roster.Secondary: "secondary"} {
		if strings.EqualFold(typed, name) {
			return onCallNow(ctx, rosters, one.clock.theirs(time.Now()), level, name)
		}
	}
	people, err := rosters.People(ctx)
	if err != nil {
		return page.Person{}, unreadable(err)
	}
	var meant []page.Person
	for _, p := range people {
		if p.ID == typed || strings.EqualFold(p.Email, typed) {
			return p, nil
		}
		if strings.EqualFold(p.Name, typed) || strings.EqualFold(firstWord(p.Name), typed) {
			meant = append(meant, p)
		}
	}
	switch len(meant) {
	case 1:
		return meant[0], nil
	case 0:
		return page.Person{}, &control.RefusedError{Sentence: "Nobody there is called “" + page.Plain(typed, 60) + "”. Nothing was done. Give the address as the service has it."}
	}
	return page.Person{}, &control.RefusedError{Sentence: "Several people there are called “" + page.Plain(typed, 60) + "”. Nothing was done. Give the address of the one you mean."}
}

// onCallNow is the one person in a place of the roster at this instant.
func onCallNow(ctx context.Context, rosters provider.Roster, at time.Time, level roster.Level, name string) (page.Person, error) {
	shifts, err := rosters.OnCall(ctx, at, at.Add(time.Second))
	if err != nil {
		return page.Person{}, unreadable(err)
	}
	var meant []page.Person
	for _, s := range shifts {
		if s.Level == level && s.Covers(at) && !slices.ContainsFunc(meant, func(p page.Person) bool { return p.ID == s.Person.ID }) {
			meant = append(meant, s.Person)
		}
	}
	switch {
	case len(meant) == 1 && meant[0].Me:
		return page.Person{}, &control.RefusedError{Sentence: "The " + name + " is you. Nothing was done."}
	case len(meant) == 1:
		return meant[0], nil
	case len(meant) == 0:
		return page.Person{}, &control.RefusedError{Sentence: "The roster names no " + name + " now. Nothing was done; give a name."}
	}
	var names []string
	for _, p := range meant {
		names = append(names, p.Name)
	}
	return page.Person{}, &control.RefusedError{Sentence: "Several are " + name + " now: " + page.Plain(strings.Join(names, ", "), 200) + ". Nothing was done; give a name."}
}

func unreadable(err error) error {
	return &control.RefusedError{Sentence: "Who that is could not be found out: " + sentence(err) + ". Nothing was done."}
}

func firstWord(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// doneWords say that an errand was done.
func (one *line) doneWords(r outbox.Result) string {
	e, after := r.Waiting.Errand, r.After
	switch e.Deed {
	case provider.Resolve:
		return "Resolved, confirmed by the service."
	case provider.Snooze:
		return "Snoozed until " + one.clock.oursOf(e.Until).In(time.Local).Format("15:04") + ", confirmed by the service. It calls again then if it is still open."
	case provider.Escalate:
		if to := nameOf(e.To, after.AssignedTo); to != "" {
			return "Escalated: " + to + " is called now."
		}
		return "Escalated to the next step, confirmed by the service."
	case provider.Reassign:
		return "Given to " + nameOf(e.To, after.AssignedTo) + ", confirmed by the service."
	case provider.Note:
		return "The note is at the service."
	}
	return "Done."
}

func nameOf(p page.Person, otherwise string) string {
	if p.Name != "" {
		return page.Plain(p.Name, 80)
	}
	return page.Plain(otherwise, 80)
}

// failedWords say why an errand was not done, and whether it is tried again.
func failedWords(r outbox.Result) string {
	var taken *provider.TakenError
	switch {
	case errors.Is(r.Err, provider.ErrGone):
		return "The page has ended, so there is nothing left to do."
	case errors.As(r.Err, &taken):
		return "Nothing was done: " + page.Plain(taken.By, 80) + " has the page."
	case r.Waits && r.Waiting.Errand.Deed == provider.Note:
		return "Not yet: " + sentence(r.Err) + ". It is kept here and sent when the service can be reached."
	case r.Waits:
		return "Not yet: " + sentence(r.Err) + ". It is sent when the service can be reached, within 15 minutes; after that it is dropped and said."
	}
	return "Not done: " + sentence(r.Err) + "."
}

// deedKinds name the entries of the timeline.
var deedKinds = map[provider.Deed]string{
	provider.Resolve: "resolved_here", provider.Snooze: "snoozed", provider.Escalate: "escalated",
	provider.Reassign: "given_away", provider.Note: "note_sent",
}

// errandReported writes down what became of an errand, and looks at once what
// the service makes of it.
func (a *Agent) errandReported(one *line, r outbox.Result) {
	before, known := one.results.of(r.Waiting.ID)
	one.results.put(r)
	defer a.changed.tell()
	e, id := r.Waiting.Errand, r.Waiting.Page.ID
	entry := watch.Write{PageID: id, Epoch: a.epoch(id), At: time.Now().UTC(), Kind: watch.Kind(deedKinds[e.Deed]), Text: one.doneWords(r)}
	if r.Err == nil && e.Deed == provider.Snooze {
		a.Observe(watch.Snoozed{ID: id, Until: one.clock.oursOf(e.Until)})
	}
	if r.Err != nil {
		if known && before.Err != nil && r.Waits && sentence(before.Err) == sentence(r.Err) {
			return // said already
		}
		entry.Kind, entry.Text = "not_done", deedVerb(e.Deed)+": "+failedWords(r)
		a.log.Warn("errand not done", "page", id, "deed", e.Deed, "waits", r.Waits, "error", r.Err)
	}
	a.recorder.put(entry)
	if r.Err == nil || !r.Waits {
		one.poll.Now()
	}
}

func (a *Agent) epoch(id string) int {
	for _, p := range a.state.Load().Pages {
		if p.ID == id {
			return p.Epoch
		}
	}
	return 0
}
