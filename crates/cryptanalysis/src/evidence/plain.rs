//! The predictions about the bytes of messages without knowledge of a language. A predictor mixes four opinions and
//! learns which of them to trust.
//!
//! The predictor goes through the messages column by column. A column is what stands at one place of all messages, so
//! it is what one keystream byte encrypted. The order of the columns means nothing to the opinions, and that is the
//! point: a language is what only shows in the order.

/// How many opinions there are.
const OPINIONS: usize = 4;
/// The weights of the opinions at the start: random bytes, frequent bytes, alike in the column, alike in the upper
/// half.
const FIRST: [f64; OPINIONS] = [0.4, 0.2, 0.2, 0.2];
/// The part of the weights that is dealt out again after each byte, so that an opinion that was wrong can come back.
const SHARE: f64 = 0.02;
/// How many bytes the uniform distribution counts for beside the frequencies.
const DOUBT: f64 = 32.0;
/// The same in one column.
const COLUMN_DOUBT: f64 = 0.3;

/// For each byte of each message, the logarithm of how much more probable it is under this predictor than as a random one.
pub(super) fn gains(messages: &[&[u8]]) -> Vec<Vec<f64>> {
    let longest = messages.iter().map(|message| message.len()).max();
    let mut predictor = Predictor::new();
    let mut gains = vec![Vec::new(); messages.len()];
    for at in 0..longest.unwrap_or(0) {
        let mut column = Column::default();
        for (message, gains) in messages.iter().zip(&mut gains) {
            if let Some(&byte) = message.get(at) {
                gains.push(predictor.byte(&mut column, byte));
            }
        }
    }
    gains
}

/// The counts of a column.
struct Column {
    whole: [f64; 256],
    upper: [f64; 16],
    above: f64,
}

impl Default for Column {
    fn default() -> Self {
        Self {
            whole: [0.0; 256],
            upper: [0.0; 16],
            above: 0.0,
        }
    }
}

/// The logarithm for the messages as a whole. Their explanation may end before the messages do, as the language may.
pub(super) fn gain(gains: &[Vec<f64>]) -> f64 {
    let longest = gains.iter().map(Vec::len).max().unwrap_or(0);
    let (mut sum, mut best) = (0.0, 0.0f64);
    for at in 0..longest {
        sum += gains.iter().filter_map(|gains| gains.get(at)).sum::<f64>();
        best = best.max(sum);
    }
    best
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

    /// The gain of one byte, below those of its column that came before.
    fn byte(&mut self, column: &mut Column, byte: u8) -> f64 {
        let (at, half) = (usize::from(byte), usize::from(byte >> 4));
        let frequent = (self.frequencies[at] + DOUBT / 256.0) / (self.seen + DOUBT);
        let above = column.above + COLUMN_DOUBT;
        let alike = (column.whole[at] + COLUMN_DOUBT * frequent) / above;
        let half_alike = (column.upper[half] + COLUMN_DOUBT / 16.0) / above / 16.0;
        let gain = self.learn([1.0 / 256.0, frequent, alike, half_alike]);
        column.whole[at] += 1.0;
        column.upper[half] += 1.0;
        column.above += 1.0;
        self.frequencies[at] += 1.0;
        self.seen += 1.0;
        gain
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
