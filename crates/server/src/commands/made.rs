//! New files and directories. They are private from their first moment, on the disk when the program says so, and
//! removed if the whole could not be finished.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use latchstring_net::files::check_trusted;

/// The files and directories made so far. Removed when it is dropped, unless it is kept.
#[derive(Debug, Default)]
pub(super) struct Made {
    files: Vec<PathBuf>,
    directory: Option<PathBuf>,
}

impl Made {
    /// With a directory that was made for it.
    pub(super) fn directory(path: &Path) -> Self {
        Self {
            files: Vec::new(),
            directory: Some(path.to_owned()),
        }
    }

    pub(super) fn add(&mut self, file: PathBuf) {
        self.files.push(file);
    }

    /// A store, and what SQLite may leave beside it.
    pub(super) fn add_store(&mut self, store: &Path) {
        self.add(store.to_owned());
        self.files.extend(beside_store(store));
    }

    /// All files are complete and stay.
    pub(super) fn keep(mut self) {
        self.files.clear();
        self.directory = None;
    }
}

/// The files that SQLite may have left beside a store: the newest commits may be in the first of them alone.
pub(super) fn beside_store(store: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = store.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Makes a directory for its owner alone. One that is there may be used unless others can put files into it.
pub(super) fn make_private(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let about = made.and_then(|()| dir.metadata());
    let about = about.with_context(|| format!("cannot make the directory {}", dir.display()))?;
    Ok(check_trusted(dir, &about)?)
}

/// Writes a file of mode 0600 that was not there before, and makes sure that it is on the disk.
pub(super) fn new_file(path: &Path, from: &mut impl Read) -> anyhow::Result<()> {
    let written = (OpenOptions::new().write(true).create_new(true).mode(0o600))
        .open(path)
        .and_then(|mut file| {
            let written = io::copy(from, &mut file).and_then(|_| file.sync_all());
            written.inspect_err(|_| _ = fs::remove_file(path))
        });
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The names of new files are on the disk only once their directory is.
pub(super) fn sync(directory: &Path) -> anyhow::Result<()> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.with_context(|| format!("cannot write to {}", directory.display()))
}
