//! Is a reading better than chance? A test of significance for what [`solve`](crate::solve()) reads.
//!
//! The solver always returns the text that reads best. Of random bytes that text still looks like words, so it proves
//! nothing by itself. The test compares two explanations of the same ciphertexts, by how probable each makes them:
//!
//! - *Language:* an unknown keystream, every byte of it equally likely, and messages of the language under it. A message
//!   may also be no text at all, and the language may end before the longest message does.
//! - *No language:* all that can be said about bytes without looking at their order. [`plain`] does so for the
//!   ciphertexts: random ones, few different ones, columns that are alike (headers, counters). [`unordered`] does so
//!   under an unknown keystream: characters that are frequent, in any order (base64, machine code).
//!
//! Where a message repeats an earlier one, both explanations say the same. A text that was sent twice, or a header in front
//! of each message, is only one witness.
//!
//! The ratio of the two is an upper bound, not an estimate. Without language, it reaches R with a probability of at
//! most 1/R. This is Markov's inequality, since the ratio's expectation is at most 1 (Vovk and Wang, "E-values:
//! calibration, combination and applications", 2021). No simulation is needed, and it holds for any number and length
//! of messages. Searching for the best keystream costs nothing extra: one keystream is one term of the sum over all of
//! them.

use std::collections::HashSet;

use crate::language::Language;
use crate::solve::{Mixture, Recovered, surprises};

mod plain;
mod unordered;

/// The natural logarithm of the number of values of a byte.
pub(crate) const LN_256: f64 = 5.545_177_444_479_562;
/// A reading counts as language when chance reaches its ratio once in a million times, or more rarely.
const CONVINCING: f64 = 13.815_510_557_964_274;

/// A plaintext that was not guessed: it was given, or pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The number of the message, from 0.
    pub message: usize,
    /// Where in the message the text begins.
    pub offset: usize,
    /// How many bytes it has.
    pub length: usize,
}

/// How much better language explains ciphertexts than chance does.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Evidence {
    ln_ratio: f64,
}

impl Evidence {
    /// Judges what was read. `given` says which texts were known before: they prove nothing about themselves, but their
    /// keystream is not guessed.
    pub fn of(
        ciphertexts: &[Vec<u8>],
        recovered: &Recovered,
        given: &[Given],
        language: &Language,
    ) -> Self {
        let mut mixture = Mixture::new(language);
        let mut seen = HashSet::new();
        // A message that was sent twice is no second witness.
        let different = (0..ciphertexts.len()).filter(|&i| seen.insert(&ciphertexts[i]));
        let mut read: Vec<Reading> = different
            .filter_map(|i| Reading::new(i, ciphertexts, recovered, given, &mut mixture))
            .collect();
        let columns: Vec<&[u8]> = read.iter().map(|reading| reading.ciphertext).collect();
        let plain = plain::gains(&columns);
        for (repeats, (reading, plain)) in repeats(&columns).iter().zip(read.iter_mut().zip(&plain))
        {
            reading.neutralize(repeats, plain);
        }
        let languages = (Language::NAMES.len() as f64).ln();
        Self {
            ln_ratio: by_language(&read)
                - languages
                - plain::gain(&plain).max(unordered::gain(&read)),
        }
    }

    /// The probability, at most, that chance gives a reading this good.
    pub fn chance(self) -> f64 {
        (-self.ln_ratio).exp().min(1.0)
    }

    /// The same after the best of many hypotheses was taken, where `ln_hypotheses` is the natural logarithm of their
    /// number.
    #[must_use]
    pub fn best_of(self, ln_hypotheses: f64) -> Self {
        Self {
            ln_ratio: self.ln_ratio - ln_hypotheses,
        }
    }

    /// Whether that is small enough to claim that something was read.
    pub fn is_convincing(self) -> bool {
        self.ln_ratio >= CONVINCING
    }

    /// [`chance`](Self::chance) in words, for a sentence like "by chance, text this good comes ...".
    pub fn in_words(self) -> String {
        let digits = self.ln_ratio / std::f64::consts::LN_10;
        match digits {
            ..0.3 => "as a rule".to_owned(),
            0.3..3.0 => format!("up to once in {:.0} times", 10f64.powf(digits)),
            3.0..100.0 => format!("at most once in 10^{digits:.0} times"),
            _ => "less than once in 10^100 times".to_owned(),
        }
    }
}

/// One message as the solver reads it.
struct Reading<'a> {
    /// As far as it was read.
    ciphertext: &'a [u8],
    bytes: Vec<Read>,
}

/// One byte as the solver reads it.
struct Read {
    /// The gain (natural logarithm) of taking the byte for text and not for a random byte.
    gain: f64,
    plain: u8,
    source: Source,
}

/// Where a byte of plaintext comes from.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Guessed,
    Given,
    /// The message repeats another one at this place: no explanation gains more by it than the others.
    Repeats,
}

impl<'a> Reading<'a> {
    fn new(
        number: usize,
        ciphertexts: &'a [Vec<u8>],
        recovered: &Recovered,
        given: &[Given],
        mixture: &mut Mixture<'_>,
    ) -> Option<Self> {
        let bytes = recovered.messages.get(number)?;
        let text = || bytes.iter().map_while(|byte| byte.value);
        let is_given = |at: usize| {
            let mut here = given.iter().filter(|given| given.message == number);
            here.any(|given| {
                at.checked_sub(given.offset)
                    .is_some_and(|at| at < given.length)
            })
        };
        let surprises = surprises(text(), mixture).into_iter();
        let read = surprises.zip(text()).enumerate();
        let read = read.map(|(at, (surprise, plain))| match is_given(at) {
            true => Read {
                gain: LN_256,
                plain,
                source: Source::Given,
            },
            false => Read {
                gain: LN_256 - f64::from(surprise),
                plain,
                source: Source::Guessed,
            },
        });
        let bytes: Vec<Read> = read.collect();
        let ciphertext = ciphertexts[number].get(..bytes.len())?;
        Some(Self { ciphertext, bytes })
    }

    /// Takes what the bytes that repeat another message gain as ciphertexts for what they gain as text.
    fn neutralize(&mut self, repeats: &[bool], plain: &[f64]) {
        let guessed = |read: &Read| read.source == Source::Guessed;
        for ((read, &repeats), &plain) in self.bytes.iter_mut().zip(repeats).zip(plain) {
            if repeats && guessed(read) {
                (read.source, read.gain) = (Source::Repeats, plain);
            }
        }
    }
}

/// A message repeats another one once this number of their bytes agreed.
const AGREED: usize = 3;

/// For each byte, whether it stands where its message has just repeated an earlier one. The byte's value does not
/// matter, so it can be predicted.
fn repeats(messages: &[&[u8]]) -> Vec<Vec<bool>> {
    let mut repeats: Vec<Vec<bool>> = messages.iter().map(|all| vec![false; all.len()]).collect();
    for (i, message) in messages.iter().enumerate() {
        for earlier in &messages[..i] {
            let mut agreed = 0;
            for (at, (byte, other)) in message.iter().zip(*earlier).enumerate() {
                repeats[i][at] |= agreed >= AGREED;
                agreed = if byte == other { agreed + 1 } else { 0 };
            }
        }
    }
    repeats
}

/// The logarithm of how much more probable than random bytes the messages are as language under an unknown keystream.
fn by_language(messages: &[Reading<'_>]) -> f64 {
    let longest = longest(messages);
    let mut sums = vec![0.0; messages.len()];
    let mut best = 0.0f64;
    for end in 0..longest {
        for (sum, message) in sums.iter_mut().zip(messages) {
            *sum += message.bytes.get(end).map_or(0.0, |read| read.gain);
        }
        // Each message is text or not, as likely as not.
        let messages: f64 = sums.iter().map(|&sum| ln_sum(sum, 0.0) - 2f64.ln()).sum();
        let keystream = (end + 1) as f64 * LN_256;
        best = best.max(messages - keystream - (longest as f64).ln());
    }
    best
}

fn longest(messages: &[Reading<'_>]) -> usize {
    let lengths = messages.iter().map(|message| message.bytes.len());
    lengths.max().unwrap_or(0)
}

/// `ln(e^a + e^b)`
fn ln_sum(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
