package app

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/sync/provider"
)

// retryAccounts is how often accounts whose credential could not be read are
// tried again, and the keyring is looked at.
const retryAccounts = 10 * time.Second

// lookAgainAtAccounts is how often the keyring is looked at while all is well.
const lookAgainAtAccounts = time.Minute

// keyringSignal names what says whether credentials can be read.
const keyringSignal = "keyring"

// refreshAccounts asks for the accounts to be read again at once.
func (a *Agent) refreshAccounts() {
	select {
	case a.lines.refresh <- struct{}{}:
	default:
	}
}

// takeUpAccounts connects the accounts that are set up, and keeps at it while
// the keyring is locked or absent.
func (a *Agent) takeUpAccounts(ctx context.Context) {
	if a.parts.Accounts == nil || a.parts.Store == nil {
		return
	}
	for {
		again := lookAgainAtAccounts
		if !a.lines.takeUp(ctx, a.parts.Accounts) {
			again = retryAccounts
		}
		select {
		case <-a.lines.refresh:
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// takeUp connects every account that is not connected as it is set up now. It
// returns whether none is left without.
func (l *lines) takeUp(ctx context.Context, accounts *Accounts) bool {
	all, err := accounts.store.Accounts(ctx)
	if err != nil {
		l.log.Error("could not read the accounts", "error", err)
		return false
	}
	whole := true
	l.cutRemoved(all)
	for _, account := range all {
		account.Instance, account.Met, account.Heartbeat = "", false, false // not part of how it is set up
		value, err := accounts.secret(ctx, account)
		var service provider.Provider
		if l.connected(account, value, err == nil) {
			continue // also when the keyring was locked meanwhile: we have it
		}
		if err == nil {
			service, err = accounts.connect(account, value)
		}
		l.remember(account, value, err)
		if err != nil {
			whole = false
			l.hangUp(account.Name) // what is open is not how it is set up now
			l.log.Warn("account not connected", "account", account.Name, "error", err)
			l.agent.Observe(watch.AccountAdded{Name: account.Name})
			l.agent.Observe(watch.PollFailed{Account: account.Name, Sentence: sentence(err)})
			continue
		}
		l.connect(ctx, account.Name, service)
	}
	l.agent.lookAtCredentials()
	l.agent.lookAtKeyring(ctx, all)
	return whole
}

// cutRemoved ends what is no longer set up, also when it was removed while an
// earlier round was still connecting it.
func (l *lines) cutRemoved(all []store.Account) {
	l.mu.Lock()
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(l.accounts)), func(name string) bool {
		return slices.ContainsFunc(all, func(a store.Account) bool { return a.Name == name })
	})
	l.mu.Unlock()
	for _, name := range gone {
		l.cut(name)
		l.agent.Observe(watch.AccountRemoved{Name: name})
	}
}

func (l *lines) connected(account store.Account, value string, read bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := !read || l.secrets[account.Name] == value
	return same && l.open[account.Name] != nil && reflect.DeepEqual(l.accounts[account.Name], account)
}

// remember keeps how an account is set up and what keeps it from being connected.
func (l *lines) remember(account store.Account, value string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accounts[account.Name], l.secrets[account.Name] = account, value
	if err != nil {
		l.missing[account.Name] = sentence(err)
	} else {
		delete(l.missing, account.Name)
	}
}

// lookAtCredentials sums up whether every credential is there and does.
func (a *Agent) lookAtCredentials() {
	l := a.lines
	l.mu.Lock()
	var wrong, unknown []string
	for _, name := range slices.Sorted(maps.Keys(l.missing)) {
		wrong = append(wrong, name+": "+l.missing[name])
	}
	for _, name := range slices.Sorted(maps.Keys(l.open)) {
		switch taken := l.open[name].taken.Load(); {
		case taken == nil:
			unknown = append(unknown, name)
		case !*taken:
			wrong = append(wrong, name+": the service refuses the credential")
		}
	}
	some := len(l.accounts) > 0
	soon, over := l.runningOut(time.Now())
	l.mu.Unlock()
	wrong = append(wrong, over...)
	a.Observe(expirySeen(soon))
	switch {
	case len(wrong) > 0:
		a.Observe(watch.SignalSeen{Name: watch.SignalCredential, State: watch.SignalFailed, Detail: strings.Join(wrong, "; ")})
	case !some:
		a.Observe(watch.SignalSeen{Name: watch.SignalCredential, State: watch.SignalUnknown, Detail: "no account is set up"})
	case len(unknown) > 0:
		a.Observe(watch.SignalSeen{Name: watch.SignalCredential, State: watch.SignalUnknown, Detail: strings.Join(unknown, ", ") + ": not known before the service has answered once"})
	default:
		a.Observe(watch.SignalSeen{Name: watch.SignalCredential, State: watch.SignalOK, Detail: "accepted at the last look"})
	}
}

// A credential that ends within a night leaves the night unguarded; one that
// ends within a week is worth a sentence by day.
const (
	aNight = 16 * time.Hour
	aWeek  = 7 * 24 * time.Hour
)

// runningOut names the credentials that end soon, and those that do not last
// the night. It is called with the lock held.
func (l *lines) runningOut(now time.Time) (soon, over []string) {
	for _, name := range slices.Sorted(maps.Keys(l.open)) {
		switch ends := l.open[name].service.Capabilities().Expires; {
		case ends.IsZero() || ends.After(now.Add(aWeek)):
		case ends.After(now.Add(aNight)):
			soon = append(soon, name+": the credential runs out on "+ends.In(time.Local).Format("Monday 2 January at 15:04"))
		default:
			over = append(over, name+": the credential runs out at "+ends.In(time.Local).Format("15:04 on Monday")+", within the night")
		}
	}
	return soon, over
}

func expirySeen(soon []string) watch.SignalSeen {
	if len(soon) == 0 {
		return watch.SignalSeen{Name: "credential_expiry", State: watch.SignalOK, Detail: "no credential is known to run out within a week"}
	}
	return watch.SignalSeen{Name: "credential_expiry", State: watch.SignalWarning, Detail: strings.Join(soon, "; ") + ". Make a new one and give it with “nightstand account edit”"}
}

// lookAtKeyring says whether the keyring answers, which matters only to
// accounts that keep something in it.
func (a *Agent) lookAtKeyring(ctx context.Context, accounts []store.Account) {
	seen := watch.SignalSeen{Name: keyringSignal, State: watch.SignalOK, Detail: "answers"}
	if err := secret.Look(ctx); err != nil {
		seen.State, seen.Detail = watch.SignalWarning, sentence(err)
		uses := func(account store.Account) bool { return account.Secret == store.KeyringPlace }
		if slices.ContainsFunc(accounts, uses) {
			seen.State = watch.SignalFailed
		}
	}
	a.Observe(seen)
}
