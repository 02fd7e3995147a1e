//! New keys inside a session: whoever steals the keys of one epoch reads that epoch, and no other.
//!
//! ```text
//! client                                 server
//! REKEY1: epkC'          ─────────►              under the old keys
//!                        ◄─────────      REKEY2: epkS', the server's last record under the old keys
//! REKEY3                 ─────────►              the client's last record under the old keys
//! ```
//!
//! The client begins, so two changes never cross; a server may only ask. Messages go on meanwhile in both directions.

use std::time::Duration;

use super::{Event, Session};
use crate::hardened::{
    Error,
    keys::{NewSecrets, X25519},
    message::Message,
    parts::{Exchange, Parts},
    primitives::Secret,
    record::{Opener, Sealer},
    role::Role,
};

/// How long keys serve until an end asks for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLife {
    /// Records of one direction.
    pub records: u64,
    /// Bytes of one direction on the wire.
    pub bytes: u64,
    /// Time since the last change.
    pub time: Duration,
}

impl KeyLife {
    /// The limits of the protocol: 2^20 records, 256 MiB, 15 minutes.
    pub const USUAL: Self = Self {
        records: 1 << 20,
        bytes: 256 << 20,
        time: Duration::from_secs(15 * 60),
    };
}

impl Default for KeyLife {
    fn default() -> Self {
        Self::USUAL
    }
}

/// The epoch of a session's keys, and the change to the next one.
pub(in crate::hardened) struct Epoch {
    number: u32,
    /// `rk`: the next keys come from it as well as from the exchange.
    root: Secret,
    change: Change,
}

/// How far the change to the next epoch is.
enum Change {
    /// None is under way.
    None,
    /// Client: REKEY1 was sent.
    Offered(Box<X25519>),
    /// Server: REKEY1 has come, with this value.
    Wanted([u8; 32]),
    /// Server: REKEY2 was sent. The client's next records after REKEY3 are for this opener.
    Answered(Box<Opener>),
}

impl Epoch {
    /// The first epoch of a session.
    pub(in crate::hardened) fn first(root: Secret) -> Self {
        Self {
            number: 1,
            root,
            change: Change::None,
        }
    }

    /// Both ends of the traffic in the next epoch. Wipes the old root.
    fn next(
        &mut self,
        role: Role,
        exchange: Box<X25519>,
        theirs: &[u8; 32],
        parts: &impl Parts,
    ) -> Result<(Sealer, Opener), Error> {
        let number = (self.number.checked_add(1))
            .ok_or(Error::Misuse("this session has had all keys that it can"))?;
        let ours = exchange.share();
        let shares = match role {
            Role::Client => [&ours[..], theirs],
            Role::Server => [theirs, &ours[..]],
        };
        let shared = exchange.agree(theirs)?;
        let new = NewSecrets::derive(&self.root, &shared, number, shares, parts);
        let (out, back) = match role {
            Role::Client => (&new.client, &new.server),
            Role::Server => (&new.server, &new.client),
        };
        let ends = (
            Sealer::with(out, number, parts),
            Opener::with(back, number, parts),
        );
        (self.number, self.root) = (number, new.rekey);
        Ok(ends)
    }
}

impl<D: Parts> Session<D> {
    /// The epoch of the keys: 1 after the login, and 1 more for each change that this end has made.
    pub fn epoch(&self) -> u32 {
        self.epoch.number
    }

    /// Whether the keys of a direction have served as long as they should, the time apart.
    pub fn is_spent(&self, life: &KeyLife) -> bool {
        [self.sealer.used(), self.opener.used()]
            .into_iter()
            .any(|(records, bytes)| records >= life.records || bytes >= life.bytes)
    }

    /// Whether a change of keys is under way at this end.
    pub fn is_changing_keys(&self) -> bool {
        !matches!(self.epoch.change, Change::None)
    }

    /// Whether the client waits for [`Session::answer_rekey`].
    pub fn owes_answer(&self) -> bool {
        matches!(self.epoch.change, Change::Wanted(_)) && !self.sent.closed
    }

    /// `REKEY1`: the client begins a change of keys, with 32 bytes of the best randomness there is.
    ///
    /// # Errors
    /// [`Error::Misuse`] at a server, while a change is under way, and after [`Session::close`].
    pub fn begin_rekey(&mut self, secret: &Secret) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        if self.role == Role::Server || self.is_changing_keys() {
            return Err(Error::Misuse(
                "a client begins a change of keys, and one at a time",
            ));
        }
        let exchange = Box::new(X25519::new(secret));
        let record = self.seal(&Message::Rekey1(exchange.value()))?;
        self.epoch.change = Change::Offered(exchange);
        Ok(record)
    }

    /// `REKEY_ASK`: the server asks the client to begin one.
    ///
    /// # Errors
    /// [`Error::Misuse`] at a client, while a change is under way, and after [`Session::close`].
    pub fn ask_rekey(&mut self) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        if self.role == Role::Client || self.is_changing_keys() {
            return Err(Error::Misuse(
                "a server asks for new keys, and not during a change",
            ));
        }
        self.seal(&Message::RekeyAsk)
    }

    /// `REKEY2`: the server's answer, with 32 bytes of the best randomness there is. From now on it sends under the new
    /// keys, and it receives under the old ones until the client's `REKEY3`.
    ///
    /// # Errors
    /// [`Error::Misuse`] without [`Session::owes_answer`]; [`Error::Forged`] when the client's value forces a zero
    /// secret.
    pub fn answer_rekey(&mut self, secret: &Secret) -> Result<Vec<u8>, Error> {
        self.must_be_open()?;
        let Change::Wanted(theirs) = self.epoch.change else {
            return Err(Error::Misuse("no client waits for new keys"));
        };
        let exchange = Box::new(X25519::new(secret));
        let record = self.seal(&Message::Rekey2(exchange.value()))?;
        let (sealer, opener) =
            (self.epoch).next(Role::Server, exchange, &theirs, &self.defences)?;
        self.sealer = sealer;
        self.epoch.change = Change::Answered(Box::new(opener));
        Ok(record)
    }

    /// A change that crosses our `CLOSE` does not take place.
    pub(super) fn on_rekey1(&mut self, theirs: [u8; 32]) -> Result<Event, Error> {
        match (self.role, &self.epoch.change) {
            (Role::Server, Change::None) if self.sent.closed => Ok(Event::TooLate),
            (Role::Server, Change::None) => {
                self.epoch.change = Change::Wanted(theirs);
                Ok(Event::NewKeysWanted)
            }
            (Role::Server, _) => Err(Error::Violation("a change of keys during another one")),
            (Role::Client, _) => Err(Error::Violation("only a client begins a change of keys")),
        }
    }

    pub(super) fn on_rekey2(&mut self, theirs: [u8; 32]) -> Result<Event, Error> {
        let change = std::mem::replace(&mut self.epoch.change, Change::None);
        let Change::Offered(exchange) = change else {
            return Err(Error::Violation("an answer to no change of keys"));
        };
        // Nothing follows a CLOSE: what we have closed needs no new keys, and the server does not wait for them.
        let last = match self.sent.closed {
            true => None,
            false => Some(self.seal(&Message::Rekey3)?),
        };
        let (sealer, opener) =
            (self.epoch).next(Role::Client, exchange, &theirs, &self.defences)?;
        self.opener = opener;
        if last.is_some() {
            self.sealer = sealer;
        }
        Ok(Event::NewKeys { answer: last })
    }

    pub(super) fn on_rekey3(&mut self) -> Result<Event, Error> {
        let change = std::mem::replace(&mut self.epoch.change, Change::None);
        let Change::Answered(opener) = change else {
            return Err(Error::Violation("the end of no change of keys"));
        };
        self.opener = *opener;
        Ok(Event::NewKeys { answer: None })
    }

    /// A question that crosses our `REKEY1` or `CLOSE` has its answer already.
    pub(super) fn on_rekey_ask(&self) -> Result<Event, Error> {
        match self.role {
            Role::Server => Err(Error::Violation("only a server asks for new keys")),
            Role::Client if self.sent.closed || self.is_changing_keys() => Ok(Event::TooLate),
            Role::Client => Ok(Event::NewKeysAsked),
        }
    }
}
