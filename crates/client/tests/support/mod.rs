//! The real program in a home of its own, and the library's host to talk to.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

#[path = "../../../client-core/tests/support/mod.rs"]
mod peer;
pub mod program;

#[allow(unused_imports, reason = "each test file uses its part")]
pub use peer::*;
