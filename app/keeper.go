package app

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/provider"
)

// The agent is what the control API offers.
var _ control.Keeper = (*Agent)(nil)

// outcomePatience is how long a command waits for its outcomes. It is shorter
// than a client waits for an answer, which would take us for hanging.
const outcomePatience = 150 * time.Second

const notKnownYet = "The outcome is not known yet; look at “nightstand status”."

// State describes everything for the faces.
func (a *Agent) State() control.State {
	now := *a.state.Load()
	state := control.State{Status: a.status(now), Pages: []control.Page{}, Desk: a.desk.get()}
	for _, p := range mostTelling(now.Pages) {
		state.Pages = append(state.Pages, describePageState(p, now.At))
	}
	return state
}

// mostTelling leaves out of a storm what need not be seen at once: never a page
// that calls behind those that are answered.
func mostTelling(pages []watch.PageState) []watch.PageState {
	if len(pages) <= control.MostPages {
		return pages
	}
	pages = slices.Clone(pages)
	slices.SortStableFunc(pages, func(a, b watch.PageState) int {
		switch {
		case a.Alarming == b.Alarming:
			return 0
		case a.Alarming:
			return -1
		}
		return 1
	})
	return pages[:control.MostPages]
}

func (a *Agent) status(now watch.State) control.Status {
	sounding, device, trouble := a.parts.Bell.Sounding()
	status := control.Status{
		Armed: control.Armed{State: string(now.Light), Sentence: headline(now), Signals: []control.Signal{}},
		Shift: control.Shift{OnCall: now.OnShift},
		Alarm: control.Alarm{
			Sounding: sounding && now.Alarm.Pattern != watch.Silent,
			PageID:   now.Alarm.PageID, Step: now.Alarm.Step, Calling: callingNow(now.Pages), Pattern: string(now.Alarm.Pattern), Device: device, Trouble: trouble,
		},
		Accounts: []control.Account{}, Open: len(now.Pages), Notices: []control.Notice{},
		Agent: control.Agent{Version: a.parts.Version, PID: os.Getpid(), StartedAt: a.started.UTC()},
	}
	for _, s := range now.Signals {
		status.Armed.Signals = append(status.Armed.Signals, control.Signal{
			Name: s.Name, State: string(s.State), Required: s.Required, Detail: s.Detail, Since: utc(s.Since),
		})
	}
	for _, seen := range now.Accounts {
		status.Accounts = append(status.Accounts, a.lines.describe(seen))
	}
	for _, n := range now.Notices {
		status.Notices = append(status.Notices, control.Notice{ID: n.ID, PageID: n.PageID, Reason: string(n.Ending), Text: n.Text, At: n.At.UTC()})
	}
	return status
}

func callingNow(pages []watch.PageState) int {
	calling := 0
	for _, p := range pages {
		if p.Calls {
			calling++
		}
	}
	return calling
}

// Pages lists the open pages, worst first; with all the ended ones after them.
func (a *Agent) Pages(all bool) []control.Page {
	now := *a.state.Load()
	listed := make([]control.Page, 0, len(now.Pages))
	for _, p := range now.Pages {
		listed = append(listed, describePageState(p, now.At))
	}
	if !all {
		return listed
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ended, _ := ask(ctx, a, (*watch.Watch).Ended) // a core that hangs has nothing to tell
	for _, p := range ended {
		listed = append(listed, describePageState(p, now.At))
	}
	return listed
}

// find looks a page up among the open and the ended ones.
func (a *Agent) find(ctx context.Context, id string) (watch.PageState, error) {
	found, err := ask(ctx, a, func(w *watch.Watch) *watch.PageState {
		if p, known := w.Page(id); known {
			return &p
		}
		return nil
	})
	switch {
	case err != nil:
		return watch.PageState{}, err
	case found == nil:
		return watch.PageState{}, fmt.Errorf("%w: there is no page %s", control.ErrUnknown, page.Plain(id, 20))
	}
	return *found, nil
}

// Page returns one page with its timeline.
func (a *Agent) Page(ctx context.Context, id string) (control.Detail, error) {
	found, err := a.find(ctx, id)
	if err != nil {
		return control.Detail{}, err
	}
	detail := control.Detail{Page: describePageState(found, a.state.Load().At), Details: found.Details, Timeline: []control.Entry{}}
	if a.parts.Store == nil {
		return detail, nil
	}
	detail.Timeline, err = a.entries(ctx, id, 500)
	return detail, err
}

// Timeline returns what happened lately, oldest first.
func (a *Agent) Timeline(ctx context.Context, most int) ([]control.Entry, error) {
	if a.parts.Store == nil {
		return nil, errNoStorage
	}
	return a.entries(ctx, "", most)
}

func (a *Agent) entries(ctx context.Context, pageID string, most int) ([]control.Entry, error) {
	kept, err := a.parts.Store.Timeline(ctx, pageID, most)
	if err != nil {
		return nil, err
	}
	entries := make([]control.Entry, 0, len(kept))
	for _, e := range kept {
		entries = append(entries, control.Entry{At: e.At, Epoch: e.Epoch, Kind: e.Kind, Text: e.Text})
	}
	return entries, nil
}

// Watch tells after every change of the state.
func (a *Agent) Watch() (<-chan struct{}, func()) { return a.changed.listen() }

// Acknowledge answers pages and waits until each is confirmed or not.
func (a *Agent) Acknowledge(ctx context.Context, ids []string, all bool) ([]control.Outcome, error) {
	for _, id := range ids {
		if _, err := a.find(ctx, id); err != nil {
			return nil, err
		}
	}
	changed, end := a.changed.listen()
	defer end()
	if all {
		ids = a.wouldAnswer(ctx)
	}
	if err := a.do(ctx, watch.Acknowledge{IDs: ids}); err != nil {
		return nil, err
	}
	late, cancel := context.WithTimeout(ctx, outcomePatience)
	defer cancel()
	outcomes := make([]control.Outcome, 0, len(ids))
	for _, id := range ids {
		outcome, err := a.settled(ctx, id, changed, late.Done())
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, nil
}

// wouldAnswer are the pages that one press for all answers now.
func (a *Agent) wouldAnswer(ctx context.Context) []string {
	// The core's clock is that of its last step: what came a second ago must not
	// be taken for newer than it is.
	_ = a.do(ctx, watch.Tick{})                    // on a time-out the command itself fails next
	ids, _ := ask(ctx, a, (*watch.Watch).OnScreen) // on a time-out the command itself fails next
	return ids
}

// settled waits until the fate of one answer is known, or until it is late.
func (a *Agent) settled(ctx context.Context, id string, changed, late <-chan struct{}) (control.Outcome, error) {
	for {
		p, err := a.find(ctx, id)
		if err != nil {
			return control.Outcome{}, err
		}
		if p.Ended || p.Answer != watch.AnswerUnderWay && !p.Trying {
			return a.outcome(p), nil
		}
		select {
		case <-changed:
		case <-late:
			return control.Outcome{ID: p.ID, Title: p.Title, Sentence: notKnownYet}, nil
		}
	}
}

// outcome says how an answer ended.
func (a *Agent) outcome(p watch.PageState) control.Outcome {
	o := control.Outcome{ID: p.ID, Title: p.Title}
	switch {
	case p.Ended:
		o.Done, o.Sentence = true, endedWords(p)
	case p.Answer == watch.AnswerRefused, p.Answer == watch.AnswerNotYet:
		o.Sentence = "Not acknowledged: " + p.AnswerReason + "."
		if p.Answer == watch.AnswerNotYet {
			o.Sentence += " It is sent as soon as the service is seen again. It rings until then; a second press keeps it quiet."
		}
	case p.Status == page.Acknowledged && p.AcknowledgedByMe:
		o.Done, o.Sentence = true, confirmedWords(p, time.Local)
	case p.Status == page.Acknowledged:
		o.Sentence = byWhom(p.Page) + " has it already."
	default:
		o.Sentence = "It is not acknowledged."
	}
	return o
}

// Unacknowledge takes our answer to a page back and waits for the service.
func (a *Agent) Unacknowledge(ctx context.Context, id string) (control.Outcome, error) {
	p, err := a.find(ctx, id)
	if err != nil {
		return control.Outcome{}, err
	}
	o := control.Outcome{ID: id, Title: p.Title}
	switch {
	case p.Ended:
		o.Sentence = endedWords(p)
		return o, nil
	case p.Status != page.Acknowledged:
		o.Sentence = "It is not acknowledged, so there is nothing to take back."
		return o, nil
	case !p.AcknowledgedByMe:
		o.Sentence = byWhom(p.Page) + " acknowledged it; only that person can take it back."
		return o, nil
	}
	changed, end := a.changed.listen()
	defer end()
	if err := a.do(ctx, watch.Unacknowledge{ID: id}); err != nil {
		return o, err
	}
	late, cancel := context.WithTimeout(ctx, outcomePatience)
	defer cancel()
	for {
		if p, err = a.find(ctx, id); err != nil {
			return o, err
		}
		if !p.TakingBack {
			break
		}
		select {
		case <-changed:
		case <-late.Done():
			o.Sentence = notKnownYet
			return o, nil
		}
	}
	switch {
	case p.Ended:
		o.Sentence = endedWords(p)
	case p.Status == page.Triggered:
		o.Done, o.Sentence = true, "Taken back: the page calls again. “nightstand hush” makes it quiet for a while."
	case !p.AcknowledgedByMe:
		o.Done, o.Sentence = true, "Taken back. "+byWhom(p.Page)+" has it still, so it stays quiet."
	default:
		o.Sentence = "It is still acknowledged by you: " + p.TakeBackReason + "."
	}
	return o, nil
}

// Hush makes it quiet for a while and says what that means.
func (a *Agent) Hush(ctx context.Context) (control.Outcome, error) {
	before := a.state.Load().Alarm
	if before.Pattern == watch.Silent {
		return control.Outcome{Done: true, Sentence: "Nothing is ringing."}, nil
	}
	if err := a.do(ctx, watch.Hush{}); err != nil {
		return control.Outcome{}, err
	}
	after := *a.state.Load()
	o := control.Outcome{ID: before.PageID, Done: after.Alarm.Pattern == watch.Silent}
	switch {
	case o.Done && before.Pattern == watch.Blind:
		o.Sentence = "Quiet for " + short(time.Duration(a.parts.Settings.Alarm.BlindKnown)) + ": you know that the paging service cannot be seen. Nothing can ring meanwhile; be reachable another way."
	case o.Done:
		o.Sentence = "Hushed for " + short(time.Duration(a.parts.Settings.Alarm.Hush)) + ". Nobody was told; the page is still unanswered and may escalate."
	default:
		o.Sentence = "It rings on: a page can be hushed only twice. Acknowledge it, or bring in somebody else."
	}
	return o, nil
}

// Dismiss puts kept sentences away.
func (a *Agent) Dismiss(ctx context.Context, id string) error {
	if id != "" && !slices.ContainsFunc(a.state.Load().Notices, func(n watch.Notice) bool { return n.ID == id }) {
		return fmt.Errorf("%w: there is no such sentence", control.ErrUnknown)
	}
	return a.do(ctx, watch.Dismiss{ID: id})
}

// AddNote keeps a note to a page. It is on the disk when this returns, and so
// is the errand to send it, if it is to be sent.
func (a *Agent) AddNote(ctx context.Context, pageID string, asked control.NewNote) (control.Entry, error) {
	text := strings.TrimSpace(page.PlainLines(asked.Text, maxNote))
	if text == "" {
		return control.Entry{}, &control.RefusedError{Sentence: "The note is empty, so there is nothing to keep."}
	}
	p, err := a.find(ctx, pageID)
	if err != nil {
		return control.Entry{}, err
	}
	if a.parts.Store == nil {
		return control.Entry{}, &control.RefusedError{Sentence: "The note was not kept, because the database of this profile cannot be opened. Keep it elsewhere; “nightstand doctor” says more."}
	}
	var line *line
	if asked.Send {
		if line, err = a.lineFor(p.Page, provider.Note); err != nil {
			return control.Entry{}, err
		}
	}
	entry := store.Entry{PageID: p.ID, Epoch: p.Epoch, At: time.Now().UTC(), Kind: "note", Text: text}
	if err := a.parts.Store.Write(ctx, func(n *store.Night) { n.Entry(entry) }); err != nil {
		return control.Entry{}, &control.RefusedError{Sentence: "The note was not kept: " + store.Why(err) + ". Keep it elsewhere, and make room on the disk."}
	}
	if line != nil {
		if _, err := line.errands.Put(ctx, p.Page, provider.Errand{Deed: provider.Note, Text: text, Asked: entry.At}); err != nil {
			return control.Entry{}, &control.RefusedError{Sentence: "The note is kept here, but it will not be sent: " + store.Why(err) + "."}
		}
	}
	a.changed.tell()
	return control.Entry{At: entry.At, Epoch: entry.Epoch, Kind: entry.Kind, Text: entry.Text}, nil
}

// maxNote is the longest note in letters; longer ones end in "…".
const maxNote = 20_000

// AddAccount sets an account up and begins to watch it at once.
func (a *Agent) AddAccount(ctx context.Context, asked control.NewAccount) (control.AccountReport, error) {
	report, err := a.parts.Accounts.AddAccount(ctx, asked)
	if err == nil && report.Kept {
		a.Observe(watch.AccountRemoved{Name: accountsList})
		a.refreshAccounts()
	}
	return report, err
}

// TestAccount asks the service of an account again.
func (a *Agent) TestAccount(ctx context.Context, name string) (control.AccountReport, error) {
	return a.parts.Accounts.TestAccount(ctx, name)
}

// RemoveAccount stops watching an account and forgets it.
func (a *Agent) RemoveAccount(ctx context.Context, name string) error {
	if err := a.parts.Accounts.RemoveAccount(ctx, name); err != nil {
		return err
	}
	a.lines.cut(name)
	a.refreshAccounts()
	return a.do(ctx, watch.AccountRemoved{Name: name})
}

// describe adds to what the core sees how the account was set up.
func (l *lines) describe(seen watch.AccountState) control.Account {
	account := control.Account{
		Name: seen.Name, LastGoodPoll: utc(seen.LastGoodPoll), Error: seen.Failure, Blind: seen.Blind,
		LooksEvery: l.paceNow().Every.Seconds(), Can: []string{}, Waiting: []control.Waiting{},
	}
	if one := l.find(seen.Name); one != nil {
		able := one.service.Capabilities()
		account.TakesBack, account.Expires = able.Unacknowledge, utc(able.Expires)
		account.LooksEvery = l.paceOf(one).Every.Seconds()
		account.ClockAhead = one.clock.difference().Seconds()
		if one.errands != nil {
			for _, deed := range able.Deeds {
				account.Can = append(account.Can, string(deed))
			}
			for _, w := range one.errands.Waiting() {
				account.Waiting = append(account.Waiting, control.Waiting{PageID: w.Page.ID, Deed: string(w.Errand.Deed), Asked: w.Errand.Asked, Problem: phrase(w.Problem)})
			}
		}
	}
	if kept, known := l.kept(seen.Name); known {
		set := describe(kept)
		account.Provider, account.URL, account.User, account.Mine = set.Provider, set.URL, set.User, set.Mine
	}
	return account
}

func (l *lines) kept(name string) (store.Account, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	account, known := l.accounts[name]
	return account, known
}
