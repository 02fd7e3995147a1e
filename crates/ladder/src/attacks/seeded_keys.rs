//! Tries the seeds of a server whose generator was seeded with the time.
//!
//! Each second of an hour is a seed. A seed is right if the generator then gives a value that travels in clear: the IV, or
//! the random of the server's hello. The next value is the session key, or the server's X25519 secret. Where randomness
//! comes from is not on the wire, so **no rung ends this attack**.

use latchstring_attacker::protocol_faithful::keys::SessionSecrets;
use rand::{RngExt, SeedableRng, rngs::ChaCha20Rng};

use super::{cleartext_key::transcript_of, reading::texts_with};
use crate::{
    attack::{Attack, Claim, Goal, Program},
    cast,
    hello::Half,
    keys::Keys,
    rung::{Idea, Rung},
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "seeded-keys",
    title: "try the seeds of a server's generator",
    goal: Goal::Read,
    needs: None,
    program: Program::SniffSeeded(run),
};

/// The hour in which the server was started, in seconds since 1970.
const STARTED: std::ops::Range<u64> = 1_577_836_800..1_577_840_400;

/// The second in which the lab's server was started; the attacker does not know it.
pub fn started(seed: u64) -> u64 {
    let mut rng = cast::rng(seed, "when the server was started");
    rng.random_range(STARTED)
}

fn run(rung: Rung, tap: &Tap) -> Claim {
    let generators = STARTED.map(ChaCha20Rng::seed_from_u64);
    let mut keys = generators.filter_map(|mut rng| match rung.has(Idea::Exchange) {
        false => session_key(rung, tap, &mut rng),
        true => exchange(rung, tap, &mut rng),
    });
    match keys.next().map(|keys| texts_with(rung, &keys, tap)) {
        Some(texts) if !texts.is_empty() => Claim::Read(texts),
        _ => Claim::Nothing,
    }
}

/// The IV is public by design; the key next to it is not looked at.
fn session_key(rung: Rung, tap: &Tap, rng: &mut ChaCha20Rng) -> Option<Keys> {
    let secrets = SessionSecrets::draw(rng);
    let right = tap.server.get(58..66) == Some(&secrets.iv[..]);
    right.then(|| Keys::from_session_key(rung, &secrets.key, &secrets.iv))
}

fn exchange(rung: Rung, tap: &Tap, rng: &mut ChaCha20Rng) -> Option<Keys> {
    let half = Half::draw(rng);
    if tap.server.get(7..39) != Some(&half.random[..]) {
        return None;
    }
    let hello = tap.client.first()?.as_slice().try_into().ok()?;
    let secret = half.agree(rung, &hello).ok()?;
    Some(Keys::from_exchange(&secret, &transcript_of(tap)))
}
