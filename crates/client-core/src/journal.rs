//! The journal of a file that is being sent: which of its parts the server has acknowledged, beside the file.
//!
//! Each line is a JSON value:
//!
//! | line | what it says |
//! | --- | --- |
//! | `{"begun":{"file":"…","sha256":"…","length":5,"host":"SHA256:…","user":"ann","key":"SHA256:…","after":9}}` | which file goes where, and the last id of the user and key before its first part |
//! | `{"stored":{"part":2,"id":11,"at":1700000000}}` | the server has acknowledged part 2 under the id 11, at this time in seconds since 1970 |
//!
//! The file is only appended to. A crash leaves whole lines and at most one torn line. The next session asks the server
//! in any case, so a lost line costs nothing but a question. The first line is the one that matters: it is on the disk
//! before any part is sent.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use latchstring_net::files::open_ours;
use latchstring_parcel::Head;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::outbox::Owner;

/// A journal has at most 1399 parts and one line for each; ten times that is another file.
const MAX_JOURNAL: u64 = 2 << 20;

/// The error of a journal, with the next step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The operating system says no.
    #[error("cannot keep the journal {}: {source}; send a copy of the file from a directory that you can write to", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program is sending this file.
    #[error("{} is in use: another program is sending this file; wait for it, or end it", .0.display())]
    InUse(PathBuf),
    /// Its name leads to another file, which is not to be touched.
    #[error("{} is not a file of yours with this one name; move it away", .0.display())]
    NotOurs(PathBuf),
    /// A whole line that this program did not write.
    #[error("line {line} of {}: it is not a line of a journal; delete the journal, and all parts are sent again", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The same file, to another host or in another name.
    #[error(
        "{} belongs to a file that is being sent to the host key {host} as {user} with the key {key}: finish that first, or delete the journal", .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The fingerprint of the host.
        host: String,
        /// The user.
        user: String,
        /// The fingerprint of the user's key.
        key: String,
    },
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begun(Begun),
    Stored { part: u32, id: u64, at: u64 },
}

/// Which file goes where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    file: String,
    sha256: String,
    length: usize,
    host: String,
    user: String,
    key: String,
    after: u64,
}

impl Begun {
    fn new(head: &Head, owner: &Owner, after: u64) -> Self {
        Self {
            file: head.name().to_string(),
            sha256: head.sha256_hex(),
            length: head.length(),
            host: owner.host.to_string(),
            user: owner.user.to_string(),
            key: owner.key.to_string(),
            after,
        }
    }
}

/// The acknowledgement of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The id of its message.
    pub id: u64,
    /// When the acknowledgement came, in seconds since 1970.
    pub at: u64,
}

/// The journal of one file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The file is locked as long as it is open.
    file: File,
    begun: Option<Begun>,
    stored: BTreeMap<u32, Stored>,
}

impl Journal {
    /// The place of the journal for a file: `answers.zip` has `answers.zip.sending`.
    pub fn beside(file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(".sending");
        path.into()
    }

    /// Opens a journal, which is made if it does not exist, and locks it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: PathBuf) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true).mode(0o600);
        if fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink()) {
            return Err(JournalError::NotOurs(path));
        }
        let file = open_ours(&path, options).map_err(failed)?;
        if !is_named(&file, &path).map_err(failed)? {
            return Err(JournalError::NotOurs(path));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut this = Self {
            path,
            file,
            begun: None,
            stored: BTreeMap::new(),
        };
        this.read()?;
        Ok(this)
    }

    fn read(&mut self) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        let read = (&self.file).take(MAX_JOURNAL).read_to_end(&mut bytes);
        read.map_err(|source| self.failed(source))?;
        let whole = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        for (number, line) in bytes[..whole].split_inclusive(|b| *b == b'\n').enumerate() {
            match (serde_json::from_slice(line), &self.begun) {
                (Ok(Line::Begun(begun)), None) => self.begun = Some(begun),
                (Ok(Line::Stored { part, id, at }), Some(_)) => {
                    self.stored.insert(part, Stored { id, at });
                }
                _ => {
                    let (path, line) = (self.path.clone(), number + 1);
                    return Err(JournalError::BrokenLine { path, line });
                }
            }
        }
        // Another file with this name stays as it is.
        if self.begun.is_none() && !bytes.is_empty() && !is_torn(&bytes) {
            let (path, line) = (self.path.clone(), 1);
            return Err(JournalError::BrokenLine { path, line });
        }
        // A torn last line must not become the beginning of the next one.
        (self.file.set_len(whole as u64)).map_err(|source| self.failed(source))
    }

    /// Begins or goes on, now that the server's last id is known. Returns the last id before the first part.
    ///
    /// A journal of other content under this name is of no use any more, and is emptied.
    ///
    /// # Errors
    /// [`JournalError`]; then nothing must be sent.
    pub(crate) fn begin(
        &mut self,
        head: &Head,
        owner: &Owner,
        last: u64,
    ) -> Result<u64, JournalError> {
        if let Some(begun) = &self.begun {
            let after = begun.after;
            if *begun == Begun::new(head, owner, after) {
                return Ok(after);
            }
            let same = Begun::new(head, owner, after);
            if (&begun.sha256, &begun.file) == (&same.sha256, &same.file) {
                return Err(JournalError::Foreign {
                    path: self.path.clone(),
                    host: begun.host.clone(),
                    user: begun.user.clone(),
                    key: begun.key.clone(),
                });
            }
        }
        self.stored.clear();
        self.file.set_len(0).map_err(|source| self.failed(source))?;
        let begun = Begun::new(head, owner, last);
        self.append(&Line::Begun(begun.clone()))?;
        self.begun = Some(begun);
        // On the disk before anything is sent: without it nobody knows which ids to ask about.
        let synced = self
            .file
            .sync_all()
            .and_then(|()| sync_directory_of(&self.path));
        synced.map_err(|source| self.failed(source))?;
        Ok(last)
    }

    /// The parts that the server holds are exactly these: each part, and the id of its message. Times that were noted
    /// stay, and what is new came now.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub(crate) fn confirm(
        &mut self,
        held: &BTreeMap<u32, u64>,
        now: u64,
    ) -> Result<(), JournalError> {
        let noted = std::mem::take(&mut self.stored);
        for (part, id) in held {
            match noted.get(part).filter(|noted| noted.id == *id) {
                Some(noted) => {
                    self.stored.insert(*part, *noted);
                }
                None => self.note(*part, *id, now)?,
            }
        }
        Ok(())
    }

    /// The server has acknowledged a part. Not flushed: should a crash undo it, the next session asks the server.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub(crate) fn note(&mut self, part: u32, id: u64, at: u64) -> Result<(), JournalError> {
        self.append(&Line::Stored { part, id, at })?;
        self.stored.insert(part, Stored { id, at });
        Ok(())
    }

    /// The parts that the server has acknowledged, by their numbers.
    pub fn stored(&self) -> &BTreeMap<u32, Stored> {
        &self.stored
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the journal: the whole file was sent.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn delete(self) -> Result<(), JournalError> {
        let removed = fs::remove_file(&self.path);
        removed.map_err(|source| self.failed(source))
    }

    fn append(&mut self, line: &Line) -> Result<(), JournalError> {
        let mut bytes = serde_json::to_vec(line).map_err(|e| self.failed(e.into()))?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> JournalError {
        let path = self.path.clone();
        JournalError::Io { path, source }
    }
}

/// Whether the name is that of this very file, and its only name. In a directory that others can write to, the name of the
/// journal could be a link to a file of this user.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let (about, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    let same = (about.dev(), about.ino()) == (named.dev(), named.ino());
    Ok(same && about.nlink() == 1)
}

/// Whether this is the beginning of the first line of a journal, which a crash left.
fn is_torn(bytes: &[u8]) -> bool {
    let begins = b"{\"begun\":";
    bytes.starts_with(begins) || begins.starts_with(bytes)
}

/// A new file's name is on the disk only once its directory is.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

/// The directory that a path is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
