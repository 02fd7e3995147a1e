//! The RSA keys on disk, and the secrets of one session.
//!
//! No key schedule: the session key is drawn by the server and sent in clear. See `hardened::keys`.

use rsa::{
    BoxedUint, RsaPrivateKey, RsaPublicKey, hazmat,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey},
    pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding},
    rand_core::CryptoRng,
    traits::PublicKeyParts,
};
use zeroize::Zeroizing;

use crate::Error;

/// Size of every modulus. Too small since 2013, and the least of this protocol's worries.
pub const MODULUS_BITS: u32 = 1024;
/// Length of the session key.
pub const KEY_LEN: usize = 32;
/// Length of the IV: the first half of each counter block.
pub const IV_LEN: usize = 8;

/// A user's private key. The *server* reads it too: there is one directory for both programs.
#[derive(Clone)]
pub struct PrivateKey(RsaPrivateKey);

impl PrivateKey {
    /// A new key of 1024 bits with e = 65537.
    ///
    /// # Errors
    /// Never in practice: when no primes are found.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        RsaPrivateKey::new(rng, MODULUS_BITS as usize)
            .map(Self)
            .map_err(|e| Error::BadKey(format!("no key was found ({e}): try again")))
    }

    /// Reads PKCS#1 PEM (`BEGIN RSA PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// [`Error::BadKey`] when it is something else, or not of 1024 bits.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        // PyCrypto's files end without a newline, editors add several; the strict parser wants at most one.
        let key = RsaPrivateKey::from_pkcs1_pem(pem.trim())
            .map_err(|e| bad_pem("BEGIN RSA PRIVATE KEY (PKCS#1, not encrypted)", &e))?;
        check_size(&key)?;
        Ok(Self(key))
    }

    /// Writes PKCS#1 PEM as PyCrypto does: lines end in LF, and none follows the last.
    ///
    /// # Errors
    /// Never in practice: when the key cannot be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        let pem = self.0.to_pkcs1_pem(LineEnding::LF);
        pem.map(|pem| Zeroizing::new(pem.trim_end().to_owned()))
            .map_err(|e| Error::BadKey(format!("it cannot be written ({e})")))
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.to_public_key())
    }

    /// Textbook decryption: `c^d mod n` as big-endian bytes without leading zeros. `None` when `c` is not below `n`.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let c = BoxedUint::from_be_slice(ciphertext, self.0.n_bits_precision()).ok()?;
        // The crate checks c < n. No generator: nothing is blinded, as in the report.
        let m = hazmat::rsa_decrypt(None::<&mut dyn CryptoRng>, &self.0, &c).ok()?;
        Some(Zeroizing::new(strip_zeros(&m.to_be_bytes()).to_vec()))
    }
}

/// A user's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Reads SubjectPublicKeyInfo PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// [`Error::BadKey`] when it is something else, or not of 1024 bits.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let key = Self::from_pem_of_any_size(pem)?;
        check_size(&key.0)?;
        Ok(key)
    }

    /// Reads a key that is not of this protocol: to show that a longer one does not mend its encryption.
    ///
    /// # Errors
    /// [`Error::BadKey`] when it is no such PEM.
    pub fn from_pem_of_any_size(pem: &str) -> Result<Self, Error> {
        RsaPublicKey::from_public_key_pem(pem.trim())
            .map(Self)
            .map_err(|e| bad_pem("BEGIN PUBLIC KEY (SubjectPublicKeyInfo)", &e))
    }

    /// Writes SubjectPublicKeyInfo PEM as PyCrypto does: lines end in LF, and none follows the last.
    ///
    /// # Errors
    /// Never in practice: when the key cannot be encoded.
    pub fn to_pem(&self) -> Result<String, Error> {
        let pem = self.0.to_public_key_pem(LineEnding::LF);
        pem.map(|pem| pem.trim_end().to_owned())
            .map_err(|e| Error::BadKey(format!("it cannot be written ({e})")))
    }

    /// Textbook encryption: `m^e mod n` as big-endian bytes without leading zeros. No padding, so it is deterministic,
    /// and everybody who has the public key gets the same bytes.
    ///
    /// # Errors
    /// [`Error::Misuse`] when `m`, as a big-endian number, is not below the modulus.
    pub fn encrypt(&self, m: &[u8]) -> Result<Vec<u8>, Error> {
        let too_large = Error::Misuse("the number to encrypt is not below the modulus");
        let m = BoxedUint::from_be_slice(m, self.0.n_bits_precision())
            .map_err(|_| too_large.clone())?;
        if m >= *self.0.n().as_ref() {
            return Err(too_large);
        }
        let c = hazmat::rsa_encrypt(&self.0, &m)
            .map_err(|_| Error::Misuse("this key cannot encrypt"))?;
        Ok(strip_zeros(&c.to_be_bytes()).to_vec())
    }

    /// The modulus as big-endian bytes, 128 of them.
    pub fn modulus(&self) -> Vec<u8> {
        self.0.n_bytes().into_vec()
    }
}

// No `Exchange`, no `X25519` and no `Ephemeral`: nothing is made for one session and forgotten after it.
// No `HandshakeSecrets`: the handshake is in clear. No `NewSecrets`: a session keeps its key.
// See `hardened::keys`.

/// The keys of one session: drawn by the server, sent in clear, and the same for every message.
///
/// No `Debug`, so that honest code cannot log them by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecrets {
    /// AES-256 key.
    pub key: Zeroizing<[u8; KEY_LEN]>,
    /// First half of every counter block.
    pub iv: Zeroizing<[u8; IV_LEN]>,
}

impl SessionSecrets {
    /// From the bytes of messages 3 and 4.
    pub fn new(key: [u8; KEY_LEN], iv: [u8; IV_LEN]) -> Self {
        Self {
            key: Zeroizing::new(key),
            iv: Zeroizing::new(iv),
        }
    }

    /// Draws the key, then the IV.
    pub fn draw<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secrets = Self::new([0; KEY_LEN], [0; IV_LEN]);
        rng.fill_bytes(&mut secrets.key[..]);
        rng.fill_bytes(&mut secrets.iv[..]);
        secrets
    }
}

/// A short modulus loads without complaint, and then every length of the protocol is wrong.
fn check_size(key: &impl PublicKeyParts) -> Result<(), Error> {
    match key.n().bits() {
        MODULUS_BITS => Ok(()),
        bits => Err(Error::BadKey(format!(
            "it has {bits} bits, and this protocol wants {MODULUS_BITS}: generate it again"
        ))),
    }
}

fn bad_pem(wanted: &str, found: &dyn std::fmt::Display) -> Error {
    Error::BadKey(format!(
        "it should be PEM that starts with {wanted}, and reading it says: {found}. Generate it again"
    ))
}

fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}
