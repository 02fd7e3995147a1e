//! How much a server takes on.

use std::fmt;

use latchstring_net::protocol::hardened::session::KeyLife;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

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
    /// Above this many connections that are not logged in, drop new ones at random.
    #[serde(deserialize_with = "count")]
    pub early_drop_from: usize,
    /// The chance of that at first, in percent; it rises to 100 % at `max_unauthenticated`.
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
    /// Connections that may wait for one of those; further ones are dropped.
    #[serde(deserialize_with = "count")]
    pub signing_queue: usize,
    /// Password hashes computed at the same time; each takes 64 MiB and one processor for about 0.15 s.
    #[serde(deserialize_with = "count")]
    pub password_permits: usize,
    /// Logins that may wait for one of those; further ones are dropped.
    #[serde(deserialize_with = "count")]
    pub password_queue: usize,
    /// Seconds until a session changes its keys; the protocol's 15 minutes, or less.
    #[serde(deserialize_with = "until_rekey")]
    pub rekey_seconds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // A class of a hundred behind one address is not turned away at the door; no address takes more than a quarter of the
        // places that are there for all, or more than half a percent of a processor.
        Self {
            max_connections: 1000,
            max_unauthenticated: 500,
            max_unauthenticated_per_source: 125,
            early_drop_from: 250,
            early_drop_percent: 30,
            connection_burst: 250,
            connections_per_minute: 240,
            signing_permits: 2,
            signing_queue: 256,
            password_permits: 2,
            // Few: whoever waits longer than the 10 s of a handshake has waited in vain, and whoever is hung up on at once
            // comes again.
            password_queue: 16,
            rekey_seconds: REKEY_SECONDS,
        }
    }
}

impl Limits {
    /// The differences from another set: `name old -> new` for each.
    pub fn changes(&self, new: &Self) -> Vec<String> {
        let pairs = self.table().into_iter().zip(new.table());
        pairs
            .filter(|(old, new)| old != new)
            .map(|((name, old), (_, new))| format!("{name} {old} -> {new}"))
            .collect()
    }

    fn table(&self) -> [(&'static str, usize); 12] {
        let Self {
            max_connections,
            max_unauthenticated,
            max_unauthenticated_per_source,
            early_drop_from,
            early_drop_percent,
            connection_burst,
            connections_per_minute,
            signing_permits,
            signing_queue,
            password_permits,
            password_queue,
            rekey_seconds,
        } = *self;
        [
            ("max_connections", max_connections),
            ("max_unauthenticated", max_unauthenticated),
            (
                "max_unauthenticated_per_source",
                max_unauthenticated_per_source,
            ),
            ("early_drop_from", early_drop_from),
            ("early_drop_percent", early_drop_percent),
            ("connection_burst", connection_burst),
            ("connections_per_minute", connections_per_minute),
            ("signing_permits", signing_permits),
            ("signing_queue", signing_queue),
            ("password_permits", password_permits),
            ("password_queue", password_queue),
            ("rekey_seconds", rekey_seconds),
        ]
    }
}

/// How long keys serve at most, in seconds.
const REKEY_SECONDS: usize = KeyLife::USUAL.time.as_secs() as usize;

/// More of anything is a slip of the keyboard.
const MOST: usize = 1_000_000;

/// For errors in the words of an operator.
struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number without quotes")
    }

    fn visit_i64<E>(self, n: i64) -> Result<i128, E> {
        Ok(n.into())
    }

    fn visit_i128<E>(self, n: i128) -> Result<i128, E> {
        Ok(n)
    }
}

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, MOST)
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, 100)
}

fn until_rekey<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, REKEY_SECONDS)
}

fn between<'de, D: Deserializer<'de>>(from: D, most: usize) -> Result<usize, D::Error> {
    let n = from.deserialize_any(WholeNumber)?;
    match usize::try_from(n) {
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        _ => Err(D::Error::custom(format!(
            "{n} is not allowed here: use 1 to {most}"
        ))),
    }
}
