//! The copy of a folder in which a program runs: what it writes changes nothing of the original.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// The most that is copied, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// The most files that are copied.
const MOST_FILES: usize = 20_000;

/// A copy that goes when this is dropped. Beside it is a folder for temporary files.
pub struct Scratch {
    top: TempDir,
}

impl Scratch {
    /// An empty folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn empty() -> anyhow::Result<Self> {
        let top = tempfile::tempdir().context("cannot make a temporary folder")?;
        for name in ["work", "tmp"] {
            fs::create_dir(top.path().join(name)).context("cannot make a temporary folder")?;
        }
        Ok(Self { top })
    }

    /// Copies a folder, but for the entries that `left_out` names, at any depth. Links stay links: their targets are not
    /// copied, since the program may not be allowed to read them.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the folder is too large.
    pub fn copy_of(folder: &Path, left_out: impl Fn(&OsStr) -> bool) -> anyhow::Result<Self> {
        let scratch = Self::empty()?;
        let mut copy = Copy {
            left_out,
            bytes: 0,
            files: 0,
        };
        copy.folder(folder, &scratch.work())?;
        Ok(scratch)
    }

    /// The copy.
    pub fn work(&self) -> PathBuf {
        self.top.path().join("work")
    }

    /// The folder for temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.top.path().join("tmp")
    }

    /// Both.
    pub fn top(&self) -> &Path {
        self.top.path()
    }
}

struct Copy<F> {
    left_out: F,
    bytes: u64,
    files: usize,
}

impl<F: Fn(&OsStr) -> bool> Copy<F> {
    fn folder(&mut self, from: &Path, to: &Path) -> anyhow::Result<()> {
        let listed = || format!("cannot list {}", from.display());
        for entry in fs::read_dir(from).with_context(listed)? {
            let name = entry.with_context(listed)?.file_name();
            if !(self.left_out)(&name) {
                self.entry(&from.join(&name), &to.join(&name))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path) -> anyhow::Result<()> {
        let failed = || format!("cannot copy {}", from.display());
        let about = match fs::symlink_metadata(from) {
            // An editor's temporary file may be gone by now.
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
            about => about.with_context(failed)?,
        };
        self.files += 1;
        self.bytes += if about.is_file() { about.len() } else { 0 };
        ensure!(
            self.bytes <= MOST_BYTES && self.files <= MOST_FILES,
            "{} is too large to be copied for a run: keep less than {MOST_FILES} files and {} MiB in it",
            from.parent().unwrap_or(from).display(),
            MOST_BYTES >> 20
        );
        if about.is_symlink() {
            symlink(fs::read_link(from).with_context(failed)?, to).with_context(failed)
        } else if about.is_dir() {
            fs::create_dir(to).with_context(failed)?;
            self.folder(from, to)
        } else if about.is_file() {
            fs::copy(from, to).map(drop).with_context(failed)
        } else {
            // Sockets, pipes and devices are no part of a program.
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_files_and_links_and_not_what_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/program"), "here").unwrap();
        fs::write(at("secret"), "not here").unwrap();
        symlink("/etc/hostname", at("link")).unwrap();
        let scratch = Scratch::copy_of(folder.path(), |name| name == "secret").unwrap();
        let copy = |name: &str| scratch.work().join(name);
        assert_eq!(fs::read_to_string(copy("sub/program")).unwrap(), "here");
        assert!(!copy("secret").exists());
        assert_eq!(
            fs::read_link(copy("link")).unwrap(),
            Path::new("/etc/hostname")
        );
        fs::write(copy("sub/program"), "changed").unwrap();
        assert_eq!(fs::read_to_string(at("sub/program")).unwrap(), "here");
    }

    #[test]
    fn a_folder_without_end_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("large")).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        let error = Scratch::copy_of(folder.path(), |_| false).err().unwrap();
        assert!(error.to_string().contains("256 MiB"), "{error}");
    }
}
