//! Public solvers, each driven by a small Python program in a virtual environment that is made here.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use latchstring_cryptanalysis::Byte;
use serde_json::Value;

use crate::cases::{Answer, Case};

/// How long a public solver may take for one case.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
/// Each solver's name and the program that drives it.
const DRIVERS: [(&str, &str); 2] = [
    ("`mtp` 1.1.0", "spaces.py"),
    ("`otp-dict-breaker` 1.0.0", "dictionary.py"),
];

/// A public solver that waits for cases.
pub(crate) struct Peer {
    /// The package and its version.
    pub(crate) name: &'static str,
    child: Child,
    cases: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Installs the public solvers into `environment` and starts them; `drivers` is the folder of the programs that do.
///
/// # Errors
/// If Python is missing, or a package is not available or is another one than named.
pub(crate) fn start(environment: &Path, drivers: &Path) -> Result<Vec<Peer>> {
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(environment))?;
    }
    let requirements = drivers.join("requirements.txt");
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
    ];
    run(Command::new(&python).args(install).arg(requirements))?;
    let python = fs::canonicalize(environment)?.join("bin/python");
    let one = |(name, driver)| Peer::start(name, &python, drivers.join(driver));
    DRIVERS.into_iter().map(one).collect()
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status();
    let status = status.with_context(|| format!("cannot run {command:?}: install python3-venv"))?;
    ensure!(
        status.success(),
        "{command:?} failed: see its message above"
    );
    Ok(())
}

impl Peer {
    fn start(name: &'static str, python: &Path, driver: PathBuf) -> Result<Self> {
        let mut command = Command::new(python);
        command
            .arg("-B")
            .arg(driver)
            .arg(LIMIT.as_secs().to_string());
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.with_context(|| format!("cannot run {command:?}"))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (cases, answers) = pipes.context("a started program has no pipes")?;
        Ok(Self {
            name,
            child,
            cases,
            answers: BufReader::new(answers),
        })
    }

    /// Lets the solver solve a case.
    ///
    /// # Errors
    /// If it or its driver fails.
    pub(crate) fn solve(&mut self, case: &Case) -> Result<Answer> {
        let hex: Vec<String> = case.ciphertexts.iter().map(hex::encode).collect();
        writeln!(self.cases, "{}", serde_json::to_string(&hex)?)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let failed = || format!("{} failed: see its message above", self.name);
        parse(&line).with_context(failed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(line: &str) -> Result<Answer> {
    let answer: Value = serde_json::from_str(line).context("no answer came")?;
    let seconds = answer["seconds"].as_f64().context("no time came")?;
    let byte = |value| Byte {
        value: Some(value),
        confidence: 0.0,
    };
    let message = |hex: &Value| -> Result<Vec<Byte>> {
        let text = hex::decode(hex.as_str().unwrap_or_default())?;
        Ok(text.into_iter().map(byte).collect())
    };
    let messages = answer["messages"].as_array().into_iter().flatten();
    Ok(Answer {
        messages: messages.map(message).collect::<Result<_>>()?,
        pairs: Vec::new(),
        time: Duration::try_from_secs_f64(seconds)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_time_and_texts() {
        let answer = parse(r#"{"seconds": 0.25, "messages": ["6162", ""]}"#).unwrap();
        assert_eq!(answer.time, Duration::from_millis(250));
        assert_eq!(answer.messages[0][1].value, Some(b'b'));
        assert!(answer.messages[1].is_empty());
        assert!(parse("").is_err());
    }
}
