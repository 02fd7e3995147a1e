//! Writes down what a server believes. The arena judges by it, and so do the labs.

use std::sync::{Arc, Mutex};

use latchstring_faithful::server::{Outcome, ServerEvent};

use crate::seen::{Connection, Ending, Refusal, Seen};

/// The record of one server; clones share it.
#[derive(Clone, Default)]
pub struct Witness(Arc<Mutex<Vec<Seen>>>);

impl Witness {
    /// Writes down one thing.
    pub fn saw(&self, seen: Seen) {
        self.0.lock().expect("no witness panicked").push(seen);
    }

    /// Everything so far, in order.
    pub fn all(&self) -> Vec<Seen> {
        self.0.lock().expect("no witness panicked").clone()
    }

    /// How many connections have come to their end.
    pub fn ended(&self) -> usize {
        let ended = |seen: &&Seen| matches!(seen, Seen::Ended { .. });
        self.all().iter().filter(ended).count()
    }
}

/// Watches the report's server, which serves one connection after the other.
pub struct FaithfulWitness {
    witness: Witness,
    on: Connection,
    user: String,
}

impl FaithfulWitness {
    /// Writes down what a server does that has served nobody yet.
    pub fn new(witness: Witness) -> Self {
        Self {
            witness,
            on: 0,
            user: String::new(),
        }
    }

    /// A connection has come; returns its number.
    pub fn opened(&mut self) -> Connection {
        self.on += 1;
        self.user.clear();
        self.witness.saw(Seen::Connected { on: self.on });
        self.on
    }

    /// The connection is over.
    pub fn ended(&self, outcome: Outcome) {
        let how = match outcome {
            Outcome::Quit => Ending::Quit,
            Outcome::Change => Ending::Changed,
            Outcome::Vanished => Ending::Vanished,
            Outcome::LoginRefused => Ending::LoginRefused,
        };
        self.witness.saw(Seen::Ended { on: self.on, how });
    }

    /// The server tells what it does.
    pub fn event(&mut self, event: ServerEvent) {
        let on = self.on;
        match event {
            ServerEvent::Recognised { user } => self.witness.saw(Seen::Recognised {
                on,
                user: user.to_string(),
            }),
            ServerEvent::LoggedIn { user } => {
                self.user = user.to_string();
                let user = self.user.clone();
                self.witness.saw(Seen::LoggedIn { on, user });
            }
            ServerEvent::LoginRefused { why } => self.witness.saw(Seen::Refused {
                on,
                why: Refusal::Faithful(why),
            }),
            ServerEvent::Message { text, .. } => {
                let user = self.user.clone();
                self.witness.saw(Seen::Received { on, user, text });
            }
            ServerEvent::Connected { .. } => {
                self.opened();
            }
            ServerEvent::Closing { outcome, .. } => self.ended(outcome),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::protocol_faithful::{handshake::RefusalReason, message::UserName};

    use super::*;

    #[test]
    fn each_connection_of_the_reports_server_is_written_down_with_its_own_user() {
        let witness = Witness::default();
        let mut watching = FaithfulWitness::new(witness.clone());
        let user = || UserName::parse("alice").unwrap();
        let message = |text: &str| ServerEvent::Message {
            ciphertext: Vec::new(),
            text: text.to_owned(),
        };
        assert_eq!(watching.opened(), 1);
        watching.event(ServerEvent::Recognised { user: user() });
        watching.event(ServerEvent::LoggedIn { user: user() });
        watching.event(message("hello"));
        watching.ended(Outcome::Change);
        assert_eq!(watching.opened(), 2);
        let why = RefusalReason::SentNothing.into();
        watching.event(ServerEvent::LoginRefused { why });
        watching.ended(Outcome::LoginRefused);

        let seen = witness.all();
        let received = Seen::Received {
            on: 1,
            user: "alice".to_owned(),
            text: "hello".to_owned(),
        };
        assert!(seen.contains(&received), "{seen:?}");
        let how = Ending::Changed;
        assert!(seen.contains(&Seen::Ended { on: 1, how }), "{seen:?}");
        let silent =
            |seen: &Seen| matches!(seen, Seen::Refused { on: 2, why } if why.is_of_silence());
        assert!(seen.iter().any(silent), "{seen:?}");
        assert_eq!(witness.ended(), 2);
    }
}
