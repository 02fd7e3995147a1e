//! `connect`: trust, password, login; then [`Talk`].

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{anyhow, bail, ensure};
use latchstring_client_core::{
    Client, ClientError, Connection, Delivery,
    address::Address,
    known_hosts::KnownHosts,
    outbox::{Outbox, Owner, Stray},
    password::{PasswordError, Source},
    retry::{Retry, Why},
};
use latchstring_keys::{AwsLc, keyfile::load_private};
use latchstring_net::{
    entropy::OsEntropy,
    keyfile::KeyFileError,
    print,
    protocol::hardened::{
        full::{Deployable, Full},
        message::Fingerprint,
    },
};
use tokio::{net::TcpStream, time::timeout};
use zeroize::Zeroizing;

use super::{
    Connect, exit_code, home,
    screen::{InputCount, Report, Screen},
    source,
    talk::{Input, Talk},
};

/// A TCP connection must be there within this time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// After any end, the program reports how far the input was sent.
pub(super) async fn run(options: Connect) -> anyhow::Result<()> {
    let mut tally = InputCount::default();
    let mut screen = Screen::new(options.quiet, options.json);
    let is_script = !io::stdin().is_terminal();
    let result = session(options, &mut screen, &mut tally).await;
    let result = result.map_err(|error| match is_script {
        // Nothing is left where the session ended as it should.
        true if tally.waiting.is_some_and(|n| n > 0) || !tally.end_of_input => {
            Interrupted::new(error, &tally).into()
        }
        _ => error,
    });
    let error = result.as_ref().err();
    let text = error.map(|error| latchstring_net::report::line(error.as_ref()));
    let end = Report::End {
        exit_code: error.map_or(0, exit_code),
        error: text.as_deref(),
        tally,
    };
    match (screen.report(&end), result) {
        (Err(why), Ok(())) => Err(why.into()),
        (_, result) => result,
    }
}

/// An error, and where in the input it came.
#[derive(Debug)]
pub(super) struct Interrupted {
    why: anyhow::Error,
    rest_of_the_input: String,
}

impl Interrupted {
    fn new(why: anyhow::Error, tally: &InputCount) -> Self {
        let rest_of_the_input = tally.rest_of_the_input();
        Self {
            why,
            rest_of_the_input,
        }
    }

    /// The reason for the end of the session.
    pub(super) fn why(&self) -> &anyhow::Error {
        &self.why
    }
}

impl std::error::Error for Interrupted {}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = latchstring_net::report::line(self.why.as_ref());
        write!(f, "{why}. Input: {}", self.rest_of_the_input)
    }
}

async fn session(
    options: Connect,
    screen: &mut Screen,
    tally: &mut InputCount,
) -> anyhow::Result<()> {
    let dir = home(options.dir)?;
    let key_path = options.key.unwrap_or_else(|| dir.join("id.pem"));
    let key = load_private(&key_path).map_err(|error| match error {
        KeyFileError::Io { ref source, .. } if source.kind() == io::ErrorKind::NotFound => anyhow!(
            "there is no key at {}; make one with `latchstring-client keygen`, or name yours with --key",
            key_path.display()
        ),
        _ => error.into(),
    })?;
    let source = source(options.password_file, options.password_fd);
    if source == Source::Prompt && !io::stdin().is_terminal() {
        return Err(ClientError::from(PasswordError::NoTerminal).into());
    }
    let address = options.address;
    let host = address.host_port();
    let client = Client {
        user: address.user.clone(),
        key: Arc::new(key),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(OsEntropy),
        defences: Full,
    };

    let login = Login {
        client: &client,
        address: &address,
        given: options.fingerprint,
        source: &source,
        outboxes: dir.join("outbox"),
        hosts: KnownHosts::load(&dir.join("known_hosts"))?,
        retry: Retry::new(Duration::from_secs(options.wait), &OsEntropy),
        screen,
    };
    let (connection, outbox) = login.log_in().await?;
    let session = hex::encode(connection.session_id());
    let input = Input::open(screen)?;
    screen.note(&format!("Logged in at {host} (session {session})."));
    screen.report(&Report::LoggedIn {
        host: &host,
        session: &session,
        last_message: connection.last_message(),
    })?;
    let delivery = Delivery::begin(connection, outbox)?;
    let talk = Talk {
        delivery,
        input,
        screen,
        tally,
    };
    talk.run().await
}

/// Everything that decides about a login.
struct Login<'a> {
    client: &'a Client,
    address: &'a Address,
    given: Option<Fingerprint>,
    source: &'a Source,
    outboxes: PathBuf,
    hosts: KnownHosts,
    retry: Retry<'a>,
    screen: &'a Screen,
}

impl Login<'_> {
    /// Decides which key the host must have, and logs in with that as the pin.
    ///
    /// If a person has to be asked anything, the program first meets the host on a separate connection. Nobody confirms
    /// a fingerprint or types a password within the ten seconds of a handshake. The password is asked for only once the
    /// host has proven its key. A descriptor may be fed by a person too.
    async fn log_in(mut self) -> anyhow::Result<(Connection<TcpStream>, Outbox)> {
        let host = self.address.host_port();
        let is_known = self.hosts.find(&host).is_some();
        let pin = self.hosts.pin(&host, self.given)?;
        let may_take_long = !matches!(self.source, Source::File(_));
        ensure!(
            pin.is_some() || io::stdin().is_terminal(),
            "the host {host} is not known, and nobody can be asked because the standard input is not a terminal. Get \
             its fingerprint from the operator (latchstring-server prints it) and give it with --fingerprint SHA256:…"
        );

        let mut password = None;
        let pin = match pin {
            Some(pin) if is_known && !may_take_long => pin,
            _ => {
                let met = self.meet_host().await?;
                let pin = match pin {
                    Some(pin) => pin,
                    None => confirm(&host, met)?,
                };
                if met != pin {
                    return Err(refusal(&self.hosts, &host, pin, met));
                }
                if !is_known {
                    self.hosts.add(&host, met)?;
                    self.screen.note(&format!(
                        "Remembered {host} {met} in {}.",
                        self.hosts.path().display()
                    ));
                }
                if may_take_long {
                    // Nobody should type a password only to hear that another client has the outbox.
                    drop(self.open_outbox(&pin)?);
                    let question = format!("Password of {}: ", self.address);
                    password = Some(self.source.read(&question)?);
                }
                pin
            }
        };
        // Locked before the login: a second client would only throw the first one out, and then find its outbox in use.
        let (outbox, strays) = self.open_outbox(&pin)?;
        for stray in strays {
            self.screen.warn(&format!("Warning: {stray}."));
        }
        match self.log_in_to(&pin, password).await {
            Err(ClientError::HostKeyMismatch { presented, .. }) => {
                Err(refusal(&self.hosts, &host, pin, presented))
            }
            other => Ok((other?, outbox)),
        }
    }

    /// The outbox for the host that has this key, with what other files hold for it, and what waits elsewhere for nobody.
    fn open_outbox(&self, host: &Fingerprint) -> anyhow::Result<(Outbox, Vec<Stray>)> {
        let owner = Owner {
            host: *host,
            user: self.client.user.clone(),
            key: Fingerprint::of(self.client.key.public_key()),
        };
        let mut outbox = Outbox::open(&self.outboxes, owner)?;
        let known = self.hosts.all().map(|(name, key)| (name.to_owned(), key));
        let hosts: Vec<_> = known.chain([(self.address.host_port(), *host)]).collect();
        let strays = outbox.adopt(&self.outboxes, &hosts)?;
        Ok((outbox, strays))
    }

    async fn meet_host(&mut self) -> Result<Fingerprint, ClientError> {
        let (client, address) = (self.client, self.address);
        let meet = async || client.meet_host(&mut dial(client, address).await?).await;
        let waiting = |why, wait, attempt| say_waiting(self.screen, why, wait, attempt);
        self.retry.connect(meet, waiting).await
    }

    /// A missing password is read once, after the host has proven its key, and kept for further attempts. A pipe can be
    /// read only once.
    async fn log_in_to(
        &mut self,
        pin: &Fingerprint,
        mut password: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Connection<TcpStream>, ClientError> {
        let (client, address, source) = (self.client, self.address, self.source);
        let log_in = async || {
            let stream = dial(client, address).await?;
            let read = || match &password {
                Some(password) => Ok(password.clone()),
                None => Ok(password.insert(source.read("")?).clone()),
            };
            client.login(stream, pin, read).await
        };
        let waiting = |why, wait, attempt| say_waiting(self.screen, why, wait, attempt);
        self.retry.connect(log_in, waiting).await
    }
}

/// Says that the server turned us away, and that we come again.
pub(super) fn say_waiting(screen: &Screen, why: Why, wait: Duration, attempt: u32) {
    let why = match why {
        Why::NoRoom => "The server has no room for this connection yet",
        Why::TooSlow => "The server did not answer in time",
    };
    let seconds = wait.as_secs_f64();
    screen.note(&format!(
        "{why}. Attempt {attempt} follows in {seconds:.1} s."
    ));
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    // Whether somebody reads shows at the next report.
    let _ = screen.report(&Report::Waiting {
        milliseconds,
        attempt,
    });
}

/// The error for a key that is not the pin: a loud one, if another key is known.
pub(super) fn refusal(
    hosts: &KnownHosts,
    host: &str,
    expected: Fingerprint,
    presented: Fingerprint,
) -> anyhow::Error {
    match hosts.refusal(host, presented) {
        Some(changed) => changed.into(),
        None => ClientError::HostKeyMismatch {
            expected,
            presented,
        }
        .into(),
    }
}

/// Asks the person at the terminal. Anything but a clear yes is a no.
fn confirm(host: &str, met: Fingerprint) -> anyhow::Result<Fingerprint> {
    print::note(format_args!(
        "The host {host} is not known. Its key has the fingerprint\n\n  {met}\n"
    ));
    print::note(format_args!(
        "Compare it with the one that the operator gave you, then type `yes` or paste that one:"
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match (answer.trim(), answer.trim().parse::<Fingerprint>()) {
        ("yes", _) => Ok(met),
        (_, Ok(pasted)) => Ok(pasted),
        _ => bail!("the host key was not confirmed; nothing was sent"),
    }
}

/// Only a client with every defence goes out to a network.
pub(super) async fn dial<D: Deployable>(
    _: &Client<D>,
    address: &Address,
) -> Result<TcpStream, ClientError> {
    let stream = match timeout(CONNECT_DEADLINE, address.place.connect()).await {
        Ok(stream) => stream,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer within 10 s",
        )),
    };
    // Records are small and each is written at once: waiting for more only delays them.
    stream
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(|source| ClientError::Unreachable {
            address: address.host_port(),
            source,
        })
}
