//! A peer of the ladder: the server and the client of one rung.
//!
//! The parts that hold the ideas of the ladder are `frames`, `login`, `server` and `client`. The others only help them.

pub mod args;
pub mod client;
pub mod error;
pub mod files;
pub mod frames;
pub mod line;
pub mod login;
pub mod random;
pub mod rung;
pub mod server;
