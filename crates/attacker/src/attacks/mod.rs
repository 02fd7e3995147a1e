//! The registry. One more attack is one more file, one `mod` line and one line in the table.

pub mod bit_flip;
pub mod cleartext_key;
pub mod impersonate;
pub mod keystream_reuse;
pub mod login_replay;

use crate::Attack;

/// Every attack, in the order of the matrix.
pub const ALL: [&Attack; 5] = [
    &impersonate::ATTACK,
    &login_replay::ATTACK,
    &cleartext_key::ATTACK,
    &keystream_reuse::ATTACK,
    &bit_flip::ATTACK,
];

/// The attack of this name.
pub fn find(id: &str) -> Option<&'static Attack> {
    ALL.into_iter().find(|attack| attack.id == id)
}
