//! The registry. One more attack is one more file, one `mod` line and one line in the table.

pub mod argon2_exhaustion;
pub mod bit_flip;
pub mod bleichenbacher;
pub mod cleartext_key;
pub mod counter_wrap;
pub mod downgrade;
pub mod drop;
pub mod enrolment_takeover;
pub mod enumerate_reply;
pub mod enumerate_time;
pub mod guess_race;
pub mod hog;
pub mod impersonate;
pub mod in_band;
pub mod keystream_reuse;
pub mod known_plaintext;
pub mod length_leak;
pub mod lockout;
pub mod login_dictionary;
pub mod login_replay;
pub mod memory_dump;
pub mod message_replay;
pub mod name_injection;
pub mod offline_dictionary;
pub mod online_guessing;
pub mod reflection;
pub mod relay;
pub mod reorder;
pub mod retrospective;
pub mod rogue_server;
pub mod seeded_keys;
pub mod slow_and_huge;
pub mod state_skip;
pub mod stolen_key;
pub mod stolen_password;
pub mod trial_decryption;
pub mod truncation;
pub mod weak_keys;

use crate::Attack;

/// Every attack, in the order of the matrix: logging in, reading, changing, learning names, and exhausting resources.
pub const ALL: &[&Attack] = &[
    &impersonate::ATTACK,
    &login_replay::ATTACK,
    &state_skip::ATTACK,
    &stolen_key::ATTACK,
    &stolen_password::ATTACK,
    &cleartext_key::ATTACK,
    &retrospective::ATTACK,
    &memory_dump::ATTACK,
    &seeded_keys::ATTACK,
    &bleichenbacher::ATTACK,
    &keystream_reuse::ATTACK,
    &known_plaintext::ATTACK,
    &counter_wrap::ATTACK,
    &length_leak::ATTACK,
    &bit_flip::ATTACK,
    &message_replay::ATTACK,
    &reorder::ATTACK,
    &drop::ATTACK,
    &truncation::ATTACK,
    &reflection::ATTACK,
    &rogue_server::ATTACK,
    &downgrade::ATTACK,
    &relay::ATTACK,
    &login_dictionary::ATTACK,
    &enumerate_reply::ATTACK,
    &enumerate_time::ATTACK,
    &online_guessing::ATTACK,
    &guess_race::ATTACK,
    &offline_dictionary::ATTACK,
    &weak_keys::ATTACK,
    &enrolment_takeover::ATTACK,
    &trial_decryption::ATTACK,
    &name_injection::ATTACK,
    &hog::ATTACK,
    &slow_and_huge::ATTACK,
    &lockout::ATTACK,
    &argon2_exhaustion::ATTACK,
    &in_band::ATTACK,
];

/// The attack of this name.
pub fn find(id: &str) -> Option<&'static Attack> {
    ALL.iter().copied().find(|attack| attack.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Faithful, Run};

    /// The arena runs a conversation that is there, and no attack that does not apply.
    #[test]
    fn an_attack_has_no_conversation_with_the_reports_server_exactly_where_it_does_not_apply() {
        for attack in ALL {
            if let Run::Dial { faithful, .. } = attack.run {
                let applies = !matches!(attack.faithful, Faithful::DoesNotApply(_));
                assert_eq!(faithful.is_some(), applies, "{}", attack.id);
            }
        }
    }
}
