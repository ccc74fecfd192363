//go:build linux && cgo
package siren
import ("testing";"time";"os";"os/exec";"strings")
func TestScratchPW(t *testing.T) {
	if os.Getenv("SCRATCH") == "" { t.Skip() }
	e := listenFor(t, "")
	dev := os.Getenv("SCRATCH")
	s, _ := newTestSiren(t, "")
	pactl := func(a ...string) string { o, _ := exec.Command("pactl", a...).CombinedOutput(); return string(o) }
	r := &rig{t: t}
	truth := r.listen(dev)
	for _, p := range alarms {
		asked := time.Now()
		s.Sound(Alarm{Pattern: p})
		h := hears(t, e, asked, 6*time.Second)
		t.Logf("%+v after %v beside %v", h, h.At.Sub(asked), truth.beside(h.At))
		s.Sound(Alarm{})
		time.Sleep(1500*time.Millisecond)
	}
	t.Log(pactl("list", "short", "source-outputs"), pactl("list", "source-outputs"))
	pactl("set-sink-mute", dev, "1")
	s.Sound(Alarm{Pattern: Critical, Step: 3})
	t.Logf("%+v", hears(t, e, time.Now(), 4*time.Second))
	pactl("set-sink-mute", dev, "0")
	pactl("set-sink-volume", dev, "2%")
	t.Logf("%+v", hears(t, e, time.Now(), 4*time.Second))
	n := time.Now()
	pactl("set-sink-volume", dev, "20%")
	h := hears(t, e, n, 6*time.Second)
	t.Logf("%+v after %v", h, h.At.Sub(n))
	i, _, _ := strings.Cut(pactl("list", "short", "sink-inputs"), "\t")
	pactl("set-sink-input-mute", i, "1")
	t.Logf("%+v", hears(t, e, time.Now(), 4*time.Second))
	pactl("set-sink-input-mute", i, "0")
	s.Sound(Alarm{})
	time.Sleep(8*time.Second)
	t.Log(pactl("list", "short", "sinks"))
	asked := time.Now()
	s.Sound(Alarm{Pattern: Critical, Step: 0})
	h = hears(t, e, asked, 6*time.Second)
	t.Logf("%+v after %v", h, h.At.Sub(asked))
	e.Close()
	time.Sleep(200*time.Millisecond)
	t.Log(pactl("list", "short", "source-outputs"))
}
