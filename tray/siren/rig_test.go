//go:build linux && cgo

package siren

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this file sound on a real sound server that is theirs alone and
// listen at its monitor, as a person would at the loudspeaker.

// rig is a private PulseAudio server.
type rig struct {
	t      testing.TB
	socket string
	server *exec.Cmd
}

// newRig prepares a place for a server without starting it.
func newRig(t testing.TB) *rig {
	t.Helper()
	if testing.Short() {
		t.Skip("this sounds and listens in real time, which is not short")
	}
	for _, tool := range []string{"pulseaudio", "pactl", "parec"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("NIGHTSTAND_RIG") == "1" {
				t.Fatalf("%s is not installed, and this machine is meant to have it", tool)
			}
			t.Skipf("%s is not installed, so there is no loudspeaker to listen to", tool)
		}
	}
	// Not t.TempDir: a Unix socket's path may have 107 bytes only.
	place, err := os.MkdirTemp("", "siren")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(place) })
	socket := filepath.Join(place, "native")
	for name, value := range map[string]string{
		"XDG_RUNTIME_DIR": place, "HOME": place, "PULSE_SERVER": "unix:" + socket, "DISPLAY": "",
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(place, "no-bus"),
	} {
		t.Setenv(name, value)
	}
	return &rig{t: t, socket: socket}
}

// start runs the server with one null sink for each name; the first is the default.
func (r *rig) start(sinks ...string) {
	r.t.Helper()
	arguments := []string{"-n", "--daemonize=no", "--exit-idle-time=-1", "--log-level=0",
		"--disable-shm=yes", "-L", "module-native-protocol-unix auth-anonymous=1 socket=" + r.socket}
	for _, sink := range sinks {
		arguments = append(arguments, "-L", "module-null-sink sink_name="+sink+" sink_properties=device.description="+sink)
	}
	os.Remove(r.socket)
	server := exec.Command("pulseaudio", arguments...)
	if err := server.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.server = server
	r.t.Cleanup(func() { r.end(server) })
	eventually(r.t, 10*time.Second, "the sound server answers", func() bool {
		return exec.Command("pactl", "info").Run() == nil
	})
	if len(sinks) > 0 {
		r.pactl("set-default-sink", sinks[0])
	}
}

// kill ends the server as a crash would.
func (r *rig) kill() { r.end(r.server) }

func (r *rig) end(server *exec.Cmd) {
	if server.ProcessState == nil {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
}

func (r *rig) pactl(arguments ...string) string {
	r.t.Helper()
	out, err := exec.Command("pactl", arguments...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("pactl %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// unload takes a sink away.
func (r *rig) unload(sink string) {
	r.t.Helper()
	for line := range strings.Lines(r.pactl("list", "short", "modules")) {
		if strings.Contains(line, "sink_name="+sink+" ") {
			r.pactl("unload-module", strings.Fields(line)[0])
			return
		}
	}
	r.t.Fatalf("there is no sink %s", sink)
}

// streams is how many programs play.
func (r *rig) streams() int {
	return strings.Count(r.pactl("list", "short", "sink-inputs"), "\n")
}

// ear listens at a sink's monitor.
type ear struct {
	t testing.TB

	mu      sync.Mutex
	windows []window
	sound   []float32
}

// window is five milliseconds of what was heard, with the time it arrived:
// never before it was played, and some 20 ms after.
type window struct {
	at   time.Time
	peak float32
}

const (
	loud      = 0.01 // −40 dBFS
	earLength = Rate / 200
)

func (r *rig) listen(sink string) *ear {
	r.t.Helper()
	recorder := exec.Command("parec", "-d", sink+".monitor", "--raw", "--format=float32le",
		fmt.Sprintf("--rate=%d", Rate), "--channels=1", "--latency-msec=10")
	out, err := recorder.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := recorder.Start(); err != nil {
		r.t.Fatal(err)
	}
	e := &ear{t: r.t}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		e.hear(bufio.NewReader(out))
	}()
	r.t.Cleanup(func() {
		_ = recorder.Process.Kill()
		<-heard
		_ = recorder.Wait()
	})
	eventually(r.t, 5*time.Second, "the recorder is connected", func() bool {
		return strings.Contains(r.pactl("list", "short", "source-outputs"), "\n")
	})
	// A new null sink has two seconds of silence under way, and whoever comes
	// in between waits for their end; a loudspeaker has not.
	eventually(r.t, 5*time.Second, "the monitor speaks", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.windows) > 0
	})
	time.Sleep(200 * time.Millisecond)
	return e
}

func (e *ear) hear(from io.Reader) {
	block := make([]float32, earLength)
	for binary.Read(from, binary.LittleEndian, block) == nil {
		var peak float32
		for _, s := range block {
			peak = max(peak, s, -s)
		}
		e.mu.Lock()
		e.windows = append(e.windows, window{time.Now(), peak})
		e.sound = append(e.sound, block...)
		e.mu.Unlock()
	}
}

// firstLoud waits for sound after a moment and says when it came.
func (e *ear) firstLoud(after time.Time, within time.Duration) (time.Time, bool) {
	for deadline := after.Add(within); ; time.Sleep(5 * time.Millisecond) {
		e.mu.Lock()
		for i := len(e.windows) - 1; i >= 0 && e.windows[i].at.After(after); i-- {
			if e.windows[i].peak > loud && (i == 0 || !e.windows[i-1].at.After(after) || e.windows[i-1].peak <= loud) {
				at := e.windows[i].at
				e.mu.Unlock()
				return at, true
			}
		}
		e.mu.Unlock()
		if time.Now().After(deadline) {
			return time.Time{}, false
		}
	}
}

// mustHear fails when nothing sounds.
func (e *ear) mustHear(what string, after time.Time, within time.Duration) time.Duration {
	e.t.Helper()
	at, heard := e.firstLoud(after, within)
	if !heard {
		e.t.Fatalf("%s: nothing was heard within %v", what, within)
	}
	return at.Sub(after)
}

// lastLoud says when something was last heard; zero when never.
func (e *ear) lastLoud() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.windows) - 1; i >= 0; i-- {
		if e.windows[i].peak > loud {
			return e.windows[i].at
		}
	}
	return time.Time{}
}

// untilLoud waits until a pulse is just sounding.
func (e *ear) untilLoud() {
	e.t.Helper()
	e.mustHear("a pulse", time.Now(), 5*time.Second)
	time.Sleep(30 * time.Millisecond)
}

// latest gives what was heard last.
func (e *ear) latest(length time.Duration) []float32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := min(samples(length), len(e.sound))
	return append([]float32(nil), e.sound[len(e.sound)-n:]...)
}

// diary keeps the events of a siren.
type diary struct {
	mu     sync.Mutex
	events []Event
}

func (d *diary) note(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

func (d *diary) has(kind EventKind) bool { _, ok := d.find(kind); return ok }

func (d *diary) find(kind EventKind) (Event, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.Kind == kind {
			return e, true
		}
	}
	return Event{}, false
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var lines strings.Builder
	for _, e := range d.events {
		fmt.Fprintf(&lines, "%s %s [%s] %s (%v)\n", e.At.Format("15:04:05.000"), e.Kind, e.Device, e.Sentence, e.cause)
	}
	return lines.String()
}

func newTestSiren(t testing.TB, device string) (*Siren, *diary) {
	d := &diary{}
	s := New(Options{Device: device, Events: d.note})
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Logf("the siren's events:\n%s", d)
		}
	})
	return s, d
}

func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func TestIsHeardAtOnceQuietAtOnceAndLeavesNoStream(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	e := r.listen("speaker")
	s, d := newTestSiren(t, "")
	if n := r.streams(); n != 0 {
		t.Fatalf("%d streams are open before anything was asked for", n)
	}

	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	if took := e.mustHear("the alarm", asked, time.Second); took > 300*time.Millisecond {
		t.Errorf("the alarm was heard after %v", took)
	} else {
		t.Logf("first audible sample after %v", took)
	}
	eventually(t, 3*time.Second, "the state names the output", func() bool {
		state := s.State()
		return state.Sounding && state.Device == "speaker" && state.Trouble == ""
	})
	if d.has(DeviceLost) || d.has(DeviceChanged) || d.has(NoDevice) {
		t.Errorf("trouble was told where there is none:\n%s", d)
	}

	e.untilLoud()
	clicked := time.Now()
	s.Sound(Alarm{})
	time.Sleep(500 * time.Millisecond)
	if took := e.lastLoud().Sub(clicked); took > 100*time.Millisecond {
		t.Errorf("still heard %v after silence was asked for", took)
	} else {
		t.Logf("quiet after %v", took)
	}
	eventually(t, 2*time.Second, "no stream is open in silence", func() bool { return r.streams() == 0 })
	if s.State().Sounding || !d.has(Quiet) {
		t.Error("silence was not told")
	}

	asked = time.Now()
	s.Play(AckConfirmed)
	e.mustHear("the tone of a confirmed answer", asked, 2*time.Second)
	eventually(t, 3*time.Second, "no stream is open after the tone", func() bool { return r.streams() == 0 })
}

func TestSurvivesGarbageCollectionAndSoundsBlindWithoutBeats(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	e := r.listen("speaker")
	s, d := newTestSiren(t, "")
	s.Beat()
	beaten := time.Now()
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	e.mustHear("the alarm", beaten, time.Second)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		for since := time.Now(); time.Since(since) < 1300*time.Millisecond; {
			runtime.GC()
			_ = make([]byte, 1<<20)
			time.Sleep(20 * time.Millisecond)
		}
		// The gap at full loudness is one second.
		if silent := time.Since(e.lastLoud()); silent > 1200*time.Millisecond {
			t.Fatalf("nothing heard for %v while garbage is collected", silent)
		}
	}
	if d.has(DeviceLost) {
		t.Errorf("a device was lost:\n%s", d)
	}
	s.Sound(Alarm{})
	time.Sleep(time.Second)

	e.mustHear("the blind alarm of a core without beats", time.Now(), 16*time.Second)
	took := e.lastLoud().Sub(beaten)
	if took < 14900*time.Millisecond || took > 16*time.Second {
		t.Errorf("the blind alarm came %v after the last beat", took)
	}
	time.Sleep(1600 * time.Millisecond)
	heard := e.latest(time.Second)
	if blind, page := strength(heard, 440), strength(heard, 523.25); blind < 10*page {
		t.Errorf("what sounds is not the blind alarm: %.4f at its second tone, %.4f at a page's", blind, page)
	}
	s.Beat()
	time.Sleep(100 * time.Millisecond)
	returned := time.Now()
	time.Sleep(400 * time.Millisecond)
	if e.lastLoud().After(returned) || !d.has(Responsive) {
		t.Error("the blind alarm went on after the beats came back")
	}
}

func TestFallsToAnotherOutputWhenItsOwnIsUnloaded(t *testing.T) {
	for _, chosen := range []string{"", "desk"} {
		t.Run("chosen "+chosen, func(t *testing.T) {
			r := newRig(t)
			r.start("desk", "hall")
			e := r.listen("hall")
			s, d := newTestSiren(t, chosen)
			s.Sound(Alarm{Pattern: Degraded, Step: 3})
			eventually(t, 4*time.Second, "it sounds at the desk", func() bool { return s.State().Device == "desk" && s.State().Sounding })
			time.Sleep(2500 * time.Millisecond) // a sink that nobody records takes two seconds to get going
			gone := time.Now()
			r.unload("desk")
			t.Logf("heard in the hall after %v", e.mustHear("the alarm in the hall", gone, 6*time.Second))
			eventually(t, 4*time.Second, "the change is told", func() bool {
				change, told := d.find(DeviceChanged)
				return told && strings.Contains(change.Sentence, "hall") || chosen != "" && d.has(DeviceLost) && told
			})
			eventually(t, 4*time.Second, "the state names the other output", func() bool { return s.State().Device == "hall" })
		})
	}
}

func TestSurvivesTheDeathOfTheSoundServer(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	s, d := newTestSiren(t, "")
	e := r.listen("speaker")
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	e.mustHear("the alarm", time.Now(), 3*time.Second)
	time.Sleep(time.Second)
	r.kill()
	eventually(t, 5*time.Second, "the loss is told", func() bool { return d.has(DeviceLost) && d.has(NoDevice) })
	if state := s.State(); state.Sounding || state.Trouble == "" {
		t.Errorf("without a sound server the state is %+v", state)
	}
	r.start("speaker")
	e = r.listen("speaker")
	t.Logf("heard again %v after the server was back", e.mustHear("the alarm on the new server", time.Now(), 6*time.Second))
}

func TestWithoutASoundServerItSaysSoAndWaits(t *testing.T) {
	r := newRig(t)
	s, d := newTestSiren(t, "")
	s.Sound(Alarm{Pattern: Critical})
	eventually(t, 4*time.Second, "no device is told", func() bool { return d.has(NoDevice) })
	if s.State().Sounding {
		t.Error("it claims to sound without an output")
	}
	if found, err := Devices(); len(found) > 0 {
		t.Errorf("outputs without a sound server: %v %v", found, err)
	}
	r.start("speaker")
	e := r.listen("speaker")
	e.mustHear("the alarm once there is a server", time.Now(), 6*time.Second)
	if !d.has(Playing) {
		t.Error("it sounds and does not say so")
	}
}

func TestASoundServerThatHangsHoldsNobodyUp(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	s, d := newTestSiren(t, "")
	e := r.listen("speaker")
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	e.mustHear("the alarm", time.Now(), 3*time.Second)
	time.Sleep(500 * time.Millisecond)
	if err := r.server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the loss is told", func() bool { return d.has(DeviceLost) })
	for _, call := range []func(){
		func() { s.Sound(Alarm{Pattern: Degraded}) }, func() { s.Play(Taken) }, s.Beat, func() { s.State() },
	} {
		began := time.Now()
		call()
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("a call took %v while the server hangs", took)
		}
	}
	eventually(t, 8*time.Second, "that the server hangs is told", func() bool { return d.has(NoDevice) })
	if err := r.server.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "it sounds once the server goes on", func() bool { return s.State().Sounding })
	e.mustHear("the alarm once the server goes on", time.Now(), 5*time.Second)
	if err := r.server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.Close()
	if took := time.Since(began); took > time.Second {
		t.Errorf("closing took %v while the server hangs", took)
	}
	_ = r.server.Process.Signal(syscall.SIGCONT)
}

// BenchmarkFirstSampleAndQuiet measures, at the monitor of a running sink, how
// long it takes from the wish to the sound and from the click to silence. Both
// have a goal of 100 ms.
func BenchmarkFirstSampleAndQuiet(b *testing.B) {
	r := newRig(b)
	r.start("speaker")
	e := r.listen("speaker")
	s, _ := newTestSiren(b, "")
	var first, quiet, worst time.Duration
	n := 0
	for b.Loop() {
		asked := time.Now()
		s.Sound(Alarm{Pattern: Critical, Step: 3})
		first += e.mustHear("the alarm", asked, 3*time.Second)
		time.Sleep(50 * time.Millisecond)
		clicked := time.Now()
		s.Sound(Alarm{})
		eventually(b, 3*time.Second, "the stream is closed", func() bool { return r.streams() == 0 })
		took := max(e.lastLoud().Sub(clicked), 0)
		quiet += took
		worst = max(worst, took)
		n++
	}
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(milliseconds(first)/float64(n), "first-sample-ms")
	b.ReportMetric(milliseconds(quiet)/float64(n), "click-to-quiet-ms")
	b.ReportMetric(milliseconds(worst), "click-to-quiet-worst-ms")
	b.ReportMetric(100, "goal-ms")
}
