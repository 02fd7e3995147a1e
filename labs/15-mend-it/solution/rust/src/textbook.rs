//! Textbook RSA, the login of rungs 0 to 5: no padding, no proof, and always the same bytes for the same name.

use rsa::{
    BoxedUint, RsaPrivateKey, RsaPublicKey,
    hazmat::{rsa_decrypt, rsa_encrypt},
    rand_core::CryptoRng,
    traits::PublicKeyParts,
};

use crate::error::Result;

/// `name^e mod n`, without leading zeros. Everybody who has the public key can compute it.
pub fn encrypt(key: &RsaPublicKey, name: &str) -> Result<Vec<u8>> {
    let m = BoxedUint::from_be_slice(name.as_bytes(), key.n_bits_precision())
        .map_err(|_| "the name is too long")?;
    let c = rsa_encrypt(key, &m).map_err(|why| why.to_string())?;
    Ok(without_zeros(&c.to_be_bytes()))
}

/// `login^d mod n`, without leading zeros; `None` if the login is not below n.
pub fn decrypt(key: &RsaPrivateKey, login: &[u8]) -> Option<Vec<u8>> {
    let c = BoxedUint::from_be_slice(login, key.n_bits_precision()).ok()?;
    let m = rsa_decrypt(None::<&mut dyn CryptoRng>, key, &c).ok()?;
    Some(without_zeros(&m.to_be_bytes()))
}

fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect()
}
