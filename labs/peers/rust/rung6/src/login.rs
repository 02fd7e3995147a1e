//! The login of rung 6: the user's name, and the user's signature over the exchange and the name.
//!
//! ```text
//! login     = u8 n ‖ name ‖ u16 384 ‖ signature
//! signature = by the user's private key, over SHA-256(exchange ‖ 04 ‖ u8 n ‖ name)
//! ```

use std::{collections::HashMap, path::Path};

use crate::{
    error::Result,
    exchange::u16_and,
    files::{self, is_name},
    keys::{PrivateKey, PublicKey, SIGNATURE, sha256},
};

/// What a user's signature is for.
const USER: &[u8] = b"ladder user signature";
/// The type of the message that holds a login.
pub const LOGIN: u8 = 4;

/// Why a login is not good. The number goes to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotALogin = 0,
    NoSuchName = 1,
    WrongSignature = 2,
}

/// The login of the user whose private key this folder holds.
pub fn make(exchanged: &[u8], dir: &Path, name: &str) -> Result<Vec<u8>> {
    if !is_name(name) {
        return Err(format!("{name:?} is no name").into());
    }
    let key = files::key(&dir.join("client.keys").join(name), PrivateKey::from_pem)?;
    let signature = key.sign(USER, &signed_hash(exchanged, name));
    Ok([u8_and(name.as_bytes()), u16_and(&signature)].concat())
}

/// What the user signs: this exchange with this host, and the name.
fn signed_hash(exchanged: &[u8], name: &str) -> [u8; 32] {
    sha256(&[exchanged, &[LOGIN], &u8_and(name.as_bytes())].concat())
}

/// The data with its length in front.
fn u8_and(data: &[u8]) -> Vec<u8> {
    let n = u8::try_from(data.len()).expect("a name is short");
    [&[n], data].concat()
}

/// Name and signature, if the login has this form.
fn parse(login: &[u8]) -> Option<(&str, &[u8])> {
    let (name, rest) = take(login)?;
    let (n, signature) = rest.split_first_chunk()?;
    let is_whole = u16::from_be_bytes(*n) as usize == SIGNATURE && signature.len() == SIGNATURE;
    let name = str::from_utf8(name).ok().filter(|name| is_name(name))?;
    is_whole.then_some((name, signature))
}

/// What [`u8_and`] has put together, and what follows.
fn take(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = data.split_first()?;
    rest.split_at_checked(usize::from(*n))
}

/// The users of a server: their names, and their **public** keys alone.
pub struct Users(HashMap<String, PublicKey>);

impl Users {
    /// Reads the list, and the key of each name in it.
    pub fn read(dir: &Path) -> Result<Self> {
        let list = files::read(&dir.join("server.keys/clients"))?;
        let users = list.lines().map(|name| Ok((name.to_owned(), public_key(dir, name)?)));
        Ok(Self(users.collect::<Result<_>>()?))
    }

    /// The name in a login that is good.
    pub fn check(&self, exchanged: &[u8], login: &[u8]) -> std::result::Result<String, Refusal> {
        let (name, signature) = parse(login).ok_or(Refusal::NotALogin)?;
        let key = self.0.get(name).ok_or(Refusal::NoSuchName)?;
        key.verify(USER, &signed_hash(exchanged, name), signature)
            .map_err(|_| Refusal::WrongSignature)?;
        Ok(name.to_owned())
    }
}

fn public_key(dir: &Path, name: &str) -> Result<PublicKey> {
    if !is_name(name) {
        return Err(format!("server.keys/clients has a line that is no name: {name:?}").into());
    }
    files::key(
        &dir.join("server.keys").join(format!("{name}.pub")),
        PublicKey::from_pem,
    )
}
