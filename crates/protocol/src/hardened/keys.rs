//! The key schedule: from one X25519 secret and the transcript to every key of a session.
//!
//! ```text
//! Z = X25519(e, epk')                                PRK = HKDF-Extract("latch/2 handshake", Z)
//! hs_c, hs_s, root     = XL(PRK,  "hs c2s" | "hs s2c" | "root", TH1)
//! ap_c, ap_s, rk, ...  = XL(root, "ap c2s" | "ap s2c" | "rekey root" | "session id" | "chain c2s" | "chain s2c", TH7)
//!
//! a change of keys:     P' = HKDF-Extract(rk, Z')    THr = H("latch/2 rekey" ‖ u32 epoch ‖ epkC' ‖ epkS')
//! ap_c', ap_s', rk'    = XL(P', "ap c2s" | "ap s2c" | "rekey root", THr)
//! ```

use hmac::{Hmac, Mac};
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{
    Error,
    parts::{Exchange, Parts},
    primitives::{Secret, expand, extract, hash, mac},
    role::Role,
};

/// Salt of the first extraction.
pub const EXTRACT_SALT: &[u8] = b"latch/2 handshake";

/// Begins what is hashed for a change of keys.
const REKEY_LABEL: &[u8] = b"latch/2 rekey";
/// The label of the secret from which the next keys come.
const REKEY_ROOT: &str = "rekey root";

/// X25519 (RFC 7748) with a secret that is used once.
pub struct X25519(StaticSecret);

impl X25519 {
    /// Bytes of a public value.
    pub const SHARE_LEN: usize = 32;

    /// From 32 bytes of the best randomness there is.
    pub fn new(secret: &Secret) -> Self {
        Self(StaticSecret::from(**secret))
    }

    /// The public value.
    pub(super) fn value(&self) -> [u8; Self::SHARE_LEN] {
        PublicKey::from(&self.0).to_bytes()
    }
}

impl Exchange for X25519 {
    fn share(&self) -> Vec<u8> {
        self.value().to_vec()
    }

    /// # Errors
    /// Also when the peer's point forces the shared secret to zero (RFC 7748, section 6.1).
    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let peer = <[u8; 32]>::try_from(peer).map_err(|_| Error::Forged("X25519 value"))?;
        let shared = self.0.diffie_hellman(&PublicKey::from(peer));
        if !shared.was_contributory() {
            return Err(Error::Forged(
                "the peer's X25519 value forces a zero secret",
            ));
        }
        Ok(Zeroizing::new(shared.as_bytes().to_vec()))
    }
}

/// One end's contribution to a handshake: the hello's random and half of the exchange, both fresh for every connection.
pub struct Ephemeral {
    /// `rc` or `rs`.
    pub(crate) random: [u8; 32],
    exchange: Box<dyn Exchange>,
}

impl Ephemeral {
    /// From 64 bytes of the best randomness there is: first the random, then the X25519 secret.
    pub fn new(entropy: &Zeroizing<[u8; 64]>) -> Self {
        Self::of(entropy, |secret| Box::new(X25519::new(secret)))
    }

    /// The same with the exchange that is handed in for this role.
    pub fn with(parts: &(impl Parts + ?Sized), role: Role, entropy: &Zeroizing<[u8; 64]>) -> Self {
        Self::of(entropy, |secret| parts.exchange(role, secret))
    }

    fn of(
        entropy: &Zeroizing<[u8; 64]>,
        exchange: impl FnOnce(&Secret) -> Box<dyn Exchange>,
    ) -> Self {
        let (random, secret) = entropy.split_at(32);
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret).expect("half of 64"));
        Self {
            random: random.try_into().expect("half of 64"),
            exchange: exchange(&secret),
        }
    }

    /// The public value that travels in a hello.
    pub fn share(&self) -> Vec<u8> {
        self.exchange.share()
    }

    /// Uses the secret up: the handshake secret `PRK`.
    ///
    /// # Errors
    /// [`Error::Forged`] when the peer's value cannot be one of an honest peer.
    pub fn agree(self, peer: &[u8]) -> Result<Secret, Error> {
        let shared = self.exchange.agree(peer)?;
        Ok(extract(EXTRACT_SALT, &shared))
    }
}

/// The secrets that protect the handshake, and the root of those that protect the session.
pub struct HandshakeSecrets {
    /// `hs_c`: protects `CLIENT_AUTH`.
    pub client: Secret,
    /// `hs_s`: protects `SERVER_AUTH`.
    pub server: Secret,
    /// Everything of the session comes from this.
    pub root: Secret,
}

impl HandshakeSecrets {
    /// From the handshake secret and the hash of the two hellos.
    pub fn derive(prk: &Secret, th1: &[u8; 32]) -> Self {
        Self {
            client: expand(prk, "hs c2s", th1),
            server: expand(prk, "hs s2c", th1),
            root: expand(prk, "root", th1),
        }
    }
}

/// The secrets of both ends once the whole handshake is in the transcript.
pub struct SessionSecrets {
    /// `ap_c`: protects what the client says.
    pub client: Secret,
    /// `ap_s`: protects what the server says.
    pub server: Secret,
    /// `rk`: the secrets after a change of keys come from it.
    pub(crate) rekey: Secret,
    pub(crate) id: [u8; 16],
    pub(crate) chain_client: [u8; 32],
    pub(crate) chain_server: [u8; 32],
}

impl SessionSecrets {
    /// From the root and the hash of the whole handshake.
    pub fn derive(root: &Secret, th7: &[u8; 32], parts: &(impl Parts + ?Sized)) -> Self {
        let [client, server] = parts.traffic_labels();
        Self {
            client: expand(root, client, th7),
            server: expand(root, server, th7),
            rekey: expand(root, REKEY_ROOT, th7),
            id: *expand(root, "session id", th7),
            chain_client: *expand(root, "chain c2s", th7),
            chain_server: *expand(root, "chain s2c", th7),
        }
    }
}

/// The secrets of both ends after a change of keys.
pub struct NewSecrets {
    /// `ap_c'`: protects what the client says.
    pub client: Secret,
    /// `ap_s'`: protects what the server says.
    pub server: Secret,
    /// `rk'`: for the change after this one.
    pub rekey: Secret,
}

impl NewSecrets {
    /// From the root of the old epoch and what the two values of the exchange give. `shares` are the client's value and
    /// the server's.
    pub fn derive(
        rekey: &Secret,
        shared: &[u8],
        epoch: u32,
        shares: [&[u8]; 2],
        parts: &(impl Parts + ?Sized),
    ) -> Self {
        let from = extract(&rekey[..], shared);
        let thr = hash(&[REKEY_LABEL, &epoch.to_be_bytes(), shares[0], shares[1]]);
        let [client, server] = parts.traffic_labels();
        Self {
            client: expand(&from, client, &thr),
            server: expand(&from, server, &thr),
            rekey: expand(&from, REKEY_ROOT, &thr),
        }
    }
}

/// `fin`: HMAC under a key made for it alone from a handshake secret.
pub(crate) fn finished(handshake_secret: &Secret, transcript_hash: &[u8; 32]) -> Hmac<Sha256> {
    let key: Secret = expand(handshake_secret, "fin", &[]);
    mac(&key).chain_update(transcript_hash)
}
