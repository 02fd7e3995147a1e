-- Wrong passwords in a row of somebody who holds the key: what throttling counts, across restarts.
ALTER TABLE accounts ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);

PRAGMA user_version = 3;
