package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nightstand/app/control"
	"nightstand/app/home"
	"nightstand/app/secret"
	"nightstand/app/supervise"
)

// Dial finds the running agent of this profile, also where the profile could
// not be written. Its error is control.ErrNotRunning.
func Dial() (*control.Client, error) {
	places, err := home.Find()
	if err != nil {
		return nil, err
	}
	for _, address := range []string{places.Address, places.Temporary().Address} {
		client, err := control.Dial(address)
		if err != nil {
			continue
		}
		if client.Answers(context.Background()) {
			return client, nil
		}
	}
	return nil, control.ErrNotRunning
}

// AccountSetup sets accounts up: the running agent, or this process when none
// runs. Client and Accounts have the same methods.
type AccountSetup interface {
	AddAccount(ctx context.Context, asked control.NewAccount) (control.AccountReport, error)
	ListAccounts(ctx context.Context) ([]control.Account, error)
	TestAccount(ctx context.Context, name string) (control.AccountReport, error)
	RemoveAccount(ctx context.Context, name string) error
}

// OpenAccounts returns where accounts are set up. Without a running agent this
// process takes the profile's lock until done is called.
func OpenAccounts(ctx context.Context) (accounts AccountSetup, done func(), err error) {
	if client, err := Dial(); err == nil {
		return client, func() {}, nil
	}
	places, lock, err := claim()
	if errors.As(err, &RunningError{}) {
		return nil, nil, errors.New("the Nightstand agent of this profile is running but does not answer; end it and try again")
	}
	if err != nil {
		return nil, nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	settings, _ := loadSettings(places) // what is wrong with it is the agent's to say
	kept, _ := openStore(ctx, places, quiet)
	done = func() {
		if kept != nil {
			kept.Close()
		}
		lock.Unlock()
	}
	return NewAccounts(kept, secret.ForHome(places.Name()), settings, quiet, false), done, nil
}

// RunGuarded runs the agent under a small parent process that starts it again
// when it dies or hangs. The agent is the same program, called with arguments.
func RunGuarded(ctx context.Context, arguments ...string) error {
	if _, err := Dial(); err == nil {
		return RunningError{}
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	return supervise.Guard(ctx, supervise.Options{
		Command: append([]string{executable}, arguments...),
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}

// Install registers the agent with the system's supervisor.
func Install(ctx context.Context) ([]string, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	places, err := home.Find()
	if err != nil {
		return nil, err
	}
	report, err := supervise.Install(ctx, supervise.Registration{Executable: executable, Home: places.Given})
	return report.Sentences, err
}

// Uninstall undoes Install.
func Uninstall(ctx context.Context) ([]string, error) {
	report, err := supervise.Uninstall(ctx)
	return report.Sentences, err
}

// UntilAsked returns a context that ends when the system asks the process to.
func UntilAsked() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}
