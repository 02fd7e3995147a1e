//! The errors of a store, with the next step.

use std::{io, path::PathBuf};

use latchstring_protocol::hardened::message::UserName;
use thiserror::Error;

/// Every failure of a store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Accounts are not replaced.
    #[error("user {0} exists already; remove the account first if it is to be replaced")]
    UserExists(UserName),
    /// No account of this name, or it has another key.
    #[error("there is no user {0} with this key")]
    NoSuchUser(UserName),
    /// The user has this key already.
    #[error("user {0} has this key already")]
    KeyExists(UserName),
    /// A user without a key could not log in.
    #[error(
        "this is the only key of {0}; add another one first, or: latchstring-server user disable {0}"
    )]
    OnlyKey(UserName),
    /// No invitation with this token, or no longer.
    #[error(
        "there is no open invitation for {0} with this token: it was used, has expired or was revoked, or another one was made since; make a new one with: latchstring-server invite {0}"
    )]
    NotInvited(UserName),
    /// There is nothing to revoke.
    #[error("there is no invitation for {0}; list them with: latchstring-server invite list")]
    NoInvitation(UserName),
    /// Messages are missing before this one. The peer numbers them wrongly.
    #[error("message {id} of {user} does not follow {last}, the last one in the log")]
    Gap {
        /// The user of the log.
        user: UserName,
        /// The last id in the log.
        last: u64,
        /// The id that was to be appended.
        id: u64,
    },
    /// The log holds another message under this id, so this one is not a duplicate. To acknowledge it would lose it.
    #[error(
        "the log of {user} holds another message under the number {id}: two clients or two computers send with the same key; the client gives its messages new numbers when it connects again"
    )]
    Conflict {
        /// The user of the log.
        user: UserName,
        /// The id.
        id: u64,
    },
    /// The message is stored, and the sink does not have it. To acknowledge it would be a promise for the sink.
    #[error(
        "message {id} of {user} is stored and waits for the sink: {why}; it is delivered as soon as the sink works"
    )]
    Undelivered {
        /// The user of the log.
        user: UserName,
        /// The id.
        id: u64,
        /// The trouble with the sink.
        why: String,
    },
    /// Another server holds the store.
    #[error("the account store {} is served by another latchstring-server{}; stop that server, or make another store for this one with: latchstring-server init --dir DIR (lock file: {})", .path.display(), by_process(*.process), .lock.display())]
    Served {
        /// The store.
        path: PathBuf,
        /// The file that the other server has locked.
        lock: PathBuf,
        /// The other server's process, if the lock file names one.
        process: Option<u32>,
    },
    /// The store has several names, so that a lock beside one of them does not keep others away.
    #[error("the account store {} has {links} names (hard links), and another server could use it under another one; keep one name, and copy files with cp instead of linking them", .path.display())]
    Links {
        /// The store.
        path: PathBuf,
        /// How many names it has.
        links: u64,
    },
    /// The store's file is mounted by itself, so that it has another directory under its other name.
    #[error("the account store {} is a mount of the file alone, and SQLite keeps the newest messages in files beside it; mount its directory instead", .0.display())]
    Mounted(PathBuf),
    /// There is no file to open.
    #[error("there is no account store at {}; make one with: latchstring-server init", .0.display())]
    Missing(PathBuf),
    /// There is a file where a new one was to be made.
    #[error("{} exists already and is not overwritten; move it away first", .0.display())]
    FileExists(PathBuf),
    /// Other users of this machine can read the password hashes, or write them.
    #[error("{} is open to other users (mode {mode:04o}); run: chmod 600 {}", .path.display(), .path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its owner is neither this user nor root, and can do with it as they like.
    #[error("{} belongs to another user (uid {uid}); run this program as that user, or run: chown {us} {}", .path.display(), .path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// The user that this program runs as.
        us: u32,
    },
    /// A file of another kind, or one whose making was interrupted.
    #[error("{} is not an account store, or its making was interrupted ({why}); move it away and run: latchstring-server init", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        why: &'static str,
    },
    /// Made by a newer program.
    #[error("{} has schema version {found} and this program knows versions up to {known}; use a newer latchstring-server", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The latest version that this program knows.
        known: usize,
    },
    /// The file's content contradicts itself.
    #[error("the account store {} is damaged ({what}); stop the server, move its directory away, and use: latchstring-server restore", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The type that was found.
        what: String,
    },
    /// Another process kept the file locked for too long.
    #[error("the account store {} is locked by another process; try again when it is done", .0.display())]
    Busy(PathBuf),
    /// Something else than a file has the name of the lock.
    #[error("cannot lock the account store: {} is not a file; move it away", .0.display())]
    NoLock(PathBuf),
    /// The operating system says no.
    #[error("cannot use the account store {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database says no: a full disk, a read-only file system.
    #[error("cannot use the account store {}: {source}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn by_process(id: Option<u32>) -> String {
    id.map_or_else(String::new, |id| format!(" (process {id})"))
}
