//! What really happened, as the arena saw it, and the verdict that follows from it.
//!
//! An attack only claims. Here its claim is held against what the honest user typed and what the server believed. A
//! verdict is a statement of the arena's own: `Held` says what did *not* happen, and does not take the attack's word
//! for that either.

use std::{collections::BTreeMap, fmt, time::Duration};

use latchstring_attacker::{Claim, Goal, vantage::Modulus};
use serde::Serialize;

use crate::stopwatch::Spent;

/// The number of a connection to the arena's server: 1 is the honest user's, all others are the attacker's.
pub type Connection = u64;

/// The honest user's connection.
pub const HONEST: Connection = 1;

/// How the hardened server says that a session ended as it should.
pub const AGREED: &str = "closed, and both ends agree";
/// How the report's server says that a client has ended the session with `change()`.
pub const CHANGED: &str = "the client said change()";
/// How it says that the connection was gone.
pub const VANISHED: &str = "the client left without a word";
/// The ends that a server takes for the end of the conversation. To the report's server a connection that is gone is one.
pub const ENDS_WITHOUT_COMPLAINT: [&str; 3] = [AGREED, CHANGED, VANISHED];

/// What the server believed, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It let somebody in.
    LoggedIn {
        /// Where.
        on: Connection,
        /// Whom it took them for.
        user: String,
    },
    /// It did not let somebody in.
    Refused {
        /// Where.
        on: Connection,
        /// The reason in its own log.
        why: String,
    },
    /// It took this for a message of that user.
    Received {
        /// Where.
        on: Connection,
        /// Whose it is, to the server's belief.
        user: String,
        /// The words.
        text: String,
    },
    /// A connection came to its end.
    Ended {
        /// Which.
        on: Connection,
        /// How.
        how: String,
    },
}

impl Seen {
    /// On which connection.
    pub fn on(&self) -> Connection {
        match self {
            Self::LoggedIn { on, .. }
            | Self::Refused { on, .. }
            | Self::Received { on, .. }
            | Self::Ended { on, .. } => *on,
        }
    }

    /// What happened there.
    pub fn what(&self) -> String {
        match self {
            Self::LoggedIn { user, .. } => format!("let {user} in"),
            Self::Refused { why, .. } => format!("refused: {why}"),
            Self::Received { user, text, .. } => format!("{user} says \"{text}\""),
            Self::Ended { how, .. } => format!("the end: {how}"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server, on connection {}: {}", self.on(), self.what())
    }
}

/// All that the arena knows about one run.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// The honest user.
    pub user: String,
    /// What that user typed, in order.
    pub typed: Vec<String>,
    /// What the server believed.
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
    /// What each connection has cost the server.
    pub spent: BTreeMap<Connection, Spent>,
    /// What went wrong for the honest user, in the words of the user's own program.
    pub trouble: Option<String>,
    /// What came of the honest user's second visit, where the scene has one: what went wrong, if anything did.
    pub returned: Option<Result<(), String>>,
}

/// How an attack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The attack did what it set out to do.
    Broke,
    /// It did not, and nothing else went wrong.
    Held,
    /// The run does not show one or the other. In a matrix this is a failure of the lab.
    Inconclusive,
    /// There is nothing there to attack; nothing was run.
    #[serde(rename = "n/a")]
    DoesNotApply,
}

impl Outcome {
    /// All of them, for legends.
    pub const ALL: [Self; 4] = [
        Self::Broke,
        Self::Held,
        Self::DoesNotApply,
        Self::Inconclusive,
    ];

    /// One character for small places.
    pub fn letter(self) -> char {
        match self {
            Self::Broke => 'B',
            Self::Held => '·',
            Self::DoesNotApply => '-',
            Self::Inconclusive => '?',
        }
    }

    /// What it means, for legends.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Broke => "the attack did what it set out to do",
            Self::Held => "it did not, and nothing else went wrong",
            Self::DoesNotApply => "this protocol lacks what the attack is about",
            Self::Inconclusive => "the run shows neither: a failure of the lab",
        }
    }

    /// The name of its style in a sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Held => "held",
            Self::DoesNotApply => "na",
            Self::Inconclusive => "unclear",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Broke => "Broke",
            Self::Held => "Held",
            Self::Inconclusive => "Inconclusive",
            Self::DoesNotApply => "n/a",
        })
    }
}

/// An outcome with the arena's statement of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which of the three.
    pub outcome: Outcome,
    /// What happened, or what did not.
    pub statement: String,
}

impl Verdict {
    /// This outcome, and why.
    pub fn new(outcome: Outcome, statement: impl Into<String>) -> Self {
        Self {
            outcome,
            statement: statement.into(),
        }
    }
}

impl Truth {
    /// What the server took for the user's messages on this connection.
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

    /// Connections are numbered as they come: the honest user's first visit, the attacker's, and whatever comes later.
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

    /// What the honest user must have been able to do for this goal to be judged at all.
    fn no_fair_trial(&self, goal: Goal) -> Option<&'static str> {
        let whole = self.received_on(HONEST) == self.typed;
        match goal {
            Goal::Harvest => None,
            Goal::LogIn if self.visited_attacker => None,
            _ if !self.honest_login() => Some("the honest user could not log in"),
            Goal::LogIn | Goal::Read if !whole => {
                Some("the honest session did not come through whole")
            }
            _ => None,
        }
    }

    fn judge_login(&self, claim: &Claim) -> Verdict {
        let logins = self.logins_of_attacker();
        match (logins.first(), claim) {
            (None, _) if self.attacker_connections == 0 => Verdict::new(
                Outcome::Inconclusive,
                "the attacker never came to the server",
            ),
            (None, _) => Verdict::new(
                Outcome::Held,
                format!(
                    "{} {}; the server let nobody in on the attacker's {}",
                    self.user,
                    match self.visited_attacker {
                        true => "visited the attacker's own host",
                        false => "was let in once",
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
                        "the server let the attacker in and did not hear the proof",
                    ),
                    Some(said) => Verdict::new(
                        Outcome::Broke,
                        format!(
                            "the server took connection {on}, the attacker's, for {user}, and \"{said}\" for {user}'s words"
                        ),
                    ),
                    None => Verdict::new(
                        Outcome::Broke,
                        format!("the server took connection {on}, the attacker's, for {user}"),
                    ),
                }
            }
            (Some((on, user)), _) => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the server let {user} in on connection {on}, and the attack does not say so"
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
            Verdict::new(
                Outcome::Broke,
                format!("of what {} typed, the attacker has read {score}", self.user),
            )
        } else if score.right * 100 <= score.bytes * 5 {
            Verdict::new(
                Outcome::Held,
                format!("of what {} typed, the attacker has read {score}", self.user),
            )
        } else {
            Verdict::new(Outcome::Inconclusive, format!("partly read: {score}"))
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
                        "{} typed \"{from}\", and the server took \"{to}\" for {0}'s words",
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
                "the attacker never touched a message",
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
                        "the server took in {} of the {} that {} typed, in order, and nothing else",
                        received.len(),
                        counted(self.typed.len(), "message"),
                        self.user,
                    ),
                )
            }
            (None, _) => Verdict::new(Outcome::Inconclusive, "messages came out of order"),
        }
    }
}

/// So many of something: `1 connection`, `2 connections`.
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
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} bytes, {} of {} whole",
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
mod tests {
    use super::*;

    fn said(on: Connection, text: &str) -> Seen {
        let user = "alice".to_owned();
        Seen::Received {
            on,
            user,
            text: text.to_owned(),
        }
    }

    fn login(on: Connection) -> Seen {
        Seen::LoggedIn {
            on,
            user: "alice".to_owned(),
        }
    }

    /// An honest session of two messages, and what else the server saw.
    fn truth(more: impl IntoIterator<Item = Seen>) -> Truth {
        let honest = [
            login(HONEST),
            said(HONEST, "hello"),
            said(HONEST, "pay bob 10"),
        ];
        Truth {
            user: "alice".to_owned(),
            typed: vec!["hello".to_owned(), "pay bob 10".to_owned()],
            seen: honest.into_iter().chain(more).collect(),
            attacker_connections: 1,
            ..Truth::default()
        }
    }

    fn known(text: &str) -> Vec<Option<u8>> {
        text.bytes().map(Some).collect()
    }

    fn logged_in(said: &str) -> Claim {
        Claim::LoggedIn {
            user: "alice".to_owned(),
            said: Some(said.to_owned()),
        }
    }

    #[test]
    fn a_claimed_login_counts_only_if_the_server_believed_it() {
        let outcome = |truth: Truth, claim: &Claim| truth.judge(Goal::LogIn, claim).outcome;
        let claim = logged_in("it is me");
        assert_eq!(
            outcome(truth([login(2), said(2, "it is me")]), &claim),
            Outcome::Broke
        );
        assert_eq!(outcome(truth([]), &claim), Outcome::Held, "an empty boast");
        assert_eq!(
            outcome(truth([login(2)]), &claim),
            Outcome::Inconclusive,
            "the proof was not heard"
        );
        assert_eq!(
            outcome(truth([login(2)]), &Claim::Nothing),
            Outcome::Inconclusive,
            "let in, and silent about it"
        );
        let absent = Truth {
            attacker_connections: 0,
            ..truth([])
        };
        assert_eq!(
            outcome(absent, &Claim::Nothing),
            Outcome::Inconclusive,
            "nobody tried"
        );
    }

    #[test]
    fn without_the_honest_session_there_is_no_verdict() {
        let silent = Truth {
            seen: Vec::new(),
            ..truth([])
        };
        for goal in [Goal::LogIn, Goal::Read, Goal::Alter] {
            assert_eq!(
                silent.judge(goal, &Claim::Nothing).outcome,
                Outcome::Inconclusive
            );
        }
    }

    #[test]
    fn reading_counts_the_bytes_that_are_right_in_their_place() {
        let outcome = |claim: Claim| truth([]).judge(Goal::Read, &claim).outcome;
        assert_eq!(
            outcome(Claim::Read(vec![known("hello"), vec![]])),
            Outcome::Broke
        );
        assert_eq!(
            outcome(Claim::Read(vec![known("XXXXX"), known("XXXXXXXXXX")])),
            Outcome::Held
        );
        assert_eq!(
            outcome(Claim::Read(vec![known("pay bob 10"), known("hello")])),
            Outcome::Held,
            "not in its place"
        );
        assert_eq!(
            outcome(Claim::Read(vec![known("hellX"), vec![]])),
            Outcome::Inconclusive,
            "partly"
        );
        let mostly_invented = vec![known("hello"), known("XXXXXXXXXX")];
        assert_eq!(outcome(Claim::Read(mostly_invented)), Outcome::Inconclusive);
        assert_eq!(outcome(Claim::Nothing), Outcome::Held);
    }

    #[test]
    fn an_altered_message_must_have_arrived() {
        let claim = Claim::Altered {
            from: "pay bob 10".to_owned(),
            to: "pay eve 99".to_owned(),
        };
        let arrived = |texts: &[&str]| {
            let seen =
                std::iter::once(login(HONEST)).chain(texts.iter().map(|text| said(HONEST, text)));
            let truth = Truth {
                seen: seen.collect(),
                ..truth([])
            };
            truth.judge(Goal::Alter, &claim).outcome
        };
        assert_eq!(arrived(&["hello", "pay eve 99"]), Outcome::Broke);
        assert_eq!(
            arrived(&["hello"]),
            Outcome::Held,
            "the session ended instead"
        );
        assert_eq!(arrived(&["hello", "pay bob 10"]), Outcome::Held);
        assert_eq!(
            arrived(&["hello", "pay abc 77"]),
            Outcome::Inconclusive,
            "another change than claimed"
        );
        assert_eq!(
            truth([]).judge(Goal::Alter, &Claim::Nothing).outcome,
            Outcome::Inconclusive,
            "nothing was tried"
        );
    }
}
