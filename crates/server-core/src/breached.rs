//! The list of breached passwords: no new password may be one of them.
//!
//! The list is in a file, so nobody is asked over the network. Two forms are known, both of "Pwned Passwords":
//!
//! * one file, ordered by hash: a binary search reads some 40 pieces of it, so that 40 GB are no burden;
//! * a directory with a file for each range of hashes, as the downloader writes them: one of them is read.
//!
//! SHA-1 is the key of the look-up and protects nothing here. The hash of a password is itself a secret. So no error names the
//! place in the list where a search failed, because that place is the beginning of the hash.

mod entry;
mod ordered;
mod ranges;

use std::{
    io,
    path::{Path, PathBuf},
};

use latchstring_net::files::{self, Exposed};
use sha1::{Digest, Sha1};
use thiserror::Error;
use zeroize::Zeroizing;

use self::{entry::Fault, ordered::Ordered, ranges::Ranges};

/// Why a list cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// There is no such file or directory, or it cannot be read.
    #[error("cannot read {}: {source}; put the list there, or change `breached` in server.toml", .path.display())]
    Io {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could take passwords out of it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// It is another kind of file, or a damaged one.
    #[error("{} {fault}{at}; use the SHA-1 list of Have I Been Pwned, ordered by hash, or the directory of its range files", .path.display())]
    Bad {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        fault: String,
        /// Where, if that gives nothing away.
        at: String,
    },
}

/// A list that was in order when the program started.
#[derive(Debug)]
pub struct BreachedList {
    path: PathBuf,
}

impl BreachedList {
    /// Looks at samples of the list: its form, and its order. To read all of it would take minutes.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn open(path: &Path) -> Result<Self, ListError> {
        let list = Self {
            path: path.to_owned(),
        };
        let about = path.metadata().map_err(|source| list.failed(source))?;
        files::check_trusted(path, &about)?;
        let checked = match about.is_dir() {
            true => Ranges(path).check(),
            false => list.ordered()?.check(),
        };
        match checked {
            Ok(()) => Ok(list),
            Err((at, fault)) => Err(list.bad(fault, at)),
        }
    }

    /// Whether the list holds this password. The list is opened at each call, so that a newer one can take its place.
    ///
    /// # Errors
    /// [`ListError`], when the list has gone, or is damaged where the password would be.
    pub fn contains(&self, password: &[u8]) -> Result<bool, ListError> {
        let wanted = key(password);
        let about = (self.path.metadata()).map_err(|source| self.failed(source))?;
        let found = match about.is_dir() {
            true => Ranges(&self.path).contains(&wanted),
            false => self.ordered()?.contains(&wanted),
        };
        found.map_err(|fault| self.bad(fault, String::new()))
    }

    fn ordered(&self) -> Result<Ordered, ListError> {
        let opened = files::open(&self.path).and_then(|(file, about)| match about.is_file() {
            true => Ok((file, about)),
            false => Err(io::Error::other(
                "it is a pipe, and a search goes back and forth",
            )),
        });
        let (file, about) = opened.map_err(|source| self.failed(source))?;
        Ok(Ordered::new(file, about.len()))
    }

    fn failed(&self, source: io::Error) -> ListError {
        let path = self.path.clone();
        ListError::Io { path, source }
    }

    fn bad(&self, fault: Fault, at: String) -> ListError {
        match fault {
            Fault::Io(source) => self.failed(source),
            fault => ListError::Bad {
                path: self.path.clone(),
                fault: fault.to_string(),
                at,
            },
        }
    }
}

/// The SHA-1 of a password, as the lists write it: 40 hexadecimal digits in upper case.
fn key(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let digest = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password)));
    let mut digits = Zeroizing::new(Vec::with_capacity(40));
    for byte in *digest {
        for half in [byte >> 4, byte & 15] {
            digits.push(b"0123456789ABCDEF"[usize::from(half)]);
        }
    }
    digits
}

#[cfg(test)]
mod tests;
