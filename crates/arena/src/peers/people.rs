//! The people of the arena, and their published keys.

use latchstring_attacker::Target;

/// Somebody whose public key anybody may have.
pub struct Person {
    /// The name.
    pub name: &'static str,
    /// Whether the server knows this person. An attacker must not learn this.
    pub enrolled: bool,
    faithful: &'static str,
    hardened: &'static str,
}

impl Person {
    /// The public key for one of the protocols, as PEM.
    pub fn public_key(&self, target: Target) -> &'static str {
        match target {
            Target::Faithful => self.faithful,
            Target::Hardened => self.hardened,
        }
    }
}

macro_rules! person {
    ($name:literal, $enrolled:literal) => {
        Person {
            name: $name,
            enrolled: $enrolled,
            faithful: include_str!(concat!("../../keys/", $name, "-faithful.pub.pem")),
            hardened: include_str!(concat!("../../keys/", $name, ".pub.pem")),
        }
    };
}

/// The public directory: some of them have an account, in the order in which they got it.
pub const PEOPLE: [Person; 6] = [
    person!("alice", true),
    person!("bob", true),
    person!("carol", true),
    person!("erin", false),
    person!("frank", false),
    person!("dave", true),
];

/// People who are invited and bring keys of bad generators, as PEM: wanda's primes are neighbours, wes and willa share
/// one.
pub const NEWCOMERS: [(&str, &str); 3] = [
    ("wanda", include_str!("../../keys/wanda.pem")),
    ("wes", include_str!("../../keys/wes.pem")),
    ("willa", include_str!("../../keys/willa.pem")),
];

/// The private keys that the report's programs keep, in the order of its list. Olga and wanda are in no directory.
pub const FAITHFUL_KEYS: [(&str, &str, &str); 6] = [
    (
        "alice",
        include_str!("../../keys/alice-faithful.pem"),
        include_str!("../../keys/alice-faithful.pub.pem"),
    ),
    (
        "bob",
        include_str!("../../keys/bob-faithful.pem"),
        include_str!("../../keys/bob-faithful.pub.pem"),
    ),
    (
        "carol",
        include_str!("../../keys/carol-faithful.pem"),
        include_str!("../../keys/carol-faithful.pub.pem"),
    ),
    (
        "dave",
        include_str!("../../keys/dave-faithful.pem"),
        include_str!("../../keys/dave-faithful.pub.pem"),
    ),
    (
        "olga",
        include_str!("../../keys/olga-faithful.pem"),
        include_str!("../../keys/olga-faithful.pub.pem"),
    ),
    // Made by a bad generator: the primes are neighbours.
    (
        "wanda",
        include_str!("../../keys/wanda-faithful.pem"),
        include_str!("../../keys/wanda-faithful.pub.pem"),
    ),
];
