//! Writes a file that a person has named with an option such as `--out`: whole or not at all.
//!
//! The bytes go to a temporary file beside it first. An error names the file that the person gave, and never the temporary one,
//! of which nobody has heard.

use std::{
    error::Error,
    fmt, fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that was not written.
#[derive(Debug)]
pub struct Unwritten {
    path: PathBuf,
    kind: ErrorKind,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = folder_of(&self.path).display();
        write!(f, "cannot write {}: ", self.path.display())?;
        match self.kind {
            ErrorKind::NotFound | ErrorKind::NotADirectory => write!(
                f,
                "there is no folder {folder}; make it, or name a file in another folder"
            ),
            ErrorKind::IsADirectory => {
                f.write_str("it is a folder; name a file in it, or another file")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => write!(
                f,
                "you may not write into {folder}; name a file in another folder"
            ),
            kind => write!(f, "{kind}; name another file, or make room for it"),
        }
    }
}

impl Error for Unwritten {}

/// Writes a file in one step, so that an interruption leaves the old one. Only its owner may read it. A pipe or a device is
/// written to, and never replaced.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Unwritten> {
    let failed = |why: io::Error| Unwritten {
        path: path.to_owned(),
        kind: why.kind(),
    };
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => return Err(failed(ErrorKind::IsADirectory.into())),
        Ok(about) if !about.is_file() => return fs::write(path, bytes).map_err(failed),
        _ => {}
    }
    let write = || -> io::Result<()> {
        let mut beside = NamedTempFile::new_in(folder_of(path))?;
        beside.write_all(bytes)?;
        beside.as_file().sync_all()?;
        beside.persist(path)?;
        Ok(())
    };
    write().map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grades.csv");
        for text in ["old", "new"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_file_that_was_given_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, why) in [
            (folder.path().join("none/x.csv"), "there is no folder"),
            (file.join("x.csv"), "there is no folder"),
            (folder.path().to_owned(), "it is a folder"),
            (PathBuf::from("/proc/x.csv"), "; "),
        ] {
            let said = write(&path, b"text").unwrap_err().to_string();
            let begin = format!("cannot write {}: ", path.display());
            assert!(said.starts_with(&begin) && said.contains(why), "{said}");
            let top = folder.path().display().to_string();
            assert!(!said.replace(&top, "").contains(".tmp"), "{said}");
        }
    }
}
