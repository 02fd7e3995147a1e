//! The users that a server knows, and its decision about a login.

use std::path::Path;

use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey};

use crate::{error::Result, files, textbook};

pub struct Accounts {
    /// Names and **private** keys, in the order of the list.
    users: Vec<(String, RsaPrivateKey)>,
}

impl Accounts {
    /// Reads the list, and the key of each name in it.
    pub fn read(dir: &Path) -> Result<Self> {
        let list = files::read(&dir.join("server.keys/clients"))?;
        let users = list
            .lines()
            .map(|name| Ok((name.to_owned(), private_key(dir, name)?)));
        Ok(Self {
            users: users.collect::<Result<_>>()?,
        })
    }

    /// The name of the user whose login this is: tries one private key after the other.
    pub fn check(&self, login: &[u8]) -> Option<&str> {
        let fits = |(name, key): &&(String, RsaPrivateKey)| {
            textbook::decrypt(key, login).is_some_and(|m| m == name.as_bytes())
        };
        self.users.iter().find(fits).map(|(name, _)| name.as_str())
    }
}

fn private_key(dir: &Path, name: &str) -> Result<RsaPrivateKey> {
    if !files::is_name(name) {
        return Err(format!("server.keys/clients has a line that is no name: {name:?}").into());
    }
    let path = dir.join("client.keys").join(name);
    files::key(&path, RsaPrivateKey::from_pkcs1_pem)
}
