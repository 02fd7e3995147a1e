//! The hardened server as a library: it serves `latch/2` on any stream. The program `latchstring-server` is around it.
//!
//! A connection goes through these modules in this order:
//!
//! * [`listener`]: accepts, and stops gracefully;
//! * `admission`: who is let through the door, and how many strangers there may be;
//! * `connection`: from its first byte to its last;
//! * `login`: the handshake, and every refusal alike;
//! * `verify`: who it is ([`lookup`]), the key, and only then the password; [`meter`] counts what that costs;
//! * [`throttle`], [`liability`] and `penalty`: what a wrong password costs its user, and a login without a key its source;
//! * [`enrol`] and `newcomer`: instead of that for somebody who was invited: a new key, a new password;
//! * `signing` and `gate`: few signatures and password hashes at a time, and a `queue` of few;
//! * `sessions`: one open session a user;
//! * `session`: messages, each acknowledged once it is durable, and an agreed end;
//! * [`observer`]: what happened, for the operator's log or the lab's arena.
//!
//! Around them: [`config`] (`server.toml`) and [`limits`](Limits). Which store keeps the accounts, and whose RSA signs and
//! checks, the program decides: see [`Setup`].

mod admission;
pub mod config;
mod connection;
mod dummy;
pub mod enrol;
mod error;
mod gate;
pub mod liability;
mod limits;
pub mod listener;
mod login;
pub mod lookup;
pub mod meter;
mod newcomer;
pub mod observer;
mod penalty;
mod queue;
mod server;
mod session;
mod sessions;
mod signing;
pub mod throttle;
mod verify;

pub use latchstring_net as net;
pub use latchstring_store as store;

pub use connection::serve_connection;
pub use error::{AdmissionError, HandshakeError, ProtocolError, TruncationError};
pub use gate::{Argon2id, PasswordCheck};
pub use limits::Limits;
pub use login::HANDSHAKE_DEADLINE;
pub use observer::{Event, Observer};
pub use server::{Server, Setup};
