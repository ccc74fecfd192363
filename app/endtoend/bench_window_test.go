//go:build linux

package endtoend

import (
	"fmt"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// BenchmarkAlarmWindow is what the alarm's window promises: from the page's
// first sound to its picture on the screen, from Space to silence, and what
// the process weighs. The sound begins with the page; the window is measured
// from there.
func BenchmarkAlarmWindow(b *testing.B) {
	desk := Start(b, Options{WithoutTrayHost: true})
	ear, screen := desk.Listen(), desk.Screen()
	server := alertmanagertest.Start(b, alertmanagertest.Options{})
	night := Install(b, desk, "")
	night.Start("agent")
	night.AddAccount(server)
	var visible, quiet []time.Duration
	weight, number := 0.0, 0
	for b.Loop() {
		number++
		mustBeStillFor(b, ear)
		alert := Page(fmt.Sprintf("Window%d is measured", number), "number", fmt.Sprint(number))
		posted := time.Now()
		server.Post(alert)
		heard, is := ear.FirstLoudAfter(posted, 10*time.Second)
		if !is {
			b.Fatal("nothing was heard")
		}
		for screen.Drawn() != nil {
			if time.Since(posted) > 30*time.Second {
				b.Fatal("no window came up")
			}
			time.Sleep(screenPoll)
		}
		visible = append(visible, time.Since(heard))
		screen.UntilReady(10 * time.Second)
		for _, id := range night.windows() {
			weight = max(weight, megabytes(b, id, "VmRSS"))
		}
		burst(b, ear)
		server.Pause() // or the tone of the confirmation follows at once
		pressed := screen.Press(keySpace)
		still, is := ear.QuietAfter(pressed, breath, 5*time.Second)
		if !is {
			b.Fatal("Space does not make it quiet")
		}
		server.Resume()
		quiet = append(quiet, still.Sub(pressed))
		night.UntilConfirmed(10*time.Second, alert.Annotations["summary"])
		server.Resolve(alert.Labels)
		night.UntilGone(20 * time.Second)
		for _, id := range night.windows() { // each page gets a window of its own
			end(b, id)
		}
	}
	b.ReportMetric(percentile(visible, 0.5), "visible-median-ms")
	b.ReportMetric(percentile(visible, 0.95), "visible-p95-ms")
	b.ReportMetric(700, "goal-visible-ms")
	b.ReportMetric(percentile(quiet, 0.95), "space-quiet-p95-ms")
	b.ReportMetric(100, "goal-space-quiet-ms")
	b.ReportMetric(weight, "window-resident-MB")
}

// BenchmarkFirstFrame is from the start of the main window's process to the
// first picture with words on it.
func BenchmarkFirstFrame(b *testing.B) {
	desk := Start(b, Options{WithoutTrayHost: true, WithoutSound: true, WithoutNotifications: true})
	screen := desk.Screen()
	night := Install(b, desk, "")
	night.Start("agent")
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		window := desk.Run([]string{"NIGHTSTAND_HOME=" + night.Home}, night.binary, "window", "now")
		for screen.Worded(mainTitle) != nil {
			if time.Since(began) > 30*time.Second {
				b.Fatal("no window came up")
			}
			time.Sleep(screenPoll)
		}
		took = append(took, time.Since(began))
		window.Stop()
	}
	b.ReportMetric(percentile(took, 0.95), "first-frame-p95-ms")
	b.ReportMetric(500, "goal-first-frame-ms")
}

// burst waits for the beginning of the next burst of the alarm.
func burst(b *testing.B, ear *Recording) {
	pause, paused := ear.QuietAfter(time.Now(), breath, 8*time.Second)
	if !paused {
		b.Fatal("the alarm makes no pause")
	}
	if _, heard := ear.FirstLoudAfter(pause, 8*time.Second); !heard {
		b.Fatal("no further burst was heard")
	}
}

// screenPoll is how often the screen is looked at: often enough for the figure,
// and too seldom to take the time that is measured.
const screenPoll = 15 * time.Millisecond
