//! Reading and writing the bytes of `latch/2`, for every peer and every kind of stream.
//!
//! Whoever is at the other end may be a stranger, so nothing here trusts them with memory or time: a length is
//! compared with the few that exist *before* room is made for the record, and every wait has an end.

use std::{io, time::Duration};

use latchstring_protocol::hardened::record::{OVERHEAD, TAG_LEN};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

/// A record, once its first byte is here, must be complete within this time.
pub const RECORD_DEADLINE: Duration = Duration::from_secs(5);

/// Bytes of a record's length field.
const LENGTH_FIELD: usize = OVERHEAD - TAG_LEN;

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
/// [`WireError::Closed`] when the stream ends before the first byte, [`WireError::Truncated`] when it ends later,
/// [`WireError::Deadline`] when `n` bytes have not arrived within `within`, or within [`RECORD_DEADLINE`] of the first.
pub async fn read_exact_within<R: AsyncRead + Unpin>(
    stream: &mut R,
    n: usize,
    within: Duration,
) -> Result<Vec<u8>, WireError> {
    let mut partial = Partial::default();
    let by = Instant::now() + within;
    match partial.fill(stream, n, Some(by)).await? {
        Progress::Complete => Ok(partial.bytes),
        Progress::End => Err(WireError::Closed),
    }
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
/// record's deadline: the next `read` goes on where it was.
#[derive(Debug, Default)]
pub struct RecordReader(Partial);

impl RecordReader {
    /// Reads one whole record, length field and tag included: what `record::Opener::open` takes.
    ///
    /// `allowed` lists the ciphertext lengths that are valid in the caller's state (all of `record::BUCKETS` when nothing is known); any
    /// other length is refused before a byte of the body is read or room is made for it. Without `by` the first byte
    /// may take for ever; with it the whole record must be here by then. Either way a record that has begun must be
    /// complete within [`RECORD_DEADLINE`].
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
        if let Progress::End = self.0.fill(stream, LENGTH_FIELD, by).await? {
            return Ok(None);
        }
        let whole = LENGTH_FIELD + self.announced(allowed)?;
        self.0.fill(stream, whole, by).await?;
        Ok(Some(std::mem::take(&mut self.0).bytes))
    }

    /// What the length field says, if the protocol knows such a record and the caller allows it now.
    fn announced(&self, allowed: &[usize]) -> Result<usize, WireError> {
        let mut field = [0; LENGTH_FIELD];
        field.copy_from_slice(&self.0.bytes[..LENGTH_FIELD]);
        let len = u32::from_be_bytes(field);
        let ciphertext = (len as usize).checked_sub(TAG_LEN);
        match ciphertext.filter(|n| allowed.contains(n)) {
            Some(n) => Ok(n + TAG_LEN),
            None => Err(WireError::BadLength(len)),
        }
    }
}

/// Bytes of something that is not complete yet, and when it began.
#[derive(Debug, Default)]
struct Partial {
    bytes: Vec<u8>,
    began: Option<Instant>,
}

enum Progress {
    Complete,
    /// The stream ended before the first byte.
    End,
}

impl Partial {
    /// Reads until there are `need` bytes in all. Only [`AsyncReadExt::read_buf`] is awaited, which is cancel safe.
    async fn fill<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        need: usize,
        by: Option<Instant>,
    ) -> Result<Progress, WireError> {
        while self.bytes.len() < need {
            let have = self.bytes.len();
            self.bytes.reserve_exact(need - have);
            let deadline = self.deadline(by);
            let mut rest = stream.take((need - have) as u64);
            let read = rest.read_buf(&mut self.bytes);
            let got = match deadline {
                None => read.await?,
                Some(at) => match timeout_at(at, read).await {
                    Ok(got) => got?,
                    Err(_) => return Err(WireError::Deadline { have, need }),
                },
            };
            match (got, have) {
                (0, 0) => return Ok(Progress::End),
                (0, _) => return Err(WireError::Truncated { have, need }),
                _ => _ = self.began.get_or_insert_with(Instant::now),
            }
        }
        Ok(Progress::Complete)
    }

    /// The earlier of the caller's deadline and that of a record which has begun.
    fn deadline(&self, by: Option<Instant>) -> Option<Instant> {
        let record = self.began.map(|began| began + RECORD_DEADLINE);
        [by, record].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
