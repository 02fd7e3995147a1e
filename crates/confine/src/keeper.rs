//! The process between the grader and the program: sets limits, measures what the program uses, and stops what is left.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::close,
};

use crate::{
    cgroup::Group,
    job::{Job, Limits},
    note::{Excess, Note, Notes},
    processes::{Descendants, tasks_of_user},
};

/// The argument that makes the inner process of the keeper's program.
pub const INNER: &str = "--inner";

/// How often the program is measured.
const EVERY: Duration = Duration::from_millis(50);
/// How often the files in the writable folders are measured.
const FILES_EVERY: Duration = Duration::from_millis(500);

/// Runs a job that is written as JSON, and tells the grader on the standard input. The arguments of this process, and
/// `--inner`, run the inner process.
///
/// Call it before any thread is started: a process with threads gets no namespace.
///
/// # Errors
/// When the job cannot be read or the inner process cannot be started.
pub fn keep(job: &str) -> anyhow::Result<ExitCode> {
    close_inherited();
    let work: Job = serde_json::from_str(job).context("the job is not one")?;
    let notes = Notes::open().context("the standard input is no socket of the grader")?;
    system::follow_parent();
    system::adopt_orphans();
    system::go_first();
    set_limits(&work.limits)?;
    // Where no new namespace is given, a process of this user counts as much as one of the program.
    let others = match work.own_processes && system::unshare_processes()? {
        true => 0,
        false => tasks_of_user(),
    };
    limit(Resource::RLIMIT_NPROC, work.limits.processes + others)?;
    // This process, and two threads of the inner one, are not the program's.
    let _group = Group::of_at_most(work.limits.processes + 3);
    let mut inner = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .arg(INNER)
        .stdin(Stdio::inherit())
        .spawn()
        .context("cannot start the inner process")?;
    if let Some(excess) = watch(&mut inner, &work) {
        notes.tell(&Note::Stopped(excess));
    }
    Ok(ExitCode::SUCCESS)
}

/// Closes what the grader's parents have left open for every process: the program is not to have it.
fn close_inherited() {
    let open = fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let open: Vec<i32> = open
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // The listing itself is closed by now.
        let _ = close(descriptor);
    }
}

fn set_limits(limits: &Limits) -> anyhow::Result<()> {
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_CPU, limits.cpu_seconds)?;
    limit(Resource::RLIMIT_FSIZE, limits.file)?;
    limit(Resource::RLIMIT_NOFILE, limits.open_files)?;
    limit(Resource::RLIMIT_AS, limits.address_space)
}

/// Never more than there was.
fn limit(resource: Resource, value: u64) -> anyhow::Result<()> {
    let (_, most) = getrlimit(resource)?;
    let value = value.min(most);
    setrlimit(resource, value, value).with_context(|| format!("cannot set {resource:?} to {value}"))
}

/// Waits for the inner process, and stops it with all others when they use too much together. Nothing runs afterwards.
fn watch(inner: &mut Child, job: &Job) -> Option<Excess> {
    let me = i32::try_from(std::process::id()).unwrap_or_default();
    let mut files_at = Instant::now();
    let excess = loop {
        // An error says that there is no such child any more.
        if !matches!(inner.try_wait(), Ok(None)) {
            break None;
        }
        let usage = Descendants::of(me).usage();
        // The inner process is not the program's.
        if usage.tasks > job.limits.processes + 1 {
            break Some(Excess::Processes);
        }
        if usage.memory > job.limits.memory {
            break Some(Excess::Memory);
        }
        if files_at.elapsed() > FILES_EVERY {
            files_at = Instant::now();
            let sizes = job.writable.iter().map(|folder| size_of(folder));
            if sizes.sum::<u64>() > job.limits.files {
                break Some(Excess::Files);
            }
        }
        sleep(EVERY);
    };
    // The first process of a namespace takes all others with it.
    let _ = inner.kill();
    let _ = inner.wait();
    Descendants::kill_all(me);
    excess
}

/// All files below a folder, in bytes. What disappears meanwhile has none.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => size_of(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// What only Linux has.
#[cfg(target_os = "linux")]
pub(crate) mod system {
    use std::fs;

    use anyhow::Context;
    use nix::{
        sched::{CloneFlags, unshare},
        sys::{prctl, signal::Signal},
        unistd::{getgid, getuid},
    };

    /// Ends with the parent.
    pub(crate) fn follow_parent() {
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    }

    /// Descendants whose parent ends become children of this process, so that they are found.
    pub(crate) fn adopt_orphans() {
        let _ = prctl::set_child_subreaper(true);
    }

    /// Root alone may: then the keeper gets its turn also beside a thousand processes of a fork bomb. For everybody else the
    /// kernel counts the processes.
    pub(crate) fn go_first() {
        let _ = rustix::process::setpriority_process(None, -20);
    }

    /// The program gets its turn as every other one.
    pub(crate) fn go_as_others() {
        let _ = rustix::process::setpriority_process(None, 0);
    }

    /// The next child becomes the first process of a new process namespace. Says whether the kernel gave one.
    ///
    /// # Errors
    /// When the kernel gave one, and then refuses the map of its users.
    pub(crate) fn unshare_processes() -> anyhow::Result<bool> {
        let (user, group) = (getuid(), getgid());
        if unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID).is_err() {
            return Ok(false);
        }
        // Without a map the user is nobody, and may not read its own files, and there is no way back. user_namespaces(7)
        // wants this order.
        let map = |file: &str, text: String| fs::write(format!("/proc/self/{file}"), text);
        let mapped = map("uid_map", format!("{user} {user} 1"))
            .and_then(|()| map("setgroups", "deny".to_owned()))
            .and_then(|()| map("gid_map", format!("{group} {group} 1")));
        mapped.context("the kernel gives a user namespace, and refuses its map in /proc")?;
        Ok(true)
    }
}

/// What only Linux has.
#[cfg(not(target_os = "linux"))]
pub(crate) mod system {
    pub(crate) fn follow_parent() {}
    pub(crate) fn adopt_orphans() {}
    pub(crate) fn go_first() {}
    pub(crate) fn go_as_others() {}
    pub(crate) fn unshare_processes() -> anyhow::Result<bool> {
        Ok(false)
    }
}
