//! The wire that the arena owns: connections in memory or over TCP on loopback, and the tap on the honest one.
//!
//! Both kinds carry the very same programs. In memory, on a paused clock, a run is the same to the byte every time; over
//! TCP it is real.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use latchstring_attacker::{
    capture::trace::Side,
    net::loopback::Loopback,
    vantage::{BoxStream, Cut, Dial, Middle},
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    sync::mpsc,
    time::sleep,
};

use crate::recorder::{Recording, Watch};

/// The carrier of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Pipes in this process, on a paused clock: deterministic, and as fast as the machine.
    Memory,
    /// TCP on 127.0.0.1, in real time.
    Tcp,
}

/// Where honest people call from.
pub const HONEST_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// Where the attacker calls from.
pub const ATTACKER_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Where an attacker of many addresses calls from: on from the first one, and never beyond this machine.
pub fn attacker_source(nth: u64) -> Ipv4Addr {
    let beyond = (nth % (1 << 20)) as u32;
    Ipv4Addr::from_bits(ATTACKER_SOURCE.to_bits() + beyond)
}

/// A connection and where it comes from.
type Call = (BoxStream, SocketAddr);

/// Where the arena's server waits for connections.
pub enum Listener {
    /// The other end of a `Dialer` in memory.
    Memory(mpsc::Receiver<Call>),
    /// A real socket on 127.0.0.1.
    Tcp(TcpListener),
}

/// How connections reach that server.
#[derive(Clone)]
enum Way {
    /// Makes pipes.
    Memory(mpsc::Sender<Call>),
    /// Connects to a port of this machine.
    Tcp(SocketAddr),
}

/// A way to reach that server.
#[derive(Clone)]
pub struct Dialer {
    way: Way,
    source: Ipv4Addr,
    /// Where connections in memory are written down, and under which addresses.
    watched: Option<Watch>,
}

/// A listener with its dialer. Loopback is all there is: no address is taken from anywhere.
///
/// # Errors
/// When no port of 127.0.0.1 is free.
pub async fn network(over: Over) -> io::Result<(Listener, Dialer)> {
    let (listener, way) = match over {
        Over::Memory => {
            let (dial, listen) = mpsc::channel(16);
            (Listener::Memory(listen), Way::Memory(dial))
        }
        Over::Tcp => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            (Listener::Tcp(listener), Way::Tcp(address))
        }
    };
    let dialer = Dialer {
        way,
        source: HONEST_SOURCE,
        watched: None,
    };
    Ok((listener, dialer))
}

impl Listener {
    /// The next connection and where it comes from; `None` when nobody can dial any more.
    pub async fn accept(&mut self) -> Option<(BoxStream, SocketAddr)> {
        match self {
            Self::Memory(listen) => listen.recv().await,
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await.ok()?;
                stream.set_nodelay(true).ok()?;
                Some((Box::new(stream), peer))
            }
        }
    }
}

impl Dialer {
    /// To a server of the lab that is running already.
    pub fn tcp(server: Loopback) -> Self {
        Self {
            way: Way::Tcp(server.address()),
            source: HONEST_SOURCE,
            watched: None,
        }
    }

    /// The same from another address of this machine.
    pub fn from(&self, source: Ipv4Addr) -> Self {
        let mut dialer = self.clone();
        dialer.source = source;
        dialer.watched = dialer.watched.map(|watch| watch.from(source));
        dialer
    }

    /// The same, with every connection in memory written down.
    pub fn watched(self, watch: Option<Watch>) -> Self {
        Self {
            watched: watch,
            ..self
        }
    }
}

impl Dial for Dialer {
    fn dial(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            match &self.way {
                Way::Memory(dial) => {
                    let (near, far) = tokio::io::duplex(64 * 1024);
                    let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
                    let peer = SocketAddr::from((self.source, 50_000));
                    let (near, far): (BoxStream, BoxStream) = (Box::new(near), Box::new(far));
                    let (near, far) = match &self.watched {
                        Some(watch) => watch.connection(near, far),
                        None => (near, far),
                    };
                    dial.send((far, peer)).await.map_err(gone)?;
                    Ok(near)
                }
                Way::Tcp(address) => {
                    let socket = TcpSocket::new_v4()?;
                    socket.bind((self.source, 0).into())?;
                    let stream = socket.connect(*address).await?;
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

/// The part on the honest connection that records the bytes of each side, and lets a [`Middle`] change them.
pub struct Tap {
    middle: Box<dyn Middle>,
    /// Whether an attacker is on the path.
    taken: bool,
    recording: Recording,
}

/// The tap, shared by the two directions.
pub type SharedTap = Arc<Mutex<Tap>>;

impl Tap {
    /// A tap with or without an attacker on the path.
    pub fn new(middle: Option<Box<dyn Middle>>, recording: Recording) -> SharedTap {
        Arc::new(Mutex::new(Self {
            taken: middle.is_some(),
            middle: middle.unwrap_or(Box::new(Nobody)),
            recording,
        }))
    }

    fn pass(&mut self, from: Side, bytes: &[u8]) -> Passed {
        self.recording.sent(from, bytes);
        Passed {
            on: self.middle.pass(from, bytes),
            back: self.middle.answer(),
            later: self.middle.afterthought(),
            cut: self.middle.cut(),
        }
    }

    /// Ends, and returns the attacker that was on the path.
    ///
    /// # Panics
    /// When a thread panicked while it held the tap.
    pub fn finish(tap: &SharedTap) -> Box<dyn Middle> {
        let mut tap = tap.lock().expect("no thread panicked with the tap in hand");
        std::mem::replace(&mut tap.middle, Box::new(Nobody))
    }
}

/// The result of a chunk at the tap.
struct Passed {
    on: Vec<u8>,
    back: Vec<u8>,
    later: Vec<u8>,
    cut: Cut,
}

/// The pause between a chunk and an afterthought to it. The pause is long enough to be two reads at the other end, and
/// shorter than the pause between two typed messages.
const A_MOMENT: Duration = Duration::from_millis(30);

/// Dials the server with a tap on the connection.
///
/// # Errors
/// When the server cannot be reached.
pub async fn dial_tapped(dialer: &Dialer, over: Over, tap: SharedTap) -> io::Result<BoxStream> {
    // The client's side of the tap is a connection of the same kind as the server's.
    let (mut listener, near) = network(over).await?;
    let taken = tap.lock().is_ok_and(|tap| tap.taken);
    let (near, dialer) = match &dialer.watched {
        // A wire with somebody on it is two connections.
        Some(watch) if taken => {
            let (to_middle, from_middle) = watch.divided(ATTACKER_SOURCE);
            let dialer = dialer.clone().watched(Some(from_middle));
            (near.watched(Some(to_middle)), dialer)
        }
        _ => (near, dialer.clone()),
    };
    let (client, inner) = tokio::join!(near.dial(), listener.accept());
    let (inner, _) = inner.ok_or(io::ErrorKind::ConnectionAborted)?;
    let server = dialer.dial().await?;
    tokio::spawn(relay(inner, server, tap));
    client
}

/// Reads what either side has said, taps it, writes it to the other, until both have ended. Bytes from the client go
/// first where both have spoken, so that a run repeats.
async fn relay(client: BoxStream, server: BoxStream, tap: SharedTap) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut client_buffer, mut server_buffer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let (mut client_open, mut server_open) = (true, true);
    while client_open || server_open {
        let carried = tokio::select! {
            biased;
            read = from_client.read(&mut client_buffer), if client_open => {
                let bytes = &client_buffer[..read.unwrap_or(0)];
                client_open = !bytes.is_empty();
                carry(Side::Client, bytes, &tap, &mut to_server, &mut to_client).await
            }
            read = from_server.read(&mut server_buffer), if server_open => {
                let bytes = &server_buffer[..read.unwrap_or(0)];
                server_open = !bytes.is_empty();
                carry(Side::Server, bytes, &tap, &mut to_client, &mut to_server).await
            }
        };
        match carried {
            Ok(Cut::Nothing) => {}
            // The client is not told: its wire stays open, and ends here.
            Ok(Cut::Server) => {
                server_open = false;
                let _ = to_server.shutdown().await;
            }
            Ok(Cut::Both) | Err(_) => break,
        }
    }
    let _ = tokio::join!(to_client.shutdown(), to_server.shutdown());
}

/// Carries one chunk, or the end of a stream. An error is the end of both.
async fn carry(
    from: Side,
    bytes: &[u8],
    tap: &SharedTap,
    on: &mut (impl AsyncWrite + Unpin),
    back: &mut (impl AsyncWrite + Unpin),
) -> io::Result<Cut> {
    if bytes.is_empty() {
        on.shutdown().await?;
        return Ok(Cut::Nothing);
    }
    let passed = match tap.lock() {
        Ok(mut tap) => tap.pass(from, bytes),
        Err(_) => return Err(io::ErrorKind::Other.into()),
    };
    if !passed.on.is_empty() {
        on.write_all(&passed.on).await?;
        on.flush().await?;
    }
    back.write_all(&passed.back).await?;
    back.flush().await?;
    if !passed.later.is_empty() {
        sleep(A_MOMENT).await;
        on.write_all(&passed.later).await?;
        on.flush().await?;
    }
    Ok(passed.cut)
}
