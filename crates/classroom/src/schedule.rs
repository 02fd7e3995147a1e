//! The times of a recording, and where its bytes are cut.
//!
//! A session is really run, and how fast that was depends on the machine of that day. A capture must be the same to the byte
//! when it is made again: a grader compares it. So the times are drawn, and replies that were read in one piece on a busy
//! machine are cut where the server sent them.

use std::time::Duration;

use latchstring_attacker::{
    capture::trace::{Chunk, Side, Trace},
    protocol_faithful::{
        keys::{IV_LEN, KEY_LEN},
        message::{REPLIES_LEN, SUCCESS},
    },
};
use rand::{Rng, RngExt};

/// The client's chunks in front of what a person types: both protocols begin with at most two.
const HANDSHAKE: usize = 2;
/// From one packet to the answer.
const ANSWER: std::ops::Range<u64> = 300..2_000;
/// From one message that a person types to the next.
const TYPING: std::ops::Range<u64> = 900_000..6_000_000;

/// Draws the times of a recording.
pub(super) fn draw_times(trace: &mut Trace, randomness: &mut impl Rng) {
    let mut now = Duration::ZERO;
    let mut of_client = 0;
    for chunk in &mut trace.chunks {
        of_client += usize::from(chunk.from == Side::Client);
        let typed = chunk.from == Side::Client && of_client > HANDSHAKE;
        let range = if typed { TYPING } else { ANSWER };
        now += Duration::from_micros(randomness.random_range(range));
        chunk.at = now;
    }
}

/// Cuts the three replies of the faithful server where it sent them.
pub(super) fn cut_replies(trace: &mut Trace) {
    let said = trace.stream(Side::Server);
    let first = trace
        .chunks
        .iter()
        .position(|chunk| chunk.from == Side::Server);
    let (Some(first), REPLIES_LEN) = (first, said.len()) else {
        return;
    };
    let at = trace.chunks[first].at;
    trace.chunks.retain(|chunk| chunk.from == Side::Client);
    let (greeting, rest) = said.split_at(SUCCESS.len());
    let (key, iv) = rest.split_at(KEY_LEN);
    debug_assert_eq!(iv.len(), IV_LEN);
    let replies = [greeting, key, iv].map(|bytes| Chunk {
        from: Side::Server,
        at,
        bytes: bytes.to_vec(),
    });
    trace.chunks.splice(first..first, replies);
}
