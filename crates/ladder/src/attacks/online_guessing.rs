//! Guesses the password with the stolen private key.
//!
//! On rung 7 the thief may guess for ever. Rung 8 disables the key after 10 wrong passwords.

use super::stolen_key::with_password;
use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    rung::Idea,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "online-guessing",
    title: "guess the password with the stolen key",
    goal: Goal::LogIn,
    needs: Some((Idea::Password, "there is no password to guess yet")),
    program: Program::Dial(run),
};

/// Passwords that people choose, the likeliest first. The user's is the thirteenth.
pub(super) const GUESSES: [&str; 13] = [
    "123456",
    "password",
    "qwerty",
    "iloveyou",
    "letmein",
    "dragon",
    "sunshine",
    "football",
    "trustno1",
    "freedom",
    "summer",
    "open sesame",
    "correct horse battery staple",
];

fn run(outside: &Outside<'_>) -> Claim {
    let mut claims = GUESSES
        .iter()
        .map(|guess| outside.say_as_user(with_password(outside, guess), b"mallory was here"));
    claims
        .find(|claim| *claim != Claim::Nothing)
        .unwrap_or(Claim::Nothing)
}
