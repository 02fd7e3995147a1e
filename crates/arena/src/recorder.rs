//! Records every connection of a run in memory, whoever makes it: what the captures of the attacks are made from.
//!
//! What is recorded is what was *written*, at either end: so a message that one side writes at once is one packet,
//! however the other side reads it.

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

/// The port that the first of them comes from; each next one comes from the next port.
const FIRST_PORT: u16 = 50_000;

/// The connections of a run so far; clones share them.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Trace>>>);

/// Writes down the connections from one address to another.
#[derive(Clone)]
pub struct Watch {
    recorder: Recorder,
    from: Ipv4Addr,
    to: SocketAddr,
}

impl Watch {
    /// The same for somebody who calls from elsewhere.
    pub fn from(mut self, from: Ipv4Addr) -> Self {
        self.from = from;
        self
    }

    /// The two halves of a way with somebody on it: to whom, and from there on.
    pub fn divided(&self, middle: Ipv4Addr) -> (Self, Self) {
        let mut to_middle = self.clone();
        to_middle.to.set_ip(middle.into());
        (to_middle, self.clone().from(middle))
    }

    /// Wraps both ends of a new connection: that of who dialled, and that of who is called.
    pub fn connection(&self, near: BoxStream, far: BoxStream) -> (BoxStream, BoxStream) {
        let mut traces = self.recorder.traces();
        let session = traces.len();
        let client = SocketAddr::from((self.from, FIRST_PORT + session as u16));
        traces.push(Trace::new(client, self.to));
        let began = Instant::now();
        let end = |inner, side| -> BoxStream {
            Box::new(Watched {
                inner,
                side,
                session,
                began,
                recorder: self.recorder.clone(),
            })
        };
        (end(near, Side::Client), end(far, Side::Server))
    }
}

impl Recorder {
    /// Writes down connections from one address to another.
    pub fn watch(&self, from: Ipv4Addr, to: SocketAddr) -> Watch {
        let recorder = self.clone();
        Watch { recorder, from, to }
    }

    /// All connections, in the order in which they were dialled.
    pub fn recorded(&self) -> Vec<Trace> {
        self.traces().clone()
    }

    fn traces(&self) -> MutexGuard<'_, Vec<Trace>> {
        self.0.lock().expect("no thread panicked while it recorded")
    }
}

/// One end of a connection that is recorded.
struct Watched {
    inner: BoxStream,
    side: Side,
    session: usize,
    began: Instant,
    recorder: Recorder,
}

impl Watched {
    fn close(&self) {
        self.recorder.traces()[self.session].closed = true;
    }
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
            self.recorder.traces()[self.session].chunks.push(Chunk {
                from: self.side,
                at: self.began.elapsed(),
                bytes: bytes[..n].to_vec(),
            });
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_ends_are_recorded_as_they_wrote() {
        let recorder = Recorder::default();
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
        assert!(!recorder.recorded()[0].closed);
        drop(near);

        let trace = &recorder.recorded()[0];
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
