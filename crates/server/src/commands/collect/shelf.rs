//! The directory of one user, into which whole files are put.
//!
//! A name comes from a stranger. The grammar of user names and that of file names leave no path, no hidden file and no
//! control character. Nothing that exists is overwritten. A second content under one name gets its hash in front of the name.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use latchstring_net::{files, protocol::hardened::message::UserName};
use latchstring_store_sqlite::collect::File;
use tempfile::NamedTempFile;

use super::{
    super::made::{make_private, sync},
    report::utc,
};

/// A file with this at the end of its name holds the time at which the file beside it was received.
pub(super) const RECEIVED: &str = ".received";
/// Digits of the hash in front of a second content under one name.
const DIGITS: usize = 16;

/// Whether a file of this name could pass for a time. Some file systems know no difference between `a` and `A`.
pub(super) fn is_kept_for_times(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(RECEIVED)
}

/// A whole file that came.
#[derive(Debug)]
pub(super) struct Came {
    /// The name that the sender gave it.
    pub(super) name: String,
    /// The hash of its content.
    pub(super) sha256: String,
    /// Its length in bytes.
    pub(super) length: usize,
    /// When it was complete for the first time, in seconds since 1970.
    pub(super) received: Option<u64>,
    /// The ids of the messages with its parts.
    pub(super) messages: Vec<u64>,
    /// Where its bytes are.
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    /// In the directory since an earlier run, under this name.
    There(String),
    /// In a file without a name for now.
    New(NamedTempFile),
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has this name in the directory.
    At { path: String, new: bool },
    /// It is not there, for this reason.
    NotCollected(String),
}

/// The directory of one user.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) user: UserName,
    directory: PathBuf,
    came: Vec<Came>,
}

impl Shelf {
    /// Makes the directory if it is not there.
    pub(super) fn open(below: &Path, user: &UserName) -> anyhow::Result<Self> {
        let directory = below.join(user.as_str());
        let link = fs::symlink_metadata(&directory).is_ok_and(|about| !about.is_dir());
        ensure!(
            !link,
            "{} is not a directory; move it away, and run the same command again",
            directory.display()
        );
        make_private(&directory)?;
        Ok(Self {
            user: user.clone(),
            directory,
            came: Vec::new(),
        })
    }

    /// Takes a file. It gets its name when all files of this user have come.
    pub(super) fn take(&mut self, file: File) -> anyhow::Result<()> {
        let (name, sha256) = (file.head.name().to_string(), file.head.sha256_hex());
        let received = file.received_at.first().copied().flatten();
        let same = (self.came.iter_mut()).find(|one| (&one.name, &one.sha256) == (&name, &sha256));
        if let Some(same) = same {
            // The user has sent it under an old key, too.
            same.received = same.received.into_iter().chain(received).min();
            return Ok(());
        }
        let bytes = match self.known(&name, &sha256, &file.bytes) {
            Some(path) => Bytes::There(path),
            None => Bytes::New(self.unnamed(&file.bytes)?),
        };
        self.came.push(Came {
            name,
            sha256,
            length: file.bytes.len(),
            received,
            messages: file.messages,
            bytes,
        });
        Ok(())
    }

    /// The name under which these bytes are in the directory.
    fn known(&self, name: &str, sha256: &str, bytes: &[u8]) -> Option<String> {
        names(name, sha256)
            .into_iter()
            .find(|name| self.holds(name, bytes))
    }

    fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        let path = self.directory.join(name);
        let about = fs::symlink_metadata(&path);
        let may = about.is_ok_and(|about| about.is_file() && about.len() == bytes.len() as u64);
        may && files::read(&path, bytes.len() + 1).is_ok_and(|(found, _)| *found == bytes)
    }

    fn unnamed(&self, bytes: &[u8]) -> anyhow::Result<NamedTempFile> {
        let write = || {
            let mut file = NamedTempFile::new_in(&self.directory)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            io::Result::Ok(file)
        };
        write().with_context(|| format!("cannot write into {}", self.directory.display()))
    }

    /// Gives each file its name, and notes its time. Of two contents under one name the one that was received first gets it.
    pub(super) fn put(mut self) -> anyhow::Result<Vec<(Came, Outcome)>> {
        let mut came = std::mem::take(&mut self.came);
        came.sort_by(|a, b| {
            let order = |one: &Came| (one.received.unwrap_or(u64::MAX), one.name.clone());
            order(a)
                .cmp(&order(b))
                .then_with(|| a.sha256.cmp(&b.sha256))
        });
        let mut put = Vec::new();
        for mut one in came {
            let outcome = self.put_one(&mut one)?;
            put.push((one, outcome));
        }
        sync(&self.directory)?;
        Ok(put)
    }

    fn put_one(&self, came: &mut Came) -> anyhow::Result<Outcome> {
        let bytes = std::mem::replace(&mut came.bytes, Bytes::There(String::new()));
        let (path, new) = match bytes {
            Bytes::There(path) => (path, false),
            Bytes::New(file) => match self.name(file, &names(&came.name, &came.sha256))? {
                Some(path) => (path, true),
                None => {
                    let [first, second] = names(&came.name, &came.sha256);
                    return Ok(Outcome::NotCollected(format!(
                        "{first} and {second} in {} have other contents; move them away",
                        self.directory.display()
                    )));
                }
            },
        };
        let Some(received) = came.received else {
            return Ok(Outcome::At { path, new });
        };
        let time = format!("{}\n", utc(received));
        let beside = format!("{path}{RECEIVED}");
        let file = self.unnamed(time.as_bytes())?;
        let noted = self.name(file, std::slice::from_ref(&beside))?.is_some();
        if noted || self.holds(&beside, time.as_bytes()) {
            return Ok(Outcome::At { path, new });
        }
        Ok(Outcome::NotCollected(format!(
            "{} does not say {}; move it away",
            self.directory.join(beside).display(),
            time.trim()
        )))
    }

    /// Gives a file the first of the names that nothing has.
    fn name(&self, mut file: NamedTempFile, names: &[String]) -> anyhow::Result<Option<String>> {
        for name in names {
            let path = self.directory.join(name);
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(Some(name.clone())),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = error.file;
                }
                Err(error) => {
                    let failed = anyhow::Error::from(error.error);
                    return Err(failed.context(format!("cannot write {}", path.display())));
                }
            }
        }
        Ok(None)
    }
}

/// The names that a file may get: its own, and one with the beginning of its hash.
fn names(name: &str, sha256: &str) -> [String; 2] {
    let digits = sha256.get(..DIGITS).unwrap_or(sha256);
    [name.to_owned(), format!("{digits}-{name}")]
}
