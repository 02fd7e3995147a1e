//! What an attacker can see and do. An attack gets one of these and nothing else.

use std::{io, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use zeroize::Zeroizing;

use crate::{
    Report, Target,
    capture::trace::{Side, Trace},
    net::entropy::Entropy,
    protocol::hardened::{
        keys::Ephemeral,
        record::{self, OVERHEAD},
        signature::{Signer, Verifier},
    },
};

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

/// Somebody who can connect to the server, and has collected what is said below. Nobody's private key is in it.
pub struct Outsider<'a> {
    /// Which protocol the server speaks.
    pub target: Target,
    /// The way to the server.
    pub dial: &'a dyn Dial,
    /// The victim's name.
    pub user: &'a str,
    /// The victim's *public* key, as PEM: 1024 bits for faithful, 3072 for hardened.
    pub public_key: &'a str,
    /// The victim's password, stolen, so that it is the key alone that holds the door. Faithful has none.
    pub password: Option<&'a [u8]>,
    /// An honest session of the victim, seen on the wire.
    pub sniffed: &'a Trace,
    /// The attacker's own key.
    pub own_key: Arc<dyn Signer>,
    /// Checks signatures.
    pub verifier: Arc<dyn Verifier>,
    /// The attacker's randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Outsider<'_> {
    /// Fresh secrets for one handshake.
    pub fn ephemeral(&self) -> Ephemeral {
        let mut entropy = Zeroizing::new([0; 64]);
        self.entropy.fill(&mut entropy[..]);
        Ephemeral::new(&entropy)
    }
}

/// Sits between client and server. The arena hands it every chunk, as it came off one wire, and puts what it returns
/// on the other.
pub trait Middle: Send {
    /// Passes on bytes, changed or not.
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8>;

    /// Ends: what is claimed.
    fn report(self: Box<Self>) -> Report;
}

/// The trace with every byte from the server set to zero: whoever works from it has not seen a session key.
pub fn blank_server(trace: &Trace) -> Trace {
    let mut blanked = trace.clone();
    for chunk in &mut blanked.chunks {
        if chunk.from == Side::Server {
            chunk.bytes.fill(0);
        }
    }
    blanked
}

/// Splits a client's hardened stream at its record boundaries, which are in clear: 74 bytes of hello, then records that
/// each begin with their length. Bytes of a record that has not come whole wait for the rest.
#[derive(Default)]
pub struct Records {
    buffer: Vec<u8>,
    greeted: bool,
}

impl Records {
    /// Adds bytes, returns the pieces that are whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(len) = self.next_len().filter(|len| *len <= self.buffer.len()) {
            pieces.push(self.buffer.drain(..len).collect());
            self.greeted = true;
        }
        pieces
    }

    fn next_len(&self) -> Option<usize> {
        if !self.greeted {
            return Some(crate::protocol::hardened::message::CLIENT_HELLO_LEN);
        }
        let len = u32::from_be_bytes(*self.buffer.first_chunk::<4>()?);
        Some(len as usize + 4).filter(|len| *len > OVERHEAD)
    }
}

/// Reads one hardened record, whatever it holds.
///
/// # Errors
/// When the connection ends first, or the length is none that exists.
pub async fn read_record(stream: &mut BoxStream) -> anyhow::Result<Vec<u8>> {
    let mut record = vec![0; 4];
    stream.read_exact(&mut record).await?;
    let bucket = record::bucket_of(record[..].try_into()?)?;
    record.resize(bucket + OVERHEAD, 0);
    stream.read_exact(&mut record[4..]).await?;
    Ok(record)
}
