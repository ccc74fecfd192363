//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nightstand/sync/alertmanager/alertmanagertest"
)

// These are the promises in numbers, measured on the real program and printed
// beside their goals: "make bench".

// ready is a desktop with an agent that watches a server.
func ready(b *testing.B) (*Desktop, *Nightstand, *alertmanagertest.Server) {
	desk := Start(b, Options{})
	server := alertmanagertest.Start(b, alertmanagertest.Options{Config: "route: {receiver: you}\nreceivers: [{name: you}]\n"})
	night := Install(b, desk, "")
	night.Start()
	night.AddAccount(server)
	return desk, night, server
}

// percentile of durations, in milliseconds.
func percentile(all []time.Duration, share float64) float64 {
	slices.Sort(all)
	at := min(len(all)-1, int(share*float64(len(all))))
	return float64(all[at].Microseconds()) / 1000
}

// BenchmarkPageToSound is from a page being visible at the API to the first
// audible sample, and from the click to quiet and to the confirmation.
func BenchmarkPageToSound(b *testing.B) {
	desk, night, server := ready(b)
	ear := desk.Listen()
	var heard, quiet, confirmed []time.Duration
	for turn := 0; b.Loop(); turn++ {
		alert := Page(fmt.Sprintf("Turn%d is down", turn))
		posted := time.Now()
		server.Post(alert)
		first, is := ear.FirstLoudAfter(posted, 15*time.Second)
		if !is {
			b.Fatal("the page was not heard")
		}
		heard = append(heard, first.Sub(posted))
		// Hush is quieted the way an acknowledgement is, and no tone follows.
		clicked := time.Now()
		night.MustDo("hush")
		still, is := ear.QuietAfter(clicked, breath, 10*time.Second)
		if !is {
			b.Fatal("it did not become quiet")
		}
		quiet = append(quiet, still.Sub(clicked))
		clicked = time.Now()
		night.MustDo("ack", "--all")
		confirmed = append(confirmed, time.Since(clicked))
		server.Resolve(alert.Labels)
		night.UntilGone(20 * time.Second)
		mustBeStillFor(b, ear)
	}
	b.ReportMetric(percentile(heard, 0.99), "heard-p99-ms")
	b.ReportMetric(3100, "goal-heard-ms")
	b.ReportMetric(percentile(quiet, 0.95), "quiet-p95-ms")
	b.ReportMetric(100, "goal-quiet-ms")
	b.ReportMetric(percentile(confirmed, 0.95), "confirmed-p95-ms")
	b.ReportMetric(2000, "goal-confirmed-ms")
}

func mustBeStillFor(b *testing.B, ear *Recording) {
	if _, is := ear.QuietAfter(time.Now(), 2*time.Second, 10*time.Second); !is {
		b.Fatal("it does not become quiet")
	}
}

// BenchmarkStart is from the start of the agent to its first good poll.
func BenchmarkStart(b *testing.B) {
	_, night, _ := ready(b)
	var took []time.Duration
	for b.Loop() {
		night.Agent.Stop()
		began := night.Launch()
		for {
			var status Status
			if night.readJSON(&status, "status") == nil && len(status.Accounts) == 1 && status.Accounts[0].LastGoodPoll != nil {
				took = append(took, time.Since(began))
				break
			}
			if time.Since(began) > 20*time.Second {
				b.Fatal("no good poll within 20 s")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	b.ReportMetric(percentile(took, 0.95), "first-good-poll-p95-ms")
	b.ReportMetric(1000, "goal-first-good-poll-ms")
}

// BenchmarkIdle is what a guarded agent costs while nothing happens.
func BenchmarkIdle(b *testing.B) {
	desk := Start(b, Options{})
	server := alertmanagertest.Start(b, alertmanagertest.Options{})
	night := Install(b, desk, "")
	night.Start("agent", "--guarded")
	night.AddAccount(server)
	child, guard := night.Status().Agent.PID, night.Agent.ID()
	time.Sleep(30 * time.Second) // the start is over
	const watched = 30 * time.Second
	for b.Loop() {
		childBefore, guardBefore := spent(b, child), spent(b, guard)
		time.Sleep(watched)
		b.ReportMetric(100*(spent(b, child)-childBefore).Seconds()/watched.Seconds(), "agent-cpu-%")
		b.ReportMetric(100*(spent(b, guard)-guardBefore).Seconds()/watched.Seconds(), "guard-cpu-%")
	}
	b.ReportMetric(0.1, "goal-agent-cpu-%")
	b.ReportMetric(megabytes(b, child, "VmRSS")+megabytes(b, guard, "VmRSS"), "resident-both-MB")
	b.ReportMetric(45, "goal-resident-MB")
	b.ReportMetric(megabytes(b, child, "RssAnon")+megabytes(b, guard, "RssAnon"), "anonymous-both-MB")
	b.ReportMetric(12, "goal-anonymous-MB")
}

// BenchmarkStorm is 5 000 open pages: one alarm, and what it costs.
func BenchmarkStorm(b *testing.B) {
	_, night, server := ready(b)
	agent := night.Status().Agent.PID
	var storm []alertmanagertest.Alert
	for i := range 5000 {
		storm = append(storm, Page(fmt.Sprintf("Storm%d is down", i), "instance", fmt.Sprint("web-", i)))
	}
	server.Post(storm...)
	night.Until(60*time.Second, func(s Status) error {
		if s.Open < 5000 || !s.Alarm.Sounding {
			return fmt.Errorf("%d open, %+v", s.Open, s.Alarm)
		}
		return nil
	})
	time.Sleep(10 * time.Second)
	const watched = 20 * time.Second
	var answered []time.Duration
	for b.Loop() {
		before := spent(b, agent)
		for end := time.Now().Add(watched); time.Now().Before(end); time.Sleep(2 * time.Second) {
			began := time.Now()
			night.MustDo("hush")
			answered = append(answered, time.Since(began))
		}
		b.ReportMetric(100*(spent(b, agent)-before).Seconds()/watched.Seconds(), "cpu-%")
	}
	b.ReportMetric(5, "goal-cpu-%")
	b.ReportMetric(megabytes(b, agent, "VmRSS"), "resident-MB")
	b.ReportMetric(100, "goal-resident-MB")
	b.ReportMetric(percentile(answered, 0.95), "command-p95-ms")
	b.ReportMetric(100, "goal-command-ms")
}

// spent is the time all threads of a process ran.
func spent(b *testing.B, process int) time.Duration {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", process))
	if err != nil || len(threads) == 0 {
		b.Fatalf("the process %d has ended", process)
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread ended while we looked
		}
		ran, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(nanoseconds)
	}
	return sum
}

// megabytes reads one figure of a process's memory.
func megabytes(b *testing.B, process int, figure string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == figure+":" {
			kilobytes, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	b.Fatalf("there is no %s", figure)
	return 0
}
