-- Invitations: who holds the token may make the account. At most one for a name, and never two accounts from one.

CREATE TABLE invites (
    user_hash  BLOB    NOT NULL PRIMARY KEY CHECK (length(user_hash) = 32), -- SHA-256 of the name
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),            -- SHA-256 of the token
    expires_at INTEGER NOT NULL                                             -- seconds since 1970
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
