//! `connect`: trust, password, login, then one message a line.

use std::{
    io::{self, BufRead, IsTerminal},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use latchstring_net::{
    entropy::OsEntropy,
    keyfile::load_private,
    print,
    protocol::hardened::{
        defence::{Deployable, Full},
        message::{Fingerprint, MAX_TEXT},
        session::CloseCode,
        signature::Signer,
    },
    provider::AwsLc,
    terminal::visible,
};
use tokio::{
    io::{AsyncBufRead, BufReader},
    net::TcpStream,
    select,
    time::timeout,
};
use zeroize::Zeroizing;

use super::{Connect, home, source};
use crate::{
    Client, ClientError, Connection, Event,
    address::Address,
    input::{Line, Lines},
    known_hosts::KnownHosts,
    outbox::Outbox,
    password::{PasswordError, Source},
};

/// A TCP connection must be there within this time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn run(options: Connect) -> anyhow::Result<()> {
    let dir = home(options.dir)?;
    let key_path = options.key.unwrap_or_else(|| dir.join("id.pem"));
    let key = load_private(&key_path).with_context(|| {
        let path = key_path.display();
        format!("no key to log in with; make one with `latchstring-client keygen`, or name it with --key (now {path})")
    })?;
    let source = source(options.password_file, options.password_fd);
    if source == Source::Prompt && !io::stdin().is_terminal() {
        return Err(ClientError::from(PasswordError::NoTerminal).into());
    }
    let screen = Screen {
        quiet: options.quiet,
        interactive: !options.quiet && io::stdin().is_terminal(),
    };
    let address = options.address;
    let host = address.host_port();
    let kid = Fingerprint::of(key.public_key());
    let mut outbox = Outbox::open(&dir.join("outbox"), &host, &address.user, &kid)?;
    let client = Client {
        user: address.user.clone(),
        key: Arc::new(key),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(OsEntropy),
        defences: Full,
    };

    let hosts = KnownHosts::load(&dir.join("known_hosts"))?;
    let mut connection = log_in(
        &client,
        &address,
        options.fingerprint,
        &source,
        hosts,
        &screen,
    )
    .await?;
    let session = hex::encode(connection.session_id());
    screen.note(&format!("Logged in at {host} (session {session})."));
    send_again(&mut connection, &mut outbox, &screen)?;
    let input = BufReader::new(tokio::io::stdin());
    talk(connection, outbox, Lines::new(input), &screen).await
}

/// Decides which key the host must have, and logs in with that as the pin.
///
/// Where a person has to be asked anything, the host is met on a connection of its own first: nobody confirms a
/// fingerprint or types a password within the ten seconds that a handshake may take, and the password is asked for only
/// once the host has proven its key. Whatever feeds a descriptor may be a person too.
async fn log_in(
    client: &Client,
    address: &Address,
    given: Option<Fingerprint>,
    source: &Source,
    mut hosts: KnownHosts,
    screen: &Screen,
) -> anyhow::Result<Connection<TcpStream>> {
    let host = address.host_port();
    let is_known = hosts.find(&host).is_some();
    let pin = hosts.pin(&host, given)?;
    let may_take_long = !matches!(source, Source::File(_));
    ensure!(
        pin.is_some() || io::stdin().is_terminal(),
        "the host {host} is not known, and nobody can be asked because the standard input is not a terminal. Get its \
         fingerprint from the operator (latchstring-server prints it) and give it with --fingerprint SHA256:…"
    );

    let mut typed = None;
    let pin = match pin {
        Some(pin) if is_known && !may_take_long => pin,
        _ => {
            let met = client.meet_host(&mut dial(client, address).await?).await?;
            let pin = match pin {
                Some(pin) => pin,
                None => confirm(&host, met)?,
            };
            if met != pin {
                return Err(refusal(&hosts, &host, pin, met));
            }
            if !is_known {
                hosts.add(&host, met)?;
                screen.note(&format!(
                    "Remembered {host} {met} in {}.",
                    hosts.path().display()
                ));
            }
            if may_take_long {
                typed = Some(source.read(&format!("Password of {address}: "))?);
            }
            pin
        }
    };

    let password = || typed.map_or_else(|| source.read(""), Ok::<Zeroizing<Vec<u8>>, _>);
    match client
        .login(dial(client, address).await?, &pin, password)
        .await
    {
        Err(ClientError::HostKeyMismatch { presented, .. }) => {
            Err(refusal(&hosts, &host, pin, presented))
        }
        other => Ok(other?),
    }
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

/// Queues what an earlier session could not be sure of, under the same ids.
fn send_again(
    connection: &mut Connection<TcpStream>,
    outbox: &mut Outbox,
    screen: &Screen,
) -> anyhow::Result<()> {
    if outbox.settle(connection.last_message())? {
        print::note(format_args!(
            "Warning: the server holds messages of this user and key that were not sent from here. Use a key on one \
             computer only: otherwise messages may be taken for one another."
        ));
    }
    for (id, text) in outbox.waiting() {
        ensure!(
            connection.send(text)? == id,
            "message {id} in the outbox does not follow the last one that the server holds"
        );
        screen.note(&format!("Message {id} is sent again."));
    }
    Ok(())
}

/// Sends and shows until the input is at its end, everything is acknowledged and the close is agreed.
async fn talk<R: AsyncBufRead + Unpin>(
    mut connection: Connection<TcpStream>,
    mut outbox: Outbox,
    mut lines: Lines<R>,
    screen: &Screen,
) -> anyhow::Result<()> {
    let (mut ended, mut closing, mut skipped) = (false, false, 0);
    if screen.interactive {
        screen.note("Each line is a message; Ctrl-D ends.");
    }
    screen.prompt();
    loop {
        if ended && !closing && connection.unacknowledged().is_empty() {
            connection.begin_close()?;
            closing = true;
        }
        select! {
            event = connection.event() => match event? {
                Event::Message { id, text } => {
                    print::line(visible(&text))
                        .context("cannot show a message, so it is not acknowledged")?;
                    connection.acknowledge(id)?;
                }
                Event::Acknowledged { up_to } => {
                    outbox.acknowledged(up_to)?;
                    screen.note(&format!("Stored: {up_to}."));
                    screen.prompt();
                }
                Event::CloseAgreed => break,
                Event::Closed { code } => {
                    if closing { break }
                    return Err(closed_early(code, &connection));
                }
            },
            line = lines.next(), if !ended && connection.has_room() => match line? {
                Some(Line::Text(text)) if text.is_empty() && screen.interactive => screen.prompt(),
                Some(Line::Text(text)) => {
                    let id = connection.send(&text)?;
                    outbox.keep(id, &text)?;
                }
                Some(bad) => {
                    skipped += 1;
                    print::note(format_args!("Not sent: {}.", why_not(&bad)));
                    screen.prompt();
                }
                None => ended = true,
            },
        }
    }
    screen.note("Closed; both ends agree on what was said.");
    ensure!(skipped == 0, "{skipped} line(s) of the input were not sent");
    Ok(())
}

fn closed_early(code: u8, connection: &Connection<TcpStream>) -> anyhow::Error {
    let why = if code == CloseCode::Superseded as u8 {
        "the same user and key logged in again elsewhere"
    } else if code == CloseCode::Stopping as u8 {
        "it is being stopped"
    } else {
        "it gave no reason"
    };
    print::note(format_args!("The server closed the session: {why}."));
    let unacknowledged = connection.unacknowledged();
    ClientError::Truncated { unacknowledged }.into()
}

fn why_not(line: &Line) -> String {
    match line {
        Line::NotUtf8 => "the line is not UTF-8".to_owned(),
        _ => format!("the line has more than {MAX_TEXT} bytes; split it"),
    }
}

/// What is shown besides errors and messages.
struct Screen {
    quiet: bool,
    interactive: bool,
}

impl Screen {
    fn note(&self, text: &str) {
        if !self.quiet {
            print::note(text);
        }
    }

    fn prompt(&self) {
        if self.interactive {
            print::ask("> ");
        }
    }
}
