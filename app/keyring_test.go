//go:build linux

package app

import (
	"path/filepath"
	"strings"
	"testing"

	"nightstand/app/config"
	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/tray/desktoptest"
)

func TestALockedAwayCredentialIsSaidAndTakenUpWhenItIsBack(t *testing.T) {
	desktop := desktoptest.New(t, "gnome-keyring-daemon")
	o := opensOffice(t)
	accounts := o.agent.parts.Accounts
	account := store.Account{Name: "prod", Provider: "alertmanager", URL: "http://127.0.0.1:1", User: "anna", Secret: store.KeyringPlace}
	if err := o.agent.parts.Store.PutAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	o.agent.refreshAccounts()
	o.until("the missing credential is said", func() bool {
		return strings.Contains(o.account("prod").Error, "There is no keyring in this session") &&
			o.signal(watch.SignalCredential).State == watch.SignalFailed && o.signal(keyringSignal).State == watch.SignalFailed
	})
	if detail := o.signal(watch.SignalCredential).Detail; !strings.HasPrefix(detail, "prod: There is no keyring") {
		t.Errorf("the signal says %q", detail)
	}
	if o.agent.lines.find("prod") != nil {
		t.Error("it is connected without its credential")
	}

	desktop.Start("sh", "-c", "printf night | exec gnome-keyring-daemon --foreground --unlock --components=secrets")
	desktop.Until("the keyring is open", func() bool { return secret.Look(t.Context()) == nil })
	if err := accounts.keyring.Set(t.Context(), "prod", "hears-every-page"); err != nil {
		t.Fatal(err)
	}
	o.agent.refreshAccounts()
	o.until("it is connected", func() bool {
		return o.agent.lines.find("prod") != nil && o.signal(watch.SignalCredential).State == watch.SignalUnknown &&
			strings.Contains(o.account("prod").Error, "refuses connections")
	})

	t.Run("replaced by an account without one", func(t *testing.T) {
		new := asked("prod", "http://127.0.0.1:1")
		new.NoTest, new.Replace = true, true
		if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
			t.Fatal(err)
		}
		if left, err := accounts.keyring.Get(t.Context(), "prod"); err == nil {
			t.Errorf("the old credential stays in the keyring (%d bytes)", len(left))
		}
	})
	t.Run("removed with its credential", func(t *testing.T) {
		new := asked("prod", "http://127.0.0.1:1")
		new.NoTest, new.Replace, new.Secret = true, true, "hears-every-page"
		if _, err := o.agent.AddAccount(t.Context(), new); err != nil {
			t.Fatal(err)
		}
		if kept, err := accounts.keyring.Get(t.Context(), "prod"); err != nil || kept != new.Secret {
			t.Fatalf("it was not kept: %v", err)
		}
		if err := o.agent.RemoveAccount(t.Context(), "prod"); err != nil {
			t.Fatal(err)
		}
		if _, err := accounts.keyring.Get(t.Context(), "prod"); err == nil {
			t.Error("the credential of a removed account stays in the keyring")
		}
	})
	t.Run("not kept by the database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "n.db")
		database(t, path).Close()
		kept, err := store.OpenToRead(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		alone := NewAccounts(kept, accounts.keyring, config.Defaults(), discard(), false)
		new := asked("other", "http://127.0.0.1:1")
		new.NoTest, new.Secret = true, "hears-every-page"
		if _, err := alone.AddAccount(t.Context(), new); err == nil || !strings.Contains(err.Error(), "the file may not be written.") {
			t.Errorf("it gave %v", err)
		}
		if _, err := accounts.keyring.Get(t.Context(), "other"); err == nil {
			t.Error("the credential of an account that was not kept stays in the keyring")
		}
	})
	if strings.Contains(o.log.String(), "hears-every-page") {
		t.Error("the credential is in the log")
	}
}
