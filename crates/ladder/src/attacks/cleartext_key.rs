//! Reads the session key off the wire.
//!
//! Below rung 5 key and IV travel in clear behind the greeting. From rung 5 on the attack takes every 32 bytes that travel
//! in clear for the shared secret; none is.

use super::reading::texts_with;
use crate::{
    attack::{Attack, Claim, Goal, Program},
    frame::{self, Frame},
    hello::{HELLO, HOST_PROOF, Transcript},
    keys::Keys,
    path::texts_of,
    rung::{Idea, Rung},
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "cleartext-key",
    title: "read the session key off the wire",
    goal: Goal::Read,
    needs: None,
    program: Program::Sniff(run),
};

fn run(rung: Rung, tap: &Tap) -> Claim {
    match rung.has(Idea::Exchange) {
        false => with_session_key(rung, tap),
        true => with_secrets(rung, tap, tap.server.windows(32)),
    }
}

/// Takes the key and the IV from their places behind the greeting.
pub(super) fn with_session_key(rung: Rung, tap: &Tap) -> Claim {
    let place = tap
        .server
        .get(26..66)
        .and_then(|place| place.split_first_chunk::<32>());
    let Some((key, iv)) = place else {
        return Claim::Nothing;
    };
    let iv = iv.try_into().expect("8 of 40 bytes");
    claim(texts_with(
        rung,
        &Keys::from_session_key(rung, key, iv),
        tap,
    ))
}

/// Tries each of these as the secret of the exchange.
pub(super) fn with_secrets<'a>(
    rung: Rung,
    tap: &Tap,
    candidates: impl Iterator<Item = &'a [u8]>,
) -> Claim {
    let transcript = transcript_of(tap);
    let frames = texts_of(rung, &tap.client);
    let Some(first) = frames
        .first()
        .and_then(|bytes| Frame::decode(rung, bytes).ok())
    else {
        return Claim::Nothing;
    };
    let candidates = candidates.filter_map(|candidate| <&[u8; 32]>::try_from(candidate).ok());
    let mut keys = candidates.map(|secret| Keys::from_exchange(secret, &transcript));
    // The first tag tells a right secret from a wrong one.
    let right = keys.find(|keys| frame::open(rung, &keys.to_server, &first).is_ok());
    right.map_or(Claim::Nothing, |keys| claim(texts_with(rung, &keys, tap)))
}

/// The hash of all that travelled in clear: everybody can compute it.
pub(super) fn transcript_of(tap: &Tap) -> [u8; 32] {
    let mut transcript = Transcript::default();
    transcript.add(tap.client.first().map_or(&[], Vec::as_slice));
    transcript.add(tap.server.get(..HELLO + HOST_PROOF).unwrap_or_default());
    transcript.hash()
}

fn claim(texts: Vec<Vec<u8>>) -> Claim {
    match texts.is_empty() {
        true => Claim::Nothing,
        false => Claim::Read(texts),
    }
}
