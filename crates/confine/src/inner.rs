//! The process that starts the program: the first one of the process namespace, where the kernel gave one. Signals of the
//! program do not end it, and when it ends, everything in the namespace ends.

use std::{
    fs::File,
    io::ErrorKind,
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Stdio, id},
    thread,
};

use anyhow::{Context, anyhow, bail};
use nix::{
    errno::Errno,
    sys::wait::{WaitStatus, wait},
    unistd::setsid,
};

use crate::{
    job::Job,
    keeper::system as parent,
    note::{InForce, Note, Notes, Start},
};

/// Runs the program of a job that is written as JSON under its rules, and tells the grader how it ended.
///
/// # Errors
/// When the job cannot be read or a rule cannot be set.
pub fn run(job: &str) -> anyhow::Result<ExitCode> {
    let job: Job = serde_json::from_str(job).context("the job is not one")?;
    let notes = Notes::open().context("the standard input is no socket of the grader")?;
    parent::adopt_orphans();
    parent::go_as_others();
    // Without a controlling terminal nothing of the program reaches the screen of the grader.
    let _ = setsid();
    fence::hide();
    parent::follow_parent();
    let started = thread::scope(|scope| scope.spawn(|| start_fenced(&job, &notes)).join());
    let note = match started.map_err(|_| anyhow!("the thread that starts the program failed"))?? {
        Ok(child) => wait_for(child)?,
        Err(not_started) => not_started,
    };
    notes.tell(&note);
    Ok(ExitCode::SUCCESS)
}

/// Starts the program from a thread that has its rules. The rules hold for this thread and for the program. The thread
/// ends, and the rest of this process stays outside. So the program can neither look into it nor send signals to it.
fn start_fenced(job: &Job, notes: &Notes) -> anyhow::Result<Result<i32, Note>> {
    // Opened before the rules hold: the file is the grader's.
    let input = match &job.input {
        Some(path) => File::open(path)
            .context("cannot open the input of the program")?
            .into(),
        None => Stdio::null(),
    };
    let (landlock, no_new_privileges) = match job.fenced {
        true => fence::raise(job)?,
        false => (0, false),
    };
    notes.tell(&Note::Limits(InForce {
        landlock,
        process_namespace: id() == 1,
        measured: cfg!(target_os = "linux"),
        no_new_privileges,
    }));
    start(job, input)
}

fn start(job: &Job, input: Stdio) -> anyhow::Result<Result<i32, Note>> {
    let (program, args) = job.command.split_first().context("the command is empty")?;
    let started = Command::new(program)
        .args(args)
        .current_dir(&job.folder)
        .stdin(input)
        .process_group(0)
        .spawn();
    Ok(match started {
        Ok(child) => Ok(i32::try_from(child.id())?),
        Err(why) => {
            let how = match why.kind() {
                ErrorKind::NotFound => Start::Missing,
                ErrorKind::PermissionDenied => Start::NotExecutable,
                _ => Start::Failed,
            };
            let why = why.to_string();
            Err(Note::NotStarted { how, why })
        }
    })
}

/// How the program ended. Orphans become children of this process: each is asked how it ended, so that it counts no more.
fn wait_for(child: i32) -> anyhow::Result<Note> {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid.as_raw() == child => {
                let (code, signal) = (Some(code), None);
                return Ok(Note::Ended { code, signal });
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == child => {
                let (code, signal) = (None, Some(signal as i32));
                return Ok(Note::Ended { code, signal });
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => bail!("cannot wait for the program: {why}"),
        }
    }
}

/// Landlock: which files, ports and processes the program can reach. It needs no root.
#[cfg(target_os = "linux")]
mod fence {
    use std::path::Path;

    use anyhow::Context;
    use landlock::{
        ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd,
        Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
    };
    use nix::sys::prctl;

    use crate::{job::Job, roots};

    /// The newest rules that are asked for; an older kernel keeps those that it knows.
    const NEWEST: ABI = ABI::V6;

    /// Gives this thread, and all that it starts, its rules. Says which version of them the kernel keeps, and whether
    /// no program can gain rights.
    pub(super) fn raise(job: &Job) -> anyhow::Result<(u32, bool)> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()
            .context("cannot make access rules")?;
        let read = AccessFs::from_read(NEWEST);
        for root in roots::all().iter().chain(&job.readable) {
            rules = allow(rules, root, read)?;
        }
        let write = AccessFs::WriteFile | AccessFs::ReadFile;
        for device in roots::DEVICES {
            rules = allow(rules, Path::new(device), write)?;
        }
        for folder in &job.writable {
            rules = allow(rules, folder, AccessFs::from_all(NEWEST))?;
        }
        for port in &job.ports {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
        for port in &job.listens {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
        }
        let status = rules.restrict_self().context("cannot set access rules")?;
        let version = match status.landlock {
            LandlockStatus::Available { effective_abi, .. }
                if status.ruleset != RulesetStatus::NotEnforced =>
            {
                effective_abi.min(NEWEST) as u32
            }
            _ => 0,
        };
        Ok((version, status.no_new_privs))
    }

    /// What does not exist needs no rule.
    fn allow(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> anyhow::Result<RulesetCreated> {
        let Ok(opened) = PathFd::new(path) else {
            return Ok(rules);
        };
        let access = match path.is_dir() {
            true => access,
            false => access & AccessFs::from_file(NEWEST),
        };
        Ok(rules.add_rule(PathBeneath::new(opened, access))?)
    }

    /// Keeps the program from looking into this process, which has the socket of the grader.
    pub(super) fn hide() {
        let _ = prctl::set_dumpable(false);
    }
}

/// Elsewhere there is no such thing.
#[cfg(not(target_os = "linux"))]
mod fence {
    use crate::job::Job;

    pub(super) fn raise(_: &Job) -> anyhow::Result<(u32, bool)> {
        Ok((0, false))
    }

    pub(super) fn hide() {}
}
