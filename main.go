// Nightstand makes sure that the person on call hears the page. This file joins
// the command line to the agent; everything else lives in the rooms beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"

	"golang.org/x/term"

	"nightstand/app"
	"nightstand/ui/terminal"
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
		Install:  app.Install, Uninstall: app.Uninstall,
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
		ReadSecret: readSecret,
	}
}

// runAgent is the agent in the foreground, with or without its guard.
func runAgent(ctx context.Context, options terminal.AgentOptions) error {
	if !options.Guarded {
		return app.Run(ctx, app.Options{Version: version, NoTray: options.NoTray})
	}
	arguments := []string{"agent"}
	if options.NoTray {
		arguments = append(arguments, "--no-tray")
	}
	return app.RunGuarded(ctx, arguments...)
}

// start is plain "nightstand": a guarded agent, unless one is running.
func start(ctx context.Context, options terminal.StartOptions) error {
	if _, err := app.Dial(); err == nil {
		options.Say("Nightstand is running already. “nightstand status” shows it.")
		return nil
	}
	return app.RunGuarded(ctx, "agent")
}

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
