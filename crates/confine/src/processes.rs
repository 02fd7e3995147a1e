//! Which processes there are, as Linux tells in `/proc`. Elsewhere nobody is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Bytes in a page of memory, as `/proc/PID/stat` counts.
const PAGE: u64 = 4096;
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

    /// Kills them all.
    pub fn kill(&self) {
        kill_each(self.0.keys().copied());
    }
}

/// Kills the processes that have this variable in their environment, until none is left.
pub fn kill_marked(variable: &str) {
    for _ in 0..LOOKS {
        let left = marked(variable);
        if left.is_empty() {
            break;
        }
        kill_each(left);
    }
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

fn kill_each(pids: impl IntoIterator<Item = i32>) {
    for pid in pids {
        // It fails when the process has ended, which is just as well.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
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
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc_pid_stat(5): the name, in parentheses, may hold anything; behind it field 3 comes first. An ended process that
/// nobody has asked about uses nothing and counts as nothing.
fn parse(stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ended = matches!(*fields.first()?, "Z" | "X");
    (!ended).then_some(Process {
        parent: fields.get(1)?.parse().ok()?,
        threads: number(20)?,
        memory: number(24)? * PAGE,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_name_with_parentheses_is_no_trap() {
        let rest = "S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 100 9999 12 18446744073709551615";
        let process = parse(&format!("42 (a) b (c)) {rest}")).unwrap();
        assert_eq!((process.parent, process.threads), (7, 3));
        assert_eq!(process.memory, 12 * PAGE);
        assert_eq!(parse(&format!("42 (a) {}", rest.replace('S', "Z"))), None);
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
        Descendants::of(shell_id).kill();
        assert!(shell.wait().unwrap().code().is_some());
        assert!(Descendants::of(shell_id).is_empty());
    }
}
