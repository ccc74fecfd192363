package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Errand is something that still has to be told to a paging service. Page and
// Errand are the caller's own records, kept as they are.
type Errand struct {
	ID      int64
	Account string
	PageID  string
	Asked   time.Time // UTC
	Tried   bool
	Page    json.RawMessage
	Errand  json.RawMessage
}

// PutErrand keeps an errand and returns its number; it is on the disk when
// this returns. The error is ErrNoAccount when the account is gone.
func (s *Store) PutErrand(ctx context.Context, e Errand) (int64, error) {
	result, err := s.db.ExecContext(ctx, `
		INSERT INTO outbox (account, page_id, asked_at, tried, page, errand)
		SELECT name, ?, ?, ?, ?, ? FROM accounts WHERE name = ?`,
		e.PageID, asText(e.Asked), e.Tried, string(e.Page), string(e.Errand), e.Account)
	if err != nil {
		return 0, fmt.Errorf("keep an errand: %w", err)
	}
	if kept, err := result.RowsAffected(); err == nil && kept == 0 {
		return 0, ErrNoAccount
	}
	return result.LastInsertId()
}

// MarkErrandTried notes, before an errand is sent, that it may arrive.
func (s *Store) MarkErrandTried(ctx context.Context, id int64) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE outbox SET tried = 1 WHERE id = ?`, id); err != nil {
		return fmt.Errorf("mark an errand: %w", err)
	}
	return nil
}

// DropErrand forgets an errand that is done, or that is not wanted any more.
func (s *Store) DropErrand(ctx context.Context, id int64) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM outbox WHERE id = ?`, id); err != nil {
		return fmt.Errorf("forget an errand: %w", err)
	}
	return nil
}

// Errands lists what waits for an account, oldest first.
func (s *Store) Errands(ctx context.Context, account string) ([]Errand, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, account, page_id, asked_at, tried, page, errand FROM outbox WHERE account = ? ORDER BY id`, account)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	defer rows.Close()
	var all []Errand
	for rows.Next() {
		var e Errand
		var asked string
		var page, errand []byte
		if err := rows.Scan(&e.ID, &e.Account, &e.PageID, &asked, &e.Tried, &page, &errand); err != nil {
			return nil, fmt.Errorf("read the outbox: %w", err)
		}
		e.Asked, e.Page, e.Errand = asTime(asked), page, errand
		all = append(all, e)
	}
	return all, rows.Err()
}
