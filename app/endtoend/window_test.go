//go:build linux

package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/drill"
)

// withWindow starts an agent as a person has it, with the alarm's window, and
// lets it watch an Alertmanager of its own.
func withWindow(t *testing.T, desk *Desktop) (*Nightstand, *alertmanagertest.Server) {
	t.Helper()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start("agent")
	night.AddAccount(server)
	return night, server
}

// windowComes is how long the alarm's window may take here, on a machine that
// draws without a graphics card and runs other tests; promised are 700 ms.
const windowComes = 10 * time.Second

// The scripted night of "make run", as a newcomer with a screen has it: each
// page is heard and shown, Space answers, and the service's own log says so.
func TestTheScriptedNightIsAnsweredBySpace(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true})
	ear, screen := desk.Listen(), desk.Screen()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	demo := desk.Run(nil, binary, "demo")
	night := demoHome(t, desk, binary)

	mustHear(t, ear, began, readyWithin, "the first page of the night")
	screen.UntilReady(windowComes)
	desk.Screenshot("window-1-alarm")
	screen.Press(keySpace)
	log := serviceLog(t, night)
	log.until(10*time.Second, "acknowledge", "Orders database is losing writes", "Ana Lima")
	screen.UntilNoKey(windowComes)
	time.Sleep(500 * time.Millisecond) // the picture is for somebody to look at
	desk.Screenshot("window-2-working")

	// A page that resolves itself: heard, shown, and then quiet with its reason.
	night.UntilRinging(60*time.Second, "Checkout answers slowly")
	screen.UntilReady(windowComes)
	desk.Screenshot("window-3-another")
	log.until(30*time.Second, "resolve", "Checkout answers slowly", "")
	screen.UntilNoKey(windowComes)
	time.Sleep(500 * time.Millisecond)
	desk.Screenshot("window-4-resolved")

	// A storm is one alarm, and one press.
	night.Until(60*time.Second, func(s Status) error {
		if s.Alarm.Calling < 12 {
			return fmt.Errorf("%d pages call", s.Alarm.Calling)
		}
		return nil
	})
	time.Sleep(1200 * time.Millisecond) // each has to have been on the screen for a second
	screen.UntilReady(windowComes)
	desk.Screenshot("window-5-storm")
	screen.Press(keySpace)
	for number := range 12 {
		log.until(20*time.Second, "acknowledge", fmt.Sprintf("Web server web-%02d does not answer", number+1), "Ana Lima")
	}
	screen.UntilNoKey(windowComes)

	// Nobody answers this one, and it says whom it goes to.
	night.UntilRinging(60*time.Second, "The shop's certificate expires in one hour")
	screen.UntilReady(windowComes)
	desk.Screenshot("window-6-goes-on")
	log.until(40*time.Second, "escalate", "The shop's certificate expires in one hour", "")
	night.Until(20*time.Second, func(s Status) error {
		for _, n := range s.Notices {
			if strings.Contains(n.Text, "Béla Kovács") {
				return nil
			}
		}
		return fmt.Errorf("nobody says whom it went to: %+v", s.Notices)
	})
	screen.UntilNoKey(windowComes)
	time.Sleep(500 * time.Millisecond)
	desk.Screenshot("window-7-gone-on")

	// What else can be done to a page, from the command line, up to the service.
	id := ""
	for _, p := range night.Pages() {
		if p.Title == "Orders database is losing writes" {
			id = p.ID
		}
	}
	night.MustDo("note", "add", "--page", id, "--send", "failover", "started")
	log.until(10*time.Second, "annotate", "Orders database is losing writes", "Ana Lima")
	night.MustDo("snooze", id, "--for", "1h")
	log.until(10*time.Second, "snooze", "Orders database is losing writes", "Ana Lima")
	if told := night.MustDo("show", id, "--service").Words(); !strings.Contains(told, "failover started") || !strings.Contains(strings.Join(strings.Fields(told), " "), "snoozed until") {
		t.Errorf("the page is told as\n%s", told)
	}
	pages := desk.Run([]string{"NIGHTSTAND_HOME=" + night.Home}, binary, "window", "pages")
	Eventually(t, windowComes, func() error { return screen.Worded(mainTitle) })
	time.Sleep(time.Second) // the picture is for somebody to look at
	desk.Screenshot("window-8-pages")
	pages.Stop()
	night.MustDo("resolve", id, "--text", "failed over")
	log.until(10*time.Second, "resolve", "Orders database is losing writes", "Ana Lima")

	if err := demo.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := demo.ExitCode(); code != 0 {
		t.Errorf("Ctrl-C ends it with %d:\n%s", code, demo.tail())
	}
	told := strings.Join(strings.Fields(demo.tail()), " ")
	for _, words := range []string{"Paged: Orders database is losing writes", "confirmed by the service", "more pages, all one alarm", "it went to Béla Kovács"} {
		if !strings.Contains(told, words) {
			t.Errorf("the terminal does not tell %q:\n%s", words, told)
		}
	}
	Eventually(t, 5*time.Second, func() error {
		if left, err := filepath.Glob(filepath.Join(desk.Directory, "tmp", "nightstand-demo-*")); err != nil || len(left) > 0 {
			return fmt.Errorf("%v is left behind (%v)", left, err)
		}
		if left := screen.Stack(); len(left) > 0 {
			return fmt.Errorf("the windows %+v are left behind", left)
		}
		return nil
	})
}

// demoHome waits for the throw-away home of a demonstration and lets the
// command line speak to it.
func demoHome(t *testing.T, desk *Desktop, binary string) *Nightstand {
	t.Helper()
	night := &Nightstand{tb: t, desktop: desk, binary: binary}
	Eventually(t, readyWithin, func() error {
		homes, err := filepath.Glob(filepath.Join(desk.Directory, "tmp", "nightstand-demo-*", "home"))
		if err != nil || len(homes) != 1 {
			return fmt.Errorf("there are the homes %v (%v)", homes, err)
		}
		night.Home = homes[0]
		return nil
	})
	night.Until(readyWithin, func(s Status) error {
		if len(s.Accounts) != 1 || s.Accounts[0].LastGoodPoll == nil {
			return fmt.Errorf("the demonstration has the accounts %+v", s.Accounts)
		}
		return nil
	})
	return night
}

// drillLog is the log of the bundled paging service, read as any other
// program would: over its API.
type drillLog struct {
	t   *testing.T
	url string
}

func serviceLog(t *testing.T, night *Nightstand) drillLog {
	t.Helper()
	var status struct{ Accounts []struct{ URL string } }
	if err := night.readJSON(&status, "status"); err != nil {
		t.Fatal(err)
	}
	return drillLog{t, status.Accounts[0].URL}
}

// until waits for an entry of this kind about the page, by that person where
// one is named.
func (l drillLog) until(within time.Duration, kind, title, by string) {
	l.t.Helper()
	Eventually(l.t, within, func() error {
		request, err := http.NewRequest(http.MethodGet, l.url+"/log_entries?limit=100&is_overview=false", nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Token token="+drill.DefaultKey)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var said struct {
			Entries []struct {
				Type     string
				Agent    struct{ Summary string }
				Incident struct{ Summary string }
			} `json:"log_entries"`
		}
		if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
			return err
		}
		for _, e := range said.Entries {
			if e.Type == kind+"_log_entry" && strings.Contains(e.Incident.Summary, title) && (by == "" || e.Agent.Summary == by) {
				return nil
			}
		}
		return fmt.Errorf("the service's log has no %s of %q by %q: %+v", kind, title, by, said.Entries)
	})
}

// Fingers that type on while the window comes up under them answer nothing.
func TestTypingFingersAnswerNothing(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true})
	ear, screen := desk.Listen(), desk.Screen()
	night, server := withWindow(t, desk)

	var stop atomic.Bool
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		for number := 0; !stop.Load(); number++ {
			screen.Press([]uint32{'a', 'b', 'c', keyReturn}[number%4])
			time.Sleep(90 * time.Millisecond)
		}
	}()
	server.Post(Page("Fingers are typing"))
	night.UntilRinging(looked+5*time.Second, "Fingers are typing")
	Eventually(t, windowComes, screen.Drawn)
	time.Sleep(3 * time.Second)
	desk.Screenshot("window-typing")
	if screen.Ready() == nil {
		t.Error("the key says that a press counts although somebody types")
	}
	if silences := OurSilences(server); len(silences) != 0 {
		t.Errorf("typing has answered: %+v", silences)
	}
	if p := night.UntilRinging(time.Second, "Fingers are typing"); night.Told(p.ID, "answer_pressed") != 0 {
		t.Error("typing was taken for an answer")
	}
	mustHear(t, ear, time.Now(), 5*time.Second, "the page that nobody has answered")
	stop.Store(true)
	<-typed

	time.Sleep(time.Second)
	screen.Press(keySpace)
	p := night.UntilConfirmed(10*time.Second, "Fingers are typing")
	if pressed := night.Told(p.ID, "answer_pressed"); pressed != 1 {
		t.Errorf("one press is told %d times", pressed)
	}
	if silences := OurSilences(server); len(silences) != 1 {
		t.Errorf("one press made %d silences", len(silences))
	}
}

// An answer that cannot arrive is not called one: the window says why it rings
// again, a second press is quiet, and what was pressed is sent when it can be.
func TestTheWindowSaysWhyAnAnswerDoesNotCount(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true})
	ear, screen := desk.Listen(), desk.Screen()
	night, server := withWindow(t, desk)
	server.Post(Page("The line is dead"))
	night.UntilRinging(looked+5*time.Second, "The line is dead")
	screen.UntilReady(windowComes)
	server.Pause()
	pressed := screen.Press(keySpace)
	screen.UntilNoKey(windowComes)
	desk.Screenshot("window-sending")
	p := night.UntilPage(20*time.Second, "The line is dead", func(p OpenPage) bool { return p.Answer == "not_confirmed" && p.Ringing })
	mustHear(t, ear, pressed.Add(9*time.Second), 10*time.Second, "the page whose answer was not confirmed")
	screen.UntilReady(windowComes)
	desk.Screenshot("window-not-confirmed")
	screen.Press(keySpace)
	night.UntilPage(5*time.Second, "The line is dead", func(p OpenPage) bool { return !p.Ringing })
	time.Sleep(500 * time.Millisecond)
	desk.Screenshot("window-queued")
	server.Resume()
	night.UntilConfirmed(20*time.Second, "The line is dead")
	if silences := OurSilences(server); len(silences) != 1 {
		t.Errorf("two presses on page %s made the silences %+v", p.ID, silences)
	}
}

// A window that is killed changes nothing about the siren, and another comes.
func TestAWindowThatDiesComesAgain(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true})
	ear, screen := desk.Listen(), desk.Screen()
	night, server := withWindow(t, desk)
	server.Post(Page("The window will die"))
	night.UntilRinging(looked+5*time.Second, "The window will die")
	Eventually(t, windowComes, screen.Drawn)
	first := night.windows()
	for _, id := range first {
		end(t, id)
	}
	killed := time.Now()
	mustHear(t, ear, killed, 5*time.Second, "the siren after its window died")
	Eventually(t, windowComes, func() error {
		if again := night.windows(); len(again) != 1 || slices.Contains(first, again[0]) {
			return fmt.Errorf("after the windows %v there are %v", first, again)
		}
		return screen.Drawn()
	})
	t.Logf("another window was there %v after the first was killed", time.Since(killed).Round(time.Millisecond))
	screen.UntilReady(windowComes)

	// The agent dies too: the window stays, says so, and finds the next one.
	night.Agent.Kill()
	screen.UntilNoKey(windowComes)
	desk.Screenshot("window-agent-gone")
	night.Start("agent")
	screen.UntilReady(windowComes)
	screen.Press(keySpace)
	night.UntilConfirmed(10*time.Second, "The window will die")
	if n := len(night.windows()); n != 1 {
		t.Errorf("there are %d windows for one alarm", n)
	}
}

// windows are the process ids of the windows of this profile.
func (n *Nightstand) windows() []int {
	var found []int
	for _, id := range n.desktop.processes() {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id))
		if err == nil && strings.Contains(string(line), "\x00window\x00") {
			found = append(found, id)
		}
	}
	return found
}

// end ends one process as a crash would.
func end(tb testing.TB, id int) {
	tb.Helper()
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
}

// Without a graphics driver there is no window, and everything else goes on.
func TestAGraphicsDriverCannotSilenceTheAgent(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{})
	ear, notes := desk.Listen(), desk.Notifications()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	began := time.Now()
	night.Agent = desk.Run([]string{"NIGHTSTAND_HOME=" + night.Home, "LIBGL_DRIVERS_PATH=/nonexistent"}, night.binary, "agent")
	night.Until(readyWithin, func(Status) error { return nil })
	night.AddAccount(server)
	tray := desk.Tray(20 * time.Second)
	server.Post(Page("No graphics tonight"))
	mustHear(t, ear, began, readyWithin, "the siren without a graphics driver")
	note := alarmNote(notes, "No graphics tonight")
	Eventually(t, 10*time.Second, func() error {
		if title, text := tray.Tooltip(); !strings.Contains(title+text, "No graphics tonight") {
			return fmt.Errorf("the tooltip says %q %q", title, text)
		}
		return nil
	})
	night.Until(20*time.Second, func(s Status) error {
		if one := s.Signal("windows"); one.State != "warning" || !strings.Contains(one.Detail, "OpenGL") {
			return fmt.Errorf("the windows are told as %+v", one)
		}
		return nil
	})
	if said := night.MustDo("status").Out; !strings.Contains(strings.Join(strings.Fields(said), " "), "No window can be shown here") {
		t.Errorf("status does not say why there is no window:\n%s", said)
	}
	// A button counts once it could have been read.
	<-time.After(time.Until(note.At.Add(1500 * time.Millisecond)))
	notes.Invoke(note, "Acknowledge")
	night.UntilConfirmed(10*time.Second, "No graphics tonight")

	asked := desk.Run([]string{"NIGHTSTAND_HOME=" + night.Home, "LIBGL_DRIVERS_PATH=/nonexistent"}, night.binary, "window", "now")
	select {
	case <-asked.Ended():
	case <-time.After(20 * time.Second):
		t.Fatal("a window that cannot be drawn does not end")
	}
	if said := asked.tail(); asked.ExitCode() != 1 || !strings.Contains(strings.Join(strings.Fields(said), " "), "No window can be shown here") {
		t.Errorf("a window that cannot be drawn ends with %d: %s", asked.ExitCode(), said)
	}
}

// The normal state at 03:12 is a dark, locked screen.
func TestALockedScreenTellsNothingAndWakes(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true})
	logind, saver := desk.Logind(), desk.ScreenSaver()
	ear, screen, notes := desk.Listen(), desk.Screen(), desk.Notifications()
	night, server := withWindow(t, desk)
	logind.Lock()
	time.Sleep(time.Second)

	posted := time.Now()
	server.Post(Page("The secret project is down"))
	mustHear(t, ear, posted, looked, "a page on a locked screen")
	note := notes.Wait(10*time.Second, func(n Notification) bool { return n.Open() && n.Urgency == 2 })
	if !strings.Contains(note.Summary, "Critical") || strings.Contains(note.Summary+note.Body, "secret project") {
		t.Errorf("on a locked screen the notification says %q %q", note.Summary, note.Body)
	}
	Eventually(t, 5*time.Second, func() error {
		if len(saver.Woken()) == 0 {
			return fmt.Errorf("the screen was not lit up")
		}
		return nil
	})
	Eventually(t, windowComes, screen.Drawn)

	logind.Unlock()
	unlocked := time.Now()
	Eventually(t, windowComes, func() error {
		stack := screen.Stack()
		if len(stack) == 0 || stack[len(stack)-1].title != alarmTitle || screen.Active() != stack[len(stack)-1].id {
			return fmt.Errorf("in front is %+v", stack)
		}
		return screen.Drawn()
	})
	if took := time.Since(unlocked); took > 700*time.Millisecond {
		t.Errorf("the alarm was in front %v after the unlock, not within 700 ms", took)
	}
	alarmNote(notes, "The secret project is down")
	screen.UntilReady(windowComes)
	screen.Press(keySpace)
	night.UntilConfirmed(10*time.Second, "The secret project is down")
}

// A display that goes away takes the window along and nothing else.
func TestADisplayThatGoesAwayTakesNothingAlong(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true})
	ear, screen := desk.Listen(), desk.Screen()
	night, server := withWindow(t, desk)
	server.Post(Page("The screen goes dark"))
	night.UntilRinging(looked+5*time.Second, "The screen goes dark")
	Eventually(t, windowComes, screen.Drawn)
	desk.StopScreen()
	gone := time.Now()
	night.Until(20*time.Second, func(s Status) error {
		if one := s.Signal("windows"); one.State != "warning" || one.Detail == "" {
			return fmt.Errorf("the windows are told as %+v", one)
		}
		return nil
	})
	mustHear(t, ear, gone, 6*time.Second, "the siren without a display")
	night.MustDo("ack", "--all")
	night.UntilConfirmed(10*time.Second, "The screen goes dark")
}

// The main window comes up when Nightstand is started a second time.
func TestASecondStartBringsTheWindowUp(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true, WithoutSound: true})
	screen := desk.Screen()
	night, server := withWindow(t, desk)
	// Both windows let the toolkit say whether they draw from the right goroutine.
	checked := []string{"NIGHTSTAND_HOME=" + night.Home, "NIGHTSTAND_CHECK_THREADS=1"}
	for _, process := range []*Process{desk.Run(checked, night.binary, "window", "now"), desk.Run(checked, night.binary, "window", "alarm")} {
		t.Cleanup(func() {
			if strings.Contains(process.tail(), "Error in Fyne call thread") {
				t.Errorf("a view is drawn from the wrong goroutine:\n%s", process.tail())
			}
		})
	}
	Eventually(t, windowComes, func() error { _, err := screen.Find(mainTitle); return err })
	Eventually(t, windowComes, screen.Drawn)
	if said := night.MustDo(); !strings.Contains(said.Out, "its window comes up") {
		t.Errorf("a second start says %q", said.Words())
	}
	Eventually(t, windowComes, func() error { _, err := screen.Find(mainTitle); return err })
	time.Sleep(2 * time.Second)
	desk.Screenshot("window-now")
	for number := range 3 {
		server.Post(Page(fmt.Sprintf("Page %d is open", number+1), "number", fmt.Sprint(number)))
	}
	night.UntilPage(looked+5*time.Second, "Page 1 is open", func(p OpenPage) bool { return p.Ringing })
	Eventually(t, windowComes, screen.Drawn)
	time.Sleep(1200 * time.Millisecond) // what has not been seen for a second is not answered
	night.MustDo("ack", "--all")
	night.UntilConfirmed(10*time.Second, "Page 3 is open")
	night.MustDo("window", "pages")
	Eventually(t, windowComes, func() error {
		front, err := screen.Find(mainTitle)
		if err == nil && screen.Active() != front.id {
			err = fmt.Errorf("the keyboard is elsewhere")
		}
		return err
	})
	time.Sleep(1500 * time.Millisecond)
	desk.Screenshot("window-pages")
	server.Kill()
	night.Until(70*time.Second, func(s Status) error {
		if s.Armed.State != "blind" {
			return fmt.Errorf("it is %s", s.Armed.State)
		}
		return nil
	})
	night.MustDo("window", "now")
	time.Sleep(2 * time.Second)
	desk.Screenshot("window-blind")
	if n := len(night.windows()); n > 2 {
		t.Errorf("there are %d windows", n)
	}
}

// The toolkit of the windows complains about a session without a language, and
// would do so in every command, before the first line of ours is run.
func TestASessionWithoutALanguageIsNoTrouble(t *testing.T) {
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LANG=C", "LANG=POSIX.UTF-8", "LANG="} {
		command := exec.Command(binary, "version")
		command.Env = []string{language, "HOME=" + t.TempDir()}
		if output, err := command.CombinedOutput(); err != nil || strings.Count(string(output), "\n") != 1 {
			t.Errorf("with %s it prints %q (%v)", language, output, err)
		}
	}
}

// A fire drill goes through the whole chain and tells what it measured; where
// nothing was played it tells no time.
func TestAFireDrillTellsWhatWasPlayed(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true})
	ear := desk.Listen()
	night := Install(t, desk, "")
	night.Start()

	began := time.Now()
	told := night.Begin("drill", "--json")
	night.UntilRinging(20*time.Second, "Fire drill: answer this page")
	heard := mustHear(t, ear, began, looked, "the page of the drill")
	time.Sleep(3 * time.Second)
	answered := time.Now()
	night.MustDo("ack", "--all")
	said := <-told
	var report struct {
		Played, Acknowledged bool
		PlayedMS             *int64 `json:"played_ms"`
		AcknowledgedMS       *int64 `json:"acknowledged_ms"`
		Device, Sentence     string
	}
	if err := json.Unmarshal([]byte(said.Out), &report); err != nil || said.Code != 0 {
		t.Fatalf("the drill ended with %d: %s", said.Code, said.Words())
	}
	if !report.Played || report.PlayedMS == nil || !report.Acknowledged || report.AcknowledgedMS == nil {
		t.Fatalf("the drill says %s", said.Out)
	}
	played, acknowledged := time.Duration(*report.PlayedMS)*time.Millisecond, time.Duration(*report.AcknowledgedMS)*time.Millisecond
	if most := heard.Sub(began); played > most+100*time.Millisecond || played <= 0 {
		t.Errorf("it was heard %v after the command and is told as played after %v", most, played)
	}
	if most := answered.Sub(began) + 2*time.Second; acknowledged > most || acknowledged < 3*time.Second {
		t.Errorf("it is told as acknowledged after %v", acknowledged)
	}
	night.Until(20*time.Second, func(s Status) error {
		if s.Open != 0 || len(s.Accounts) != 0 {
			return fmt.Errorf("of the drill there is left %+v %+v", night.Pages(), s.Accounts)
		}
		return nil
	})

	desk.Output("pactl", "set-sink-mute", "speaker", "1")
	muted := night.Do("drill")
	if muted.Code != 1 || strings.Contains(muted.Out, "Played after") || !strings.Contains(muted.Words(), "muted") {
		t.Errorf("on a muted output the drill ends with %d: %s", muted.Code, muted.Words())
	}
	desk.StopSound()
	silent := night.Do("drill", "--json")
	if silent.Code != 1 || !strings.Contains(silent.Out, `"played_ms": null`) {
		t.Errorf("without sound the drill ends with %d: %s", silent.Code, silent.Words())
	}
}
