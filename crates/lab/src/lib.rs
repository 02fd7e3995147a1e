//! The front door: arena, matrix, demo and exercises.
//!
//! * [`arena`]: runs honest peers and one attacker over a wire that it owns, and judges;
//! * [`truth`]: what really happened, and the verdict that follows;
//! * [`matrix`]: every attack against every target;
//! * [`demo`]: the same as a story;
//! * [`exercise`]: the labs.
//!
//! Below them: [`wire`] (memory or loopback TCP), [`peers`] (the honest programs) and [`keys`] (published keys, seeds).

pub mod arena;
pub mod demo;
pub mod exercise;
pub mod keys;
pub mod matrix;
pub mod peers;
pub mod truth;
pub mod wire;
