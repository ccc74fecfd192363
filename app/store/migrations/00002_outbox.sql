-- +goose Up
-- What people asked for and a paging service has not confirmed yet, in the
-- order in which it was asked for.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    page_id  TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    -- Whether a try may have arrived although no answer came.
    tried    INTEGER NOT NULL DEFAULT 0,
    -- The page and the errand, as JSON.
    page     TEXT NOT NULL,
    errand   TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_by_account ON outbox (account, id);

-- +goose Down
DROP TABLE outbox;
