-- The first schema of a latchstring account store. Scripts are never changed once released: a change is a new script.
-- Each runs in one transaction and ends with its own number in user_version.

PRAGMA application_id = 1818326120; -- 0x6c617468, "lath": tells our files from other SQLite files

CREATE TABLE accounts (
    user_hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(user_hash) = 32), -- SHA-256 of the name
    user          TEXT    NOT NULL,
    kid           BLOB    NOT NULL CHECK (length(kid) = 32),                   -- SHA-256 of spki
    spki          BLOB    NOT NULL,
    password_hash TEXT    NOT NULL,                                            -- a PHC string
    created_at    INTEGER NOT NULL                                             -- seconds since 1970
) STRICT, WITHOUT ROWID;

-- Not tied to accounts by a foreign key: what was acknowledged stays, also when the account is removed.
CREATE TABLE messages (
    user_hash BLOB    NOT NULL,
    kid       BLOB    NOT NULL,
    id        INTEGER NOT NULL CHECK (id > 0),
    kind      INTEGER NOT NULL,
    text      TEXT    NOT NULL,
    PRIMARY KEY (user_hash, kid, id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
