//! Brings messages to the server, each exactly once: first those that waited in the outbox, then new ones.
//!
//! A session begins with a question. A waiting message may have reached the server before, and its id alone does not
//! show this. Another client with the same key may have sent another message under that id. So the client asks which
//! message the server holds under each id in doubt. It drops exactly its own messages, and gives the others the next
//! ids.

use std::collections::VecDeque;

use latchstring_net::protocol::hardened::{
    Error as ProtocolError, full::Full, message::Held, parts::Parts, session::CloseCode,
};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Connection,
    connection::Event as Heard,
    error::ClientError,
    outbox::{Outbox, OutboxError, Settled},
};

/// An event while messages are brought to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The state of the waiting messages is known, and new ones may be sent. Comes once, first or nearly so.
    Settled(Settled),
    /// The server says something. Call [`Delivery::acknowledge`] once it is shown or stored.
    Message {
        /// Its number.
        id: u64,
        /// The text, as the server sent it: take control characters out before a terminal sees it.
        text: String,
    },
    /// The server holds all our messages up to this id for good.
    Stored {
        /// The highest id.
        up_to: u64,
    },
    /// The server has ended the session, and nothing that was sent is in doubt.
    Closed {
        /// Why.
        code: CloseCode,
    },
    /// The server agrees with our close.
    CloseAgreed,
}

/// Why messages cannot be brought.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// The connection or the peer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl DeliveryError {
    /// Whether another session may go better; see [`ClientError::is_worth_another_session`].
    pub fn is_worth_another_session(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_worth_another_session())
    }
}

/// A connection and the outbox behind it.
pub struct Delivery<S, D = Full> {
    connection: Connection<S, D>,
    outbox: Outbox,
    /// Ids in doubt that the server has not been asked about yet.
    questions: VecDeque<u64>,
    /// The server's answers, and the number of answers to come.
    answers: Vec<Option<Held>>,
    expected: usize,
    settled: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin, D: Parts> Delivery<S, D> {
    /// Begins a session. The outbox must be that of the connection's host, user and key.
    ///
    /// # Errors
    /// [`OutboxError::ServerForgot`].
    pub fn begin(connection: Connection<S, D>, outbox: Outbox) -> Result<Self, OutboxError> {
        let questions: VecDeque<u64> = outbox.in_doubt(connection.last_message())?.into();
        Ok(Self {
            connection,
            outbox,
            expected: questions.len(),
            questions,
            answers: Vec::new(),
            settled: false,
        })
    }

    /// The outbox.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The outbox alone, for the next session: the connection is over.
    pub fn into_outbox(self) -> Outbox {
        self.outbox
    }

    /// Goes on over another connection after this one has broken off, with the same outbox: as [`Delivery::begin`].
    ///
    /// # Errors
    /// [`OutboxError::ServerForgot`].
    pub fn go_on(&mut self, connection: Connection<S, D>) -> Result<(), OutboxError> {
        let questions = self.outbox.in_doubt(connection.last_message())?;
        self.expected = questions.len();
        self.questions = questions.into();
        self.answers.clear();
        self.connection = connection;
        self.settled = false;
        Ok(())
    }

    /// Ids that were sent in this session and are not acknowledged.
    pub fn unacknowledged(&self) -> Vec<u64> {
        self.connection.unacknowledged()
    }

    /// Whether [`Delivery::send`] would take a message now.
    pub fn has_room(&self) -> bool {
        self.settled && self.unsent() == 0 && self.connection.has_room()
    }

    /// Whether nothing waits any more, so that the session may be closed.
    pub fn is_done(&self) -> bool {
        self.settled && self.outbox.waiting().len() == 0
    }

    /// Keeps a message in the outbox, queues it, and says its id. Nothing is written to the server before
    /// [`Delivery::event`] runs, which flushes the outbox to the disk first; see [`Outbox::keep`].
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when the text is too long or without [`Delivery::has_room`]; [`OutboxError::Io`] when it
    /// cannot be kept, and then `event` must not be called again.
    pub fn send(&mut self, text: &str) -> Result<u64, DeliveryError> {
        if !self.has_room() {
            let why = ProtocolError::Misuse("messages that waited come first");
            return Err(ClientError::Misuse(why).into());
        }
        let id = self.connection.send(text)?;
        self.outbox.keep(id, text)?;
        Ok(id)
    }

    /// Makes sure that every message is on the disk.
    ///
    /// # Errors
    /// [`OutboxError::Io`], and then `event` must not be called again.
    pub fn flush(&mut self) -> Result<(), OutboxError> {
        self.outbox.flush()
    }

    /// Tells the server that its messages up to `id` are shown or stored.
    ///
    /// # Errors
    /// [`ClientError::Misuse`] when no message with this id waits.
    pub fn acknowledge(&mut self, id: u64) -> Result<(), ClientError> {
        self.connection.acknowledge(id)
    }

    /// Queues the end of our side. [`Delivery::event`] goes on until [`Event::CloseAgreed`].
    ///
    /// # Errors
    /// [`ClientError::Misuse`] the second time.
    pub fn begin_close(&mut self) -> Result<(), ClientError> {
        self.connection.begin_close()
    }

    /// Goes on until there is something to tell. Cancel safe.
    ///
    /// # Errors
    /// Every error is the end of the session; waiting messages stay in the outbox.
    pub async fn event(&mut self) -> Result<Event, DeliveryError> {
        loop {
            if !self.settled && self.answers.len() == self.expected {
                return Ok(Event::Settled(self.settle()?));
            }
            self.outbox.flush()?;
            self.fill()?;
            // The only await, and nothing is done before it that would have to be done again.
            match self.connection.event().await? {
                Heard::Held { held, .. } => self.answers.push(held),
                Heard::Acknowledged { up_to } => {
                    self.outbox.acknowledged(up_to)?;
                    return Ok(Event::Stored { up_to });
                }
                Heard::Message { id, text } => return Ok(Event::Message { id, text }),
                Heard::Closed { code } => return Ok(Event::Closed { code }),
                Heard::CloseAgreed => return Ok(Event::CloseAgreed),
            }
        }
    }

    fn settle(&mut self) -> Result<Settled, OutboxError> {
        let (session, last) = (self.connection.session_id(), self.connection.last_message());
        let settled = self.outbox.settle(session, last, &self.answers)?;
        self.settled = true;
        Ok(settled)
    }

    /// Asks and sends what waits, as far as there is room.
    fn fill(&mut self) -> Result<(), ClientError> {
        while self.connection.may_query()
            && let Some(id) = self.questions.pop_front()
        {
            self.connection.query(id)?;
        }
        while self.unsent() > 0 && self.connection.has_room() {
            let next = self.outbox.waiting().len() - self.unsent();
            let Some((id, text)) = self.outbox.waiting().nth(next) else {
                break;
            };
            let sent = self.connection.send(text)?;
            debug_assert_eq!(sent, id, "the outbox follows the server's last id");
        }
        Ok(())
    }

    /// How many waiting messages have not been sent in this session. Those that have are the first ones.
    fn unsent(&self) -> usize {
        match self.settled {
            true => self.outbox.waiting().len() - self.connection.sent_and_open(),
            false => 0,
        }
    }
}
