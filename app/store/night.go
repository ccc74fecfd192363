package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"nightstand/app/page"
)

// Page is one page with what was decided about it. Known is the caller's own
// record, kept as it is.
type Page struct {
	Page          page.Page
	FirstSeen     time.Time
	Epoch         int
	Rang          bool
	Quieted       bool
	EndedAt       time.Time // zero while it is open
	Ending        string
	AnswerPressed time.Time // zero when no answer is under way
	Known         json.RawMessage
}

// Entry is one line of the timeline.
type Entry struct {
	PageID string
	Epoch  int
	At     time.Time
	Kind   string
	Text   string
}

// Notice is a sentence that stays until it is dismissed.
type Notice struct {
	ID     string
	PageID string
	Ending string
	Text   string
	At     time.Time
}

// Night collects writes that belong together; they are kept all or none.
type Night struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

// Write runs the writes of do in one transaction. It returns when they are on
// the disk. An account whose pages are written must exist; pages of accounts
// that were removed meanwhile are passed over.
func (s *Store) Write(ctx context.Context, do func(*Night)) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	n := &Night{ctx: ctx, tx: tx}
	do(n)
	if n.err != nil {
		tx.Rollback()
		return fmt.Errorf("write to the database: %w", n.err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write to the database: %w", err)
	}
	return nil
}

func (n *Night) exec(query string, values ...any) {
	if n.err == nil {
		_, n.err = n.tx.ExecContext(n.ctx, query, values...)
	}
}

// Page keeps a page and its epoch.
func (n *Night) Page(p Page) {
	var there int
	if n.err == nil {
		n.err = n.tx.QueryRowContext(n.ctx, `SELECT count(*) FROM accounts WHERE name = ?`, p.Page.Account).Scan(&there)
	}
	if there == 0 {
		return
	}
	n.exec(`
		INSERT INTO pages (id, account, upstream_id, title, service, severity, status, triggered_at, first_seen, epoch, ended_at, ending, answer_pressed_at, known)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, service = excluded.service, severity = excluded.severity,
			status = excluded.status, triggered_at = excluded.triggered_at, epoch = excluded.epoch, ended_at = excluded.ended_at,
			ending = excluded.ending, answer_pressed_at = excluded.answer_pressed_at, known = excluded.known`,
		p.Page.ID, p.Page.Account, p.Page.UpstreamID, p.Page.Title, p.Page.Service, string(p.Page.Severity), string(p.Page.Status),
		asText(p.Page.TriggeredAt), asText(p.FirstSeen), p.Epoch, asText(p.EndedAt), p.Ending, asText(p.AnswerPressed), string(p.Known))
	n.exec(`
		INSERT INTO epochs (page_id, epoch, began_at, rang, quieted, ending) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (page_id, epoch) DO UPDATE SET rang = max(rang, excluded.rang), quieted = max(quieted, excluded.quieted), ending = excluded.ending`,
		p.Page.ID, p.Epoch, asText(time.Now()), p.Rang, p.Quieted, p.Ending)
}

// Entry adds a line to the timeline.
func (n *Night) Entry(e Entry) {
	var pageID any
	if e.PageID != "" {
		pageID = e.PageID
	}
	n.exec(`INSERT INTO timeline (page_id, epoch, at, kind, text) VALUES (?, ?, ?, ?, ?)`,
		pageID, e.Epoch, asText(e.At), e.Kind, e.Text)
}

// Notice keeps a sentence until it is dropped.
func (n *Night) Notice(x Notice) {
	n.exec(`INSERT INTO notices (id, page_id, ending, text, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		x.ID, x.PageID, x.Ending, x.Text, asText(x.At))
}

// DropNotice deletes a dismissed sentence.
func (n *Night) DropNotice(id string) { n.exec(`DELETE FROM notices WHERE id = ?`, id) }

// RememberAccount keeps what the watch knows of an account.
func (n *Night) RememberAccount(name, instance string, met, heartbeat bool) {
	n.exec(`UPDATE accounts SET instance = ?, met = ?, heartbeat = ? WHERE name = ?`, instance, met, heartbeat, name)
}

// Remembered returns the records of all open pages, and of those that ended
// after since.
func (s *Store) Remembered(ctx context.Context, since time.Time) ([]json.RawMessage, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT known FROM pages WHERE ended_at = '' OR ended_at > ? ORDER BY id`, asText(since))
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	defer rows.Close()
	var all []json.RawMessage
	for rows.Next() {
		var known []byte
		if err := rows.Scan(&known); err != nil {
			return nil, fmt.Errorf("read the pages: %w", err)
		}
		all = append(all, known)
	}
	return all, rows.Err()
}

// Notices returns all kept sentences, oldest first.
func (s *Store) Notices(ctx context.Context) ([]Notice, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, page_id, ending, text, at FROM notices ORDER BY at, id`)
	if err != nil {
		return nil, fmt.Errorf("read the kept sentences: %w", err)
	}
	defer rows.Close()
	var all []Notice
	for rows.Next() {
		var n Notice
		var at string
		if err := rows.Scan(&n.ID, &n.PageID, &n.Ending, &n.Text, &at); err != nil {
			return nil, fmt.Errorf("read the kept sentences: %w", err)
		}
		n.At = asTime(at)
		all = append(all, n)
	}
	return all, rows.Err()
}

// Timeline returns the newest entries of one page, oldest first; of the whole
// night when pageID is empty.
func (s *Store) Timeline(ctx context.Context, pageID string, most int) ([]Entry, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT page_id, epoch, at, kind, text FROM (
			SELECT id, coalesce(page_id, '') AS page_id, epoch, at, kind, text FROM timeline
			WHERE ?1 = '' OR page_id = ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id`, pageID, most)
	if err != nil {
		return nil, fmt.Errorf("read the timeline: %w", err)
	}
	defer rows.Close()
	all := []Entry{}
	for rows.Next() {
		var e Entry
		var at string
		if err := rows.Scan(&e.PageID, &e.Epoch, &at, &e.Kind, &e.Text); err != nil {
			return nil, fmt.Errorf("read the timeline: %w", err)
		}
		e.At = asTime(at)
		all = append(all, e)
	}
	return all, rows.Err()
}
