//! The errors of an outbox.

use std::{io, path::PathBuf};

use latchstring_net::files::Exposed;
use thiserror::Error;

/// The error of an outbox, with the next step.
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
    /// Somebody else could put messages into it, which would be sent in the user's name.
    #[error(transparent)]
    Exposed(#[from] Exposed),
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
    /// The file says that it belongs to another host, user or key.
    #[error("{} holds the messages for another host, user or key: it was renamed or copied; give it its own name back", .0.display())]
    Foreign(PathBuf),
    /// The server holds fewer messages than it has acknowledged.
    #[error(
        "the server holds messages up to {last}, but has acknowledged up to {acked}: its store was lost or set back. Ask the operator; to begin again, move {} away", .path.display()
    )]
    ServerForgot {
        /// The file.
        path: PathBuf,
        /// The last message at the server.
        last: u64,
        /// The last acknowledged message.
        acked: u64,
    },
}
