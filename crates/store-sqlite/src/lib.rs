//! The store of the server that people deploy: accounts and messages in one SQLite file.
//!
//! * [`Sqlite`]: survives `kill -9` at any moment;
//! * [`StoreLock`]: one server a store;
//! * `file`: who may read the file, and whether it is ours, before SQLite may touch it.
//!
//! A crate of its own, so that only the program `latchstring-server` builds and links SQLite; the lab keeps its accounts
//! in [`latchstring_store::Memory`].

mod file;
mod lock;
mod sqlite;

pub use lock::StoreLock;
pub use sqlite::Sqlite;
