//! The wire that the arena owns: connections in memory or over TCP on loopback, and the tap on the honest one.
//!
//! Both kinds carry the very same programs. In memory, on a paused clock, a run is the same to the byte every time; over
//! TCP it is real.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use futures_util::future::BoxFuture;
use latchstring_attacker::{
    capture::trace::{Chunk, Side, Trace},
    vantage::{BoxStream, Dial, Middle},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Instant,
};

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Over {
    /// Pipes in this process, on a paused clock: deterministic, and as fast as the machine.
    Memory,
    /// TCP on 127.0.0.1, in real time.
    Tcp,
}

/// Where the arena's server waits for connections.
pub enum Listener {
    /// The other end of a [`Dialer::Memory`].
    Memory(mpsc::Receiver<BoxStream>),
    /// A real socket on 127.0.0.1.
    Tcp(TcpListener),
}

/// How the arena's clients and attackers reach that server.
#[derive(Clone)]
pub enum Dialer {
    /// Makes pipes.
    Memory(mpsc::Sender<BoxStream>),
    /// Connects to a port of this machine.
    Tcp(SocketAddr),
}

/// A listener with its dialer. Loopback is all there is: no address is taken from anywhere.
///
/// # Errors
/// When no port of 127.0.0.1 can be had.
pub async fn network(over: Over) -> io::Result<(Listener, Dialer)> {
    match over {
        Over::Memory => {
            let (dial, listen) = mpsc::channel(16);
            Ok((Listener::Memory(listen), Dialer::Memory(dial)))
        }
        Over::Tcp => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            Ok((Listener::Tcp(listener), Dialer::Tcp(address)))
        }
    }
}

impl Listener {
    /// The next connection; `None` when nobody can dial any more.
    pub async fn accept(&mut self) -> Option<BoxStream> {
        match self {
            Self::Memory(listen) => listen.recv().await,
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await.ok()?;
                stream.set_nodelay(true).ok()?;
                Some(Box::new(stream))
            }
        }
    }
}

impl Dial for Dialer {
    fn dial(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            match self {
                Self::Memory(dial) => {
                    let (near, far) = tokio::io::duplex(64 * 1024);
                    let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
                    dial.send(Box::new(far)).await.map_err(gone)?;
                    Ok(Box::new(near) as BoxStream)
                }
                Self::Tcp(address) => {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    Ok(Box::new(stream) as BoxStream)
                }
            }
        })
    }
}

/// Passes everything on as it came.
struct Nobody;

impl Middle for Nobody {
    fn pass(&mut self, _: Side, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
    fn report(self: Box<Self>) -> latchstring_attacker::Report {
        latchstring_attacker::Report::new(latchstring_attacker::Claim::Nothing, Default::default())
    }
}

/// What hangs on the honest connection: it records what each side *sent*, and lets a [`Middle`] change what arrives.
pub struct Tap {
    middle: Box<dyn Middle>,
    trace: Trace,
    began: Instant,
}

/// The tap, shared by the two directions.
pub type SharedTap = Arc<Mutex<Tap>>;

impl Tap {
    /// A tap with somebody on the path, or with nobody.
    pub fn new(middle: Option<Box<dyn Middle>>) -> SharedTap {
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Arc::new(Mutex::new(Self {
            middle: middle.unwrap_or(Box::new(Nobody)),
            trace: Trace {
                client: address(50_000),
                server: address(22_222),
                chunks: Vec::new(),
                ..Trace::default()
            },
            began: Instant::now(),
        }))
    }

    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        self.trace.chunks.push(Chunk {
            from,
            at: self.began.elapsed(),
            bytes: bytes.to_vec(),
        });
        self.middle.pass(from, bytes)
    }

    /// What was recorded, and whoever was on the path.
    ///
    /// # Panics
    /// When a thread panicked while it held the tap.
    pub fn finish(tap: &SharedTap) -> (Trace, Box<dyn Middle>) {
        let mut tap = tap.lock().expect("no thread panicked with the tap in hand");
        let middle = std::mem::replace(&mut tap.middle, Box::new(Nobody));
        (tap.trace.clone(), middle)
    }
}

/// Dials the server with a tap on the connection.
///
/// # Errors
/// When the server cannot be reached.
pub async fn dial_tapped(dialer: &Dialer, over: Over, tap: SharedTap) -> io::Result<BoxStream> {
    // The client's side of the tap is a connection of the same kind as the server's.
    let (mut listener, near) = network(over).await?;
    let (client, inner) = tokio::join!(near.dial(), listener.accept());
    let inner = inner.ok_or(io::ErrorKind::ConnectionAborted)?;
    let server = dialer.dial().await?;
    let (from_client, to_client) = tokio::io::split(inner);
    let (from_server, to_server) = tokio::io::split(server);
    tokio::spawn(forward(Side::Client, from_client, to_server, tap.clone()));
    tokio::spawn(forward(Side::Server, from_server, to_client, tap));
    client
}

/// One direction: read what is there, tap it, write it, until the end; then pass the end on.
async fn forward(
    from: Side,
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    tap: SharedTap,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = reader.read(&mut buffer).await {
        let bytes = match tap.lock() {
            Ok(mut tap) => tap.pass(from, &buffer[..n]),
            Err(_) => return,
        };
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}
