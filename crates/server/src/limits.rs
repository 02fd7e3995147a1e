//! How much a server takes on.

use serde::{Deserialize, Deserializer, de::Error};

/// Limits that an operator may choose; each is at least 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at the same time, logged in or not.
    #[serde(deserialize_with = "count")]
    pub max_connections: usize,
    /// Connections at the same time that are not logged in.
    #[serde(deserialize_with = "count")]
    pub max_unauthenticated: usize,
    /// The same from one source: an IPv4 address or an IPv6 /64.
    #[serde(deserialize_with = "count")]
    pub max_unauthenticated_per_source: usize,
    /// From so many connections that are not logged in on, some of those who come are turned away by chance.
    #[serde(deserialize_with = "count")]
    pub early_drop_from: usize,
    /// How many in a hundred then; it rises to all when `max_unauthenticated` is reached.
    #[serde(deserialize_with = "percent")]
    pub early_drop_percent: usize,
    /// Connections that one source may make at once.
    #[serde(deserialize_with = "count")]
    pub connection_burst: usize,
    /// Connections that one source may make in a minute once it has made those.
    #[serde(deserialize_with = "count")]
    pub connections_per_minute: usize,
    /// Signatures of the host computed at the same time; each takes a processor for about 1 ms.
    #[serde(deserialize_with = "count")]
    pub signing_permits: usize,
    /// Connections that may wait for one of those; who comes when all places are taken is dropped.
    #[serde(deserialize_with = "count")]
    pub signing_queue: usize,
    /// Password hashes computed at the same time; each takes 64 MiB and one processor for about 0.15 s.
    #[serde(deserialize_with = "count")]
    pub password_permits: usize,
    /// Logins that may wait for one of those; who comes when all places are taken is dropped.
    #[serde(deserialize_with = "count")]
    pub password_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1000,
            max_unauthenticated: 100,
            max_unauthenticated_per_source: 4,
            early_drop_from: 10,
            early_drop_percent: 30,
            connection_burst: 10,
            connections_per_minute: 30,
            signing_permits: 2,
            signing_queue: 64,
            password_permits: 2,
            password_queue: 16,
        }
    }
}

/// More of anything is a slip of the keyboard.
const MOST: usize = 1_000_000;

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, MOST)
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, 100)
}

fn between<'de, D: Deserializer<'de>>(from: D, most: usize) -> Result<usize, D::Error> {
    let n = usize::deserialize(from)?;
    match (1..=most).contains(&n) {
        true => Ok(n),
        false => Err(D::Error::custom(format!(
            "{n} is not allowed here: use 1 to {most}"
        ))),
    }
}
