//go:build linux

package endtoend

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"
)

func init() { roles["tray"] = playTray }

// playTray is a program with a tray item: its icon turns from red to green when
// "Answer" is clicked, and it ends when "Sure" below "Quit" is. It draws itself
// five times a second, because systray 1.12 loses what is set while it is
// just registering.
func playTray() {
	systray.Run(func() {
		answer := systray.AddMenuItem("Answer", "")
		closed := systray.AddMenuItem("Closed", "")
		closed.Disable()
		systray.AddSeparator()
		sure := systray.AddMenuItem("Quit", "").AddSubMenuItem("Sure", "")
		go func() {
			icon, tooltip := square(color.NRGBA{R: 255, A: 255}), "2 pages are open"
			for {
				systray.SetIcon(icon)
				systray.SetTooltip(tooltip)
				select {
				case <-answer.ClickedCh:
					icon, tooltip = square(color.NRGBA{G: 255, A: 255}), "all is quiet"
				case <-sure.ClickedCh:
					systray.Quit()
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		}()
	}, nil)
}

func square(c color.NRGBA) []byte {
	picture := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		picture.SetNRGBA(i%32, i/32, c)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func TestTheEarHearsAToneWhereItIs(t *testing.T) {
	d := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := d.Listen()

	// A player that is awake already, so that what is written is heard soon.
	player := d.Command("pacat", "--playback", "--raw", "--device=speaker", "--latency-msec=20",
		"--rate=48000", "--channels=2", "--format=s16le")
	mouth, err := player.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	startProcess(t, "pacat", d.Directory, player)
	// 1 kHz at half of full scale: -9.03 dBFS effective.
	tone := func(span time.Duration, amplitude float64) []byte {
		var out []byte
		for i := range int(span * sampleRate / time.Second) {
			value := int16(amplitude * 32767 * math.Sin(2*math.Pi*1000*float64(i)/sampleRate))
			out = binary.LittleEndian.AppendUint16(out, uint16(value))
			out = binary.LittleEndian.AppendUint16(out, uint16(value))
		}
		return out
	}
	say := func(samples []byte) {
		t.Helper()
		if _, err := mouth.Write(samples); err != nil {
			t.Fatal(err)
		}
	}
	say(tone(300*time.Millisecond, 0))
	time.Sleep(800 * time.Millisecond)

	before := time.Now()
	if ear.LoudSince(before.Add(-300 * time.Millisecond)) {
		t.Errorf("something was heard before anything was played: %s", ear.Picture(before.Add(-300*time.Millisecond), before))
	}
	if _, heard := ear.FirstLoudAfter(before, 200*time.Millisecond); heard {
		t.Error("something was heard before anything was played")
	}
	for range 3 {
		played := time.Now()
		say(tone(300*time.Millisecond, 0.5))
		began, heard := ear.FirstLoudAfter(played, 3*time.Second)
		if !heard {
			t.Fatal("the tone was not heard")
		}
		quiet, heard := ear.QuietAfter(began, 400*time.Millisecond, 3*time.Second)
		if !heard {
			t.Fatal("the tone never ended")
		}
		picture := ear.Picture(played, quiet.Add(100*time.Millisecond))
		t.Logf("heard %v after it was played, for %v, at %.1f dBFS\n%s", began.Sub(played).Round(time.Millisecond),
			quiet.Sub(began), ear.Loudness(began, quiet), picture)
		if delay := began.Sub(played); delay < -20*time.Millisecond || delay > 250*time.Millisecond {
			t.Errorf("the tone was heard %v after it was played", delay)
		}
		if span := quiet.Sub(began); span < 280*time.Millisecond || span > 400*time.Millisecond {
			t.Errorf("a tone of 300 ms was heard for %v", span)
		}
		if level := ear.Loudness(began, quiet); level < -10 || level > -8 {
			t.Errorf("a tone of -9 dBFS was heard at %.1f", level)
		}
	}

	// The tone that proves a speaker stays below what counts as heard.
	whisper := time.Now()
	say(tone(300*time.Millisecond, 0.002))
	if _, heard := ear.FirstLoudAfter(whisper, 600*time.Millisecond); heard {
		t.Error("a tone of -54 dBFS at its peak counts as heard")
	}
	if level := ear.Loudness(whisper, whisper.Add(600*time.Millisecond)); level < -60 || level > -54 {
		t.Errorf("a tone of -57 dBFS was measured at %.1f", level)
	}
	if silence := loudness(make([]byte, windowBytes)); silence != -120 {
		t.Errorf("silence is measured at %.1f", silence)
	}
}

func TestSinksComeAndGo(t *testing.T) {
	d := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	d.AddSink("headset", "device.form_factor=headset")
	if now := d.Output("pactl", "get-default-sink"); now != "speaker" {
		t.Errorf("the default sink is %q", now)
	}
	here, there := d.Listen(), d.ListenTo("headset")
	before := time.Now()
	d.Run(nil, "pacat", "--playback", "--raw", "--device=headset", "--latency-msec=20", "--format=u8", "/dev/urandom")
	if _, heard := there.FirstLoudAfter(before, 5*time.Second); !heard {
		t.Error("noise on the headset was not heard there")
	}
	if here.LoudSince(before) {
		t.Error("noise on the headset was heard on the speaker")
	}
	d.RemoveSink("headset")
	if sinks := d.Output("pactl", "list", "short", "sinks"); strings.Contains(sinks, "headset") {
		t.Errorf("the headset is still there: %s", sinks)
	}
	if _, heard := here.FirstLoudAfter(before, 5*time.Second); !heard {
		t.Error("the noise did not move to the speaker when its sink went")
	}
}

func notify(t *testing.T, d *Desktop, replaces uint32, summary string, actions ...string) uint32 {
	t.Helper()
	var id uint32
	call := d.Bus().Object(notificationsName, "/org/freedesktop/Notifications").Call(notificationsName+".Notify", 0,
		"Nightstand", replaces, "", summary, "a body", actions,
		map[string]dbus.Variant{"urgency": dbus.MakeVariant(byte(2))}, int32(0))
	if err := call.Store(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNotificationsAreSeenAndAnswered(t *testing.T) {
	d := Start(t, Options{WithoutTrayHost: true, WithoutKeyring: true, WithoutSound: true})
	seen := d.Notifications()
	before := time.Now()
	first := notify(t, d, 0, "A page: database is down", "ack", "Acknowledge", "open", "Open")
	other := notify(t, d, 0, "Another page", "ack", "Acknowledge")

	n := seen.Wait(5*time.Second, func(n Notification) bool { return n.ID == first })
	if n.Summary != "A page: database is down" || n.Body != "a body" || n.Application != "Nightstand" || n.Urgency != 2 ||
		!slices.Equal(n.Actions, []Action{{"ack", "Acknowledge"}, {"open", "Open"}}) || !n.Open() {
		t.Errorf("seen: %+v", n)
	}
	if late := n.At.Sub(before); late < 0 || late > time.Second {
		t.Errorf("seen %v after it was sent", late)
	}
	again := notify(t, d, first, "A page: acknowledged", "ack", "Acknowledge", "open", "Open")
	n = seen.Wait(5*time.Second, func(n Notification) bool { return n.Replaces == first })
	if again != first || n.ID != first {
		t.Errorf("replacing %d gave %d, seen as %d", first, again, n.ID)
	}
	Eventually(t, 5*time.Second, func() error {
		if colours := countColours(t, d.Screenshot("rig-notifications")); colours < 10 {
			return fmt.Errorf("two notifications should stand on the screen, and it has %d colours", colours)
		}
		return nil
	})

	// Each button, of the one notification that is meant.
	pressed := seen.Invoke(n, "Open")
	if pressed.Before(before) {
		t.Errorf("pressed at %v", pressed)
	}
	second := seen.Wait(5*time.Second, func(n Notification) bool { return n.ID == other })
	seen.Invoke(second, "Acknowledge")
	var pairs []string
	for _, p := range seen.Invoked() {
		pairs = append(pairs, fmt.Sprintf("%d %s", p.ID, p.Key))
	}
	if want := []string{fmt.Sprintf("%d open", first), fmt.Sprintf("%d ack", other)}; !slices.Equal(pairs, want) {
		t.Errorf("pressed %q, want %q", pairs, want)
	}
	// The daemon leaves an answered notification standing; its program closes it.
	d.Bus().Object(notificationsName, "/org/freedesktop/Notifications").Call(notificationsName+".CloseNotification", 0, other)
	Eventually(t, 5*time.Second, func() error {
		for _, n := range seen.All() {
			if n.ID == other && n.Open() {
				return fmt.Errorf("the closed notification still stands: %+v", n)
			}
		}
		return nil
	})
	seen.SetPaused(true)
	if !seen.Paused() {
		t.Error("the daemon was paused and says it is not")
	}
	seen.SetPaused(false)

	// A daemon that comes back after a crash is seen as well.
	d.StopNotificationDaemon()
	if d.Owned(notificationsName) {
		t.Error("the daemon was stopped and is there")
	}
	d.StartNotificationDaemon()
	notify(t, d, 0, "A page after the crash")
	seen.Wait(5*time.Second, func(n Notification) bool { return n.Summary == "A page after the crash" })
}

func countColours(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[color.Color]bool{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			colours[picture.At(x, y)] = true
		}
	}
	return len(colours)
}

func TestTheTrayItemIsReadAndClicked(t *testing.T) {
	d := Start(t, Options{WithoutNotifications: true, WithoutKeyring: true, WithoutSound: true})
	if items := d.TrayItems(); len(items) != 0 {
		t.Fatalf("before anything runs the tray has %q", items)
	}
	program := d.Run([]string{roleVariable + "=tray"}, os.Args[0])
	tray := d.Tray(10 * time.Second)
	red := tray.IconHash()
	icon, _, err := tray.Icon()
	if err != nil {
		t.Fatal(err)
	}
	if got := color.NRGBAModel.Convert(icon.At(16, 16)); got != (color.NRGBA{R: 255, A: 255}) {
		t.Errorf("the icon's middle is %v, want red", got)
	}
	Eventually(t, 5*time.Second, func() error {
		if title, text := tray.Tooltip(); title+text != "2 pages are open" {
			return fmt.Errorf("the tooltip is %q, %q", title, text)
		}
		var labels []string
		for _, entry := range tray.Menu() {
			labels = append(labels, fmt.Sprintf("%s %v %v", entry.Label, entry.Enabled, entry.Separator))
		}
		if want := []string{"Answer true false", "Closed false false", " true true", "Quit true false"}; !slices.Equal(labels, want) {
			return fmt.Errorf("the menu is %q, want %q", labels, want)
		}
		return nil
	})
	tray.KeepIcon("rig-icon")
	tray.Click("Answer")
	Eventually(t, 5*time.Second, func() error {
		if tray.IconHash() == red {
			return fmt.Errorf("the icon is still the red one")
		}
		if title, text := tray.Tooltip(); title+text != "all is quiet" {
			return fmt.Errorf("the tooltip is still %q, %q", title, text)
		}
		return nil
	})
	d.Screenshot("rig-tray")

	// A panel that crashes and comes back finds the item again.
	d.StopTrayHost()
	d.StartTrayHost()
	tray = d.Tray(20 * time.Second)
	tray.Click("Quit", "Sure")
	select {
	case <-program.Ended():
	case <-time.After(10 * time.Second):
		t.Error("the program did not end when Quit was clicked")
	}
}

func TestTheKeyringOpensAndLocks(t *testing.T) {
	d := Start(t, Options{WithoutDisplay: true, WithoutSound: true})
	locked, err := d.keyringLocked()
	if err != nil || locked {
		t.Fatalf("at the start: locked %v, %v", locked, err)
	}
	d.LockKeyring()
	if locked, err := d.keyringLocked(); err != nil || !locked {
		t.Errorf("after locking: locked %v, %v", locked, err)
	}
}

func TestWhatIsLeftOutIsNotThere(t *testing.T) {
	bare := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	for _, variable := range bare.Env() {
		for _, name := range []string{"DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=", "WAYLAND_DISPLAY="} {
			if strings.HasPrefix(variable, name) {
				t.Errorf("a bare desktop has %s", variable)
			}
		}
	}
	d := Start(t, Options{WithoutTrayHost: true, WithoutNotifications: true, WithoutKeyring: true, WithoutSound: true})
	for _, name := range []string{watcherName, notificationsName, secretService} {
		// Asking must not bring it to life either, as it would on a real bus.
		call := d.Bus().BusObject().Call("org.freedesktop.DBus.StartServiceByName", 0, name, uint32(0))
		if call.Err == nil || d.Owned(name) {
			t.Errorf("%s was left out and is there", name)
		}
	}
	if err := d.Command("pactl", "info").Run(); err == nil {
		t.Error("there is a sound server on a desktop without sound")
	}
}

func TestProcesses(t *testing.T) {
	d := Start(t, Options{WithoutDisplay: true, WithoutBus: true, WithoutSound: true})
	done := d.Run([]string{"WORD=hello"}, "sh", "-c", "echo $WORD; echo $HOME >&2; exit 3")
	if code := done.ExitCode(); code != 3 || done.Alive() {
		t.Errorf("the exit code is %d", code)
	}
	if text := done.tail(); text != "hello\n"+d.Home+"\n" {
		t.Errorf("the log holds %q", text)
	}
	stubborn := d.Run(nil, "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")
	Eventually(t, 5*time.Second, func() error {
		if text := stubborn.tail(); text != "deaf\n" {
			return fmt.Errorf("the log holds %q", text)
		}
		return nil
	})
	if err := stubborn.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	time.Sleep(200 * time.Millisecond)
	if !stubborn.Alive() {
		t.Error("what ignores a signal has ended by it")
	}
	stubborn.Kill()
	if code := stubborn.ExitCode(); code != -1 {
		t.Errorf("after a kill the exit code is %d", code)
	}
}

// A program that is not installed is a reason to skip, and with
// NIGHTSTAND_RIG=1 to fail; both say what to do.
func TestWhatIsNotInstalledIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for rig, failed := range map[string]bool{"": false, "1": true} {
		t.Setenv("NIGHTSTAND_RIG", rig)
		stage := &stage{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			Start(stage, Options{})
		}()
		<-done
		if stage.failed != failed || !strings.Contains(stage.said, "Xvfb is not installed (Debian package xvfb)") ||
			!strings.Contains(stage.said, "make deps") {
			t.Errorf("with NIGHTSTAND_RIG=%q: failed %v, said %q", rig, stage.failed, stage.said)
		}
	}
}

// stage stands in for a test that is skipped or fails.
type stage struct {
	testing.TB
	failed bool
	said   string
}

func (s *stage) Skip(words ...any) { s.said = fmt.Sprint(words...); runtime.Goexit() }

func (s *stage) Fatal(words ...any) { s.failed = true; s.Skip(words...) }

func TestTwoDesktopsDoNotMeetAndNothingStays(t *testing.T) {
	var processes []int
	var directories []string
	t.Run("while they run", func(t *testing.T) {
		options := Options{WithoutNotifications: true, SinkProperties: "device.form_factor=headphone"}
		one, two := Start(t, options), Start(t, options)
		if one.Display == two.Display || one.BusAddress == two.BusAddress {
			t.Errorf("they share %s and %s", one.Display, one.BusAddress)
		}
		if sinks := one.Output("pactl", "list", "sinks"); !strings.Contains(sinks, `device.form_factor = "headphone"`) {
			t.Errorf("the sink is no headphone: %s", sinks)
		}
		directories = []string{one.Directory, two.Directory}
		processes = append(one.processes(), two.processes()...)
		if len(processes) < 10 {
			t.Errorf("only %d processes were found on two desktops", len(processes))
		}
		// A child that has left its parent's group behind is ended too.
		one.Run(nil, "sh", "-c", "setsid sleep 1000 & echo $! > "+one.Home+"/id; exit 0")
		Eventually(t, 5*time.Second, func() error {
			var id int
			text, err := os.ReadFile(one.Home + "/id")
			if err == nil {
				_, err = fmt.Sscan(string(text), &id)
			}
			if err == nil {
				processes = append(processes, id)
			}
			return err
		})
		one.StopSound()
		if err := two.Command("pactl", "info").Run(); err != nil {
			t.Errorf("ending one sound server ended the other: %v", err)
		}
	})
	Eventually(t, 5*time.Second, func() error {
		for _, id := range processes {
			if err := syscall.Kill(id, 0); err == nil {
				name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id)) // may end this moment
				return fmt.Errorf("process %d (%q) is left", id, name)
			}
		}
		return nil
	})
	for _, directory := range directories {
		if _, err := os.Stat(directory); err == nil {
			t.Errorf("%s is left", directory)
		}
	}
}
