package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Account is one paging service as it was set up, without its secret.
type Account struct {
	Name     string
	Provider string
	URL      string
	User     string
	Options  AccountOptions
	Secret   SecretPlace
	AddedAt  time.Time // UTC

	// What the watch remembers of it.
	Instance  string
	Met       bool
	Heartbeat bool
}

// AccountOptions is what only some providers need.
type AccountOptions struct {
	Auth          string            `json:"auth,omitempty"`
	CAFile        string            `json:"ca_file,omitempty"`
	CertFile      string            `json:"cert_file,omitempty"`
	KeyFile       string            `json:"key_file,omitempty"`
	Proxy         string            `json:"proxy,omitempty"`
	Teams         []string          `json:"teams,omitempty"`
	Query         string            `json:"query,omitempty"`
	Changes       string            `json:"changes,omitempty"`
	Receiver      string            `json:"receiver,omitempty"`
	Filters       []string          `json:"filters,omitempty"`
	Heartbeats    []string          `json:"heartbeats,omitempty"`
	SeverityLabel string            `json:"severity_label,omitempty"`
	Severities    map[string]string `json:"severities,omitempty"`
}

// SecretPlace says where an account's secret is kept.
type SecretPlace string

// The places of a secret. Memory is chosen by the user and ends with the agent.
const (
	NoSecret     SecretPlace = "none"
	KeyringPlace SecretPlace = "keyring"
	MemoryPlace  SecretPlace = "memory"
)

// ErrNoAccount says that no account has this name.
var ErrNoAccount = errors.New("there is no account of this name")

// PutAccount adds an account or replaces its settings; what is remembered of
// its pages stays.
func (s *Store) PutAccount(ctx context.Context, a Account) error {
	options, err := json.Marshal(a.Options)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `
		INSERT INTO accounts (name, provider, url, user, options, secret, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET provider = excluded.provider, url = excluded.url,
			user = excluded.user, options = excluded.options, secret = excluded.secret`,
		a.Name, a.Provider, a.URL, a.User, string(options), string(a.Secret), asText(a.AddedAt))
	if err != nil {
		return fmt.Errorf("keep the account %s: %w", a.Name, err)
	}
	return nil
}

// DeleteAccount removes an account and its pages; the timeline stays.
func (s *Store) DeleteAccount(ctx context.Context, name string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM accounts WHERE name = ?`, name)
	return err
}

// Account returns one account, or ErrNoAccount.
func (s *Store) Account(ctx context.Context, name string) (Account, error) {
	all, err := s.Accounts(ctx)
	if err != nil {
		return Account{}, err
	}
	for _, a := range all {
		if a.Name == name {
			return a, nil
		}
	}
	return Account{}, ErrNoAccount
}

// Accounts returns all accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT name, provider, url, user, options, secret, added_at, instance, met, heartbeat FROM accounts ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	defer rows.Close()
	var all []Account
	for rows.Next() {
		var a Account
		var options, addedAt string
		if err := rows.Scan(&a.Name, &a.Provider, &a.URL, &a.User, &options, &a.Secret, &addedAt, &a.Instance, &a.Met, &a.Heartbeat); err != nil {
			return nil, fmt.Errorf("read the accounts: %w", err)
		}
		if err := json.Unmarshal([]byte(options), &a.Options); err != nil {
			return nil, fmt.Errorf("read the options of the account %s: %w", a.Name, err)
		}
		a.AddedAt = asTime(addedAt)
		all = append(all, a)
	}
	return all, rows.Err()
}
