//! The files of one lab, from inside this program or from a folder.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use include_dir::{Dir, DirEntry};

/// A lab is text, and small. A lab's file is never larger than this, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Folders that tools write into. They are neither watched nor handed in.
const TOOLS: [&str; 4] = ["target", "__pycache__", ".git", "node_modules"];

/// Whether tools leave a folder of this name.
pub fn is_left_by_tools(name: &str) -> bool {
    TOOLS.contains(&name)
}

/// The files of one lab, by their paths in its folder.
#[derive(Clone, Default)]
pub struct Files(pub(crate) BTreeMap<PathBuf, Cow<'static, [u8]>>);

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Files {
    /// The text of a file.
    ///
    /// # Errors
    /// When there is no such file, or it is not UTF-8.
    pub fn text(&self, name: &str) -> anyhow::Result<&str> {
        let bytes = self.0.get(Path::new(name));
        let bytes = bytes.with_context(|| format!("there is no {name}"))?;
        std::str::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))
    }

    /// Writes the files below `part`, such as `start`, into a folder, but for those in folders of these names there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn lay_out(&self, part: &str, left_out: &[&str], folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (path, bytes) in &self.0 {
            let Ok(name) = path.strip_prefix(part) else {
                continue;
            };
            if left_out.iter().any(|folder| name.starts_with(folder)) {
                continue;
            }
            let target = folder.join(name);
            let write = || {
                fs::create_dir_all(target.parent().unwrap_or(folder))?;
                fs::write(&target, bytes)
            };
            write().with_context(|| format!("cannot write {}", target.display()))?;
        }
        Ok(())
    }

    /// All files, with their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        let files = self.0.iter();
        files.map(|(path, bytes)| (path.as_path(), bytes.as_ref()))
    }

    fn insert(&mut self, path: PathBuf, bytes: Cow<'static, [u8]>) {
        // What Python leaves beside a program that was run is no part of a lab.
        if !path.iter().any(|part| part == "__pycache__") {
            self.0.insert(path, bytes);
        }
    }

    pub(crate) fn built_in(&mut self, top: &Path, folder: &'static Dir<'_>) {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(below) => self.built_in(top, below),
                DirEntry::File(file) => {
                    let path = file.path().strip_prefix(top).unwrap_or(file.path());
                    self.insert(path.to_owned(), Cow::Borrowed(file.contents()));
                }
            }
        }
    }

    pub(crate) fn read(&mut self, top: &Path, folder: &Path) -> anyhow::Result<()> {
        let listed = || format!("cannot list {}", folder.display());
        for entry in fs::read_dir(folder).with_context(listed)? {
            let path = entry.with_context(listed)?.path();
            let about = fs::metadata(&path)
                .with_context(|| format!("cannot look at {}", path.display()))?;
            if about.is_dir() {
                self.read(top, &path)?;
            } else if about.is_file() && about.len() <= LARGEST_FILE {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let name = path.strip_prefix(top).unwrap_or(&path).to_owned();
                self.insert(name, Cow::Owned(bytes));
            }
        }
        Ok(())
    }
}

/// Copies the files of a folder, and of the folders in it, to another one.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let listed = || format!("cannot list {}", from.display());
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(listed)? {
        let entry = entry.with_context(listed)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => drop(fs::copy(&path, &target).with_context(|| {
                format!("cannot copy {} to {}", path.display(), target.display())
            })?),
        }
    }
    Ok(())
}
