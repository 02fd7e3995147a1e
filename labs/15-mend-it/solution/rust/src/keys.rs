//! The keys of a session.
//!
//! | rungs | keys |
//! | --- | --- |
//! | 0, 1 | the session key that the server sent in clear, for both directions |
//! | 2 to 4 | derived from this session key: one for each purpose and direction |
//! | 5 to 8 | derived from the X25519 secret and the transcript's hash |

use hkdf::Hkdf;
use sha2::Sha256;

use crate::rung::TAG;

/// The keys of one direction.
#[derive(Clone)]
pub struct WayKeys {
    /// For AES-256.
    pub enc: [u8; 32],
    /// For HMAC, from rung 2 on.
    pub mac: Option<[u8; 32]>,
    /// The first half of each counter block.
    pub iv: [u8; 8],
}

pub struct Keys {
    pub to_server: WayKeys,
    pub to_client: WayKeys,
}

impl Keys {
    /// Rungs 0 to 4: from the values that the server sent in clear.
    pub fn from_session_key(rung: u8, key: [u8; 32], iv: [u8; 8]) -> Self {
        if rung < TAG {
            let both = WayKeys {
                enc: key,
                mac: None,
                iv,
            };
            return Self {
                to_server: both.clone(),
                to_client: both,
            };
        }
        let mut keys = Self::derived(&key, &iv);
        (keys.to_server.iv, keys.to_client.iv) = (iv, iv);
        keys
    }

    /// From rung 5 on: from the secret of the exchange and the hash of all that was said in clear.
    pub fn from_exchange(secret: &[u8; 32], transcript: &[u8; 32]) -> Self {
        Self::derived(secret, transcript)
    }

    /// HKDF with SHA-256 (RFC 5869): one Extract, then an Expand for each key.
    fn derived(secret: &[u8], salt: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
        let way = |way| WayKeys {
            enc: expand(&hkdf, "enc", way),
            mac: Some(expand(&hkdf, "mac", way)),
            iv: expand(&hkdf, "iv", way),
        };
        Self {
            to_server: way("c2s"),
            to_client: way("s2c"),
        }
    }
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, purpose: &str, way: &str) -> [u8; N] {
    let mut key = [0; N];
    let info = format!("ladder {purpose} {way}");
    hkdf.expand(info.as_bytes(), &mut key)
        .expect("a key is far shorter than 255 hashes");
    key
}
