//! Records read from a stream that arrives in any pieces, with reads that are given up between the pieces.
//!
//! Besides "no panic": the same records come out as went in, whatever the pieces; the reading ends at the first length
//! that no record has, and no byte behind it is waited for.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use latchstring_net::wire::{RecordReader, WireError};
use latchstring_protocol::hardened::record::{BUCKETS, OVERHEAD};
use tokio::{
    io::{AsyncRead, ReadBuf},
    runtime::{Builder, Runtime},
};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread");
}

/// Runs one input: how many lengths of pieces there are, these lengths, the bytes of the stream.
pub fn run(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else {
        return;
    };
    let (pieces, bytes) = rest.split_at(rest.len().min(count.into()));
    RUNTIME.with(|runtime| runtime.block_on(read_all(bytes, pieces)));
}

async fn read_all(bytes: &[u8], pieces: &[u8]) {
    let mut stream = Pieces {
        bytes,
        lengths: pieces.iter(),
        now: 0,
    };
    let mut reader = RecordReader::default();
    let mut left = bytes;
    loop {
        let read = next(&mut reader, &mut stream).await;
        let length = left
            .first_chunk()
            .map(|length| u32::from_be_bytes(*length) as usize);
        let exists = |length: usize| BUCKETS.iter().any(|bucket| bucket + OVERHEAD == length + 4);
        match read {
            Ok(None) => return assert!(left.is_empty()),
            Ok(Some(record)) => {
                assert_eq!(length.map(|length| length + 4), Some(record.len()));
                left = left
                    .strip_prefix(&record[..])
                    .expect("the bytes as they came");
            }
            Err(WireError::BadLength(bad)) => {
                return assert!(length == Some(bad as usize) && !exists(bad as usize));
            }
            Err(WireError::Truncated { have, need }) => {
                assert!(have == left.len() && have < need && have > 0);
                return assert!(length.is_none_or(exists));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// One record, by a read that is dropped and begun again whenever it has to wait.
async fn next(
    reader: &mut RecordReader,
    stream: &mut Pieces<'_>,
) -> Result<Option<Vec<u8>>, WireError> {
    loop {
        let mut read = pin!(reader.read(stream, &BUCKETS, None));
        let polled = poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
        if let Poll::Ready(done) = polled {
            return done;
        }
    }
}

/// A stream of which a piece arrives at each second look.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: std::slice::Iter<'a, u8>,
    /// What is left of the piece that has arrived.
    now: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.now == 0 && !self.bytes.is_empty() {
            let next = self.lengths.next().map(|length| usize::from(*length));
            self.now = next.unwrap_or(usize::MAX);
            return Poll::Pending;
        }
        let length = self.now.min(self.bytes.len()).min(into.remaining());
        let (head, rest) = self.bytes.split_at(length);
        into.put_slice(head);
        self.bytes = rest;
        self.now -= length;
        Poll::Ready(Ok(()))
    }
}

/// An input: records of these sizes, in pieces of these lengths.
pub fn stream(sizes: &[usize], pieces: &[u8]) -> Vec<u8> {
    let mut input = vec![pieces.len() as u8];
    input.extend(pieces);
    for size in sizes {
        input.extend((*size as u32 + 32).to_be_bytes());
        input.extend(vec![5; size + 32]);
    }
    input
}
