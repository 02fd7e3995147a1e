//! Accounts: password hashes, public keys and the durable message log.
//!
//! * [`Accounts`]: what a server asks of a store, with two implementations: [`Sqlite`] keeps everything in one file that
//!   survives `kill -9` at any moment, [`Memory`] forgets it and is deterministic, for the lab;
//! * [`StoreLock`]: one server a store;
//! * [`password`]: argon2id hashes and what a new password must be like.
//!
//! A store knows nothing about logging in: who may ask for what is the server's affair.

mod accounts;
mod error;
mod lock;
mod memory;
pub mod password;
mod sqlite;

pub use accounts::{
    Account, Accounts, Answer, Appended, INVITE_LASTS, Invitation, Invite, Removed, StoredMessage,
};
pub use error::StoreError;
pub use lock::StoreLock;
pub use memory::Memory;
pub use sqlite::Sqlite;
