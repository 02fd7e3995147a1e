//! Signatures that cover too little.

use latchstring_attacker::protocol::hardened::{
    defence::{Defence, Defences},
    message::Hello,
    primitives::hash,
    role::Role,
    signature::signed_content,
};

use super::Weakened;

/// The bytes that a signature covers without some of its defences.
pub(super) fn signed(weakened: &Weakened, role: Role, transcript: &[u8]) -> Vec<u8> {
    let covered = match weakened.keeps(Defence::TranscriptSignature) {
        true => hash(&[transcript]),
        false => hash_of_randoms(weakened, transcript),
    };
    match weakened.keeps(Defence::ContextStrings) {
        true => signed_content(role, &covered),
        false => [&[0x20; 64][..], &covered].concat(),
    }
}

/// Fresh, but silent about whose keys these are.
fn hash_of_randoms(weakened: &Weakened, transcript: &[u8]) -> [u8; 32] {
    let (client, server) = transcript.split_at(Hello::client_len(weakened));
    hash(&[&client[10..42], &server[2..34]])
}
