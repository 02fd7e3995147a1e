//! Folders for targets that read files.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = {
        // In memory where there is such a place: a target opens thousands of files a second.
        let memory = Path::new("/dev/shm");
        let made = match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        made.expect("a folder for scratch files can be made")
    };
}

/// A folder that this thread alone uses. What an earlier input left in it is gone.
///
/// # Panics
/// When the folder cannot be emptied or made.
pub fn folder(name: &str) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    if path.exists() {
        std::fs::remove_dir_all(&path).expect("our own folder can be removed");
    }
    std::fs::create_dir_all(&path).expect("a folder can be made");
    path
}

/// Writes `bytes` into a new file of that folder that its owner alone can read.
///
/// # Panics
/// When it cannot be written.
pub fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file can be written");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, private).expect("it is ours");
    path
}
