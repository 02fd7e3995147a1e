//! Learns whose login was recorded.
//!
//! Textbook RSA is deterministic: the attack makes the login of everybody in the directory and looks for it in the recorded
//! bytes. From rung 5 on the login is inside the channel.

use crate::{
    attack::{Attack, Claim, Goal, Program},
    cast,
    rung::Rung,
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "login-dictionary",
    title: "learn whose login was recorded",
    goal: Goal::Identify,
    needs: None,
    program: Program::Sniff(run),
};

fn run(_: Rung, tap: &Tap) -> Claim {
    let bytes = tap.client.concat();
    let directory = cast::directory();
    let found = directory.iter().find(|(name, key)| {
        let login = key.encrypt(name.as_bytes()).unwrap_or_default();
        !login.is_empty() && bytes.windows(login.len()).any(|window| window == login)
    });
    found.map_or(Claim::Nothing, |(name, _)| Claim::Name((*name).to_owned()))
}
