//! The file of an outbox: its lines, and its lock.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use latchstring_net::files::{check_trusted, open_ours};
use serde::{Deserialize, Serialize};

use super::OutboxError;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    For {
        host: String,
        user: String,
        key: String,
    },
    Session(String),
    Message {
        id: u64,
        text: String,
    },
    Acked(u64),
    Settled {
        last: u64,
        drop: Vec<(u64, String)>,
    },
    Adopted {
        from: String,
        messages: Vec<(u64, String)>,
    },
}

/// Opens the file, which is made if it does not exist, and locks it. Others must not be able to change it.
pub(super) fn open_locked(dir: &Path, path: &Path) -> Result<File, OutboxError> {
    let failed_at = |path: &Path, source| OutboxError::Io {
        path: path.to_owned(),
        source,
    };
    let failed = |source| failed_at(path, source);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let about = made.and_then(|()| dir.metadata());
    check_trusted(dir, &about.map_err(|source| failed_at(dir, source))?)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).mode(0o600);
    let file = open_ours(path, options).map_err(failed)?;
    check_trusted(path, &file.metadata().map_err(failed)?)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OutboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // The file's name is on the disk only once its directory is.
    (File::open(dir).and_then(|dir| dir.sync_all())).map_err(failed)?;
    Ok(file)
}
