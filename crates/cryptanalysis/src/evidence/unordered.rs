//! The predictions about plaintexts under an unknown keystream without knowledge of a language: some bytes are more
//! frequent than others, in any order.
//!
//! The frequencies are those of the columns read before, since the best keystream shows the bytes of the plaintexts. In
//! each column all 256 keystream bytes are possible. So this explains base64, digits or machine code as well as they
//! can be explained, however much of it looks like a word.

use super::{LN_256, Reading, Source, longest};

/// How many bytes the uniform distribution counts for beside the frequencies.
const DOUBT: f64 = 8.0;

/// The logarithm of how much more probable the messages are in this way than as random bytes.
pub(super) fn gain(messages: &[Reading<'_>]) -> f64 {
    let (mut counts, mut seen) = ([0.0; 256], 0.0);
    let (mut sum, mut best) = (0.0, 0.0f64);
    for at in 0..longest(messages) {
        let gains = counts.map(|count| ((count + DOUBT / 256.0) / (seen + DOUBT)).ln() + LN_256);
        sum += column(messages, at, &gains);
        best = best.max(sum);
        let read = messages.iter().filter_map(|message| message.bytes.get(at));
        for read in read.filter(|read| read.source == Source::Guessed) {
            counts[usize::from(read.plain)] += 1.0;
            seen += 1.0;
        }
    }
    best
}

/// The gain of one column in which each plaintext byte has this gain, over all keystream bytes that are possible.
fn column(messages: &[Reading<'_>], at: usize, gains: &[f64; 256]) -> f64 {
    let (mut by_key, mut of_any_key, mut known) = ([0.0; 256], 0.0, None);
    for message in messages {
        let (Some(read), Some(&cipher)) = (message.bytes.get(at), message.ciphertext.get(at))
        else {
            continue;
        };
        match read.source {
            Source::Repeats => of_any_key += read.gain,
            Source::Given => {
                of_any_key += read.gain;
                known = Some(cipher ^ read.plain);
            }
            Source::Guessed => (0..=255u8).zip(&mut by_key).for_each(|(key, sum)| {
                *sum += gains[usize::from(cipher ^ key)];
            }),
        }
    }
    let of_the_keys = match known {
        Some(key) => by_key[usize::from(key)],
        None => {
            let most = by_key.into_iter().fold(f64::MIN, f64::max);
            let sum: f64 = by_key.iter().map(|sum| (sum - most).exp()).sum();
            most + sum.ln()
        }
    };
    of_any_key + of_the_keys - LN_256
}
