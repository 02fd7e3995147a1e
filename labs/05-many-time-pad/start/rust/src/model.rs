//! How likely a letter is after another one, learnt from a page of text. Complete.

use std::{collections::BTreeMap, error::Error, fs};

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz ,.'()";
/// What a byte costs that is no letter of such a message.
const NO_LETTER: f64 = -12.0;

/// Whether a message may hold this byte.
pub fn is_letter(byte: u8) -> bool {
    LETTERS.contains(&byte)
}

/// The counts of letters and of pairs.
pub struct Model {
    pairs: BTreeMap<(u8, u8), f64>,
    singles: BTreeMap<u8, f64>,
    total: f64,
}

impl Model {
    /// Counts the letters of a file.
    pub fn learnt_from(path: &str) -> Result<Self, Box<dyn Error>> {
        let words: Vec<String> = fs::read_to_string(path)?
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let text = words.join(" ").into_bytes();
        let (mut pairs, mut singles) = (BTreeMap::new(), BTreeMap::new());
        for pair in text.windows(2) {
            *pairs.entry((pair[0], pair[1])).or_insert(0.0) += 1.0;
        }
        for letter in &text {
            *singles.entry(*letter).or_insert(0.0) += 1.0;
        }
        Ok(Self {
            pairs,
            singles,
            total: text.len() as f64,
        })
    }

    /// The logarithm of how likely `letter` is after `before`.
    pub fn score(&self, before: u8, letter: u8) -> f64 {
        if !is_letter(letter) {
            return NO_LETTER;
        }
        let single = |letter| self.singles.get(&letter).copied().unwrap_or(0.0);
        let likely = (single(letter) + 0.2) / (self.total + 0.2 * LETTERS.len() as f64);
        let pair = self.pairs.get(&(before, letter)).copied().unwrap_or(0.0);
        ((pair + 4.0 * likely) / (single(before) + 4.0)).ln()
    }
}
