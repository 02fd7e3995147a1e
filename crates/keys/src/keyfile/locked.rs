//! Private keys under a passphrase: PKCS#8 with PBES2 (RFC 8018), as `openssl pkey` reads and writes them.
//!
//! A file names the function that makes a key of the passphrase, and its cost. A stranger may have written the file, so
//! the cost is looked at before any work is done.

use latchstring_net::{
    entropy::Entropy,
    keyfile::{decode, encode},
    public_key::KeyError,
};
use pkcs5::{
    EncryptionScheme,
    der::{
        self, Decode, DecodeValue, Encode, EncodeValue, Header, Length, Reader, Sequence, Writer,
        asn1::OctetStringRef,
    },
    pbes2::{Kdf, Parameters},
    scrypt,
};
use zeroize::Zeroizing;

use crate::RsaKey;

/// `EncryptedPrivateKeyInfo` of PKCS#8.
const LOCKED: &str = "ENCRYPTED PRIVATE KEY";

/// The cost of scrypt in new files: 16 MiB, five times. OWASP counts this as strong as 128 MiB once, and OpenSSL opens no
/// file that takes more than 32 MiB.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;

/// The most memory that opening a file may take, in bytes.
const MAX_MEMORY: u128 = 256 << 20;
/// The most memory that it may go through, in bytes: some seconds.
const MAX_WORK: u128 = 1 << 30;
/// The most rounds of PBKDF2: some seconds.
const MAX_ROUNDS: u32 = 10_000_000;

/// Whether a PEM text is a private key under a passphrase.
pub fn is_locked(pem: &[u8]) -> bool {
    let begin = format!("-----BEGIN {LOCKED}-----");
    pem.trim_ascii_start().starts_with(begin.as_bytes())
}

/// The key in a PEM text, opened with its passphrase.
///
/// # Errors
/// [`KeyError::Passphrase`], [`KeyError::Cost`] before any work, [`KeyError::Encryption`] for another kind of
/// encryption.
pub fn unlock(pem: &[u8], passphrase: &[u8]) -> Result<RsaKey, KeyError> {
    let der = decode(pem, LOCKED)?;
    let locked = Locked::from_der(&der).map_err(|_| KeyError::Encryption)?;
    let EncryptionScheme::Pbes2(parameters) = &locked.scheme else {
        return Err(KeyError::Encryption);
    };
    check_cost(&parameters.kdf)?;
    let mut buffer = Zeroizing::new(locked.data.as_bytes().to_vec());
    let opened = parameters.decrypt_in_place(passphrase, &mut buffer);
    let opened = opened.map_err(|why| match why {
        pkcs5::Error::UnsupportedAlgorithm { .. } => KeyError::Encryption,
        // Every other error is one of the text behind the passphrase.
        _ => KeyError::Passphrase,
    })?;
    RsaKey::from_pkcs8(opened).map_err(|why| match why {
        // One wrong passphrase of 256 looks right until here.
        KeyError::Private(_) => KeyError::Passphrase,
        why => why,
    })
}

/// The key as PEM under a passphrase.
///
/// # Errors
/// [`KeyError::Private`] when the library cannot encode or encrypt it.
pub fn lock(key: &RsaKey, passphrase: &[u8], entropy: &dyn Entropy) -> Result<String, KeyError> {
    let failed = |_| KeyError::Private("it cannot be encrypted".to_owned());
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    entropy.fill(&mut salt);
    entropy.fill(&mut iv);
    let cost = scrypt::Params::new(LOG_N, R, P)
        .map_err(|_| KeyError::Private("the cost of its passphrase is wrong".to_owned()))?;
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(failed)?;
    let data = parameters.encrypt(passphrase, key.to_pkcs8()?.as_ref());
    let data = data.map_err(failed)?;
    let der = || -> der::Result<Vec<u8>> {
        let locked = Locked {
            scheme: parameters.into(),
            data: OctetStringRef::new(&data)?,
        };
        let length: u32 = locked.encoded_len()?.into();
        let mut der = vec![0; length as usize];
        locked.encode_to_slice(&mut der)?;
        Ok(der)
    };
    let der = der().map_err(|_| KeyError::Private("it cannot be encoded".to_owned()))?;
    encode(LOCKED, &der)
}

/// Refuses a file that would take more memory or time than any honest one.
fn check_cost(kdf: &Kdf) -> Result<(), KeyError> {
    match kdf {
        Kdf::Scrypt(cost) => {
            let (n, r) = (u128::from(cost.cost_parameter), u128::from(cost.block_size));
            let memory = 128 * n * r;
            let work = memory * u128::from(cost.parallelization);
            // The library would take a logarithm of it.
            if n < 2 || !n.is_power_of_two() || work == 0 {
                return Err(KeyError::Encryption);
            }
            if memory > MAX_MEMORY || work > MAX_WORK {
                return Err(KeyError::Cost(format!(
                    "scrypt over {} MiB of memory",
                    work >> 20
                )));
            }
        }
        Kdf::Pbkdf2(cost) => match cost.iteration_count {
            0 => return Err(KeyError::Encryption),
            1..=MAX_ROUNDS => {}
            rounds => return Err(KeyError::Cost(format!("{rounds} rounds of PBKDF2"))),
        },
        _ => return Err(KeyError::Encryption),
    }
    Ok(())
}

/// `EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm, encryptedData OCTET STRING }` (RFC 5958, section 3).
struct Locked<'a> {
    scheme: EncryptionScheme,
    data: &'a OctetStringRef,
}

impl<'a> DecodeValue<'a> for Locked<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        Ok(Self {
            scheme: reader.decode()?,
            data: reader.decode()?,
        })
    }
}

impl EncodeValue for Locked<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.scheme.encoded_len()? + self.data.encoded_len()?
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.scheme.encode(writer)?;
        self.data.encode(writer)
    }
}

impl<'a> Sequence<'a> for Locked<'a> {}

#[cfg(test)]
mod tests;
