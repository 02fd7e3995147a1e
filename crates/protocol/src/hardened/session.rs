//! An open session: numbered and acknowledged messages, liveness, and an end that both sides have agreed on.
//!
//! Both ends run this same code. Messages of each direction are chained: `chain_n = H(chain_{n-1} ‖ id ‖ H(kind ‖
//! text))`. An `ACK` and a `CLOSE` carry the chain. So the two ends do not merely have the same count, they have the
//! same texts.

mod rekey;

use std::collections::VecDeque;

use super::{
    Error,
    defence::Defence,
    full::Full,
    message::{Close, Held, MAX_TEXT, Message},
    parts::Parts,
    primitives::hash,
    record::{BUCKETS, Opener, Sealer},
    role::Role,
};

pub(super) use rekey::Epoch;
pub use rekey::KeyLife;

/// The only kind of message: text.
pub const KIND_TEXT: u8 = 0;
/// A sender holds at most this many messages that are not acknowledged.
pub const MAX_UNACKNOWLEDGED: usize = 1024;
/// A client has at most this many unanswered questions about what the server holds.
pub const MAX_QUERIES: usize = 1024;
/// The highest id of a message. A database keeps it as a signed number of 64 bits.
pub const MAX_ID: u64 = i64::MAX as u64;

/// The error for an id that is not the next one.
const BY_ONE: &str = "message ids go up by one";

/// The content of a message, as one value: `H(kind ‖ text)`.
pub fn content(kind: u8, text: &str) -> [u8; 32] {
    hash(&[&[kind], text.as_bytes()])
}

/// Why a session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseCode {
    /// The sender has nothing more to say.
    Done = 0,
    /// The server is being stopped.
    Stopping = 1,
    /// The same user and key logged in again elsewhere; the newer session goes on.
    Superseded = 2,
    /// The server holds another message under the id of one that this client has sent.
    Conflict = 3,
}

impl CloseCode {
    const ALL: [Self; 4] = [Self::Done, Self::Stopping, Self::Superseded, Self::Conflict];

    /// The code that this byte names, if any.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|code| *code as u8 == byte)
    }
}

/// The message log of one direction: the messages sent, and the last acknowledged one.
struct MessageLog {
    last: u64,
    acked: u64,
    chain: [u8; 32],
    /// Ids that are not acknowledged, with the chain at each.
    open: VecDeque<(u64, [u8; 32])>,
    closed: bool,
}

impl MessageLog {
    fn new(last: u64, chain: [u8; 32]) -> Self {
        Self {
            last,
            acked: last,
            chain,
            open: VecDeque::new(),
            closed: false,
        }
    }

    fn append(&mut self, id: u64, kind: u8, text: &str) {
        self.chain = hash(&[&self.chain, &id.to_be_bytes(), &content(kind, text)]);
        self.last = id;
        self.open.push_back((id, self.chain));
    }

    /// Marks all up to `up_to` as acknowledged; the chain there, or `None` if no such id is open.
    fn acknowledge(&mut self, up_to: u64) -> Option<[u8; 32]> {
        let place = self.open.iter().position(|(id, _)| *id == up_to)?;
        let chain = self.open[place].1;
        self.open.drain(..=place);
        self.acked = up_to;
        Some(chain)
    }
}

/// The meaning of a received record for the program.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A message. Make it durable, then call [`Session::acknowledge`].
    Message {
        /// Its number.
        id: u64,
        /// [`KIND_TEXT`].
        kind: u8,
        /// The text.
        text: String,
    },
    /// All our messages up to this id are durable at the peer: drop them from the outbox.
    Acknowledged {
        /// The highest id.
        up_to: u64,
    },
    /// Send this record back (the answer to a ping).
    Reply(Vec<u8>),
    /// The answer to our ping.
    Pong,
    /// The client asks what we hold under this id. Look it up, then call [`Session::held`].
    Query {
        /// The id.
        id: u64,
    },
    /// The server's answer: the message under the id of our question.
    Held {
        /// The id.
        id: u64,
        /// `None` if it holds no such message.
        held: Option<Held>,
    },
    /// A question that crossed our `CLOSE`, or crossed what it asks for. Nothing may follow a `CLOSE`, so it stays without
    /// an answer.
    TooLate,
    /// The client wants new keys. Draw a secret, then call [`Session::answer_rekey`].
    NewKeysWanted,
    /// The server asks for new keys. Draw a secret, then call [`Session::begin_rekey`].
    NewKeysAsked,
    /// What is received from now on is under new keys. At the client, so is what is sent after this record.
    NewKeys {
        /// The client's `REKEY3`, to be sent back. A client that has closed sends none.
        answer: Option<Vec<u8>>,
    },
    /// The peer closes, and its account of the session equals ours. Send `answer` and hang up.
    Closed {
        /// Why, as the peer says.
        code: CloseCode,
        /// The `CLOSE_ACK` to send.
        answer: Vec<u8>,
    },
    /// The peer agrees with our account: hang up.
    CloseAgreed,
}

/// One end of an open session.
pub struct Session<D = Full> {
    role: Role,
    id: [u8; 16],
    sealer: Sealer,
    opener: Opener,
    sent: MessageLog,
    received: MessageLog,
    ping: Option<u64>,
    next_ping: u64,
    /// Ids that the client has asked about and the server has not answered, oldest first.
    queries: VecDeque<u64>,
    /// On the heap: a session is moved often, and this is needed seldom.
    epoch: Box<Epoch>,
    defences: D,
}

impl<D: Parts> Session<D> {
    pub(super) fn new(
        role: Role,
        id: [u8; 16],
        (sealer, opener): (Sealer, Opener),
        epoch: Epoch,
        defences: D,
    ) -> Self {
        Self {
            role,
            id,
            sealer,
            opener,
            sent: MessageLog::new(0, [0; 32]),
            received: MessageLog::new(0, [0; 32]),
            ping: None,
            next_ping: 1,
            queries: VecDeque::new(),
            epoch: Box::new(epoch),
            defences,
        }
    }

    pub(super) fn sending(mut self, last: u64, chain0: [u8; 32]) -> Self {
        self.sent = MessageLog::new(last, chain0);
        self
    }

    pub(super) fn receiving(mut self, last: u64, chain0: [u8; 32]) -> Self {
        self.received = MessageLog::new(last, chain0);
        self
    }

    /// The ciphertext lengths that a record may have.
    pub fn lengths(&self) -> &'static [usize] {
        self.defences.lengths(&BUCKETS)
    }

    /// Which end of the session this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// A public name of this session, the same at both ends: fit for logs.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Whether this end keeps a defence.
    pub fn keeps(&self, defence: Defence) -> bool {
        self.defences.keeps(defence)
    }

    /// Makes the record of the next message and says its id. Keep the text until it is acknowledged.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the text has more than [`MAX_TEXT`] bytes, after [`Session::close`], while
    /// [`MAX_UNACKNOWLEDGED`] messages wait for their acknowledgement, or after the message number [`MAX_ID`].
    pub fn send(&mut self, kind: u8, text: &str) -> Result<(u64, Vec<u8>), Error> {
        self.must_be_open()?;
        if text.len() > MAX_TEXT {
            return Err(Error::Misuse("a message has at most 16,372 bytes"));
        }
        if self.sent.open.len() >= MAX_UNACKNOWLEDGED {
            return Err(Error::Misuse(
                "too many messages wait for their acknowledgement",
            ));
        }
        let id = id_after(self.sent.last).ok_or(Error::Misuse(
            "this key has used up its message numbers; enrol another key",
        ))?;
        let record = self.seal(&Message::Msg {
            id,
            kind,
            text: text.to_owned(),
        })?;
        self.sent.append(id, kind, text);
        Ok((id, record))
    }

    /// The record that says: all received messages up to `id` are durable.
    ///
    /// # Errors
    /// [`Error::Misuse`] when no message with this id waits.
    pub fn acknowledge(&mut self, id: u64) -> Result<Vec<u8>, Error> {
        let chain = (self.received.acknowledge(id)).ok_or(Error::Misuse(
            "no such message waits for an acknowledgement",
        ))?;
        self.seal(&Message::Ack { up_to: id, chain })
    }

    /// Asks whether the peer is there; `None` while an earlier question is unanswered.
    ///
    /// # Errors
    /// When the key is used up.
    pub fn ping(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.ping.is_some() {
            return Ok(None);
        }
        let n = self.next_ping;
        self.next_ping += 1;
        self.ping = Some(n);
        self.seal(&Message::Ping(n)).map(Some)
    }

    /// The record that asks the server what it holds under `id`. Answers come in the order of the questions.
    ///
    /// # Errors
    /// [`Error::Misuse`] at a server, after [`Session::close`], and while [`MAX_QUERIES`] questions are open.
    pub fn query(&mut self, id: u64) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        if self.role == Role::Server {
            return Err(Error::Misuse("only a client asks what is held"));
        }
        if self.queries.len() >= MAX_QUERIES {
            return Err(Error::Misuse("too many questions wait for their answer"));
        }
        self.queries.push_back(id);
        self.seal(&Message::Query(id))
    }

    /// The answer to the oldest open question, which must be about `id`.
    ///
    /// # Errors
    /// [`Error::Misuse`] when that is not the oldest open question, at a client, and after [`Session::close`].
    pub fn held(&mut self, id: u64, held: Option<Held>) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        if self.role == Role::Client || self.queries.front() != Some(&id) {
            return Err(Error::Misuse("no such question waits for an answer"));
        }
        self.queries.pop_front();
        self.seal(&Message::Held { id, held })
    }

    /// The record that ends our direction, with our account of the session.
    ///
    /// # Errors
    /// [`Error::Misuse`] the second time.
    pub fn close(&mut self, code: CloseCode) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        let record = self.seal(&Message::Close(Close {
            code: code as u8,
            last_sent: self.sent.last,
            last_acked: self.received.acked,
            chain: self.sent.chain,
        }))?;
        self.sent.closed = true;
        Ok(record)
    }

    /// Whether [`Session::send`] would take a message now.
    pub fn has_room(&self) -> bool {
        !self.sent.closed && self.sent.open.len() < MAX_UNACKNOWLEDGED
    }

    /// Whether [`Session::query`] would take a question now, at a client.
    pub fn may_query(&self) -> bool {
        !self.sent.closed && self.queries.len() < MAX_QUERIES
    }

    /// Ids that were sent and not acknowledged. After an early end they are in doubt.
    pub fn unacknowledged(&self) -> impl Iterator<Item = u64> {
        self.sent.open.iter().map(|(id, _)| *id)
    }

    /// Takes one record from the wire.
    ///
    /// # Errors
    /// Any error is the end of the session: drop it and close the socket.
    pub fn receive(&mut self, record: &[u8]) -> Result<Event, Error> {
        let plaintext = self.opener.open(record)?;
        let message = Message::decode(plaintext.typ, &plaintext.body)?;
        let message = message.ok_or(Error::ANOTHER_STATE)?;
        match message {
            Message::CloseAck if self.sent.closed => self.on_close_ack(),
            Message::CloseAck => Err(Error::Violation("CLOSE_ACK without a CLOSE")),
            _ if self.received.closed => Err(Error::Violation("a message after CLOSE")),
            Message::Msg { id, kind, text } => self.on_message(id, kind, text),
            Message::Ack { up_to, chain } => self.on_ack(up_to, chain),
            Message::Ping(_) | Message::Query(_) if self.sent.closed => Ok(Event::TooLate),
            Message::Ping(n) => self.seal(&Message::Pong(n)).map(Event::Reply),
            Message::Pong(n) if self.ping == Some(n) => {
                self.ping = None;
                Ok(Event::Pong)
            }
            Message::Pong(_) => Err(Error::Violation("PONG without its PING")),
            Message::Query(id) => self.on_query(id),
            Message::Held { id, held } => self.on_held(id, held),
            Message::Rekey1(share) => self.on_rekey1(share),
            Message::Rekey2(share) => self.on_rekey2(share),
            Message::Rekey3 => self.on_rekey3(),
            Message::RekeyAsk => self.on_rekey_ask(),
            Message::Close(close) => self.on_close(&close),
        }
    }

    fn must_be_open(&self) -> Result<(), Error> {
        match self.sent.closed {
            true => Err(Error::Misuse("this end has closed the session")),
            false => Ok(()),
        }
    }

    fn on_message(&mut self, id: u64, kind: u8, text: String) -> Result<Event, Error> {
        if kind != KIND_TEXT {
            return Err(Error::Violation("an unknown kind of message"));
        }
        let next = id_after(self.received.last);
        let next = next.ok_or(Error::Violation(BY_ONE))?;
        if self.keeps(Defence::SequenceNumbers) && next != id {
            return Err(Error::Violation(BY_ONE));
        }
        let id = next;
        if self.received.open.len() >= MAX_UNACKNOWLEDGED {
            return Err(Error::Violation(
                "too many messages wait for their acknowledgement",
            ));
        }
        self.received.append(id, kind, &text);
        Ok(Event::Message { id, kind, text })
    }

    fn on_ack(&mut self, up_to: u64, chain: [u8; 32]) -> Result<Event, Error> {
        let ours = self.sent.acknowledge(up_to);
        if self.keeps(Defence::SequenceNumbers) {
            let ours = ours.ok_or(Error::Violation(
                "ACK of a message that does not wait for one",
            ))?;
            if ours != chain {
                return Err(Error::Disagreement(
                    "the peer acknowledged other texts than were sent",
                ));
            }
        }
        Ok(Event::Acknowledged { up_to })
    }

    fn on_query(&mut self, id: u64) -> Result<Event, Error> {
        if self.role == Role::Client {
            return Err(Error::Violation("only a client asks what is held"));
        }
        if self.queries.len() >= MAX_QUERIES {
            return Err(Error::Violation("too many questions wait for their answer"));
        }
        self.queries.push_back(id);
        Ok(Event::Query { id })
    }

    fn on_held(&mut self, id: u64, held: Option<Held>) -> Result<Event, Error> {
        if self.role == Role::Server || self.queries.front() != Some(&id) {
            return Err(Error::Violation("an answer to no question"));
        }
        self.queries.pop_front();
        Ok(Event::Held { id, held })
    }

    fn on_close(&mut self, close: &Close) -> Result<Event, Error> {
        let code = self.close_code(close.code)?;
        if self.keeps(Defence::SequenceNumbers) {
            self.compare_accounts(close)?;
        }
        self.received.closed = true;
        let answer = self.seal(&Message::CloseAck)?;
        Ok(Event::Closed { code, answer })
    }

    /// The peer's reason, if it is one that the peer may have: only a server stops, supersedes and compares.
    fn close_code(&self, byte: u8) -> Result<CloseCode, Error> {
        match (CloseCode::from_byte(byte), self.role) {
            (Some(code), Role::Client) => Ok(code),
            (Some(CloseCode::Done), Role::Server) => Ok(CloseCode::Done),
            (Some(_), Role::Server) => Err(Error::Violation("a CLOSE code that only a server has")),
            (None, _) => Err(Error::Violation("a CLOSE code that does not exist")),
        }
    }

    fn compare_accounts(&self, close: &Close) -> Result<(), Error> {
        if close.last_sent != self.received.last || close.chain != self.received.chain {
            return Err(Error::Disagreement("messages of the peer did not arrive"));
        }
        if close.last_acked != self.sent.acked {
            return Err(Error::Disagreement(
                "acknowledgements of the peer did not arrive",
            ));
        }
        Ok(())
    }

    fn on_close_ack(&self) -> Result<Event, Error> {
        if self.keeps(Defence::SequenceNumbers) && !self.sent.open.is_empty() {
            return Err(Error::Disagreement(
                "the peer closed without acknowledging all messages",
            ));
        }
        Ok(Event::CloseAgreed)
    }

    fn seal(&mut self, message: &Message) -> Result<Vec<u8>, Error> {
        let (typ, body) = message.encode();
        self.sealer.seal(typ, &body)
    }
}

/// The id that follows; `None` after the last one.
fn id_after(last: u64) -> Option<u64> {
    last.checked_add(1).filter(|id| *id <= MAX_ID)
}
