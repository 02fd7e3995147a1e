//! The report's own two programs, byte for byte, flaws included, on loopback only.
//!
//! * [`keys`]: the one directory that client *and* server use;
//! * [`server`]: one connection, and the loop around it;
//! * [`client`]: a login and its session;
//! * [`menu`]: the client's screen;
//! * [`python`]: bytes and addresses as the report's Python programs print them.
//!
//! Both peers are generic over what they read and write, so the very same code runs over TCP and in memory. Randomness
//! and the pause between the replies are parameters; nothing here reads a clock.

pub mod client;
pub mod keys;
pub mod menu;
pub mod python;
pub mod server;

pub use latchstring_protocol_faithful as protocol;
