//! The faithful protocol: the report's, byte for byte, flaws included.
//!
//! * [`message`]: the format of each message;
//! * [`keys`]: the RSA keys on disk and the secrets of one session (no key schedule: see `hardened::keys`);
//! * [`handshake`]: the order of the messages. No signature: see `hardened::signature`;
//! * [`record`]: encryption of one message.
//!
//! No numbered messages, no acknowledgement, no authenticated end: see `hardened::session`. No defence that could be left
//! out: see `hardened::defence`.
//!
//! Everything that is wrong with the protocol is kept, because the attacks need it. Nothing here may be used by a program
//! that listens on a real address: the peers in `latchstring-faithful` speak on loopback only.

mod error;
pub mod handshake;
pub mod keys;
pub mod message;
pub mod record;

pub use error::Error;

/// The default TCP port of a faithful server.
pub const DEFAULT_PORT: u16 = 22222;
