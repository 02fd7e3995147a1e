//! The real program in a directory of its own, and the library's client to talk to it.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

#[path = "../../../server-core/tests/support/mod.rs"]
mod client;
mod home;
mod scrape;

#[allow(unused_imports, reason = "each test file uses its part")]
pub use {
    client::*,
    home::{Home, Serving, failure, program, success},
    scrape::*,
};
