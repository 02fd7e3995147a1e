//! The keys that protect frames.
//!
//! | rungs | keys |
//! | --- | --- |
//! | 0, 1 | the session key that the server sent in clear, for both directions |
//! | 2 to 4 | HKDF of that session key: a key for each purpose and direction |
//! | 5 to 8 | HKDF of an X25519 secret and the transcript's hash |

use hkdf::Hkdf;
use sha2::Sha256;

use crate::rung::{Idea, Rung};

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of an IV: the first half of each counter block.
pub const IV: usize = 8;

/// From whom to whom a frame travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Way {
    /// How HKDF's info names it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ToServer => "c2s",
            Self::ToClient => "s2c",
        }
    }
}

/// What protects one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direction {
    /// AES-256 key.
    pub enc: [u8; KEY],
    /// HMAC key, from rung 2 on.
    pub mac: Option<[u8; KEY]>,
    /// First half of each counter block.
    pub iv: [u8; IV],
}

/// What protects a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// What the client says.
    pub to_server: Direction,
    /// What the server says.
    pub to_client: Direction,
}

impl Keys {
    /// Rungs 0 to 4: from the session key and the IV that the server sent in clear.
    pub fn from_session_key(rung: Rung, key: &[u8; KEY], iv: &[u8; IV]) -> Self {
        let schedule = Schedule::new(iv, key);
        let direction = |way| match rung.has(Idea::Tag) {
            false => Direction {
                enc: *key,
                mac: None,
                iv: *iv,
            },
            true => Direction {
                iv: *iv,
                ..schedule.direction(way)
            },
        };
        Self::both(direction)
    }

    /// Rungs 5 to 8: from the X25519 secret and the hash of all that was said in clear.
    pub fn from_exchange(secret: &[u8; KEY], transcript: &[u8; 32]) -> Self {
        let schedule = Schedule::new(transcript, secret);
        Self::both(|way| schedule.direction(way))
    }

    fn both(direction: impl Fn(Way) -> Direction) -> Self {
        Self {
            to_server: direction(Way::ToServer),
            to_client: direction(Way::ToClient),
        }
    }

    /// The keys of one direction.
    pub fn of(&self, way: Way) -> &Direction {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }
}

/// HKDF-SHA-256 (RFC 5869): `Extract(salt, secret)`, then `Expand` with the info `"ladder "`, purpose, a space, direction.
struct Schedule(Hkdf<Sha256>);

impl Schedule {
    fn new(salt: &[u8], secret: &[u8]) -> Self {
        Self(Hkdf::new(Some(salt), secret))
    }

    fn direction(&self, way: Way) -> Direction {
        Direction {
            enc: self.expand("enc", way),
            mac: Some(self.expand("mac", way)),
            iv: self.expand("iv", way),
        }
    }

    fn expand<const N: usize>(&self, purpose: &str, way: Way) -> [u8; N] {
        let mut out = [0; N];
        let info = format!("ladder {purpose} {}", way.label());
        (self.0.expand(info.as_bytes(), &mut out)).expect("a key is far shorter than 255 hashes");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_key_serves_one_purpose_and_one_direction() {
        let rung = Rung::new(2).unwrap();
        for keys in [
            Keys::from_session_key(rung, &[1; 32], &[2; 8]),
            Keys::from_exchange(&[1; 32], &[2; 32]),
        ] {
            let Keys {
                to_server: a,
                to_client: b,
            } = keys;
            let all = [a.enc, a.mac.unwrap(), b.enc, b.mac.unwrap()];
            for (i, key) in all.iter().enumerate() {
                assert!(!all[i + 1..].contains(key));
            }
        }
    }

    #[test]
    fn below_the_tag_there_is_one_key_for_everything() {
        let keys = Keys::from_session_key(Rung::new(1).unwrap(), &[1; 32], &[2; 8]);
        assert_eq!(keys.to_server, keys.to_client);
        assert_eq!((keys.to_server.enc, keys.to_server.mac), ([1; 32], None));
    }
}
