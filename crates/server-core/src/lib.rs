//! The hardened server as a library: it serves `latch/2` on any stream. The program `latchstring-server` is around it.
//!
//! A connection goes through these modules in this order:
//!
//! * [`listener`]: accepts, and stops gracefully; [`balancers`]: for whom a balancer connects;
//! * `admission`: the limits on connections that are not logged in;
//! * `connection`: from its first byte to its last;
//! * `login`: the handshake, and every refusal alike;
//! * `verify`: the user ([`lookup`]), the key, and only then the password; [`cost`] is the cost model;
//! * [`throttle`], [`failures`] and `penalty`: the charge of a wrong password to its user, and of a login without the
//!   key to its source;
//! * [`enrol`] and `newcomer`: instead of that for an invited person: a new key, a new password;
//! * `signing` and `hashing`: few signatures and password hashes at a time, and a `queue` of few;
//! * [`Argon2id`]: the deployed hashes, with [`pepper`] and the list of [`breached`] passwords;
//! * `sessions`: one open session a user;
//! * `session`: messages, each acknowledged once it is durable, and an agreed end;
//! * [`delivery`]: the sink, which must have a message too before it is acknowledged;
//! * [`observer`]: the events, for the operator's log or the lab's arena.
//!
//! `traffic` counts the bytes of all of them, and [`Load`] is what an operator may know of a server at a moment.
//!
//! Around them: [`config`] (`server.toml`) and [`limits`](Limits). The program chooses the store, and the
//! implementation of RSA: see [`Setup`].

mod admission;
mod argon2id;
pub mod balancers;
pub mod breached;
pub mod calibrate;
pub mod config;
mod connection;
pub mod cost;
pub mod delivery;
mod dummy;
pub mod enrol;
mod error;
pub mod failures;
mod hashing;
mod limits;
pub mod listener;
mod load;
mod login;
pub mod lookup;
mod newcomer;
pub mod observer;
mod penalty;
pub mod pepper;
mod queue;
mod server;
mod session;
mod sessions;
mod signing;
pub mod throttle;
mod traffic;
mod verify;

pub use latchstring_net as net;
pub use latchstring_store as store;

pub use argon2id::{Argon2id, PasswordRules, RulesError};
pub use connection::serve_connection;
pub use error::{AdmissionError, HandshakeError, ProtocolError, TruncationError};
pub use hashing::PasswordCheck;
pub use limits::Limits;
pub use load::{Load, QueueLoad, Tables};
pub use login::HANDSHAKE_DEADLINE;
pub use observer::{Event, Observer};
pub use server::{Server, Setup};
