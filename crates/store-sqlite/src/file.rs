//! The file itself: its permissions and its owner, before SQLite may touch it.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use nix::{fcntl::OFlag, unistd::Uid};

use latchstring_store::StoreError;

/// "SQLite format 3", the first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the header keeps the application id (<https://www.sqlite.org/fileformat.html>, section 1.3).
const APPLICATION_ID_AT: usize = 68;
/// Our application id; the first migration sets it.
const APPLICATION_ID: [u8; 4] = *b"lath";
/// The header's length.
const HEADER: usize = 100;

/// Makes an empty file of mode 0600 that was not there before. SQLite gives its helper files the same mode.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
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
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    // Without O_NONBLOCK a named pipe would wait for somebody who writes.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = (OpenOptions::new().read(true).custom_flags(flags.bits())).open(path);
    let foreign = |why| StoreError::Foreign {
        path: path.to_owned(),
        why,
    };
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ if is_socket(path) => foreign("it is a socket"),
        _ => failed(path, source),
    })?;
    let about = file.metadata().map_err(|e| failed(path, e))?;
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
    one_name(path, &about)?;
    let (uid, us) = (about.uid(), Uid::effective().as_raw());
    if uid != us && uid != 0 {
        let path = path.to_owned();
        return Err(StoreError::Owner { path, uid, us });
    }
    Ok(())
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.file_type().is_socket())
}

/// A store has one name. SQLite keeps the newest commits in files beside the name by which it was opened. Under a
/// second hard link, or where the file alone is mounted, there would be a second set of them, and a second lock. One
/// program's commits would be unknown to the other program, or undone by it.
pub(crate) fn one_name(path: &Path, about: &Metadata) -> Result<(), StoreError> {
    // A directory has many links; that it is no store is said elsewhere.
    if about.is_file() && about.nlink() > 1 {
        return Err(StoreError::Links {
            path: path.to_owned(),
            links: about.nlink(),
        });
    }
    // Where there is no such list, nothing can be said.
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    match fs::canonicalize(path) {
        Ok(real) if about.is_file() && is_mounted(&mounts, &real) => {
            Err(StoreError::Mounted(path.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Whether the list of mounts names this very path (proc(5), `mountinfo`: the fifth field, with some bytes as octal).
fn is_mounted(mounts: &[u8], path: &Path) -> bool {
    let mut name = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => name.extend(format!("\\{byte:03o}").bytes()),
            _ => name.push(*byte),
        }
    }
    let fields = |line: &'_ [u8]| line.split(|b| *b == b' ').nth(4) == Some(&name[..]);
    mounts.split(|b| *b == b'\n').any(fields)
}

/// Makes sure that a file's content is on the disk.
pub(crate) fn sync(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|e| failed(path, e))
}

/// A new file's name is on the disk only once its directory is.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))
        .and_then(|directory| directory.sync_all())
        .map_err(|e| failed(path, e))
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    StoreError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `user add` under the second name was lost to the user of the first name.
    #[test]
    fn a_store_with_a_second_name_is_opened_by_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.db");
        create(&store).unwrap();
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(MAGIC);
        header[APPLICATION_ID_AT..][..4].copy_from_slice(&APPLICATION_ID);
        fs::write(&store, header).unwrap();
        check(&store).unwrap();
        fs::hard_link(&store, dir.path().join("b.db")).unwrap();
        assert!(matches!(
            check(&store),
            Err(StoreError::Links { links: 2, .. })
        ));
        // A directory has many links, and is something else.
        let folder = check(&dir.path().join("."));
        assert!(
            matches!(folder, Err(StoreError::Foreign { .. })),
            "{folder:?}"
        );
    }

    #[test]
    fn a_mount_of_the_file_alone_is_seen() {
        let mounts = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                       40 22 8:1 /srv/a.db /my\\040data/a.db rw - ext4 /dev/sda1 rw\n";
        for (path, mounted) in [
            ("/my data/a.db", true),
            ("/my data", false),
            ("/srv/a.db", false),
            ("/", true),
        ] {
            assert_eq!(is_mounted(mounts, Path::new(path)), mounted, "{path}");
        }
    }
}
