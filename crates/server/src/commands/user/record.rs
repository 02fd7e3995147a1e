//! A user as one line of JSON, for `export` and `import`.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use latchstring_net::keyfile::public_to_pem;
use latchstring_store::Account;
use serde::{Deserialize, Serialize};

/// All that a server knows about a user, without messages.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) user: String,
    /// UTC, as in `2026-11-28T09:00:00Z`.
    pub(super) created: String,
    #[serde(default)]
    pub(super) disabled: bool,
    /// A PHC string. A reader can try passwords against it.
    pub(super) password_hash: String,
    /// At least one.
    pub(super) keys: Vec<RecordKey>,
}

/// A key of a user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordKey {
    /// Follows from the key; an import compares the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
    /// PEM.
    pub(super) public_key: String,
    /// In a row, so that a locked key stays locked.
    #[serde(default)]
    pub(super) wrong_passwords: u32,
}

impl Record {
    /// The record of the accounts of one user, with the wrong passwords of each key.
    pub(super) fn of(accounts: &[Account], failures: &[u32]) -> anyhow::Result<Self> {
        let first = accounts.first().context("a user without a key")?;
        let keys = accounts.iter().zip(failures).map(|(account, failures)| {
            Ok(RecordKey {
                fingerprint: Some(account.kid.to_string()),
                public_key: public_to_pem(&account.spki)?,
                wrong_passwords: *failures,
            })
        });
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(first.created_at);
        Ok(Self {
            user: first.user.to_string(),
            created: humantime::format_rfc3339_seconds(created).to_string(),
            disabled: first.disabled,
            password_hash: first.password_hash.clone(),
            keys: keys.collect::<anyhow::Result<_>>()?,
        })
    }
}
