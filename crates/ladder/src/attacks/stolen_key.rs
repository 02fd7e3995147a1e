//! Logs in with the stolen private key alone.
//!
//! On rung 6 the key is all it takes. From rung 7 on it takes the password too, and the thief has none.

use latchstring_attacker::protocol_faithful::message::UserName;

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::Identity,
    rung::Idea,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "stolen-key",
    title: "log in with the stolen private key alone",
    goal: Goal::LogIn,
    needs: Some((Idea::Proof, "the private key is not asked for yet")),
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    outside.say_as_user(with_password(outside, "alice"), b"mallory was here")
}

/// The user with the stolen key and a guess.
pub(super) fn with_password(outside: &Outside<'_>, guess: &str) -> Identity {
    Identity {
        name: UserName::parse(outside.user).expect("a good name"),
        public: None,
        key: Some(outside.stolen_key.clone()),
        password: guess.to_owned(),
    }
}
