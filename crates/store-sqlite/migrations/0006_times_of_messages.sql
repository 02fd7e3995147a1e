-- When the server stored a message, in seconds since 1970 by its clock, and NULL for those that were stored before this
-- script. A sender's own time would be a claim.
ALTER TABLE messages ADD COLUMN received_at INTEGER CHECK (received_at IS NULL OR received_at >= 0);

PRAGMA user_version = 6;
