//! RSA public keys: which of them the protocol allows, and the one way to write one down.

use thiserror::Error;

/// Sizes that the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// 3072 bits: security of about 128 bits (NIST SP 800-57), signs in under a millisecond.
    B3072,
    /// 4096 bits: a little more margin, about twice the time.
    B4096,
}

impl Bits {
    /// Every allowed size.
    pub const ALL: [Self; 2] = [Self::B3072, Self::B4096];

    /// The size for a number of bits.
    ///
    /// # Errors
    /// [`KeyError::Size`] for all numbers but 3072 and 4096.
    pub fn new(bits: usize) -> Result<Self, KeyError> {
        let known = Self::ALL.into_iter().find(|b| b.modulus_len() * 8 == bits);
        known.ok_or(KeyError::Size { bits })
    }

    /// Bytes of the modulus, and of every signature: 384 or 512.
    pub fn modulus_len(self) -> usize {
        match self {
            Self::B3072 => 384,
            Self::B4096 => 512,
        }
    }
}

/// Why a key is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// An RSA key of a size that the protocol does not allow.
    #[error(
        "the RSA key has {bits} bits; make one of 3072 or 4096 (openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072)"
    )]
    Size {
        /// Bits of the modulus.
        bits: usize,
    },
    /// Not the one encoding that a public key has here.
    #[error(
        "the public key is not the DER of an RSA key with exponent 65537 (BEGIN PUBLIC KEY); another kind of key, exponent or encoding cannot be used"
    )]
    Public,
    /// Not an unencrypted PKCS#8 RSA key, or one whose numbers do not fit together.
    #[error("the private key is not an unencrypted PKCS#8 RSA key in good order: {0}")]
    Private(String),
    /// The text behind the passphrase is no key.
    #[error("the passphrase is wrong, or the key file is damaged")]
    Passphrase,
    /// Opening the file would take more time or memory than any honest file does.
    #[error(
        "the key file asks for {0} to open it, which is refused; if the file is yours, open it elsewhere and encrypt it again: openssl pkcs8 -topk8 -scrypt -in OLD -out NEW"
    )]
    Cost(String),
    /// A passphrase in another way.
    #[error(
        "the private key is not encrypted with PBES2, AES, and scrypt or PBKDF2 with SHA-2; convert it: openssl pkcs8 -topk8 -scrypt -in OLD -out NEW"
    )]
    Encryption,
    /// Not PEM.
    #[error("the key is not PEM: {0}")]
    Pem(String),
    /// PEM of something else.
    #[error("the PEM holds a {found}; a {expected} is needed{}", hint(.found))]
    Label {
        /// The kind that was needed.
        expected: &'static str,
        /// The kind that was found.
        found: String,
    },
    /// The operating system's or the library's randomness failed.
    #[error("a key could not be made: the generator failed")]
    Generate,
}

/// The advice for a PEM of another kind.
fn hint(found: &str) -> &'static str {
    match found {
        "RSA PRIVATE KEY" => " (convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW)",
        "ENCRYPTED PRIVATE KEY" => " (decrypt it: openssl pkcs8 -in OLD -out NEW)",
        "RSA PUBLIC KEY" => " (convert it: openssl rsa -RSAPublicKey_in -in OLD -pubout -out NEW)",
        _ => "",
    }
}

/// Checks that `spki` is an RSA public key that the protocol allows: 3072 or 4096 bits, e = 65537, in DER.
///
/// DER has exactly one encoding for such a key, in which all but the modulus is fixed (422 or 550 bytes in all). So
/// this compares instead of parsing, and there is no second spelling of a key that would have another fingerprint.
///
/// # Errors
/// [`KeyError::Size`] for a well-formed key of another usual size, [`KeyError::Public`] for everything else.
pub fn check_public_key(spki: &[u8]) -> Result<Bits, KeyError> {
    Bits::new(modulus(spki)?.len() * 8)
}

/// The modulus of such a key, also of one of another usual size, which is known only to say so.
pub(crate) fn modulus(spki: &[u8]) -> Result<&[u8], KeyError> {
    let mut usual = [384, 512, 256, 1024].into_iter();
    usual
        .find_map(|len| modulus_of(spki, len))
        .ok_or(KeyError::Public)
}

/// `AlgorithmIdentifier { rsaEncryption, NULL }` (RFC 3279, section 2.3.1).
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `INTEGER 65537`.
const EXPONENT: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// The `n` of `SEQUENCE { rsaEncryption, BIT STRING { SEQUENCE { INTEGER n, INTEGER 65537 } } }`, if it is odd and has
/// exactly `modulus_len` bytes.
fn modulus_of(spki: &[u8], modulus_len: usize) -> Option<&[u8]> {
    let with_length = |tag: u8, len: usize| [tag, 0x82, (len >> 8) as u8, len as u8];
    let integer = modulus_len + 1; // the top bit is set, so DER puts a zero before it
    let pair = 4 + integer + EXPONENT.len();
    let bits = 1 + 4 + pair;
    let head = [
        &with_length(0x30, RSA_ENCRYPTION.len() + 4 + bits)[..],
        &RSA_ENCRYPTION,
        &with_length(0x03, bits),
        &[0],
        &with_length(0x30, pair),
        &with_length(0x02, integer),
        &[0],
    ]
    .concat();
    let modulus = spki.strip_prefix(&head[..])?.strip_suffix(&EXPONENT)?;
    let fits =
        modulus.len() == modulus_len && modulus[0] >= 0x80 && modulus[modulus_len - 1] & 1 == 1;
    fits.then_some(modulus)
}
