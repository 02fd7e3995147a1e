//! Sessions to measure solvers on, drawn from texts that no model has seen.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use latchstring_cryptanalysis::{Byte, xor};

use crate::sources::Texts;

/// Shorter and longer messages are left out.
const LENGTHS: std::ops::RangeInclusive<usize> = 40..=200;
/// How many messages share a keystream, and how many such sessions are drawn.
const SESSIONS: [(usize, usize); 5] = [(2, 150), (3, 80), (5, 40), (10, 20), (20, 10)];
/// The texts and the language that each is in.
const SUITES: [(&str, &str); 4] = [
    ("held-out-chat", "english"),
    ("held-out-other", "english"),
    ("held-out-sms", "english"),
    ("held-out-italian", "italian"),
];

/// A solver's result for a case, and the time.
pub(crate) struct Answer {
    pub(crate) messages: Vec<Vec<Byte>>,
    /// Of two messages: how sure each pair of bytes is.
    pub(crate) pairs: Vec<f32>,
    pub(crate) time: Duration,
}

/// Messages that were encrypted under one keystream.
pub(crate) struct Case {
    /// The texts that a solver should find.
    pub(crate) texts: Vec<Vec<u8>>,
    /// The ciphertexts for the solver.
    pub(crate) ciphertexts: Vec<Vec<u8>>,
}

impl Case {
    fn new(texts: Vec<Vec<u8>>, random: &mut Random) -> Self {
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        let key: Vec<u8> = (0..longest).map(|_| random.below(256) as u8).collect();
        let ciphertexts = texts.iter().map(|text| xor(text, &key)).collect();
        Self { texts, ciphertexts }
    }

    /// How far at least two messages reach.
    pub(crate) fn reach(&self) -> usize {
        let mut lengths: Vec<usize> = self.texts.iter().map(Vec::len).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.get(1).copied().unwrap_or(0)
    }
}

/// Cases of one text and one number of messages.
pub(crate) struct Suite {
    /// The name of the text.
    pub(crate) name: &'static str,
    /// The language.
    pub(crate) language: &'static str,
    /// How many messages each case has.
    pub(crate) together: usize,
    /// The cases.
    pub(crate) cases: Vec<Case>,
}

/// All suites; the same texts give the same cases every time.
///
/// # Errors
/// If a text is too short to draw cases from.
pub(crate) fn suites(texts: &Texts) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for (name, language) in SUITES {
        let messages = texts.get(name).map_or(&[][..], Vec::as_slice);
        let fits = |message: &&String| LENGTHS.contains(&message.len());
        let messages: Vec<&String> = messages.iter().filter(fits).collect();
        for (together, sessions) in SESSIONS {
            let enough = messages.len() >= 2 * together;
            ensure!(enough, "{name} is too short: check its package");
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ together as u64);
            let case = |_| Case::new(draw(&messages, together, &mut random), &mut random);
            suites.push(Suite {
                name,
                language,
                together,
                cases: (0..sessions).map(case).collect(),
            });
        }
    }
    Ok(suites)
}

/// This number of messages, all different.
fn draw(messages: &[&String], together: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut drawn: Vec<Vec<u8>> = Vec::with_capacity(together);
    while drawn.len() < together {
        let message = messages[random.below(messages.len())].as_bytes();
        if !drawn.iter().any(|other| other == message) {
            drawn.push(message.to_vec());
        }
    }
    drawn
}

/// Writes all cases as `FOLDER/<suite>/N<messages>/<number>.hex` (one ciphertext a line) and `.txt` (one plaintext a line).
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(suites: &[Suite], folder: &Path) -> Result<()> {
    for suite in suites {
        let folder = folder.join(suite.name).join(format!("N{}", suite.together));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        for (number, case) in suite.cases.iter().enumerate() {
            let hex: Vec<String> = case.ciphertexts.iter().map(hex::encode).collect();
            let path = folder.join(format!("{number:03}.hex"));
            fs::write(&path, hex.join("\n") + "\n")?;
            fs::write(
                path.with_extension("txt"),
                [case.texts.join(&b'\n'), b"\n".to_vec()].concat(),
            )?;
        }
    }
    Ok(())
}

/// xorshift64: any fixed choice of sessions will do.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as usize % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_the_same_every_time_and_open_with_one_keystream() {
        let messages = |suite: &str| -> Vec<String> {
            let message = |i| format!("{suite}: message number {i} of those that are drawn from");
            (0..50).map(message).collect()
        };
        let texts: Texts = SUITES.map(|(name, _)| (name, messages(name))).into();
        let (first, again) = (suites(&texts).unwrap(), suites(&texts).unwrap());
        assert_eq!(first.len(), SUITES.len() * SESSIONS.len());
        for (first, again) in first.iter().zip(&again) {
            for (case, same) in first.cases.iter().zip(&again.cases) {
                assert_eq!(case.ciphertexts, same.ciphertexts);
                assert_eq!(case.texts.len(), first.together);
                let reach = case.reach();
                let key = |i: usize| xor(&case.texts[i], &case.ciphertexts[i]);
                let shorter = reach.min(key(0).len()).min(key(1).len());
                assert_eq!(key(0)[..shorter], key(1)[..shorter]);
            }
        }
        assert!(suites(&Texts::new()).is_err());
    }
}
