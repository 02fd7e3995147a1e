//! Which processes there are, as Linux tells in `/proc`. Elsewhere nobody is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How often processes that are left are looked for: a program that starts others all the time may win.
const LOOKS: usize = 50;

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: i32,
    threads: u64,
    /// In bytes.
    memory: u64,
}

/// What several processes use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processes and threads.
    pub tasks: u64,
    /// Memory in use, in bytes. What two share counts twice.
    pub memory: u64,
}

/// All that descend from a process, without the process.
#[derive(Debug, Default)]
pub struct Descendants(BTreeMap<i32, Process>);

impl Descendants {
    /// Looks now.
    pub fn of(ancestor: i32) -> Self {
        let mut others = all();
        let (mut found, mut parents) = (BTreeMap::new(), BTreeSet::from([ancestor]));
        loop {
            let next: Vec<i32> = others
                .iter()
                .filter(|(_, process)| parents.contains(&process.parent))
                .map(|(pid, _)| *pid)
                .collect();
            if next.is_empty() {
                return Self(found);
            }
            for pid in next {
                parents.insert(pid);
                found.extend(others.remove_entry(&pid));
            }
        }
    }

    /// What they use together.
    pub fn usage(&self) -> Usage {
        self.0
            .values()
            .fold(Usage::default(), |sum, process| Usage {
                tasks: sum.tasks + process.threads,
                memory: sum.memory + process.memory,
            })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Kills all that descend from a process, until none is left.
    pub fn kill_all(ancestor: i32) {
        kill_until_none(|| Self::of(ancestor).0.into_keys().collect());
    }
}

/// Kills the processes that have this variable in their environment, until none is left.
pub fn kill_marked(variable: &str) {
    kill_until_none(|| marked(variable));
}

fn marked(variable: &str) -> Vec<i32> {
    let is_marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut set = environment.split(|byte| *byte == 0);
        set.any(|set| set == variable.as_bytes())
    };
    pids().filter(is_marked).collect()
}

/// How many processes and threads this user has.
pub fn tasks_of_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let user = nix::unistd::getuid().as_raw();
    let mine = pids().filter(|pid| {
        let owner = fs::metadata(format!("/proc/{pid}"));
        owner.is_ok_and(|about| about.uid() == user)
    });
    mine.filter_map(read).map(|process| process.threads).sum()
}

fn kill_until_none(look: impl Fn() -> Vec<i32>) {
    for _ in 0..LOOKS {
        let left = look();
        if left.is_empty() {
            break;
        }
        for pid in left {
            // It fails when the process has ended, which is just as well.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

fn all() -> BTreeMap<i32, Process> {
    pids().filter_map(|pid| Some((pid, read(pid)?))).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn read(pid: i32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// proc_pid_status(5), which counts memory in kB whatever the size of a page is, and escapes what a name holds. An ended
/// process whose parent has not asked for its exit code uses nothing and counts as nothing.
fn parse(status: &str) -> Option<Process> {
    let field = |name: &str| {
        let mut values = status.lines().filter_map(|line| line.strip_prefix(name));
        values.next()?.strip_prefix(':')?.split_whitespace().next()
    };
    let ended = matches!(field("State")?, "Z" | "X");
    let resident = field("VmRSS").map_or(Some(0_u64), |kib| kib.parse().ok());
    (!ended).then_some(Process {
        parent: field("PPid")?.parse().ok()?,
        threads: field("Threads")?.parse().ok()?,
        memory: resident?.saturating_mul(1024),
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_process_calls_itself_is_no_trap() {
        let status = |state: &str| {
            format!(
                "Name:\tPPid:\\nPPid:\t1\nState:\t{state} (x)\nPPid:\t7\nVmRSS:\t  48 kB\nThreads:\t3\n"
            )
        };
        let process = parse(&status("S")).unwrap();
        assert_eq!((process.parent, process.threads), (7, 3));
        assert_eq!(process.memory, 48 * 1024);
        assert_eq!(parse(&status("Z")), None);
    }

    #[test]
    fn this_process_uses_memory() {
        let me = read(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.memory > 1 << 20, "{me:?}");
    }

    #[test]
    fn children_of_children_are_found_and_killed() {
        let me = i32::try_from(std::process::id()).unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & wait"])
            .spawn()
            .unwrap();
        let shell_id = i32::try_from(shell.id()).unwrap();
        while Descendants::of(shell_id).0.len() < 2 {
            std::thread::yield_now();
        }
        let all = Descendants::of(me);
        assert!(all.0.contains_key(&shell_id) && all.usage().tasks >= 3);
        Descendants::kill_all(shell_id);
        assert!(shell.wait().unwrap().code().is_some());
        assert!(Descendants::of(shell_id).is_empty());
    }
}
