package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"nightstand/app/control"
	"nightstand/sync/drill"
)

// A demonstration is the whole program with nothing set up: the agent, the
// bundled paging service and a short scripted night, in a home that is thrown
// away afterwards.

// demoAccount is the one account of a demonstration.
const demoAccount = "demo"

// RunDemo is Run for a demonstration. It calls tell beside the agent when the
// night has begun; the demonstration ends with ctx, or when tell returns. Like
// Run it must be called on the main goroutine.
func RunDemo(ctx context.Context, options Options, tell func(ctx context.Context, agent *control.Client, lasts time.Duration)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	folder, err := os.MkdirTemp("", "nightstand-demo-")
	if err != nil {
		return fmt.Errorf("a demonstration needs a folder to throw away, and there is none: %w", err)
	}
	defer throwAway(folder)
	if err := os.Setenv("NIGHTSTAND_HOME", filepath.Join(folder, "home")); err != nil {
		return err
	}
	service, err := drill.New(drill.Options{})
	if err != nil {
		return err
	}
	url, stop, err := service.Listen()
	if err != nil {
		return err
	}
	defer stop()

	began := make(chan error, 1)
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer cancel()
		agent, err := beginDemo(ctx, service, url)
		began <- err
		if err == nil {
			tell(ctx, agent, drill.ShortNight().Lasts())
		}
	}()
	err = Run(ctx, options)
	cancel()
	<-told
	if failed := <-began; err == nil && failed != nil && !errors.Is(failed, context.Canceled) {
		err = failed
	}
	return err
}

// throwAway deletes a folder, also where a process that is still ending holds a
// file of it for a moment.
func throwAway(folder string) {
	for range 20 {
		if os.RemoveAll(folder) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// beginDemo sets the account up as soon as the agent answers, and lets the
// night begin.
func beginDemo(ctx context.Context, service *drill.Service, url string) (*control.Client, error) {
	agent, err := Dial()
	for ; err != nil; agent, err = Dial() {
		pause(ctx, 20*time.Millisecond)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	report, err := agent.AddAccount(ctx, control.NewAccount{
		Name: demoAccount, Provider: "pagerduty", URL: url, Secret: drill.DefaultKey, MemoryOnly: true,
	})
	switch {
	case err != nil:
		return nil, err
	case !report.Kept:
		return nil, errors.New(report.Error)
	}
	return agent, service.Play(drill.ShortNight())
}

// BusThere says whether this session has a desktop bus. Where there is none, no
// library may be let loose to start one.
func BusThere() bool { return busThere() }
