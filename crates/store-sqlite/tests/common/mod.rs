//! What all tests of the store use.

use latchstring_store::protocol::hardened::message::UserName;
use latchstring_store::{Account, StoredMessage};

/// A valid name.
pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a valid name")
}

/// An account whose key is made of its name: a store does not look into keys.
pub(crate) fn account(user: &str) -> Account {
    let spki = format!("the public key of {user}").into_bytes();
    Account::new(name(user), spki, format!("$argon2id${user}"), 1_795_000_000)
}

/// When [`message`] came.
pub(crate) const RECEIVED: u64 = 1_795_000_100;

/// A message as the session 01…01 brings it.
pub(crate) fn message(id: u64, kind: u8, text: &str) -> StoredMessage {
    StoredMessage {
        id,
        kind,
        text: text.to_owned(),
        session: Some([1; 16]),
        received_at: Some(RECEIVED),
    }
}

/// Makes a store of the newest schema one of schema 6, in which a user had one key.
#[allow(dead_code, reason = "not every test needs an old store")]
pub(crate) const BACK_TO_6: &str = "
    ALTER TABLE accounts ADD COLUMN kid BLOB NOT NULL DEFAULT x'';
    ALTER TABLE accounts ADD COLUMN spki BLOB NOT NULL DEFAULT x'';
    ALTER TABLE accounts ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
    UPDATE accounts SET (kid, spki, failures) =
        (SELECT kid, spki, failures FROM keys WHERE keys.user_hash = accounts.user_hash);
    ALTER TABLE accounts DROP COLUMN disabled;
    DROP TABLE keys;
    DROP TABLE outbox;
    DROP TABLE pruned;
    PRAGMA user_version = 6;";
