package app

import (
	"context"
	"testing"
	"time"

	"nightstand/app/config"
	"nightstand/app/page"
	"nightstand/app/watch"
)

// What one poll with 5 000 open pages costs the core and everybody who draws
// it: decided, published and put into the words of the control API. The poll
// comes every two seconds then, so the goal is far below a tenth of a core.
func BenchmarkStorm5000(b *testing.B) {
	var storm []page.Page
	for number := range 5000 {
		p := triggered(number)
		if number > 0 {
			p.Severity = page.Hidden
		}
		storm = append(storm, p)
	}
	agent := New(context.Background(), Parts{
		Settings: config.Defaults(), Bell: &ringer{}, Heart: &pulse{}, Log: discard(),
	})
	agent.step(watch.AccountAdded{Name: "prod"})
	agent.step(watch.Polled{Account: "prod", Started: agent.now().Mono, Pages: storm})
	if open := len(agent.State().Pages); open == 0 || agent.State().Open != 5000 {
		b.Fatalf("%d pages are open", agent.State().Open)
	}
	b.ReportAllocs()
	for b.Loop() {
		agent.step(watch.Polled{Account: "prod", Started: agent.now().Mono, Pages: storm})
		agent.State()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/poll")
	b.ReportMetric(50, "goal-ms/poll")
}

// From the click to the bell being told to be quiet, with the agent running.
// The time an operation takes holds the whole round, until it rings again.
func BenchmarkClickToQuiet(b *testing.B) {
	bell := &ringer{}
	service := newPaging(triggered(1))
	agent := New(context.Background(), Parts{Settings: config.Defaults(), Bell: bell, Heart: &pulse{}, Log: discard()})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { agent.Run(ctx); close(ended) }()
	b.Cleanup(func() { cancel(); <-ended })
	agent.lines.connect(ctx, "prod", service)
	id := triggered(1).ID
	for bell.pattern() != watch.Critical {
		time.Sleep(time.Millisecond)
	}
	var worst, sum time.Duration
	for b.Loop() {
		start := time.Now()
		if err := agent.do(ctx, watch.Acknowledge{IDs: []string{id}}); err != nil {
			b.Fatal(err)
		}
		took := bell.lastAsked().Sub(start)
		if bell.pattern() != watch.Silent || took < 0 {
			b.Fatalf("it rings on (%v)", took)
		}
		worst, sum = max(worst, took), sum+took
		callAgain(b, agent, bell, id)
	}
	b.ReportMetric(float64((sum / time.Duration(b.N)).Microseconds()), "µs-mean")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst")
	b.ReportMetric(100, "goal-ms-worst")
}

// callAgain waits for the confirmation, takes it back and waits until it rings.
func callAgain(b *testing.B, agent *Agent, bell *ringer, id string) {
	b.Helper()
	if _, err := agent.Acknowledge(b.Context(), []string{id}, false); err != nil {
		b.Fatal(err)
	}
	if outcome, err := agent.Unacknowledge(b.Context(), id); err != nil || !outcome.Done {
		b.Fatalf("%+v (%v)", outcome, err)
	}
	for bell.pattern() != watch.Critical {
		time.Sleep(100 * time.Microsecond)
	}
}
