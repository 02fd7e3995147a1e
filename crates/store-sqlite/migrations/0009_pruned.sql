-- Messages that were pruned, the last ones of each log: enough to know a repetition for one, and no text. With a log's last
-- message here, its ids go on where they were.

CREATE TABLE pruned (
    user_hash BLOB    NOT NULL CHECK (length(user_hash) = 32),                   -- SHA-256 of the name
    kid       BLOB    NOT NULL CHECK (length(kid) = 32),                         -- SHA-256 of the key
    id        INTEGER NOT NULL CHECK (id > 0),
    session   BLOB             CHECK (session IS NULL OR length(session) = 16),
    content   BLOB    NOT NULL CHECK (length(content) = 32),                     -- SHA-256 of kind and text
    PRIMARY KEY (user_hash, kid, id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 9;
