//! One server a store: two that number messages side by side would each acknowledge what the other one keeps.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
};

use latchstring_store::StoreError;

use crate::file::one_name;

/// Keeps every other server off a store for as long as it lives, and until the process ends, also by `kill -9`.
///
/// The lock (`flock`) is on a file beside the store. That file is found by the store's real path, so another
/// configuration, another port or a symbolic link meets the same lock. The file stays when the lock is gone: its
/// removal could take it from under a server that has just locked it. Programs that only add users or read messages do
/// not need the lock.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Locks the store at `path`, whether there is one already or not. Take it before the store is opened.
    ///
    /// # Errors
    /// [`StoreError::Served`] when another process has it. [`StoreError::Links`] when the store could be reached past
    /// the lock. [`StoreError::Missing`] when there is no such directory. Or an error of the disk.
    pub fn acquire(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| failed(path, source);
        let lock = lock_path(path).map_err(failed)?;
        // What is there and is no file cannot be opened, or would be locked for everybody who knows it, as a device is.
        if fs::metadata(&lock).map_or(lock.is_symlink(), |about| !about.is_file()) {
            return Err(StoreError::NoLock(lock));
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.mode(0o600).open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Served {
                    path: path.to_owned(),
                    process: holder(&file),
                    lock,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if let Ok(about) = fs::metadata(path) {
            one_name(path, &about)?;
        }
        // For the message of a second server; a lock whose file cannot be written is a lock all the same.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = writeln!(file, "{}", process::id());
        Ok(Self { _file: file })
    }

    /// The process that serves the store at `path`; `None` when nobody does. To see that, the lock is held for a moment.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such directory; [`StoreError::NoLock`] when the lock does not name its holder.
    /// Or an error of the disk.
    pub fn holder(path: &Path) -> Result<Option<u32>, StoreError> {
        let failed = |source| failed(path, source);
        let lock = lock_path(path).map_err(failed)?;
        let file = match File::open(&lock) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                holder(&file).map(Some).ok_or(StoreError::NoLock(lock))
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => StoreError::Io {
            path: path.to_owned(),
            source,
        },
    }
}

/// The lock's file: the store's real path with `.lock` behind it.
fn lock_path(store: &Path) -> io::Result<PathBuf> {
    let real = match fs::canonicalize(store) {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let parent = store.parent().filter(|p| !p.as_os_str().is_empty());
            let name = store.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            fs::canonicalize(parent.unwrap_or(Path::new(".")))?.join(name)
        }
        Err(e) => return Err(e),
    };
    let mut lock = real.into_os_string();
    lock.push(".lock");
    Ok(lock.into())
}

fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_holder_at_a_time_by_whatever_name() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("accounts.db");
        fs::write(&store, "").unwrap();
        let other = tempfile::tempdir().unwrap();
        symlink(&store, other.path().join("link.db")).unwrap();
        symlink(dir.path(), other.path().join("folder")).unwrap();
        let held = StoreLock::acquire(&store).unwrap();
        let names = [
            store.clone(),
            dir.path()
                .join("../")
                .join(dir.path())
                .join("./accounts.db"),
            other.path().join("link.db"),
            other.path().join("folder/accounts.db"),
        ];
        for name in &names {
            let error = StoreLock::acquire(name).unwrap_err();
            let text = error.to_string();
            assert!(
                matches!(error, StoreError::Served { process: Some(id), .. } if id == process::id()),
                "{text}"
            );
            assert!(text.contains(&name.display().to_string()), "{text}");
            assert!(text.contains("stop that server"), "{text}");
        }
        assert_eq!(StoreLock::holder(&store).unwrap(), Some(process::id()));
        // A failed try takes nothing from the holder.
        assert!(StoreLock::acquire(&store).is_err());
        drop(held);
        assert_eq!(StoreLock::holder(&store).unwrap(), None);
        for name in &names {
            StoreLock::acquire(name).unwrap();
        }
    }

    #[test]
    fn a_second_hard_link_is_refused_and_names_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("accounts.db");
        fs::write(&store, "").unwrap();
        fs::hard_link(&store, dir.path().join("again.db")).unwrap();
        let error = StoreLock::acquire(&store).unwrap_err();
        assert!(
            matches!(error, StoreError::Links { links: 2, .. }),
            "{error}"
        );
        fs::remove_file(dir.path().join("again.db")).unwrap();
        StoreLock::acquire(&store).unwrap();
    }

    #[test]
    fn what_is_no_file_cannot_be_the_lock_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (store, lock) = (dir.path().join("a.db"), dir.path().join("a.db.lock"));
        symlink("nowhere", &lock).unwrap();
        let error = StoreLock::acquire(&store).unwrap_err().to_string();
        assert!(error.contains("a.db.lock is not a file"), "{error}");
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        assert!(matches!(
            StoreLock::acquire(&store),
            Err(StoreError::NoLock(_))
        ));
    }

    #[test]
    fn a_store_that_is_yet_to_be_made_can_be_locked_and_a_missing_directory_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("new.db");
        let held = StoreLock::acquire(&store).unwrap();
        fs::write(&store, "").unwrap();
        assert!(matches!(
            StoreLock::acquire(&store),
            Err(StoreError::Served { .. })
        ));
        drop(held);
        let nowhere = StoreLock::acquire(&dir.path().join("no/such/accounts.db"));
        assert!(matches!(nowhere, Err(StoreError::Missing(_))));
    }
}
