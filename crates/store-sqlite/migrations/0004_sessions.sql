-- The public name of the session that brought a message, and NULL for those that were stored before this script. Two
-- clients with one key may bring the same text under the same id, and then only this tells one from the other.
ALTER TABLE messages ADD COLUMN session BLOB CHECK (session IS NULL OR length(session) = 16);

PRAGMA user_version = 4;
