//! The hardened protocol, `latch/2`.
//!
//! * [`defence`]: every defence, and the question that is asked where it does its work;
//! * [`parts`]: what is handed in: the key exchange and the protection of records;
//! * [`full`]: every defence and the real parts;
//! * [`message`]: what each message looks like;
//! * [`primitives`]: SHA-256, HKDF and HMAC as the protocol uses them;
//! * [`keys`]: the key schedule;
//! * [`role`]: the two ends;
//! * [`signature`]: what is signed, and by whom;
//! * [`handshake`]: who may speak when, and what has been proven by then;
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

/// The TCP port of a hardened server unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 22223;
