//! The facts of a run, as the arena saw them, and the verdict that follows from them.
//!
//! An attack only claims. Here its claim is held against what the honest user typed and what the server believed. A
//! verdict is a statement of the arena's own: `Held` says what did *not* happen, and does not take the attack's word
//! for that either.

use std::{collections::BTreeMap, time::Duration};

use latchstring_attacker::{Claim, Goal, vantage::Modulus};

use crate::{
    cost::Spent,
    seen::{Connection, HONEST, Seen},
    verdict::{Outcome, Verdict},
};

/// All that the arena knows about one run.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// The honest user.
    pub user: String,
    /// The messages that the user typed, in order.
    pub typed: Vec<String>,
    /// The decisions of the server.
    pub seen: Vec<Seen>,
    /// How many connections the attacker made.
    pub attacker_connections: u64,
    /// Whether the honest user went to the attacker instead of the server: then no connection is the honest one.
    pub visited_attacker: bool,
    /// The user's password at this server.
    pub password: String,
    /// The user's private key, as PEM.
    pub private_key: String,
    /// The public keys of everybody who is enrolled.
    pub keys: Vec<Modulus>,
    /// How long all of it took.
    pub lasted: Duration,
    /// The cost of each connection to the server.
    pub spent: BTreeMap<Connection, Spent>,
    /// The error of the honest user's program, in its own words.
    pub trouble: Option<String>,
    /// The result of the honest user's second visit, in a scene with one: the error, if there was one.
    pub returned: Option<Result<(), String>>,
}

impl Truth {
    /// The messages that the server accepted as the user's on this connection.
    pub fn received_on(&self, connection: Connection) -> Vec<&str> {
        let texts = self.seen.iter().filter_map(|seen| match seen {
            Seen::Received { on, text, .. } if *on == connection => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn logins_of_attacker(&self) -> Vec<(Connection, &str)> {
        let logins = self.seen.iter().filter_map(|seen| match seen {
            Seen::LoggedIn { on, user } if self.is_attackers(*on) => Some((*on, user.as_str())),
            _ => None,
        });
        logins.collect()
    }

    fn honest_login(&self) -> bool {
        let as_user =
            |seen: &Seen| matches!(seen, Seen::LoggedIn { on: HONEST, user } if *user == self.user);
        self.seen.iter().any(as_user)
    }

    /// Connections are numbered as they come: the honest user's first visit, then the attacker's connections, then all
    /// later ones.
    fn is_attackers(&self, on: Connection) -> bool {
        let first = if self.visited_attacker { 1 } else { 2 };
        (first..first + self.attacker_connections).contains(&on)
    }

    /// The verdict on a claim.
    pub fn judge(&self, goal: Goal, claim: &Claim) -> Verdict {
        if let Some(why) = self.no_fair_trial(goal) {
            return Verdict::new(Outcome::Inconclusive, why);
        }
        match goal {
            Goal::LogIn => self.judge_login(claim),
            Goal::Guess => self.judge_guessing(claim),
            Goal::Read => self.judge_reading(claim),
            Goal::Alter => self.judge_alteration(claim),
            Goal::Reorder(order) => self.judge_order(order, claim),
            Goal::Truncate => self.judge_truncation(claim),
            Goal::Enumerate => self.judge_enumeration(claim),
            Goal::Exhaust(resource) => self.judge_exhaustion(resource, claim),
            Goal::Linger => self.judge_lingering(claim),
            Goal::Credentials => self.judge_credentials(claim),
            Goal::Identify => self.judge_identification(claim),
            Goal::Factor => self.judge_factors(claim),
            Goal::ForgeLog => self.judge_log(claim),
            Goal::Deny => self.judge_denial(claim),
            Goal::Harvest => self.judge_harvest(claim),
        }
    }

    /// The part of the honest session that must have succeeded before this goal can be judged.
    fn no_fair_trial(&self, goal: Goal) -> Option<&'static str> {
        let whole = self.received_on(HONEST) == self.typed;
        match goal {
            Goal::Harvest => None,
            Goal::LogIn if self.visited_attacker => None,
            _ if !self.honest_login() => Some("the honest user could not log in"),
            Goal::LogIn | Goal::Read if !whole => {
                Some("not all messages of the honest session arrived")
            }
            _ => None,
        }
    }

    fn judge_login(&self, claim: &Claim) -> Verdict {
        let logins = self.logins_of_attacker();
        match (logins.first(), claim) {
            (None, _) if self.attacker_connections == 0 => Verdict::new(
                Outcome::Inconclusive,
                "the attacker never connected to the server",
            ),
            (None, _) => Verdict::new(
                Outcome::Held,
                format!(
                    "{} {}; the server let nobody in on the attacker's {}",
                    self.user,
                    match self.visited_attacker {
                        true => "connected to the attacker's host",
                        false => "logged in once",
                    },
                    counted(self.attacker_connections as usize, "connection"),
                ),
            ),
            (
                Some((on, user)),
                Claim::LoggedIn {
                    user: claimed,
                    said,
                },
            ) if user == claimed && *user == self.user => {
                let heard = self.received_on(*on);
                match said {
                    Some(said) if !heard.contains(&said.as_str()) => Verdict::new(
                        Outcome::Inconclusive,
                        "the server let the attacker in, but received no message that proves it",
                    ),
                    Some(said) => Verdict::new(
                        Outcome::Broke,
                        format!(
                            "the server accepted connection {on}, the attacker's, as {user}, and \"{said}\" as {user}'s message"
                        ),
                    ),
                    None => Verdict::new(
                        Outcome::Broke,
                        format!("the server accepted connection {on}, the attacker's, as {user}"),
                    ),
                }
            }
            (Some((on, user)), _) => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the server let {user} in on connection {on}, but the attack does not claim it"
                ),
            ),
        }
    }

    fn judge_reading(&self, claim: &Claim) -> Verdict {
        let none = Vec::new();
        let read = match claim {
            Claim::Read(messages) => messages,
            _ => &none,
        };
        let score = Reading::of(&self.typed, read);
        if score.whole > 0 && score.right * 100 >= score.claimed * 80 {
            Verdict::new(Outcome::Broke, score.in_words(&self.user))
        } else if score.right * 100 <= score.bytes * 5 {
            Verdict::new(Outcome::Held, score.in_words(&self.user))
        } else {
            Verdict::new(
                Outcome::Inconclusive,
                format!("partly: {}", score.in_words(&self.user)),
            )
        }
    }

    fn judge_alteration(&self, claim: &Claim) -> Verdict {
        let received = self.received_on(HONEST);
        let foreign = received
            .iter()
            .find(|text| !self.typed.iter().any(|typed| typed == *text));
        match (foreign, claim) {
            (Some(text), Claim::Altered { from, to })
                if text == to && self.typed.contains(from) =>
            {
                Verdict::new(
                    Outcome::Broke,
                    format!(
                        "{} typed \"{from}\", and the server accepted \"{to}\" as {0}'s message",
                        self.user
                    ),
                )
            }
            (Some(text), _) => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the server received \"{text}\", which nobody typed and the attack does not claim"
                ),
            ),
            (None, Claim::Nothing) => Verdict::new(
                Outcome::Inconclusive,
                "the attacker did nothing to any message",
            ),
            (None, _)
                if self
                    .typed
                    .iter()
                    .zip(&received)
                    .all(|(typed, received)| typed == received) =>
            {
                Verdict::new(
                    Outcome::Held,
                    format!(
                        "the server accepted {} of the {} that {} typed, in order, and no other message",
                        received.len(),
                        counted(self.typed.len(), "message"),
                        self.user,
                    ),
                )
            }
            (None, _) => Verdict::new(Outcome::Inconclusive, "messages arrived out of order"),
        }
    }
}

/// A number with its noun: `1 connection`, `2 connections`.
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// How much of what was typed a claim has right, byte for byte and in its place.
struct Reading {
    bytes: usize,
    claimed: usize,
    right: usize,
    whole: usize,
    messages: usize,
}

impl Reading {
    fn of(typed: &[String], read: &[Vec<Option<u8>>]) -> Self {
        let mut score = Self {
            bytes: typed.iter().map(String::len).sum(),
            claimed: read.iter().flatten().flatten().count(),
            right: 0,
            whole: 0,
            messages: typed.len(),
        };
        for (text, guess) in typed.iter().zip(read) {
            let right = text
                .bytes()
                .zip(guess)
                .filter(|(byte, guess)| Some(*byte) == **guess)
                .count();
            score.right += right;
            score.whole +=
                usize::from(right == text.len() && guess.len() == text.len() && !text.is_empty());
        }
        score
    }

    /// The score, for a statement.
    fn in_words(&self, user: &str) -> String {
        format!(
            "the attacker read {} of the {} bytes that {user} typed, and {} of {} in full",
            self.right,
            self.bytes,
            self.whole,
            counted(self.messages, "message")
        )
    }
}

mod harm;
mod order;

#[cfg(test)]
mod tests;
