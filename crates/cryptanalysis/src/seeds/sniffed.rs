//! Knowing the right secrets by what they make of a session.

use std::ops::Range;

use super::{
    Secrets, Test, aes_ni,
    cuts::{Cutting, Piece, Stretch, cut},
    lanes::LANES,
    text::{Gains, Head, KINDS, keystream},
};

/// The number of bytes of a session that are used to recognise the right secrets; afterwards all of it is read with
/// them.
const LOOKED_AT: usize = 4_096;
/// The number of places that are tried as the beginning of a message, before the full search for cuts.
const HEADS: usize = 4;
/// Where fewer heads than this are whole, messages may have run together, and then short ones count as well.
const ENOUGH_HEADS: usize = 3;
const SHORT_HEAD: usize = 8;
const SHORT_HEADS: usize = 2;
/// A login of the faithful protocol is a number below a modulus of 128 bytes.
const LOGIN: Range<usize> = 120..129;
const FULL_LOGIN: usize = 128;
/// No message is taken to be longer than this.
const LONGEST: usize = 1 << 16;

/// The bytes that a client sent in one session. Secrets are right if their keystream makes texts of these bytes. The
/// places of the texts are open, since neither the cuts nor every byte can be relied on.
#[derive(Clone, Debug)]
pub struct Sniffed {
    stretches: Vec<Stretch>,
    /// The beginning of that.
    probe: Vec<Stretch>,
    heads: Vec<Head>,
    least: f64,
}

/// A part of what was sent, under certain secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A message.
    Text(String),
    /// This number of bytes that are no text under these secrets.
    NoText(usize),
}

impl Sniffed {
    /// From the ciphertexts of one session, each of one message, as far as that is known.
    pub fn new(ciphertexts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut stretch = Stretch::default();
        for ciphertext in ciphertexts {
            stretch.segments.push(stretch.bytes.len());
            stretch.bytes.extend(ciphertext);
        }
        Self::of(vec![stretch])
    }

    /// From what the client sent, login and all; between two stretches something is missing.
    pub fn of(stretches: Vec<Stretch>) -> Self {
        let probe = beginning(&stretches, LOOKED_AT);
        Self {
            heads: heads(&probe),
            probe,
            stretches,
            least: 1e3f64.ln(),
        }
    }

    /// For a search among `seeds` seeds: accepts a result that fewer than ten wrong ones are expected to reach.
    #[must_use]
    pub fn among(self, seeds: u64) -> Self {
        self.accepting((seeds as f64 / 10.0).max(10.0))
    }

    /// Accepts a result that at most one in `one_in` wrong seeds reaches.
    #[must_use]
    pub fn accepting(self, one_in: f64) -> Self {
        Self {
            least: one_in.ln(),
            ..self
        }
    }

    /// How many bytes the client sent, as far as they were recorded.
    pub fn len(&self) -> usize {
        self.stretches
            .iter()
            .map(|stretch| stretch.bytes.len())
            .sum()
    }

    /// The bytes that the client sent.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Whether nothing was recorded of what the client sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts that the secrets give for the session, in order.
    pub fn read(&self, secrets: &Secrets) -> Vec<Read> {
        let keystream = keystream(secrets, longest(&self.stretches));
        let (gains, _) = best_kind(&self.stretches, &keystream);
        let read = |stretch: &Stretch| {
            let pieces = cut(stretch, &keystream, gains).pieces.into_iter();
            let read = pieces.map(|piece| match piece.is_text {
                true => Read::Text(decrypted(stretch, piece, &keystream)),
                false => Read::NoText(piece.end - piece.start),
            });
            read.collect::<Vec<_>>()
        };
        self.stretches.iter().flat_map(read).collect()
    }

    /// The probability, at most, that wrong secrets make text of the session as well as these do. Times the number of seeds
    /// that were tried, it is how many false hits are to be expected.
    pub fn chance(&self, secrets: &Secrets) -> f64 {
        (-self.evidence(secrets)).exp().min(1.0)
    }

    /// The logarithm of a likelihood ratio, whose expectation under wrong secrets is at most 1.
    fn evidence(&self, secrets: &Secrets) -> f64 {
        let keystream = keystream(secrets, longest(&self.probe));
        let kinds = KINDS.iter().map(|gains| {
            let cuttings = self
                .probe
                .iter()
                .map(|stretch| cut(stretch, &keystream, gains));
            let cuttings: Vec<Cutting> = cuttings.collect();
            corrected(&self.probe, &cuttings, &keystream, gains)
        });
        kinds.fold(f64::MIN, f64::max) - (KINDS.len() as f64).ln()
    }
}

impl Test for Sniffed {
    fn accepts(&self, secrets: &Secrets) -> bool {
        let block = aes_ni::first_block(secrets);
        let looks_right = self.heads.iter().any(|head| head.may_be_text(&block));
        looks_right && self.evidence(secrets) >= self.least
    }

    fn select(&self, candidates: &[Secrets; LANES]) -> Vec<usize> {
        let mut blocks = [[0; 16]; LANES];
        aes_ni::first_blocks(candidates, &mut blocks);
        let mut pass = [false; LANES];
        for head in &self.heads {
            for (pass, block) in pass.iter_mut().zip(&blocks) {
                *pass |= head.may_be_text(block);
            }
        }
        let passed = (0..LANES).filter(|&lane| pass[lane]);
        passed
            .filter(|&lane| self.evidence(&candidates[lane]) >= self.least)
            .collect()
    }
}

/// The first `length` bytes of a session.
fn beginning(stretches: &[Stretch], length: usize) -> Vec<Stretch> {
    let mut left = length;
    let mut out = Vec::new();
    for stretch in stretches.iter().filter(|stretch| !stretch.bytes.is_empty()) {
        let taken = stretch.bytes.len().min(left);
        if taken == 0 {
            break;
        }
        left -= taken;
        out.push(Stretch {
            bytes: stretch.bytes[..taken].to_vec(),
            segments: stretch
                .segments
                .iter()
                .copied()
                .filter(|&at| at < taken)
                .collect(),
        });
    }
    out
}

/// The possible beginnings of messages: the best of the places at which segments begin.
fn heads(stretches: &[Stretch]) -> Vec<Head> {
    let mut found: Vec<(usize, bool, Head)> = Vec::new();
    for (number, stretch) in stretches.iter().enumerate() {
        let mut borders: Vec<usize> = [0]
            .into_iter()
            .chain(stretch.segments.iter().copied())
            .collect();
        // The login may have run together with what follows.
        borders.extend((number == 0).then_some(FULL_LOGIN));
        borders.push(stretch.bytes.len());
        borders.retain(|&at| at <= stretch.bytes.len());
        borders.sort_unstable();
        borders.dedup();
        for (i, &start) in borders.iter().enumerate() {
            let login =
                number == 0 && i == 0 && borders.get(1).is_some_and(|at| LOGIN.contains(at));
            // To the end of the segment; and to the end of the next one, in case that one belongs to it.
            for &end in borders.iter().skip(i + 1).take(2) {
                let length = (end - start).min(16);
                found.push((
                    length,
                    login,
                    Head::new(&stretch.bytes[start..start + length]),
                ));
                if length == 16 {
                    break;
                }
            }
        }
    }
    found.sort_by_key(|&(length, login, _)| (login, std::cmp::Reverse(length)));
    let whole = found
        .iter()
        .filter(|(length, login, _)| *length == 16 && !login)
        .count();
    let mut heads: Vec<Head> = found
        .iter()
        .map(|(_, _, head)| head.clone())
        .take(HEADS)
        .collect();
    if whole < ENOUGH_HEADS {
        heads.extend(
            found
                .iter()
                .filter(|(length, login, _)| *length > SHORT_HEAD && !login)
                .map(|(_, _, head)| head.shortened(SHORT_HEAD))
                .take(SHORT_HEADS),
        );
    }
    heads
}

/// How long a keystream is needed for these.
fn longest(stretches: &[Stretch]) -> usize {
    let lengths = stretches.iter().map(|stretch| stretch.bytes.len());
    lengths.max().unwrap_or(0).min(LONGEST)
}

/// The kind of text that explains a session best.
fn best_kind(stretches: &[Stretch], keystream: &[u8]) -> (&'static Gains, f64) {
    let score = |gains: &'static Gains| {
        let cuttings = stretches
            .iter()
            .map(|stretch| cut(stretch, keystream, gains).score);
        (gains, cuttings.sum::<f64>())
    };
    let kinds = KINDS.iter().map(score);
    kinds.fold((&KINDS[0], f64::MIN), |best, next| {
        if next.1 > best.1 { next } else { best }
    })
}

/// The evidence of a cutting.
///
/// The score of a cutting takes the bytes of different messages for independent. They are dependent, because all
/// messages are under one keystream. A wrong keystream that makes text of one message often makes text of the others
/// too. So at each place of the keystream the texts that this byte makes of all messages are compared with the average
/// over all 256 bytes.
fn corrected(stretches: &[Stretch], cuttings: &[Cutting], keystream: &[u8], gains: &Gains) -> f64 {
    let texts: Vec<&[u8]> = (stretches.iter().zip(cuttings))
        .flat_map(|(stretch, cutting)| {
            let texts = cutting.pieces.iter().filter(|piece| piece.is_text);
            texts.map(|piece| &stretch.bytes[piece.start..piece.end])
        })
        .collect();
    let all: f64 = cuttings.iter().map(|cutting| cutting.score).sum();
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    let mut bytes_alone = 0.0;
    let mut together = 0.0;
    for (at, &key) in keystream.iter().enumerate().take(longest) {
        let column: Vec<u8> = texts
            .iter()
            .filter_map(|text| text.get(at))
            .copied()
            .collect();
        let made = |key: u8| {
            column
                .iter()
                .map(|byte| gains[usize::from(byte ^ key)])
                .sum::<f64>()
        };
        let this = made(key);
        bytes_alone += this;
        together += match column.len() {
            // The average over all keystream bytes is 1 then.
            1 => this,
            _ => this - ln_mean(&std::array::from_fn(|key| made(key as u8))),
        };
    }
    all - bytes_alone + together
}

/// The logarithm of the mean of numbers given by their logarithms.
fn ln_mean(logarithms: &[f64; 256]) -> f64 {
    let largest = logarithms.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = logarithms.iter().map(|ln| (ln - largest).exp()).sum();
    largest + (sum / 256.0).ln()
}

fn decrypted(stretch: &Stretch, piece: Piece, keystream: &[u8]) -> String {
    let text = crate::keystream::xor(&stretch.bytes[piece.start..piece.end], keystream);
    String::from_utf8_lossy(&text).into_owned()
}
