//! The file itself: who may read it, and whether it is ours, before SQLite may touch it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use nix::{fcntl::OFlag, unistd::Uid};

use crate::StoreError;

/// "SQLite format 3", the first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the header keeps the application id (<https://www.sqlite.org/fileformat.html>, section 1.3).
const APPLICATION_ID_AT: usize = 68;
/// Our application id; the first migration sets it.
const APPLICATION_ID: [u8; 4] = *b"lath";
/// The header's length.
const HEADER: usize = 100;

/// Makes an empty file of mode 0600 that was not there before. SQLite gives its helper files the same mode.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.map(drop).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => StoreError::FileExists(path.to_owned()),
        _ => failed(path, source),
    })
}

/// Checks that the file is there, closed to others, and ours.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    // Without O_NONBLOCK a named pipe would wait for somebody who writes.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = (OpenOptions::new().read(true).custom_flags(flags.bits())).open(path);
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => failed(path, source),
    })?;
    let about = file.metadata().map_err(|e| failed(path, e))?;
    let foreign = |why| StoreError::Foreign {
        path: path.to_owned(),
        why,
    };
    if !about.is_file() {
        return Err(foreign("it is not a regular file"));
    }
    let mut header = Vec::with_capacity(HEADER);
    (file.take(HEADER as u64).read_to_end(&mut header)).map_err(|e| failed(path, e))?;
    if header.len() < HEADER {
        return Err(foreign("it is empty or cut short"));
    }
    if !header.starts_with(MAGIC) {
        return Err(foreign("it is not an SQLite file"));
    }
    if header[APPLICATION_ID_AT..][..4] != APPLICATION_ID {
        return Err(foreign("it is another program's SQLite file"));
    }
    let mode = about.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(StoreError::Permissions { path, mode });
    }
    let (uid, us) = (about.uid(), Uid::effective().as_raw());
    if uid != us && uid != 0 {
        let path = path.to_owned();
        return Err(StoreError::Owner { path, uid, us });
    }
    Ok(())
}

/// Makes sure that a file's content is on the disk.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|e| failed(path, e))
}

/// A new file's name is on the disk only once its directory is.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))
        .and_then(|directory| directory.sync_all())
        .map_err(|e| failed(path, e))
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    StoreError::Io { path, source }
}
