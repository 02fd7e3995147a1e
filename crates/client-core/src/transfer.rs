//! A file from this disk to a host: read once, sent over as many runs as it takes, and a receipt beside it.
//!
//! A program hands in a [`Redial`], and does nothing else than show how far the file is.

use std::{
    io,
    path::{Path, PathBuf},
};

use latchstring_net::files;
use latchstring_parcel::{Head, MAX_FILE, Name, NameError, SizeError, split};
use thiserror::Error;

use crate::{
    dial::DialError,
    journal::{Journal, JournalError},
    receipt::{Receipt, ReceiptError},
    redial::Redial,
    send_file::{FileSender, Progress, SendError},
};

/// Why a file was not sent, or its receipt not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The operating system says no.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read a second time.
    #[error("cannot send {}: it is a pipe; write its content into a file, so that an interrupted transfer can go on", .0.display())]
    Pipe(PathBuf),
    /// The file is too short or too long.
    #[error("cannot send {}: {source}", .path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SizeError,
    },
    /// The file's own name cannot be sent.
    #[error("{0}; give the file another name with --name")]
    Name(NameError),
    /// There was no session.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The file, or a part of it, was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The file was sent, and there is no receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl From<JournalError> for TransferError {
    fn from(error: JournalError) -> Self {
        Self::Send(error.into())
    }
}

impl TransferError {
    /// The exit code of a program that ends with this error; see [`crate::ClientError::exit_code`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Dial(error) => error.exit_code(),
            Self::Send(error) => error.exit_code(),
            _ => 1,
        }
    }
}

/// A file to send, with its content.
#[derive(Debug)]
pub struct Transfer {
    path: PathBuf,
    head: Head,
    bytes: Vec<u8>,
}

/// A file that the server holds.
#[derive(Debug)]
pub struct Sent {
    /// The receipt.
    pub receipt: Receipt,
    /// Where it is.
    pub path: PathBuf,
}

impl Transfer {
    /// Reads the whole file, once: what changes in it from now on is not sent. Without a name it is sent under its own.
    ///
    /// # Errors
    /// [`TransferError`].
    pub fn read(path: &Path, name: Option<Name>) -> Result<Self, TransferError> {
        let bytes = content(path)?;
        let name = match name {
            Some(name) => name,
            None => own_name(path)?,
        };
        let head = Head::of(name, &bytes).map_err(|source| TransferError::Size {
            path: path.to_owned(),
            source,
        })?;
        let path = path.to_owned();
        Ok(Self { path, head, bytes })
    }

    /// Name, hash, length, number of parts.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Logs in and sends every part that the server does not hold, over as many sessions as `redial` allows; then writes
    /// the receipt. `tell` hears how far it is.
    ///
    /// If it fails, or is dropped, the same call again goes on where it ended, also in another program.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn send(
        &self,
        mut redial: Redial<'_>,
        now: fn() -> u64,
        mut tell: impl FnMut(Progress),
    ) -> Result<Sent, TransferError> {
        let host = redial.host_port();
        let parts = split(self.head.name().clone(), &self.bytes);
        let parts = parts.map_err(|source| TransferError::Size {
            path: self.path.clone(),
            source,
        })?;
        let mut journal = None;
        let receipt = loop {
            let (connection, outbox) = redial.log_in().await?;
            let journal = match &mut journal {
                Some(journal) => journal,
                none => none.insert(Journal::open(Journal::beside(&self.path))?),
            };
            let mut heard = 0;
            let count = |progress| {
                heard += 1;
                tell(progress);
            };
            let sender = FileSender::new(&parts, journal, now);
            let why = match sender.send(connection, outbox, &host, count).await {
                Ok(receipt) => break receipt,
                Err(why) => why,
            };
            // The first time it says only where it begins.
            if heard > 1 {
                redial.made_progress();
            }
            if !why.is_worth_another_session() || !redial.wait().await {
                return Err(why.into());
            }
        };
        // The journal goes last: until then, another run makes the receipt and sends nothing.
        let path = receipt.save_beside(&self.path)?;
        if let Some(journal) = journal {
            journal.delete()?;
        }
        Ok(Sent { receipt, path })
    }
}

fn own_name(path: &Path) -> Result<Name, TransferError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Name::new(&name).map_err(TransferError::Name)
}

fn content(path: &Path) -> Result<Vec<u8>, TransferError> {
    let failed = |source| TransferError::Read {
        path: path.to_owned(),
        source,
    };
    let (_, about) = files::open(path).map_err(failed)?;
    if !about.is_file() {
        return Err(TransferError::Pipe(path.to_owned()));
    }
    if about.len() > MAX_FILE as u64 {
        return Err(TransferError::Size {
            path: path.to_owned(),
            source: SizeError::TooLong(about.len()),
        });
    }
    let (bytes, _) = files::read(path, MAX_FILE + 1).map_err(failed)?;
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_sent_needs_another() {
        assert_eq!(own_name(Path::new("/tmp/a.zip")).unwrap().as_str(), "a.zip");
        for bad in ["/tmp/my file.zip", "/", ".."] {
            let error = own_name(Path::new(bad)).unwrap_err().to_string();
            assert!(
                error.contains("--name") && error.contains("letters"),
                "{error}"
            );
        }
    }
}
