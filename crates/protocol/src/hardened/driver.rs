//! Drives an open session: keeps it alive, queues what is to be written, bounds what waits, and ends it in time.
//!
//! The driver has no stream and no clock. Its owner moves bytes and sleeps, in any kind of loop:
//!
//! 1. take every event that [`Driver::poll`] has;
//! 2. write [`Driver::outgoing`] and report how much of it was taken with [`Driver::written`];
//! 3. read at most [`Driver::room`] bytes and hand them in with [`Driver::received`], or report the end of the stream with
//!    [`Driver::ended`];
//! 4. sleep until [`Driver::deadline`] at the latest, then call [`Driver::timed_out`];
//! 5. before each of these, if [`Driver::wants_secret`], draw one and hand it in with [`Driver::new_keys`].
//!
//! A moment is the time since any fixed moment that the owner chooses, as a [`Duration`]. So a test makes its own clock
//! out of numbers. Only the operating system gives an `Instant` of the standard library.
//!
//! The memory is bounded: there is one event, one unfinished record, and about [`Settings::max_outgoing`] bytes to be
//! written. While more bytes wait, nothing is read.

use std::{collections::VecDeque, time::Duration};

use thiserror::Error;

use super::{
    Error as ProtocolError,
    defence::Defence,
    framing::{BadLength, Incoming, RECORD_DEADLINE},
    full::Full,
    message::Held,
    parts::Parts,
    primitives::Secret,
    role::Role,
    session::{self, CloseCode, KeyLife, Session},
};

/// After this many intervals in a row without a word the session is given up.
pub const SILENT_INTERVALS: u32 = 3;

/// How patient one end is, and how much it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After this long without a record the peer is asked whether it is there.
    pub ping_every: Duration,
    /// The peer must agree to a close of ours within this time.
    pub close_within: Duration,
    /// While this many bytes or more wait to be written, nothing is read. A peer that sends requests and never reads
    /// must not fill our memory with answers.
    pub max_outgoing: usize,
    /// How long keys serve until this end asks for new ones.
    pub key_life: KeyLife,
}

/// An event for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message. Make it durable, then call [`Driver::acknowledge`].
    Message {
        /// Its number.
        id: u64,
        /// [`session::KIND_TEXT`].
        kind: u8,
        /// The text, as the peer sent it.
        text: String,
    },
    /// All our messages up to this id are durable at the peer.
    Acknowledged {
        /// The highest id.
        up_to: u64,
    },
    /// The client asks what we hold under this id. Look it up, then call [`Driver::held`].
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
    /// The peer has closed the session, and both accounts agree. The session is over.
    Closed {
        /// Why, as the peer says.
        code: CloseCode,
    },
    /// Both directions have new keys, as far as this end is concerned.
    NewKeys {
        /// The epoch of these keys: 2 after the first change.
        epoch: u32,
    },
    /// The peer agrees with our close. The session is over.
    CloseAgreed,
    /// The stream ended, and this end lets that pass for a close: it does not authenticate the end.
    Ended,
}

/// Why a session is over without an agreed close. Hang up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// The stream ended between two records.
    #[error("the peer closed the connection")]
    Closed,
    /// The stream ended within a record.
    #[error("the peer closed the connection after {have} of {need} bytes")]
    Truncated {
        /// Bytes of the record that arrived.
        have: usize,
        /// Bytes that it has.
        need: usize,
    },
    /// A length field that the protocol does not allow.
    #[error("the peer announced a record of {0} bytes, which is not allowed here")]
    BadLength(u32),
    /// A record took longer than [`RECORD_DEADLINE`].
    #[error("the peer took longer than allowed ({have} of {need} bytes)")]
    Slow {
        /// Bytes of the record that arrived in time.
        have: usize,
        /// Bytes that it has.
        need: usize,
    },
    /// The peer said nothing for [`SILENT_INTERVALS`] intervals.
    #[error("the peer has been silent for {} s", after.as_secs())]
    Silent {
        /// How long that is.
        after: Duration,
    },
    /// The peer did not agree to our close within [`Settings::close_within`].
    #[error("the peer did not agree to our close in time")]
    NoAgreement,
    /// A record is not right, or this end cannot go on.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}

/// How far the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Both ends speak.
    Open,
    /// This end has closed, and waits until the peer agrees.
    Closing,
    /// Both ends agree, and the last bytes are being written.
    Over,
}

/// An open session between its owner's bytes and its owner's clock.
pub struct Driver<D = Full> {
    session: Session<D>,
    settings: Settings,
    stage: Stage,
    incoming: Incoming,
    /// When the first byte of an unfinished record arrived.
    began: Option<Duration>,
    /// Records that are sealed and not written yet.
    outgoing: VecDeque<u8>,
    /// The event that the owner has not taken yet. While there is one, nothing is read.
    event: Option<Event>,
    /// When something must have happened: a record, an agreement, or the last byte taken.
    next_check: Duration,
    silent: u32,
    /// When the keys have served long enough.
    keys_until: Duration,
    /// The server, the owner or the clock of this end asks for new keys. At a server: the client was asked.
    keys_asked: bool,
}

impl<D: Parts> Driver<D> {
    /// Takes an open session over.
    pub fn new(session: Session<D>, settings: Settings, now: Duration) -> Self {
        Self {
            session,
            settings,
            stage: Stage::Open,
            incoming: Incoming::default(),
            began: None,
            outgoing: VecDeque::new(),
            event: None,
            next_check: now + settings.ping_every,
            silent: 0,
            keys_until: now + settings.key_life.time,
            keys_asked: false,
        }
    }

    /// The session, to ask it things.
    pub fn session(&self) -> &Session<D> {
        &self.session
    }

    /// Whether [`Driver::send`] would take a message now.
    pub fn has_room(&self) -> bool {
        self.stage == Stage::Open && self.session.has_room()
    }

    /// Whether [`Driver::query`] would take a question now, at a client.
    pub fn may_query(&self) -> bool {
        self.stage == Stage::Open && self.session.may_query()
    }

    /// Asks the peer more or less often whether it is there.
    pub fn ping_every(&mut self, interval: Duration, now: Duration) {
        self.settings.ping_every = interval;
        self.next_check = now + interval;
    }

    /// Queues a message and says its id.
    ///
    /// # Errors
    /// As [`Session::send`]; [`ProtocolError::Misuse`] once the session is over.
    pub fn send(&mut self, kind: u8, text: &str) -> Result<u64, ProtocolError> {
        self.must_not_be_over()?;
        let (id, record) = self.session.send(kind, text)?;
        self.outgoing.extend(record);
        Ok(id)
    }

    /// Queues the word that all messages up to `id` are durable. After a close there is nobody to tell.
    ///
    /// # Errors
    /// As [`Session::acknowledge`].
    pub fn acknowledge(&mut self, id: u64) -> Result<(), ProtocolError> {
        if self.stage == Stage::Open {
            let record = self.session.acknowledge(id)?;
            self.outgoing.extend(record);
        }
        Ok(())
    }

    /// Queues the question what the server holds under `id`.
    ///
    /// # Errors
    /// As [`Session::query`]; [`ProtocolError::Misuse`] once the session is over.
    pub fn query(&mut self, id: u64) -> Result<(), ProtocolError> {
        self.must_not_be_over()?;
        let record = self.session.query(id)?;
        self.outgoing.extend(record);
        Ok(())
    }

    /// Queues the answer to the oldest open question.
    ///
    /// # Errors
    /// As [`Session::held`]; [`ProtocolError::Misuse`] once the session is over.
    pub fn held(&mut self, id: u64, held: Option<Held>) -> Result<(), ProtocolError> {
        self.must_not_be_over()?;
        let record = self.session.held(id, held)?;
        self.outgoing.extend(record);
        Ok(())
    }

    /// Queues the end of our side. Go on until [`Event::CloseAgreed`] or [`Event::Closed`].
    ///
    /// # Errors
    /// As [`Session::close`]; [`ProtocolError::Misuse`] once the session is over.
    pub fn close(&mut self, code: CloseCode, now: Duration) -> Result<(), ProtocolError> {
        self.must_not_be_over()?;
        let record = self.session.close(code)?;
        self.outgoing.extend(record);
        self.stage = Stage::Closing;
        self.next_check = now + self.settings.close_within;
        Ok(())
    }

    /// Asks for new keys now. Does nothing while a change is under way, after a close, or where keys are never changed.
    ///
    /// # Errors
    /// When the old keys are used up.
    pub fn ask_for_keys(&mut self) -> Result<(), ProtocolError> {
        if self.may_change_keys() && !self.keys_asked {
            self.keys_asked = true;
            if self.session.role() == Role::Server {
                self.outgoing.extend(self.session.ask_rekey()?);
            }
        }
        Ok(())
    }

    /// Whether this end needs 32 bytes of fresh randomness for new keys.
    pub fn wants_secret(&self) -> bool {
        match self.session.role() {
            Role::Client => self.keys_asked && self.may_change_keys(),
            Role::Server => self.stage == Stage::Open && self.session.owes_answer(),
        }
    }

    /// Goes on with the change of keys. Does nothing without [`Driver::wants_secret`].
    ///
    /// # Errors
    /// [`ProtocolError::Forged`] when the peer's value forces a zero secret.
    pub fn new_keys(&mut self, secret: &Secret) -> Result<(), ProtocolError> {
        if self.wants_secret() {
            let record = match self.session.role() {
                Role::Client => self.session.begin_rekey(secret)?,
                Role::Server => self.session.answer_rekey(secret)?,
            };
            self.outgoing.extend(record);
        }
        Ok(())
    }

    fn may_change_keys(&self) -> bool {
        if self.session.keeps(Defence::Rekeying) {
            return self.stage == Stage::Open && !self.session.is_changing_keys();
        }
        false
    }

    /// The next event. One that ends the session comes once all is written, or once the time for that is up.
    pub fn poll(&mut self) -> Option<Event> {
        match self.stage {
            Stage::Over if !self.outgoing.is_empty() => None,
            _ => self.event.take(),
        }
    }

    /// Whether the session is over and the owner has taken its last event: there is nothing left to do.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Over && self.outgoing.is_empty() && self.event.is_none()
    }

    /// Whether both ends agree that the session is over. Whether the last bytes arrive changes nothing.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Bytes to be written next; maybe not all that wait.
    pub fn outgoing(&self) -> &[u8] {
        self.outgoing.as_slices().0
    }

    /// How many bytes to read at most; 0 if nothing is to be read now.
    pub fn room(&self) -> usize {
        let full = self.outgoing.len() >= self.settings.max_outgoing;
        match self.stage {
            _ if self.event.is_some() => 0,
            Stage::Open if full => 0,
            // Once this end has closed it queues nothing more, so nothing has to be bounded.
            Stage::Open | Stage::Closing => self.incoming.missing(),
            Stage::Over => 0,
        }
    }

    /// When to call [`Driver::timed_out`], if nothing else happens before; `None` if nothing is waited for.
    pub fn deadline(&self) -> Option<Duration> {
        if self.is_done() {
            return None;
        }
        let record = self.record_deadline().unwrap_or(Duration::MAX);
        let keys = match self.may_change_keys() && !self.keys_asked {
            true => self.keys_until,
            false => Duration::MAX,
        };
        Some(record.min(keys).min(self.next_check))
    }

    /// Only while we read: it is not the peer's fault if we do not.
    fn record_deadline(&self) -> Option<Duration> {
        let began = self.began.filter(|_| self.room() > 0)?;
        Some(began + RECORD_DEADLINE)
    }

    /// The first `n` bytes of [`Driver::outgoing`] were written.
    pub fn written(&mut self, n: usize) {
        self.outgoing.drain(..n);
    }

    /// Nothing can be written any more. The peer's earlier bytes may still be there to be read.
    pub fn cannot_write(&mut self) {
        self.outgoing.clear();
    }

    /// Takes bytes that arrived. Takes at most [`Driver::room`] of them and says how many it took.
    ///
    /// # Errors
    /// [`Broken::BadLength`] or [`Broken::Protocol`].
    pub fn received(&mut self, bytes: &[u8], now: Duration) -> Result<usize, Broken> {
        let taken = bytes.len().min(self.room());
        if taken == 0 {
            return Ok(0);
        }
        self.began.get_or_insert(now);
        let whole = self.incoming.take(&bytes[..taken], self.session.lengths());
        if let Some(record) = whole.map_err(|BadLength(len)| Broken::BadLength(len))? {
            self.began = None;
            self.heard(now);
            self.event = self.on_record(&record, now)?;
            if self.session.is_spent(&self.settings.key_life) {
                self.ask_for_keys()?;
            }
        }
        Ok(taken)
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// [`Broken::Closed`] or [`Broken::Truncated`], where an end must be agreed on.
    pub fn ended(&mut self) -> Result<(), Broken> {
        let (have, need) = (self.incoming.have(), self.incoming.need());
        if have > 0 {
            return Err(Broken::Truncated { have, need });
        }
        if self.session.keeps(Defence::AuthenticatedClose) {
            return Err(Broken::Closed);
        }
        self.event = Some(Event::Ended);
        Ok(())
    }

    /// Takes the time, at a deadline. Does nothing before [`Driver::deadline`].
    ///
    /// # Errors
    /// [`Broken::Slow`], [`Broken::Silent`], [`Broken::NoAgreement`]; [`Broken::Protocol`] when the key is used up.
    pub fn timed_out(&mut self, now: Duration) -> Result<(), Broken> {
        if self.record_deadline().is_some_and(|at| at <= now) {
            let (have, need) = (self.incoming.have(), self.incoming.need());
            return Err(Broken::Slow { have, need });
        }
        if now >= self.keys_until {
            self.ask_for_keys()?;
        }
        if now < self.next_check {
            return Ok(());
        }
        match self.stage {
            Stage::Open => self.on_silence(),
            Stage::Closing => Err(Broken::NoAgreement),
            Stage::Over => {
                self.outgoing.clear();
                Ok(())
            }
        }
    }

    fn must_not_be_over(&self) -> Result<(), ProtocolError> {
        match self.stage {
            Stage::Over => Err(ProtocolError::Misuse("this session is over")),
            Stage::Open | Stage::Closing => Ok(()),
        }
    }

    fn heard(&mut self, now: Duration) {
        if self.stage == Stage::Open {
            self.silent = 0;
            self.next_check = now + self.settings.ping_every;
        }
    }

    fn on_record(&mut self, record: &[u8], now: Duration) -> Result<Option<Event>, Broken> {
        Ok(match self.session.receive(record)? {
            session::Event::Message { id, kind, text } => Some(Event::Message { id, kind, text }),
            session::Event::Acknowledged { up_to } => Some(Event::Acknowledged { up_to }),
            session::Event::Query { id } => Some(Event::Query { id }),
            session::Event::Held { id, held } => Some(Event::Held { id, held }),
            session::Event::Pong | session::Event::TooLate => None,
            session::Event::NewKeysWanted => None,
            session::Event::NewKeysAsked => {
                self.ask_for_keys()?;
                None
            }
            session::Event::NewKeys { answer } => {
                self.outgoing.extend(answer.unwrap_or_default());
                self.keys_asked = false;
                self.keys_until = now + self.settings.key_life.time;
                Some(Event::NewKeys {
                    epoch: self.session.epoch(),
                })
            }
            session::Event::Reply(answer) => {
                self.outgoing.extend(answer);
                None
            }
            session::Event::Closed { code, answer } => {
                self.outgoing.extend(answer);
                Some(self.over(Event::Closed { code }, now))
            }
            session::Event::CloseAgreed => Some(self.over(Event::CloseAgreed, now)),
        })
    }

    /// The last bytes are a courtesy, and get a little time.
    fn over(&mut self, event: Event, now: Duration) -> Event {
        let until = now + RECORD_DEADLINE;
        self.next_check = match self.stage {
            Stage::Closing => until.min(self.next_check),
            _ => until,
        };
        self.stage = Stage::Over;
        event
    }

    fn on_silence(&mut self) -> Result<(), Broken> {
        self.silent += 1;
        if self.silent == SILENT_INTERVALS {
            let after = self.settings.ping_every * SILENT_INTERVALS;
            return Err(Broken::Silent { after });
        }
        self.next_check += self.settings.ping_every;
        if let Some(ping) = self.session.ping()? {
            self.outgoing.extend(ping);
        }
        Ok(())
    }
}
