//! Peers in other programs: a server that is started and ended, a client that is given its input.

use std::{
    fmt::Display,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use super::python;

/// A program that ends with this value, and what it prints.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Whether a line that it prints holds this, now or within ten seconds.
    pub fn prints(&self, words: &str) -> bool {
        let line = || self.lines.recv_timeout(Duration::from_secs(10)).ok();
        std::iter::from_fn(line).any(|line| line.contains(words))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that first prints where it listens, and its port.
///
/// # Panics
/// When it cannot be started, or prints no port.
pub fn listening(command: &mut Command) -> (Running, u16) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (sender, lines) = mpsc::channel();
    // Reads to the end, so that the server can always print.
    thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    // `…:7000`, or `('127.0.0.1', 7000)` as the report's server has it.
    let line = line.trim().trim_end_matches(')');
    let port = line.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap();
    let port = port
        .parse()
        .unwrap_or_else(|_| panic!("no port in {line:?}"));
    (Running { child, lines }, port)
}

/// Runs a program to its end, with these lines as its input.
///
/// # Panics
/// When it cannot be started.
pub fn with_input(command: &mut Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A client that gives up early reads no more.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The server or the client of a rung in Python, which was written from its page alone.
///
/// # Panics
/// When Python or a package of it is missing.
pub fn rung_in_python(program: &str, rung: impl Display, keys: &Path) -> Command {
    let mut command = python(&format!("ladder/rung{rung}/{program}"), "cryptography");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--dir").arg(keys);
    command
}
