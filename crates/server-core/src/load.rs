//! How busy a server is at the moment, in numbers for its operator. They name nobody.

/// A look at a server. The numbers are from slightly different moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// Connections that are not logged in.
    pub unauthenticated: usize,
    /// Signatures of the host.
    pub signing: QueueLoad,
    /// Password hashes.
    pub hashing: QueueLoad,
    /// The tables about sources and accounts.
    pub tables: Tables,
    /// Bytes that have come from clients since the start, handshakes included.
    pub received: u64,
    /// Bytes that have gone to clients since the start.
    pub sent: u64,
}

/// How busy a queue is. After a change of its size, those who came before it are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueLoad {
    /// Computed at the moment.
    pub running: usize,
    /// Waiting for their turn.
    pub waiting: usize,
}

/// How many lines the tables have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tables {
    /// Sources whose rate of connections is known.
    pub rates: usize,
    /// Sources with a penalty for logins without the key. It may be over by now.
    pub penalties: usize,
    /// Sources that a login protects. The time for that may be over by now.
    pub trusted: usize,
    /// Keys of users whose passwords were looked at.
    pub keys: usize,
}
