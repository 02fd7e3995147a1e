//! Logs in elsewhere with the login of a visitor.
//!
//! The user visits the attacker's host, and knows it. The attacker takes the login to the right server. Below rung 6 a login
//! fits every connection. From rung 6 on the signature covers the transcript, and the host's key is in it.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::Ready,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "relay",
    title: "log in elsewhere with the login of a visitor",
    goal: Goal::LogIn,
    needs: None,
    program: Program::Relay(run),
};

fn run(outside: &Outside<'_>, login: &[u8]) -> Claim {
    outside.say_as_user(Ready(login.to_vec()), b"relayed by mallory")
}
