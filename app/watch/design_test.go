package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nightstand/app/page"
)

// The sentences of the design, one test each. The random nights beside this
// file hold the promises; this file says them in examples.

// shift is one evening in a test: a service that is polled every three
// seconds, a clock, and everything the core has asked for so far.
type shift struct {
	t       *testing.T
	watch   *Watch
	now     Instant
	listed  []page.Page // what the service lists; nil is nothing
	visible bool        // the service can be reached
	run     string      // the service's instance
	beat    Heartbeat
	effects []Effect
}

// begins starts an evening on which the service was met before.
func begins(t *testing.T) *shift {
	s := unmet(t)
	s.poll()
	return s
}

// unmet starts an evening with a service nobody has seen yet.
func unmet(t *testing.T) *shift {
	zone := time.FixedZone("home", 3600)
	s := &shift{t: t, visible: true, run: "first", now: Instant{Wall: time.Date(2026, 11, 23, 3, 0, 0, 0, zone), Mono: time.Hour}}
	s.watch = New(Defaults(), s.now, Memory{})
	s.do(AccountAdded{Name: "prod"})
	return s
}

// alertOf is a triggered page of that severity, mine.
func (s *shift) alertOf(id string, severity page.Severity) page.Page {
	return page.Page{
		ID: id, Account: "prod", UpstreamID: id, Title: "Title of " + id, Severity: severity,
		Status: page.Triggered, TriggeredAt: s.now.Wall, Mine: true,
	}
}

func (s *shift) do(in Input) { s.effects = append(s.effects, s.watch.Step(s.now, in)...) }

// poll reads the service once.
func (s *shift) poll() {
	if !s.visible {
		s.do(PollFailed{Account: "prod", Sentence: "prod refuses connections"})
		return
	}
	s.do(Polled{Account: "prod", Started: s.now.Mono, Pages: slices.Clone(s.listed), Instance: s.run, Heartbeat: s.beat})
}

// pass lets time go by, a tick a second and a poll every three.
func (s *shift) pass(span time.Duration) {
	for end := s.now.Mono + span; s.now.Mono < end; {
		step := min(time.Second, end-s.now.Mono)
		s.now.Mono += step
		s.now.Wall = s.now.Wall.Add(step)
		s.do(Tick{})
		if s.now.Mono/time.Second%3 == 0 {
			s.poll()
		}
	}
}

// rings lets pages come and be seen.
func (s *shift) rings(pages ...page.Page) {
	s.listed = append(s.listed, pages...)
	s.poll()
}

func (s *shift) sound() Pattern { return s.watch.State().Alarm.Pattern }

func (s *shift) mustSound(want Pattern, when string) {
	s.t.Helper()
	if got := s.sound(); got != want {
		s.t.Fatalf("%s the siren sounds %q, want %q", when, got, want)
	}
}

func (s *shift) page(id string) PageState {
	s.t.Helper()
	p, known := s.watch.Page(id)
	if !known {
		s.t.Fatalf("page %s is not known", id)
	}
	return p
}

// take hands over all effects of one type so far and forgets them.
func take[E Effect](s *shift) []E {
	var taken []E
	s.effects = slices.DeleteFunc(s.effects, func(e Effect) bool {
		one, is := e.(E)
		if is {
			taken = append(taken, one)
		}
		return is
	})
	return taken
}

// sent is the only answer that was asked to be sent since the last look.
func (s *shift) sent() SendAnswer {
	s.t.Helper()
	sent := take[SendAnswer](s)
	if len(sent) != 1 {
		s.t.Fatalf("%d answers were sent, want one", len(sent))
	}
	return sent[0]
}

// press answers pages and hands over the request.
func (s *shift) press(id string) SendAnswer {
	s.t.Helper()
	s.do(Acknowledge{IDs: []string{id}})
	return s.sent()
}

// confirm lets the service take an answer that holds for half an hour.
func (s *shift) confirm(sent SendAnswer) {
	s.do(AnswerStarted{ID: sent.Page.ID, Number: sent.Number})
	p := sent.Page
	p.Status, p.AcknowledgedBy, p.AcknowledgedByMe = page.Acknowledged, "anna", true
	p.AcknowledgedAt, p.AckExpiresAt = s.now.Wall, s.now.Wall.Add(30*time.Minute)
	for at := range s.listed {
		if s.listed[at].ID == p.ID {
			s.listed[at] = p
		}
	}
	s.do(AnswerConfirmed{ID: p.ID, Number: sent.Number, Page: p})
}

// offline lets an answer fail because nobody was reached.
func (s *shift) offline(sent SendAnswer) {
	s.do(AnswerStarted{ID: sent.Page.ID, Number: sent.Number})
	s.do(AnswerFailed{ID: sent.Page.ID, Number: sent.Number, Offline: true, Sentence: "prod refuses connections"})
}

// lastNotice is the newest kept sentence.
func (s *shift) lastNotice() Notice {
	s.t.Helper()
	notices := s.watch.State().Notices
	if len(notices) == 0 {
		s.t.Fatal("no sentence is kept")
	}
	return notices[len(notices)-1]
}

func (s *shift) mustHaveSaid(ending Ending, words string) {
	s.t.Helper()
	if n := s.lastNotice(); n.Ending != ending || !strings.Contains(n.Text, words) {
		s.t.Fatalf("the newest sentence is %q (%s), want %q with the reason %s", n.Text, n.Ending, words, ending)
	}
}

func TestEachSeveritySoundsAsTheDesignSays(t *testing.T) {
	for severity, want := range map[page.Severity]Pattern{
		page.Critical: Critical, page.Degraded: Degraded, page.Minor: Minor,
		page.Hidden: Silent, page.Other: Silent, "what is this": Degraded,
	} {
		s := begins(t)
		s.rings(s.alertOf("a", severity))
		s.mustSound(want, string(severity))
		if len(s.watch.State().Pages) != 1 {
			t.Errorf("a %s page is not listed", severity)
		}
	}
}

func TestAPageThatWillBeHandedOnRingsWhateverItsLevel(t *testing.T) {
	for _, severity := range []page.Severity{page.Hidden, page.Other} {
		s := begins(t)
		p := s.alertOf("a", severity)
		p.HandedOn = true
		s.rings(p)
		s.mustSound(Minor, "a hidden page that will be handed on:")
	}
}

func TestTheSirenGrowsInFourStepsAndGrowsSparseAfterThreeHours(t *testing.T) {
	for at, want := range map[time.Duration]Alarm{
		0: {Step: 0}, 29 * time.Second: {Step: 0}, 30 * time.Second: {Step: 1}, 60 * time.Second: {Step: 2},
		90 * time.Second: {Step: 3}, time.Hour: {Step: 3}, 3*time.Hour - time.Second: {Step: 3}, 3 * time.Hour: {Step: 3, Sparse: true},
		12 * time.Hour: {Step: 3, Sparse: true},
	} {
		s := begins(t)
		s.rings(s.alertOf("a", page.Critical))
		s.pass(at)
		got := s.watch.State().Alarm
		if got.Pattern != Critical || got.Step != want.Step || got.Sparse != want.Sparse {
			t.Errorf("after %v it is %+v", at, got)
		}
	}
}

func TestTheSamePageSeenAHundredTimesRingsOnce(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Degraded))
	for range 100 {
		s.poll()
	}
	if sounds := take[Sound](s); len(sounds) != 1 {
		t.Errorf("the siren was told %d times: %+v", len(sounds), sounds)
	}
}

func TestAnAnswerIsQuietAtOnceAndAFactWhenConfirmed(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.pass(11 * time.Second)
	take[Tone](s)
	sent := s.press("a")
	s.mustSound(Silent, "after the click")
	if p := s.page("a"); p.Answer != AnswerUnderWay || p.Status != page.Triggered {
		t.Errorf("an answer nobody confirmed is told as %q, %s", p.Answer, p.Status)
	}
	s.confirm(sent)
	s.mustHaveSaid(EndedHere, "acknowledged by you at 03:00:11, confirmed by the service")
	if tones := take[Tone](s); len(tones) != 1 || tones[0].Ending != EndedHere {
		t.Errorf("the tones were %+v", tones)
	}
	s.pass(10 * time.Minute)
	s.mustSound(Silent, "after the confirmation")
}

func TestAnAnswerThatIsNotConfirmedWithinTenSecondsRingsAgainWithTheReason(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	sent := s.press("a")
	s.do(AnswerStarted{ID: "a", Number: sent.Number})
	s.pass(9 * time.Second)
	s.mustSound(Silent, "nine seconds after the request began")
	s.pass(time.Second)
	s.mustSound(Critical, "ten seconds after the request began")
	if p := s.page("a"); p.Answer != AnswerNotYet || p.AnswerReason != "the service did not confirm it within 10 s" {
		t.Errorf("it stands as %q because %q", p.Answer, p.AnswerReason)
	}
}

func TestInABatchTheTenSecondsRunFromEachPagesOwnRequest(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical), s.alertOf("b", page.Critical))
	s.pass(2 * time.Second)
	s.do(Acknowledge{IDs: s.watch.OnScreen()})
	sent := take[SendAnswer](s)
	if len(sent) != 2 {
		t.Fatalf("%d answers were sent, want two", len(sent))
	}
	s.do(AnswerStarted{ID: sent[0].Page.ID, Number: sent[0].Number})
	s.pass(8 * time.Second)
	s.confirm(sent[0])
	s.do(AnswerStarted{ID: sent[1].Page.ID, Number: sent[1].Number})
	s.pass(9 * time.Second) // 17 s after the press
	s.mustSound(Silent, "nine seconds after the second request began")
	s.pass(time.Second)
	s.mustSound(Critical, "ten seconds after the second request began")
}

func TestOnePressAnswersOnlyWhatWasOnTheScreenForASecond(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.pass(2 * time.Second)
	s.rings(s.alertOf("b", page.Critical))
	s.now.Mono += 900 * time.Millisecond
	s.do(Acknowledge{IDs: s.watch.OnScreen()})
	if sent := s.sent(); sent.Page.ID != "a" {
		t.Errorf("page %s was answered unseen", sent.Page.ID)
	}
	s.mustSound(Critical, "for the page that came later")
}

func TestOfflineAnswersAreSentWhenSightIsBack(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.visible = false
	sent := s.press("a")
	for range 5 { // it tries again every two seconds, for ten
		s.offline(sent)
		s.pass(2 * time.Second)
		if again := take[SendAnswer](s); len(again) == 1 {
			sent = again[0]
		}
	}
	s.mustSound(Critical, "when nobody could be reached")
	if p := s.page("a"); p.AnswerReason != "prod refuses connections" {
		t.Errorf("the reason is %q", p.AnswerReason)
	}

	second := s.press("a")
	s.mustSound(Silent, "after the second press")
	s.offline(second)
	s.pass(14 * time.Minute)
	if s.watch.State().Alarm.Pattern == Critical {
		t.Fatal("the second press did not hold for 15 minutes")
	}
	take[SendAnswer](s)
	s.visible = true
	s.poll()
	s.confirm(s.sent())
	s.mustSound(Silent, "after it was delivered")
	s.mustHaveSaid(EndedHere, "confirmed by the service")
}

func TestAnAnswerWaitingForItsNextTryIsSentWhenTheServiceIsSeen(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.offline(s.press("a"))
	s.now.Mono += time.Second // the next try is not due yet
	s.poll()
	s.confirm(s.sent())
	s.mustHaveSaid(EndedHere, "confirmed by the service")
}

func TestAnAnswerThatNeverArrivesIsGivenUpAfterFifteenMinutes(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.visible = false
	s.offline(s.press("a"))
	s.pass(16 * time.Minute)
	s.mustSound(Critical, "after a quarter of an hour")
	if p := s.page("a"); p.Answer != AnswerNone {
		t.Errorf("it is still %q", p.Answer)
	}
	take[SendAnswer](s)
	s.visible = true
	s.poll()
	if late := take[SendAnswer](s); len(late) != 0 {
		t.Error("an answer of a quarter of an hour ago was sent all the same")
	}
}

func TestAQueuedAnswerIsNotSentWhenSomebodyElseHasThePage(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.visible = false
	s.offline(s.press("a"))
	s.pass(20 * time.Second)
	take[SendAnswer](s)
	s.visible = true
	s.listed[0].Status, s.listed[0].AcknowledgedBy = page.Acknowledged, "ben"
	s.poll()
	if late := take[SendAnswer](s); len(late) != 0 {
		t.Error("ben's page was answered for him")
	}
	s.mustSound(Silent, "now that ben has it")
	s.mustHaveSaid(EndedTaken, "ben has “Title of a” now")
}

func TestHushIsQuietForAMinuteTwiceAndTellsNobody(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	for round := range 2 {
		s.do(Hush{})
		s.mustSound(Silent, fmt.Sprintf("after hush %d", round+1))
		s.pass(59 * time.Second)
		s.mustSound(Silent, "59 s after the hush")
		s.pass(2 * time.Second)
		s.mustSound(Critical, "61 s after the hush")
	}
	s.do(Hush{})
	s.mustSound(Critical, "after the third hush")
	if sent := take[SendAnswer](s); len(sent) != 0 {
		t.Error("a hush went upstream")
	}
	if p := s.page("a"); p.HushesLeft != 0 || p.Status != page.Triggered {
		t.Errorf("%d hushes left, %s", p.HushesLeft, p.Status)
	}
}

func TestANewPageRingsThroughAHush(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Minor))
	s.do(Hush{})
	s.rings(s.alertOf("b", page.Critical))
	s.mustSound(Critical, "for the new page")
}

func TestUndoIsOfferedForHalfAMinuteAndCallsAgain(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	s.pass(29 * time.Second)
	if left := s.page("a").UndoLeft; left <= 0 {
		t.Error("after 29 s it cannot be undone")
	}
	epoch := s.page("a").Epoch
	s.do(Unacknowledge{ID: "a"})
	back := take[SendTakeBack](s)
	if len(back) != 1 {
		t.Fatalf("%d take-backs were sent", len(back))
	}
	s.listed[0].Status, s.listed[0].AcknowledgedBy, s.listed[0].AcknowledgedByMe, s.listed[0].AckExpiresAt = page.Triggered, "", false, time.Time{}
	s.do(TakenBack{ID: "a", Page: s.listed[0]})
	s.mustSound(Critical, "after the undo")
	if got := s.page("a").Epoch; got != epoch+1 {
		t.Errorf("it rings as epoch %d, want a new one after %d", got, epoch)
	}

	later := begins(t)
	later.rings(later.alertOf("a", page.Critical))
	later.confirm(later.press("a"))
	later.pass(31 * time.Second)
	if left := later.page("a").UndoLeft; left != 0 {
		t.Errorf("after 31 s undo is offered for another %v", left)
	}
}

func TestAnUndoThatFailsIsSaid(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	s.do(Unacknowledge{ID: "a"})
	s.do(TakeBackFailed{ID: "a", Sentence: "prod refuses connections"})
	s.mustSound(Silent, "after an undo that failed")
	s.mustHaveSaid("", "“Title of a” is still acknowledged by you: prod refuses connections.")
}

func TestStillOnItIsAskedAfterTwentyMinutesAndRingsAMinuteLater(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	s.pass(20*time.Minute - 5*time.Second)
	if s.page("a").StillOnIt {
		t.Fatal("it was asked too early")
	}
	take[Tone](s)
	s.pass(10 * time.Second)
	if !s.page("a").StillOnIt || len(take[Tone](s)) != 1 {
		t.Fatal("it was not asked, or without a tone")
	}
	s.mustSound(Silent, "while it is only asked")
	s.pass(61 * time.Second)
	s.mustSound(Critical, "a minute after the question")

	sent := s.press("a")
	s.mustSound(Silent, "after the answer")
	s.confirm(sent)
	s.mustHaveSaid(EndedHere, "You are still on “Title of a”, acknowledged until 03:51")
	s.pass(15 * time.Minute)
	s.mustSound(Silent, "after it was renewed")
	if s.page("a").StillOnIt {
		t.Error("it is asked again too soon")
	}
}

func TestNobodyIsAskedAboutWhatTheyPutAside(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	until := s.now.Wall.Add(2 * time.Hour)
	s.do(Snoozed{ID: "a", Until: until})
	s.listed[0].AckExpiresAt = until
	s.poll()
	s.pass(100 * time.Minute)
	if p := s.page("a"); p.StillOnIt || !p.SnoozedUntil.Equal(until) {
		t.Errorf("it is asked: %v, and put aside until %v", p.StillOnIt, p.SnoozedUntil)
	}
	s.mustSound(Silent, "while it is put aside")
	s.listed[0].Status, s.listed[0].AcknowledgedByMe, s.listed[0].AckExpiresAt = page.Triggered, false, time.Time{}
	s.now.Wall, s.now.Mono = s.now.Wall.Add(21*time.Minute), s.now.Mono+21*time.Minute
	s.poll()
	s.mustSound(Critical, "when it is over")
	if !s.page("a").SnoozedUntil.IsZero() {
		t.Error("the page that calls again is still put aside")
	}
}

func TestAnAcknowledgementThatRunsOutCallsAgain(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	s.do(Duty{OnShift: false}) // nobody is asked “still on it?” by a siren off shift
	s.do(Duty{OnShift: true})
	s.listed[0].Status, s.listed[0].AcknowledgedByMe, s.listed[0].AckExpiresAt = page.Triggered, false, time.Time{}
	s.now.Wall, s.now.Mono = s.now.Wall.Add(31*time.Minute), s.now.Mono+31*time.Minute
	s.poll()
	s.mustSound(Critical, "after the acknowledgement ran out")
	if p := s.page("a"); p.Epoch != 2 {
		t.Errorf("it rings in epoch %d", p.Epoch)
	}
}

func TestEveryEndingHasItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		becomes func(p *page.Page)
		ending  Ending
		words   string
	}{
		"by me elsewhere": {func(p *page.Page) { p.Status, p.AcknowledgedByMe = page.Acknowledged, true }, EndedElsewhere, "You acknowledged “Title of a” on another device."},
		"by ben":          {func(p *page.Page) { p.Status, p.AcknowledgedBy = page.Acknowledged, "ben" }, EndedTaken, "ben has “Title of a” now."},
		"by nobody knows": {func(p *page.Page) { p.Status = page.Acknowledged }, EndedTaken, "somebody has “Title of a” now."},
		"resolved":        {func(p *page.Page) { p.Status = page.Resolved }, EndedResolved, "“Title of a” is resolved."},
		"reassigned":      {func(p *page.Page) { p.Mine = false }, EndedReassigned, "“Title of a” was given to somebody else."},
		"given to béla":   {func(p *page.Page) { p.Mine, p.AssignedTo = false, "Béla Kovács" }, EndedReassigned, "The page “Title of a” was given to Béla Kovács."},
		"muted":           {func(p *page.Page) { p.MutedBy = "ben silenced it until 04:00" }, EndedMuted, "“Title of a” is quiet at the service: ben silenced it until 04:00."},
		"gentler":         {func(p *page.Page) { p.Severity = page.Other }, EndedGentler, "does not wake anybody"},
	} {
		t.Run(name, func(t *testing.T) {
			s := begins(t)
			s.rings(s.alertOf("a", page.Critical))
			take[Tone](s)
			c.becomes(&s.listed[0])
			s.poll()
			s.mustSound(Silent, "now")
			s.mustHaveSaid(c.ending, c.words)
			if tones := take[Tone](s); len(tones) != 1 || tones[0].Ending != c.ending {
				t.Errorf("the tones were %+v", tones)
			}
			s.pass(time.Hour)
			if n := s.lastNotice(); n.Ending != c.ending {
				t.Error("the sentence did not stay")
			}
			s.do(Dismiss{ID: s.lastNotice().ID})
			if left := s.watch.State().Notices; len(left) != 0 {
				t.Errorf("dismissed and still there: %+v", left)
			}
		})
	}
}

func TestAPageThatWentOnUnansweredSaysSoAndToWhom(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration // of the page's five minutes
		to    string
		words string
	}{
		"in time, by hand":      {4*time.Minute + 55*time.Second, "Béla Kovács", "The page “Title of a” was given to Béla Kovács."},
		"when its time is up":   {5 * time.Minute, "Béla Kovács", "Nobody answered “Title of a” in time, so it went to Béla Kovács."},
		"seen later":            {9 * time.Minute, "Béla Kovács, Dana Ito", "Nobody answered “Title of a” in time, so it went to Béla Kovács, Dana Ito."},
		"to nobody with a name": {5 * time.Minute, "", "Nobody answered “Title of a” in time, so it went to somebody else."},
	} {
		t.Run(name, func(t *testing.T) {
			s := begins(t)
			p := s.alertOf("a", page.Critical)
			p.Assigned, p.HandedOn, p.AssignedTo = true, true, "Ana Lima"
			p.EscalatesAt, p.EscalatesTo = s.now.Wall.Add(5*time.Minute).UTC(), "Béla Kovács"
			s.rings(p)
			s.pass(c.after)
			s.mustSound(Critical, "until somebody else has it")
			s.listed[0].Mine, s.listed[0].AssignedTo, s.listed[0].EscalatesAt = false, c.to, time.Time{}
			s.poll()
			s.mustSound(Silent, "when it is no longer mine")
			s.mustHaveSaid(EndedReassigned, c.words)
			if s.lastNotice().Text != c.words {
				t.Errorf("it says %q", s.lastNotice().Text)
			}
			took := s.page("a")
			s.pass(time.Minute) // listed or not, it stays ended
			s.listed = nil
			s.pass(time.Minute)
			if now := s.page("a"); !now.Ended || now.Ending != EndedReassigned || now.Epoch != took.Epoch || len(s.watch.State().Pages) != 0 {
				t.Errorf("later it is %+v", now)
			}
		})
	}
}

func TestAnAnsweredPageThatIsGivenAwayWasNotLeftUnanswered(t *testing.T) {
	s := begins(t)
	p := s.alertOf("a", page.Critical)
	p.EscalatesAt = s.now.Wall.Add(5 * time.Minute)
	s.rings(p)
	s.confirm(s.press("a"))
	s.pass(10 * time.Minute)
	p.Mine, p.AssignedTo = false, "Béla Kovács"
	s.listed = []page.Page{p}
	s.poll()
	ended := take[Write](s)
	if last := ended[len(ended)-1]; last.Kind != KindReassigned || last.Text != "The page “Title of a” was given to Béla Kovács." {
		t.Errorf("the timeline ends with %+v", last)
	}
	s.mustSound(Silent, "for a page of Béla's")
}

func TestAPageThatComesBackRingsAgain(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.listed[0].Mine = false
	s.poll()
	s.mustSound(Silent, "while somebody else has it")
	s.listed[0].Mine = true
	s.poll()
	s.mustSound(Critical, "when it is mine again")
	if p := s.page("a"); p.Epoch != 2 || len(s.watch.State().Notices) != 0 {
		t.Errorf("it is %+v, and %+v is still said", p, s.watch.State().Notices)
	}
}

func TestAPageGivenAwayWhileItsAnswerIsTakenBackIsGone(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	s.do(Unacknowledge{ID: "a"})
	p := s.alertOf("a", page.Critical)
	p.Mine, p.AssignedTo = false, "Béla Kovács"
	s.do(TakenBack{ID: "a", Page: p})
	s.mustSound(Silent, "for a page of Béla's")
	if now := s.page("a"); now.Ending != EndedReassigned {
		t.Errorf("it is %+v", now)
	}
}

func TestAPageMissingFromOneSnapshotIsReadAgainAtOnceAndThenGone(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.listed = nil
	take[LookAgain](s)
	s.poll()
	s.mustSound(Critical, "after it was missing once")
	if looks := take[LookAgain](s); len(looks) != 1 {
		t.Errorf("%d looks were asked for", len(looks))
	}
	s.poll()
	s.mustSound(Silent, "after it was missing twice")
	s.mustHaveSaid(EndedResolved, "is resolved")
}

func TestAPageThatFiresAgainRingsAgain(t *testing.T) {
	s := begins(t)
	p := s.alertOf("a", page.Critical)
	s.rings(p)
	s.listed = nil
	s.poll()
	s.poll()
	s.mustSound(Silent, "after it ended")
	s.rings(p)
	s.mustSound(Critical, "after it fired again")
	if epoch := s.page("a").Epoch; epoch != 2 {
		t.Errorf("it rings in epoch %d", epoch)
	}
}

func TestARestartedServiceHasFiveMinutesToListAPageAgain(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical), s.alertOf("b", page.Critical))
	both := s.listed
	s.run, s.listed = "second", nil
	s.poll()
	s.pass(4 * time.Minute)
	s.mustSound(Critical, "four minutes after the restart")
	if !s.page("a").Awaiting {
		t.Error("the page is not said to be awaited")
	}
	s.listed = both[:1]
	s.pass(2 * time.Minute)
	if p := s.page("a"); p.Ended {
		t.Error("the page that was listed again ended")
	}
	if p := s.page("b"); !p.Ended || p.Ending != EndedForgotten {
		t.Errorf("the page that was not listed again: ended %v, %s", p.Ended, p.Ending)
	}
	s.mustHaveSaid(EndedForgotten, "restarted and no longer lists “Title of b”. Nobody said it is resolved.")
}

func TestFirstContactWithOldPagesIsOneGentleNotice(t *testing.T) {
	s := unmet(t)
	for number := range 3 {
		p := s.alertOf(fmt.Sprint("old-", number), page.Critical)
		p.TriggeredAt = s.now.Wall.Add(-25 * time.Hour)
		s.listed = append(s.listed, p)
	}
	young := s.alertOf("young", page.Minor)
	young.TriggeredAt = s.now.Wall.Add(-23 * time.Hour)
	s.poll()
	s.mustSound(Silent, "for old pages only")
	if tones := take[Tone](s); len(tones) != 1 || tones[0].Ending != "" {
		t.Errorf("the tones were %+v, want one gentle one", tones)
	}
	if notices := s.watch.State().Notices; len(notices) != 1 || notices[0].Text != "3 pages have been open for more than a day at prod. They did not ring; look at them when you can." {
		t.Errorf("the notices are %+v", notices)
	}
	s.rings(young)
	s.mustSound(Minor, "for a page of yesterday evening")

	known := begins(t) // the service was met before: its old page is news
	old := known.alertOf("a", page.Critical)
	old.TriggeredAt = known.now.Wall.Add(-25 * time.Hour)
	known.rings(old)
	known.mustSound(Critical, "for an old page at a service that was met before")
}

func TestAfterAStartTriggeredPagesRingWithTheirAgeAndAcknowledgedOnesNever(t *testing.T) {
	s := unmet(t)
	p := s.alertOf("a", page.Critical)
	p.TriggeredAt = s.now.Wall.Add(-3 * time.Hour)
	mine, theirs := s.alertOf("mine", page.Critical), s.alertOf("theirs", page.Critical)
	mine.Status, mine.AcknowledgedByMe = page.Acknowledged, true
	theirs.Status, theirs.AcknowledgedBy = page.Acknowledged, "ben"
	s.rings(mine, theirs)
	s.mustSound(Silent, "for acknowledged pages")
	s.rings(p)
	s.mustSound(Critical, "for the triggered one")
	if written := take[Write](s); !slices.ContainsFunc(written, func(w Write) bool {
		return w.Kind == KindPaged && strings.Contains(w.Text, "open for 3 h 0 min")
	}) {
		t.Errorf("the timeline does not tell the age: %+v", written)
	}
}

func TestARestartOfTheAgentRingsOnAndLosesNoAnswer(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical), s.alertOf("b", page.Critical))
	s.pass(2 * time.Second)
	s.press("b") // killed before anybody confirmed it
	memory := Memory{Accounts: []KnownAccount{{Name: "prod", Instance: "first", Met: true}}}
	kept := map[string]Known{}
	for _, keep := range take[Keep](s) {
		kept[keep.Known.Page.ID] = keep.Known
	}
	for _, known := range kept {
		memory.Pages = append(memory.Pages, known)
	}
	s.watch = New(Defaults(), s.now, memory)
	s.do(AccountAdded{Name: "prod"})
	s.mustSound(Silent, "before anything was read")
	s.poll()
	s.mustSound(Critical, "with the first poll")
	if sent := s.sent(); sent.Page.ID != "b" {
		t.Errorf("the answer for %s was sent", sent.Page.ID)
	}
}

func TestAPageRememberedAsRingingRingsEvenWhenNothingCanBeRead(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	keeps := take[Keep](s)
	s.watch = New(Defaults(), s.now, Memory{Accounts: []KnownAccount{{Name: "prod", Met: true}}, Pages: []Known{keeps[len(keeps)-1].Known}})
	s.visible = false
	s.pass(unprovedGrace + 2*time.Second)
	s.mustSound(Critical, "twelve seconds after a start without any sight")
}

func TestBlindAfterFortyFiveSecondsOnShift(t *testing.T) {
	s := begins(t)
	s.visible = false
	s.pass(44 * time.Second)
	if light := s.watch.State().Light; light == BlindLight {
		t.Error("blind after 44 s")
	}
	s.pass(3 * time.Second)
	s.mustSound(Blind, "47 s after the last good poll")
	state := s.watch.State()
	if state.Light != BlindLight || len(state.Blind) != 1 || !strings.Contains(state.Blind[0], "prod was last seen at 03:00:00: prod refuses connections") {
		t.Errorf("the light is %s, the words %q", state.Light, state.Blind)
	}
	s.visible = true
	s.poll()
	s.mustSound(Silent, "when sight is back")
	s.mustHaveSaid(EndedSight, "Sight is back: prod could not be seen for")
}

func TestIKnowKeepsTheBlindAlarmQuietForAQuarterOfAnHour(t *testing.T) {
	s := begins(t)
	s.visible = false
	s.pass(50 * time.Second)
	s.do(Hush{})
	s.mustSound(Silent, "after “I know”")
	if !s.watch.State().BlindKnown || s.watch.State().Light != BlindLight {
		t.Error("it is not said to be blind and known")
	}
	s.pass(15*time.Minute - 2*time.Second)
	s.mustSound(Silent, "just before the 15 minutes are over")
	s.pass(3 * time.Second)
	s.mustSound(Blind, "after 15 minutes")
}

func TestAfterAResumeNobodyCriesWolfForTwentySeconds(t *testing.T) {
	s := begins(t)
	s.visible = false
	s.pass(40 * time.Second)
	take[LookAgain](s)
	s.now.Wall = s.now.Wall.Add(8 * time.Hour)
	s.do(Resumed{Asleep: 8 * time.Hour})
	if looks := take[LookAgain](s); len(looks) != 1 {
		t.Errorf("%d looks were asked for at once", len(looks))
	}
	s.pass(19 * time.Second)
	s.mustSound(Silent, "19 s after the resume")
	s.pass(3 * time.Second)
	s.mustSound(Blind, "22 s after the resume")
}

func TestAHeartbeatThatWasSeenAndIsAbsentForFiveMinutesMeansBlind(t *testing.T) {
	s := begins(t)
	s.beat = HeartbeatMissing
	s.pass(6 * time.Minute)
	s.mustSound(Silent, "when there never was a heartbeat")
	s.beat = HeartbeatSeen
	s.pass(3 * time.Second)
	seenAt := s.now.Wall
	s.beat = HeartbeatMissing
	s.pass(4*time.Minute + 50*time.Second)
	s.mustSound(Silent, "before five minutes are over")
	s.pass(20 * time.Second)
	s.mustSound(Blind, "after five minutes")
	words := s.watch.State().Blind[0]
	if !strings.Contains(words, "Prometheus has gone quiet") || !strings.Contains(words, seenAt.Format("15:04:05")) {
		t.Errorf("it says %q", words)
	}
	s.pass(time.Minute)
	if again := s.watch.State().Blind[0]; again != words {
		t.Errorf("the words change merely because time passes: %q, then %q", words, again)
	}
	s.beat = HeartbeatSeen
	s.pass(3 * time.Second)
	s.mustSound(Silent, "when the heartbeat is back")
}

func TestAMutedPageIsShownAndNotRung(t *testing.T) {
	s := begins(t)
	p := s.alertOf("a", page.Critical)
	p.MutedBy = "ben silenced it until 04:00"
	s.rings(p)
	s.mustSound(Silent, "for a page somebody silenced")
	if len(s.watch.State().Pages) != 1 {
		t.Error("it is not shown")
	}
	s.listed[0].MutedBy = ""
	s.poll()
	s.mustSound(Critical, "when the silence is over")
}

func TestASnoozedPageRingsWhenItsTimeIsUp(t *testing.T) {
	s := begins(t)
	p := s.alertOf("a", page.Critical)
	p.SnoozedUntil = s.now.Wall.Add(10 * time.Minute)
	s.rings(p)
	s.pass(9 * time.Minute)
	s.mustSound(Silent, "while it is snoozed")
	s.pass(62 * time.Second)
	s.mustSound(Critical, "after the snooze")
}

func TestOffShiftOnlyAPageThatNamesMeRings(t *testing.T) {
	s := begins(t)
	s.do(Duty{OnShift: false})
	s.rings(s.alertOf("matched", page.Critical))
	s.mustSound(Silent, "for a page that only matches")
	assigned := s.alertOf("assigned", page.Minor)
	assigned.Assigned = true
	s.rings(assigned)
	s.mustSound(Minor, "for a page that names me")
	if light := s.watch.State().Light; light != OffShift {
		t.Errorf("the light says %s", light)
	}
}

func TestOffShiftBlindnessIsShownLaterAndNotRung(t *testing.T) {
	s := begins(t)
	s.do(Duty{OnShift: false})
	s.visible = false
	s.pass(2 * time.Minute)
	if s.watch.State().Light == BlindLight {
		t.Error("off shift it is blind as early as on shift")
	}
	s.pass(30 * time.Second)
	s.mustSound(Silent, "blind off shift")
	if s.watch.State().Light != BlindLight {
		t.Error("blindness is not shown")
	}
}

func TestArmedNeedsEveryRequiredSignalAndUnknownIsNeverGreen(t *testing.T) {
	all := func(s *shift, state SignalState) {
		for _, name := range requiredSignals {
			s.do(SignalSeen{Name: name, State: state, Detail: "so it is"})
		}
	}
	s := begins(t)
	if light := s.watch.State().Light; light != NotArmed {
		t.Errorf("with nothing known the light says %s", light)
	}
	all(s, SignalOK)
	s.do(SignalSeen{Name: "tray", State: SignalFailed, Detail: "there is no tray"}) // it only advises
	if light := s.watch.State().Light; light != Armed {
		t.Errorf("with everything proved the light says %s", light)
	}
	for _, name := range requiredSignals {
		for _, state := range []SignalState{SignalUnknown, SignalWarning, SignalFailed} {
			s.do(SignalSeen{Name: name, State: state, Detail: "not now"})
			if light := s.watch.State().Light; light != NotArmed {
				t.Errorf("with %s %s the light says %s", name, state, light)
			}
			s.do(SignalSeen{Name: name, State: SignalOK, Detail: "so it is"})
		}
	}
	s.visible = false
	s.pass(20 * time.Second)
	if light := s.watch.State().Light; light != NotArmed {
		t.Errorf("20 s after the last good poll the light says %s", light)
	}

	fresh := unmet(t)
	all(fresh, SignalOK)
	if light := fresh.watch.State().Light; light != UnknownLight {
		t.Errorf("before the first answer the light says %s", light)
	}
	nobody := New(Defaults(), s.now, Memory{})
	for _, name := range requiredSignals {
		nobody.Step(s.now, SignalSeen{Name: name, State: SignalOK})
	}
	if light := nobody.State().Light; light != NotArmed {
		t.Errorf("without any account the light says %s", light)
	}
}

func TestAStormIsOneAlarmOfTheWorst(t *testing.T) {
	s := begins(t)
	var storm []page.Page
	for number := range 500 {
		severity := page.Minor
		if number == 250 {
			severity = page.Critical
		}
		storm = append(storm, s.alertOf(fmt.Sprintf("page-%03d", number), severity))
	}
	s.rings(storm...)
	if sounds := take[Sound](s); len(sounds) != 1 || sounds[0].Alarm.Pattern != Critical || sounds[0].Alarm.PageID != "page-250" {
		t.Errorf("the siren was told %+v", sounds)
	}
	if tones := take[Tone](s); len(tones) != 0 {
		t.Errorf("under the siren there are the tones %+v", tones)
	}
}

func TestARemovedAccountTakesItsAlarmsAlong(t *testing.T) {
	s := begins(t)
	s.rings(s.alertOf("a", page.Critical))
	s.do(AccountRemoved{Name: "prod"})
	s.mustSound(Silent, "after its account was removed")
	s.mustHaveSaid(EndedUnwatched, "The account prod was removed")
	s.pass(2 * time.Minute)
	s.mustSound(Silent, "later")
}

func TestNoUndoIsOfferedWhereTheServiceCannotTakeBack(t *testing.T) {
	s := begins(t)
	s.do(AccountAdded{Name: "prod", Final: true})
	s.rings(s.alertOf("a", page.Critical))
	s.confirm(s.press("a"))
	if left := s.page("a").UndoLeft; left != 0 {
		t.Errorf("an undo is offered for %s", left)
	}
}
