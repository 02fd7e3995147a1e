//! The copy of a folder in which a program runs: what it writes changes nothing of the original.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io,
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
    /// copied, since the program may not be allowed to read them. Files keep their times: a build tool compares those of
    /// sources and programs, so it builds only what has changed.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the folder is too large.
    pub fn copy_of(folder: &Path, left_out: impl Fn(&OsStr) -> bool) -> anyhow::Result<Self> {
        let scratch = Self::empty()?;
        Copy::but(left_out).folder(folder, &scratch.work())?;
        Ok(scratch)
    }

    /// Copies back what the folder lacks, such as what a build has made.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the copy is too large.
    pub fn add_to(&self, folder: &Path) -> anyhow::Result<()> {
        Copy::but(|_| false).folder(&self.work(), folder)
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
    fn but(left_out: F) -> Self {
        Self {
            left_out,
            bytes: 0,
            files: 0,
        }
    }

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
        if about.is_dir() {
            fs::create_dir_all(to).with_context(failed)?;
            self.folder(from, to)
        } else if fs::symlink_metadata(to).is_ok() {
            // What is there already stays as it is.
            Ok(())
        } else if about.is_symlink() {
            symlink(fs::read_link(from).with_context(failed)?, to).with_context(failed)
        } else if about.is_file() {
            copy_file(from, to, &about).with_context(failed)
        } else {
            // Sockets, pipes and devices are no part of a program.
            Ok(())
        }
    }
}

fn copy_file(from: &Path, to: &Path, about: &Metadata) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.set_modified(about.modified()?)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::PermissionsExt,
        time::{Duration, SystemTime},
    };

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
    fn what_a_folder_lacks_is_copied_back_and_nothing_in_it_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/source"), "mine").unwrap();
        let scratch = Scratch::copy_of(folder.path(), |_| false).unwrap();
        fs::write(scratch.work().join("sub/source"), "changed").unwrap();
        fs::write(scratch.work().join("sub/made"), "made").unwrap();
        scratch.add_to(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(at("sub/source")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(at("sub/made")).unwrap(), "made");
    }

    #[test]
    fn a_file_keeps_its_time_and_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "here").unwrap();
        let then = SystemTime::now() - Duration::from_secs(3600);
        File::open(&program).unwrap().set_modified(then).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o555)).unwrap();
        let scratch = Scratch::copy_of(folder.path(), |_| false).unwrap();
        let about = fs::metadata(scratch.work().join("program")).unwrap();
        assert_eq!(about.modified().unwrap(), then);
        assert_eq!(about.permissions().mode() & 0o777, 0o555);
    }

    #[test]
    fn a_folder_without_end_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("large")).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        let error = Scratch::copy_of(folder.path(), |_| false).err().unwrap();
        assert!(error.to_string().contains("256 MiB"), "{error}");
    }
}
