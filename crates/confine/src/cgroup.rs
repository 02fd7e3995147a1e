//! A number of processes that the kernel keeps, also for root, whose processes `RLIMIT_NPROC` does not count.
//!
//! Only root may make a control group, so it is tried, and everything else works without it. cgroups(7) has two layouts.
//! Version 1 has a hierarchy of its own for `pids`. In version 2 the group at the top is used.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::id,
};

/// What the names of the groups begin with.
const NAME: &str = "latchstring-";

/// The group of this process, with everything that it starts. It goes when this is dropped, once all others have ended.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    parent: PathBuf,
}

impl Group {
    /// Puts this process into a new group of so many processes and threads; `None` where that cannot be.
    pub fn of_at_most(tasks: u64) -> Option<Self> {
        let parent = parent()?;
        sweep(&parent);
        let folder = parent.join(format!("{NAME}{}", id()));
        fs::create_dir(&folder).ok()?;
        let group = Self { folder, parent };
        let limited = group.write("pids.max", tasks).is_ok();
        // Dropped, and so removed, if one of the two fails.
        (limited && group.write("cgroup.procs", id()).is_ok()).then_some(group)
    }

    fn write(&self, file: &str, value: impl ToString) -> io::Result<()> {
        fs::write(self.folder.join(file), value.to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.parent.join("cgroup.procs"), id().to_string());
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The group below which a new one can be made.
fn parent() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let top = Path::new("/sys/fs/cgroup");
    let of = |controller: &str| {
        let mut lines = own.lines().map(|line| line.splitn(3, ':').skip(1));
        let found = lines.find_map(|mut parts| {
            let of = parts.next()?.split(',').any(|name| name == controller);
            of.then(|| parts.next()).flatten()
        });
        found.map(|path| path.trim_start_matches('/').to_owned())
    };
    if let Some(path) = of("pids") {
        return Some(top.join("pids").join(path));
    }
    // In version 2 a group with processes hands no limits on, except for the one at the top.
    let controllers = fs::read_to_string(top.join("cgroup.controllers")).ok()?;
    let is_there = controllers.split_whitespace().any(|name| name == "pids");
    let is_top = of("").is_some_and(|path| path.is_empty());
    (is_there && is_top && fs::write(top.join("cgroup.subtree_control"), "+pids").is_ok())
        .then(|| top.to_owned())
}

/// Removes the groups of keepers that were killed. A group with a process in it stays.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(NAME);
        if ours {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
