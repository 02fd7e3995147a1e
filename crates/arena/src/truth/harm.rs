//! Verdicts on what was found out, forged and denied.

use dashu_int::UBig;
use latchstring_attacker::{Claim, Resource, vantage::Modulus};

use latchstring_server_core::throttle::most_guesses_within;

use super::Truth;
use crate::{
    peers::people::PEOPLE,
    seen::Seen,
    verdict::{Outcome, Verdict},
};

impl Truth {
    /// Only the real password or the real key counts.
    pub(super) fn judge_credentials(&self, claim: &Claim) -> Verdict {
        let (password, key) = match claim {
            Claim::Credentials {
                password,
                private_key,
            } => (password.as_deref(), private_key.as_deref()),
            _ => (None, None),
        };
        let right_password = password.is_some_and(|claimed| claimed == self.password.as_bytes());
        let right_key = key.is_some_and(|claimed| claimed == self.private_key);
        let what = match (right_password, right_key) {
            (true, _) => "password",
            (_, true) => "private key",
            _ if password.is_some() || key.is_some() => {
                return Verdict::new(
                    Outcome::Inconclusive,
                    "the thief claims a password or a key that is wrong",
                );
            }
            _ => {
                return Verdict::new(
                    Outcome::Held,
                    format!(
                        "the thief has neither the password nor the private key of {}",
                        self.user
                    ),
                );
            }
        };
        Verdict::new(
            Outcome::Broke,
            format!("the thief has the {what} of {}", self.user),
        )
    }

    /// The product of two numbers, neither of them 1, must be the modulus of an enrolled key.
    pub(super) fn judge_factors(&self, claim: &Claim) -> Verdict {
        let Claim::Factored { user, p, q } = claim else {
            return Verdict::new(
                Outcome::Held,
                format!(
                    "the attacker computed no private key of the {} enrolled users",
                    self.keys.len()
                ),
            );
        };
        let (p, q) = (UBig::from_be_bytes(p), UBig::from_be_bytes(q));
        let proper = p > UBig::ONE && q > UBig::ONE;
        let product = p * q;
        let is_key =
            |key: &Modulus| key.user == *user && UBig::from_be_bytes(&key.bytes) == product;
        match proper && self.keys.iter().any(is_key) {
            true => Verdict::new(
                Outcome::Broke,
                format!(
                    "the attacker has the two primes of {user}'s key, and with them the private key"
                ),
            ),
            false => Verdict::new(
                Outcome::Inconclusive,
                "the product of the two numbers is not the modulus of an enrolled key",
            ),
        }
    }

    /// A line of the log that no event wrote. Events are one line each, if names cannot break lines.
    pub(super) fn judge_log(&self, claim: &Claim) -> Verdict {
        let logged = self.seen.iter().filter(|seen| seen.is_logged());
        let written: Vec<String> = logged.map(ToString::to_string).collect();
        let log = written.join("\n");
        let forged = log
            .lines()
            .find(|line| !written.iter().any(|event| event == line));
        match (forged, claim) {
            (None, Claim::Logged(_)) => Verdict::new(
                Outcome::Held,
                format!(
                    "the server wrote each of the {} lines in the log",
                    written.len()
                ),
            ),
            (Some(_), Claim::Logged(line)) if log.lines().any(|logged| logged == line) => {
                Verdict::new(
                    Outcome::Broke,
                    format!("the log says \"{line}\", but this did not happen"),
                )
            }
            _ => Verdict::new(
                Outcome::Inconclusive,
                "the log does not have the line that the attack claims",
            ),
        }
    }

    /// A login, or a promised number of guesses that did not suffice.
    pub(super) fn judge_guessing(&self, claim: &Claim) -> Verdict {
        let verdict = self.judge_login(claim);
        if verdict.outcome != Outcome::Held {
            return verdict;
        }
        let wrong = |seen: &&Seen| matches!(seen, Seen::Refused { on, why } if self.is_attackers(*on) && why.is_wrong_password());
        let guesses = self.seen.iter().filter(wrong).count() as u64;
        let promised = u64::from(most_guesses_within(self.lasted));
        let statement = format!(
            "the server checked {guesses} passwords in {} minutes, and all were wrong; its limit is {promised}",
            self.lasted.as_secs() / 60
        );
        match guesses <= promised {
            true => Verdict::new(Outcome::Held, statement),
            false => Verdict::new(Outcome::Inconclusive, statement),
        }
    }

    /// The list must be right in both directions.
    pub(super) fn judge_enumeration(&self, claim: &Claim) -> Verdict {
        let enrolled = PEOPLE.iter().filter(|person| person.enrolled);
        let enrolled: Vec<&str> = enrolled.map(|person| person.name).collect();
        match claim {
            Claim::Exist(names) if *names == enrolled => Verdict::new(
                Outcome::Broke,
                format!(
                    "the attacker knows which of the {} people have an account: {}",
                    PEOPLE.len(),
                    names.join(", ")
                ),
            ),
            Claim::Exist(names) => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the attacker names {}, but this list is wrong",
                    names.join(", ")
                ),
            ),
            _ => Verdict::new(
                Outcome::Held,
                format!(
                    "the attacker does not know which of the {} people have an account",
                    PEOPLE.len()
                ),
            ),
        }
    }

    /// The one name that is right.
    pub(super) fn judge_identification(&self, claim: &Claim) -> Verdict {
        match claim {
            Claim::Identified(name) if *name == self.user => Verdict::new(
                Outcome::Broke,
                format!("the attacker knows that the sniffed login is {name}'s"),
            ),
            Claim::Identified(name) => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the attacker names {name}, but the sniffed login is {}'s",
                    self.user
                ),
            ),
            _ => Verdict::new(
                Outcome::Held,
                "the attacker does not know whose login was sniffed",
            ),
        }
    }

    /// The dearest of the attacker's connections is compared with what is promised.
    pub(super) fn judge_exhaustion(&self, resource: Resource, claim: &Claim) -> Verdict {
        let on_attackers = self.spent.iter().filter(|(on, _)| self.is_attackers(**on));
        let spent: Vec<u64> = on_attackers.map(|(_, spent)| spent.of(resource)).collect();
        let most = spent.iter().copied().max().unwrap_or_default();
        let promised = promise(resource);
        let dearest = match self.attacker_connections {
            1 => "the attacker's connection".to_owned(),
            n => format!("the most expensive of the attacker's {n} connections"),
        };
        let statement = format!(
            "{dearest} cost the server {}; the hardened server's limit is {promised}",
            work(most, resource)
        );
        match (most > promised, claim) {
            (false, _) if self.attacker_connections == 0 => {
                Verdict::new(Outcome::Inconclusive, "the attacker never connected")
            }
            (false, _) => Verdict::new(Outcome::Held, statement),
            (true, Claim::Spent) => Verdict::new(Outcome::Broke, statement),
            (true, _) => Verdict::new(Outcome::Inconclusive, statement),
        }
    }

    /// Whether the honest user, coming back, is served.
    pub(super) fn judge_denial(&self, claim: &Claim) -> Verdict {
        match (&self.returned, claim) {
            (Some(Ok(())), _) => Verdict::new(
                Outcome::Held,
                format!("{} connected again and was served", self.user),
            ),
            (Some(Err(why)), Claim::Denied) => Verdict::new(
                Outcome::Broke,
                format!("{} connected again and was not served: {why}", self.user),
            ),
            _ => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "{} did not connect again, and the attack does not claim that this failed",
                    self.user
                ),
            ),
        }
    }
}

/// The most that the hardened server spends on one stranger's connection.
fn promise(resource: Resource) -> u64 {
    match resource {
        Resource::KeyOperations => 2,
        Resource::Hashes => 0,
        // The deadline of the handshake, and a second for the answer and the end of the connection.
        Resource::Time => 11,
    }
}

/// A number with the unit of the resource.
fn work(amount: u64, resource: Resource) -> String {
    let (one, more) = match resource {
        Resource::KeyOperations => ("key operation", "key operations"),
        Resource::Hashes => ("password hash", "password hashes"),
        Resource::Time => ("second", "seconds"),
    };
    format!("{amount} {}", if amount == 1 { one } else { more })
}
