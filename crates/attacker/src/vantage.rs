//! The positions and abilities of attackers. An attack gets one of these and nothing else.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    sync::Mutex,
};
use zeroize::Zeroizing;

use crate::{
    Claim, Report, Story, Target,
    capture::{
        dissect::{self, Protocol},
        trace::{Side, Trace},
    },
    net::entropy::Entropy,
    protocol::hardened::{
        full::Full,
        keys::Ephemeral,
        message::{Fingerprint, Hello},
        parts::Parts,
        primitives::Secret,
        record::OVERHEAD,
        role::Role,
        signature::{Signer, Verifier},
    },
};

/// The protocol of a session, down to the defences that it lacks. All of this is public: no defence may depend on its
/// secrecy (Kerckhoffs, 1883).
#[derive(Clone)]
pub struct Dialect {
    /// The report's protocol or ours.
    pub target: Target,
    /// The defences of the hardened peers.
    pub defences: Arc<dyn Parts>,
}

/// A connection, over TCP or in memory.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection of either kind.
pub type BoxStream = Box<dyn Stream>;

/// Opens connections to the one server that is under attack. Only the arena makes one.
pub trait Dial: Send + Sync {
    /// A new connection.
    fn dial(&self) -> BoxFuture<'_, io::Result<BoxStream>>;
}

/// The items of the report's menu, which any person may use without permission.
pub trait Menu: Send + Sync {
    /// Makes keys for this name; returns the public one as PEM.
    ///
    /// # Errors
    /// When the files cannot be written.
    fn generate_keys(&self, user: &str) -> anyhow::Result<String>;
}

/// Somebody who can connect to the server, and has collected what is said below.
pub struct Outsider<'a> {
    /// The protocol of the server.
    pub dialect: Dialect,
    /// The way to the server.
    pub dial: &'a dyn Dial,
    /// Connections that are not to be closed before the run is over.
    pub held: &'a Mutex<Vec<BoxStream>>,
    /// The victim's name.
    pub user: &'a str,
    /// The victim's *public* key, as PEM: 1024 bits for faithful, 3072 for hardened.
    pub public_key: &'a str,
    /// People and their public keys, as PEM. Some have an account here.
    pub directory: &'a [(&'a str, &'a str)],
    /// The victim's password, if it is declared loot.
    pub password: Option<&'a [u8]>,
    /// The victim's private key, if it is declared loot.
    pub user_key: Option<Arc<dyn Signer>>,
    /// An honest session of the victim, if it is declared loot.
    pub sniffed: Option<&'a Trace>,
    /// The report's own menu, where the server is the report's: server and clients share a folder.
    pub menu: Option<&'a dyn Menu>,
    /// How long the attacker goes on, where time is the question.
    pub patience: Duration,
    /// The modulus of the key that secrets are encrypted to with PKCS#1 v1.5, if a weakened host has one. The modulus
    /// is public, and so is its exponent of 65,537.
    pub transport_modulus: Option<Vec<u8>>,
    /// The attacker's own key: enrolled under the name `mallory` if that is declared loot.
    pub own_key: Arc<dyn Signer>,
    /// Another key of the attacker's, which is enrolled nowhere.
    pub new_key: Arc<dyn Signer>,
    /// The password of that account.
    pub own_password: &'a [u8],
    /// Checks signatures.
    pub verifier: Arc<dyn Verifier>,
    /// The attacker's randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// A conversation with the server. An error means that the server hung up, or that its proofs failed: see
/// [`Report::of_dialogue`].
pub type Dialogue =
    for<'a> fn(&'a Outsider<'a>, &'a mut Story) -> BoxFuture<'a, anyhow::Result<Claim>>;

impl Outsider<'_> {
    /// Fresh secrets for one handshake.
    pub fn ephemeral(&self) -> Ephemeral {
        let mut entropy = Zeroizing::new([0; 64]);
        self.entropy.fill(&mut entropy[..]);
        Ephemeral::with(&*self.dialect.defences, Role::Client, &entropy)
    }

    /// Has a conversation with the server, to its end.
    pub async fn converse(&self, dialogue: Dialogue) -> Report {
        let mut story = Story::default();
        let result = dialogue(self, &mut story).await;
        Report::of_dialogue(result, story)
    }

    /// The recording that was declared as loot; an empty one otherwise.
    pub fn sniffed(&self) -> Trace {
        self.sniffed.cloned().unwrap_or_default()
    }
}

/// Sees what went over the wire, and cannot send.
pub struct Wiretap {
    /// The protocol of the session.
    pub dialect: Dialect,
    /// Every byte, with its time.
    pub trace: Trace,
    /// People and their public keys, as PEM. The one who was heard may be one of them.
    pub directory: Vec<(&'static str, &'static str)>,
}

impl Wiretap {
    /// A recording from outside the lab: its bytes show the protocol, and deployed peers leave no defence out.
    pub fn of_deployed(trace: Trace) -> Self {
        // Judged by what the server said, so before anything is blanked.
        let target = match dissect::protocol(&trace) {
            Protocol::Faithful => Target::Faithful,
            _ => Target::Hardened,
        };
        let defences = Arc::new(Full);
        let dialect = Dialect { target, defences };
        Self {
            dialect,
            trace,
            directory: Vec::new(),
        }
    }

    /// The same without what the server said: see [`blank_server`].
    pub fn blanked(mut self) -> Self {
        blank(&mut self.trace);
        self
    }

    /// The bytes of one side, cut at their boundaries: the hello, then whole records.
    pub fn pieces(&self, side: Side) -> Vec<Vec<u8>> {
        Records::of(&self.dialect, side).push(&self.trace.stream(side))
    }

    /// The records that one side sent in the open session, still encrypted: not its hello, and not its proof.
    pub fn session_records(&self, side: Side) -> Vec<Vec<u8>> {
        self.pieces(side).into_iter().skip(2).collect()
    }
}

/// A user's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modulus {
    /// Whose.
    pub user: String,
    /// `n`, big-endian. The exponent is 65537.
    pub bytes: Vec<u8>,
}

/// The files that a thief finds on the server's disk.
pub struct StolenFiles {
    /// The host's private key, as PEM.
    pub host_key: String,
    /// The private key that secrets are encrypted to, as PEM, where a weakened host has one besides its own.
    pub transport_key: Option<String>,
    /// The users' private keys, as PEM, where the server keeps such a thing; by name.
    pub user_keys: Vec<(String, String)>,
    /// The stored forms of passwords, by name.
    pub password_hashes: Vec<(String, String)>,
    /// Whether a password is the one that is stored like this: the public algorithm, no secret of the server's.
    pub check: fn(&str, &[u8]) -> bool,
}

/// The keys in a client's memory at one moment of a session.
pub struct MemoryDump {
    /// The traffic secrets, `ap_c` and `ap_s`, in no order that is known; none of a faithful client, whose key is on the
    /// wire.
    pub traffic_secrets: Vec<Secret>,
}

/// The place where an impostor's calls arrive.
pub trait Answer: Send + Sync {
    /// The next call; `None` when nobody will call any more.
    fn next_call(&self) -> BoxFuture<'_, Option<BoxStream>>;
}

/// Sits where the user believes the server to be.
pub struct Impostor<'a> {
    /// The protocol of user and server.
    pub dialect: Dialect,
    /// The user's calls.
    pub calls: &'a dyn Answer,
    /// The way to the real server.
    pub dial: &'a dyn Dial,
    /// The host's public key, as DER of a SubjectPublicKeyInfo.
    pub host_public_key: Vec<u8>,
    /// The attacker's own host key: one that the user has pinned, where the user came to this host on purpose.
    pub own_key: Arc<dyn Signer>,
    /// The victim's name, where it is known beforehand.
    pub user: &'a str,
    /// The victim's *public* key, as PEM.
    pub public_key: &'a str,
    /// The victim's password at the real server, if it is declared loot.
    pub password: Option<&'a [u8]>,
    /// The fingerprint that the user expects of the host.
    pub host: Fingerprint,
    /// Checks signatures.
    pub verifier: Arc<dyn Verifier>,
    /// The attacker's randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Impostor<'_> {
    /// Fresh secrets for one handshake in a role.
    pub fn ephemeral(&self, role: Role) -> Ephemeral {
        let mut entropy = Zeroizing::new([0; 64]);
        self.entropy.fill(&mut entropy[..]);
        Ephemeral::with(&*self.dialect.defences, role, &entropy)
    }
}

/// Sits between client and server. The arena hands it every chunk, as it came off one wire, and puts what it returns
/// on the other.
pub trait Middle: Send {
    /// Passes on bytes, changed or not.
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8>;

    /// Bytes for the sender of the last chunk: an answer in the receiver's place.
    fn answer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Bytes to pass on after what was just passed, a moment later and by themselves.
    fn afterthought(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// The action on the wires now.
    fn cut(&self) -> Cut {
        Cut::Nothing
    }

    /// Ends, and returns the claim.
    fn report(self: Box<Self>) -> Report;
}

/// The action of an attacker on the path on the wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Leaves them.
    Nothing,
    /// Ends both.
    Both,
    /// Ends the one to the server; the client is still listened to, and may still be answered.
    Server,
}

/// The trace with every byte from the server set to zero, so that an attack on it has not seen a session key.
pub fn blank_server(trace: &Trace) -> Trace {
    let mut blanked = trace.clone();
    blank(&mut blanked);
    blanked
}

fn blank(trace: &mut Trace) {
    let of_server = trace.chunks.iter_mut();
    let of_server = of_server.filter(|chunk| chunk.from == Side::Server);
    of_server.for_each(|chunk| chunk.bytes.fill(0));
}

/// Splits one side's hardened stream at its boundaries, which are in clear: a hello of known size, then records that each
/// begin with their length. Bytes of a record that has not come whole wait for the rest.
pub struct Records {
    buffer: Vec<u8>,
    hello: Option<usize>,
}

impl Records {
    /// For what one side says.
    pub fn of(dialect: &Dialect, side: Side) -> Self {
        let hello = match side {
            Side::Client => Hello::client_len(&*dialect.defences),
            Side::Server => Hello::server_len(&*dialect.defences),
        };
        Self {
            buffer: Vec::new(),
            hello: Some(hello),
        }
    }

    /// Adds bytes, returns the pieces that are whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(len) = self.next_len().filter(|len| *len <= self.buffer.len()) {
            pieces.push(self.buffer.drain(..len).collect());
            self.hello = None;
        }
        pieces
    }

    fn next_len(&self) -> Option<usize> {
        if self.hello.is_some() {
            return self.hello;
        }
        let len = u32::from_be_bytes(*self.buffer.first_chunk::<4>()?);
        Some(len as usize + 4).filter(|len| *len > OVERHEAD)
    }
}

/// Longest record that an attacker waits for.
const LONGEST: usize = 1 << 16;

/// Reads one hardened record, with any content.
///
/// # Errors
/// When the connection ends first, or no record has such a length.
pub async fn read_record(stream: &mut BoxStream) -> anyhow::Result<Vec<u8>> {
    let mut record = vec![0; 4];
    stream.read_exact(&mut record).await?;
    let len = u32::from_be_bytes(record[..].try_into()?) as usize;
    anyhow::ensure!(
        len <= LONGEST,
        "the server announced a record of {len} bytes, above the limit of {LONGEST}"
    );
    record.resize(4 + len, 0);
    stream.read_exact(&mut record[4..]).await?;
    Ok(record)
}

/// Reads the server's hello.
///
/// # Errors
/// When the connection ends first.
pub async fn read_server_hello(
    stream: &mut BoxStream,
    dialect: &Dialect,
) -> anyhow::Result<Vec<u8>> {
    let mut hello = vec![0; Hello::server_len(&*dialect.defences)];
    stream.read_exact(&mut hello).await?;
    Ok(hello)
}
