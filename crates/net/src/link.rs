//! A session on a stream: moves the bytes of a [`Driver`] and sleeps for it.

use std::{io, sync::Arc, time::Duration};

use latchstring_protocol::hardened::{
    self,
    driver::{Broken, Driver, Settings},
    full::Full,
    parts::Parts,
    session::Session,
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    select,
    time::{Instant, sleep_until},
};
use zeroize::Zeroizing;

use crate::{entropy::Entropy, wire::WireError};

/// Why a step was not done.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The stream ended without an agreed close, or nothing can be read from it any more.
    #[error(transparent)]
    Read(WireError),
    /// Nothing can be written any more. The peer's earlier bytes may still be there to be read: see
    /// [`Driver::cannot_write`].
    #[error(transparent)]
    Write(io::Error),
    /// The peer takes no more bytes.
    #[error("the peer takes no more bytes")]
    WriteClosed,
    /// A record of a length that does not exist, or one that took too long.
    #[error(transparent)]
    Wire(WireError),
    /// A record is not right, or this end cannot go on.
    #[error(transparent)]
    Protocol(hardened::Error),
    /// The peer has said nothing for so long.
    #[error("the peer has been silent for {seconds} s")]
    Silent {
        /// How long, in seconds.
        seconds: u64,
    },
    /// The peer did not agree to our close in time.
    #[error("the peer did not agree to our close in time")]
    NoAgreement,
}

impl From<Broken> for LinkError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Closed => Self::Read(WireError::Closed),
            Broken::Truncated { have, need } => Self::Read(WireError::Truncated { have, need }),
            Broken::BadLength(len) => Self::Wire(WireError::BadLength(len)),
            Broken::Slow { have, need } => Self::Wire(WireError::Deadline { have, need }),
            Broken::Protocol(why) => Self::Protocol(why),
            Broken::Silent { after } => Self::Silent {
                seconds: after.as_secs(),
            },
            Broken::NoAgreement => Self::NoAgreement,
        }
    }
}

/// A driver and its stream.
pub struct Link<S, D = Full> {
    /// Take its events before each step.
    pub driver: Driver<D>,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    start: Instant,
    /// Fresh randomness for changes of keys.
    entropy: Arc<dyn Entropy>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, D: Parts> Link<S, D> {
    /// Puts an open session on its stream.
    pub fn new(
        stream: S,
        session: Session<D>,
        settings: Settings,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (reader, writer) = split(stream);
        Self {
            driver: Driver::new(session, settings, Duration::ZERO),
            reader,
            writer,
            start: Instant::now(),
            entropy,
        }
    }

    /// The moment, as the driver wants it.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Writes, reads or sleeps, once. Cancel safe: nothing is lost when another branch of a `select!` wins.
    ///
    /// Writing comes before reading. Two ends that both write first and read later would wait for each other once the
    /// buffers between them are full. A peer that sends without end must still get its acknowledgements.
    ///
    /// # Errors
    /// Each but [`LinkError::Write`] is the end of the session.
    pub async fn step(&mut self) -> Result<(), LinkError> {
        if self.driver.wants_secret() {
            let mut secret = Zeroizing::new([0; 32]);
            self.entropy.fill(&mut *secret);
            self.driver.new_keys(&secret).map_err(Broken::from)?;
        }
        let outgoing = self.driver.outgoing();
        let room = self.driver.room();
        // Where nothing is waited for there is no event to come either; see `Driver::is_done`.
        let deadline = self.driver.deadline().ok_or(Broken::Closed)?;
        select! {
            // In order, not at random, so that the same session runs the same way twice.
            biased;
            wrote = self.writer.write(outgoing), if !outgoing.is_empty() => match wrote {
                Ok(0) => return Err(LinkError::WriteClosed),
                Ok(n) => self.driver.written(n),
                Err(why) => return Err(LinkError::Write(why)),
            },
            read = read(&mut self.reader, room), if room > 0 => {
                let bytes = read.map_err(|why| LinkError::Read(why.into()))?;
                match bytes.is_empty() {
                    true => self.driver.ended()?,
                    false => _ = self.driver.received(&bytes, self.now())?,
                }
            }
            () = sleep_until(self.start + deadline) => self.driver.timed_out(self.now())?,
        }
        Ok(())
    }

    /// Ends our direction of the stream. Whether the peer learns of it changes nothing.
    pub async fn shutdown(&mut self) {
        let _ = self.writer.shutdown().await;
    }
}

/// The bytes that have arrived, at most `room`; empty at the end of the stream. Only [`AsyncReadExt::read_buf`] is
/// awaited.
async fn read<R: AsyncRead + Unpin>(reader: &mut R, room: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(room);
    reader.take(room as u64).read_buf(&mut bytes).await?;
    Ok(bytes)
}
