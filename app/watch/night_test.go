package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightstand/app/page"
)

// night is a random night: a paging service with its own truth, a line to it
// that fails, a machine that sleeps, a clock that jumps, a process that is
// killed, and somebody who presses keys. It carries out the effects of the
// core as the agent does, only slower and less reliably.
type night struct {
	t     *rapid.T
	watch *Watch
	now   Instant

	alerts   map[string]*alert // the service's truth, by our page id
	instance int
	online   bool
	working  bool // the service takes acknowledgements
	number   int

	polls   []flight // polls under way
	answers []SendAnswer
	started map[string]bool
	backs   []SendTakeBack

	kept     map[string]Known
	accounts map[string]KnownAccount
	notices  map[string]Notice

	paged     map[string]int // alarms begun, by page and epoch
	sound     Alarm
	confirmed map[string]bool // pages whose acknowledgement the service confirmed to us
	hushed    map[string]int  // by page and epoch
	underWay  map[string]time.Duration
	absent    map[string]int    // complete snapshots in a row without the page
	listedBy  map[string]string // the instance that last listed a page
	restarted time.Duration
	seenOf    string // the instance that answered last
	lastGood  time.Duration
	lastAwake time.Duration
}

type alert struct {
	page   page.Page
	listed bool
	told   bool // the last snapshot had it as mine, so the next tells that it was given away
}

type flight struct {
	started   time.Duration
	pages     []page.Page
	instance  string
	reachable bool
}

func newNight(t *rapid.T) *night {
	n := &night{
		t: t, now: Instant{Wall: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC), Mono: time.Hour},
		alerts: map[string]*alert{}, online: true, working: true,
		started: map[string]bool{}, kept: map[string]Known{}, accounts: map[string]KnownAccount{},
		notices: map[string]Notice{}, paged: map[string]int{}, confirmed: map[string]bool{},
		hushed: map[string]int{}, underWay: map[string]time.Duration{},
		absent: map[string]int{}, listedBy: map[string]string{},
	}
	n.watch = New(Defaults(), n.now, Memory{})
	n.lastGood, n.restarted = n.now.Mono, n.now.Mono
	n.step(AccountAdded{Name: "home"})
	return n
}

// step runs the core, carries out its effects and looks whether every rule holds.
func (n *night) step(in Input) {
	soundBefore := n.sound
	effects := n.watch.Step(n.now, in)
	explained := false
	for _, effect := range effects {
		switch effect := effect.(type) {
		case Sound:
			n.sound = effect.Alarm
		case SendAnswer:
			n.answers = append(n.answers, effect)
		case SendTakeBack:
			n.backs = append(n.backs, effect)
		case LookAgain:
			n.beginPoll()
		case Keep:
			n.kept[effect.Known.Page.ID] = effect.Known
		case KeepAccount:
			n.accounts[effect.Known.Name] = effect.Known
		case KeepNotice:
			n.notices[effect.Notice.ID] = effect.Notice
			explained = true
		case DropNotice:
			delete(n.notices, effect.ID)
		case Write:
			switch effect.Kind {
			case KindPaged:
				n.paged[fmt.Sprint(effect.PageID, "/", effect.Epoch)]++
			case KindHushed:
				n.hushed[fmt.Sprint(effect.PageID, "/", effect.Epoch)]++
				explained = true
			case KindPressed:
				explained = true
			}
		}
	}
	n.holdRules(in, soundBefore, explained)
}

// holdRules are the promises; each must hold after every step of every night.
func (n *night) holdRules(in Input, before Alarm, explained bool) {
	s := n.watch.State()
	calling := 0
	for _, p := range s.Pages {
		if p.Calls {
			calling++
		}
		if key := fmt.Sprint(p.ID, "/", p.Epoch); n.paged[key] > 1 {
			n.t.Fatalf("page %s rang %d times in one epoch", key, n.paged[key])
		}
		if n.hushed[fmt.Sprint(p.ID, "/", p.Epoch)] > Defaults().Hushes {
			n.t.Fatalf("page %s was hushed too often", p.ID)
		}
		if n.confirmed[p.ID] && p.Calls && !p.StillOnIt {
			n.t.Fatalf("after %T page %s rings although the service holds our acknowledgement", in, p.ID)
		}
		if began, sent := n.underWay[p.ID]; p.Answer != AnswerUnderWay {
			delete(n.underWay, p.ID)
		} else if sent && n.now.Mono-began > Defaults().Confirm+time.Second {
			n.t.Fatalf("page %s is quiet on the word of a request that began %s ago", p.ID, n.now.Mono-began)
		}
		if p.Alarming && !p.Calls && p.Answer == AnswerNone && !p.Hushed {
			n.t.Fatalf("page %s wants to ring and is quiet without a reason", p.ID)
		}
		if p.Calls && p.Status == page.Acknowledged && !p.StillOnIt {
			n.t.Fatalf("page %s rings although it is acknowledged", p.ID)
		}
	}
	if (calling > 0) != (s.Alarm.Pattern != Silent && s.Alarm.Pattern != Blind) {
		n.t.Fatalf("%d pages call, the siren sounds %q", calling, s.Alarm.Pattern)
	}
	if s.Alarm != n.sound {
		n.t.Fatalf("the state says %+v, the siren was told %+v", s.Alarm, n.sound)
	}
	if before.Pattern != Silent && n.sound.Pattern == Silent && !explained {
		n.t.Fatalf("after %T the siren fell silent without a reason", in)
	}
	unseen := n.now.Mono - max(n.lastGood, n.lastAwake)
	if unseen > Defaults().BlindAfter+2*time.Second && s.Light != BlindLight {
		n.t.Fatalf("not seen for %s and the light says %s", unseen, s.Light)
	}
	if s.Light == BlindLight && !s.BlindKnown && n.sound.Pattern == Silent && n.knownBlindOver() {
		n.t.Fatal("blind, on shift, nobody said “I know”, and it is silent")
	}
	if s.Light == Armed {
		n.t.Fatal("armed without any proof of sound")
	}
}

func (n *night) knownBlindOver() bool {
	_, calls := n.watch.blindCalls()
	return calls
}

func (n *night) beginPoll() {
	f := flight{started: n.now.Mono, reachable: n.online, instance: fmt.Sprint("instance-", n.instance)}
	for _, id := range n.sortedAlerts() {
		if n.alerts[id].listed {
			f.pages = append(f.pages, n.alerts[id].page)
		}
	}
	n.polls = append(n.polls, f)
}

// endPoll delivers the oldest poll under way, however stale it has become.
func (n *night) endPoll() {
	if len(n.polls) == 0 {
		return
	}
	f := n.polls[0]
	n.polls = n.polls[1:]
	if !f.reachable {
		n.step(PollFailed{Account: "home", Sentence: "home cannot be reached"})
		return
	}
	n.lastGood = n.now.Mono
	f.pages = slices.DeleteFunc(f.pages, func(p page.Page) bool { return !p.Mine && !n.alerts[p.ID].told })
	endedBefore, alarming := map[string]bool{}, map[string]bool{}
	for _, p := range append(n.watch.State().Pages, n.watch.Ended()...) {
		endedBefore[p.ID], alarming[p.ID] = p.Ended, p.Alarming
	}
	n.step(Polled{Account: "home", Started: f.started, Pages: f.pages, Instance: f.instance})
	n.nothingLost(f)
	n.endedRightly(f, endedBefore)
	n.givenAway(f, alarming)
	n.queueMoves()
}

// givenAway holds that a page which somebody else has now is over here, quiet,
// and with a reason that names them if it rang. The service tells it once, of
// what it listed as mine in the snapshot before.
func (n *night) givenAway(f flight, alarming map[string]bool) {
	for _, a := range n.alerts {
		a.told = false
	}
	for _, told := range f.pages {
		a := n.alerts[told.ID]
		a.told = told.Mine
		if told.Mine || n.overtaken(f, told.ID) {
			continue
		}
		p, known := n.watch.Page(told.ID)
		if !known || !p.Ended || p.Calls || p.Alarming {
			n.t.Fatalf("page %s is Béla's at the service, and here %+v", told.ID, p)
		}
		explained := false
		for _, notice := range n.notices {
			explained = explained || notice.PageID == told.ID && notice.Ending == EndedReassigned && strings.HasSuffix(notice.Text, " to Béla.")
		}
		if alarming[told.ID] && !explained {
			n.t.Fatalf("page %s was given away under its siren, and only %v is said", told.ID, n.notices)
		}
	}
}

// nothingLost is the heart of it: after a complete snapshot, what the service
// lists as triggered and mine is ringing, or quiet for a reason we can name.
func (n *night) nothingLost(f flight) {
	s := n.watch.State()
	byID := map[string]PageState{}
	for _, p := range append(s.Pages, n.watch.Ended()...) {
		byID[p.ID] = p
	}
	for _, p := range f.pages {
		known, found := byID[p.ID]
		if !found {
			n.t.Fatalf("page %s is listed and not known", p.ID)
		}
		truth := n.alerts[p.ID]
		if truth == nil || !truth.listed || truth.page.Status != p.Status || n.confirmed[p.ID] {
			continue // the snapshot was overtaken by what happened since
		}
		wakes := p.Mine && truth.page.Mine && p.Status == page.Triggered && p.MutedBy == "" && (p.Severity.Wakes() || p.HandedOn)
		if wakes && !known.Alarming && !known.Old && !n.overtaken(f, p.ID) {
			n.t.Fatalf("page %s is triggered at the service and lost here: %+v", p.ID, known)
		}
	}
}

// endedRightly holds that a page is gone after it was missing twice, not
// before, and that a restarted service is given its time.
func (n *night) endedRightly(f flight, endedBefore map[string]bool) {
	if n.seenOf != "" && n.seenOf != f.instance {
		n.restarted = n.now.Mono
	}
	n.seenOf = f.instance
	listed := map[string]bool{}
	for _, p := range f.pages {
		listed[p.ID] = true
		n.absent[p.ID], n.listedBy[p.ID] = 0, f.instance
	}
	for _, p := range append(n.watch.State().Pages, n.watch.Ended()...) {
		if listed[p.ID] || n.overtaken(f, p.ID) {
			continue
		}
		n.absent[p.ID]++
		settled := n.listedBy[p.ID] == f.instance
		endedNow := p.Ended && !endedBefore[p.ID]
		switch {
		case settled && n.absent[p.ID] >= 2 && !p.Ended:
			n.t.Fatalf("page %s is missing from %d snapshots and not ended", p.ID, n.absent[p.ID])
		case settled && n.absent[p.ID] == 1 && endedNow:
			n.t.Fatalf("page %s ended when one snapshot missed it", p.ID)
		case !settled && endedNow && p.Ending == EndedResolved:
			n.t.Fatalf("page %s was called resolved because the service restarted", p.ID)
		case !settled && !p.Ended && n.now.Mono-n.restarted > Defaults().RestartGrace:
			n.t.Fatalf("page %s is still kept %s after the restart", p.ID, n.now.Mono-n.restarted)
		}
	}
}

// queueMoves holds that what could not be delivered is sent when sight is back.
func (n *night) queueMoves() {
	for _, p := range n.watch.State().Pages {
		if p.Answer == AnswerNotYet && !p.Ended && !slices.ContainsFunc(n.answers, func(s SendAnswer) bool { return s.Page.ID == p.ID }) {
			n.t.Fatalf("the answer to page %s is queued and not sent although the service is seen", p.ID)
		}
	}
}

// overtaken says that we learnt of the page after this snapshot was begun.
func (n *night) overtaken(f flight, id string) bool {
	return n.watch.items[id].known >= f.started
}

func (n *night) sortedAlerts() []string {
	ids := make([]string, 0, len(n.alerts))
	for id := range n.alerts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// pass lets time go by in the steps the agent has: a tick a second and a poll
// every three.
func (n *night) pass(d time.Duration) {
	for end := n.now.Mono + d; n.now.Mono < end; {
		n.now.Mono += time.Second
		n.now.Wall = n.now.Wall.Add(time.Second)
		for _, a := range n.alerts {
			if p := &a.page; p.Status == page.Acknowledged && !p.AckExpiresAt.IsZero() && !n.now.Wall.Before(p.AckExpiresAt) {
				p.Status, p.AcknowledgedBy, p.AcknowledgedByMe, p.AckExpiresAt = page.Triggered, "", false, time.Time{}
				n.confirmed[p.ID] = false
			}
		}
		n.step(Tick{})
		if rapid.IntRange(0, 2).Draw(n.t, "a reply") == 0 {
			n.reply()
		}
		if n.now.Mono%(3*time.Second) < time.Second {
			n.beginPoll()
			if rapid.IntRange(0, 3).Draw(n.t, "prompt") > 0 {
				n.endPoll()
			}
		}
	}
}

// replies carries an acknowledgement to the service and the answer back.
func (n *night) reply() {
	if len(n.answers) == 0 {
		return
	}
	send := n.answers[0]
	id := send.Page.ID
	if key := fmt.Sprint(id, "/", send.Number); !n.started[key] {
		n.started[key] = true
		if _, running := n.underWay[id]; !running && n.watch.items[id].answer.number == send.Number {
			n.underWay[id] = n.now.Mono
		}
		n.step(AnswerStarted{ID: id, Number: send.Number})
		return
	}
	n.answers = n.answers[1:]
	a := n.alerts[id]
	switch {
	case !n.online:
		n.step(AnswerFailed{ID: id, Number: send.Number, Offline: true, Sentence: "home cannot be reached"})
	case a == nil || !a.listed:
		n.step(AnswerGone{ID: id, Number: send.Number})
	case !a.page.Mine:
		n.step(AnswerFailed{ID: id, Number: send.Number, Sentence: "the service has given this page to Béla meanwhile"})
	case a.page.Status == page.Acknowledged && !a.page.AcknowledgedByMe:
		n.absent[id] = 0 // it was seen directly
		n.step(AnswerTaken{ID: id, Number: send.Number, By: a.page.AcknowledgedBy})
	case !n.working:
		n.step(AnswerFailed{ID: id, Number: send.Number, Sentence: "the service refused it"})
	default:
		a.page.Status, a.page.AcknowledgedBy, a.page.AcknowledgedByMe = page.Acknowledged, "anna", true
		a.page.AcknowledgedAt, a.page.AckExpiresAt = n.now.Wall, n.now.Wall.Add(30*time.Minute)
		n.confirmed[id] = true
		n.absent[id] = 0 // it was seen directly
		n.step(AnswerConfirmed{ID: id, Number: send.Number, Page: a.page})
		n.quietNow(id)
	}
}

// quietNow holds that a confirmed answer is always quiet.
func (n *night) quietNow(id string) {
	for _, p := range n.watch.State().Pages {
		if p.ID == id && p.Calls {
			n.t.Fatalf("page %s still rings after its acknowledgement was confirmed", id)
		}
	}
}

func (n *night) takeBack() {
	if len(n.backs) == 0 {
		return
	}
	back := n.backs[0]
	n.backs = n.backs[1:]
	a := n.alerts[back.Page.ID]
	if !n.online || a == nil || !a.listed {
		n.step(TakeBackFailed{ID: back.Page.ID, Sentence: "home cannot be reached"})
		return
	}
	if a.page.AcknowledgedByMe {
		a.page.Status, a.page.AcknowledgedBy, a.page.AcknowledgedByMe, a.page.AckExpiresAt = page.Triggered, "", false, time.Time{}
		n.confirmed[back.Page.ID] = false
	}
	n.absent[back.Page.ID] = 0 // it was seen directly
	n.step(TakenBack{ID: back.Page.ID, Page: a.page})
}

// kill ends the process at once and starts it again with what was stored.
func (n *night) kill() {
	var memory Memory
	for _, a := range n.accounts {
		memory.Accounts = append(memory.Accounts, a)
	}
	for _, k := range n.kept {
		memory.Pages = append(memory.Pages, k)
		n.paged[fmt.Sprint(k.Page.ID, "/", k.Epoch)] = 0 // it may ring again after a restart
	}
	for _, notice := range n.notices {
		memory.Notices = append(memory.Notices, notice)
	}
	n.now.Mono += time.Second
	n.now.Wall = n.now.Wall.Add(time.Second)
	n.watch = New(Defaults(), n.now, memory)
	n.polls, n.answers, n.backs, n.sound = nil, nil, nil, Alarm{}
	n.underWay, n.hushed, n.absent = map[string]time.Duration{}, map[string]int{}, map[string]int{}
	n.lastGood, n.restarted = n.now.Mono, n.now.Mono
	for _, a := range n.alerts {
		kept, known := n.kept[a.page.ID]
		a.told = known && !kept.Ended // as if that had been the last snapshot
	}
	n.step(AccountAdded{Name: "home"})
	n.beginPoll()
}

func (n *night) somePage() string {
	ids := n.sortedAlerts()
	if len(ids) == 0 {
		return ""
	}
	return rapid.SampledFrom(ids).Draw(n.t, "page")
}

func (n *night) change(id string, to func(*page.Page)) {
	if a := n.alerts[id]; a != nil && a.listed {
		to(&a.page)
		n.confirmed[id] = false
	}
}

// escalate hands a page to somebody else, whom it calls.
func (n *night) escalate(id string) {
	n.change(id, func(p *page.Page) {
		p.Mine, p.AssignedTo, p.EscalatesAt = false, "Béla", time.Time{}
		p.Status, p.AcknowledgedBy, p.AcknowledgedByMe, p.AckExpiresAt = page.Triggered, "", false, time.Time{}
	})
}

func TestRandomNights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newNight(t)
		n.beginPoll()
		n.endPoll()
		t.Repeat(map[string]func(*rapid.T){
			"a page comes": func(t *rapid.T) {
				n.number++
				severity := rapid.SampledFrom(page.Severities()).Draw(t, "severity")
				age := time.Duration(rapid.IntRange(0, 3000).Draw(t, "age")) * time.Minute
				id := fmt.Sprintf("page-%03d", n.number)
				n.alerts[id] = &alert{listed: true, page: page.Page{
					ID: id, Account: "home", UpstreamID: id, Title: id, Severity: severity,
					Status: page.Triggered, TriggeredAt: n.now.Wall.Add(-age), Mine: true,
					HandedOn: rapid.Bool().Draw(t, "handed on"), EscalatesAt: n.now.Wall.Add(5 * time.Minute),
				}}
			},
			"escalated away": func(*rapid.T) { n.escalate(n.somePage()) },
			"what rings is escalated away": func(*rapid.T) {
				for _, p := range n.watch.State().Pages {
					if p.Calls {
						n.escalate(p.ID)
						n.beginPoll()
						n.endPoll()
						return
					}
				}
			},
			"given back to me": func(*rapid.T) {
				n.change(n.somePage(), func(p *page.Page) { p.Mine, p.AssignedTo = true, "Ana" })
			},
			"resolved": func(*rapid.T) {
				if a := n.alerts[n.somePage()]; a != nil {
					a.listed = false
				}
			},
			"fires again": func(*rapid.T) {
				id := n.somePage()
				if a := n.alerts[id]; a != nil && !a.listed {
					a.listed = true
					a.page.Status, a.page.AcknowledgedBy, a.page.AcknowledgedByMe, a.page.AckExpiresAt = page.Triggered, "", false, time.Time{}
					n.confirmed[id] = false
				}
			},
			"ben takes it": func(*rapid.T) {
				n.change(n.somePage(), func(p *page.Page) {
					p.Status, p.AcknowledgedBy, p.AcknowledgedByMe, p.AckExpiresAt = page.Acknowledged, "ben", false, time.Time{}
				})
			},
			"I take it on the phone": func(*rapid.T) {
				n.change(n.somePage(), func(p *page.Page) {
					p.Status, p.AcknowledgedBy, p.AcknowledgedByMe = page.Acknowledged, "anna", true
				})
			},
			"muted upstream": func(t *rapid.T) {
				quiet := rapid.SampledFrom([]string{"", "silenced by ben"}).Draw(t, "muted")
				if a := n.alerts[n.somePage()]; a != nil {
					a.page.MutedBy = quiet
				}
			},
			"what rings is muted for a while": func(*rapid.T) {
				for _, p := range n.watch.State().Pages {
					if a := n.alerts[p.ID]; p.Calls && a != nil {
						for _, why := range []string{"silenced by ben", ""} {
							a.page.MutedBy = why
							n.polls = nil
							n.now.Mono += time.Second
							n.beginPoll()
							n.endPoll()
						}
						return
					}
				}
			},
			"the line fails":       func(*rapid.T) { n.online = false },
			"the line is back":     func(*rapid.T) { n.online = true },
			"answers are refused":  func(*rapid.T) { n.working = false },
			"answers work":         func(*rapid.T) { n.working = true },
			"the service restarts": func(*rapid.T) { n.instance++ },
			"poll":                 func(*rapid.T) { n.beginPoll(); n.endPoll() },
			"a late poll arrives":  func(*rapid.T) { n.endPoll() },
			"press":                func(*rapid.T) { n.step(Acknowledge{IDs: []string{n.somePage()}}) },
			"press what rings": func(*rapid.T) {
				for _, p := range n.watch.State().Pages {
					if p.Calls {
						n.step(Acknowledge{IDs: []string{p.ID}})
						return
					}
				}
			},
			"press all": func(*rapid.T) { n.step(Acknowledge{IDs: n.watch.OnScreen()}) },
			"take back": func(*rapid.T) { n.step(Unacknowledge{ID: n.somePage()}) },
			"hush":      func(*rapid.T) { n.step(Hush{}) },
			"dismiss":   func(*rapid.T) { n.step(Dismiss{}) },
			"reply":     func(*rapid.T) { n.reply(); n.reply() },
			"replies come promptly": func(*rapid.T) {
				for range 2 * len(n.answers) {
					n.reply()
				}
			},
			"the line is back and it is seen": func(*rapid.T) { n.online = true; n.beginPoll(); n.polls = n.polls[len(n.polls)-1:]; n.endPoll() },
			"reply to take back":              func(*rapid.T) { n.takeBack() },
			"seconds":                         func(t *rapid.T) { n.pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "s")) * time.Second) },
			"minutes":                         func(t *rapid.T) { n.pass(time.Duration(rapid.IntRange(1, 6).Draw(t, "min")) * time.Minute) },
			"the clock jumps": func(t *rapid.T) {
				n.now.Wall = n.now.Wall.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "jump")) * time.Second)
			},
			"sleep": func(t *rapid.T) {
				asleep := time.Duration(rapid.IntRange(1, 600).Draw(t, "asleep")) * time.Minute
				n.now.Wall = n.now.Wall.Add(asleep)
				n.polls = nil
				n.lastAwake = n.now.Mono
				n.step(Resumed{Asleep: asleep})
			},
			"killed": func(*rapid.T) { n.kill() },
		})
	})
}
