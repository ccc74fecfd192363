// Package terminal is the command line: the third face of the running agent,
// beside the tray and the windows, and the one that scripts rely on. It knows
// the agent's door and the words, and nothing of what is behind them.
package terminal

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"nightstand/app/control"
)

// Program is what the command line is given to work with.
type Program struct {
	Version string
	// Dial finds the running agent; its error is control.ErrNotRunning. It is
	// called after the home was chosen on the command line.
	Dial func() (*control.Client, error)
	// Accounts returns where accounts are set up: the running agent, or without
	// one this process itself, under the instance lock. done must be called.
	Accounts func(ctx context.Context) (accounts Accounts, done func(), err error)
	// RunAgent is the agent in the foreground, until it ends. Its error may have
	// an ExitCode of its own.
	RunAgent func(ctx context.Context, options AgentOptions) error
	// Start is what plain "nightstand" does: the guarded agent in the tray.
	Start func(ctx context.Context, options StartOptions) error
	// OpenWindow shows one window until it is closed. Its error may have an
	// ExitCode of its own.
	OpenWindow func(ctx context.Context, view string) error
	// Demo is the agent with the bundled paging service and a short night, in a
	// home that is thrown away. It calls tell beside it, and ends when tell does.
	Demo func(ctx context.Context, options AgentOptions, tell func(ctx context.Context, agent *control.Client, lasts time.Duration)) error
	// Keys lets single keys be read until restore is called; needed where
	// Terminal is set.
	Keys func() (keys <-chan byte, restore func(), err error)
	// Install and Uninstall return what they did in sentences, also with an error.
	Install, Uninstall func(ctx context.Context) (sentences []string, err error)
	// Doctor looks at what this machine offers.
	Doctor func(ctx context.Context) []Finding
	// LoginName is who the user is when --user does not say.
	LoginName string

	In       io.Reader
	Out, Err io.Writer
	// Terminal says that a person types: In is a terminal.
	Terminal bool
	// ReadSecret asks a person for a secret without showing it; needed where
	// Terminal is set.
	ReadSecret func(prompt string) (string, error)
}

// Accounts is where accounts are set up; *control.Client is one. Its errors
// are those of a control.Client.
type Accounts interface {
	AddAccount(ctx context.Context, asked control.NewAccount) (control.AccountReport, error)
	ListAccounts(ctx context.Context) ([]control.Account, error)
	TestAccount(ctx context.Context, name string) (control.AccountReport, error)
	RemoveAccount(ctx context.Context, name string) error
}

var _ Accounts = (*control.Client)(nil)

// AgentOptions say how the agent runs in the foreground.
type AgentOptions struct {
	// NoTray leaves the tray icon out.
	NoTray bool
	// NoWindow opens no alarm window when a page rings.
	NoWindow bool
	// Guarded puts a small parent process above it that starts it again.
	Guarded bool
}

// StartOptions are for plain "nightstand".
type StartOptions struct {
	// Say tells the person something, such as that an agent runs already.
	Say func(sentence string)
}

// How a command ends, for scripts.
const (
	exitDone       = 0
	exitNo         = 1  // the answer is no
	exitUsage      = 2  // called wrongly, or no such page or account
	exitNotRunning = 3  // no agent answers
	exitFinal      = 78 // an agent that no supervisor may start again
)

// commandLine is the grammar; the help text of commands is theirs, the
// overview is in overview.txt.
type commandLine struct {
	Status   statusCommand   `cmd:"" help:"Would you hear a page now, and what is open?"`
	Pages    pagesCommand    `cmd:"" help:"List the open pages, worst first."`
	Show     showCommand     `cmd:"" help:"Show everything known about one page."`
	Timeline timelineCommand `cmd:"" help:"Tell what happened lately, oldest first."`

	Ack      ackCommand      `cmd:"" help:"Acknowledge pages and wait until the service confirms it."`
	Unack    unackCommand    `cmd:"" help:"Take your acknowledgement back; the page calls again."`
	Resolve  resolveCommand  `cmd:"" help:"Resolve a page at its service."`
	Snooze   snoozeCommand   `cmd:"" help:"Acknowledge a page and let it call again later."`
	Escalate escalateCommand `cmd:"" help:"Hand a page to whoever is next."`
	Reassign reassignCommand `cmd:"" help:"Give a page to somebody."`
	Note     struct {
		Add noteAddCommand `cmd:"" help:"Keep a note about a page; it works offline."`
	} `cmd:"" help:"Keep notes."`
	Hush    hushCommand    `cmd:"" help:"Quiet for a minute. Nobody else is told, and nothing is acknowledged."`
	Dismiss dismissCommand `cmd:"" help:"Put away a sentence that was kept for you, such as why a siren ended."`

	Window windowCommand `cmd:"" help:"Show a window: would I be woken, and the open pages."`
	Drill  drillCommand  `cmd:"" help:"Fire drill: a page through the whole chain, with the times."`
	Demo   demoCommand   `cmd:"" help:"A short scripted night, with nothing set up and nothing left behind."`

	Account struct {
		Add    accountAddCommand    `cmd:"" help:"Set up a paging service."`
		Edit   accountEditCommand   `cmd:"" help:"Change how a paging service is set up."`
		List   accountListCommand   `cmd:"" help:"List the paging services that are set up."`
		Test   accountTestCommand   `cmd:"" help:"Ask a paging service whether everything is right."`
		Remove accountRemoveCommand `cmd:"" help:"Forget a paging service and its password."`
	} `cmd:"" help:"Set up, list, test and remove paging services."`

	Agent     agentCommand     `cmd:"" help:"Run the agent in the foreground: for services, over SSH, on small computers."`
	Install   installCommand   `cmd:"" help:"Start the agent at login and have it restarted if it dies."`
	Uninstall uninstallCommand `cmd:"" help:"Undo what install did."`
	Quit      quitCommand      `cmd:"" help:"End the agent. No page can ring here after that."`

	Doctor  doctorCommand  `cmd:"" help:"Look at what this machine offers: sound, notifications, tray, keyring."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// printing is the choice every command has that prints data.
type printing struct {
	JSON bool `help:"Print JSON, for scripts."`
}

// Run carries out one command line, without the program's own name, and
// returns the exit code.
func Run(ctx context.Context, p Program, args []string) int {
	s := newSession(ctx, p)
	if len(args) == 0 {
		return s.finish(p.Start(ctx, StartOptions{Say: s.say}), exitNo)
	}
	helped := false
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("nightstand"),
		kong.Writers(p.Out, p.Err),
		kong.Exit(func(int) { helped = true }),
		kong.Help(help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: widest}),
	)
	if err != nil {
		return s.finish(err, exitNo)
	}
	chosen, err := parser.Parse(args)
	switch {
	case helped:
		return exitDone
	case err != nil:
		return s.finish(misused(err), usageCode(args))
	}
	return s.finish(chosen.Run(s), usageCode(args))
}

// usageCode is the exit code of a wrong call. For the agent it is one after
// which no supervisor tries again.
func usageCode(args []string) int {
	if i := slices.IndexFunc(args, func(word string) bool { return !strings.HasPrefix(word, "-") }); i >= 0 && args[i] == "agent" {
		return exitFinal
	}
	return exitUsage
}

// usageError is a wrong call, in a sentence that says what would be right.
type usageError struct{ sentence string }

func (e *usageError) Error() string { return e.sentence }

// misused puts the parser's complaint into words and says where to read on.
func misused(err error) error {
	command := "nightstand"
	var parsing *kong.ParseError
	if errors.As(err, &parsing) && parsing.Context != nil {
		if selected := parsing.Context.Selected(); selected != nil {
			command = selected.FullPath()
		}
	}
	return &usageError{sentence(err.Error()) + " “" + command + " --help” shows how it is used."}
}

// errNo ends a command whose answer is no and has been printed already.
var errNo = errors.New("no")

// finish tells a person what went wrong and returns the exit code.
func (s *session) finish(err error, usage int) int {
	var (
		misuse *usageError
		coded  interface{ ExitCode() int }
	)
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errNo) {
		s.complain(err)
	}
	switch {
	case errors.As(err, &misuse):
		return usage
	case errors.As(err, &coded):
		return cmp.Or(coded.ExitCode(), exitNo)
	case errors.Is(err, control.ErrNotRunning), errors.Is(err, control.ErrSilent):
		return exitNotRunning
	case errors.Is(err, control.ErrUnknown):
		return exitUsage
	}
	return exitNo
}

// session is one command being carried out.
type session struct {
	Program
	ctx    context.Context
	now    func() time.Time // in the reader's zone
	typed  *bufio.Reader    // In, by lines
	screen screen

	writing sync.Mutex // of lines from several goroutines
	lineEnd string
}

// home is the profile this process works with, as others have to name it.
func (s *session) home() string { return os.Getenv("NIGHTSTAND_HOME") }

func newSession(ctx context.Context, p Program) *session {
	return &session{
		Program: p, ctx: ctx, now: time.Now,
		typed:  bufio.NewReader(p.In),
		screen: newScreen(p.Out, os.Getenv), lineEnd: "\n",
	}
}

// await lets a person take their time with an answer, and Ctrl-C end it.
func (s *session) await(answer func() (string, error)) (string, error) {
	type reply struct {
		text string
		err  error
	}
	given := make(chan reply, 1)
	go func() {
		text, err := answer()
		given <- reply{text, err}
	}()
	select {
	case r := <-given:
		return r.text, r.err
	case <-s.ctx.Done():
		return "", errors.New("stopped; nothing was changed")
	}
}
