//! Verdicts on what was found out, forged and denied.

use latchstring_attacker::Claim;

use super::{Outcome, Truth, Verdict};

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
                    "the thief has found what is not there",
                );
            }
            _ => {
                return Verdict::new(
                    Outcome::Held,
                    format!(
                        "the thief has neither the password nor the key of {}",
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

    /// A line of the log that no event wrote. Events are one line each, if names cannot break lines.
    pub(super) fn judge_log(&self, claim: &Claim) -> Verdict {
        let written: Vec<String> = self.seen.iter().map(ToString::to_string).collect();
        let log = written.join("\n");
        let forged = log
            .lines()
            .find(|line| !written.iter().any(|event| event == line));
        match (forged, claim) {
            (None, Claim::Logged(_)) => Verdict::new(
                Outcome::Held,
                format!(
                    "each of the {} lines in the log was written by the server",
                    written.len()
                ),
            ),
            (Some(_), Claim::Logged(line)) if log.lines().any(|logged| logged == line) => {
                Verdict::new(
                    Outcome::Broke,
                    format!("the log says \"{line}\", which did not happen"),
                )
            }
            _ => Verdict::new(
                Outcome::Inconclusive,
                "the log has other lines than claimed",
            ),
        }
    }

    /// Whether the honest user, coming back, is served.
    pub(super) fn judge_denial(&self, claim: &Claim) -> Verdict {
        match (&self.returned, claim) {
            (Some(Ok(())), _) => Verdict::new(
                Outcome::Held,
                format!("{} came back meanwhile and was served", self.user),
            ),
            (Some(Err(why)), Claim::Denied) => Verdict::new(
                Outcome::Broke,
                format!("{} came back and was not served: {why}", self.user),
            ),
            _ => Verdict::new(
                Outcome::Inconclusive,
                format!("{} could not come back, and nobody claims that", self.user),
            ),
        }
    }
}
