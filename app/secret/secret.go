// Package secret keeps credentials in the keyring of the operating system and
// nowhere else. Every call answers within seconds, also where the keyring is
// locked or absent, and its errors are sentences for people.
package secret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/zalando/go-keyring"
)

// patience is how long the keyring may take; a locked one never answers.
const patience = 3 * time.Second

// The ways a keyring can fail. Each wraps into a sentence by Error.
var (
	ErrAbsent   = errors.New("no keyring answers on this machine")
	ErrLocked   = errors.New("the keyring is locked")
	ErrNotThere = errors.New("the keyring does not hold the credential")
)

// Error is a failure in words for people. It never holds the secret.
type Error struct {
	Sentence string
	Cause    error
}

func (e *Error) Error() string { return e.Sentence }

// Unwrap returns ErrAbsent, ErrLocked, ErrNotThere or what the keyring said.
func (e *Error) Unwrap() error { return e.Cause }

// Keyring holds the credentials of one home; two homes do not meet in it.
type Keyring struct {
	service string
}

// ForHome returns the keyring entries that belong to the home at this path.
func ForHome(path string) Keyring {
	sum := sha256.Sum256([]byte(path))
	return Keyring{service: "nightstand-" + hex.EncodeToString(sum[:6])}
}

// Get returns the secret of an account.
func (k Keyring) Get(ctx context.Context, account string) (string, error) {
	return within(ctx, opened(func() (string, error) { return keyring.Get(k.service, account) }))
}

// Set keeps the secret of an account and reads it back, because some keyrings
// take a secret and lose it.
func (k Keyring) Set(ctx context.Context, account, value string) error {
	kept, err := within(ctx, opened(func() (string, error) {
		if err := keyring.Set(k.service, account, value); err != nil {
			return "", err
		}
		return keyring.Get(k.service, account)
	}))
	if err == nil && kept != value {
		return explain(errors.New("it gave back something else than it was given"))
	}
	return err
}

// Delete forgets the secret of an account; that there was none is no error.
func (k Keyring) Delete(ctx context.Context, account string) error {
	_, err := within(ctx, opened(func() (string, error) { return "", keyring.Delete(k.service, account) }))
	if errors.Is(err, ErrNotThere) {
		return nil
	}
	return err
}

// Look says whether the keyring could be used now, without asking for anything
// in it.
func Look(ctx context.Context) error {
	_, err := within(ctx, opened(func() (string, error) { return "", nil }))
	return err
}

// opened does something only with a keyring that is there and open.
func opened(do func() (string, error)) func() (string, error) {
	return func() (string, error) {
		if err := ready(); err != nil {
			return "", err
		}
		return do()
	}
}

// within gives up on a keyring that does not answer. The call itself cannot be
// stopped and is left behind; nobody looks at what it still brings.
func within(ctx context.Context, do func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type answer struct {
		value string
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, explain(a.err)
	case <-ctx.Done():
		return "", explain(ErrLocked)
	}
}

func explain(err error) error {
	const otherwise = " If there is none, “nightstand account add … --memory-only” keeps the credential in the agent's memory until it is stopped."
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound), errors.Is(err, ErrNotThere):
		return &Error{Sentence: "The keyring does not hold the credential. Give it again with “nightstand account add --replace …”.", Cause: ErrNotThere}
	case errors.Is(err, ErrLocked):
		return &Error{Sentence: "The keyring of this desktop is locked or does not answer, so the credential cannot be read or kept. Unlock it (log in to the desktop, or open its password manager) and try again." + otherwise, Cause: ErrLocked}
	case errors.Is(err, ErrAbsent), errors.Is(err, keyring.ErrUnsupportedPlatform):
		return &Error{Sentence: "There is no keyring in this session to keep the credential in. Start one (GNOME Keyring or KWallet) and try again." + otherwise, Cause: ErrAbsent}
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return &Error{Sentence: "The credential is too long for the keyring of this system.", Cause: err}
	}
	return &Error{Sentence: "The keyring refused: " + err.Error() + "." + otherwise, Cause: err}
}
