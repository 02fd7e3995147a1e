//! What really happened, and the verdict that follows. An attack's claim is believed only where the truth bears it out.

use latchstring_arena::verdict::{Outcome, Verdict};
use latchstring_attacker::protocol_faithful::keys::PrivateKey;

use crate::{
    accounts::Work,
    attack::{Claim, Goal},
    cast,
    complaint::Ending,
    server::{Event, What},
};

/// What the peers know at the end of a run.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// What the user typed.
    pub typed: Vec<Vec<u8>>,
    /// How the user's client saw the session end.
    pub client: Option<Ending>,
    /// How many texts the client holds to be answered.
    pub answered: u32,
    /// Everything that the server believed.
    pub log: Vec<Event>,
    /// The user's connection; none if the user reached another server.
    pub honest: Option<usize>,
    /// What the attacker's own server was told.
    pub harvested: Vec<Vec<u8>>,
    /// What the server spent on the attacker.
    pub spent: Work,
    /// Whether the server is stopped.
    pub stopped: bool,
    /// The user's second visit, after the attack: whether the login was taken.
    pub let_in_again: Option<bool>,
    /// How many lines the attacker holds.
    pub held_lines: usize,
    /// The user's password.
    pub password: String,
}

impl Truth {
    /// The texts that the server took on the user's connection, in order.
    pub fn delivered(&self) -> Vec<&[u8]> {
        let ours = self
            .log
            .iter()
            .filter(|event| Some(event.connection) == self.honest);
        let texts = ours.filter_map(|event| match &event.what {
            What::Took(text) => Some(&text[..]),
            _ => None,
        });
        texts.collect()
    }

    /// How the server saw the user's session end.
    pub fn server(&self) -> Option<&Ending> {
        let mut ours = self
            .log
            .iter()
            .filter(|event| Some(event.connection) == self.honest);
        ours.find_map(|event| match &event.what {
            What::Ended(ending) => Some(ending),
            _ => None,
        })
    }

    /// Whether neither end noticed that something is wrong.
    fn unnoticed(&self) -> bool {
        let fine = |ending: Option<&Ending>| ending.is_some_and(|ending| !ending.is_complaint());
        fine(self.client.as_ref()) && fine(self.server())
    }

    /// Whether the session went as it does with nobody on its path.
    pub fn is_as_typed(&self) -> bool {
        self.unnoticed() && self.delivered() == self.typed
    }

    /// On the attackers' connections: who was let in, and what the server took from there.
    fn posed_as(&self, user: &str, said: &[u8]) -> bool {
        let on = |connection: usize, what: &What| {
            (self.log.iter()).any(|event| event.connection == connection && event.what == *what)
        };
        let connections = self.log.iter().map(|event| event.connection);
        let mut others = connections.filter(|connection| Some(*connection) != self.honest);
        others.any(|id| on(id, &What::LetIn(user.to_owned())) && on(id, &What::Took(said.to_vec())))
    }
}

/// The verdict on a claim.
pub fn judge(goal: Goal, claim: &Claim, truth: &Truth) -> Verdict {
    let (reached, statement) = match goal {
        Goal::Read => read(claim, truth),
        Goal::Identify => match claim {
            Claim::Name(name) if name == "alice" => (true, format!("the login names {name}")),
            Claim::Name(name) => (false, format!("{name} did not log in")),
            _ => (false, "no candidate fits the recorded login".to_owned()),
        },
        Goal::Alter | Goal::Repeat | Goal::Reorder | Goal::Drop | Goal::Truncate => {
            on_path(goal, truth)
        }
        Goal::Reflect => reflected(truth),
        Goal::Harvest => match truth.harvested.first() {
            Some(text) => (
                true,
                format!("the user said {} to the attacker's server", quoted(text)),
            ),
            None => (
                false,
                "the user said nothing to the attacker's server".to_owned(),
            ),
        },
        Goal::LogIn => logged_in(claim, truth),
        Goal::Enumerate => match claim {
            Claim::Accounts(said) if *said == cast::enrolled() => {
                (true, "the list of accounts is right".to_owned())
            }
            _ => (false, "all names are answered alike".to_owned()),
        },
        Goal::Trials => {
            let tried = truth.spent.trials;
            let statement = format!("a junk login cost {tried} trials of users' private keys");
            (tried > 1, statement)
        }
        Goal::Hashes => {
            let hashes = truth.spent.hashes;
            (
                hashes > 0,
                format!("strangers cost {hashes} password hashes"),
            )
        }
        Goal::Deny => match truth.let_in_again {
            Some(false) => (true, "the user cannot log in any more".to_owned()),
            _ => (false, "the user still logs in".to_owned()),
        },
        Goal::HoldOpen => held_open(truth),
        Goal::Stop if truth.stopped => (true, "the server is stopped for everybody".to_owned()),
        Goal::Stop => (false, "the server still runs".to_owned()),
        Goal::Credentials => credentials(claim, truth),
    };
    let outcome = if reached {
        Outcome::Broke
    } else {
        Outcome::Held
    };
    Verdict::new(outcome, statement)
}

/// Every text that is claimed was typed, from its beginning.
fn read(claim: &Claim, truth: &Truth) -> (bool, String) {
    let Claim::Read(texts) = claim else {
        return (false, "the attack read nothing".to_owned());
    };
    let typed = |text: &Vec<u8>| truth.typed.iter().any(|typed| typed == text);
    match texts.iter().find(|text| typed(text)) {
        Some(text) if texts.iter().all(typed) => (
            true,
            format!("{} texts read, among them {}", texts.len(), quoted(text)),
        ),
        _ => (false, "the claimed texts were not typed".to_owned()),
    }
}

fn on_path(goal: Goal, truth: &Truth) -> (bool, String) {
    let delivered = truth.delivered();
    let typed: Vec<&[u8]> = truth.typed.iter().map(|text| &text[..]).collect();
    let times = |text: &[u8]| delivered.iter().filter(|there| **there == text).count();
    let strange = delivered.iter().find(|text| !typed.contains(text));
    let (reached, how) = match goal {
        Goal::Alter => match strange {
            Some(text) if std::str::from_utf8(text).is_ok() => {
                (true, format!("the server took {}", quoted(text)))
            }
            _ => (false, String::new()),
        },
        Goal::Repeat => {
            let twice = typed.iter().find(|text| times(text) > 1);
            let how = twice.map(|text| format!("the server took {} twice", quoted(text)));
            (how.is_some(), how.unwrap_or_default())
        }
        Goal::Reorder => {
            let all = typed.iter().all(|text| times(text) == 1) && delivered.len() == typed.len();
            (
                all && delivered != typed,
                "the server took the texts in another order".to_owned(),
            )
        }
        Goal::Drop => {
            let lost = typed.iter().find(|text| times(text) == 0);
            let later = delivered.last() == typed.last();
            let how = lost.map(|text| format!("{} is lost, and neither end noticed", quoted(text)));
            (later && how.is_some(), how.unwrap_or_default())
        }
        _ => {
            let early = delivered.len() < typed.len() && typed.starts_with(&delivered);
            let server = truth.server().is_some_and(|ending| !ending.is_complaint());
            let how = format!(
                "the server took {} of {} texts for all",
                delivered.len(),
                typed.len()
            );
            return match early && server && !delivered.is_empty() {
                true => (true, how),
                false => (false, noticed(truth)),
            };
        }
    };
    match reached && truth.unnoticed() {
        true => (true, how),
        false => (false, noticed(truth)),
    }
}

/// Which end noticed, and what.
fn noticed(truth: &Truth) -> String {
    let complaint = |ending: Option<&Ending>| match ending {
        Some(Ending::Complained(complaint)) => Some(complaint.to_string()),
        _ => None,
    };
    match (complaint(truth.server()), complaint(truth.client.as_ref())) {
        (Some(why), _) => format!("the server noticed: {why}"),
        (_, Some(why)) => format!("the client noticed: {why}"),
        _ => "the server took the texts as they were typed".to_owned(),
    }
}

fn reflected(truth: &Truth) -> (bool, String) {
    let believed = truth.answered as usize == truth.typed.len() && truth.unnoticed();
    match believed {
        true => (
            true,
            "the client took its own frame for the answer".to_owned(),
        ),
        false => (false, noticed(truth)),
    }
}

fn logged_in(claim: &Claim, truth: &Truth) -> (bool, String) {
    match claim {
        Claim::Said(text) if truth.posed_as("alice", text) => (
            true,
            format!("the server took {} for alice's", quoted(text)),
        ),
        _ => (false, "the server let nobody in as alice".to_owned()),
    }
}

fn held_open(truth: &Truth) -> (bool, String) {
    let ended = |id: usize| {
        let mut of = truth.log.iter().filter(|event| event.connection == id);
        of.any(|event| matches!(event.what, What::Ended(_)))
    };
    let ids = truth.log.iter().map(|event| event.connection);
    let known = ids.max().map_or(0, |last| last + 1);
    // A connection of which the server wrote nothing down has a number all the same.
    let opened = truth
        .honest
        .map_or(0, |honest| honest + 1 + truth.held_lines);
    let still =
        (truth.honest.map_or(0, |honest| honest + 1)..known.max(opened)).any(|id| !ended(id));
    match still {
        true => (
            true,
            "the server still holds the connection after two minutes".to_owned(),
        ),
        false => (false, "the server ended the connection".to_owned()),
    }
}

fn credentials(claim: &Claim, truth: &Truth) -> (bool, String) {
    let Claim::Credentials(found) = claim else {
        return (false, "the store gave nothing that logs in".to_owned());
    };
    let is_key = PrivateKey::from_pem(found)
        .is_ok_and(|key| Some(&key.public_key()) == cast::alice().public.as_ref());
    match (is_key, *found == truth.password) {
        (true, _) => (true, "alice's private key lies in the store".to_owned()),
        (_, true) => (true, "alice's password is found".to_owned()),
        _ => (
            false,
            "the credentials that were found do not log in".to_owned(),
        ),
    }
}

fn quoted(text: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(text))
}
