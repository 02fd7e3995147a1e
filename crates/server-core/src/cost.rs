//! The cost model: the cost of logins, counted where it is spent.
//!
//! A stranger should cost the server as little as possible: one signature and one check of a signature, and never a
//! password hash. The operator sees the sums; the lab holds an attack to them.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::future::{BoxFuture, ready};

/// Work that is worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A signature of the host.
    Sign,
    /// A check of a user's signature.
    Verify,
    /// A password hash.
    Hash,
}

impl Work {
    /// About how much time it takes, with one check of a signature as the unit: measured with RSA of 3072 bits and
    /// argon2id as deployed.
    pub fn units(self) -> u64 {
        match self {
            Self::Verify => 1,
            Self::Sign => 25,
            Self::Hash => 3_000,
        }
    }
}

/// Gets all work before it is done.
pub trait CostModel: Send + Sync {
    /// Counts. The lab's cost model also advances the clock, which stands still during a computation.
    fn spend(&self, connection: u64, work: Work) -> BoxFuture<'_, ()>;
}

/// Sums over all connections since the start.
#[derive(Debug, Default)]
pub struct WorkCount {
    sign: AtomicU64,
    verify: AtomicU64,
    hash: AtomicU64,
}

impl WorkCount {
    /// How much of this work was done.
    pub fn of(&self, work: Work) -> u64 {
        self.sum(work).load(Ordering::Relaxed)
    }

    fn sum(&self, work: Work) -> &AtomicU64 {
        match work {
            Work::Sign => &self.sign,
            Work::Verify => &self.verify,
            Work::Hash => &self.hash,
        }
    }
}

impl CostModel for WorkCount {
    fn spend(&self, _: u64, work: Work) -> BoxFuture<'_, ()> {
        self.sum(work).fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(()))
    }
}

impl fmt::Display for WorkCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [sign, verify, hash] = [Work::Sign, Work::Verify, Work::Hash].map(|work| self.of(work));
        write!(
            f,
            "{sign} signatures, {verify} checks of signatures, {hash} password hashes"
        )
    }
}
