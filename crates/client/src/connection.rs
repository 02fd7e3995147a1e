//! An open session over a stream.
//!
//! One loop, [`Connection::event`], reads and writes at the same time: two ends that both write first and read later
//! would wait for each other once the buffers between them are full.

use std::{collections::VecDeque, io, time::Duration};

use latchstring_net::{
    protocol::hardened::{
        defence::Defence,
        full::Full,
        message::Held,
        parts::Parts,
        session::{self, CloseCode, KIND_TEXT, MAX_QUERIES, MAX_UNACKNOWLEDGED, Session},
    },
    wire::{RECORD_DEADLINE, RecordReader, WireError, write_all_within},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    select,
    time::{Instant, sleep_until},
};

use crate::error::{ClientError, Stage};

/// After this long without a word from the server it is asked whether it is there.
pub const PING_EVERY: Duration = Duration::from_secs(30);
/// After this many such times in a row the connection is given up.
pub const SILENT_INTERVALS: u32 = 3;
/// The server must agree to a close within this time.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// While more than this waits to be written, in bytes, nothing is read: a server that asks and never listens must not
/// fill our memory with answers. It is twice what all messages that may wait for an acknowledgement take.
const MAX_OUTGOING: usize = 32 << 20;

/// What happens on an open connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server says something. Call [`Connection::acknowledge`] once it is shown or stored.
    Message {
        /// Its number.
        id: u64,
        /// The text, as the server sent it: take control characters out before a terminal sees it.
        text: String,
    },
    /// The server holds all our messages up to this id for good.
    Acknowledged {
        /// The highest id.
        up_to: u64,
    },
    /// What the server holds under an id that we asked about; see [`Connection::query`].
    Held {
        /// The id.
        id: u64,
        /// `None` if it holds no such message.
        held: Option<Held>,
    },
    /// The server has ended the session, all our messages are acknowledged, and both accounts agree.
    Closed {
        /// Why.
        code: CloseCode,
    },
    /// The server agrees with our close.
    CloseAgreed,
}

/// A logged-in connection. Made by [`crate::login::Client::login`] alone.
pub struct Connection<S, D = Full> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    records: RecordReader,
    /// Records that are sealed and not written yet.
    outgoing: VecDeque<u8>,
    session: Session<D>,
    last_message: u64,
    /// Questions that wait for their answer.
    queries: usize,
    next_check: Instant,
    silent: u32,
    closing: bool,
    ping_every: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin, D: Parts> Connection<S, D> {
    pub(crate) fn new(stream: S, session: Session<D>, last_message: u64) -> Self {
        let (reader, writer) = split(stream);
        Self {
            reader,
            writer,
            records: RecordReader::default(),
            outgoing: VecDeque::new(),
            session,
            last_message,
            queries: 0,
            next_check: Instant::now() + PING_EVERY,
            silent: 0,
            closing: false,
            ping_every: PING_EVERY,
        }
    }

    /// Asks the server more or less often whether it is there than every [`PING_EVERY`].
    pub fn asking_every(mut self, interval: Duration) -> Self {
        self.ping_every = interval;
        self.next_check = Instant::now() + interval;
        self
    }

    /// The id of the last message that the server held of this user and key at the login; the next one follows it.
    pub fn last_message(&self) -> u64 {
        self.last_message
    }

    /// A public name of this session, the same at both ends.
    pub fn session_id(&self) -> [u8; 16] {
        self.session.id()
    }

    /// Whether [`Connection::send`] would take a message now.
    pub fn has_room(&self) -> bool {
        !self.closing && self.sent_and_open() < MAX_UNACKNOWLEDGED
    }

    /// How many messages were sent and are not acknowledged.
    pub(crate) fn sent_and_open(&self) -> usize {
        self.session.unacknowledged().count()
    }

    /// Ids that were sent and are not acknowledged.
    pub fn unacknowledged(&self) -> Vec<u64> {
        self.session.unacknowledged().collect()
    }

    /// Whether [`Connection::query`] would take a question now.
    pub fn may_query(&self) -> bool {
        !self.closing && self.queries < MAX_QUERIES
    }

    /// Asks what the server holds under an id. The answers are [`Event::Held`], in the order of the questions.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] without [`Connection::may_query`].
    pub fn query(&mut self, id: u64) -> Result<(), ClientError> {
        let record = self.session.query(id).map_err(in_session)?;
        self.queries += 1;
        self.outgoing.extend(record);
        Ok(())
    }

    /// Queues a message and says its id. Nothing is written before [`Connection::event`] or another `async` method
    /// runs, so the caller can make the message durable first.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when the text is longer than `MAX_TEXT`, after a close, or without
    /// [`Connection::has_room`].
    pub fn send(&mut self, text: &str) -> Result<u64, ClientError> {
        let (id, record) = self.session.send(KIND_TEXT, text).map_err(in_session)?;
        self.outgoing.extend(record);
        Ok(id)
    }

    /// Tells the server that its messages up to `id` are shown or stored. After a close there is nobody to tell; the
    /// server then keeps what it could not hand over.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when no message with this id waits.
    pub fn acknowledge(&mut self, id: u64) -> Result<(), ClientError> {
        if !self.closing {
            let record = self.session.acknowledge(id).map_err(in_session)?;
            self.outgoing.extend(record);
        }
        Ok(())
    }

    /// Queues the end of our side. [`Connection::event`] goes on until [`Event::CloseAgreed`].
    ///
    /// # Errors
    /// [`ClientError::Misuse`] the second time.
    pub fn begin_close(&mut self) -> Result<(), ClientError> {
        let record = self.session.close(CloseCode::Done).map_err(in_session)?;
        self.outgoing.extend(record);
        self.closing = true;
        self.next_check = Instant::now() + CLOSE_DEADLINE;
        Ok(())
    }

    /// Writes what is queued, reads, keeps the connection alive, and returns when there is something to tell. Cancel
    /// safe: nothing is lost when another branch of a `select!` wins.
    ///
    /// # Errors
    /// Every error is the end: [`ClientError::Truncated`] when the stream ends without an agreed close,
    /// [`ClientError::Silent`] after 90 s without a word, [`ClientError::Protocol`] when a record is not right.
    pub async fn event(&mut self) -> Result<Event, ClientError> {
        loop {
            let waiting = self.outgoing.len();
            select! {
                // In order, not at random, so that the same session runs the same way twice.
                biased;
                wrote = self.writer.write_buf(&mut self.outgoing), if waiting > 0 => {
                    self.on_written(wrote)?;
                }
                record = self.records.read(&mut self.reader, self.session.lengths(), None), if waiting < MAX_OUTGOING => {
                    if let Some(event) = self.on_record(record).await? {
                        return Ok(event);
                    }
                }
                () = sleep_until(self.next_check) => self.on_silence()?,
            }
        }
    }

    /// Waits until every message that was sent is acknowledged, and acknowledges and drops what the server says.
    ///
    /// # Errors
    /// As [`Connection::event`]; also [`ClientError::Truncated`] when the server closes first.
    pub async fn wait_acknowledged(&mut self) -> Result<(), ClientError> {
        while self.session.unacknowledged().next().is_some() {
            match self.event().await? {
                Event::Message { id, .. } => self.acknowledge(id)?,
                Event::Acknowledged { .. } | Event::Held { .. } => {}
                Event::Closed { .. } | Event::CloseAgreed if self.any_end_will_do() => break,
                Event::Closed { .. } | Event::CloseAgreed => return Err(self.truncated()),
            }
        }
        Ok(())
    }

    /// Waits for the acknowledgements, then closes; success means that both ends hold the same account of the session.
    ///
    /// # Errors
    /// As [`Connection::event`].
    pub async fn close(mut self) -> Result<(), ClientError> {
        self.wait_acknowledged().await?;
        self.begin_close()?;
        loop {
            match self.event().await? {
                Event::Message { .. } | Event::Acknowledged { .. } | Event::Held { .. } => {}
                Event::Closed { .. } | Event::CloseAgreed => return Ok(()),
            }
        }
    }

    /// Whether the end of the stream passes for the end of the session.
    fn any_end_will_do(&self) -> bool {
        !self.session.keeps(Defence::AuthenticatedClose)
    }

    async fn on_record(
        &mut self,
        record: Result<Option<Vec<u8>>, WireError>,
    ) -> Result<Option<Event>, ClientError> {
        let record = match record {
            Ok(Some(record)) => record,
            Ok(None) if self.any_end_will_do() => return Ok(Some(Event::CloseAgreed)),
            Ok(None) | Err(WireError::Io(_) | WireError::Closed | WireError::Truncated { .. }) => {
                return Err(self.truncated());
            }
            Err(source) => {
                let stage = Stage::Session;
                return Err(ClientError::Wire { stage, source });
            }
        };
        if !self.closing {
            self.silent = 0;
            self.next_check = Instant::now() + self.ping_every;
        }
        Ok(match self.session.receive(&record).map_err(in_session)? {
            session::Event::Message { id, text, .. } => Some(Event::Message { id, text }),
            session::Event::Acknowledged { up_to } => Some(Event::Acknowledged { up_to }),
            session::Event::Reply(answer) => {
                self.outgoing.extend(answer);
                None
            }
            session::Event::Held { id, held } => {
                self.queries -= 1;
                Some(Event::Held { id, held })
            }
            session::Event::Pong | session::Event::TooLate | session::Event::Query { .. } => None,
            session::Event::Closed { code, answer } => Some(self.on_closed(code, answer).await?),
            session::Event::CloseAgreed => Some(Event::CloseAgreed),
        })
    }

    /// The answer is a courtesy: whether it arrives changes nothing for us.
    async fn on_closed(&mut self, code: CloseCode, answer: Vec<u8>) -> Result<Event, ClientError> {
        self.outgoing.extend(answer);
        let rest = self.outgoing.make_contiguous();
        let _ = write_all_within(&mut self.writer, rest, RECORD_DEADLINE).await;
        self.outgoing.clear();
        match self.unacknowledged() {
            none if none.is_empty() => Ok(Event::Closed { code }),
            unacknowledged => Err(ClientError::Closed {
                code,
                unacknowledged,
            }),
        }
    }

    /// A failed write is not the last word: what the server said before it went may still be there to be read, and the
    /// end of the stream comes after it.
    fn on_written(&mut self, wrote: io::Result<usize>) -> Result<(), ClientError> {
        match wrote {
            Ok(1..) => Ok(()),
            Ok(0) => Err(self.truncated()),
            Err(_) => {
                self.outgoing.clear();
                Ok(())
            }
        }
    }

    fn on_silence(&mut self) -> Result<(), ClientError> {
        if self.closing {
            return Err(self.truncated());
        }
        self.silent += 1;
        if self.silent == SILENT_INTERVALS {
            return Err(ClientError::Silent {
                seconds: (self.ping_every * SILENT_INTERVALS).as_secs(),
                unacknowledged: self.unacknowledged(),
            });
        }
        self.next_check += self.ping_every;
        if let Some(ping) = self.session.ping().map_err(in_session)? {
            self.outgoing.extend(ping);
        }
        Ok(())
    }

    fn truncated(&self) -> ClientError {
        ClientError::Truncated {
            unacknowledged: self.unacknowledged(),
        }
    }
}

fn in_session(source: latchstring_net::protocol::hardened::Error) -> ClientError {
    ClientError::protocol(Stage::Session, source)
}
