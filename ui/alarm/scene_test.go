package alarm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"nightstand/app/control"
	"nightstand/app/page"
)

func before(seconds int) *time.Time { return new(start.Add(-time.Duration(seconds) * time.Second)) }

func ahead(seconds int) *time.Time { return new(start.Add(time.Duration(seconds) * time.Second)) }

// paged is a page that rings and can still be hushed.
func paged(id string) control.Page {
	return control.Page{
		ID: id, Account: "prod", Title: "Checkout is dropping orders", Service: "checkout-api", Severity: "critical",
		Status: "triggered", Mine: true, Ringing: true, HushesLeft: 2, TriggeredAt: before(42),
		EscalatesAt: ahead(258), EscalatesTo: "Dana Ito",
		Labels: control.List[page.Label]{{Name: "region", Value: "eu-west-1"}, {Name: "queue", Value: "12000 deep"}},
		Links:  control.List[page.Link]{{Text: "Runbook: orders", URL: "https://runbooks.example/orders"}},
	}
}

// ours is a page that was answered here.
func ours(id string) control.Page {
	p := paged(id)
	p.Status, p.Ringing, p.Answer, p.AcknowledgedByMe = "acknowledged", false, "confirmed", true
	p.AcknowledgedAt, p.EscalatesAt = before(10), nil
	return p
}

func with(p control.Page, change func(*control.Page)) control.Page {
	change(&p)
	return p
}

// of is what the agent says when these are open.
func of(pages ...control.Page) control.State {
	s := control.State{Pages: pages}
	s.Open = len(pages)
	s.Armed = control.Armed{State: "armed", Sentence: "Armed. You would hear a page right now."}
	s.Accounts = control.List[control.Account]{{Name: "prod", TakesBack: true, LastGoodPoll: before(2)}}
	for _, p := range pages {
		if p.Ringing {
			if s.Alarm.Calling++; s.Alarm.Calling == 1 {
				s.Alarm.Sounding, s.Alarm.PageID, s.Alarm.Pattern, s.Alarm.Device = true, p.ID, p.Severity, "Built-in Speakers"
			}
		}
	}
	return s
}

// storm is so many pages that ring at once.
func storm(pages int) control.State {
	many := make([]control.Page, 0, pages)
	for number := range pages {
		many = append(many, with(paged(fmt.Sprintf("p%d", number)), func(p *control.Page) {
			p.Title, p.Severity = fmt.Sprintf("Web server web-%02d does not answer", number), "minor"
		}))
	}
	return of(many...)
}

// moment is one state of the world, as the window sees it two seconds after it
// came up.
type moment struct {
	name string
	view view
	says string
}

// moments are all kinds of pictures. The text is what can be read, from above.
func moments() []moment {
	seen := func(s control.State) view {
		v := view{state: s, now: start, shown: map[string]time.Time{}}
		for _, p := range s.Pages {
			v.shown[p.ID] = *before(2)
		}
		return v
	}
	changed := func(s control.State, change func(*control.State)) control.State {
		change(&s)
		return s
	}
	afterwards := func(s control.State, about control.Page) view {
		v := seen(s)
		v.about = about
		return v
	}
	notice := func(reason, text string) control.State {
		s := of()
		s.Notices = control.List[control.Notice]{{ID: "n1", PageID: "a", Reason: "taken", Text: "an older one", At: *before(500)}, {ID: "n2", PageID: "a", Reason: reason, Text: text, At: *before(1)}}
		return s
	}
	alsoOpen := notice("resolved", "“Checkout is dropping orders” is resolved.")
	alsoOpen.Pages = control.List[control.Page]{ours("b")}
	blindness := of()
	blindness.Armed = control.Armed{State: "blind", Sentence: "Blind: prod was last seen at 03:10:00, it does not answer."}
	blindness.Accounts = control.List[control.Account]{{Name: "prod", Blind: true, LastGoodPoll: before(120)}}
	blindness.Alarm = control.Alarm{Sounding: true, Pattern: "blind", Device: "Built-in Speakers"}
	late := storm(13)
	comesLate := seen(late)
	delete(comesLate.shown, "p12")

	return []moment{
		{"a single page", seen(of(paged("a"))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Goes to Dana Ito in 4:18 · answers this one page
			[Acknowledge] ack a
			[Hush 60 s]
			Sounding on Built-in Speakers`},
		{"a page with words of its own, and an answer that touches others", func() view {
			v := seen(of(with(paged("a"), func(p *control.Page) { p.AnswerMutes = "silences this alert for the whole team." })))
			v.detail = control.Detail{Page: control.Page{ID: "a"}, Details: "Error rate 38 %.\n\tQueue\x1b[31m 12 000."}
			return v
		}(), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			Error rate 38 %. Queue 12 000.
			Goes to Dana Ito in 4:18 · answers this one page
			[Acknowledge] ack a
			[Hush 60 s]
			Sounding on Built-in Speakers · acknowledging silences this alert for the whole team`},
		{"a page of which nothing is known", seen(changed(of(control.Page{ID: "a", Status: "triggered", Ringing: true, EscalatesAt: before(1)}), func(s *control.State) { s.Alarm = control.Alarm{} })), `
			NOT KNOWN · severity not known
			A page without a title
			Going to the next person now · answers this one page
			[Acknowledge] ack a
			Nothing sounds at the moment`},
		{"a page on a machine that cannot sound", seen(changed(of(paged("a")), func(s *control.State) { s.Alarm.Trouble = "there is no sound output." })), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Goes to Dana Ito in 4:18 · answers this one page
			[Acknowledge] ack a
			[Hush 60 s]
			Nothing sounds: there is no sound output`},
		{"a storm", seen(storm(13)), `
			13 PAGES, THE WORST IS MINOR · paged 42 s ago
			Web server web-00 does not answer
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Also: Web server web-01 does not answer; Web server web-02 does not answer; Web server web-03 does not answer; and 9 more
			Goes to Dana Ito in 4:18 · answers all 13 pages
			[Acknowledge 13] ack p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11 p12
			[Hush 60 s]
			Sounding on Built-in Speakers`},
		{"a storm of which one came just now", comesLate, `
			13 PAGES, THE WORST IS MINOR · paged 42 s ago
			Web server web-00 does not answer
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Also: Web server web-01 does not answer; Web server web-02 does not answer; Web server web-03 does not answer; and 9 more
			Goes to Dana Ito in 4:18 · answers 12 of 13 pages; the rest came just now
			[Acknowledge 12] ack p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11
			[Hush 60 s]
			Sounding on Built-in Speakers`},
		{"a storm that was not confirmed", func() view {
			s := storm(13)
			for number := range s.Pages {
				s.Pages[number].Answer, s.Pages[number].AnswerReason = "not_confirmed", "the paging service of prod did not confirm it within 10 s, and was last seen at 03:10:00"
				s.Pages[number].AnswerMutes = "silences these alerts for the whole team"
			}
			return seen(s)
		}(), `
			13 PAGES, THE WORST IS MINOR · paged 42 s ago
			Web server web-00 does not answer
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Also: Web server web-01 does not answer; Web server web-02 does not answer; Web server web-03 does not answer; and 9 more
			Not acknowledged: the paging service of prod did not confirm it within 10 s, and was last seen at 03:10:00.
			Goes to Dana Ito in 4:18 · again: quiet until the service is seen, at most 15 min
			[Acknowledge 13] ack p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11 p12
			[Hush 60 s]
			Sounding on Built-in Speakers · acknowledging silences these alerts for the whole team`},
		{"a critical page that is hushed, beside a minor one that rings", seen(of(
			with(paged("a"), func(p *control.Page) { p.Ringing, p.Hushed, p.HushesLeft = false, true, 1 }),
			with(paged("b"), func(p *control.Page) { p.Title, p.Severity, p.EscalatesAt = "Queue is slow", "minor", nil }))), `
			2 PAGES, THE WORST IS CRITICAL · paged 42 s ago
			Queue is slow
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Also: Checkout is dropping orders
			answers all 2 pages
			[Acknowledge 2] ack a b
			[Hush 60 s]
			Sounding on Built-in Speakers`},
		{"hushed", seen(of(with(paged("a"), func(p *control.Page) { p.Ringing, p.Hushed, p.HushesLeft = false, true, 1 }))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Hushed for a moment. Nobody was told; the page is still unanswered.
			Goes to Dana Ito in 4:18 · answers this one page
			[Acknowledge] ack a
			Nothing sounds at the moment`},
		{"sending", seen(of(with(paged("a"), func(p *control.Page) { p.Ringing, p.Answer = false, "sending" }))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Acknowledging. Not confirmed yet.
			It rings again if the service does not confirm it.`},
		{"sending several", seen(of(
			with(paged("a"), func(p *control.Page) { p.Ringing, p.Answer = false, "sending" }),
			with(paged("b"), func(p *control.Page) { p.Ringing, p.Answer = false, "sending" }))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Acknowledging 2 pages. Not confirmed yet.
			Those that the service does not confirm ring again.`},
		{"a page that calls beside a worse one whose answer is on its way", seen(of(
			with(paged("a"), func(p *control.Page) { p.Ringing, p.Answer = false, "sending" }),
			with(paged("b"), func(p *control.Page) {
				p.Title, p.Severity, p.Ringing, p.Hushed, p.EscalatesAt = "Queue is slow", "minor", false, true, nil
			}))), `
			MINOR · a minor function is lost · paged 42 s ago
			Queue is slow
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Hushed for a moment. Nobody was told; the page is still unanswered.
			answers this one page
			[Acknowledge] ack b
			Nothing sounds at the moment`},
		{"not confirmed, and ringing again", seen(of(with(paged("a"), func(p *control.Page) {
			p.Answer, p.AnswerReason = "not_confirmed", "the service did not confirm it within 10 s."
		}))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Not acknowledged: the service did not confirm it within 10 s.
			Goes to Dana Ito in 4:18 · again: quiet until the service is seen, at most 15 min
			[Acknowledge] ack a
			[Hush 60 s]
			Sounding on Built-in Speakers`},
		{"not confirmed, and quiet after the second press", seen(of(with(paged("a"), func(p *control.Page) {
			p.Answer, p.AnswerReason, p.Ringing = "not_confirmed", "prod does not answer", false
		}))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Not acknowledged yet: prod does not answer. It is sent when the service is seen again.
			Goes to Dana Ito in 4:18 · quiet until then; it is not answered
			[Acknowledge] ack a
			Nothing sounds at the moment`},
		{"not confirmed, and hushed", seen(of(with(paged("a"), func(p *control.Page) {
			p.Answer, p.AnswerReason, p.Ringing, p.Hushed = "not_confirmed", "prod does not answer", false, true
		}))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Not acknowledged: prod does not answer. Hushed for a moment; then it rings again.
			Goes to Dana Ito in 4:18 · again: quiet until the service is seen, at most 15 min
			[Acknowledge] ack a
			Nothing sounds at the moment`},
		{"refused", seen(of(with(paged("a"), func(p *control.Page) {
			p.Answer, p.AnswerReason, p.HushesLeft = "refused", "the service says that the page is Dana's", 0
		}))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Not acknowledged: the service says that the page is Dana's.
			Goes to Dana Ito in 4:18 · tries again
			[Acknowledge] ack a
			Sounding on Built-in Speakers`},
		{"still on it", seen(of(with(ours("a"), func(p *control.Page) { p.StillOnIt, p.AckExpiresAt = true, ahead(600) }))), `
			STILL ON IT? · your acknowledgement runs out · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Yours for 10:00 more · keeps the page yours
			[Still on it] ack a
			Nothing sounds at the moment`},
		{"still on two, of which one was not renewed", seen(of(
			with(ours("a"), func(p *control.Page) {
				p.StillOnIt, p.Answer, p.AnswerReason = true, "refused", "the service says no"
			}),
			with(ours("b"), func(p *control.Page) { p.StillOnIt = true }))), `
			STILL ON IT? · your acknowledgement runs out · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			It was not renewed: the service says no.
			keeps all 2 pages yours
			[Still on it] ack a b
			Nothing sounds at the moment`},
		{"still on it, and said so", seen(of(with(ours("a"), func(p *control.Page) { p.StillOnIt, p.Answer = true, "sending" }))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			Acknowledging. Not confirmed yet.
			It rings again if the service does not confirm it.`},
		{"blind, and ringing", seen(blindness), `
			BLIND · pages cannot be seen · last seen 03:10:00
			The paging service cannot be seen
			Blind: prod was last seen at 03:10:00, it does not answer.
			quiet for 15 min; pages still cannot ring
			[I know] hush
			Be reachable another way: phone, SMS or push at the service.`},
		{"blind, and known", seen(changed(blindness, func(s *control.State) { s.Alarm = control.Alarm{} })), `
			BLIND · pages cannot be seen · last seen 03:10:00
			The paging service cannot be seen
			Blind: prod was last seen at 03:10:00, it does not answer.
			You know. It stays quiet for a while; pages still cannot ring here.
			quiet for 15 min; pages still cannot ring
			[I know] hush
			Be reachable another way: phone, SMS or push at the service.`},
		{"working", seen(of(with(ours("a"), func(p *control.Page) { p.UndoUntil, p.AckExpiresAt = ahead(22), ahead(1800) }))), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			You have it. Confirmed by the service at 03:11:50.
			Still yours until 03:42; you are asked before it runs out. Undo for 22 s more.
			[Back to bed] close
			[Undo] a`},
		{"working where an answer is final", seen(changed(of(with(ours("a"), func(p *control.Page) { p.UndoUntil, p.AcknowledgedAt = ahead(22), nil })), func(s *control.State) {
			s.Accounts = control.List[control.Account]{{Name: "prod"}}
		})), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			You have it. Confirmed by the service.
			It stays yours until it is resolved. This service cannot take an answer back: if you cannot work on it, bring in the secondary.
			[Back to bed] close`},
		{"working on several", afterwards(of(ours("a"), ours("b"), ours("c")), ours("b")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			You have it. Confirmed by the service at 03:11:50.
			It stays yours until it is resolved. 2 more pages are yours too.
			[Back to bed] close`},
		{"taken by somebody else", afterwards(notice("taken", "“Checkout is dropping orders”: Dana Ito took it"), paged("a")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			“Checkout is dropping orders”: Dana Ito took it.
			At 03:11:59. There is nothing for you to do about it here.
			[Back to bed] close`},
		{"resolved", afterwards(notice("resolved", "“Checkout is dropping orders” is resolved."), paged("a")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			“Checkout is dropping orders” is resolved.
			At 03:11:59. There is nothing for you to do about it here.
			[Back to bed] close`},
		{"resolved, and others are mine", afterwards(alsoOpen, paged("a")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			“Checkout is dropping orders” is resolved.
			At 03:11:59. There is nothing for you to do about it here. Still yours: “Checkout is dropping orders”.
			[Close] close`},
		{"reassigned", afterwards(notice("reassigned", "“Checkout is dropping orders” went to Dana Ito."), paged("a")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			“Checkout is dropping orders” went to Dana Ito.
			At 03:11:59. There is nothing for you to do about it here.
			[Back to bed] close`},
		{"quiet, and nobody says why", afterwards(of(), paged("a")), `
			CRITICAL · customer data is being lost · paged 42 s ago
			Checkout is dropping orders
			checkout-api · eu-west-1
			region: eu-west-1 · queue: 12000 deep
			“Checkout is dropping orders” no longer rings.
			Look at “Pages” for what became of it.
			[Back to bed] close`},
		{"nothing", seen(of()), `
			Nothing is ringing.
			Armed. You would hear a page right now.
			[Close] close`},
		{"the agent is lost", view{problem: "the agent went away", since: *before(8), now: start, about: paged("a")}, `
			Checkout is dropping orders
			The agent has not answered for 8 s.
			The agent went away.
			[Close] close`},
		{"there is no agent yet", view{problem: "Looking for the agent.", now: start}, `
			The agent does not answer.
			Looking for the agent.
			[Close] close`},
		{"an older agent that says little", seen(control.State{}), `
			Nothing is ringing.
			The agent does not say whether you would hear a page, so do not count on being woken. End it and start it again.
			[Close] close`},
	}
}

// reads is what somebody reads of a scene, from above.
func reads(s scene) string {
	also := ""
	if len(s.others) > 0 {
		also = "Also: " + strings.Join(s.others, "; ")
	}
	lines := []string{
		joinedBy(" · ", s.level, s.meaning, s.age), s.title, s.place, s.details, also, s.trouble,
		joinedBy(" · ", s.next+s.left, s.answers), s.sentence, joined(s.second, s.undoSays),
	}
	button := func(label, does string) {
		if label != "" {
			lines = append(lines, strings.TrimSpace("["+label+"] "+does))
		}
	}
	button(s.key, joined(append([]string{s.keyDoes}, s.ids...)...))
	button(s.hush, "")
	if s.undo != "" {
		button("Undo", s.undo)
	}
	lines = append(lines, s.footer)
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), "\n")
}

func TestEveryMomentSaysWhatItIs(t *testing.T) {
	for _, m := range moments() {
		want := strings.ReplaceAll(strings.TrimSpace(m.says), "\t", "")
		if got := reads(m.view.scene()); got != want {
			t.Errorf("%s reads\n%s\n\nwant\n%s", m.name, got, want)
		}
	}
}

func TestEverySentenceIsWhole(t *testing.T) {
	for _, m := range moments() {
		s := m.view.scene()
		for _, text := range []string{s.trouble, s.sentence, s.second, s.undoSays} {
			first, _ := utf8.DecodeRuneInString(text)
			if text != "" && (!unicode.IsUpper(first) && !strings.ContainsRune("“1234567890", first) || !strings.HasSuffix(text, ".")) {
				t.Errorf("%s: %q is no sentence", m.name, text)
			}
		}
		for _, never := range []string{"_", "..", "%!", "<nil>", "  ", "0001", " .", ": ."} {
			if text := reads(s); strings.Contains(text, never) {
				t.Errorf("%s: nobody says %q:\n%s", m.name, never, text)
			}
		}
	}
}

// What the agent names no person would say; what it says today and what a
// later one may say is drawn all the same.
func TestNoMomentShowsTheNameOfAState(t *testing.T) {
	for _, answer := range []string{"", "sending", "not_confirmed", "refused", "confirmed", "never_heard_of"} {
		for _, status := range []string{"triggered", "acknowledged", "resolved", "never_heard_of"} {
			for _, light := range []string{"armed", "blind", "not_armed", "unknown", "off_shift", "never_heard_of"} {
				p := with(paged("a"), func(p *control.Page) {
					p.Answer, p.Status, p.AnswerReason = answer, status, "the service does not answer"
				})
				s := of(p)
				s.Armed = control.Armed{State: light, Sentence: "It is as it is."}
				for _, v := range []view{{state: s, now: start}, {state: s, now: start, about: paged("b")}} {
					if text := reads(v.scene()); strings.Contains(text, "_") || text == "" {
						t.Errorf("%q, %q and %q read\n%s", answer, status, light, text)
					}
				}
			}
		}
	}
}

// A storm larger than one state can tell is one press, and the count is the
// agent's.
func TestAStormThatIsNotListedWholeIsCountedWhole(t *testing.T) {
	s := storm(500)
	s.Pages = s.Pages[:control.MostPages]
	v := view{state: s, now: start, shown: map[string]time.Time{}}
	for _, p := range s.Pages {
		v.shown[p.ID] = *before(2)
	}
	got := v.scene()
	if got.key != "Acknowledge 500" || got.answers != "answers all 500 pages" || len(got.ids) != control.MostPages || got.level != "500 PAGES, THE WORST IS MINOR" {
		t.Errorf("the storm is %q, %q, %q with %d pages", got.level, got.key, got.answers, len(got.ids))
	}
	if last := got.others[len(got.others)-1]; last != "and 496 more" {
		t.Errorf("after the others it says %q", last)
	}
}

// One press answers what was on the screen for a second, not what came later.
func TestOnePressAnswersWhatCouldBeRead(t *testing.T) {
	for _, still := range []bool{false, true} {
		s := storm(4)
		for number := range s.Pages {
			if still {
				s.Pages[number] = with(ours(s.Pages[number].ID), func(p *control.Page) { p.StillOnIt = true })
			}
		}
		v := view{state: s, now: start, shown: map[string]time.Time{
			"p0": start.Add(-time.Hour), "p1": start.Add(-time.Second), "p2": start.Add(-999 * time.Millisecond),
		}}
		if got := v.scene().ids; !slices.Equal(got, []string{"p0", "p1"}) {
			t.Errorf("still on it: %v; one press answers %q", still, got)
		}
	}
}
