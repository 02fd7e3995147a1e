//! Crib dragging without a crib. The computer tries every keystream byte, from left to right, and keeps the keystreams
//! under which all messages at once read most like language. The method is a beam search (Mason et al., "A natural
//! language approach to automated cryptanalysis of two-time pads", CCS 2006).
//!
//! A student who drags a crib extends it letter by letter. The text "the mee" must be "the meeting", if the next letter
//! makes sense of the other messages too. The solver does the same, with a model of the language in place of the eye.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::keystream::{Keystream, xor};
use crate::language::Language;
use crate::language::alphabet::Context;

mod beam;
mod initials;
mod lattice;
mod memory;
mod mixture;

use beam::{Effort, Search};
use initials::{CASE, Text};
pub(crate) use mixture::Mixture;
use mixture::Weights;

/// How much time a solution may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Under a millisecond for each byte of two messages, far less where there are more.
    #[default]
    Fast,
    /// Some ten to twenty times that: asks the recurrent model too. Worth it for up to five messages.
    Deep,
}

impl Mode {
    /// More messages leave fewer keystreams that make sense of them all: there the margin, not the beam, is the limit.
    fn effort(self, messages: usize) -> Effort {
        let (beam, margin) = match (self, messages) {
            (Self::Fast, 0..8) => (100, 14.0),
            (Self::Fast, _) => (100, 10.0),
            (Self::Deep, 0..=3) => (300, 20.0),
            (Self::Deep, _) => (100, 20.0),
        };
        Effort {
            beam,
            margin,
            recurrent: self == Self::Deep,
        }
    }
}

/// One byte of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Byte {
    /// The recovered plaintext; `None` where nothing determines it.
    pub value: Option<u8>,
    /// How sure that is, from 0 (undetermined) to 1 (follows from a known plaintext). Between two messages it says
    /// nothing about which of them is which: every pair of texts can be exchanged as a whole.
    pub confidence: f32,
}

/// The result of [`solve`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// For each ciphertext, in order, each of its bytes.
    pub messages: Vec<Vec<Byte>>,
    /// The certainty that these are the two bytes of two ciphertexts, for each place that both reach. The order of the
    /// two texts is left open. More cannot be claimed for two ciphertexts: the text to which each byte belongs is a
    /// guess from the bytes around it.
    pub pairs: Vec<f32>,
}

impl Recovered {
    /// The bytes of `message` without their confidence, as [`render`](crate::render) takes them; those less sure than
    /// `least` are left out.
    pub fn text(&self, message: usize, least: f32) -> Vec<Option<u8>> {
        let bytes = self.messages.get(message).map_or(&[][..], Vec::as_slice);
        let sure = |byte: &Byte| byte.value.filter(|_| byte.confidence >= least);
        bytes.iter().map(sure).collect()
    }
}

/// Recovers the plaintexts of messages encrypted under one keystream, each from its first byte on.
///
/// The bytes in `certain` are taken as they are, and so are the texts that they open (a pinned word, a known
/// plaintext). Everything else is a guess from language, and bytes that only one message reaches stay undetermined:
/// there, every plaintext is as possible as any other.
pub fn solve(
    ciphertexts: &[Vec<u8>],
    language: &Language,
    certain: &Keystream,
    mode: Mode,
) -> Recovered {
    solve_watched(ciphertexts, language, certain, mode, &mut |_, _| {
        ControlFlow::Continue(())
    })
}

/// Hears after each place how many were looked at, and how many there are, and may end the search there.
pub type Watch<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// [`solve`], but with a watcher. The places that an ended search has not reached stay undetermined.
pub fn solve_watched(
    ciphertexts: &[Vec<u8>],
    language: &Language,
    certain: &Keystream,
    mode: Mode,
    watch: &mut Watch<'_>,
) -> Recovered {
    let mut mixture = Mixture::new(language);
    let two = different(ciphertexts).len() == 2;
    let guessed = Guessed::new(ciphertexts, &mut mixture, certain, mode, watch);
    let open = |ciphertext: &Vec<u8>| open(ciphertext, &guessed.path, certain);
    let texts: Vec<Vec<Byte>> = ciphertexts.iter().map(open).collect();
    let likeness = texts.iter().map(|text| likeness(text, &mut mixture));
    let likeness: Vec<Vec<f32>> = likeness.collect();
    let pairs = match (ciphertexts, &likeness[..]) {
        ([a, b], [like_a, like_b]) => guessed.pairs(&xor(a, b), like_a, like_b),
        _ => Vec::new(),
    };
    let judged = texts.into_iter().zip(&likeness);
    Recovered {
        messages: judged
            .map(|(text, likeness)| judge(text, likeness, two))
            .collect(),
        pairs,
    }
}

/// The search's result for a session.
struct Guessed {
    /// The best keystream, and how sure each byte of it is in the eyes of all that were followed.
    path: Vec<(u8, f32)>,
    /// How probable each byte is at each place.
    posteriors: Vec<[f32; 256]>,
}

impl Guessed {
    fn new(
        ciphertexts: &[Vec<u8>],
        mixture: &mut Mixture<'_>,
        certain: &Keystream,
        mode: Mode,
        watch: &mut Watch<'_>,
    ) -> Self {
        let messages = different(ciphertexts);
        let effort = mode.effort(messages.len());
        let followed = Search::new(messages, certain, mixture, effort).run(watch);
        let best = followed.lattice.path(followed.best);
        let posteriors = followed.lattice.posteriors();
        // The best path is kept whole: jumping to another one where two messages are left would exchange them midway.
        let path = best.into_iter().zip(&posteriors);
        let path = path.map(|(key, posterior)| (key, posterior[usize::from(key)].min(SUREST)));
        let mut path: Vec<(u8, f32)> = path.collect();
        settle_initials(&mut path, ciphertexts, certain);
        Self { path, posteriors }
    }

    /// How sure each place of two messages is, given their `difference` and how much the texts there are like language.
    fn pairs(&self, difference: &[u8], like_a: &[f32], like_b: &[f32]) -> Vec<f32> {
        let likeness = like_a.iter().zip(like_b).map(|(a, b)| a.min(*b));
        let places = self.path.iter().zip(&self.posteriors);
        let places = places.zip(difference).zip(likeness);
        let sure = places.map(|(((&(key, _), posterior), &difference), likeness)| {
            let p = |key: u8| posterior[usize::from(key)];
            let exchanged = if difference == 0 {
                0.0
            } else {
                p(key ^ difference)
            };
            (p(key) + exchanged).min(SUREST) * likeness
        });
        sure.collect()
    }
}

/// Chooses between capitals and small letters at the start of all messages.
fn settle_initials(guessed: &mut [(u8, f32)], ciphertexts: &[Vec<u8>], certain: &Keystream) {
    if certain.get(0).is_some() {
        return;
    }
    let read = |message: &[u8]| Text {
        bytes: open(message, guessed, certain)
            .iter()
            .map_while(|byte| byte.value)
            .collect(),
        whole: message.len() <= guessed.len(),
    };
    let different = different(ciphertexts);
    let texts: Vec<Text> = different
        .into_iter()
        .map(read)
        .filter(|text| !text.bytes.is_empty())
        .collect();
    if let Some((key, confidence)) = guessed.first_mut().filter(|_| initials::flip(&texts)) {
        *key ^= CASE;
        *confidence = confidence.min(INITIALS);
    }
}

/// The built-in language that the messages are most probably written in.
///
/// Each language reads the beginnings of the longest messages. The language that is least surprised by the result is
/// taken.
pub fn detect(ciphertexts: &[Vec<u8>]) -> &'static Language {
    const BEGINNING: usize = 60;
    const MESSAGES: usize = 8;
    let mut beginnings = different(ciphertexts);
    beginnings.sort_by_key(|message| std::cmp::Reverse(message.len()));
    beginnings.truncate(MESSAGES);
    for message in &mut beginnings {
        *message = &message[..message.len().min(BEGINNING)];
    }
    let languages = Language::NAMES.into_iter().filter_map(Language::named);
    let scored = languages.map(|language| {
        let mut mixture = Mixture::new(language);
        let effort = Mode::Fast.effort(beginnings.len());
        let certain = Keystream::new();
        let search = Search::new(beginnings.clone(), &certain, &mut mixture, effort);
        (
            language,
            search.run(&mut |_, _| ControlFlow::Continue(())).score,
        )
    });
    let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or_else(Language::english, |best| best.0)
}

/// The messages without repetitions: one sent twice tells nothing new.
fn different(ciphertexts: &[Vec<u8>]) -> Vec<&[u8]> {
    let mut seen = HashSet::new();
    let messages = ciphertexts.iter().map(Vec::as_slice);
    messages.filter(|message| seen.insert(*message)).collect()
}

/// A ciphertext under what is certain and what is guessed of the keystream.
fn open(ciphertext: &[u8], guessed: &[(u8, f32)], certain: &Keystream) -> Vec<Byte> {
    let byte = |(at, cipher): (usize, &u8)| {
        let known = certain.get(at).map(|key| (key, 1.0));
        let Some((key, confidence)) = known.or_else(|| guessed.get(at).copied()) else {
            return Byte::default();
        };
        Byte {
            value: Some(cipher ^ key),
            confidence,
        }
    };
    ciphertext.iter().enumerate().map(byte).collect()
}

/// How many bytes before and after one tell whether the text there reads like language.
const VICINITY: usize = 12;
/// The mean surprise (-ln p) at which text is as often wrong as right, and how fast that changes with it.
const DOUBTFUL: f32 = 3.4;
const DOUBT: f32 = 0.35;
/// No guess is surer than this.
const SUREST: f32 = 0.999_9;
/// Nor is the case of the first letters, when it was chosen by how the rest is written.
const INITIALS: f32 = 0.9;
/// No byte of a pair is surer than this: the two texts may be exchanged midway, and nothing shows it.
const SUREST_OF_TWO: f32 = 0.94;

/// The likeness of each byte's surroundings to language, from 0 to 1, for any alternatives.
fn likeness(text: &[Byte], mixture: &mut Mixture<'_>) -> Vec<f32> {
    let surprise = surprises(text.iter().map_while(|byte| byte.value), mixture);
    let one = |at: usize| {
        let from = at.saturating_sub(VICINITY);
        let to = (at + VICINITY + 1).min(surprise.len());
        let near = surprise.get(from..to).unwrap_or(&[]);
        let mean = near.iter().sum::<f32>() / near.len().max(1) as f32;
        1.0 / (1.0 + ((mean - DOUBTFUL) / DOUBT).exp())
    };
    (0..text.len()).map(one).collect()
}

/// Lowers the confidence of what does not read like language.
fn judge(mut text: Vec<Byte>, likeness: &[f32], two: bool) -> Vec<Byte> {
    let guesses = text.iter_mut().zip(likeness);
    for (byte, likeness) in guesses.filter(|(byte, _)| byte.confidence < 1.0) {
        byte.confidence *= likeness;
        if two {
            byte.confidence = byte.confidence.min(SUREST_OF_TWO);
        }
    }
    text
}

/// How surprising each byte of a text is: -ln of its probability after those before it.
pub(crate) fn surprises(text: impl Iterator<Item = u8>, mixture: &mut Mixture<'_>) -> Vec<f32> {
    let mut context = Context::START;
    let mut weights = Weights::default();
    let surprise = |byte| {
        let symbol = mixture.language.alphabet.symbol(byte);
        let opinions = mixture.opinions(context);
        let surprise = -mixture.blend(&opinions, None, &weights)[usize::from(symbol)];
        weights = weights.then(&opinions, None, symbol);
        context = context.then(symbol);
        surprise
    };
    text.map(surprise).collect()
}
