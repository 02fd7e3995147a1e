//! Crib dragging without a crib: the computer tries every keystream byte, from left to right, and keeps the keystreams
//! under which all messages at once read most like English (a beam search).
//!
//! A student who drags a crib extends it letter by letter: "the mee" must be "the meeting", if the next letter makes sense
//! of the other messages too. This is the same, with the word list and counts of letters in place of the eye.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::keystream::Keystream;
use crate::language::{BOUNDARY, Distribution, Language, class, memory};
use crate::words::WordList;

/// How many keystreams are followed at once.
const BEAM: usize = 48;
/// Keystreams that agree in this many last bytes have the same future, so only the best of them is kept.
const SAME_FUTURE: usize = 8;
/// How many bytes later a byte is judged: by then most wrong guesses have led to nonsense.
const HINDSIGHT: usize = 6;
/// The bit by which upper and lower case differ in ASCII.
const CASE: u8 = 0x20;
/// How many bytes before and after one tell whether the text there reads like language.
const VICINITY: usize = 12;
/// The mean surprise (-ln p) of a character of English, and of the best that can be made of noise.
const LANGUAGE: f32 = 2.6;
const NONSENSE: f32 = 4.5;

/// One byte of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Byte {
    /// The recovered plaintext; `None` where nothing determines it.
    pub value: Option<u8>,
    /// How sure that is, from 0 (undetermined) to 1 (follows from a known plaintext).
    pub confidence: f32,
}

/// What [`solve`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// For each ciphertext, in order, each of its bytes.
    pub messages: Vec<Vec<Byte>>,
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
/// `known` holds plaintexts that are known already, or their beginnings: the number of the message, and the text. Where
/// they contradict each other the first counts. What they open is certain, everything else is a guess from language, and
/// bytes that only one message reaches stay undetermined: there, every plaintext is as possible as any other.
pub fn solve(ciphertexts: &[Vec<u8>], words: &WordList, known: &[(usize, Vec<u8>)]) -> Recovered {
    let mut certain = Keystream::new();
    for (message, plaintext) in known {
        if let Some(ciphertext) = ciphertexts.get(*message) {
            // A contradiction is not an error here: the first plaintext stands.
            let _ = certain.learn(ciphertext, plaintext, 0);
        }
    }
    let guessed = Search::new(ciphertexts, words, &certain).run();
    let byte = |at: usize, cipher: u8| {
        let guess = guessed.get(at).copied();
        let (key, confidence) = certain.get(at).map(|key| (key, 1.0)).or(guess)?;
        let value = Some(cipher ^ key);
        Some(Byte { value, confidence })
    };
    let open = |ciphertext: &Vec<u8>| {
        let bytes = (0..).zip(ciphertext);
        bytes
            .map(|(at, &cipher)| byte(at, cipher).unwrap_or_default())
            .collect()
    };
    Recovered {
        messages: ciphertexts.iter().map(open).collect(),
    }
}

/// A keystream that is being followed.
#[derive(Clone, Default)]
struct Candidate {
    key: Vec<u8>,
    /// The log-probability of all that it makes of the messages.
    score: f32,
}

struct Search<'a> {
    /// Without repetitions: a message sent twice tells nothing new.
    messages: Vec<&'a [u8]>,
    words: &'a WordList,
    certain: &'a Keystream,
    /// What can follow, by what stands before.
    after: HashMap<Vec<u8>, Rc<Distribution>>,
    /// For each position, how probable each keystream byte seemed with [`HINDSIGHT`].
    judged: Vec<BTreeMap<u8, f32>>,
}

impl<'a> Search<'a> {
    fn new(ciphertexts: &'a [Vec<u8>], words: &'a WordList, certain: &'a Keystream) -> Self {
        let mut seen = HashSet::new();
        let messages = ciphertexts.iter().map(Vec::as_slice);
        Self {
            messages: messages.filter(|message| seen.insert(*message)).collect(),
            words,
            certain,
            after: HashMap::new(),
            judged: Vec::new(),
        }
    }

    /// The keystream as far as two messages reach, each byte with its confidence.
    fn run(mut self) -> Vec<(u8, f32)> {
        let mut beam = vec![Candidate::default()];
        let mut at = 0;
        while self.covering(at).count() >= 2 {
            beam = self.step(at, &beam);
            if let Some(past) = (at + 1).checked_sub(HINDSIGHT) {
                self.judged.push(votes(&beam, past));
            }
            at += 1;
        }
        for past in self.judged.len()..at {
            self.judged.push(votes(&beam, past));
        }
        let mut best = beam.into_iter().next().unwrap_or_default().key;
        self.settle_case(&mut best);
        let fluency = self.fluency(&best);
        let confidence = |(at, &key): (usize, &u8)| {
            let vote = self.judged[at].get(&key).copied().unwrap_or(0.0);
            let trust = trust(self.covering(at).count());
            (key, vote.min(1.0) * trust * fluency[at])
        };
        best.iter().enumerate().map(confidence).collect()
    }

    /// Decides between "hello" and "Hello". One bit of the first keystream byte turns the case of all first letters at once,
    /// and every later byte fits either; but people who begin with a capital also end with a full stop.
    fn settle_case(&mut self, key: &mut [u8]) {
        if key.is_empty() || self.certain.get(0).is_some() {
            return;
        }
        let firsts: Vec<u8> = self
            .covering(0)
            .map(|message| message[0] ^ key[0])
            .collect();
        if !firsts.iter().all(u8::is_ascii_alphabetic) {
            return;
        }
        let ended = self
            .covering(0)
            .filter(|message| message.len() <= key.len());
        let last = |message: &[u8]| message[message.len() - 1] ^ key[message.len() - 1];
        let lasts: Vec<u8> = ended.map(last).collect();
        let stops = lasts.iter().filter(|&last| b".!?".contains(last)).count();
        let capitals = firsts
            .iter()
            .filter(|first| first.is_ascii_uppercase())
            .count();
        let prose = stops * 4 >= lasts.len() * 3;
        let clear = lasts.len() >= 3 && (prose || stops * 4 <= lasts.len());
        if clear && prose != (capitals * 2 > firsts.len()) {
            let votes = &mut self.judged[0];
            let both = [key[0], key[0] ^ CASE].map(|key| votes.get(&key).copied().unwrap_or(0.0));
            key[0] ^= CASE;
            // A habit, not a law: so a little less than both have together.
            votes.insert(key[0], 0.9 * (both[0] + both[1]));
        }
    }

    /// How much the text around each position reads like language when opened with `key`, from 0 to 1. Among nonsense
    /// there is a best choice as well, and the votes may even agree on it; only this says that it is nonsense.
    fn fluency(&mut self, key: &[u8]) -> Vec<f32> {
        let surprises: Vec<f32> = (0..key.len())
            .map(|at| {
                let covering: Vec<&[u8]> = self.covering(at).collect();
                let ln_p =
                    |message: &&[u8]| self.after(message, &key[..at])[class(message[at] ^ key[at])];
                -covering.iter().map(ln_p).sum::<f32>() / covering.len() as f32
            })
            .collect();
        let around = |at: usize| {
            let window = &surprises[at.saturating_sub(VICINITY)..(at + VICINITY).min(key.len())];
            let mean = window.iter().sum::<f32>() / window.len() as f32;
            ((NONSENSE - mean) / (NONSENSE - LANGUAGE)).clamp(0.0, 1.0)
        };
        (0..key.len()).map(around).collect()
    }

    /// The messages that have a byte at `at`.
    fn covering(&self, at: usize) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        self.messages
            .iter()
            .copied()
            .filter(move |message| message.len() > at)
    }

    /// Prolongs every keystream of the beam by every possible byte, and keeps the best, the very best first.
    fn step(&mut self, at: usize, beam: &[Candidate]) -> Vec<Candidate> {
        let covering: Vec<&[u8]> = self.covering(at).collect();
        let possible = self.possible_bytes(at, &covering);
        let mut grown = Vec::with_capacity(beam.len() * possible.len());
        for (parent, candidate) in beam.iter().enumerate() {
            let mut scores = vec![candidate.score; possible.len()];
            for message in &covering {
                let after = self.after(message, &candidate.key);
                for (score, key) in scores.iter_mut().zip(&possible) {
                    *score += after[class(message[at] ^ key)];
                }
            }
            grown.extend(
                scores
                    .into_iter()
                    .zip(&possible)
                    .map(|(score, key)| (score, parent, *key)),
            );
        }
        Self::best(beam, grown)
    }

    /// All bytes that make the fewest messages unprintable here, or the one that is certain.
    fn possible_bytes(&self, at: usize, covering: &[&[u8]]) -> Vec<u8> {
        if let Some(key) = self.certain.get(at) {
            return vec![key];
        }
        let unprintable = |key: u8| {
            let bytes = covering.iter().map(|message| message[at] ^ key);
            bytes.filter(|byte| !matches!(byte, b' '..=b'~')).count()
        };
        let fewest = (0..=255).map(unprintable).min().unwrap_or(0);
        (0..=255)
            .filter(|&key| unprintable(key) == fewest)
            .collect()
    }

    /// The best [`BEAM`] of `grown` (score, parent, key byte) that have different futures.
    fn best(beam: &[Candidate], mut grown: Vec<(f32, usize, u8)>) -> Vec<Candidate> {
        type Grown = (f32, usize, u8);
        let best_first =
            |a: &Grown, b: &Grown| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)));
        // Some room for those that share a future; sorting all of them would take most of the time.
        let enough = BEAM * 3;
        if grown.len() > enough {
            grown.select_nth_unstable_by(enough, best_first);
            grown.truncate(enough);
        }
        grown.sort_unstable_by(best_first);
        let mut futures = HashSet::new();
        let mut kept = Vec::with_capacity(BEAM);
        for (score, parent, byte) in grown {
            let mut key = beam[parent].key.clone();
            key.push(byte);
            let future = key[key.len().saturating_sub(SAME_FUTURE)..].to_vec();
            if kept.len() < BEAM && futures.insert(future) {
                kept.push(Candidate { key, score });
            }
        }
        kept
    }

    /// What can follow in `message` when its beginning is opened with `key`.
    fn after(&mut self, message: &[u8], key: &[u8]) -> Rc<Distribution> {
        let start = key.len().saturating_sub(16);
        let mut text = Vec::with_capacity(17);
        if start == 0 {
            text.push(BOUNDARY);
        }
        text.extend(
            message[start..]
                .iter()
                .zip(&key[start..])
                .map(|(c, k)| c ^ k),
        );
        let before = memory(&text);
        if let Some(known) = self.after.get(before) {
            return Rc::clone(known);
        }
        let new = Rc::new(Language::english().after(before, self.words));
        self.after.insert(before.to_vec(), Rc::clone(&new));
        new
    }
}

/// How probable each byte at `at` is in the eyes of the whole beam.
fn votes(beam: &[Candidate], at: usize) -> BTreeMap<u8, f32> {
    let top = beam.first().map_or(0.0, |best| best.score);
    let weights = beam.iter().map(|candidate| (candidate.score - top).exp());
    let sum: f32 = weights.clone().sum();
    let mut votes = BTreeMap::new();
    for (candidate, weight) in beam.iter().zip(weights) {
        *votes.entry(candidate.key[at]).or_insert(0.0) += weight / sum;
    }
    votes
}

/// How far the votes can be trusted when so many messages have a byte there, as measured on electronic mail.
fn trust(messages: usize) -> f32 {
    match messages {
        // Even a right pair of texts may have its halves swapped between the messages, and nothing shows it.
        0..=2 => 0.8,
        3 => 0.97,
        _ => 1.0,
    }
}
