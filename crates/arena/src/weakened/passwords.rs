//! How passwords are stored, with the defence and without it.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use latchstring_attacker::protocol::hardened::{
    defence::{Defence, Defences},
    primitives::hash,
};
use latchstring_server_core::{
    PasswordCheck,
    store::password::{self, Cost, PasswordError},
};

/// The salt of every stored password of the arena, so that a run repeats.
const SALT: [u8; 16] = *b"published salt..";
/// The first characters of a fast hash.
const FAST: &str = "sha256$";

/// How the arena's server stores a password. The cost is not the deployed one: hundreds of runs would wait for nothing
/// else.
pub(crate) fn stored(password: &str, defences: &impl Defences) -> String {
    at_cost(password, defences, Cost::TOO_CHEAP_FOR_REAL_PASSWORDS)
}

/// How a deployed server stores it, and what a thief therefore finds.
pub(crate) fn as_deployed(password: &str, defences: &impl Defences) -> String {
    at_cost(password, defences, Cost::DEPLOYED)
}

fn at_cost(password: &str, defences: &impl Defences, cost: Cost) -> String {
    static MADE: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    if !defences.keeps(Defence::MemoryHardHash) {
        return fast(password.as_bytes());
    }
    let mut made = MADE.lock().expect("no thread panicked while hashing");
    let of = format!("{cost:?} {password}");
    let hash = || password::hash(password.as_bytes(), SALT, cost).expect("64 MiB can be had");
    made.entry(of).or_insert_with(hash).clone()
}

/// How a deployed server stores a new password under this salt.
///
/// # Errors
/// When the password is too short or too long, or there is not enough memory.
pub fn memory_hard(password: &str, salt: [u8; 16]) -> Result<String, PasswordError> {
    password::hash(password.as_bytes(), salt, Cost::DEPLOYED)
}

/// A salted SHA-256: the salt is right, and the speed is wrong.
fn fast(password: &[u8]) -> String {
    format!("{FAST}{}", hex::encode(hash(&[&SALT, password])))
}

/// Makes hashes of one kind, and compares passwords with either.
pub(crate) struct EitherHash {
    /// Whether new ones are to be slow.
    pub(crate) memory_hard: bool,
}

impl PasswordCheck for EitherHash {
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError> {
        match stored.starts_with(FAST) {
            true => Ok(stored == fast(password)),
            false => password::verify(stored, password),
        }
    }

    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
        match self.memory_hard {
            true => password::hash(password, salt, Cost::TOO_CHEAP_FOR_REAL_PASSWORDS),
            false => Ok(fast(password)),
        }
    }
}

/// Whether a password is the stored one. Guesses that were made before are remembered: a matrix has the same thief in
/// every column.
pub(crate) fn is_right(stored: &str, password: &[u8]) -> bool {
    static MADE: LazyLock<Mutex<HashMap<[u8; 32], bool>>> = LazyLock::new(Mutex::default);
    let made = || MADE.lock().expect("no thread panicked while looking");
    let guess = hash(&[stored.as_bytes(), password]);
    if let Some(right) = made().get(&guess) {
        return *right;
    }
    let check = EitherHash { memory_hard: true };
    let right = check.verify(stored, password).unwrap_or(false);
    made().insert(guess, right);
    right
}
