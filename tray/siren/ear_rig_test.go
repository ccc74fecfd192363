//go:build linux && cgo

package siren

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The ear is tested on the same private sound server as the siren. What parec
// records of the monitor is the truth it is held to.

func listenFor(t testing.TB, device string) *Ear {
	t.Helper()
	e, err := Listen(device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// hears waits for the alarm.
func hears(t testing.TB, e *Ear, since time.Time, within time.Duration) Hearing {
	t.Helper()
	patience, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	hearing, err := e.Heard(patience, since)
	if err != nil {
		t.Fatal(err)
	}
	return hearing
}

func mustHave(t testing.TB, h Hearing, pattern Pattern, device string) {
	t.Helper()
	if !h.Heard || h.Pattern != pattern || h.Device != device || h.Why != "" {
		t.Fatalf("heard %+v, not the %s alarm on %s", h, pattern, device)
	}
}

func mustMiss(t testing.TB, h Hearing, why string) {
	t.Helper()
	if h.Heard || !strings.Contains(h.Why, why) {
		t.Fatalf("heard %+v, where the answer should be that %s", h, why)
	}
	t.Logf("not heard: %s", h.Why)
}

// beside is how far an instant is from the nearest beginning of a sound.
func (e *ear) beside(at time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	nearest := time.Hour
	for i, w := range e.windows {
		if off := at.Sub(w.at); w.peak > loud && (i == 0 || e.windows[i-1].peak <= loud) && off.Abs() < nearest.Abs() {
			nearest = off
		}
	}
	return nearest
}

// first is when the first sound after an instant began.
func (e *ear) first(after time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.windows {
		if w.at.After(after) && w.peak > loud {
			return w.at
		}
	}
	e.t.Fatal("nothing sounded")
	return time.Time{}
}

// listeners is how many recordings run.
func (r *rig) listeners() int {
	return strings.Count(r.pactl("list", "short", "source-outputs"), "\n")
}

// ourStream waits for the siren's stream and gives its number.
func (r *rig) ourStream() string {
	var number string
	eventually(r.t, 4*time.Second, "the siren has a stream", func() bool {
		number, _, _ = strings.Cut(r.pactl("list", "short", "sink-inputs"), "\t")
		return number != ""
	})
	return number
}

// playOn plays a sound on a sink, again and again, until the test ends.
func (r *rig) playOn(sink string, sound []float32, options ...string) {
	r.t.Helper()
	path := filepath.Join(filepath.Dir(r.socket), fmt.Sprintf("sound-%d.raw", rand.Uint32()))
	file, err := os.Create(path)
	if err != nil {
		r.t.Fatal(err)
	}
	for range 1 + 20*Rate/len(sound) {
		if err := binary.Write(file, binary.LittleEndian, sound); err != nil {
			r.t.Fatal(err)
		}
	}
	file.Close()
	before := r.streams()
	player := exec.Command("pacat", append([]string{"--raw", "--format=float32le", fmt.Sprintf("--rate=%d", Rate), "--channels=1",
		"--latency-msec=20", "--client-name=somebody", "-d", sink}, append(options, path)...)...)
	if err := player.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = player.Process.Kill()
		_ = player.Wait()
	})
	eventually(r.t, 4*time.Second, "somebody plays", func() bool { return r.streams() > before })
}

func TestTheEarHearsWhenTheSpeakerDoes(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	truth := r.listen("speaker")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	for _, pattern := range alarms {
		t.Run(string(pattern), func(t *testing.T) {
			asked := time.Now()
			s.Sound(Alarm{Pattern: pattern})
			defer func() {
				s.Sound(Alarm{})
				eventually(t, 3*time.Second, "the stream is closed", func() bool { return r.streams() == 0 })
			}()
			heard := hears(t, e, asked, 5*time.Second)
			took := time.Since(asked)
			mustHave(t, heard, pattern, "speaker")
			if off := heard.At.Sub(truth.first(asked)); off.Abs() > 60*time.Millisecond {
				t.Errorf("%v beside the truth", off)
			} else {
				t.Logf("on the monitor after %v, %v beside the truth, at %.1f dBFS, known after %v", heard.At.Sub(asked), off, heard.Level, took)
			}
		})
	}
}

func TestTheEarHearsTheFirstStepOnAQuietOutput(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	r.pactl("set-sink-volume", "speaker", "20%")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical})
	heard := hears(t, e, asked, 8*time.Second)
	mustHave(t, heard, Critical, "speaker")
	t.Logf("after %v at %.1f dBFS", heard.At.Sub(asked), heard.Level)
}

func TestTheEarIsNotDeceivedByAMutedOutput(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	r.pactl("set-sink-mute", "speaker", "1")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	mustMiss(t, hears(t, e, asked, 3*time.Second), "the output “speaker” is muted")
	r.pactl("set-sink-mute", "speaker", "0")
	r.pactl("set-sink-volume", "speaker", "0%")
	mustMiss(t, hears(t, e, time.Now(), 3*time.Second), "the volume of the output “speaker” is at 0 %")
	r.pactl("set-sink-volume", "speaker", "100%")
	r.pactl("set-source-mute", "speaker.monitor", "1")
	mustMiss(t, hears(t, e, time.Now(), 3*time.Second), "what is played on the output “speaker” is not known, because its monitor")
	restored := time.Now()
	r.pactl("set-source-mute", "speaker.monitor", "0")
	mustHave(t, hears(t, e, restored, 6*time.Second), Critical, "speaker")
}

func TestTheEarIsNotDeceivedByAMutedStream(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	stream := r.ourStream()
	r.pactl("set-sink-input-mute", stream, "1")
	mustMiss(t, hears(t, e, time.Now(), 3*time.Second), "Nightstand's own stream on “speaker” is muted")
	r.pactl("set-sink-input-mute", stream, "0")
	r.pactl("set-sink-input-volume", stream, "0%")
	mustMiss(t, hears(t, e, time.Now(), 3*time.Second), "the volume of Nightstand's own stream on “speaker” is at 0 %")
	restored := time.Now()
	r.pactl("set-sink-input-volume", stream, "100%")
	mustHave(t, hears(t, e, restored, 6*time.Second), Critical, "speaker")
}

// The monitor of an output whose volume is set behind it, like that of most
// hardware, carries the alarm in full when the output is silent.
func TestTheEarIsNotDeceivedByAMonitorBeforeTheVolume(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	r.pactl("load-module", "module-tunnel-sink", "server=unix:"+r.socket, "sink=speaker", "sink_name=far")
	eventually(t, 5*time.Second, "the far output is there", func() bool { return strings.Contains(r.pactl("list", "short", "sinks"), "far") })
	r.pactl("set-default-sink", "far")
	r.pactl("set-sink-volume", "far", "0%")
	truth := r.listen("far")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	mustMiss(t, hears(t, e, asked, 4*time.Second), "is at 0 %")
	truth.mustHear("the alarm before the volume", asked, time.Second)
	raised := time.Now()
	r.pactl("set-sink-volume", "far", "100%")
	heard := hears(t, e, raised, 6*time.Second)
	if !heard.Heard || heard.At.Before(raised) {
		t.Errorf("with the volume raised it heard %+v", heard)
	}
}

func TestTheEarTakesNothingElseForTheAlarm(t *testing.T) {
	others := noises(4 * time.Second)
	for _, name := range []string{"white noise", "a tone of 1 kHz", "music"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start("speaker")
			e := listenFor(t, "")
			began := time.Now()
			r.playOn("speaker", others[name])
			mustMiss(t, hears(t, e, began, 4*time.Second), "not found in what any output of this machine carried")
			if name != "music" {
				return
			}
			s, _ := newTestSiren(t, "")
			asked := time.Now()
			s.Sound(Alarm{Pattern: Critical})
			heard := hears(t, e, asked, 8*time.Second)
			mustHave(t, heard, Critical, "speaker")
			t.Logf("over quiet music after %v", heard.At.Sub(asked))
		})
	}
}

func TestTheEarIsWhereTheSirenFallsTo(t *testing.T) {
	for _, chosen := range []string{"", "desk"} {
		t.Run("chosen "+chosen, func(t *testing.T) {
			r := newRig(t)
			r.start("desk", "hall")
			truth := r.listen("hall")
			e := listenFor(t, chosen)
			s, _ := newTestSiren(t, chosen)
			asked := time.Now()
			s.Sound(Alarm{Pattern: Degraded, Step: 3})
			mustHave(t, hears(t, e, asked, 6*time.Second), Degraded, "desk")
			gone := time.Now()
			r.unload("desk")
			heard := hears(t, e, gone, 8*time.Second)
			mustHave(t, heard, Degraded, "hall")
			// The first sound there may be the last notes of a burst, and those
			// are not enough to know it by.
			off := truth.beside(heard.At)
			t.Logf("in the hall after %v, %v beside the truth, first sound after %v", heard.At.Sub(gone), off, truth.first(gone).Sub(gone))
			if off.Abs() > 60*time.Millisecond {
				t.Error("that is too far from it")
			}
			if n := r.listeners(); n != 2 {
				t.Errorf("%d recordings run where one output is left, and parec", n)
			}
			if chosen != "" {
				return
			}
			// An output that was not there before is listened to as well.
			r.pactl("load-module", "module-null-sink", "sink_name=kitchen", "sink_properties=device.description=kitchen")
			eventually(t, 3*time.Second, "the kitchen is listened to", func() bool { return r.listeners() == 3 })
			time.Sleep(2500 * time.Millisecond) // a new null sink takes two seconds to get going
			moved := time.Now()
			r.pactl("move-sink-input", r.ourStream(), "kitchen")
			mustHave(t, hears(t, e, moved, 10*time.Second), Degraded, "kitchen")
		})
	}
}

// An output that sleeps brings no samples; the gap must not bend the time, and
// the ear must not keep the output awake.
func TestTheEarLetsTheOutputSleepAndKeepsTheTime(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	r.pactl("load-module", "module-suspend-on-idle", "timeout=1")
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	for range 2 {
		eventually(t, 8*time.Second, "the output sleeps", func() bool { return strings.Contains(r.pactl("list", "short", "sinks"), "SUSPENDED") })
		time.Sleep(time.Second)
		asked := time.Now()
		s.Sound(Alarm{Pattern: Critical})
		heard := hears(t, e, asked, 6*time.Second)
		mustHave(t, heard, Critical, "speaker")
		took := heard.At.Sub(asked)
		t.Logf("the sleeping output carried the alarm after %v", took)
		if took > 1500*time.Millisecond {
			t.Error("that cannot be")
		}
		s.Sound(Alarm{})
	}
}

func TestWithoutASoundServerNobodyListens(t *testing.T) {
	newRig(t)
	asked := time.Now()
	_, err := Listen("")
	if !errors.Is(err, ErrCannotListen) {
		t.Errorf("the answer is %v", err)
	}
	if took := time.Since(asked); took > 500*time.Millisecond {
		t.Errorf("it took %v to say so", took)
	}
	t.Log(err)
}

func TestTheEarIsHeldUpByNobody(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	e := listenFor(t, "")
	if err := r.server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.server.Process.Signal(syscall.SIGCONT) }()
	stopped := time.Now()
	_, err := e.Heard(t.Context(), stopped)
	if took := time.Since(stopped); !errors.Is(err, errEarHangs) || took > 4*time.Second {
		t.Errorf("while listening, %v after %v", err, took)
	} else {
		t.Logf("while listening, told after %v", took)
	}
	asked := time.Now()
	_, err = Listen("")
	if took := time.Since(asked); !errors.Is(err, errEarHangs) || took > 4*time.Second {
		t.Errorf("at first, %v after %v", err, took)
	} else {
		t.Logf("at first, told after %v", took)
	}
	closed := time.Now()
	e.Close()
	if took := time.Since(closed); took > time.Second {
		t.Errorf("closing took %v", took)
	}
}

func TestTheEndOfTheSoundServerIsToldAtOnce(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	e := listenFor(t, "")
	r.kill()
	killed := time.Now()
	if _, err := e.Heard(t.Context(), killed); !errors.Is(err, errEarLost) {
		t.Errorf("the answer is %v", err)
	}
	if took := time.Since(killed); took > time.Second {
		t.Errorf("told after %v", took)
	}
}

func TestTheEarLeavesNothingBehind(t *testing.T) {
	r := newRig(t)
	r.start("speaker", "hall")
	before := runtime.NumGoroutine()
	for range 3 {
		e, err := Listen("")
		if err != nil {
			t.Fatal(err)
		}
		if n := r.listeners(); n != 2 {
			t.Errorf("%d recordings of two outputs", n)
		}
		closed := time.Now()
		e.Close()
		if took := time.Since(closed); took > 200*time.Millisecond {
			t.Errorf("closing took %v", took)
		}
		if _, err := e.Heard(t.Context(), closed); !errors.Is(err, errEarClosed) {
			t.Errorf("a closed ear says %v", err)
		}
		eventually(t, 2*time.Second, "no recording is left", func() bool { return r.listeners() == 0 })
	}
	eventually(t, 2*time.Second, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// The title of what plays comes from outside, a web page's for one.
func TestALongTitleDoesNotEndTheProgram(t *testing.T) {
	r := newRig(t)
	r.start("speaker")
	r.playOn("speaker", make([]float32, Rate), "--stream-name="+strings.Repeat("long ", 400))
	e := listenFor(t, "")
	s, _ := newTestSiren(t, "")
	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical})
	mustHave(t, hears(t, e, asked, 6*time.Second), Critical, "speaker")
}
