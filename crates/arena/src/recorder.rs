//! Records connections: the bytes, their sender and their time. A recording part reports to a [`Recorder`], which
//! forwards to a [`Sink`].
//!
//! Two things record. The tap on the honest connection records what arrives at it, so it works over TCP too. A
//! [`Watch`] records every connection of a run in memory, at both ends, as it was *written*. A message that one side
//! writes at once is one packet, however the other side reads it. The captures of the attacks are made from that.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use latchstring_attacker::{
    capture::trace::{Chunk, Side, Trace},
    vantage::BoxStream,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// The port of the first client; each next client calls from the next port.
const FIRST_PORT: u16 = 50_000;

/// Where a recording goes: to traces in memory, to a file, to a screen. Connections are numbered from 0, in the order
/// in which they were dialled. The recorder calls a sink while the run goes on, so a sink must not wait for anything.
pub trait Sink: Send {
    /// A connection was dialled.
    fn opened(&mut self, connection: usize, client: SocketAddr, server: SocketAddr);
    /// One side has sent this.
    fn sent(&mut self, connection: usize, chunk: Chunk);
    /// An end of the connection was closed. Called once for each end that closes.
    fn closed(&mut self, connection: usize);
}

/// Keeps every byte in memory; clones share the traces.
#[derive(Clone, Default)]
pub struct Traces(Arc<Mutex<Vec<Trace>>>);

impl Traces {
    /// All connections so far, in the order in which they were dialled.
    pub fn all(&self) -> Vec<Trace> {
        self.lock().clone()
    }

    /// The first connection, or an empty trace without one.
    pub fn first(&self) -> Trace {
        self.lock().first().cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Trace>> {
        self.0.lock().expect("no thread panicked while it recorded")
    }
}

impl Sink for Traces {
    fn opened(&mut self, connection: usize, client: SocketAddr, server: SocketAddr) {
        debug_assert_eq!(connection, self.lock().len());
        self.lock().push(Trace::new(client, server));
    }
    fn sent(&mut self, connection: usize, chunk: Chunk) {
        self.lock()[connection].chunks.push(chunk);
    }
    fn closed(&mut self, connection: usize) {
        self.lock()[connection].closed = true;
    }
}

/// Numbers the connections and tells the sink; clones share both.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<State>>);

struct State {
    connections: usize,
    sink: Box<dyn Sink>,
}

impl Recorder {
    /// Records to this sink.
    pub fn to(sink: impl Sink + 'static) -> Self {
        Self(Arc::new(Mutex::new(State {
            connections: 0,
            sink: Box::new(sink),
        })))
    }

    /// A connection that begins now. The client's address is that of its next caller.
    pub fn connection(&self, client: Ipv4Addr, server: SocketAddr) -> Recording {
        let mut state = self.state();
        let number = state.connections;
        state.connections += 1;
        let client = SocketAddr::from((client, FIRST_PORT + number as u16));
        state.sink.opened(number, client, server);
        Recording {
            recorder: self.clone(),
            number,
            began: Instant::now(),
        }
    }

    /// Records connections from one address to another.
    pub fn watch(&self, from: Ipv4Addr, to: SocketAddr) -> Watch {
        let recorder = self.clone();
        Watch { recorder, from, to }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panicked while it recorded")
    }
}

/// One connection that is recorded; clones are of the same connection.
#[derive(Clone)]
pub struct Recording {
    recorder: Recorder,
    number: usize,
    began: Instant,
}

impl Recording {
    /// One side has sent these bytes, now.
    pub fn sent(&self, from: Side, bytes: &[u8]) {
        let chunk = Chunk {
            from,
            at: self.began.elapsed(),
            bytes: bytes.to_vec(),
        };
        self.recorder.state().sink.sent(self.number, chunk);
    }

    /// An end was closed.
    pub fn closed(&self) {
        self.recorder.state().sink.closed(self.number);
    }
}

/// Records the connections from one address to another.
#[derive(Clone)]
pub struct Watch {
    recorder: Recorder,
    from: Ipv4Addr,
    to: SocketAddr,
}

impl Watch {
    /// The same for a caller at another address.
    pub fn from(mut self, from: Ipv4Addr) -> Self {
        self.from = from;
        self
    }

    /// The two halves of a path with an attacker on it: from the caller to the attacker, and on to the server.
    pub fn divided(&self, middle: Ipv4Addr) -> (Self, Self) {
        let mut to_middle = self.clone();
        to_middle.to.set_ip(middle.into());
        (to_middle, self.clone().from(middle))
    }

    /// Wraps both ends of a new connection: the caller's, and that of the program that is called.
    pub fn connection(&self, near: BoxStream, far: BoxStream) -> (BoxStream, BoxStream) {
        let recording = self.recorder.connection(self.from, self.to);
        let end = |inner, side| -> BoxStream {
            Box::new(Watched {
                inner,
                side,
                recording: recording.clone(),
            })
        };
        (end(near, Side::Client), end(far, Side::Server))
    }
}

/// One end of a connection that is recorded.
struct Watched {
    inner: BoxStream,
    side: Side,
    recording: Recording,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(n @ 1..)) = written {
            self.recording.sent(self.side, &bytes[..n]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.recording.closed();
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.recording.closed();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_ends_are_recorded_as_they_wrote() {
        let traces = Traces::default();
        let recorder = Recorder::to(traces.clone());
        let server = SocketAddr::from(([127, 0, 0, 1], 22_222));
        let watch = recorder.watch(Ipv4Addr::LOCALHOST, server);
        let (near, far) = duplex(64);
        let (mut near, mut far) = watch.connection(Box::new(near), Box::new(far));
        near.write_all(b"one message").await.unwrap();
        // Read in two pieces, and still one packet.
        far.read_exact(&mut [0; 3]).await.unwrap();
        far.read_exact(&mut [0; 8]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        far.write_all(b"ok").await.unwrap();
        assert!(!traces.all()[0].closed);
        drop(near);

        let trace = &traces.all()[0];
        let chunks: Vec<_> = trace
            .chunks
            .iter()
            .map(|chunk| (chunk.from, chunk.at.as_secs(), &chunk.bytes[..]))
            .collect();
        assert_eq!(
            chunks,
            [
                (Side::Client, 0, &b"one message"[..]),
                (Side::Server, 3, b"ok")
            ]
        );
        assert!(trace.closed);
        assert_eq!(trace.client, "127.0.0.1:50000".parse().unwrap());
        assert_eq!(trace.server, server);
    }
}
