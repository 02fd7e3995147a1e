//! An open session over a stream.

use std::{sync::Arc, time::Duration};

pub use latchstring_net::protocol::hardened::driver::SILENT_INTERVALS;
use latchstring_net::{
    entropy::Entropy,
    link::{Link, LinkError},
    protocol::hardened::{
        Error as ProtocolError,
        defence::Defence,
        driver::{self, Settings},
        full::Full,
        message::Held,
        parts::Parts,
        session::{CloseCode, KIND_TEXT, KeyLife, Session},
    },
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{ClientError, Stage};

/// After this long without a word from the server it is asked whether it is there.
pub const PING_EVERY: Duration = Duration::from_secs(30);
/// The server must agree to a close within this time.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

const SETTINGS: Settings = Settings {
    ping_every: PING_EVERY,
    close_within: CLOSE_DEADLINE,
    // Twice what all messages that may wait for an acknowledgement take.
    max_outgoing: 32 << 20,
    key_life: KeyLife::USUAL,
};

/// An event on an open connection.
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
    /// The server's answer: the message under the id of our question; see [`Connection::query`].
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
    link: Link<S, D>,
    last_message: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin, D: Parts> Connection<S, D> {
    pub(crate) fn new(
        stream: S,
        session: Session<D>,
        last_message: u64,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            link: Link::new(stream, session, SETTINGS, entropy),
            last_message,
        }
    }

    /// Asks the server more or less often whether it is there than every [`PING_EVERY`].
    pub fn asking_every(mut self, interval: Duration) -> Self {
        let now = self.link.now();
        self.link.driver.ping_every(interval, now);
        self
    }

    /// Changes the keys before their time, and waits until that is done. Acknowledges and drops what the server says
    /// meanwhile.
    ///
    /// # Errors
    /// As [`Connection::event`].
    pub async fn change_keys(&mut self) -> Result<(), ClientError> {
        self.link.driver.ask_for_keys().map_err(in_session)?;
        while self.link.driver.wants_secret() || self.link.driver.session().is_changing_keys() {
            match self.turn().await? {
                Some(Event::Message { id, .. }) => self.acknowledge(id)?,
                Some(Event::Closed { .. } | Event::CloseAgreed) => return Err(self.truncated()),
                Some(Event::Acknowledged { .. } | Event::Held { .. }) | None => {}
            }
        }
        Ok(())
    }

    /// The epoch of the session's keys: 1 after the login, and 1 more for each change.
    pub fn epoch(&self) -> u32 {
        self.link.driver.session().epoch()
    }

    /// The id of the last message that the server held of this user and key at the login; the next one follows it.
    pub fn last_message(&self) -> u64 {
        self.last_message
    }

    /// A public name of this session, the same at both ends.
    pub fn session_id(&self) -> [u8; 16] {
        self.link.driver.session().id()
    }

    /// Whether [`Connection::send`] would take a message now.
    pub fn has_room(&self) -> bool {
        self.link.driver.has_room()
    }

    /// How many messages were sent and are not acknowledged.
    pub(crate) fn sent_and_open(&self) -> usize {
        self.link.driver.session().unacknowledged().count()
    }

    /// Ids that were sent and are not acknowledged.
    pub fn unacknowledged(&self) -> Vec<u64> {
        self.link.driver.session().unacknowledged().collect()
    }

    /// Whether [`Connection::query`] would take a question now.
    pub fn may_query(&self) -> bool {
        self.link.driver.may_query()
    }

    /// Asks what the server holds under an id. The answers are [`Event::Held`], in the order of the questions.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] without [`Connection::may_query`].
    pub fn query(&mut self, id: u64) -> Result<(), ClientError> {
        self.link.driver.query(id).map_err(in_session)
    }

    /// Queues a message and says its id. Nothing is written before [`Connection::event`] or another `async` method
    /// runs, so the caller can make the message durable first.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when the text is longer than `MAX_TEXT`, after a close, or without
    /// [`Connection::has_room`].
    pub fn send(&mut self, text: &str) -> Result<u64, ClientError> {
        self.link.driver.send(KIND_TEXT, text).map_err(in_session)
    }

    /// Tells the server that its messages up to `id` are shown or stored. After a close there is nobody to tell; the
    /// server then keeps what it could not hand over.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when no message with this id waits.
    pub fn acknowledge(&mut self, id: u64) -> Result<(), ClientError> {
        self.link.driver.acknowledge(id).map_err(in_session)
    }

    /// Queues the end of our side. [`Connection::event`] goes on until [`Event::CloseAgreed`].
    ///
    /// # Errors
    /// [`ClientError::Misuse`] the second time.
    pub fn begin_close(&mut self) -> Result<(), ClientError> {
        let now = self.link.now();
        let driver = &mut self.link.driver;
        driver.close(CloseCode::Done, now).map_err(in_session)
    }

    /// Writes what is queued, reads, keeps the connection alive, and returns when there is something to tell. Cancel
    /// safe: nothing is lost when another branch of a `select!` wins.
    ///
    /// # Errors
    /// Every error is the end. [`ClientError::Truncated`] when the stream ends without an agreed close;
    /// [`ClientError::Silent`] after 90 s of silence; [`ClientError::Protocol`] when a record is not right.
    pub async fn event(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.turn().await? {
                return Ok(event);
            }
        }
    }

    /// The event that is there, or one step towards the next.
    async fn turn(&mut self) -> Result<Option<Event>, ClientError> {
        match self.link.driver.poll() {
            // Nobody has to do anything about it.
            Some(driver::Event::NewKeys { .. }) => return Ok(None),
            Some(event) => return self.told(event).map(Some),
            None => {}
        }
        match self.link.step().await {
            // A failed write is not the last word: what the server said before it went may still be there to be
            // read, and the end of the stream comes after it.
            Err(LinkError::Write(_)) => self.link.driver.cannot_write(),
            Err(LinkError::WriteClosed) if self.link.driver.is_over() => {
                self.link.driver.cannot_write();
            }
            step => step.map_err(|why| self.broken(why))?,
        }
        Ok(None)
    }

    /// Waits until every message that was sent is acknowledged, and acknowledges and drops what the server says.
    ///
    /// # Errors
    /// As [`Connection::event`]; also [`ClientError::Truncated`] when the server closes first.
    pub async fn wait_acknowledged(&mut self) -> Result<(), ClientError> {
        while self.sent_and_open() > 0 {
            match self.event().await? {
                Event::Message { id, .. } => self.acknowledge(id)?,
                Event::Acknowledged { .. } | Event::Held { .. } => {}
                Event::Closed { .. } | Event::CloseAgreed => {
                    let session = self.link.driver.session();
                    if session.keeps(Defence::AuthenticatedClose) {
                        return Err(self.truncated());
                    }
                    break;
                }
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

    fn told(&self, event: driver::Event) -> Result<Event, ClientError> {
        Ok(match event {
            driver::Event::Message { id, text, .. } => Event::Message { id, text },
            driver::Event::Acknowledged { up_to } => Event::Acknowledged { up_to },
            driver::Event::Held { id, held } => Event::Held { id, held },
            // Taken out before.
            driver::Event::Query { .. } | driver::Event::NewKeys { .. } => {
                let why = ProtocolError::Violation("only a client asks what is held");
                return Err(in_session(why));
            }
            driver::Event::Closed { code } => match self.unacknowledged() {
                none if none.is_empty() => Event::Closed { code },
                unacknowledged => {
                    return Err(ClientError::Closed {
                        code,
                        unacknowledged,
                    });
                }
            },
            driver::Event::CloseAgreed | driver::Event::Ended => Event::CloseAgreed,
        })
    }

    fn broken(&self, why: LinkError) -> ClientError {
        match why {
            LinkError::Protocol(source) => in_session(source),
            LinkError::Wire(source) => {
                let stage = Stage::Session;
                ClientError::Wire { stage, source }
            }
            LinkError::Silent { seconds } => ClientError::Silent {
                seconds,
                unacknowledged: self.unacknowledged(),
            },
            LinkError::Read(_)
            | LinkError::Write(_)
            | LinkError::WriteClosed
            | LinkError::NoAgreement => self.truncated(),
        }
    }

    fn truncated(&self) -> ClientError {
        ClientError::Truncated {
            unacknowledged: self.unacknowledged(),
        }
    }
}

fn in_session(source: ProtocolError) -> ClientError {
    ClientError::protocol(Stage::Session, source)
}
