//go:build linux

package endtoend

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// What was promised, and what the rig may add to it: the ear is right to
// 20 ms, and the machine runs other tests.
const (
	quietWithin = 150 * time.Millisecond // promised: 100 ms
	onePoll     = 3 * time.Second        // the pace on shift
	looked      = onePoll + time.Second  // seen, decided and heard, on a busy machine
)

// breath is longer than any pause within one burst of the critical alarm, and
// shorter than the pause between two.
const breath = time.Second

// nextBurst waits for the beginning of a burst and returns it, so that what is
// done next falls into three seconds of noise.
func nextBurst(t *testing.T, ear *Recording) time.Time {
	t.Helper()
	pause, paused := ear.QuietAfter(time.Now(), breath, 8*time.Second)
	if !paused {
		t.Fatal("the alarm makes no pause")
	}
	burst, heard := ear.FirstLoudAfter(pause, 8*time.Second)
	if !heard {
		t.Fatal("no further burst of the alarm was heard")
	}
	return burst
}

// mustBeQuiet measures how long after a click the siren was quiet.
func mustBeQuiet(t *testing.T, ear *Recording, burst, clicked time.Time, how string) {
	t.Helper()
	if into := clicked.Sub(burst); into > 1500*time.Millisecond {
		t.Fatalf("the click came %v after the burst began, too late to measure anything", into)
	}
	quiet, is := ear.QuietAfter(clicked, breath, 5*time.Second)
	if !is || quiet.Sub(clicked) > quietWithin {
		t.Errorf("%s: quiet %v after the click, not within %v\n%s", how, quiet.Sub(clicked), quietWithin,
			ear.Picture(burst, clicked.Add(3*time.Second)))
	}
	t.Logf("%s: clicked %v into the burst, quiet %v after the click", how,
		clicked.Sub(burst).Round(time.Millisecond), quiet.Sub(clicked).Round(time.Millisecond))
}

// mustBeStill waits for the end of whatever sounds, so that what is heard next
// is new.
func mustBeStill(t *testing.T, ear *Recording) {
	t.Helper()
	if _, is := ear.QuietAfter(time.Now(), breath, 5*time.Second); !is {
		t.Fatal("it does not become quiet")
	}
}

// mustHear waits for the next sound.
func mustHear(t *testing.T, ear *Recording, since time.Time, within time.Duration, what string) time.Time {
	t.Helper()
	at, heard := ear.FirstLoudAfter(since, within)
	if !heard {
		t.Fatalf("%s was not heard within %v", what, within)
	}
	t.Logf("%s was heard after %v", what, at.Sub(since).Round(time.Millisecond))
	return at
}

// mustNotHear listens for a while.
func mustNotHear(t *testing.T, ear *Recording, from, to time.Time, why string) {
	t.Helper()
	if level := ear.Loudness(from, to); level >= Loud {
		t.Errorf("%s, and something was heard (%.0f dBFS)\n%s", why, level, ear.Picture(from, to))
	}
}

// alarmNote waits for the open notification of an alarm with this title.
func alarmNote(notes *Notifications, title string) Notification {
	return notes.Wait(10*time.Second, func(n Notification) bool {
		return n.Open() && strings.Contains(n.Summary, title) &&
			slices.ContainsFunc(n.Actions, func(a Action) bool { return a.Label == "Acknowledge" })
	})
}

// The whole story, three times: a page is heard and seen, answered by another
// hand each time, confirmed, and told so.
func TestAPageIsHeardSeenAndAnsweredByEachHand(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{})
	ear, notes := desk.Listen(), desk.Notifications()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)

	tray := desk.Tray(20 * time.Second)
	untilTooltip := func(words string) {
		t.Helper()
		Eventually(t, 10*time.Second, func() error {
			if title, text := tray.Tooltip(); !strings.Contains(title+text, words) {
				return fmt.Errorf("the tooltip says %q %q, not %q", title, text, words)
			}
			return nil
		})
	}
	untilTooltip("Not armed: sound not proved")
	calm := tray.IconHash()
	desk.Screenshot("night-0-calm")

	var answer <-chan Said // of the command line, while it waits
	hands := []struct {
		name, title string
		press       func(OpenPage, Notification) time.Time
	}{
		{"notification", "Payments are lost", func(_ OpenPage, n Notification) time.Time {
			return notes.Invoke(n, "Acknowledge")
		}},
		{"tray", "Orders are lost", func(p OpenPage, _ Notification) time.Time {
			return tray.Click("Acknowledge: " + p.Title)
		}},
		{"command line", "Mail is lost", func(p OpenPage, _ Notification) time.Time {
			clicked := time.Now()
			answer = night.Begin("ack", p.ID)
			return clicked
		}},
	}
	for number, hand := range hands {
		shot := fmt.Sprintf("night-%d-%s-", number+1, strings.ReplaceAll(hand.name, " ", "-"))
		mustBeStill(t, ear)
		alert := Page(hand.title)
		posted := time.Now()
		server.Post(alert)

		// Heard, and seen in three places.
		mustHear(t, ear, posted, looked, hand.title)
		p := night.UntilRinging(5*time.Second, hand.title)
		note := alarmNote(notes, hand.title)
		if note.Urgency != 2 || note.Timeout != 0 {
			t.Errorf("the notification has urgency %d and goes after %d ms", note.Urgency, note.Timeout)
		}
		untilTooltip("Critical: " + hand.title)
		red := tray.IconHash()
		if red == calm {
			t.Error("the icon is the same as before the page")
		}
		desk.Screenshot(shot + "a-ringing")
		tray.KeepIcon(shot + "icon-ringing")

		// The service stands still meanwhile, so that nothing but the click can
		// have made it quiet.
		burst := nextBurst(t, ear)
		server.Pause()
		clicked := hand.press(p, note)
		mustBeQuiet(t, ear, burst, clicked, hand.name)
		if now := night.UntilPage(5*time.Second, hand.title, func(p OpenPage) bool { return p.Answer == "sending" }); now.Status != "triggered" {
			t.Errorf("before the service has confirmed it, the page is %+v", now)
		}
		untilTooltip("not confirmed yet")
		resumed := time.Now()
		server.Resume()

		// A fact, and told as one.
		p = night.UntilConfirmed(10*time.Second, hand.title)
		if answer != nil {
			if said := <-answer; said.Code != 0 || !strings.Contains(said.Out, "Acknowledged by you at") || !strings.Contains(said.Out, "confirmed by the service") {
				t.Errorf("ack ended with %d: %s", said.Code, said.Words())
			}
		}
		mustHear(t, ear, resumed, 5*time.Second, "the tone of the confirmation")
		words := night.MustDo("status").Out
		if folded := strings.Join(strings.Fields(words), " "); !strings.Contains(folded, "acknowledged, confirmed by the service: by you at ") {
			t.Errorf("status says:\n%s", words)
		}
		silences := OurSilences(server)
		if len(silences) != 1 || !strings.Contains(silences[0].Comment, p.UpstreamID) || !strings.Contains(p.UpstreamID, "@") {
			t.Fatalf("for the firing %s there are the silences %+v", p.UpstreamID, silences)
		}
		var matched []string
		for _, m := range silences[0].Matchers {
			if !m.IsEqual || m.IsRegex || alert.Labels[m.Name] != m.Value {
				t.Errorf("the silence has the matcher %+v", m)
			}
			matched = append(matched, m.Name)
		}
		if len(matched) != len(alert.Labels) {
			t.Errorf("the silence matches %q of %v", matched, alert.Labels)
		}
		ending := notes.Wait(10*time.Second, func(n Notification) bool {
			return n.Open() && n.At.After(clicked) && n.Summary == "Acknowledged, confirmed" && strings.Contains(n.Body, hand.title)
		})
		if !strings.Contains(ending.Body, "acknowledged by you at") || !strings.Contains(ending.Body, "confirmed by the service") {
			t.Errorf("the ending says %q", ending.Body)
		}
		Eventually(t, 10*time.Second, func() error {
			for _, n := range notes.All() {
				if n.Open() && n.ID != ending.ID {
					return fmt.Errorf("beside the ending there stands %q %q", n.Summary, n.Body)
				}
			}
			return nil
		})
		untilTooltip("Acknowledged by you, confirmed: " + hand.title)
		if amber := tray.IconHash(); amber == calm || amber == red {
			t.Error("the icon of an acknowledged page is not its own")
		}
		desk.Screenshot(shot + "b-confirmed")
		tray.KeepIcon(shot + "icon-confirmed")

		if hand.name == "notification" {
			// A button counts once it could have been read.
			<-time.After(time.Until(ending.At.Add(1200 * time.Millisecond)))
			undone := notes.Invoke(ending, "Undo")
			mustHear(t, ear, undone, looked, "the page after Undo")
			night.UntilRinging(5*time.Second, hand.title)
			if left := OurSilences(server); len(left) != 0 {
				t.Errorf("after Undo there are still %+v", left)
			}
			Eventually(t, 5*time.Second, func() error {
				if kept := night.Status().Notices; len(kept) != 0 {
					return fmt.Errorf("what is no longer true is still told: %+v", kept)
				}
				return nil
			})
			alarmNote(notes, hand.title)
			desk.Screenshot(shot + "c-undone")
			if said := night.MustDo("ack", p.ID); !strings.Contains(said.Out, "confirmed by the service") {
				t.Errorf("the second answer: %s", said.Words())
			}
		}
		server.Resolve(alert.Labels)
		night.UntilGone(10 * time.Second)
		night.MustDo("dismiss", "--all")
		Eventually(t, 10*time.Second, func() error {
			for _, n := range notes.All() {
				if n.Open() {
					return fmt.Errorf("there still stands %q %q", n.Summary, n.Body)
				}
			}
			if left := OurSilences(server); len(left) > 0 {
				return fmt.Errorf("the silence of a resolved alert still holds: %+v", left)
			}
			return nil
		})
		untilTooltip("Not armed: sound not proved")
		if tray.IconHash() != calm {
			t.Error("the icon does not go back")
		}
	}
}

func TestFiringAgainRingsAgain(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := desk.Listen()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	alert := Page("Disk is full")

	posted := time.Now()
	server.Post(alert)
	mustHear(t, ear, posted, looked, "the first firing")
	first := night.UntilRinging(5*time.Second, "Disk is full")
	resolved := time.Now()
	server.Resolve(alert.Labels)
	night.UntilGone(10 * time.Second)
	if kept := night.Status().Notices; len(kept) != 1 || kept[0].Reason != "resolved" || !strings.Contains(kept[0].Text, "is resolved") {
		t.Errorf("the siren ended with the sentences %+v", kept)
	}
	quiet, _ := ear.QuietAfter(time.Now(), 3*time.Second, 5*time.Second)
	t.Logf("resolved, told and quiet after %v", quiet.Sub(resolved).Round(time.Millisecond))

	mustBeStill(t, ear)
	again := time.Now()
	server.Post(Again(alert))
	mustHear(t, ear, again, looked, "the second firing")
	second := night.UntilRinging(5*time.Second, "Disk is full")
	if second.UpstreamID == first.UpstreamID {
		t.Errorf("both firings are %s", first.UpstreamID)
	}

	// A server that was killed and comes back empty has resolved nothing.
	server.Kill()
	server.RestartEmpty()
	back := time.Now()
	night.Until(15*time.Second, func(s Status) error {
		if len(s.Accounts) != 1 || s.Accounts[0].LastGoodPoll == nil || !s.Accounts[0].LastGoodPoll.After(back.Add(2*time.Second)) {
			return fmt.Errorf("the new server has not been looked at for long enough: %+v", s.Accounts)
		}
		return nil
	})
	if p := night.UntilRinging(time.Second, "Disk is full"); p.UpstreamID != second.UpstreamID || p.Ending != "" {
		t.Errorf("after the restart the page is %+v", p)
	}
	mustHear(t, ear, time.Now(), 5*time.Second, "the page, although the new server does not list it,")
	if night.Told(second.ID, "paged") != 1 {
		t.Errorf("the page was paged more than once: %+v", night.Timeline(second.ID))
	}
}

// A hundred looks at the same alert, sent again and again, are one page.
func TestTheSameAlertLookedAtAHundredTimesRingsOnce(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	upstream, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var looks atomic.Int64
	forward := httputil.NewSingleHostReverseProxy(upstream)
	counter := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/api/v2/alerts") {
			looks.Add(1)
		}
		forward.ServeHTTP(w, r)
	})}
	address := serve(t, &counter)

	night := Install(t, desk, "[poll]\non_shift = \"1s\"\nunanswered = \"1s\"\n")
	night.Start()
	night.MustDo("account", "add", "--name", "prod", "--provider", "alertmanager", "--url", "http://"+address, "--user", me)
	alert := Page("Queue is stuck")
	server.Post(alert)
	p := night.UntilPage(10*time.Second, "Queue is stuck", func(p OpenPage) bool { return p.Ringing })
	began, first := time.Now(), looks.Load()
	for looks.Load() < first+100 {
		if time.Since(began) > 3*time.Minute {
			t.Fatalf("only %d looks in %v", looks.Load()-first, time.Since(began))
		}
		time.Sleep(time.Second)
		server.Post(alert) // as Prometheus does
	}
	t.Logf("%d looks in %v", looks.Load()-first, time.Since(began).Round(time.Second))
	if pages := night.Pages("--all"); len(pages) != 1 || pages[0].ID != p.ID || pages[0].Epoch != 1 || !pages[0].Ringing {
		t.Errorf("it became %+v", pages)
	}
	if paged := night.Told(p.ID, "paged"); paged != 1 {
		t.Errorf("it was paged %d times: %+v", paged, night.Timeline(p.ID))
	}
}

// The paging service is away for a minute: said, shown and rung, and said
// again when it is back.
func TestAServiceThatIsAwayIsRung(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{})
	ear, notes := desk.Listen(), desk.Notifications()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	tray := desk.Tray(20 * time.Second)
	calm := tray.IconHash()

	killed := time.Now()
	server.Kill()
	blind := night.Until(60*time.Second, func(s Status) error {
		if s.Armed.State != "blind" || s.Alarm.Pattern != "blind" || !s.Accounts[0].Blind || s.Accounts[0].Error == "" {
			return fmt.Errorf("not blind: %+v", s)
		}
		return nil
	})
	t.Logf("blind %v after the service was killed: %s", time.Since(killed).Round(time.Millisecond), blind.Armed.Sentence)
	heard := mustHear(t, ear, killed, 60*time.Second, "blindness")
	if since := heard.Sub(killed); since < 40*time.Second {
		t.Errorf("blindness was rung after %v already", since)
	}
	// Two long tones and three seconds of nothing: no other alarm is like that.
	if burst, is := ear.QuietAfter(heard, 2*time.Second, 3*time.Second); !is || burst.Sub(heard) < 1500*time.Millisecond || burst.Sub(heard) > 1900*time.Millisecond {
		t.Errorf("the burst lasted %v\n%s", burst.Sub(heard), ear.Picture(heard, heard.Add(5*time.Second)))
	}
	note := notes.Wait(10*time.Second, func(n Notification) bool { return n.Open() && strings.HasPrefix(n.Summary, "Blind") })
	if note.Urgency != 2 || !strings.Contains(note.Body, "prod was last seen at") {
		t.Errorf("the notification of blindness is %+v", note)
	}
	Eventually(t, 5*time.Second, func() error {
		title, text := tray.Tooltip()
		if !strings.Contains(title+text, "Blind: prod was last seen at") {
			return fmt.Errorf("the tooltip says %q %q", title, text)
		}
		return nil
	})
	crossed := tray.IconHash()
	if crossed == calm {
		t.Error("the icon of blindness is that of a quiet night")
	}
	desk.Screenshot("blind-a")
	tray.KeepIcon("blind-icon")
	if words := night.MustDo("status").Out; !strings.Contains(words, "BLIND") && !strings.Contains(words, "Blind") {
		t.Errorf("status says:\n%s", words)
	}

	// It stays away until the minute is over.
	<-time.After(time.Until(killed.Add(60 * time.Second)))
	back := time.Now()
	server.Restart()
	night.Until(20*time.Second, func(s Status) error {
		if s.Armed.State == "blind" || s.Alarm.Sounding || len(s.Notices) != 1 || s.Notices[0].Reason != "sight_back" {
			return fmt.Errorf("sight is not back: %+v", s)
		}
		return nil
	})
	seen := time.Now()
	t.Logf("sight was back %v after the restart began", seen.Sub(back).Round(time.Millisecond))
	notes.Wait(10*time.Second, func(n Notification) bool {
		return n.Open() && n.Summary == "Sight is back" && strings.Contains(n.Body, "prod could not be seen for 6")
	})
	desk.Screenshot("blind-b-sight")
	mustNotHear(t, ear, seen.Add(time.Second), seen.Add(5*time.Second), "sight is back")
	for _, n := range notes.All() {
		if n.Open() && strings.HasPrefix(n.Summary, "Blind") {
			t.Errorf("the notification of blindness still stands: %+v", n)
		}
	}
}

func TestHushIsQuietWithoutLying(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := desk.Listen()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	const span = 10 * time.Second
	night := Install(t, desk, "[alarm]\nhush = \"10s\"\n")
	night.Start()
	night.AddAccount(server)
	server.Post(Page("Fan is loud"))
	p := night.UntilRinging(looked+5*time.Second, "Fan is loud")

	for _, which := range []string{"first", "second"} {
		burst := nextBurst(t, ear)
		hushed := time.Now()
		said := night.Do("hush")
		if said.Code != 0 || !strings.Contains(said.Out, "Nobody was told") {
			t.Fatalf("the %s hush ended with %d: %s", which, said.Code, said.Words())
		}
		mustBeQuiet(t, ear, burst, hushed, which+" hush")
		mustNotHear(t, ear, hushed.Add(breath), hushed.Add(span-500*time.Millisecond), "it is hushed")
		if again := mustHear(t, ear, hushed.Add(breath), span+looked, "the page after the "+which+" hush"); again.Sub(hushed) < span {
			t.Errorf("it rang %v after the %s hush", again.Sub(hushed), which)
		}
	}
	third := time.Now()
	if said := night.Do("hush"); said.Code != 1 || !strings.Contains(said.Words(), "only twice") {
		t.Errorf("the third hush ended with %d: %s", said.Code, said.Words())
	}
	mustHear(t, ear, third, 5*time.Second, "the page after the third hush")
	if p = night.UntilRinging(time.Second, "Fan is loud"); p.Status != "triggered" || p.Answer != "" {
		t.Errorf("the page is %+v", p)
	}
	if made := server.Silences(); len(made) != 0 {
		t.Errorf("hush told the service: %+v", made)
	}
}

func TestAnAnswerThatCannotArriveIsNoAnswer(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := desk.Listen()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	server.Post(Page("Link is down"))
	p := night.UntilRinging(looked+5*time.Second, "Link is down")

	burst := nextBurst(t, ear)
	server.Pause()
	pressed := time.Now()
	answer := night.Begin("ack", p.ID)
	mustBeQuiet(t, ear, burst, pressed, "offline")
	mustNotHear(t, ear, pressed.Add(breath), pressed.Add(9*time.Second), "the answer is under way")
	said := <-answer
	if said.Code != 1 || !strings.Contains(said.Words(), "Not acknowledged") {
		t.Errorf("ack ended with %d: %s", said.Code, said.Words())
	}
	if said.Took > 12*time.Second {
		t.Errorf("ack took %v", said.Took)
	}
	t.Logf("ack said after %v: %s", said.Took.Round(time.Millisecond), strings.TrimSpace(said.Words()))
	returned := mustHear(t, ear, pressed.Add(breath), 14*time.Second, "the siren, back because nothing was confirmed,")
	if since := returned.Sub(pressed); since < 9*time.Second || since > 13*time.Second {
		t.Errorf("the siren came back after %v", since)
	}
	if p = night.UntilRinging(time.Second, "Link is down"); p.Answer != "not_confirmed" || p.AnswerReason == "" {
		t.Errorf("the page is %+v", p)
	}
	if words := night.MustDo("status").Out; !strings.Contains(words, "not acknowledged") {
		t.Errorf("status does not say that the answer did not arrive:\n%s", words)
	}

	back := time.Now()
	server.Resume()
	night.UntilConfirmed(20*time.Second, "Link is down")
	confirmed := time.Now()
	t.Logf("confirmed by itself %v after the service was back", confirmed.Sub(back).Round(time.Millisecond))
	mustNotHear(t, ear, confirmed.Add(breath), confirmed.Add(breath+4*time.Second), "it is confirmed")
	if ours := OurSilences(server); len(ours) != 1 || !strings.Contains(ours[0].Comment, p.UpstreamID) {
		t.Errorf("the service holds %+v", ours)
	}
}

func TestSomebodyElsesHandIsSeen(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutKeyring: true})
	ear, notes := desk.Listen(), desk.Notifications()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)

	alert := Page("Cache is cold")
	server.Post(alert)
	p := night.UntilRinging(looked+5*time.Second, "Cache is cold")
	nextBurst(t, ear)
	taken := time.Now()
	server.Silence(alertmanagertest.Silence{
		Matchers: alertmanagertest.Equal(alert.Labels), CreatedBy: "ben",
		Comment: "Acknowledged by ben in Nightstand [nightstand:" + p.UpstreamID + "]",
	})
	night.UntilPage(10*time.Second, "Cache is cold", func(p OpenPage) bool {
		return p.Status == "acknowledged" && p.AcknowledgedBy == "ben" && !p.AcknowledgedByMe && !p.Ringing
	})
	quiet, is := ear.QuietAfter(time.Now().Add(500*time.Millisecond), 4*time.Second, 2*time.Second)
	if !is {
		t.Errorf("it rings on\n%s", ear.Picture(taken, time.Now()))
	}
	if seen := quiet.Sub(taken); seen > looked+time.Second {
		t.Errorf("quiet only %v after ben took it", seen)
	}
	t.Logf("quiet at the latest %v after ben took it", quiet.Sub(taken).Round(time.Millisecond))
	notes.Wait(10*time.Second, func(n Notification) bool {
		return n.Open() && n.Summary == "Somebody else has it" && strings.Contains(n.Body, "ben has “Cache is cold” now.")
	})
	desk.Screenshot("taken")

	// Kept quiet by the team: shown, not rung.
	muted := Page("Backup is late", "instance", "db2")
	server.Silence(alertmanagertest.Silence{
		Matchers: alertmanagertest.Equal(muted.Labels), CreatedBy: "ben", Comment: "moving the tapes",
	})
	began := time.Now()
	server.Post(muted)
	shown := night.UntilPage(10*time.Second, "Backup is late", func(p OpenPage) bool { return p.MutedBy != "" })
	if shown.Ringing || shown.Status != "triggered" || !strings.Contains(shown.MutedBy, "ben") || !strings.Contains(shown.MutedBy, "moving the tapes") {
		t.Errorf("the muted page is %+v", shown)
	}
	mustNotHear(t, ear, began, began.Add(onePoll+2*time.Second), "the page is muted")
}

// serve runs an HTTP server on loopback until the test ends and returns its address.
func serve(t *testing.T, server *http.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with the test
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return listener.Addr().String()
}
