//! The attacks, one file each, and their registry. None of them knows which rung it will meet.

mod argon2_exhaustion;
mod bit_flip;
mod cleartext_key;
mod drop;
mod enumerate_reply;
mod enumerate_time;
mod hog;
mod impersonate;
mod in_band;
mod keystream_reuse;
mod known_plaintext;
mod length_leak;
mod lockout;
mod login_dictionary;
mod login_replay;
mod message_replay;
pub mod offline_dictionary;
mod online_guessing;
mod reading;
mod reflection;
mod relay;
mod reorder;
mod retrospective;
mod rogue_server;
pub mod seeded_keys;
mod slow_and_huge;
mod stolen_key;
mod trial_decryption;
mod truncation;

use crate::attack::Attack;

/// All attacks, in the order in which the ladder ends them.
pub const ALL: &[&Attack] = &[
    &keystream_reuse::ATTACK,
    &known_plaintext::ATTACK,
    &bit_flip::ATTACK,
    &reflection::ATTACK,
    &message_replay::ATTACK,
    &reorder::ATTACK,
    &drop::ATTACK,
    &truncation::ATTACK,
    &in_band::ATTACK,
    &cleartext_key::ATTACK,
    &retrospective::ATTACK,
    &rogue_server::ATTACK,
    &login_replay::ATTACK,
    &login_dictionary::ATTACK,
    &impersonate::ATTACK,
    &relay::ATTACK,
    &trial_decryption::ATTACK,
    &offline_dictionary::ATTACK,
    &stolen_key::ATTACK,
    &length_leak::ATTACK,
    &enumerate_reply::ATTACK,
    &enumerate_time::ATTACK,
    &online_guessing::ATTACK,
    &hog::ATTACK,
    &slow_and_huge::ATTACK,
    &lockout::ATTACK,
    &argon2_exhaustion::ATTACK,
    &seeded_keys::ATTACK,
];

/// The attack of this name.
pub fn find(id: &str) -> Option<&'static Attack> {
    ALL.iter().copied().find(|attack| attack.id == id)
}
