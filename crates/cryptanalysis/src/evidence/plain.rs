//! What can be said about the bytes of messages without knowing a language: a predictor that mixes four opinions and
//! learns which of them to trust.
//!
//! It goes through the messages column by column. A column is what stands at one place of all messages, so it is what one
//! keystream byte encrypted. The order of the columns means nothing to the opinions, and that is the point: a language is
//! what only shows in the order.

/// How many opinions there are.
const OPINIONS: usize = 4;
/// Their weights at the start: random bytes, frequent bytes, alike in the column, alike in the upper half.
const FIRST: [f64; OPINIONS] = [0.4, 0.2, 0.2, 0.2];
/// The part of the weights that is dealt out anew after each byte, so that an opinion that was wrong can come back.
const SHARE: f64 = 0.02;
/// How many bytes the uniform distribution counts for beside the frequencies.
const DOUBT: f64 = 32.0;
/// The same in one column.
const COLUMN_DOUBT: f64 = 0.3;

/// The logarithm of how much more probable the messages are under this predictor than as random bytes; never below 0.
pub(super) fn gain(messages: &[&[u8]]) -> f64 {
    let longest = messages.iter().map(|message| message.len()).max();
    let mut predictor = Predictor::new();
    let mut ln = 0.0;
    for at in 0..longest.unwrap_or(0) {
        let column = messages.iter().filter_map(|message| message.get(at));
        ln += predictor.column(column.copied());
    }
    ln.max(0.0)
}

struct Predictor {
    weights: [f64; OPINIONS],
    frequencies: [f64; 256],
    seen: f64,
}

impl Predictor {
    fn new() -> Self {
        Self {
            weights: FIRST,
            frequencies: [0.0; 256],
            seen: 0.0,
        }
    }

    /// The gain of one column.
    fn column(&mut self, bytes: impl Iterator<Item = u8>) -> f64 {
        let (mut whole, mut upper, mut above) = ([0.0; 256], [0.0; 16], 0.0);
        let mut ln = 0.0;
        for byte in bytes {
            let (at, half) = (usize::from(byte), usize::from(byte >> 4));
            let frequent = (self.frequencies[at] + DOUBT / 256.0) / (self.seen + DOUBT);
            let alike = (whole[at] + COLUMN_DOUBT * frequent) / (above + COLUMN_DOUBT);
            let half_alike = (upper[half] + COLUMN_DOUBT / 16.0) / (above + COLUMN_DOUBT) / 16.0;
            ln += self.learn([1.0 / 256.0, frequent, alike, half_alike]);
            whole[at] += 1.0;
            upper[half] += 1.0;
            above += 1.0;
            self.frequencies[at] += 1.0;
            self.seen += 1.0;
        }
        ln
    }

    /// The gain of one byte to which the opinions give these probabilities.
    fn learn(&mut self, opinions: [f64; OPINIONS]) -> f64 {
        let mixed: f64 = self.weights.iter().zip(opinions).map(|(w, p)| w * p).sum();
        for ((weight, opinion), first) in self.weights.iter_mut().zip(opinions).zip(FIRST) {
            *weight = (1.0 - SHARE) * *weight * opinion / mixed + SHARE * first;
        }
        (mixed * 256.0).ln()
    }
}
