//! The store of the server that people deploy: accounts and messages in one SQLite file.
//!
//! * [`Sqlite`]: survives `kill -9` at any moment;
//! * [`Waiting`]: the messages that a sink does not have yet;
//! * [`collect`]: takes files out of the messages, while the server runs;
//! * [`Keep`]: which messages stay, and which ones are removed;
//! * [`StoreLock`]: one server a store;
//! * `file`: the permissions and the owner of the file, before SQLite may touch it.
//!
//! A separate crate, so that only the program `latchstring-server` builds and links SQLite. The lab keeps its accounts
//! in [`latchstring_store::Memory`].

pub mod collect;
mod failure;
mod file;
mod lock;
mod retention;
mod schema;
mod sqlite;
mod waiting;

pub use latchstring_store::StoreError;
pub use lock::StoreLock;
pub use retention::{Keep, Plan, PlannedLog};
pub use sqlite::Sqlite;
pub use waiting::Waiting;
