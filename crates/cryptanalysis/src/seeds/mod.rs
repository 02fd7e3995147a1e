//! Trying every seed: the keys of a server that seeds its generator with the time.
//!
//! A session key of 256 bits that comes from a [`Generator`] has no more values than the generator has seeds. A day has
//! 86,400 seconds and 2^36 microseconds; both are tried in less time than they last. The search needs ciphertext alone: a
//! seed is right when what it decrypts reads as text ([`Sniffed`]), wherever the messages were cut.
//!
//! Two ways give the same hits. The plain loop seeds one generator after the other. The fast one ([`Search::plain`]
//! unset) seeds 128 in parallel, one to each lane of the vector registers. The fast search computes only the state
//! words that the first 40 bytes depend on.

mod aes_ni;
mod cuts;
mod lanes;
mod sniffed;
mod text;

use std::ops::{ControlFlow, RangeInclusive};

use rayon::prelude::*;

use crate::generators::Generator;
pub use cuts::Stretch;
use lanes::LANES;
pub use sniffed::{Read, Sniffed};
pub use text::{crypt, is_plausible};

/// Length of what is searched for: an AES-256 key, then the eight bytes of the IV.
pub const SECRETS_LEN: usize = 40;
/// Session key and IV prefix, as the server draws them.
pub type Secrets = [u8; SECRETS_LEN];

/// A seed is claimed if at most this number of wrong ones is expected to look as right.
pub const MOST_FALSE_HITS: f64 = 1e-3;

/// Seeds between two calls of the progress callback: a fraction of a second.
const ROUND: u64 = 1 << 18;
/// Seeds of one task; a multiple of [`LANES`].
const TASK: u64 = 1 << 13;

/// How one candidate is recognised.
pub trait Test: Sync {
    /// Whether these secrets are the ones.
    fn accepts(&self, secrets: &Secrets) -> bool;

    /// The indices of those that are accepted. Faster than one by one where the test can take many at once.
    fn select(&self, candidates: &[Secrets; LANES]) -> Vec<usize> {
        let all = candidates.iter().enumerate();
        all.filter(|(_, secrets)| self.accepts(secrets))
            .map(|(lane, _)| lane)
            .collect()
    }
}

impl<F: Fn(&Secrets) -> bool + Sync> Test for F {
    fn accepts(&self, secrets: &Secrets) -> bool {
        self(secrets)
    }
}

/// A seed whose secrets the test accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The seed.
    pub seed: u64,
    /// Key and IV that it gives.
    pub secrets: Secrets,
}

/// The generator, and its use before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The generator of the server.
    pub generator: Generator,
    /// Bytes that the server drew from it before these secrets: 40 for each earlier session of a server that seeds once.
    /// With any, the plain loop is taken.
    pub skip: usize,
    /// Takes the plain loop, for comparison.
    pub plain: bool,
}

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Seeds tried so far.
    pub tried: u64,
    /// The hits so far.
    pub hits: &'a [Hit],
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The hits, by seed.
    pub hits: Vec<Hit>,
    /// Seeds tried.
    pub tried: u64,
    /// Where to go on if the progress callback ended the search; `None` when all seeds were tried.
    pub next: Option<u64>,
}

impl Search {
    /// A search over a generator that was seeded for these secrets.
    pub fn new(generator: Generator) -> Self {
        Self {
            generator,
            skip: 0,
            plain: false,
        }
    }

    /// Tries all `seeds` on all cores. Several times a second `progress` gets the state of the search, and may end it.
    ///
    /// Neither hits nor positions depend on the number of cores.
    pub fn run(
        &self,
        seeds: RangeInclusive<u64>,
        test: &impl Test,
        mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Outcome {
        let (mut from, to) = seeds.into_inner();
        let mut outcome = Outcome {
            hits: Vec::new(),
            tried: 0,
            next: None,
        };
        while from <= to {
            let last = to.min(from | (ROUND - 1));
            outcome.hits.extend(self.round(from, last, test));
            outcome.tried += last - from + 1;
            if last == to {
                break;
            }
            from = last + 1;
            let (tried, hits) = (outcome.tried, &outcome.hits[..]);
            if progress(Progress { tried, hits }).is_break() {
                outcome.next = Some(from);
                break;
            }
        }
        outcome
    }

    /// All hits of one round, which does not cross a multiple of [`ROUND`].
    fn round(&self, from: u64, last: u64, test: &impl Test) -> Vec<Hit> {
        let base = from / TASK;
        let tasks = 0..=(last / TASK - base);
        tasks
            .into_par_iter()
            .flat_map_iter(|task| {
                let start = (base + task) * TASK;
                let (from, last) = (from.max(start), last.min(start + (TASK - 1)));
                if self.plain || self.skip > 0 {
                    self.one_by_one(from, last, test)
                } else {
                    self.side_by_side(from, last, test)
                }
            })
            .collect()
    }

    fn one_by_one(&self, from: u64, last: u64, test: &impl Test) -> Vec<Hit> {
        let mut skipped = vec![0; self.skip];
        (from..=last)
            .filter_map(|seed| {
                let mut stream = self.generator.start(seed);
                stream.fill(&mut skipped);
                let mut secrets = [0; SECRETS_LEN];
                stream.fill(&mut secrets);
                test.accepts(&secrets).then_some(Hit { seed, secrets })
            })
            .collect()
    }

    fn side_by_side(&self, from: u64, last: u64, test: &impl Test) -> Vec<Hit> {
        let mut candidates = [[0; SECRETS_LEN]; LANES];
        let mut hits = Vec::new();
        // Blocks are aligned, so that the upper half of the seed is the same for all lanes.
        for block in from / LANES as u64..=last / LANES as u64 {
            let first = block * LANES as u64;
            lanes::fill(self.generator, first, &mut candidates);
            for lane in test.select(&candidates) {
                let seed = first + lane as u64;
                if (from..=last).contains(&seed) {
                    let secrets = candidates[lane];
                    hits.push(Hit { seed, secrets });
                }
            }
        }
        hits
    }
}

/// The first keystream block of each candidate: AES-256 under its key of `IV ‖ 1`, eight bytes each, as the faithful
/// protocol begins every message.
///
/// For measuring what one try costs; the search uses it for [`Sniffed`]. Uses the AES instructions where there are any.
pub fn keystream_blocks(candidates: &[Secrets; 128]) -> [[u8; 16]; 128] {
    let mut blocks = [[0; 16]; LANES];
    aes_ni::first_blocks(candidates, &mut blocks);
    blocks
}

#[cfg(test)]
mod tests;
