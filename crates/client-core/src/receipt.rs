//! What a sender has seen of a file's way to the server, as a file to keep and to show.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use latchstring_parcel::Head;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::{
    journal::{Stored, directory_of, sync_directory_of},
    outbox::Owner,
};

/// The version of the format.
pub const FORMAT: &str = "latchstring-receipt/1";
/// After so many receipts for one name the place is wrong.
const MAX_RECEIPTS: u32 = 1000;

/// The receipt of a file: the server has acknowledged every part of it.
///
/// Not a signature: whoever reads it compares it with the server's store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`FORMAT`].
    pub format: String,
    /// The name under which the file was sent.
    pub file: String,
    /// SHA-256 of the file, as `sha256sum` prints it.
    pub sha256: String,
    /// Its length in bytes.
    pub length: usize,
    /// The sender.
    pub user: String,
    /// The fingerprint of the sender's key.
    pub user_key: String,
    /// The server: `HOST:PORT`.
    pub host: String,
    /// The fingerprint of the server's key.
    pub host_key: String,
    /// When the first acknowledgement came, by the sender's clock, in UTC (RFC 3339).
    pub first_part: String,
    /// When the last one came.
    pub last_part: String,
    /// The acknowledgement of each part, in order.
    pub parts: Vec<Acknowledged>,
}

/// The acknowledgement of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The id of its message at the server.
    pub id: u64,
    /// When the acknowledgement came, by the sender's clock, in UTC (RFC 3339).
    pub acknowledged: String,
}

/// A receipt that cannot be written.
#[derive(Debug, Error)]
#[error("the server holds the whole file, but the receipt {} cannot be written: {source}; make room or permissions, and run the same command again: it sends nothing twice", .path.display())]
pub struct ReceiptError {
    path: PathBuf,
    source: io::Error,
}

impl Receipt {
    pub(crate) fn new<'a>(
        head: &Head,
        owner: &Owner,
        host: &str,
        parts: impl IntoIterator<Item = &'a Stored>,
    ) -> Self {
        let parts: Vec<&Stored> = parts.into_iter().collect();
        let times = || parts.iter().map(|one| one.at);
        let acknowledged = |one: &&Stored| Acknowledged {
            id: one.id,
            acknowledged: utc(one.at),
        };
        Self {
            format: FORMAT.to_owned(),
            file: head.name().to_string(),
            sha256: head.sha256_hex(),
            length: head.length(),
            user: owner.user.to_string(),
            user_key: owner.key.to_string(),
            host: host.to_owned(),
            host_key: owner.host.to_string(),
            first_part: utc(times().min().unwrap_or(0)),
            last_part: utc(times().max().unwrap_or(0)),
            parts: parts.iter().map(acknowledged).collect(),
        }
    }

    /// Writes the receipt beside the file: `answers.zip` has `answers.zip.receipt.json`. A receipt that is there stays,
    /// and this one has a number in its name. Returns the path.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn save_beside(&self, file: &Path) -> Result<PathBuf, ReceiptError> {
        let mut number = 1;
        loop {
            let path = beside(file, number);
            match self.save_new(&path) {
                Ok(()) => return Ok(path),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_RECEIPTS =>
                {
                    number += 1;
                }
                Err(source) => return Err(ReceiptError { path, source }),
            }
        }
    }

    /// The file is there as a whole, or it is not there.
    fn save_new(&self, path: &Path) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(directory_of(path))?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        sync_directory_of(path)
    }
}

fn beside(file: &Path, number: u32) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    match number {
        1 => path.push(".receipt.json"),
        _ => path.push(format!(".receipt-{number}.json")),
    }
    path.into()
}

/// Seconds since 1970 as a person reads them. The format ends with the year 9999, and so do these times.
pub(crate) fn utc(seconds: u64) -> String {
    let last = 253_402_300_799;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(last));
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_readable_and_no_time_is_too_late() {
        assert_eq!(utc(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(utc(u64::MAX), "9999-12-31T23:59:59Z");
    }
}
