//! Counts the bytes on the wire.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes of all connections since the start.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// A stream whose bytes are counted.
pub(crate) struct Counted<'a, S> {
    stream: S,
    traffic: &'a Traffic,
}

impl<'a, S> Counted<'a, S> {
    pub(crate) fn new(stream: S, traffic: &'a Traffic) -> Self {
        Self { stream, traffic }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        let more = into.filled().len().saturating_sub(before) as u64;
        self.traffic.received.fetch_add(more, Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(n)) = &wrote {
            self.traffic.sent.fetch_add(*n as u64, Ordering::Relaxed);
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_counted_and_nothing_else() {
        let traffic = Traffic::default();
        let (ours, mut theirs) = duplex(4);
        let mut counted = Counted::new(ours, &traffic);
        theirs.write_all(b"abc").await.unwrap();
        let mut byte = [0];
        counted.read_exact(&mut byte).await.unwrap();
        assert_eq!((traffic.received(), traffic.sent()), (1, 0), "not yet read");
        counted.read_exact(&mut [0; 2]).await.unwrap();
        // Four of the six fit into the stream.
        assert_eq!(counted.write(b"sixsix").await.unwrap(), 4);
        assert_eq!((traffic.received(), traffic.sent()), (3, 4));
        drop(theirs);
        assert!(counted.write(b"late").await.is_err());
        assert_eq!(counted.read(&mut byte).await.unwrap(), 0);
        assert_eq!((traffic.received(), traffic.sent()), (3, 4));
    }
}
