//! Notices that files of a student's folder were saved. Times and lengths are read several times a second. That works in
//! WSL, on network folders and with every editor, which notices of the system do not.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::time::sleep;

use super::{files::is_left_by_tools, state};

/// How often the folder is looked at. A save is over when two looks find the same.
const EVERY: Duration = Duration::from_millis(300);
/// Folders are looked into so deep.
const DEEPEST: usize = 6;

/// What the folder's files looked like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Look {
    /// Looks at the files of a folder, but for the state of the lab and backups.
    pub fn at(folder: &Path) -> Self {
        let mut look = Self::default();
        look.add(folder, folder, DEEPEST);
        look
    }

    fn add(&mut self, top: &Path, folder: &Path, deeper: usize) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let text = name.to_string_lossy();
            let ours = state::is_its_file(&name) || text.starts_with("backup-");
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if ours || is_left_by_tools(&text) {
                continue;
            }
            if about.is_dir() && deeper > 0 {
                self.add(top, &path, deeper - 1);
            } else if about.is_file() {
                let name = path.strip_prefix(top).unwrap_or(&path).to_owned();
                self.0.insert(name, (about.modified().ok(), about.len()));
            }
        }
    }

    /// The first file that differs.
    fn differs_from(&self, other: &Self) -> Option<PathBuf> {
        let names = self.0.keys().chain(other.0.keys());
        let mut changed = names.filter(|name| self.0.get(*name) != other.0.get(*name));
        changed.next().cloned()
    }
}

/// Waits until a file differs from how it was, and nothing is being written any more. Returns that file.
pub async fn saved(folder: &Path, before: &Look) -> PathBuf {
    loop {
        sleep(EVERY).await;
        let now = Look::at(folder);
        if let Some(file) = now.differs_from(before) {
            let mut last = now;
            loop {
                sleep(EVERY).await;
                let now = Look::at(folder);
                if now == last {
                    return file;
                }
                last = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_save_is_noticed_and_what_tools_and_the_lab_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("target")).unwrap();
        fs::create_dir_all(at("src")).unwrap();
        fs::write(at("src/main.rs"), "one").unwrap();
        let before = Look::at(folder.path());
        for quiet in [".latchstring.json", "target/attack"] {
            fs::write(at(quiet), "x").unwrap();
        }
        assert_eq!(Look::at(folder.path()), before);
        fs::write(at("src/main.rs"), "another").unwrap();
        let file = saved(folder.path(), &before).await;
        assert_eq!(file, Path::new("src/main.rs"));
        fs::remove_file(at("src/main.rs")).unwrap();
        assert_ne!(Look::at(folder.path()), before);
    }
}
