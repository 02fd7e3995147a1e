//! A generator that is seeded with the time, as those are that a language's standard library hands out for games.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard},
};

use latchstring_attacker::{
    attacks::seeded_keys::{GENERATOR, STARTED},
    cryptanalysis::generators::{Generator, Stream},
    net::entropy::Entropy,
};
use rand::{TryCryptoRng, TryRng};

use crate::keys::Seeded;

/// The generator of a server that seeded it at its start, and never again.
pub struct SeededWithTime(Mutex<Stream>);

impl SeededWithTime {
    /// Started in a second that the arena's seed fixes.
    pub fn new(seed: u64) -> Self {
        let random = u64::from_be_bytes(Seeded::new(seed, "when the server was started").array());
        let second = STARTED.start() + random % (STARTED.end() - STARTED.start() + 1);
        Self::with(GENERATOR, second)
    }

    /// Another generator, and the seed itself.
    pub fn with(generator: Generator, seed: u64) -> Self {
        Self(Mutex::new(generator.start(seed)))
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().expect("no thread panicked while drawing")
    }
}

impl Entropy for SeededWithTime {
    fn fill(&self, out: &mut [u8]) {
        self.stream().fill(out);
    }
}

impl TryRng for SeededWithTime {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}

/// The generator does not keep this promise: that is the flaw.
impl TryCryptoRng for SeededWithTime {}
