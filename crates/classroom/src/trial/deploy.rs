//! A trial in which the student's program is an operator: it sets up the hardened server, and people use it with the real
//! client. The programs are those beside this one; they know nothing of the lab.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::ensure;
use latchstring_attacker::net::{loopback::Loopback, port::ReservedPort};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    process::Command,
    time::timeout,
};

use super::{
    TrialSetup,
    graded::{Fault, Graded},
    place::{listening, path},
};
use crate::{
    catalogue::{Deploy, Keeps},
    diagnosis::Trouble,
    instance::Instance,
    program::Reach,
    seed::Seed,
};

/// How long one of the programs may take.
const FOR_A_PROGRAM: Duration = Duration::from_secs(60);
/// Where the strangers come from: not the address of the people.
const STRANGERS: &str = "127.0.0.66:0";
/// How long it takes until the server has turned away whom it will not serve.
const TURNED_AWAY: Duration = Duration::from_millis(500);

impl TrialSetup<'_> {
    /// Starts the program, and looks from outside how its server is operated.
    ///
    /// # Errors
    /// When the folder cannot be made, or the server's programs are not there.
    pub(super) async fn deploy(&self, deploy: &Deploy, seed: &Seed) -> anyhow::Result<Graded> {
        let (server, client) = (
            self.beside("latchstring-server")?,
            self.beside("latchstring-client")?,
        );
        let folder = tempfile::tempdir()?;
        let reserved = ReservedPort::take()?;
        let port = reserved.number();
        let mut facts = Instance::make(&self.student.lab.scene, seed).await?.facts;
        facts.set("folder", folder.path().display());
        facts.set("server", server.display());
        facts.set("listen", port);
        self.steps.begin(&format!(
            "running {}, and then using the server that it starts",
            self.command.join(" ")
        ));
        let reach = Reach {
            readable: vec![server.clone()],
            writable: vec![folder.path().to_owned()],
            listens: vec![port],
            ..Reach::default()
        };
        let town = Town {
            people: facts.fill_all(&deploy.people)?,
            strangers: deploy.strangers,
            folder: folder.path().to_owned(),
            homes: tempfile::tempdir()?,
            port,
            server,
            client,
        };
        let args = facts.fill_all(&self.trial.args)?;
        let (ran, tried) = self.run_beside(&args, reach, town.try_all()).await;
        let (faults, broken) = match tried {
            Some(Ok(faults)) => (faults, None),
            Some(Err(Untried::Silent(why))) => (Vec::new(), Some(why)),
            Some(Err(Untried::Failed(why))) => return Err(why),
            None => (Vec::new(), Some(self.ended(&ran))),
        };
        Ok(Graded {
            faults,
            broken,
            ran,
        })
    }

    fn beside(&self, name: &str) -> anyhow::Result<PathBuf> {
        let program = self.launcher.beside(name);
        ensure!(
            program.is_file(),
            "{} is not there: build it with `cargo build --release`, and check again",
            program.display()
        );
        Ok(program)
    }
}

/// Why nothing was tried.
enum Untried {
    /// The server does not listen.
    Silent(Trouble),
    /// The grader itself could not go on.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Untried {
    fn from(why: anyhow::Error) -> Self {
        match why.downcast_ref::<Hangs>() {
            Some(hangs) => Self::Silent(Trouble {
                late: true,
                ..Trouble::wrong(hangs.to_string())
            }),
            None => Self::Failed(why),
        }
    }
}

/// A program of this project does not end, because of the server that it was given: that is a finding.
#[derive(Debug, thiserror::Error)]
#[error("expected: {0} within {seconds} seconds; saw: it does not end", seconds = FOR_A_PROGRAM.as_secs())]
struct Hangs(&'static str);

/// The people who use the server, and the strangers.
struct Town {
    people: Vec<String>,
    strangers: usize,
    folder: PathBuf,
    homes: TempDir,
    port: u16,
    server: PathBuf,
    client: PathBuf,
}

type Found = anyhow::Result<Option<Fault>>;

impl Town {
    async fn try_all(&self) -> Result<Vec<Fault>, Untried> {
        let at = listening(self.port).await.map_err(Untried::Silent)?;
        let mut faults = Vec::new();
        faults.extend(self.invitations_are_private()?);
        for person in &self.people {
            if let Some(fault) = self.moves_in(person).await? {
                faults.push(fault);
                return Ok(faults);
            }
        }
        faults.extend(self.others_are_refused().await?);
        faults.extend(self.room_is_left(at).await?);
        faults.extend(self.log_tells()?);
        Ok(faults)
    }

    fn invitation(&self, person: &str) -> PathBuf {
        self.folder.join("invitations").join(person)
    }

    /// Whoever can read an invitation can become that person.
    fn invitations_are_private(&self) -> Found {
        for person in &self.people {
            let Ok(about) = fs::metadata(self.invitation(person)) else {
                continue;
            };
            let mode = about.mode() & 0o777;
            if mode & 0o077 != 0 {
                return Ok(Some(defence(format!(
                    "expected: an invitation that only its owner can read; saw: a file with mode {mode:04o}"
                ))));
            }
        }
        Ok(None)
    }

    /// A person makes an account with the invitation, and says something, which the server stores.
    async fn moves_in(&self, person: &str) -> Found {
        let Ok(invitation) = fs::read(self.invitation(person)) else {
            return Ok(Some(nobody(
                "expected: an invitation for each person in invitations/NAME; saw: none for one of them",
            )));
        };
        let home = self.homes.path().join(person);
        fs::create_dir(&home)?;
        for (name, content) in [
            ("invitation", &invitation[..]),
            ("password", b"eleven yellow doors"),
        ] {
            write_privately(&home.join(name), content)?;
        }
        let enrolled = self
            .client(
                person,
                "enrol",
                &["--invite-file", path(&home.join("invitation"))?],
                "",
            )
            .await?;
        if !enrolled.status.success() {
            return Ok(Some(nobody(&format!(
                "expected: a person with an invitation makes an account; saw: {}",
                last_line(&enrolled)
            ))));
        }
        let text = format!("{person} has moved in");
        let said = self
            .client(person, "connect", &["--quiet"], &format!("{text}\n"))
            .await?;
        if !said.status.success() {
            return Ok(Some(nobody(&format!(
                "expected: a person with an account logs in; saw: {}",
                last_line(&said)
            ))));
        }
        let stored = self.stored(person).await?;
        Ok((!stored.contains(&text)).then(|| {
            nobody("expected: the messages of a person are in the store in FOLDER/server; saw: other messages, or none")
        }))
    }

    async fn stored(&self, person: &str) -> anyhow::Result<String> {
        let dir = self.folder.join("server");
        let output = Command::new(&self.server)
            .args(["messages", person, "--dir", path(&dir)?])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(FOR_A_PROGRAM, output)
            .await
            .map_err(|_| Hangs("a list of messages from the store"))??;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The same invitation a second time, for somebody with another key; and somebody with the key and another password.
    async fn others_are_refused(&self) -> Found {
        let Some(person) = self.people.first() else {
            return Ok(None);
        };
        let home = self.homes.path().join(person);
        fs::rename(home.join("id.pem"), home.join("own.pem"))?;
        let invitation = home.join("invitation");
        let again = ["--invite-file", path(&invitation)?];
        let again = self.client(person, "enrol", &again, "").await?;
        fs::rename(home.join("own.pem"), home.join("id.pem"))?;
        if again.status.success() {
            let found =
                "expected: an invitation is good for one person; saw: a second person used it";
            return Ok(Some(defence(found.to_owned())));
        }
        write_privately(&home.join("password"), b"some other words")?;
        let guessed = self
            .client(person, "connect", &["--quiet"], "it is me\n")
            .await?;
        Ok(guessed.status.success().then(|| {
            defence("expected: a login with another password is refused; saw: a welcome".to_owned())
        }))
    }

    /// Strangers from one address hold connections and say nothing.
    async fn room_is_left(&self, at: Loopback) -> Found {
        let wanted = self.strangers * 2;
        let mut held = Vec::new();
        for _ in 0..wanted {
            held.extend(stranger(at.address()).await);
        }
        tokio::time::sleep(TURNED_AWAY).await;
        let mut open = 0;
        for connection in &mut held {
            open += usize::from(is_open(connection).await);
        }
        if open > self.strangers {
            return Ok(Some(defence(format!(
                "expected: at most {} connections of one address that are not logged in; saw: {open} of {wanted} stay open",
                self.strangers
            ))));
        }
        let Some(person) = self.people.last() else {
            return Ok(None);
        };
        let said = self
            .client(person, "connect", &["--quiet"], "still here\n")
            .await?;
        Ok((!said.status.success()).then(|| {
            defence(format!(
                "expected: a person logs in while a stranger holds connections; saw: {}",
                last_line(&said)
            ))
        }))
    }

    /// The log holds what an operator needs: who came, and who was turned away.
    fn log_tells(&self) -> Found {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let events: Vec<serde_json::Value> = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let told = |message: &str| events.iter().any(|event| event["message"] == message);
        let missing = ["logged in", "login refused", "turned away"]
            .into_iter()
            .find(|message| !told(message));
        Ok(missing.map(|message| {
            defence(format!(
                "expected: a log in JSON in FOLDER/log, with a line for each login and each refusal; saw: {} such lines, and none that says {message:?}",
                events.len()
            ))
        }))
    }

    /// Runs the real client for a person.
    async fn client(
        &self,
        person: &str,
        command: &str,
        options: &[&str],
        input: &str,
    ) -> anyhow::Result<Output> {
        use tokio::io::AsyncWriteExt;
        let home = self.homes.path().join(person);
        let address = format!("{person}@127.0.0.1:{}", self.port);
        let mut running = Command::new(&self.client)
            .args([
                command,
                "--dir",
                path(&home)?,
                "--password-file",
                path(&home.join("password"))?,
            ])
            .args(["--wait", "10"])
            .args(options)
            .arg(address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = running.stdin.take() {
            // A client that has ended reads nothing.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = timeout(FOR_A_PROGRAM, running.wait_with_output()).await;
        Ok(output.map_err(|_| Hangs("an answer to the client"))??)
    }
}

fn write_privately(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    fs::write(file, content)?;
    Ok(fs::set_permissions(
        file,
        fs::Permissions::from_mode(0o600),
    )?)
}

async fn stranger(to: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(STRANGERS.parse().ok()?).ok()?;
    socket.connect(to).await.ok()
}

/// Whether the server has not hung up.
async fn is_open(connection: &mut TcpStream) -> bool {
    let read = async { connection.read(&mut [0; 64]).await };
    match timeout(Duration::from_millis(1), read).await {
        Ok(Ok(n)) => n > 0,
        Ok(Err(_)) => false,
        Err(_) => true,
    }
}

fn defence(found: String) -> Fault {
    Fault {
        of: Keeps::Defences,
        found,
        serves_nobody: false,
    }
}

fn nobody(found: &str) -> Fault {
    Fault {
        of: Keeps::Service,
        found: found.to_owned(),
        serves_nobody: true,
    }
}

/// What a program said at its end.
fn last_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().last().unwrap_or("nothing").to_owned()
}
