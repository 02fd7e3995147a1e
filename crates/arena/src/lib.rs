//! The arena: runs honest peers and one attacker over a wire that it owns, and judges.
//!
//! * [`run`](mod@run): one attack against one target, from beginning to verdict;
//! * [`against`]: the targets of an attack;
//! * [`seen`]: the decisions of a server, as a [`witness`] recorded them;
//! * [`truth`]: the facts of a run, and the [`verdict`] that follows from them;
//! * [`transcript`]: a run as a short story;
//! * [`peers`]: the honest programs; [`weakened`]: peers that leave defences out;
//! * [`wire`]: memory or loopback TCP; [`recorder`]: the bytes on the wire;
//! * [`cost`]: the work of the server;
//! * [`memory`]: what a client holds at one moment, for a thief;
//! * [`keys`]: published keys, seeds; [`provider`]: the RSA implementations for them.

pub mod against;
pub mod cost;
pub mod keys;
pub mod memory;
pub mod peers;
pub mod provider;
pub mod recorder;
pub mod run;
pub mod seen;
pub mod transcript;
pub mod truth;
pub mod verdict;
pub mod weakened;
pub mod wire;
pub mod witness;

pub use run::{
    DEFAULT_SEED, Honest, Recorded, Run, SCRIPT, describe_wire, honest, run, run_recorded,
};
