//! Folders for files that exist for a few seconds.
//!
//! A class of 500 has more than 100,000 of them. Nobody needs them on a disk, and a file system that has to make and forget
//! them takes more time than everything else does.

use std::{env, io, path::Path};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";
/// Memory with less room than this is left to others. In many containers there are 64 MiB.
const ROOM: u64 = 1 << 30;

/// A new folder, which goes with the value. It is in memory where the system offers that, and there is room. Who sets `TMPDIR`
/// has chosen a place already.
///
/// # Errors
/// When no folder can be made.
pub fn folder() -> io::Result<TempDir> {
    let chosen = env::var_os("TMPDIR").is_some();
    if !chosen && has_room(Path::new(MEMORY)) {
        // Not everybody may write there.
        if let Ok(made) = tempfile::tempdir_in(MEMORY) {
            return Ok(made);
        }
    }
    tempfile::tempdir()
}

fn has_room(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|about| {
        let free = about.blocks_available();
        free.saturating_mul(about.fragment_size()) >= ROOM
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_can_be_written_and_goes_with_its_value() {
        let made = folder().unwrap();
        let path = made.path().to_owned();
        std::fs::write(path.join("file"), "text").unwrap();
        drop(made);
        assert!(!path.exists());
    }

    #[test]
    fn a_place_that_does_not_exist_has_no_room() {
        assert!(!has_room(Path::new("/no/such/place")));
    }
}
