//! Verdicts on what arrived when, on early ends, and on impostors.

use latchstring_attacker::{Claim, Order};

use super::{Truth, counted};
use crate::{
    seen::{HONEST, Seen},
    verdict::{Outcome, Verdict},
};

impl Truth {
    /// The messages at the server are compared with the typed messages; the claim only says whether the attack tried.
    pub(super) fn judge_order(&self, order: Order, claim: &Claim) -> Verdict {
        let heard = self.received_on(HONEST);
        let in_order = heard.iter().zip(&self.typed).all(|(a, b)| a == b);
        if in_order && heard.len() <= self.typed.len() {
            return match claim {
                Claim::Nothing => Verdict::new(
                    Outcome::Inconclusive,
                    "the attacker did nothing to any message",
                ),
                _ => Verdict::new(
                    Outcome::Held,
                    format!(
                        "the server accepted {} of the {} that {} typed, in order, and no other message",
                        heard.len(),
                        counted(self.typed.len(), "message"),
                        self.user,
                    ),
                ),
            };
        }
        let (done, what) = match order {
            Order::Twice => (self.heard_twice(&heard), "one message twice"),
            Order::Swapped => (
                self.heard_swapped(&heard),
                "two messages in the wrong order",
            ),
            Order::Missing => (
                self.heard_with_a_gap(&heard),
                "messages after a missing one",
            ),
        };
        match done && *claim == Claim::Reordered {
            true => Verdict::new(
                Outcome::Broke,
                format!("the server accepted {what}: {}", heard.join(" | ")),
            ),
            false => Verdict::new(
                Outcome::Inconclusive,
                format!(
                    "the server accepted other messages than the attack claims: {}",
                    heard.join(" | ")
                ),
            ),
        }
    }

    fn heard_twice(&self, heard: &[&str]) -> bool {
        let count = |text: &str| heard.iter().filter(|other| **other == text).count();
        let typed = |text: &str| self.typed.iter().filter(|other| *other == text).count();
        heard.iter().any(|text| count(text) > typed(text))
    }

    fn heard_swapped(&self, heard: &[&str]) -> bool {
        let place = |text: &&str| self.typed.iter().position(|typed| typed == text);
        let places: Option<Vec<usize>> = heard.iter().map(place).collect();
        places.is_some_and(|places| !places.is_sorted())
    }

    fn heard_with_a_gap(&self, heard: &[&str]) -> bool {
        let mut rest = self.typed.iter();
        heard.iter().all(|text| rest.any(|typed| typed == text))
    }

    /// Early, and nobody the wiser: the server calls the end agreed, and the user's program has no complaint.
    pub(super) fn judge_truncation(&self, claim: &Claim) -> Verdict {
        let heard = self.received_on(HONEST).len();
        let agreed = self.seen.iter().any(
            |seen| matches!(seen, Seen::Ended { on: HONEST, how } if how.is_without_complaint()),
        );
        let unnoticed = agreed && self.trouble.is_none();
        match (heard < self.typed.len(), unnoticed, claim) {
            (true, true, Claim::Truncated { after }) if *after == heard => Verdict::new(
                Outcome::Broke,
                format!(
                    "{} typed {} and the server has {heard}, but both ends consider the session complete",
                    self.user,
                    counted(self.typed.len(), "message"),
                ),
            ),
            (true, false, _) => Verdict::new(
                Outcome::Held,
                format!(
                    "the session ended after {} of {}, and {}",
                    heard,
                    counted(self.typed.len(), "message"),
                    match &self.trouble {
                        Some(why) => format!("{}'s program reports it: {why}", self.user),
                        None => "the server reports a truncation".to_owned(),
                    }
                ),
            ),
            _ => Verdict::new(
                Outcome::Inconclusive,
                "the session did not end as the attack claims",
            ),
        }
    }

    /// The user stayed for longer than a server may be silent, and the server was not there.
    pub(super) fn judge_lingering(&self, claim: &Claim) -> Verdict {
        let gone = self
            .seen
            .iter()
            .any(|seen| matches!(seen, Seen::Ended { on: HONEST, .. }));
        match (gone, &self.trouble, claim) {
            (true, None, Claim::Lingering) => Verdict::new(
                Outcome::Broke,
                format!(
                    "the server had left the session, but {}'s program considered it open to the end",
                    self.user
                ),
            ),
            (true, Some(why), Claim::Lingering) => Verdict::new(
                Outcome::Held,
                format!("{}'s program reports an error: {why}", self.user),
            ),
            _ => Verdict::new(Outcome::Inconclusive, "the server was not cut off"),
        }
    }

    /// Only what is really the user's counts as harvest.
    pub(super) fn judge_harvest(&self, claim: &Claim) -> Verdict {
        let (password, messages) = match claim {
            Claim::Harvested { password, messages } => (password.as_deref(), &messages[..]),
            _ => (None, &[][..]),
        };
        let has_password = password == Some(self.password.as_bytes());
        let has_messages = !messages.is_empty() && self.typed.starts_with(messages);
        match (has_password, has_messages) {
            (false, false) if password.is_some() || !messages.is_empty() => Verdict::new(
                Outcome::Inconclusive,
                "the attacker claims a password or messages that the user never sent",
            ),
            (false, false) => Verdict::new(
                Outcome::Held,
                format!("{} sent the attacker no password and no message", self.user),
            ),
            _ => Verdict::new(
                Outcome::Broke,
                format!(
                    "{} accepted the attacker as the server, and sent {}{}",
                    self.user,
                    if has_password {
                        "the password and "
                    } else {
                        ""
                    },
                    counted(messages.len(), "message"),
                ),
            ),
        }
    }
}
