//! Accounts: password hashes, public keys and the durable message log.
//!
//! * [`Accounts`]: the store, as a server uses it. The crate `store-sqlite` keeps everything in a file;
//! * [`Memory`]: a store that forgets, deterministic, for the lab;
//! * [`password`]: argon2id hashes and what a new password must be like.
//!
//! A store knows nothing about logging in: the server decides on access.

mod accounts;
mod error;
mod memory;
pub mod password;

pub use latchstring_protocol as protocol;

pub use accounts::{
    Account, Accounts, Answer, Appended, INVITE_LASTS, Invitation, Invite, Removed, StoredMessage,
    key_of, not_next, users,
};
pub use error::StoreError;
pub use memory::Memory;
