//! A peer of the ladder: the server and the client of rungs 0 to 8.
//!
//! Each idea has one place. Where the code asks `rung >= TAG`, that idea begins to work: src/rung.rs lists all of them.

pub mod accounts;
pub mod admission;
pub mod args;
pub mod channel;
pub mod client;
pub mod content;
pub mod error;
pub mod exchange;
pub mod files;
pub mod frames;
pub mod keys;
pub mod line;
pub mod login;
pub mod random;
pub mod rung;
pub mod server;
pub mod signature;
pub mod textbook;
