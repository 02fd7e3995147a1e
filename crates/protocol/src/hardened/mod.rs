//! The hardened protocol, `latch/2`.
//!
//! * [`defence`]: every defence, and the question that is asked where it does its work;
//! * [`parts`]: the parts that are handed in: the key exchange and record protection;
//! * [`full`]: every defence and the real parts;
//! * [`message`]: the format of each message;
//! * [`primitives`]: SHA-256, HKDF and HMAC as the protocol uses them;
//! * [`keys`]: the key schedule;
//! * [`role`]: the two ends;
//! * [`signature`]: the signed bytes, and the signers;
//! * [`handshake`]: the order of the messages, and the proofs at each step;
//! * [`record`]: encryption and authentication of one record;
//! * [`framing`]: where one record ends and the next begins;
//! * [`session`]: numbered, acknowledged messages and an authenticated end;
//! * [`driver`]: keeps a session alive, bounds what waits, and ends it in time.

pub mod defence;
pub mod driver;
mod error;
pub mod framing;
pub mod full;
pub mod handshake;
pub mod keys;
pub mod message;
pub mod parts;
pub mod primitives;
pub mod record;
pub mod role;
pub mod session;
pub mod signature;

pub use error::Error;

/// The default TCP port of a hardened server.
pub const DEFAULT_PORT: u16 = 22223;
