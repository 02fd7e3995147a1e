//! The name of a public key.

use std::{fmt, str::FromStr};

use base64ct::{Base64Unpadded, Encoding};

use crate::{codec::DecodeError, hardened::primitives::hash};

/// SHA-256 of a SubjectPublicKeyInfo. For users' keys this is the `kid`; for host keys it is what a person compares.
/// Written as OpenSSH writes it: `SHA256:` and base64 without padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a public key, given as DER of a SubjectPublicKeyInfo.
    pub fn of(spki: &[u8]) -> Self {
        Self(hash(&[spki]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", Base64Unpadded::encode_string(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = DecodeError;
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        let mut bytes = [0; 32];
        match s
            .strip_prefix("SHA256:")
            .map(|b64| Base64Unpadded::decode(b64, &mut bytes))
        {
            Some(Ok(decoded)) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(DecodeError::Invalid {
                field: "fingerprint",
                why: "it must be SHA256: followed by 43 characters of base64",
            }),
        }
    }
}
