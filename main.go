// Nightstand makes sure that the person on call hears the page. This file joins
// the command line to the agent and the windows; everything else lives in the
// rooms beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"golang.org/x/term"

	"nightstand/app"
	"nightstand/app/control"
	_ "nightstand/app/language" // before the toolkit of the windows
	"nightstand/ui/terminal"
	"nightstand/ui/window"
)

// version is set when a release is built.
var version = "0.1.0-dev"

func main() {
	ctx, cancel := app.UntilAsked()
	code := terminal.Run(ctx, program(), os.Args[1:])
	cancel()
	os.Exit(code)
}

// program is what the command line works with.
func program() terminal.Program {
	return terminal.Program{
		Version: version,
		Dial:    app.Dial,
		Accounts: func(ctx context.Context) (terminal.Accounts, func(), error) {
			return app.OpenAccounts(ctx)
		},
		RunAgent: runAgent,
		Start:    start,
		Demo:     demo, OpenWindow: openWindow,
		Install: app.Install, Uninstall: app.Uninstall,
		Doctor: func(ctx context.Context) []terminal.Finding {
			var found []terminal.Finding
			for _, f := range app.Examine(ctx) {
				found = append(found, terminal.Finding(f))
			}
			return found
		},
		LoginName: loginName(),
		In:        os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal:   term.IsTerminal(int(os.Stdin.Fd())),
		ReadSecret: readSecret, Keys: readKeys,
	}
}

// runAgent is the agent in the foreground, with or without its guard.
func runAgent(ctx context.Context, options terminal.AgentOptions) error {
	if !options.Guarded {
		return app.Run(ctx, app.Options{Version: version, NoTray: options.NoTray, NoWindow: options.NoWindow})
	}
	arguments := []string{"agent"}
	if options.NoTray {
		arguments = append(arguments, "--no-tray")
	}
	if options.NoWindow {
		arguments = append(arguments, "--no-window")
	}
	return app.RunGuarded(ctx, arguments...)
}

// demo is the agent with the bundled paging service and a short night.
func demo(ctx context.Context, options terminal.AgentOptions, tell func(context.Context, *control.Client, time.Duration)) error {
	return app.RunDemo(ctx, app.Options{Version: version, NoTray: options.NoTray, NoWindow: options.NoWindow}, tell)
}

// start is plain "nightstand": a guarded agent, unless one is running; then its
// window comes up.
func start(ctx context.Context, options terminal.StartOptions) error {
	agent, err := app.Dial()
	if err != nil {
		return app.RunGuarded(ctx, "agent")
	}
	if err := agent.ShowWindow(ctx, "now"); err != nil {
		options.Say("Nightstand is running already. “nightstand status” shows it.")
		return nil
	}
	options.Say("Nightstand is running already; its window comes up.")
	return nil
}

// openWindow shows one window, unless there is one of its kind: then that one
// comes up.
func openWindow(ctx context.Context, view string) error {
	kind := "main"
	if view == "alarm" {
		kind = "alarm"
	}
	mine, release := app.ClaimWindow(kind)
	if !mine {
		return takenWindow(ctx, view)
	}
	defer release()
	if !app.BusThere() {
		// Left to itself, the toolkit's library would start a bus of its own.
		os.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
	}
	return window.Run(ctx, window.Options{View: view, Dial: app.Dial, Version: version})
}

// takenWindow brings the window forward that there is already.
func takenWindow(ctx context.Context, view string) error {
	if view != "alarm" {
		if agent, err := app.Dial(); err == nil {
			return agent.ShowWindow(ctx, view)
		}
	}
	return taken{}
}

// taken says that a window of its kind is open already.
type taken struct{}

func (taken) Error() string { return "This window is open already; look for it on the screen." }

// ExitCode tells the agent that it need not open another.
func (taken) ExitCode() int { return app.WindowTaken }

// loginName is who acknowledges when nobody says otherwise.
func loginName() string {
	if me, err := user.Current(); err == nil {
		// Windows puts the name of the domain before it.
		return me.Username[strings.LastIndex(me.Username, `\`)+1:]
	}
	return ""
}

func readSecret(prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	secret, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(secret), err
}

// readKeys reads single keys from the terminal, without waiting for a line.
func readKeys() (<-chan byte, func(), error) {
	terminal := int(os.Stdin.Fd())
	before, err := term.MakeRaw(terminal)
	if err != nil {
		return nil, nil, err
	}
	keys := make(chan byte)
	go func() {
		defer close(keys)
		for one := make([]byte, 1); ; {
			if n, err := os.Stdin.Read(one); err != nil || n == 0 {
				return
			}
			keys <- one[0]
		}
	}()
	return keys, func() { _ = term.Restore(terminal, before) }, nil
}
