package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"nightstand/app/config"
	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/app/secret"
	"nightstand/app/store"
	"nightstand/sync/provider"
)

// testPatience is how long a service may take to introduce itself.
const testPatience = 10 * time.Second

// Accounts sets paging services up, tests them and forgets them. The agent
// uses it, and so does the command line while no agent runs.
type Accounts struct {
	store    *store.Store
	keyring  secret.Keyring
	settings config.Settings
	log      *slog.Logger
	// inMemory says whether a secret may be kept in this process: only the
	// agent lives long enough.
	inMemory bool

	mu      sync.Mutex
	secrets map[string]string // what the user chose to keep in memory only
}

// NewAccounts works on the store and the keyring of one home. A nil store
// means that accounts can be neither read nor kept.
func NewAccounts(s *store.Store, keyring secret.Keyring, settings config.Settings, log *slog.Logger, inAgent bool) *Accounts {
	return &Accounts{store: s, keyring: keyring, settings: settings, log: log, inMemory: inAgent, secrets: map[string]string{}}
}

// accountName is what an account can be called: it stands in commands, paths
// and sentences.
var accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

var errNoStorage = &control.RefusedError{Sentence: "Accounts cannot be kept, because the database of this profile cannot be opened. “nightstand doctor” says more."}

// AddAccount tests an account and keeps it. The secret goes to the keyring
// and nowhere else. Its refusals are *control.RefusedError.
func (a *Accounts) AddAccount(ctx context.Context, asked control.NewAccount) (control.AccountReport, error) {
	if asked.Name == drillAccount {
		return control.AccountReport{}, &control.RefusedError{Sentence: "The name “drill” is kept for fire drills. Choose another one."}
	}
	return a.add(ctx, asked)
}

func (a *Accounts) add(ctx context.Context, asked control.NewAccount) (control.AccountReport, error) {
	switch {
	case a.store == nil && !asked.OnlyLook:
		return control.AccountReport{}, errNoStorage
	case !accountName.MatchString(asked.Name) && !asked.OnlyLook:
		return control.AccountReport{}, &control.RefusedError{Sentence: "An account's name is made of letters, digits, hyphen, dot and underscore, begins with a letter or digit, and has at most 64 of them."}
	}
	account := store.Account{
		Name: asked.Name, Provider: asked.Provider, URL: withoutQuery(asked.URL), User: asked.User, AddedAt: time.Now(),
		Options: store.AccountOptions{
			Auth: asked.Auth, CAFile: asked.CAFile, CertFile: asked.CertFile, KeyFile: asked.KeyFile, Proxy: asked.Proxy,
			Receiver: asked.Receiver, Filters: asked.Filters, Teams: asked.Teams, Query: asked.Query, Changes: asked.Changes,
			Heartbeats: asked.Heartbeats, SeverityLabel: asked.SeverityLabel, Severities: asked.Severities,
		},
		Secret: store.NoSecret,
	}
	if asked.Edit {
		return a.edit(ctx, account, asked)
	}
	if err := a.free(ctx, asked); err != nil {
		return control.AccountReport{}, err
	}
	test := a.test
	if asked.NoTest && !asked.OnlyLook {
		test = a.check
	}
	report, err := test(ctx, account, asked.Secret)
	if err != nil || asked.OnlyLook || !report.OK && !asked.NoTest {
		return report, err
	}
	return a.keepAccount(ctx, account, asked, report)
}

// edit changes an account: what is not named stays.
func (a *Accounts) edit(ctx context.Context, changes store.Account, asked control.NewAccount) (control.AccountReport, error) {
	before, err := a.find(ctx, asked.Name)
	if err != nil {
		return control.AccountReport{}, err
	}
	account := before
	account.URL, account.User = changed(before.URL, changes.URL), changed(before.User, changes.User)
	account.Options = changedOptions(before.Options, changes.Options)
	value := asked.Secret
	if value == "" {
		if value, err = a.secret(ctx, before); err != nil && !asked.NoTest {
			return control.AccountReport{Name: asked.Name, Kept: false, Error: err.Error()}, nil
		}
	}
	test := a.test
	if asked.NoTest {
		test = a.check
	}
	report, err := test(ctx, account, value)
	if err != nil || !report.OK && !asked.NoTest {
		return report, err
	}
	if asked.Secret != "" {
		return a.keepAccount(ctx, account, asked, report)
	}
	if err := a.store.PutAccount(ctx, account); err != nil {
		return report, notKept(err)
	}
	report.Kept = true
	return report, nil
}

// changed is a setting after an edit.
func changed(before, asked string) string {
	switch asked {
	case "":
		return before
	case control.Nothing:
		return ""
	}
	return asked
}

func changedOptions(before, asked store.AccountOptions) store.AccountOptions {
	after := before
	for _, one := range []struct{ into, asked *string }{
		{&after.Auth, &asked.Auth}, {&after.CAFile, &asked.CAFile}, {&after.CertFile, &asked.CertFile}, {&after.KeyFile, &asked.KeyFile},
		{&after.Proxy, &asked.Proxy}, {&after.Receiver, &asked.Receiver}, {&after.Query, &asked.Query}, {&after.Changes, &asked.Changes}, {&after.SeverityLabel, &asked.SeverityLabel},
	} {
		*one.into = changed(*one.into, *one.asked)
	}
	for _, one := range []struct{ into, asked *[]string }{
		{&after.Filters, &asked.Filters}, {&after.Heartbeats, &asked.Heartbeats}, {&after.Teams, &asked.Teams},
	} {
		switch {
		case len(*one.asked) == 1 && (*one.asked)[0] == control.Nothing:
			*one.into = nil
		case len(*one.asked) > 0:
			*one.into = *one.asked
		}
	}
	if len(asked.Severities) > 0 {
		after.Severities = maps.Clone(before.Severities)
		if after.Severities == nil {
			after.Severities = map[string]string{}
		}
		maps.Copy(after.Severities, asked.Severities)
	}
	return after
}

// keepAccount writes an account down, its secret first.
func (a *Accounts) keepAccount(ctx context.Context, account store.Account, asked control.NewAccount, report control.AccountReport) (control.AccountReport, error) {
	before, err := a.store.Account(ctx, asked.Name)
	if err != nil && !errors.Is(err, store.ErrNoAccount) {
		return report, notKept(err)
	}
	if account.Secret, err = a.keep(ctx, asked); err != nil {
		return report, err
	}
	if err := a.store.PutAccount(ctx, account); err != nil {
		if before.Secret != store.KeyringPlace {
			a.forgetInKeyring(ctx, account)
		}
		return report, notKept(err)
	}
	if account.Secret != store.KeyringPlace {
		a.forgetInKeyring(ctx, before)
	}
	report.Kept = true
	return report, nil
}

// withoutQuery leaves out what may carry a token ("?token=…") and is not part
// of a server's address.
func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

func notKept(err error) error {
	return &control.RefusedError{Sentence: "The account was not kept, because it cannot be written down: " + store.Why(err) + "."}
}

// forgetInKeyring takes a credential that no account needs any more out of the
// keyring. One that stays behind is worth a line in the log, not a refusal.
func (a *Accounts) forgetInKeyring(ctx context.Context, account store.Account) {
	if account.Secret != store.KeyringPlace {
		return
	}
	if err := a.keyring.Delete(ctx, account.Name); err != nil {
		a.log.Warn("an old credential stays in the keyring", "account", account.Name, "error", err)
	}
}

// free refuses a name that is taken.
func (a *Accounts) free(ctx context.Context, asked control.NewAccount) error {
	if asked.Replace || asked.OnlyLook {
		return nil
	}
	if _, err := a.store.Account(ctx, asked.Name); err == nil {
		return &control.RefusedError{Sentence: fmt.Sprintf("There is an account called %s already. Choose another name, or say --replace to set this one up anew.", asked.Name)}
	} else if !errors.Is(err, store.ErrNoAccount) {
		return err
	}
	return nil
}

// keep puts the secret where the user wants it.
func (a *Accounts) keep(ctx context.Context, asked control.NewAccount) (store.SecretPlace, error) {
	switch {
	case asked.Secret == "":
		a.forgetInMemory(asked.Name)
		return store.NoSecret, nil
	case asked.MemoryOnly && !a.inMemory:
		return "", &control.RefusedError{Sentence: "A credential can be kept in memory only by the running agent. Start “nightstand agent” first."}
	case asked.MemoryOnly:
		a.mu.Lock()
		defer a.mu.Unlock()
		a.secrets[asked.Name] = asked.Secret
		return store.MemoryPlace, nil
	}
	if err := a.keyring.Set(ctx, asked.Name, asked.Secret); err != nil {
		return "", &control.RefusedError{Sentence: err.Error()}
	}
	a.forgetInMemory(asked.Name)
	return store.KeyringPlace, nil
}

func (a *Accounts) forgetInMemory(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.secrets, name)
}

// secret finds the credential of an account.
func (a *Accounts) secret(ctx context.Context, account store.Account) (string, error) {
	switch account.Secret {
	case store.KeyringPlace:
		return a.keyring.Get(ctx, account.Name)
	case store.MemoryPlace:
		a.mu.Lock()
		defer a.mu.Unlock()
		if value, there := a.secrets[account.Name]; there {
			return value, nil
		}
		return "", &secret.Error{
			Sentence: fmt.Sprintf("The credential of %s was kept in memory only, as you chose, and ended with the agent that held it. Give it again with “nightstand account add --replace --name %s …”.", account.Name, account.Name),
			Cause:    secret.ErrNotThere,
		}
	}
	return "", nil
}

// TestAccount asks the service of a kept account who we are and what is open.
func (a *Accounts) TestAccount(ctx context.Context, name string) (control.AccountReport, error) {
	account, err := a.find(ctx, name)
	if err != nil {
		return control.AccountReport{}, err
	}
	value, err := a.secret(ctx, account)
	if err != nil {
		return control.AccountReport{Name: name, Kept: true, Error: err.Error()}, nil
	}
	report, err := a.test(ctx, account, value)
	report.Kept = true
	return report, err
}

func (a *Accounts) find(ctx context.Context, name string) (store.Account, error) {
	if a.store == nil {
		return store.Account{}, errNoStorage
	}
	account, err := a.store.Account(ctx, name)
	if errors.Is(err, store.ErrNoAccount) {
		return account, fmt.Errorf("%w: there is no account called %s", control.ErrUnknown, name)
	}
	return account, err
}

// RemoveAccount forgets an account, its pages and its credential. Where there
// is no keyring at all, the account goes all the same; one that is merely
// locked has to be opened first.
func (a *Accounts) RemoveAccount(ctx context.Context, name string) error {
	account, err := a.find(ctx, name)
	if err != nil {
		return err
	}
	if account.Secret == store.KeyringPlace {
		if err := a.keyring.Delete(ctx, name); err != nil && !errors.Is(err, secret.ErrAbsent) {
			return &control.RefusedError{Sentence: "The account was not removed, because its credential would stay behind. " + err.Error()}
		}
	}
	a.forgetInMemory(name)
	return a.store.DeleteAccount(ctx, name)
}

// forgetDrill takes away what a fire drill left behind that was cut short.
func (a *Accounts) forgetDrill(ctx context.Context) {
	if a.store == nil {
		return
	}
	if err := a.store.DeleteAccount(ctx, drillAccount); err != nil {
		a.log.Warn("the account of a drill that was cut short stays", "error", err)
	}
}

// ListAccounts returns the accounts as they were set up.
func (a *Accounts) ListAccounts(ctx context.Context) ([]control.Account, error) {
	if a.store == nil {
		return nil, errNoStorage
	}
	kept, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	listed := make([]control.Account, 0, len(kept))
	for _, account := range kept {
		listed = append(listed, describe(account))
	}
	return listed, nil
}

func describe(account store.Account) control.Account {
	return control.Account{
		Name: account.Name, Provider: account.Provider, URL: account.URL, User: account.User, Mine: mine(account),
	}
}

// severityTable reads the user's own table, from what the service says (a
// label's value, a priority, an urgency) to a severity.
func severityTable(words map[string]string) (map[string]page.Severity, error) {
	table := make(map[string]page.Severity, len(words))
	for _, value := range slices.Sorted(maps.Keys(words)) {
		severity := page.Severity(words[value])
		if !slices.Contains(page.Severities(), severity) {
			return nil, &provider.Error{Kind: provider.Invalid, Sentence: fmt.Sprintf("There is no severity “%s”. There are critical, degraded, minor, hidden and other.", page.Plain(words[value], 40))}
		}
		table[value] = severity
	}
	return table, nil
}

// check looks at the settings alone and asks nobody.
func (a *Accounts) check(_ context.Context, account store.Account, value string) (control.AccountReport, error) {
	report := control.AccountReport{Name: account.Name}
	service, err := a.connect(account, value)
	if err != nil {
		return report, &control.RefusedError{Sentence: provider.Sentence(err)}
	}
	service.Close()
	return report, nil
}

// test asks the service to introduce itself. A service that cannot be reached
// is a report and no error; a wrong setting is a refusal.
func (a *Accounts) test(ctx context.Context, account store.Account, value string) (control.AccountReport, error) {
	report := control.AccountReport{Name: account.Name}
	service, err := a.connect(account, value)
	if err != nil {
		return report, &control.RefusedError{Sentence: provider.Sentence(err)}
	}
	defer service.Close()
	ctx, cancel := context.WithTimeout(ctx, testPatience)
	defer cancel()
	introduction, err := service.Test(ctx)
	if err != nil {
		report.Error = provider.Sentence(err)
		report.WantsSecret = provider.KindOf(err) == provider.Refused
		return report, nil
	}
	report.OK, report.User, report.Service = true, introduction.User, introduction.Service
	report.Receivers = append(report.Receivers, introduction.Receivers...)
	report.Notes = append(report.Notes, introduction.Notes...)
	report.Lacks = append(report.Lacks, introduction.Lacks...)
	able := service.Capabilities()
	report.Expires = utc(able.Expires)
	for _, deed := range able.Deeds {
		report.Can = append(report.Can, string(deed))
	}
	for _, p := range introduction.Open {
		report.Open = append(report.Open, describePage(p))
		if p.Mine {
			report.Mine++
		}
	}
	return report, nil
}
