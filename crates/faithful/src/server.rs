//! The server: one connection, and the loop around it.

use std::{net::SocketAddr, time::Duration};

use latchstring_net::loopback::{Loopback, NotLoopback};
use latchstring_protocol_faithful::{
    handshake::{Authenticated, RefusalReason, accept},
    keys::{PrivateKey, SessionSecrets},
    message::{Message, READ_LEN, UserName},
    record::Opener,
};
use rand::CryptoRng;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    keys::KeyDir,
    python::{Address, Bytes},
};

/// How long the server waits between two of its three replies.
///
/// The report's client takes each reply with a single `recv(1024)`. If the next reply is in the socket before that call
/// returns, one call takes both and the client's third call waits for ever. Against the report's own server that
/// happened in 3 of 40 sessions. Without Nagle's algorithm each reply is a separate segment, and the pause gives the
/// client the time to wake up and take it. Waking takes well under a millisecond on an idle machine, and tens of
/// milliseconds on a machine that compiles on every core. So a tenth of a second is safe, and a person does not notice
/// two of them. TCP offers no way to *know* that the peer's program (and not only its kernel) has taken the bytes.
pub const REPLY_PAUSE: Duration = Duration::from_millis(100);

/// How long the server waits when the system cannot give it a connection (usually: too many open files).
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The events of a server. [`ServerEvent::screen`] says it as the report's server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// The port is open.
    Listening {
        /// Where.
        at: SocketAddr,
    },
    /// The next client can come.
    Ready,
    /// A client came.
    Connected {
        /// Our end.
        local: SocketAddr,
        /// The client's end.
        peer: SocketAddr,
    },
    /// The system could not give us a connection; the server tries again.
    AcceptFailed {
        /// The error of the system.
        why: String,
    },
    /// A line of the list was passed over.
    KeySkipped {
        /// The file and its fault.
        why: String,
    },
    /// Nobody in the list fits the login.
    LoginRefused {
        /// Why: for this screen only, the client sees the connection end.
        why: LoginRefusal,
    },
    /// A private key is tried on a login. The report's server shows nothing here.
    KeyTried,
    /// The login decrypts to this user's name; the three replies go out next. The report's server shows nothing here.
    Recognised {
        /// Whose.
        user: UserName,
    },
    /// Somebody is logged in as a user, and has been sent all three replies. The report's server shows nothing here.
    LoggedIn {
        /// As whom.
        user: UserName,
    },
    /// A message came.
    Message {
        /// As it was on the wire.
        ciphertext: Vec<u8>,
        /// The decrypted text; bytes that are not UTF-8 are replaced.
        text: String,
    },
    /// The message `quit()` came.
    Quit {
        /// As it was on the wire.
        ciphertext: Vec<u8>,
    },
    /// The message `change()` came.
    Change {
        /// As it was on the wire.
        ciphertext: Vec<u8>,
    },
    /// The client is gone without a word.
    Vanished {
        /// How far it had come.
        when: &'static str,
    },
    /// The connection ends.
    Closing {
        /// Our end.
        local: SocketAddr,
        /// The client's end.
        peer: SocketAddr,
        /// How.
        outcome: Outcome,
    },
}

/// Why nobody was let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginRefusal {
    /// No key fits the login.
    #[error(transparent)]
    NoKeyFits(#[from] RefusalReason),
    /// The list of clients cannot be read.
    #[error("{0}")]
    NoList(String),
}

impl ServerEvent {
    /// The lines for the server's screen. Lines that the report's server does not have begin with `[*]` too.
    pub fn screen(&self) -> Option<String> {
        Some(match self {
            Self::Listening { at } => format!("[*] Listening at {}", Address(*at)),
            Self::Ready => "[*] Ready to chat with a new client!".into(),
            Self::Connected { local, peer } => format!(
                "[*] Connected socket between {} and {}",
                Address(*local),
                Address(*peer)
            ),
            Self::AcceptFailed { why } => format!("[*] No connection: {why}. Trying again."),
            Self::KeySkipped { why } => format!("[*] Skipped in the list of clients: {why}"),
            Self::LoginRefused { why } => format!("[*] Login refused: {why}"),
            Self::KeyTried | Self::Recognised { .. } | Self::LoggedIn { .. } => return None,
            Self::Message { ciphertext, text } => message_screen(ciphertext, text),
            Self::Quit { ciphertext } => command_screen(ciphertext, "quit()"),
            Self::Change { ciphertext } => command_screen(ciphertext, "change()"),
            Self::Vanished { when } => format!("[*] The client left {when}."),
            Self::Closing { local, peer, .. } => format!(
                "[*] Closing connection between {} and {}",
                Address(*local),
                Address(*peer)
            ),
        })
    }
}

fn message_screen(ciphertext: &[u8], text: &str) -> String {
    let mut lines = format!(
        "Encrypted Message: {}\nDecrypted Message: {text}",
        Bytes(ciphertext)
    );
    if ciphertext.len() == READ_LEN {
        lines += "\n[*] That message filled a whole read (1024 bytes). If it was longer, its rest counts as a new message.";
    }
    lines
}

fn command_screen(ciphertext: &[u8], command: &str) -> String {
    format!(
        "Encrypted Message: {}\nClient: {command}",
        Bytes(ciphertext)
    )
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By `quit()`: the server ends, too.
    Quit,
    /// By `change()`: the server listens again.
    Change,
    /// Without a word: the session ends (the report's server would go on with empty messages for ever).
    Vanished,
    /// By us, since nobody in the list fits the login (the report's server would die of the next message).
    LoginRefused,
}

/// Speaks with one client until one of the two ends it. The caller closes the stream.
///
/// `pause` lies between the replies; [`REPLY_PAUSE`] suits every client, and zero suits one that counts bytes.
/// No deadline: a client that sends nothing keeps all others waiting, as the report's does.
pub async fn serve_connection<S, R>(
    stream: &mut S,
    keys: &KeyDir,
    pause: Duration,
    rng: &mut R,
    on_event: &mut impl FnMut(ServerEvent),
) -> Outcome
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: CryptoRng + ?Sized,
{
    let mut buffer = [0; READ_LEN];
    let login = read_once(stream, &mut buffer).await;
    let authenticated = match find_user(login, keys, on_event) {
        Ok(authenticated) => authenticated,
        Err(why) => {
            on_event(ServerEvent::LoginRefused { why });
            return Outcome::LoginRefused;
        }
    };
    let user = authenticated.user().clone();
    on_event(ServerEvent::Recognised { user: user.clone() });
    let (opener, replies) = authenticated.welcome(&SessionSecrets::draw(rng));
    if send_apart(stream, &replies, pause).await.is_err() {
        on_event(ServerEvent::Vanished {
            when: "before it had the session key and the IV",
        });
        return Outcome::Vanished;
    }
    on_event(ServerEvent::LoggedIn { user });
    hear(stream, &mut buffer, &opener, on_event).await
}

/// Trial decryption over the list. Each key is read only when its turn comes.
fn find_user(
    login: &[u8],
    keys: &KeyDir,
    on_event: &mut impl FnMut(ServerEvent),
) -> Result<Authenticated, LoginRefusal> {
    let names = (keys.names()).map_err(|e| LoginRefusal::NoList(e.to_string()))?;
    let candidates = names.into_iter().filter_map(|name| {
        let loaded = load(keys, name);
        on_event(match &loaded {
            Ok(_) => ServerEvent::KeyTried,
            Err(why) => ServerEvent::KeySkipped { why: why.clone() },
        });
        loaded.ok()
    });
    accept(login, candidates).map_err(|refusal| refusal.reason().clone().into())
}

fn load(keys: &KeyDir, name: Result<UserName, String>) -> Result<(UserName, PrivateKey), String> {
    let name = name?;
    let key = keys.private_key(&name).map_err(|e| e.to_string())?;
    Ok((name, key))
}

async fn send_apart<S: AsyncWrite + Unpin>(
    stream: &mut S,
    replies: &[Vec<u8>; 3],
    pause: Duration,
) -> std::io::Result<()> {
    for (i, reply) in replies.iter().enumerate() {
        if i > 0 {
            sleep(pause).await;
        }
        stream.write_all(reply).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Every read is a message, with any content: there is no framing.
async fn hear<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut [u8; READ_LEN],
    opener: &Opener,
    on_event: &mut impl FnMut(ServerEvent),
) -> Outcome {
    loop {
        let record = read_once(stream, buffer).await;
        if record.is_empty() {
            on_event(ServerEvent::Vanished {
                when: "without quit() or change()",
            });
            return Outcome::Vanished;
        }
        let ciphertext = record.to_vec();
        match Message::decode(&opener.open(record)) {
            Message::Text(text) => on_event(ServerEvent::Message { ciphertext, text }),
            Message::Quit => {
                on_event(ServerEvent::Quit { ciphertext });
                return Outcome::Quit;
            }
            Message::Change => {
                on_event(ServerEvent::Change { ciphertext });
                return Outcome::Change;
            }
        }
    }
}

/// One read. An end and a reset are the same here, no bytes: in both cases the peer is gone.
async fn read_once<'a, S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &'a mut [u8; READ_LEN],
) -> &'a [u8] {
    let n = stream.read(buffer).await.unwrap_or(0);
    &buffer[..n]
}

/// Why a server cannot listen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The port is taken, or not allowed.
    #[error(
        "cannot listen at {at}: {why}; another server may be running there: stop it, or choose another --port"
    )]
    Bind {
        /// Where.
        at: Loopback,
        /// The error of the system.
        why: std::io::Error,
    },
    /// The system put us elsewhere.
    #[error(transparent)]
    NotLoopback(#[from] NotLoopback),
}

/// An open port on loopback.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    at: Loopback,
}

impl Listener {
    /// Opens the port. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// [`ListenError::Bind`].
    pub async fn bind(at: Loopback) -> Result<Self, ListenError> {
        let failed = |why| ListenError::Bind { at, why };
        let inner = at.bind().await.map_err(failed)?;
        let at = Loopback::new(inner.local_addr().map_err(failed)?)?;
        Ok(Self { inner, at })
    }

    /// The server's address, with the port that the system chose.
    pub fn address(&self) -> Loopback {
        self.at
    }

    /// Serves one client after the other until one says `quit()`; the next waits in the listen queue.
    pub async fn serve<R: CryptoRng + ?Sized>(
        &self,
        keys: &KeyDir,
        pause: Duration,
        rng: &mut R,
        on_event: &mut impl FnMut(ServerEvent),
    ) {
        on_event(ServerEvent::Listening {
            at: self.at.address(),
        });
        loop {
            on_event(ServerEvent::Ready);
            let (mut stream, local, peer) = self.next_client(on_event).await;
            on_event(ServerEvent::Connected { local, peer });
            let outcome = serve_connection(&mut stream, keys, pause, rng, on_event).await;
            on_event(ServerEvent::Closing {
                local,
                peer,
                outcome,
            });
            if outcome == Outcome::Quit {
                return;
            }
        }
    }

    async fn next_client(
        &self,
        on_event: &mut impl FnMut(ServerEvent),
    ) -> (TcpStream, SocketAddr, SocketAddr) {
        loop {
            let client = self.inner.accept().await.and_then(|(stream, peer)| {
                // Each reply leaves when it is written; see `REPLY_PAUSE`.
                stream.set_nodelay(true)?;
                let local = stream.local_addr()?;
                Ok((stream, local, peer))
            });
            match client {
                Ok(client) => return client,
                Err(why) => {
                    let why = why.to_string();
                    on_event(ServerEvent::AcceptFailed { why });
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}
