//! The login of rungs 0 to 5: textbook RSA. There is no padding and no proof, and the same name gives the same bytes.
//!
//! ```text
//! login = name ^ e mod n, without leading zeros
//! ```

use std::path::Path;

use rsa::{
    BoxedUint, RsaPrivateKey, RsaPublicKey,
    hazmat::{rsa_decrypt, rsa_encrypt},
    pkcs1::DecodeRsaPrivateKey,
    pkcs8::DecodePublicKey,
    rand_core::CryptoRng,
    traits::PublicKeyParts,
};

use crate::{
    error::Result,
    files::{self, is_name},
};

/// The login of a user, for which everybody has all that it takes: the name, and the *public* key.
pub fn make(dir: &Path, name: &str) -> Result<Vec<u8>> {
    if !is_name(name) {
        return Err(format!("{name:?} is no name").into());
    }
    let path = dir.join("client.keys").join(format!("{name}.pub"));
    let key = files::key(&path, RsaPublicKey::from_public_key_pem)?;
    let m = BoxedUint::from_be_slice(name.as_bytes(), key.n_bits_precision()).map_err(|_| "the name is too long")?;
    let c = rsa_encrypt(&key, &m).map_err(|why| why.to_string())?;
    Ok(without_zeros(&c.to_be_bytes()))
}

/// The users of a server: their names, and (the report's idea) their **private** keys.
pub struct Users(Vec<(String, RsaPrivateKey)>);

impl Users {
    /// Reads the list, and the key of each name in it.
    pub fn read(dir: &Path) -> Result<Self> {
        let list = files::read(&dir.join("server.keys/clients"))?;
        let users = list.lines().map(|name| Ok((name.to_owned(), private_key(dir, name)?)));
        Ok(Self(users.collect::<Result<_>>()?))
    }

    /// The first user whose key decrypts the login to the user's own name.
    pub fn find(&self, login: &[u8]) -> Option<&str> {
        let mut users = self.0.iter();
        let fits = |(name, key): &&(String, RsaPrivateKey)| decrypt(key, login).is_some_and(|m| m == name.as_bytes());
        users.find(fits).map(|(name, _)| name.as_str())
    }
}

fn private_key(dir: &Path, name: &str) -> Result<RsaPrivateKey> {
    if !is_name(name) {
        return Err(format!("server.keys/clients has a line that is no name: {name:?}").into());
    }
    files::key(&dir.join("client.keys").join(name), RsaPrivateKey::from_pkcs1_pem)
}

/// `login ^ d mod n`, without leading zeros; nothing if the login is not below n.
fn decrypt(key: &RsaPrivateKey, login: &[u8]) -> Option<Vec<u8>> {
    let c = BoxedUint::from_be_slice(login, key.n_bits_precision()).ok()?;
    let m = rsa_decrypt(None::<&mut dyn CryptoRng>, key, &c).ok()?;
    Some(without_zeros(&m.to_be_bytes()))
}

fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}
