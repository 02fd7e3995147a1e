//! The server of every rung, without sockets and clock: what all connections share. Each of them is a
//! [`Connection`](crate::connection::Connection). Times are since the server's start.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use rand::rngs::ChaCha20Rng;
use serde::Serialize;

use crate::{
    accounts::{Door, Work},
    complaint::{Ending, Refusal},
    rung::{Idea, Rung},
    signature::SigningKey,
};

/// Connections at a time, from rung 1 on. The report's server has one.
pub const ROOM: usize = 64;
/// Rung 8: connections of one source that are not logged in.
pub const SOURCE_CAP: usize = 8;
/// Rung 8: a login is complete this long after the connection began.
pub const LOGIN_DEADLINE: Duration = Duration::from_secs(10);
/// Rung 8: a frame is complete this long after its first byte.
pub const FRAME_DEADLINE: Duration = Duration::from_secs(5);
/// Rung 8: a refusal leaves this long after its login arrived.
pub const REFUSAL_AFTER: Duration = Duration::from_secs(1);

/// Something that the server believed, with the connection it was on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The connection, counted from 0.
    pub connection: usize,
    /// What happened.
    pub what: What,
}

/// What a server may believe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum What {
    /// This user is there.
    LetIn(String),
    /// A login is not good.
    Refused(Refusal),
    /// The user says this.
    Took(Vec<u8>),
    /// The session is over.
    Ended(Ending),
}

/// Whether a connection is served.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is.
    Serve,
    /// Later: on rung 0, where one is served at a time.
    Wait,
    /// It is closed at once.
    Drop,
}

/// What all connections share.
pub struct Server {
    rung: Rung,
    /// From rung 5 on.
    pub(crate) host: Option<SigningKey>,
    pub(crate) door: Box<dyn Door>,
    pub(crate) rng: ChaCha20Rng,
    /// Open connections, and those of each source that are not logged in.
    open: usize,
    strangers: BTreeMap<IpAddr, usize>,
    connections: usize,
    log: Vec<Event>,
    pub(crate) spent: Work,
    stopped: bool,
}

impl Server {
    /// A server that decides about logins at this door.
    pub fn new(
        rung: Rung,
        host: Option<SigningKey>,
        door: Box<dyn Door>,
        rng: ChaCha20Rng,
    ) -> Self {
        Self {
            rung,
            host,
            door,
            rng,
            open: 0,
            strangers: BTreeMap::new(),
            connections: 0,
            log: Vec::new(),
            spent: Work::default(),
            stopped: false,
        }
    }

    /// Which rung it speaks.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Whether a connection from this source would be served now.
    pub fn admits(&self, source: IpAddr) -> Admission {
        let strangers = self.strangers.get(&source).copied().unwrap_or_default();
        if !self.rung.has(Idea::Numbers) {
            return match self.open {
                0 => Admission::Serve,
                _ => Admission::Wait,
            };
        }
        let capped = self.rung.has(Idea::Quiet) && strangers >= SOURCE_CAP;
        match capped || self.open >= ROOM {
            true => Admission::Drop,
            false => Admission::Serve,
        }
    }

    /// Counts a connection in; its number.
    pub(crate) fn begin(&mut self, source: IpAddr) -> usize {
        self.open += 1;
        *self.strangers.entry(source).or_default() += 1;
        self.connections += 1;
        self.connections - 1
    }

    /// Counts a connection out.
    pub(crate) fn end(&mut self, connection: usize, ending: Ending) {
        self.open -= 1;
        self.note(connection, What::Ended(ending));
    }

    /// A client has ended the server.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Everything that the server believed, in order.
    pub fn log(&self) -> &[Event] {
        &self.log
    }

    /// How many connections it has served.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// What it has spent until now.
    pub fn spent(&self) -> Work {
        self.spent
    }

    /// Whether a client has ended the server with `quit()`.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn note(&mut self, connection: usize, what: What) {
        self.log.push(Event { connection, what });
    }

    pub(crate) fn no_stranger_any_more(&mut self, source: IpAddr) {
        if let Some(count) = self.strangers.get_mut(&source) {
            *count -= 1;
        }
    }
}
