//! The two ends of a connection.

/// One end. Each role has a context for its signatures, so that a signature made in one role fits no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The host proves its key with `sigS`.
    Server,
    /// The user proves a key with `sigC`.
    Client,
}
