-- An invitation has seconds that are left, and not a moment at which it ends: a clock that is set back gives nothing back.
-- The name is kept, so that invitations can be listed; of an older one only the hash of its name is known.

CREATE TABLE counted_invites (
    user_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(user_hash) = 32), -- SHA-256 of the name
    user         TEXT,                                                        -- NULL: made by an older version
    token_hash   BLOB    NOT NULL CHECK (length(token_hash) = 32),            -- SHA-256 of the token
    made_at      INTEGER NOT NULL CHECK (made_at >= 0),                       -- seconds since 1970
    seen_at      INTEGER NOT NULL CHECK (seen_at >= 0),                       -- when seconds_left was last counted
    seconds_left INTEGER NOT NULL CHECK (seconds_left >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO counted_invites (user_hash, token_hash, made_at, seen_at, seconds_left)
SELECT user_hash, token_hash, MAX(0, expires_at - 86400), MAX(0, expires_at - 86400), 86400 FROM invites;

DROP TABLE invites;
ALTER TABLE counted_invites RENAME TO invites;

PRAGMA user_version = 5;
