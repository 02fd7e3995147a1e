-- Messages that are stored, and that the sink does not have yet. They are delivered in the order of their places. The
-- name is kept here, because the account may be removed before the delivery.

CREATE TABLE outbox (
    place     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user      TEXT    NOT NULL,
    user_hash BLOB    NOT NULL CHECK (length(user_hash) = 32), -- SHA-256 of the name
    kid       BLOB    NOT NULL CHECK (length(kid) = 32),       -- SHA-256 of the key
    id        INTEGER NOT NULL CHECK (id > 0),
    UNIQUE (user_hash, kid, id)
) STRICT;

PRAGMA user_version = 8;
