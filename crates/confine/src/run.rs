//! The grader's side: starts the keeper with a job, keeps the beginning of what the program prints, and stops it.

use std::{
    env,
    ffi::OsString,
    os::{fd::OwnedFd, unix::net::UnixStream as Socket, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::UnixStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    job::Job,
    note::{Excess, InForce, Note, Start},
    processes::kill_marked,
};

/// How much of a program's output is kept, in bytes.
pub const KEPT: usize = 64 * 1024;
/// How long a program may go on when nothing that it does can change the verdict.
const GRACE: Duration = Duration::from_secs(1);
/// How long the output may stay open once the keeper has ended.
const REST: Duration = Duration::from_millis(500);
/// The variable that marks the keeper and all below it, so that they are found again.
const MARK: &str = "LATCHSTRING_RUN";
/// All variables that a program gets from the grader's environment, and those that begin with `LC_`.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TZ",
    "SHELL",
    "RUSTUP_HOME",
    "CARGO_HOME",
    "PYENV_ROOT",
    "JAVA_HOME",
    "GOROOT",
];

/// The program that is the keeper, with the arguments that make it one; the job comes last.
#[derive(Debug, Clone)]
pub struct Launcher(Vec<OsString>);

impl Launcher {
    /// This program, with these arguments.
    ///
    /// # Errors
    /// When the system does not say where this program is.
    pub fn this_program(arguments: &[&str]) -> anyhow::Result<Self> {
        let program =
            env::current_exe().context("the system does not say where this program is")?;
        Ok(Self::at(&program, arguments))
    }

    /// A program in the same folder as this one.
    pub fn beside(&self, name: &str) -> PathBuf {
        let program = self.0.first().map(Path::new).unwrap_or(Path::new(""));
        program.with_file_name(name)
    }

    /// A program, with these arguments.
    pub fn at(program: &Path, arguments: &[&str]) -> Self {
        let program = program.as_os_str().to_owned();
        let arguments = arguments.iter().map(OsString::from);
        Self(std::iter::once(program).chain(arguments).collect())
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Well,
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// It was stopped when its time was up.
    OutOfTime(Duration),
    /// It was stopped because it used too much.
    TooMuch(Excess),
    /// It was stopped when the verdict was known.
    Decided,
    /// It was never started: the program to run does not exist.
    Missing,
    /// It was never started: the file may not be executed.
    NotExecutable,
    /// It was never started, and the system says why.
    NotStarted(String),
}

/// What a program did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it printed, as far as it is kept.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// How it ended.
    pub end: End,
    /// Whether it printed more than is kept.
    pub flooded: bool,
    /// Which limits held; `None` when it was not started.
    pub in_force: Option<InForce>,
}

impl Ran {
    fn never(why: impl ToString) -> Self {
        Self {
            stdout: String::new(),
            stderr: String::new(),
            end: End::NotStarted(why.to_string()),
            flooded: false,
            in_force: None,
        }
    }
}

/// Runs a job until it ends, `within` is over, or `decided` and a little more; then it is stopped with all that it started.
/// Temporary files of the program belong in `temporary`.
pub async fn run(
    launcher: &Launcher,
    job: &Job,
    temporary: &Path,
    within: Duration,
    decided: impl Future<Output = ()>,
) -> Ran {
    if job.command.first().is_none_or(String::is_empty) {
        return Ran::never("the command is empty");
    }
    match start(launcher, job, temporary) {
        Ok((child, mark, notes)) => watch(child, mark, notes, within, decided).await,
        Err(why) => Ran::never(format!("{why:#}")),
    }
}

fn start(
    launcher: &Launcher,
    job: &Job,
    temporary: &Path,
) -> anyhow::Result<(Child, String, UnixStream)> {
    let (program, arguments) = launcher.0.split_first().context("there is no launcher")?;
    let (ours, theirs) = Socket::pair().context("cannot make a socket")?;
    ours.set_nonblocking(true)?;
    let mark = mark();
    let child = Command::new(program)
        .args(arguments)
        .arg(serde_json::to_string(job)?)
        .env_clear()
        .envs(environment(temporary))
        .env(MARK, &mark)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", PathBuf::from(program).display()))?;
    Ok((child, format!("{MARK}={mark}"), UnixStream::from_std(ours)?))
}

/// What a program may know of the grader's environment.
fn environment(temporary: &Path) -> Vec<(OsString, OsString)> {
    let known = |name: &OsString| {
        let name = name.to_string_lossy();
        PASSED_ON.contains(&name.as_ref()) || name.starts_with("LC_")
    };
    let mut variables: Vec<_> = env::vars_os().filter(|(name, _)| known(name)).collect();
    let temporary = temporary.as_os_str().to_owned();
    variables.push(("TMPDIR".into(), temporary));
    // A file or a pipe gets lines late; what a stopped program has printed is to be seen.
    for (name, value) in [
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONIOENCODING", "utf-8"),
        ("PYTHONUNBUFFERED", "1"),
    ] {
        variables.push((name.into(), value.into()));
    }
    variables
}

async fn watch(
    mut child: Child,
    mark: String,
    notes: UnixStream,
    within: Duration,
    decided: impl Future<Output = ()>,
) -> Ran {
    let group = Group {
        keeper: child.id().and_then(|id| i32::try_from(id).ok()),
        mark,
    };
    let [mut out, mut err, mut told] = [(); 3].map(|()| Kept::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stopped = {
        let running = async {
            let reading = async {
                tokio::join!(out.fill(stdout), err.fill(stderr), told.fill(Some(notes)));
            };
            tokio::pin!(reading);
            let mut all_read = false;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut reading, if !all_read => all_read = true,
                }
            };
            if !all_read {
                let _ = timeout(REST, &mut reading).await;
            }
            status
        };
        let known = async {
            decided.await;
            sleep(GRACE).await;
        };
        tokio::select! {
            ended = timeout(within, running) => ended.map_err(|_| End::OutOfTime(within)),
            () = known => Err(End::Decided),
        }
    };
    drop(group);
    let notes = read_notes(&told.bytes);
    let in_force = notes.iter().find_map(|note| match note {
        Note::Limits(in_force) => Some(in_force.clone()),
        _ => None,
    });
    let end = match stopped {
        Err(end) => end,
        Ok(Err(why)) => End::NotStarted(why.to_string()),
        Ok(Ok(keeper)) => how(&notes, keeper),
    };
    let text = |kept: &Kept| String::from_utf8_lossy(&kept.bytes).into_owned();
    Ran {
        stdout: text(&out),
        stderr: text(&err),
        end,
        flooded: out.more,
        in_force,
    }
}

fn read_notes(told: &[u8]) -> Vec<Note> {
    let lines = told.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// How the program ended. A keeper or an inner process that ended without a word was killed, and by whom is not known.
fn how(notes: &[Note], keeper: ExitStatus) -> End {
    let ends = notes.iter().filter_map(|note| match note {
        Note::Limits(_) => None,
        Note::Ended { code: Some(0), .. } => Some(End::Well),
        Note::Ended {
            code: Some(code), ..
        } => Some(End::Status(*code)),
        Note::Ended { signal, .. } => Some(End::Signal(signal.unwrap_or_default())),
        Note::NotStarted { how, why } => Some(match how {
            Start::Missing => End::Missing,
            Start::NotExecutable => End::NotExecutable,
            Start::Failed => End::NotStarted(why.clone()),
        }),
        Note::Stopped(excess) => Some(End::TooMuch(*excess)),
    });
    let ends: Vec<End> = ends.collect();
    let too_much = ends.iter().find(|end| matches!(end, End::TooMuch(_)));
    let started = notes.iter().any(|note| matches!(note, Note::Limits(_)));
    match (too_much.or(ends.first()), started) {
        (Some(end), _) => end.clone(),
        (None, true) => End::Signal(keeper.signal().unwrap_or(Signal::SIGKILL as i32)),
        (None, false) => End::NotStarted("its limits could not be set".to_owned()),
    }
}

/// The keeper and all below it: they are stopped when this is dropped, also when the check is interrupted. As long as one
/// of them runs, the number of their group is nobody else's.
struct Group {
    keeper: Option<i32>,
    mark: String,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper {
            // It fails when all of them have ended, which is just as well.
            let _ = killpg(Pid::from_raw(keeper), Signal::SIGKILL);
        }
        // Without a process namespace, some may have left the group.
        kill_marked(&self.mark);
    }
}

/// A mark that no other program has which runs now.
fn mark() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{run}", std::process::id())
}

/// The beginning of a stream. The rest is read, and fills no memory.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Whether there was more.
    more: bool,
}

impl Kept {
    async fn fill(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer).await {
            let room = KEPT - self.bytes.len();
            self.bytes.extend_from_slice(&buffer[..n.min(room)]);
            self.more |= n > room;
        }
    }
}
