//! A trial in which the student's program is a peer of the ladder: it is graded over its wire, by what it does.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use latchstring_attacker::net::port::ReservedPort;
use latchstring_confine::run::{End, Launcher, Ran};
use latchstring_ladder::{
    Rung, folder,
    grade::{self, Finding, Promise, client::Launch},
    rung::Idea,
};
use rand::Rng;
use tempfile::{NamedTempFile, TempDir};
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    TrialSetup,
    graded::{Fault, Graded},
    place::{listening, path},
};
use crate::{
    catalogue::{Keeps, Mend, Side},
    diagnosis::{Started, Trouble},
    program::{Program, Reach},
    seed::Seed,
};

/// How long a client may take for one session.
const FOR_A_SESSION: Duration = Duration::from_secs(30);

/// The ladder's findings, in the two groups that a check can ask for.
fn faults(rung: Rung, findings: Vec<Finding>) -> Vec<Fault> {
    let fault = |finding: Finding| Fault {
        of: match finding.promise {
            Promise::Withstands(_) => Keeps::Defences,
            _ => Keeps::Service,
        },
        found: format!("rung {rung}: {finding}"),
        serves_nobody: finding.promise == Promise::Session,
    };
    findings.into_iter().map(fault).collect()
}

impl TrialSetup<'_> {
    /// Starts the program as a peer of its rung and grades it.
    ///
    /// # Errors
    /// When the keys cannot be written, or no port is free.
    pub(super) async fn mend(&self, mend: Mend, seed: &Seed) -> anyhow::Result<Graded> {
        let rung = Rung::new(mend.rung)?;
        let seed = seed.stream("grader").next_u64();
        let keys = tempfile::tempdir()?;
        folder::write(rung, keys.path())?;
        self.steps.begin(&format!(
            "trying {} on rung {rung}, first with honest peers and then with attackers",
            self.command.join(" ")
        ));
        match mend.side {
            Side::Server => self.server(rung, &keys, seed).await,
            Side::Client => self.client(rung, &keys, seed).await,
        }
    }

    async fn server(&self, rung: Rung, keys: &TempDir, seed: u64) -> anyhow::Result<Graded> {
        if rung.has(Idea::Proof) {
            // From here on a server holds public keys alone: one that asks for more finds nothing.
            fs::remove_dir_all(keys.path().join("client.keys"))?;
        }
        let reserved = ReservedPort::take()?;
        let port = reserved.number();
        let args = ["--port", &port.to_string(), "--dir", path(keys.path())?].map(str::to_owned);
        let reach = Reach {
            readable: vec![keys.path().to_owned()],
            listens: vec![port],
            ..Reach::default()
        };
        let graded = grade_server(rung, port, seed);
        let (ran, graded) = self.run_beside(&args, reach, graded).await;
        let (findings, broken) = match graded {
            Some(Ok(findings)) => (findings, None),
            Some(Err(silent)) => (Vec::new(), Some(silent)),
            None => (Vec::new(), Some(self.ended(&ran))),
        };
        Ok(Graded {
            faults: faults(rung, findings),
            broken,
            ran,
        })
    }

    /// Why there is no verdict: the server ended, or was ended, while it was tried.
    pub(super) fn ended(&self, ran: &Ran) -> Trouble {
        let started = Started {
            command: &self.command,
            folder: &self.student.folder,
        };
        started.trouble(ran).unwrap_or_else(|| Trouble {
            found: match ran.end {
                End::Status(code) => {
                    format!("your server ended with exit status {code} while it was tried")
                }
                _ => "your server ended while it was tried".to_owned(),
            },
            next: Some(
                "a server goes on when a connection goes wrong: look for the place where it ends"
                    .to_owned(),
            ),
            late: false,
        })
    }

    async fn client(&self, rung: Rung, keys: &TempDir, seed: u64) -> anyhow::Result<Graded> {
        let mut sessions = Sessions {
            runtime: Handle::current(),
            launcher: self.launcher.clone(),
            program: self.program.clone(),
            command: self.command.clone(),
            keys: keys.path().to_owned(),
            first: None,
        };
        let grading = spawn_blocking(move || {
            let findings = grade::client::client(rung, &mut sessions, seed);
            (findings, sessions.first)
        });
        let (findings, first) = grading.await.context("the grader failed")?;
        let ran = first.context("your client was never started")?;
        let broken = Started {
            command: &self.command,
            folder: &self.student.folder,
        }
        .trouble(&ran);
        Ok(Graded {
            faults: faults(rung, findings?),
            broken,
            ran,
        })
    }
}

/// Runs the student's client once for each session of the grader, which waits for it in a thread of its own.
struct Sessions {
    runtime: Handle,
    launcher: Launcher,
    program: Arc<Program>,
    command: Vec<String>,
    keys: PathBuf,
    /// The first session is a plain one: what went wrong in it is worth telling.
    first: Option<Ran>,
}

impl Launch for Sessions {
    fn launch(&mut self, port: u16, user: &str, input: &str) -> io::Result<bool> {
        let mut typed = NamedTempFile::new()?;
        typed.write_all(input.as_bytes())?;
        let keys = path(&self.keys).map_err(io::Error::other)?;
        let args = ["--port", &port.to_string(), "--dir", keys, "--user", user].map(str::to_owned);
        let reach = Reach {
            readable: vec![self.keys.clone()],
            ports: vec![port],
            input: Some(typed.path().to_owned()),
            ..Reach::default()
        };
        let never = std::future::pending();
        let run = self.program.run(
            &self.launcher,
            &self.command,
            &args,
            reach,
            FOR_A_SESSION,
            never,
        );
        let ran = self.runtime.block_on(run);
        let well = ran.end == End::Well;
        self.first.get_or_insert(ran);
        Ok(well)
    }
}

/// Waits until the server listens, and grades it. When it does not listen, that is all there is to say.
async fn grade_server(rung: Rung, port: u16, seed: u64) -> Result<Vec<Finding>, Trouble> {
    let at = listening(port).await?;
    let grading = spawn_blocking(move || grade::server(rung, at, seed)).await;
    grading.map_err(|_| Trouble::wrong("the grader failed on this server"))
}
