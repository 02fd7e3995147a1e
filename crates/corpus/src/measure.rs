//! How good the solver is, on texts that no model has seen.

use std::time::{Duration, Instant};

use latchstring_cryptanalysis::{Keystream, Language, Mode, Recovered, solve, xor};

use crate::sources::Texts;

/// Shorter and longer messages are left out.
const LENGTHS: std::ops::RangeInclusive<usize> = 40..=200;
/// How many messages share a keystream, and how many such sessions are solved.
const SESSIONS: [(usize, usize); 5] = [(2, 150), (3, 80), (5, 40), (10, 20), (20, 10)];
const SUITES: [(&str, &str); 3] = [
    ("held-out-chat", "english"),
    ("held-out-other", "english"),
    ("held-out-italian", "italian"),
];
/// Claims at or above this are counted apart.
const SURE: f32 = 0.95;

/// Prints a table: per text and number of messages, the share of right bytes and the time.
pub(crate) fn print(texts: &Texts) {
    println!(
        "| text | messages | right | pairs right | claimed at 95 % | of these right | ms a byte |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, language) in SUITES {
        let language = Language::named(language).unwrap_or_else(Language::english);
        let messages = texts.get(name).map_or(&[][..], Vec::as_slice);
        let messages: Vec<&[u8]> = messages.iter().map(String::as_bytes).collect();
        let messages: Vec<&[u8]> = messages
            .into_iter()
            .filter(|m| LENGTHS.contains(&m.len()))
            .collect();
        for (together, sessions) in SESSIONS {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ together as u64);
            let mut total = Counts::default();
            for _ in 0..sessions {
                let session: Vec<&[u8]> = (0..together)
                    .map(|_| messages[random.below(messages.len())])
                    .collect();
                total.add(&session, language, &mut random);
            }
            println!("| {name} | {together} | {total} |");
        }
    }
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

#[derive(Default)]
struct Counts {
    right: usize,
    pairs: usize,
    covered: usize,
    sure: usize,
    sure_and_right: usize,
    bytes: usize,
    time: Duration,
    two: bool,
}

impl Counts {
    /// Encrypts a session, solves it and compares, as far as at least two messages reach.
    fn add(&mut self, session: &[&[u8]], language: &Language, random: &mut Random) {
        let longest = session.iter().map(|text| text.len()).max().unwrap_or(0);
        let key: Vec<u8> = (0..longest).map(|_| random.below(256) as u8).collect();
        let ciphertexts: Vec<Vec<u8>> = session.iter().map(|text| xor(text, &key)).collect();
        let start = Instant::now();
        let mut found = solve(&ciphertexts, language, &Keystream::new(), Mode::Fast);
        self.time += start.elapsed();
        self.bytes += ciphertexts.iter().map(Vec::len).sum::<usize>();
        self.two = session.len() == 2;
        let mut lengths: Vec<usize> = session.iter().map(|text| text.len()).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        let reach = lengths[1];
        if self.two {
            self.pairs += 2
                * (0..reach)
                    .filter(|&at| pair_is_right(&found, session, at))
                    .count();
            let exchanged: Vec<_> = found.messages.iter().rev().cloned().collect();
            let exchanged = Recovered {
                messages: exchanged,
            };
            if right(&exchanged, session, reach) > right(&found, session, reach) {
                found = exchanged;
            }
        }
        self.right += right(&found, session, reach);
        for (text, message) in session.iter().zip(&found.messages) {
            for (truth, byte) in text.iter().zip(message).take(reach) {
                self.covered += 1;
                if byte.confidence >= SURE {
                    self.sure += 1;
                    self.sure_and_right += usize::from(byte.value == Some(*truth));
                }
            }
        }
    }
}

fn right(found: &Recovered, session: &[&[u8]], reach: usize) -> usize {
    let each = session.iter().zip(&found.messages);
    let in_one = |(text, message): (&&[u8], &Vec<_>)| {
        let bytes = text.iter().zip(message).take(reach);
        bytes
            .filter(|(truth, byte): &(&u8, &latchstring_cryptanalysis::Byte)| {
                byte.value == Some(**truth)
            })
            .count()
    };
    each.map(in_one).sum()
}

fn pair_is_right(found: &Recovered, session: &[&[u8]], at: usize) -> bool {
    let pair = [0, 1].map(|message| found.messages[message][at].value);
    let truth = [0, 1].map(|message| Some(session[message][at]));
    pair == truth || pair == [truth[1], truth[0]]
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |part: usize, all: usize| match all {
            0 => "-".to_owned(),
            _ => format!("{:.1} %", 100.0 * part as f64 / all as f64),
        };
        let pairs = if self.two { self.pairs } else { 0 };
        write!(
            f,
            "{} | {} | {} | {} | {:.3}",
            percent(self.right, self.covered),
            percent(pairs, if self.two { self.covered } else { 0 }),
            percent(self.sure, self.covered),
            percent(self.sure_and_right, self.sure),
            self.time.as_secs_f64() * 1000.0 / self.bytes as f64,
        )
    }
}
