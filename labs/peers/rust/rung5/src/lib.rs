//! A peer of the ladder: the server and the client of one rung.
//!
//! The parts that hold the ideas of the ladder are `frames`, `exchange`, `login`, `server` and `client`. The others only help them.

pub mod args;
pub mod client;
pub mod error;
pub mod exchange;
pub mod files;
pub mod frames;
pub mod keys;
pub mod line;
pub mod login;
pub mod message;
pub mod random;
pub mod rung;
pub mod server;
