-- +goose Up
-- Times are UTC in RFC 3339 with nanoseconds, so that they sort as text.

CREATE TABLE accounts (
    name     TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    url      TEXT NOT NULL,
    user     TEXT NOT NULL DEFAULT '',
    -- Everything else the provider needs, as JSON. Never a secret.
    options  TEXT NOT NULL DEFAULT '{}',
    -- Where the secret is kept: none, keyring or memory.
    secret   TEXT NOT NULL DEFAULT 'none',
    added_at TEXT NOT NULL,
    -- What the watch remembers of it.
    instance  TEXT NOT NULL DEFAULT '',
    met       INTEGER NOT NULL DEFAULT 0,
    heartbeat INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE pages (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    upstream_id  TEXT NOT NULL,
    title        TEXT NOT NULL,
    service      TEXT NOT NULL,
    severity     TEXT NOT NULL,
    status       TEXT NOT NULL,
    triggered_at TEXT NOT NULL,
    first_seen   TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    ended_at     TEXT NOT NULL DEFAULT '',
    ending       TEXT NOT NULL DEFAULT '',
    -- When an answer was asked for that the service has not confirmed yet.
    answer_pressed_at TEXT NOT NULL DEFAULT '',
    -- The whole page and what was decided about it, as JSON.
    known        TEXT NOT NULL
) STRICT;
CREATE INDEX pages_by_end ON pages (ended_at);

CREATE TABLE epochs (
    page_id    TEXT NOT NULL REFERENCES pages (id) ON DELETE CASCADE,
    epoch      INTEGER NOT NULL,
    began_at   TEXT NOT NULL,
    rang       INTEGER NOT NULL DEFAULT 0,
    quieted    INTEGER NOT NULL DEFAULT 0,
    ending     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (page_id, epoch)
) STRICT;

-- What happened, in the order it happened. An entry without a page is about
-- the night as a whole.
CREATE TABLE timeline (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    page_id TEXT,
    epoch   INTEGER NOT NULL DEFAULT 0,
    at      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_by_page ON timeline (page_id, id);

-- Sentences that stay until somebody dismisses them.
CREATE TABLE notices (
    id      TEXT PRIMARY KEY,
    page_id TEXT NOT NULL,
    ending  TEXT NOT NULL,
    text    TEXT NOT NULL,
    at      TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE notices;
DROP TABLE timeline;
DROP TABLE epochs;
DROP TABLE pages;
DROP TABLE accounts;
