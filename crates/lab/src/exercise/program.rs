//! Runs a student's program, in whatever language it is, and keeps it within bounds.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// How much of a program's output is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// What a program did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// How it ended, when it did not end well.
    pub trouble: Option<String>,
}

/// Runs a program in a folder until it ends or `within` is over; then it is stopped with all that it started.
///
/// # Errors
/// When it cannot be started.
pub async fn run(
    command: &[String],
    args: &[String],
    folder: &Path,
    within: Duration,
) -> anyhow::Result<Ran> {
    let (program, first) = command
        .split_first()
        .context("the command to run is empty: give one in answers.toml")?;
    let mut child = Command::new(program)
        .args(first)
        .args(args)
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            format!(
                "cannot start {program:?} in {}: is it installed?",
                folder.display()
            )
        })?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let end = timeout(within, async {
        let (status, (), ()) =
            tokio::join!(child.wait(), keep(stdout, &mut out), keep(stderr, &mut err));
        group.ended();
        status
    })
    .await;
    let trouble = match end {
        Ok(Ok(status)) if status.success() => None,
        Ok(Ok(status)) => Some(format!("it ended with {status}")),
        Ok(Err(why)) => Some(format!("it was lost: {why}")),
        Err(_) => Some(format!("it was stopped after {} seconds", within.as_secs())),
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran {
        stdout: text(out),
        stderr: text(err),
        trouble,
    })
}

/// A program and all that it has started. Unless they have ended, they are stopped when this is dropped: when their time
/// is over, and when the check itself is interrupted.
struct Group(Option<i32>);

impl Group {
    /// Nobody holds the output any more, and the number may soon be somebody else's.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It fails when they ended in this very moment, which is just as well.
            let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
        }
    }
}

/// Reads to the end and keeps the beginning, so that a program that prints without end fills no memory.
async fn keep(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..n.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    async fn shell(script: &str, within: Duration) -> Ran {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, &[], Path::new("."), within).await.unwrap()
    }

    #[tokio::test]
    async fn output_and_end_are_reported() {
        let ran = shell("echo out; echo err >&2; exit 3", Duration::from_secs(10)).await;
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("out\n", "err\n")
        );
        assert!(ran.trouble.unwrap().contains('3'));
        assert!(
            shell("true", Duration::from_secs(10))
                .await
                .trouble
                .is_none()
        );
        let missing = run(
            &["no-such-program-here".to_owned()],
            &[],
            Path::new("."),
            Duration::from_secs(1),
        )
        .await;
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .contains("no-such-program-here")
        );
    }

    #[tokio::test]
    async fn a_program_that_never_ends_is_stopped_with_its_children_and_its_output_is_bounded() {
        let began = Instant::now();
        let ran = shell("yes & wait", Duration::from_millis(300)).await;
        assert!(ran.trouble.unwrap().contains("stopped"));
        assert_eq!(ran.stdout.len(), KEPT);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
