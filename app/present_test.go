package app

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/app/watch"
	"nightstand/tray"
	"nightstand/tray/notify"
)

// zone is the reader's; the times of services are UTC.
var zone = time.FixedZone("home", 3600)

var atThree = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// calling is a page that makes noise now.
func calling(number int) watch.PageState {
	p := triggered(number)
	p.TriggeredAt = atThree
	return watch.PageState{Page: p, Epoch: 1, FirstSeen: atThree.Add(2 * time.Second), Calls: true, Alarming: true}
}

// answered is a page that this user has acknowledged.
func answered(number int) watch.PageState {
	p := calling(number)
	p.Calls, p.Alarming, p.Answer = false, false, watch.AnswerIsConfirmed
	p.Status, p.AcknowledgedByMe, p.AckExpiresAt = page.Acknowledged, true, atThree.Add(30*time.Minute)
	return p
}

func onShift(pages ...watch.PageState) watch.State {
	return watch.State{
		At: atThree.In(zone), OnShift: true, Light: watch.Armed, Pages: pages,
		HushLasts: time.Minute, KnownLasts: 15 * time.Minute,
	}
}

// ring is the state while these pages call.
func ring(pages ...watch.PageState) watch.State {
	s := onShift(pages...)
	s.Alarm = watch.Alarm{Pattern: watch.Critical, PageID: pages[0].ID}
	return s
}

func TestTheTrayShowsWhatMattersMost(t *testing.T) {
	underWay, failed, still := calling(1), calling(1), answered(1)
	underWay.Answer, underWay.Calls = watch.AnswerUnderWay, false
	failed.Answer, failed.AnswerReason = watch.AnswerNotYet, "prod refuses connections"
	still.StillOnIt = true
	blind := onShift()
	blind.Light, blind.Blind = watch.BlindLight, []string{"prod was last seen at 03:00:00: it refuses connections"}
	notArmed := onShift()
	notArmed.Light = watch.NotArmed
	notArmed.Signals = []watch.Signal{
		{Name: "tray", State: watch.SignalFailed, Detail: "there is no tray"},
		{Name: watch.SignalMute, Required: true, State: watch.SignalUnknown, Detail: "nobody looked"},
		{Name: watch.SignalSound, Required: true, State: watch.SignalUnknown, Detail: "sound not proved"},
	}
	failedFirst := notArmed
	failedFirst.Signals = append(slices.Clone(notArmed.Signals), watch.Signal{Name: watch.SignalCredential, Required: true, State: watch.SignalFailed, Detail: "prod: the service refuses the credential"})
	off, unknown := onShift(), onShift()
	off.Light, off.OnShift = watch.OffShift, false
	unknown.Light = watch.UnknownLight
	blindAndRinging := blind
	blindAndRinging.Pages = []watch.PageState{calling(1)}

	for name, c := range map[string]struct {
		state  watch.State
		lamp   tray.State
		count  int
		status string
	}{
		"armed":                     {onShift(), tray.Armed, 0, "Armed. You would hear a page right now."},
		"not armed":                 {notArmed, tray.NotArmed, 0, "Not armed: sound not proved."},
		"failed before unknown":     {failedFirst, tray.NotArmed, 0, "Not armed: prod: the service refuses the credential."},
		"not known yet":             {unknown, tray.Unknown, 0, "Not known yet: the paging service has not answered since the start."},
		"off shift":                 {off, tray.OffShift, 0, "Off shift. Pages that name you still ring."},
		"blind":                     {blind, tray.Blind, 0, "Blind: prod was last seen at 03:00:00: it refuses connections."},
		"one page":                  {ring(calling(1)), tray.Page, 1, "Critical: Disk 1 is full"},
		"two pages":                 {ring(calling(1), calling(2)), tray.Page, 2, "2 pages. Critical: Disk 1 is full"},
		"a page outshouts blind":    {blindAndRinging, tray.Page, 1, "Critical: Disk 1 is full"},
		"an answer under way":       {onShift(underWay), tray.Acknowledged, 0, "Acknowledging, not confirmed yet: Disk 1 is full"},
		"not confirmed":             {ring(failed), tray.Page, 1, "Critical: Disk 1 is full"},
		"acknowledged":              {onShift(answered(1)), tray.Acknowledged, 0, "Acknowledged by you, confirmed: Disk 1 is full"},
		"three acknowledged":        {onShift(answered(1), answered(2), answered(3)), tray.Acknowledged, 0, "Acknowledged by you, confirmed: Disk 1 is full and 2 more"},
		"still on it?":              {onShift(still), tray.Page, 1, "Still on it? “Disk 1 is full”"},
		"a page without a severity": {ring(bare()), tray.Page, 1, ": Disk 1 is full"},
	} {
		view := trayView(c.state)
		if view.State != c.lamp || view.Count != c.count || view.Status != c.status || view.Tooltip != "Nightstand. "+c.status {
			t.Errorf("%s: lamp %v, count %d, status %q, tooltip %q", name, view.State, view.Count, view.Status, view.Tooltip)
		}
		if len(view.Pages) != len(c.state.Pages) || (view.Hush != "") != (c.state.Alarm.Pattern != watch.Silent) {
			t.Errorf("%s: %d pages, hush %q", name, len(view.Pages), view.Hush)
		}
	}
}

// bare is a page whose severity was lost, as in a damaged record.
func bare() watch.PageState {
	p := calling(1)
	p.Severity = ""
	return p
}

func TestTheMenuOffersToAnswerOnlyWhatWaitsForAnAnswer(t *testing.T) {
	underWay, failed, still, bens, muted := calling(1), calling(2), answered(3), answered(4), calling(5)
	underWay.Answer = watch.AnswerUnderWay
	failed.Answer, failed.AnswerReason = watch.AnswerRefused, "the service says no"
	still.StillOnIt = true
	bens.AcknowledgedByMe, bens.AcknowledgedBy = false, "Ben"
	muted.Calls, muted.Alarming, muted.MutedBy = false, false, "Ben silenced it"
	got := trayView(onShift(underWay, failed, still, bens, muted, calling(6))).Pages
	for at, want := range []tray.Item{
		{Title: "Disk 1 is full (acknowledging, not confirmed yet)"},
		{Title: "Disk 2 is full (not acknowledged: the service says no)", CanAcknowledge: true},
		{Title: "Still on it? Disk 3 is full", CanAcknowledge: true},
		{Title: "Disk 4 is full (acknowledged by Ben)"}, // a name keeps its letters
		{Title: "Disk 5 is full (Ben silenced it)"},
		{Title: "Disk 6 is full", CanAcknowledge: true},
	} {
		want.ID = triggered(at + 1).ID
		if got[at] != want {
			t.Errorf("%+v, want %+v", got[at], want)
		}
	}
}

// one is the note with this key.
func one(t *testing.T, s watch.State, key string) notify.Note {
	t.Helper()
	all := notes(s)
	at := slices.IndexFunc(all, func(n notify.Note) bool { return n.Key == key })
	if at < 0 {
		t.Fatalf("there is no note %q among %+v", key, all)
	}
	return all[at]
}

func labels(n notify.Note) (labels []string) {
	for _, a := range n.Actions {
		labels = append(labels, a.Label)
	}
	return labels
}

func TestHushSaysWhatItMeansNow(t *testing.T) {
	s := onShift()
	for pattern, want := range map[watch.Pattern]string{
		watch.Silent: "", watch.Minor: "Hush: quiet for 60 s, nothing is answered", watch.Blind: "I know: quiet for 15 min",
	} {
		s.Alarm.Pattern = pattern
		if got := trayView(s).Hush; got != want {
			t.Errorf("while it sounds %q the menu offers %q, want %q", pattern, got, want)
		}
	}
}

func TestTheNotificationOfOnePageSaysWhatIsNeededToDecide(t *testing.T) {
	p := calling(1)
	p.AnswerMutes = "silences this alert for the whole team until 03:30"
	note := one(t, ring(p), noteAlarm)
	if note.Title != "Critical: Disk 1 is full" || !note.Urgent || !note.Resident || note.Count != 1 {
		t.Errorf("%+v", note)
	}
	want := "db\nSince 03:00. Customer data is being lost.\nAcknowledge silences this alert for the whole team until 03:30."
	if note.Body != want {
		t.Errorf("the body is %q, want %q", note.Body, want)
	}
	if got := labels(note); !slices.Equal(got, []string{"Acknowledge", "Hush 60 s"}) {
		t.Errorf("the buttons are %q", got)
	}
	if note.Actions[0].Key != actAcknowledge+" "+p.ID {
		t.Errorf("the button answers %q", note.Actions[0].Key)
	}
}

func TestTheNotificationSaysWhomThePageGoesToAndWhen(t *testing.T) {
	for to, want := range map[string]string{
		"":                         "Goes to the next person at 03:17.",
		"Béla Kovács":              "Goes to Béla Kovács at 03:17.",
		"Béla Kovács and Dana Ito": "Goes to Béla Kovács and Dana Ito at 03:17.",
	} {
		p := calling(1)
		p.EscalatesAt, p.EscalatesTo = atThree.Add(17*time.Minute+42*time.Second), to
		note := one(t, ring(p), noteAlarm)
		if body := "db\nSince 03:00. Customer data is being lost.\n" + want; note.Body != body {
			t.Errorf("the body is %q, want %q", note.Body, body)
		}
		if storm := one(t, ring(p, calling(2)), noteAlarm).Body; !strings.Contains(storm, want) {
			t.Errorf("a storm says %q", storm)
		}
		if strings.Contains(note.Fixed, "Béla") {
			t.Errorf("the fixed sentence is %q", note.Fixed)
		}
	}
	if body := one(t, ring(calling(1)), noteAlarm).Body; strings.Contains(body, "Goes to") {
		t.Errorf("a page that goes to nobody says %q", body)
	}
}

func TestASendersClockThatIsAheadDoesNotShow(t *testing.T) {
	p := calling(1)
	p.TriggeredAt = atThree.Add(3 * time.Minute)
	if body := one(t, ring(p), noteAlarm).Body; !strings.Contains(body, "Since 03:00.") {
		t.Errorf("a page seen at three says %q", body)
	}
}

func TestAStormIsOneNotification(t *testing.T) {
	var storm []watch.PageState
	for number := range 12 {
		storm = append(storm, calling(number))
	}
	note := one(t, ring(storm...), noteAlarm)
	if note.Title != "12 pages. Critical: Disk 0 is full" || note.Count != 12 || note.Actions[0].Label != "Acknowledge 12" {
		t.Errorf("%+v", note)
	}
	if want := "db\nSince 03:00. Customer data is being lost.\nAlso: Disk 1 is full; Disk 2 is full; Disk 3 is full; and 8 more"; note.Body != want {
		t.Errorf("the body is %q, want %q", note.Body, want)
	}
	if ids := strings.Fields(note.Actions[0].Key); len(ids) != 13 {
		t.Errorf("the button answers %d pages", len(ids)-1)
	}
	if all := notes(ring(storm...)); len(all) != 1 {
		t.Errorf("%d notifications for one storm", len(all))
	}
}

func TestWhatWasNotConfirmedSaysWhy(t *testing.T) {
	p := calling(1)
	p.Answer, p.AnswerReason = watch.AnswerNotYet, "prod refuses connections"
	if body := one(t, ring(p), noteAlarm).Body; !strings.Contains(body, "Not acknowledged: prod refuses connections.") {
		t.Errorf("it says %q", body)
	}
	p.Answer, p.Calls = watch.AnswerUnderWay, false
	note := one(t, onShift(p), noteAlarm)
	if note.Title != "Acknowledging" || note.Body != "Not confirmed yet: Disk 1 is full" || len(note.Actions) != 0 || note.Urgent {
		t.Errorf("while it is under way: %+v", note)
	}
}

func TestEveryEndingIsANotificationUntilItIsDismissed(t *testing.T) {
	for ending, title := range map[watch.Ending]string{
		watch.EndedHere: "Acknowledged, confirmed", watch.EndedElsewhere: "Acknowledged by you elsewhere", watch.EndedTaken: "Somebody else has it",
		watch.EndedResolved: "Resolved", watch.EndedReassigned: "Given to somebody else", watch.EndedForgotten: "No longer listed",
		watch.EndedMuted: "Quiet at the service", watch.EndedShift: "Your shift is over", watch.EndedSight: "Sight is back", "": "Nightstand",
	} {
		s := onShift()
		s.Notices = []watch.Notice{{ID: "n-1", Ending: ending, Text: "What happened."}}
		note := one(t, s, notePrefix+"n-1")
		if note.Title != title || note.Body != "What happened." || !slices.Equal(labels(note), []string{"Dismiss"}) || note.Urgent || !note.Resident {
			t.Errorf("%s: %+v", ending, note)
		}
	}
	s := onShift()
	for number := range 10 {
		s.Notices = append(s.Notices, watch.Notice{ID: fmt.Sprint("n-", number), Text: "x"})
	}
	if all := notes(s); len(all) != mostNotices || all[mostNotices-1].Key != notePrefix+"n-9" {
		t.Errorf("%d notifications, the last is %s", len(all), all[len(all)-1].Key)
	}
}

func TestUndoIsOnTheNotificationWhileItCanBeUndone(t *testing.T) {
	p := answered(1)
	s := onShift(p)
	s.Notices = []watch.Notice{{ID: "n-1", PageID: p.ID, Ending: watch.EndedHere, Text: "Acknowledged by you."}}
	if got := labels(one(t, s, notePrefix+"n-1")); !slices.Equal(got, []string{"Dismiss"}) {
		t.Errorf("when it is too late: %q", got)
	}
	s.Pages[0].UndoLeft = 20 * time.Second
	note := one(t, s, notePrefix+"n-1")
	if !slices.Equal(labels(note), []string{"Dismiss", "Undo"}) || note.Actions[1].Key != actUndo+" "+p.ID {
		t.Errorf("while it can be: %+v", note.Actions)
	}
	s.Notices[0].Ending = watch.EndedTaken
	if got := labels(one(t, s, notePrefix+"n-1")); !slices.Equal(got, []string{"Dismiss"}) {
		t.Errorf("what ben answered can be undone: %q", got)
	}
}

func TestBlindAndStillOnItAreUrgent(t *testing.T) {
	p := answered(1)
	p.StillOnIt = true
	s := onShift(p)
	s.Light, s.Blind = watch.BlindLight, []string{"prod was last seen at 03:00:00"}
	still, blind := one(t, s, noteStill), one(t, s, noteBlind)
	if still.Body != "Disk 1 is full\nYour acknowledgement runs out at 03:30; then it rings again." || !still.Urgent || still.Actions[0].Key != actAcknowledge+" "+p.ID {
		t.Errorf("%+v", still)
	}
	if blind.Body != "prod was last seen at 03:00:00." || !blind.Urgent || !slices.Equal(labels(blind), []string{"I know, 15 min"}) {
		t.Errorf("%+v", blind)
	}
	s.OnShift = false
	if all := notes(s); slices.ContainsFunc(all, func(n notify.Note) bool { return n.Key == noteBlind }) {
		t.Error("blindness off shift is a notification")
	}
}

func TestNoFixedSentenceCarriesWordsFromOutside(t *testing.T) {
	const outside = "SECRET NAME"
	p, still := calling(1), answered(2)
	p.Title, p.Service, p.AnswerReason, p.Answer, p.AnswerMutes = outside, outside, outside, watch.AnswerNotYet, outside
	still.Title, still.StillOnIt = outside, true
	under := calling(3)
	under.Title, under.Answer = outside, watch.AnswerUnderWay
	s := ring(p, still)
	s.Blind, s.Notices = []string{outside}, []watch.Notice{{ID: "n-1", Text: outside}}
	for _, n := range append(notes(s), notes(onShift(under))...) {
		if n.Fixed == "" || strings.Contains(n.Fixed, outside) {
			t.Errorf("%s: the fixed sentence is %q", n.Key, n.Fixed)
		}
	}
}

func TestNoWordChangesMerelyBecauseASecondPassed(t *testing.T) {
	mono := time.Hour
	now := func() watch.Instant {
		return watch.Instant{Wall: atThree.Add(mono - time.Hour).In(zone), Mono: mono}
	}
	for name, c := range map[string]struct {
		prepare func(w *watch.Watch)
		changes int // how many times the words may change in ten minutes, by the design's own spans
	}{
		"a page that rings": {func(w *watch.Watch) {
			w.Step(now(), watch.Polled{Account: "prod", Started: mono, Pages: []page.Page{triggered(1)}})
		}, 4},
		"a page that is handed on": {func(w *watch.Watch) {
			p := triggered(1)
			p.EscalatesAt, p.EscalatesTo = now().Wall.Add(5*time.Minute), "Béla Kovács"
			w.Step(now(), watch.Polled{Account: "prod", Started: mono, Pages: []page.Page{p}})
		}, 4},
		"a service that went away": {func(w *watch.Watch) { w.Step(now(), watch.Polled{Account: "prod", Started: mono}) }, 3},
		"a service never seen":     {func(*watch.Watch) {}, 3},
		"a service that only failed": {func(w *watch.Watch) {
			w.Step(now(), watch.PollFailed{Account: "prod", Sentence: "it refuses connections"})
		}, 3},
		"a heartbeat that is absent": {func(w *watch.Watch) {
			w.Step(now(), watch.Polled{Account: "prod", Started: mono, Heartbeat: watch.HeartbeatSeen})
			mono += 6 * time.Minute
			w.Step(now(), watch.Polled{Account: "prod", Started: mono, Heartbeat: watch.HeartbeatMissing})
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch.New(watch.Defaults(), now(), watch.Memory{})
			w.Step(now(), watch.AccountAdded{Name: "prod"})
			c.prepare(w)
			view, shown, changes := trayView(w.State()), notes(w.State()), 0
			for range 600 {
				mono += time.Second
				w.Step(now(), watch.Tick{})
				nextView, nextShown := trayView(w.State()), notes(w.State())
				if !reflect.DeepEqual(view, nextView) || !reflect.DeepEqual(shown, nextShown) {
					changes++
				}
				view, shown = nextView, nextShown
			}
			if changes > c.changes {
				t.Errorf("the words changed %d times in ten minutes in which nothing happened; they are now %q, %+v", changes, view.Status, shown)
			}
		})
	}
}

func TestButtonsDoWhatTheySay(t *testing.T) {
	agent := &Agent{inputs: make(chan input, 8), ending: make(chan struct{})}
	for key, want := range map[string][]watch.Input{
		"acknowledge a-1 b-2": {watch.Acknowledge{IDs: []string{"a-1", "b-2"}}},
		"hush":                {watch.Hush{}},
		"dismiss n-1":         {watch.Dismiss{ID: "n-1"}},
		"undo a-1":            {watch.Unacknowledge{ID: "a-1"}},
		"":                    nil,
		"default":             nil,
		"  ":                  nil,
	} {
		notePressed(agent, key)
		for _, one := range want {
			if got := <-agent.inputs; !reflect.DeepEqual(got.of, one) {
				t.Errorf("%q asks for %+v, want %+v", key, got.of, one)
			}
		}
		if len(agent.inputs) > 0 {
			t.Fatalf("%q asks for more than it says", key)
		}
	}
	noteDismissed(agent, noteAlarm) // closing an alarm answers nothing
	noteDismissed(agent, notePrefix+"n-1")
	if got := <-agent.inputs; got.of != (watch.Dismiss{ID: "n-1"}) || len(agent.inputs) > 0 {
		t.Errorf("closing a sentence asks for %+v", got.of)
	}
}
