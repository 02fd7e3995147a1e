//! Reading and writing the bytes of `latch/2`, for every peer and every kind of stream.
//!
//! The other end may be a stranger, so nothing here trusts it with memory or time. A length is compared with the few
//! valid ones *before* room is made for the record, and every wait has an end.

use std::{io, time::Duration};

pub use latchstring_protocol::hardened::framing::RECORD_DEADLINE;
use latchstring_protocol::hardened::framing::{BadLength, Incoming};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

/// Why a read or a write did not complete. The connection is of no more use after any of these.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The peer closed the stream where something was expected.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer closed the stream in the middle of something.
    #[error("the peer closed the connection after {have} of {need} bytes")]
    Truncated {
        /// Bytes that arrived.
        have: usize,
        /// Bytes that were announced or expected.
        need: usize,
    },
    /// A length field that the protocol does not allow at this point; the body was not read.
    #[error("the peer announced a record of {0} bytes, which is not allowed here")]
    BadLength(u32),
    /// The peer was too slow.
    #[error("the peer took longer than allowed ({have} of {need} bytes)")]
    Deadline {
        /// Bytes read before time was up; 0 when writing.
        have: usize,
        /// Bytes that were to be read or written.
        need: usize,
    },
    /// The operating system reports a failure of the connection.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// Reads exactly `n` bytes, such as a hello.
///
/// # Errors
/// [`WireError::Closed`] when the stream ends before the first byte, and [`WireError::Truncated`] when it ends later.
/// [`WireError::Deadline`] when `n` bytes have not arrived within `within`, or within [`RECORD_DEADLINE`] of the first.
pub async fn read_exact_within<R: AsyncRead + Unpin>(
    stream: &mut R,
    n: usize,
    within: Duration,
) -> Result<Vec<u8>, WireError> {
    let mut deadline = Deadline::at(Some(Instant::now() + within));
    let mut bytes = Vec::with_capacity(n);
    while bytes.len() < n {
        let more = deadline.read(stream, bytes.len(), n).await?;
        match (more.is_empty(), bytes.len()) {
            (true, 0) => return Err(WireError::Closed),
            (true, have) => return Err(WireError::Truncated { have, need: n }),
            (false, _) => bytes.extend(more),
        }
    }
    Ok(bytes)
}

/// Writes all of `bytes` and flushes.
///
/// # Errors
/// [`WireError::Deadline`] when the peer does not take them within `within`, [`WireError::Io`] when it is gone.
pub async fn write_all_within<W: AsyncWrite + Unpin>(
    stream: &mut W,
    bytes: &[u8],
    within: Duration,
) -> Result<(), WireError> {
    let write = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    match timeout(within, write).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(WireError::Deadline {
            have: 0,
            need: bytes.len(),
        }),
    }
}

/// Reads one record with a [`RecordReader`] that lives no longer; for handshakes, where nothing else is waited for.
///
/// # Errors
/// As [`RecordReader::read`].
pub async fn read_record<R: AsyncRead + Unpin>(
    stream: &mut R,
    allowed: &[usize],
    by: Option<Instant>,
) -> Result<Option<Vec<u8>>, WireError> {
    RecordReader::default().read(stream, allowed, by).await
}

/// Reads records one after the other and keeps what it has of an unfinished one.
///
/// A `read` that is dropped half-way, as `select!` does with the branches that lost, loses neither bytes nor the
/// record's deadline. The next `read` goes on where it was.
#[derive(Debug, Default)]
pub struct RecordReader {
    incoming: Incoming,
    /// When the first byte of an unfinished record arrived.
    began: Option<Instant>,
}

impl RecordReader {
    /// Reads one whole record, length field and tag included, as `record::Opener::open` takes it.
    ///
    /// `allowed` lists the ciphertext lengths that are valid in the caller's state (all of `record::BUCKETS` when the
    /// state is unknown). Any other length is refused before a byte of the body is read or room is made for it. Without
    /// `by` the first byte may take for ever; with it the whole record must be here by then. Either way a record that
    /// has begun must be complete within [`RECORD_DEADLINE`].
    ///
    /// `Ok(None)` is the end of the stream between two records.
    ///
    /// # Errors
    /// [`WireError::BadLength`], [`WireError::Truncated`], [`WireError::Deadline`] or [`WireError::Io`].
    pub async fn read<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        allowed: &[usize],
        by: Option<Instant>,
    ) -> Result<Option<Vec<u8>>, WireError> {
        loop {
            let (have, need) = (self.incoming.have(), self.incoming.need());
            let mut deadline = Deadline {
                by,
                began: self.began,
            };
            let more = deadline.read(stream, have, need).await?;
            self.began = deadline.began;
            match (more.is_empty(), have) {
                (true, 0) => return Ok(None),
                (true, _) => return Err(WireError::Truncated { have, need }),
                (false, _) => {}
            }
            let whole = self.incoming.take(&more, allowed);
            if let Some(record) = whole.map_err(|BadLength(len)| WireError::BadLength(len))? {
                self.began = None;
                return Ok(Some(record));
            }
        }
    }
}

/// Until when something must be here.
struct Deadline {
    /// When all of it must be here, if the caller says so.
    by: Option<Instant>,
    /// When its first byte arrived.
    began: Option<Instant>,
}

impl Deadline {
    fn at(by: Option<Instant>) -> Self {
        Self { by, began: None }
    }

    /// The next bytes of `need`, of which there are `have`; none at the end of the stream. Only
    /// [`AsyncReadExt::read_buf`] is awaited, which is cancel safe.
    async fn read<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        have: usize,
        need: usize,
    ) -> Result<Vec<u8>, WireError> {
        let mut bytes = Vec::with_capacity(need - have);
        let mut rest = stream.take((need - have) as u64);
        let read = rest.read_buf(&mut bytes);
        // The earlier of the caller's deadline and that of what has begun.
        let record = self.began.map(|began| began + RECORD_DEADLINE);
        let got = match [self.by, record].into_iter().flatten().min() {
            None => read.await?,
            Some(at) => match timeout_at(at, read).await {
                Ok(got) => got?,
                Err(_) => return Err(WireError::Deadline { have, need }),
            },
        };
        if got > 0 {
            self.began.get_or_insert_with(Instant::now);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
