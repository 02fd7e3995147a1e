//! The arena: runs honest peers and one attacker over a wire that it owns, and judges.
//!
//! * [`run`](mod@run): one attack against one target, from beginning to verdict;
//! * [`against`]: what an attack is up against;
//! * [`seen`]: what a server believed, as a [`witness`] wrote it down;
//! * [`truth`]: what really happened, and the [`verdict`] that follows;
//! * [`transcript`]: a run as a short story;
//! * [`peers`]: the honest programs; [`weakened`]: peers that leave defences out;
//! * [`wire`]: memory or loopback TCP; [`recorder`]: what went over it;
//! * [`stopwatch`]: what the server is made to do;
//! * [`keys`]: published keys, seeds; [`provider`]: who computes RSA with them.

pub mod against;
pub mod keys;
pub mod peers;
pub mod provider;
pub mod recorder;
pub mod run;
pub mod seen;
pub mod stopwatch;
pub mod transcript;
pub mod truth;
pub mod verdict;
pub mod weakened;
pub mod wire;
pub mod witness;

pub use run::{
    DEFAULT_SEED, Honest, Recorded, Run, SCRIPT, describe_wire, honest, run, run_recorded,
};
