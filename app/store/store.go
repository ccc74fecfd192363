// Package store keeps what must survive the process in one SQLite file:
// accounts without their secrets, pages and their epochs, the timeline, and
// sentences nobody has dismissed yet. It decides nothing.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is one open database. Its methods may be called from any goroutine;
// when one returns without an error, what it was given survives a power cut.
type Store struct {
	db *sql.DB
}

// DamagedError says that the file is not a usable database and was moved
// aside; nothing was deleted.
type DamagedError struct {
	MovedTo string
	Cause   error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the database was damaged and was set aside as %s (%v)", e.MovedTo, e.Cause)
}

// Unwrap returns what was wrong with the file.
func (e *DamagedError) Unwrap() error { return e.Cause }

// Open opens the database at path, creating and migrating it as needed. Only
// the process that holds the instance lock may call it: two at once would
// migrate against each other. If the file is damaged it is moved aside and a
// fresh one is opened; then a usable Store and a *DamagedError are returned.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	s, err := open(ctx, path)
	if err == nil || !damaged(err) {
		return s, err
	}
	aside, moveErr := setAside(path)
	if moveErr != nil {
		return nil, errors.Join(err, moveErr)
	}
	s, again := open(ctx, path)
	if again != nil {
		return nil, errors.Join(err, again)
	}
	return s, &DamagedError{MovedTo: aside, Cause: err}
}

// OpenToRead opens a database that cannot be written, as on a full or
// read-only disk. Every write to it fails.
func OpenToRead(ctx context.Context, path string) (*Store, error) {
	s, err := openToRead(ctx, path, "mode=ro")
	if err == nil {
		return s, nil
	}
	// Reading what a killed run had not yet moved into the file needs the
	// file's companions; without them the file alone still names the accounts.
	return openToRead(ctx, path, "mode=ro&immutable=1")
}

func openToRead(ctx context.Context, path, how string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+how)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db}
	if _, err := s.Accounts(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, path string) (*Store, error) {
	// The file must not be readable by others; SQLite creates its companions
	// with the same mode.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	file.Close()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, err
	}
	// One connection: SQLite has one writer anyway, and the agent's reads are few.
	db.SetMaxOpenConns(1)
	s := &Store{db: db}
	if err := s.prepare(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// dsn asks for what makes a returned write durable: WAL with synchronous FULL.
func dsn(path string) string {
	query := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		"cache_size(-2000)", "secure_delete(ON)",
	}, "_txlock": {"immediate"}}
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + query.Encode()
}

var errDamaged = errors.New("the file is not a sound database")

func (s *Store) prepare(ctx context.Context) error {
	var verdict string
	if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("look whether the database is sound: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(goose.DialectSQLite3, s.db, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bring the database to this version's form: %w", err)
	}
	return nil
}

// damaged tells a broken file from one that cannot be used now: a full disk or
// another program's lock must never cost somebody the accounts.
func damaged(err error) bool {
	code := resultOf(err)
	return errors.Is(err, errDamaged) || code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// resultOf is SQLite's primary result code of a failure; 0 if it is not SQLite's.
func resultOf(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code() & 0xff
	}
	return 0
}

// Why says in words that fit into a sentence what kept the database from being
// opened, read or written. The error itself is for the log.
func Why(err error) string {
	switch resultOf(err) {
	case sqlite3.SQLITE_FULL:
		return "the disk is full"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return "the file may not be written"
	case sqlite3.SQLITE_CANTOPEN:
		return "the file or its folder may not be opened"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another program holds the file"
	case sqlite3.SQLITE_IOERR:
		return "the disk cannot be read or written"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "the file is damaged"
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full"
	case errors.Is(err, syscall.EROFS):
		return "the disk is read-only"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not open the file"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "it took too long"
	}
	return "the database does not work"
}

func setAside(path string) (string, error) {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405Z")
	for _, companion := range []string{"-wal", "-shm", ""} {
		err := os.Rename(path+companion, aside+companion)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set the damaged database aside: %w", err)
		}
	}
	return aside, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

const timeForm = "2006-01-02T15:04:05.000000000Z"

func asText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeForm)
}

func asTime(text string) time.Time {
	at, err := time.Parse(timeForm, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
