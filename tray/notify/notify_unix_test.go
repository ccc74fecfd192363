//go:build unix && !darwin

package notify

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"nightstand/app/session"
	"nightstand/tray/desktoptest"
)

// ears collect what the notifier says.
type ears struct {
	*testing.T
	health    chan Health
	actions   chan string
	dismissed chan string
}

func listen(t *testing.T) (*ears, Options) {
	e := &ears{t, make(chan Health, 50), make(chan string, 50), make(chan string, 50)}
	return e, Options{
		Health:    func(h Health) { e.health <- h },
		OnAction:  func(note, action string) { e.actions <- note + " " + action },
		OnDismiss: func(note string) { e.dismissed <- note },
	}
}

func (e *ears) expect(reason Reason) {
	e.Helper()
	select {
	case health := <-e.health:
		if health.Reason != reason || health.Sentence == "" || health.Shown != (reason == Working || reason == NoButtons) {
			e.Fatalf("it said %+v, want %q", health, reason)
		}
	case <-time.After(15 * time.Second):
		e.Fatalf("it never said %q", reason)
	}
}

func (e *ears) hear(from chan string, want string) {
	e.Helper()
	select {
	case got := <-from:
		if got != want {
			e.Fatalf("heard %q, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		e.Fatalf("never heard %q", want)
	}
}

func (e *ears) silence() {
	e.Helper()
	select {
	case got := <-e.actions:
		e.Errorf("heard the action %q", got)
	case got := <-e.dismissed:
		e.Errorf("heard the dismissal of %q", got)
	default:
	}
}

func hurry(t *testing.T) {
	before := retry
	retry = 300 * time.Millisecond
	t.Cleanup(func() { retry = before })
}

func alarm(title string) Note {
	return Note{
		Key: "alarm", Title: title, Body: "orders <db_1> & more: customer data is being lost.\nIt goes to Chloé in 5 min.",
		Urgent: true, Resident: true, Count: 2,
		Actions: []Action{{"acknowledge a b", "Acknowledge all (2)"}, {"hush", "Hush"}},
	}
}

func TestWithoutABusItSaysSoAndStartsNone(t *testing.T) {
	directory := t.TempDir()
	mark := filepath.Join(directory, "launched")
	if err := os.WriteFile(filepath.Join(directory, "dbus-launch"), []byte("#!/bin/sh\ntouch "+mark+"\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory+":"+os.Getenv("PATH"))
	t.Setenv("XDG_RUNTIME_DIR", directory)
	for _, address := range []string{"", "autolaunch:", "unix:path=" + filepath.Join(directory, "nobody")} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		e, options := listen(t)
		n := New(options)
		n.Show(alarm("A page"))
		e.expect(NoSessionBus)
		n.Close()
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("dbus-launch was called")
	}
}

// daemon is a notification daemon that does as the test says.
type daemon struct {
	bus  *dbus.Conn
	can  []string
	held sync.Mutex // locked: it does not answer
	mu   sync.Mutex
	next uint32
	sent []sent
	gone []uint32
}

type sent struct {
	replaces    uint32
	title, body string
	actions     []string
	hints       map[string]dbus.Variant
	lasts       int32
}

func startDaemon(t *testing.T, can ...string) *daemon {
	t.Helper()
	bus, err := session.Dial()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{bus: bus, can: can}
	if err := bus.Export(d, daemonPath, daemonName); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.RequestName(daemonName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return d
}

func (d *daemon) GetCapabilities() ([]string, *dbus.Error) { return d.can, nil }

func (d *daemon) Notify(_ string, replaces uint32, _, title, body string, actions []string, hints map[string]dbus.Variant, lasts int32) (uint32, *dbus.Error) {
	d.held.Lock()
	defer d.held.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, sent{replaces, title, body, actions, hints, lasts})
	if replaces != 0 {
		return replaces, nil
	}
	d.next++
	return d.next, nil
}

func (d *daemon) CloseNotification(id uint32) *dbus.Error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = append(d.gone, id)
	return nil
}

func (d *daemon) seen() []sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent)
}

func (d *daemon) says(signal string, id uint32, word any) {
	_ = d.bus.Emit(daemonPath, daemonName+"."+signal, id, word)
}

const byTheUser, byTime = uint32(2), uint32(1)

func TestWhatTheDaemonIsTold(t *testing.T) {
	hurry(t)
	desktop := desktoptest.New(t)
	d := startDaemon(t, "actions", "body", "body-markup")
	e, options := listen(t)
	n := New(options)
	defer n.Close()
	e.expect(Working)

	n.Show(alarm("Two pages want you"))
	desktop.Until("the first note", func() bool { return len(d.seen()) == 1 })
	first := d.seen()[0]
	if !strings.HasPrefix(first.body, "orders &lt;db_1&gt; &amp; more") || !strings.Contains(first.body, "\n") {
		t.Errorf("the body is %q", first.body)
	}
	if want := []string{Open, "Open Nightstand", "acknowledge a b", "Acknowledge all (2)", "hush", "Hush"}; !slices.Equal(first.actions, want) {
		t.Errorf("the buttons are %q", first.actions)
	}
	if first.hints["urgency"].Value() != byte(2) || first.hints["suppress-sound"].Value() != true || first.lasts != 0 {
		t.Errorf("urgency %v, for %d ms", first.hints["urgency"], first.lasts)
	}
	var lamp picture
	if err := first.hints["image-data"].Store(&lamp); err != nil || lamp.Width != 96 || len(lamp.Pixels) != 96*96*4 {
		t.Errorf("the picture is %d wide with %d bytes, %v", lamp.Width, len(lamp.Pixels), err)
	}

	// The same again is not sent; other words replace the first.
	n.Show(alarm("Two pages want you"))
	n.Show(alarm("Three pages want you"))
	desktop.Until("the second note", func() bool { return len(d.seen()) == 2 })
	if got := d.seen()[1]; got.replaces != 1 || got.title != "Three pages want you" {
		t.Errorf("the second note replaces %d and says %q", got.replaces, got.title)
	}

	// It is kept when the daemon lets it run out, and stays away when the user
	// closes it, until it has something else to say.
	d.says("NotificationClosed", 1, byTime)
	desktop.Until("the note's return", func() bool { return len(d.seen()) == 3 })
	time.Sleep(settle)
	d.says("NotificationClosed", 2, byTheUser)
	e.hear(e.dismissed, "alarm")
	n.Show(alarm("Three pages want you"))
	time.Sleep(2 * retry)
	if got := len(d.seen()); got != 3 {
		t.Errorf("a note that was put away was sent again: %d", got)
	}
	n.Show(alarm("Four pages want you"))
	desktop.Until("the note with new words", func() bool { return len(d.seen()) == 4 })

	n.Withdraw("alarm")
	desktop.Until("the end of the note", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return slices.Equal(d.gone, []uint32{3}) })
	e.silence()
}

func TestAPressCountsForWhatWasThere(t *testing.T) {
	hurry(t)
	desktop := desktoptest.New(t)
	d := startDaemon(t, "actions")
	e, options := listen(t)
	n := New(options)
	defer n.Close()
	note := func(ids string) Note {
		return Note{Key: "alarm", Title: ids, Urgent: true, Actions: []Action{{"acknowledge " + ids, "Acknowledge"}}}
	}
	n.Show(note("a"))
	desktop.Until("the note", func() bool { return len(d.seen()) == 1 })
	// Within the first second a press answers nothing and the note returns;
	// the press on the note itself only opens the window.
	d.says("ActionInvoked", 1, "acknowledge a")
	d.says("NotificationClosed", 1, byTheUser)
	desktop.Until("the note's return", func() bool { return len(d.seen()) == 2 })
	e.silence()
	d.says("ActionInvoked", 2, Open)
	e.hear(e.actions, "alarm default")

	// b comes under the pointer: the press was for a.
	time.Sleep(settle)
	n.Show(note("a b"))
	desktop.Until("the longer note", func() bool { return len(d.seen()) == 3 })
	d.says("ActionInvoked", 2, "acknowledge a b")
	e.hear(e.actions, "alarm acknowledge a")
	time.Sleep(settle)
	d.says("ActionInvoked", 2, "acknowledge a b")
	e.hear(e.actions, "alarm acknowledge a b")
	// The close that follows a button is no dismissal.
	d.says("NotificationClosed", 2, byTheUser)
	time.Sleep(100 * time.Millisecond)
	e.silence()
}

func TestADaemonWithoutButtonsOrWithoutAnAnswer(t *testing.T) {
	hurry(t)
	desktop := desktoptest.New(t)
	e, options := listen(t)
	n := New(options)
	defer n.Close()
	e.expect(NoDaemon)
	d := startDaemon(t, "body")
	e.expect(NoButtons)
	n.Show(alarm("Two pages want you"))
	desktop.Until("the note", func() bool { return len(d.seen()) == 1 })
	if got := d.seen()[0]; len(got.actions) != 0 || !strings.Contains(got.body, "‹db_1› &") {
		t.Errorf("it was sent the buttons %q and the body %q", got.actions, got.body)
	}

	d.held.Lock()
	start := time.Now()
	n.Show(alarm("Three pages want you"))
	if took := time.Since(start); took > 50*time.Millisecond {
		t.Errorf("Show took %v", took)
	}
	e.expect(Failing)
	if took := time.Since(start); took > 2*session.Patience {
		t.Errorf("it waited %v for the daemon", took)
	}
	d.held.Unlock()
	e.expect(NoButtons)
	desktop.Until("the note after all", func() bool {
		all := d.seen()
		return all[len(all)-1].title == "Three pages want you" && all[len(all)-1].replaces == 1
	})
}

// dunst is a real daemon, and the one with most traps.
func TestAnEveningWithDunst(t *testing.T) {
	hurry(t)
	desktop := desktoptest.New(t, "dunst", "dunstctl", "xdotool", "openbox")
	// dunst asks a program of ours which button to press; it takes the one
	// whose label the file holds.
	choice := filepath.Join(desktop.Home, "choice")
	menu := filepath.Join(desktop.Home, "menu")
	if err := os.WriteFile(menu, []byte("#!/bin/sh\ngrep -F -m1 \"$(cat "+choice+")\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(desktop.Home, "dunstrc")
	if err := os.WriteFile(settings, []byte("[global]\n dmenu = "+menu+"\n font = Sans 11\n width = 420\n height = 300\n offset = 20x20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dunst := func() func() { return desktop.Start("dunst", "-conf", settings) }
	pressButton := func(label string) {
		if err := os.WriteFile(choice, []byte(label), 0o600); err != nil {
			t.Fatal(err)
		}
		desktop.Output("dunstctl", "context")
	}
	displayed := func(count int) func() bool {
		return func() bool {
			out, _ := exec.Command("dunstctl", "count", "displayed").Output()
			return strings.TrimSpace(string(out)) == fmt.Sprint(count)
		}
	}
	desktop.Start("openbox")

	e, options := listen(t)
	n := New(options)
	defer n.Close()
	e.expect(NoDaemon)
	n.Show(alarm("critical: two pages want you"))
	endDunst := dunst()
	e.expect(Working)
	desktop.Until("one note", displayed(1))
	time.Sleep(settle)
	desktop.Photograph("notify-alarm")

	// dunstctl action is the press on the note itself: it answers nothing.
	desktop.Output("dunstctl", "action")
	e.hear(e.actions, "alarm default")

	n.Show(alarm("critical: three pages want you"))
	desktop.Until("one note again", displayed(1))
	n.Show(alarm("critical: four pages want you"))
	time.Sleep(settle + 100*time.Millisecond)
	if !displayed(1)() {
		t.Error("the note was stacked, not replaced")
	}
	pressedAt := time.Now()
	pressButton("Acknowledge all")
	e.hear(e.actions, "alarm acknowledge a b")
	t.Logf("button to action: %v, through dunst's menu", time.Since(pressedAt))

	// dunst dies and returns: the alarm is on screen again.
	n.Show(alarm("critical: five pages want you"))
	n.Show(Note{Key: "taken", Title: "Dana took “mail queue grows” at 03:05.", Body: "It is no longer yours.", Resident: true})
	desktop.Until("two notes", displayed(2))
	desktop.Photograph("notify-two")
	endDunst()
	e.expect(NoDaemon)
	endDunst = dunst()
	e.expect(Working)
	desktop.Until("both notes again", displayed(2))

	// Do not disturb is said, and so is its end.
	desktop.Output("dunstctl", "set-paused", "true")
	e.expect(Paused)
	desktop.Output("dunstctl", "set-paused", "false")
	e.expect(Working)

	// Closed by hand.
	time.Sleep(settle)
	n.Withdraw("alarm")
	desktop.Until("the other note alone", displayed(1))
	desktop.Output("dunstctl", "close")
	e.hear(e.dismissed, "taken")

	// The note of an agent that was killed, whose buttons are dead, gives way.
	bus, err := session.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	if err := session.Call(bus.Object(daemonName, daemonPath), false, daemonName+".Notify", []any{
		"Nightstand", uint32(0), "", "a former life", "", []string{}, hints(alarm("")), int32(0),
	}, new(uint32)); err != nil {
		t.Fatal(err)
	}
	desktop.Until("the old note", displayed(1))
	n.Show(alarm("critical: six pages want you"))
	time.Sleep(time.Second)
	if !displayed(1)() {
		t.Error("the note of a former life stayed on screen")
	}

	// The bus dies and returns with everything else.
	desktop.EndBus()
	e.expect(NoSessionBus)
	endDunst()
	desktop.Bus()
	dunst()
	for { // NoDaemon is said only if we are back before dunst
		if health := <-e.health; health.Reason == Working {
			break
		}
	}
	desktop.Until("the alarm on the new bus", displayed(1))
	n.Close()
	desktop.Until("a clean screen", displayed(0))
	e.silence()
}
