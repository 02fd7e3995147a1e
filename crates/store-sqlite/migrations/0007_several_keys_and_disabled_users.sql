-- A user has one key for each computer. Wrong passwords are counted for each key: whoever holds a stolen one locks out nobody
-- who has another. An account can be disabled, and keeps its keys and its password.

CREATE TABLE keys (
    user_hash BLOB    NOT NULL CHECK (length(user_hash) = 32), -- SHA-256 of the name
    kid       BLOB    NOT NULL CHECK (length(kid) = 32),       -- SHA-256 of spki
    spki      BLOB    NOT NULL,
    added_at  INTEGER NOT NULL,                                -- seconds since 1970
    failures  INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    PRIMARY KEY (user_hash, kid)
) STRICT, WITHOUT ROWID;

INSERT INTO keys (user_hash, kid, spki, added_at, failures)
SELECT user_hash, kid, spki, created_at, failures FROM accounts;

ALTER TABLE accounts DROP COLUMN kid;
ALTER TABLE accounts DROP COLUMN spki;
ALTER TABLE accounts DROP COLUMN failures;
ALTER TABLE accounts ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));

PRAGMA user_version = 7;
