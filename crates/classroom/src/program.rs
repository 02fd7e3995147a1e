//! Runs a student's program, in any language, and keeps it within bounds.

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use std::os::unix::process::ExitStatusExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How much of a program's output is kept, in bytes.
pub const KEPT: usize = 64 * 1024;
/// How long a program may go on when nothing that it does can change the verdict.
const GRACE: Duration = Duration::from_secs(1);
/// How long something that a program has started may hold its output once the program itself has ended.
const REST: Duration = Duration::from_millis(500);

/// The variable that marks a program and all that it starts, so that they are found again.
const MARK: &str = "LATCHSTRING_RUN";
/// How often those that are left are looked for: one that starts others all the time may win.
const LOOKS: usize = 50;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Well,
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// The program was stopped at its time limit.
    OutOfTime(Duration),
    /// The program was stopped when the verdict was known.
    Decided,
    /// The program was never started: it does not exist.
    Missing,
    /// The program was never started: the file may not be executed.
    NotExecutable,
    /// The program was never started, for this reason of the system.
    NotStarted(String),
}

/// The result of a program.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The output, up to the limit.
    pub stdout: String,
    /// The error output.
    pub stderr: String,
    /// The way it ended.
    pub end: End,
    /// Whether the output went over the limit.
    pub flooded: bool,
}

impl Ran {
    fn never(end: End) -> Self {
        Self {
            stdout: String::new(),
            stderr: String::new(),
            end,
            flooded: false,
        }
    }
}

/// Runs a program in a folder until it ends, or `within` is over, or shortly after `decided`. Then the program and all
/// its children are stopped.
pub async fn run(
    command: &[String],
    args: &[String],
    folder: &Path,
    within: Duration,
    decided: impl Future<Output = ()>,
) -> Ran {
    let Some((program, first)) = command.split_first() else {
        return Ran::never(End::NotStarted("the command is empty".to_owned()));
    };
    let mark = mark();
    let started = Command::new(program)
        .args(first)
        .args(args)
        .current_dir(folder)
        .env(MARK, &mark)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8")
        // A file or a pipe gets lines late; what a stopped program has printed is to be seen.
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    match started {
        Ok(child) => watch(child, mark, within, decided).await,
        Err(why) => Ran::never(match why.kind() {
            ErrorKind::NotFound => End::Missing,
            ErrorKind::PermissionDenied => End::NotExecutable,
            _ => End::NotStarted(why.to_string()),
        }),
    }
}

async fn watch(
    mut child: Child,
    mark: String,
    within: Duration,
    decided: impl Future<Output = ()>,
) -> Ran {
    let group = Group {
        leader: child.id().and_then(|id| i32::try_from(id).ok()),
        mark,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut flooded = false;
    let end = {
        let running = async {
            let reading = async {
                let (much, _) = tokio::join!(keep(stdout, &mut out), keep(stderr, &mut err));
                flooded = much;
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
            ended = timeout(within, running) => match ended {
                Ok(Ok(status)) => how(status),
                Ok(Err(why)) => End::NotStarted(why.to_string()),
                Err(_) => End::OutOfTime(within),
            },
            () = known => End::Decided,
        }
    };
    drop(group);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        stdout: text(out),
        stderr: text(err),
        end,
        flooded,
    }
}

fn how(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => End::Well,
        (Some(code), _) => End::Status(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

/// A program and all that it has started: they are stopped when this is dropped, also when the check is interrupted. As
/// long as one of them runs, the number of their group is nobody else's.
struct Group {
    leader: Option<i32>,
    mark: String,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // It fails when all of them have ended, which is just as well.
            let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
        }
        // Some have left the group: they would see the targets of later runs, and the solution.
        for _ in 0..LOOKS {
            let left = marked(&self.mark);
            if left.is_empty() {
                break;
            }
            for process in left {
                let _ = kill(process, Signal::SIGKILL);
            }
        }
    }
}

/// A mark that no other program has which runs now.
fn mark() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{run}", std::process::id())
}

/// The processes with this mark in their environment. Where the system has no `/proc`, nobody is found.
fn marked(mark: &str) -> Vec<Pid> {
    let variable = format!("{MARK}={mark}").into_bytes();
    let is_marked = |process: &i32| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|set| set == variable)
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_marked)
        .map(Pid::from_raw)
        .collect()
}

/// Reads to the end and keeps the beginning, so that a program that prints without end fills no memory. Returns whether
/// there was more.
async fn keep(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> bool {
    let Some(mut from) = from else { return false };
    let mut buffer = [0; 4096];
    let mut more = false;
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..n.min(room)]);
        more |= n > room;
    }
    more
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Instant};

    use super::*;

    async fn shell(script: &str, within: Duration) -> Ran {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, &[], Path::new("."), within, pending()).await
    }

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn output_and_end_are_reported() {
        let ran = shell("echo out; echo err >&2; exit 3", LONG).await;
        assert_eq!((&ran.stdout[..], &ran.stderr[..]), ("out\n", "err\n"));
        assert_eq!(ran.end, End::Status(3));
        assert_eq!(shell("true", LONG).await.end, End::Well);
        assert_eq!(shell("kill -SEGV $$", LONG).await.end, End::Signal(11));
    }

    #[tokio::test]
    async fn what_cannot_be_started_says_in_which_way() {
        let end = async |command: &str| {
            let command = [command.to_owned()];
            run(&command, &[], Path::new("."), LONG, pending())
                .await
                .end
        };
        assert_eq!(end("no-such-program-here").await, End::Missing);
        assert_eq!(end("./Cargo.toml").await, End::NotExecutable);
        let none = run(&[], &[], Path::new("."), LONG, pending()).await;
        assert!(matches!(none.end, End::NotStarted(_)));
    }

    #[tokio::test]
    async fn a_program_that_never_ends_is_stopped_with_its_children_and_its_output_is_bounded() {
        let began = Instant::now();
        let within = Duration::from_millis(300);
        let ran = shell("yes & wait", within).await;
        assert_eq!(ran.end, End::OutOfTime(within));
        assert_eq!(ran.stdout.len(), KEPT);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn nobody_waits_for_what_a_program_leaves_behind_nor_for_one_whose_verdict_is_known() {
        let began = Instant::now();
        let ran = shell("echo done; sleep 60 &", LONG).await;
        assert_eq!((ran.end, &ran.stdout[..]), (End::Well, "done\n"));
        let command = ["sleep", "60"].map(str::to_owned);
        let ran = run(&command, &[], Path::new("."), LONG, async {}).await;
        assert_eq!(ran.end, End::Decided);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_process_that_leaves_the_group_is_stopped_too() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let script = format!("setsid sh -c 'sleep 1; echo here > {}' &", seen.display());
        assert_eq!(shell(&script, LONG).await.end, End::Well);
        sleep(Duration::from_millis(1500)).await;
        assert!(!seen.exists(), "it went on after the check");
    }
}
