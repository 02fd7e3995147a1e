//! Messages on disk until the server says that it holds them.
//!
//! One file for each (host, user, key), a JSON value a line: `{"message":{"id":5,"text":"…"}}` before the message goes
//! out, `{"acked":5}` when it is acknowledged. The file is only appended to, and emptied when nothing waits; so a crash
//! at any moment leaves whole lines and at most one torn one, whose message was never sent. Ids belong to (user, key),
//! so a key belongs to one computer: two that send under it would take each other's ids.

use std::{
    collections::VecDeque,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use latchstring_net::protocol::hardened::{
    keys::hash,
    message::{Fingerprint, UserName},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What went wrong with an outbox, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The operating system says no.
    #[error("cannot keep messages in {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another client is logged in from here as the same user with the same key.
    #[error("{} is in use: end the other latchstring-client for this user and host first", .0.display())]
    InUse(PathBuf),
    /// A whole line that this program did not write.
    #[error("line {line} of {}: it is not an outbox line; mend or delete it", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The server holds fewer messages than it has acknowledged.
    #[error(
        "the server holds messages up to {last}, but has acknowledged up to {acked}: its store was lost or set back. Ask the operator; to begin anew, move {} away", .path.display()
    )]
    ServerForgot {
        /// The file.
        path: PathBuf,
        /// What the server holds.
        last: u64,
        /// What it has acknowledged.
        acked: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Message { id: u64, text: String },
    Acked(u64),
}

/// The messages of one (host, user, key) that wait for their acknowledgement.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    /// Locked as long as it is open.
    file: File,
    acked: u64,
    waiting: VecDeque<(u64, String)>,
}

impl Outbox {
    /// Opens the outbox in `dir`, which is made if it does not exist, and locks it.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn open(
        dir: &Path,
        host_port: &str,
        user: &UserName,
        kid: &Fingerprint,
    ) -> Result<Self, OutboxError> {
        let name = hash(&[host_port.as_bytes(), b"\0", &kid.0]);
        let path = dir.join(format!("{user}-{}.jsonl", hex::encode(&name[..8])));
        let file = open_locked(dir, &path)?;
        let mut this = Self {
            path,
            file,
            acked: 0,
            waiting: VecDeque::new(),
        };
        this.read()?;
        Ok(this)
    }

    fn read(&mut self) -> Result<(), OutboxError> {
        let mut bytes = Vec::new();
        let read = self.file.read_to_end(&mut bytes);
        read.map_err(|source| self.failed(source))?;
        let whole = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        for (number, line) in bytes[..whole].split_inclusive(|b| *b == b'\n').enumerate() {
            match serde_json::from_slice(line) {
                Ok(Line::Message { id, text }) => self.waiting.push_back((id, text)),
                Ok(Line::Acked(up_to)) => self.forget(up_to),
                Err(_) => {
                    let (path, line) = (self.path.clone(), number + 1);
                    return Err(OutboxError::BrokenLine { path, line });
                }
            }
        }
        // A torn last line must not become the beginning of the next one.
        (self.file.set_len(whole as u64)).map_err(|source| self.failed(source))
    }

    /// Settles with what the server says it holds: drops what it has, keeps the rest for sending again. Returns
    /// whether the server holds messages of this user and key that were not sent from here.
    ///
    /// # Errors
    /// [`OutboxError::ServerForgot`] when it holds less than it has acknowledged.
    pub fn settle(&mut self, last_message: u64) -> Result<bool, OutboxError> {
        if last_message < self.acked {
            return Err(OutboxError::ServerForgot {
                path: self.path.clone(),
                last: last_message,
                acked: self.acked,
            });
        }
        let ours = self.waiting.back().map_or(self.acked, |(id, _)| *id);
        self.acknowledged(last_message)?;
        Ok(ours > 0 && last_message > ours)
    }

    /// Messages that wait, lowest id first.
    pub fn waiting(&self) -> impl Iterator<Item = (u64, &str)> {
        self.waiting.iter().map(|(id, text)| (*id, text.as_str()))
    }

    /// Keeps a message; it is on the disk when this returns, and may be sent.
    ///
    /// # Errors
    /// [`OutboxError::Io`]: then it must not be sent.
    pub fn keep(&mut self, id: u64, text: &str) -> Result<(), OutboxError> {
        let text = text.to_owned();
        self.append(&Line::Message {
            id,
            text: text.clone(),
        })?;
        (self.file.sync_data()).map_err(|source| self.failed(source))?;
        self.waiting.push_back((id, text));
        Ok(())
    }

    /// The server holds all up to `up_to`. Not flushed: should a crash undo it, the server says it again at the next
    /// login.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn acknowledged(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.forget(up_to);
        if self.waiting.is_empty() {
            self.file.set_len(0).map_err(|source| self.failed(source))?;
        }
        self.append(&Line::Acked(self.acked))
    }

    fn forget(&mut self, up_to: u64) {
        self.acked = self.acked.max(up_to);
        while self.waiting.front().is_some_and(|(id, _)| *id <= up_to) {
            self.waiting.pop_front();
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), OutboxError> {
        let mut bytes = serde_json::to_vec(line).map_err(|e| self.failed(e.into()))?;
        bytes.push(b'\n');
        // The file is in append mode, so this goes to its end, also after it was shortened.
        (self.file.write_all(&bytes)).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> OutboxError {
        let path = self.path.clone();
        OutboxError::Io { path, source }
    }
}

fn open_locked(dir: &Path, path: &Path) -> Result<File, OutboxError> {
    let failed = |source| OutboxError::Io {
        path: path.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).mode(0o600);
    let file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OutboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // The file's name is on the disk only once its directory is.
    (File::open(dir).and_then(|dir| dir.sync_all())).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn open(dir: &Path) -> Result<Outbox, OutboxError> {
        let alice = UserName::parse("alice").unwrap();
        Outbox::open(dir, "host:1", &alice, &Fingerprint([1; 32]))
    }

    fn ids(outbox: &Outbox) -> Vec<u64> {
        outbox.waiting().map(|(id, _)| id).collect()
    }

    fn filled(dir: &Path) -> PathBuf {
        let mut outbox = open(dir).unwrap();
        outbox.settle(3).unwrap();
        for (id, text) in [(4, "four"), (5, "five\nand \"more\""), (6, "sechs, größer")] {
            outbox.keep(id, text).unwrap();
        }
        outbox.path.clone()
    }

    #[test]
    fn what_waits_is_there_after_a_restart_and_what_is_acknowledged_is_not() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let mut outbox = open(dir.path()).unwrap();
        let texts: Vec<_> = outbox.waiting().map(|(_, text)| text.to_owned()).collect();
        assert_eq!(texts, ["four", "five\nand \"more\"", "sechs, größer"]);
        // The acknowledgement of 4 was lost on the way; the server says so at the next login.
        assert!(!outbox.settle(4).unwrap());
        assert_eq!(ids(&outbox), [5, 6]);
        drop(outbox);
        let mut outbox = open(dir.path()).unwrap();
        assert_eq!(ids(&outbox), [5, 6]);
        outbox.acknowledged(6).unwrap();
        assert!(fs::metadata(&outbox.path).unwrap().len() < 20, "emptied");
        drop(outbox);
        assert!(ids(&open(dir.path()).unwrap()).is_empty());
    }

    #[test]
    fn a_crash_at_any_byte_loses_at_most_the_message_that_was_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = filled(dir.path());
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let lines = whole[..cut].iter().filter(|b| **b == b'\n').count();
            let mut outbox = open(dir.path()).unwrap();
            assert_eq!(ids(&outbox), [4, 5, 6][..lines.saturating_sub(1)]);
            // The program goes on after the torn line, and everything is readable.
            outbox.keep(9, "nine").unwrap();
            drop(outbox);
            assert_eq!(
                ids(&open(dir.path()).unwrap()).last(),
                Some(&9),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_whole_line_that_is_broken_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = filled(dir.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("four", "fo\"ur", 1)).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(
            matches!(error, OutboxError::BrokenLine { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_server_that_forgot_is_noticed_and_so_is_another_sender() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let mut outbox = open(dir.path()).unwrap();
        let error = outbox.settle(2).unwrap_err();
        assert!(matches!(
            error,
            OutboxError::ServerForgot {
                last: 2,
                acked: 3,
                ..
            }
        ));
        assert!(outbox.settle(7).unwrap(), "7 was never sent from here");
        assert!(ids(&outbox).is_empty());
    }

    #[test]
    fn the_file_is_private_and_used_by_one_client_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = open(dir.path()).unwrap();
        let mode = fs::metadata(&outbox.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(open(dir.path()), Err(OutboxError::InUse(_))));
        let bob = UserName::parse("bob").unwrap();
        assert!(Outbox::open(dir.path(), "host:1", &bob, &Fingerprint([1; 32])).is_ok());
    }
}
