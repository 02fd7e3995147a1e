//! A program that is started for each message. It reads one line of JSON from its standard input, and exits with 0 once
//! it has the message durably.
//!
//! *At least once*: when the server dies between the program's end and its own note of it, the program gets the message
//! again. The user, the key and the id in the line tell a repetition from a new message.

use std::{
    io::{self, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use latchstring_store_sqlite::Waiting;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::line::line;

/// How long the program may take for a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often we look whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// A program that is started for each message.
#[derive(Debug)]
pub(crate) struct CommandSink {
    command: Vec<String>,
    patience: Duration,
}

impl CommandSink {
    pub(super) fn new(command: &[String]) -> Self {
        Self {
            command: command.to_vec(),
            patience: PATIENCE,
        }
    }

    /// Starts the program with this message, and waits for its end.
    pub(super) fn deliver(&mut self, message: &Waiting) -> anyhow::Result<()> {
        let line = line(message)?;
        let program = self.command.join(" ");
        let status = self.run(line);
        let status = status.with_context(|| format!("cannot run the command {program}"))?;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => bail!("the command {program} ended with the exit code {code}"),
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                bail!("the command {program} was ended by the signal {signal}")
            }
        }
    }

    fn run(&self, line: String) -> anyhow::Result<ExitStatus> {
        let (program, arguments) = self.command.split_first().context("it is empty")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal from the server's terminal is for the server.
            .process_group(0)
            .spawn()?;
        let stdin = child.stdin.take();
        // On a separate thread: a program that does not read must not hold us up. One that ends without reading has
        // decided by its exit code.
        thread::spawn(move || {
            let _ = stdin.map(|mut stdin| stdin.write_all(line.as_bytes()));
        });
        let ended = wait(&mut child, self.patience);
        if !matches!(ended, Ok(Some(_))) {
            let group = i32::try_from(child.id()).map(Pid::from_raw);
            let _ = group.map(|group| killpg(group, Signal::SIGKILL));
            child.wait()?;
        }
        ended?.with_context(|| format!("it took longer than {} s", self.patience.as_secs()))
    }
}

/// Waits for the end of a program, for some time.
fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sink::line::tests::waiting;

    fn shell(script: &str) -> CommandSink {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        CommandSink::new(&command)
    }

    fn error(mut sink: CommandSink) -> String {
        let error = sink.deliver(&waiting(1, "text")).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn the_program_reads_the_line_and_its_exit_code_decides() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("taken");
        let mut sink = shell(&format!("cat >> {}", to.display()));
        for id in [1, 2] {
            // Longer than a pipe holds.
            let long = "\u{0}".repeat(16_372);
            sink.deliver(&waiting(id, &long)).unwrap();
        }
        let taken = fs::read_to_string(to).unwrap();
        assert_eq!(taken.lines().count(), 2);
        // One that does not read has the message if it says so.
        shell("exit 0").deliver(&waiting(1, "text")).unwrap();
        assert!(error(shell("exit 3")).contains("the exit code 3"));
        assert!(error(shell("kill -9 $$")).contains("the signal 9"));
    }

    #[test]
    fn a_program_that_is_not_there_or_does_not_end_is_an_error() {
        let nowhere = CommandSink::new(&["/no/such/program".to_owned()]);
        assert!(error(nowhere).contains("cannot run the command /no/such/program"));
        let mut slow = shell("sleep 60 & sleep 60");
        slow.patience = Duration::from_secs(1);
        let began = Instant::now();
        assert!(error(slow).contains("longer than 1 s"));
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
