//! The login of rung 7: the user's name, the user's signature, and a password.
//!
//! ```text
//! login     = u8 n ‖ name ‖ u16 384 ‖ signature ‖ u8 n ‖ password
//! signature = by the user's private key, over SHA-256(exchange ‖ 04 ‖ u8 n ‖ name)
//! ```

use std::{collections::HashMap, ops::RangeInclusive, path::Path};

use argon2::{Argon2, PasswordHash, PasswordVerifier};

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
/// Bytes of a password.
const PASSWORD: RangeInclusive<usize> = 1..=128;

/// Why a login is not good. The number goes to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotALogin = 0,
    NoSuchName = 1,
    WrongSignature = 2,
    WrongPassword = 3,
}

/// The login of the user whose private key and password this folder holds.
pub fn make(exchanged: &[u8], dir: &Path, name: &str) -> Result<Vec<u8>> {
    if !is_name(name) {
        return Err(format!("{name:?} is no name").into());
    }
    let key = files::key(&dir.join("client.keys").join(name), PrivateKey::from_pem)?;
    let signature = key.sign(USER, &signed_hash(exchanged, name));
    let password = files::read(&dir.join("client.keys").join(format!("{name}.password")))?;
    let password = password.trim_end_matches(['\r', '\n']).as_bytes();
    if !PASSWORD.contains(&password.len()) {
        return Err("a password has 1 to 128 bytes".into());
    }
    Ok([u8_and(name.as_bytes()), u16_and(&signature), u8_and(password)].concat())
}

/// What the user signs: this exchange with this host, and the name.
fn signed_hash(exchanged: &[u8], name: &str) -> [u8; 32] {
    sha256(&[exchanged, &[LOGIN], &u8_and(name.as_bytes())].concat())
}

/// The data with its length in front.
fn u8_and(data: &[u8]) -> Vec<u8> {
    let n = u8::try_from(data.len()).expect("names and passwords are short");
    [&[n], data].concat()
}

/// Name, signature and password, if the login has this form.
fn parse(login: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (name, rest) = take(login)?;
    let (n, rest) = rest.split_first_chunk()?;
    let (signature, rest) = rest.split_at_checked(SIGNATURE)?;
    let (password, rest) = take(rest)?;
    let is_whole = u16::from_be_bytes(*n) as usize == SIGNATURE && rest.is_empty();
    let name = str::from_utf8(name).ok().filter(|name| is_name(name))?;
    (is_whole && PASSWORD.contains(&password.len())).then_some((name, signature, password))
}

/// What [`u8_and`] has put together, and what follows.
fn take(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = data.split_first()?;
    rest.split_at_checked(usize::from(*n))
}

/// The users of a server: their names, and what it takes to know them.
pub struct Users(HashMap<String, User>);

/// What a server holds of one user. It holds no secret of theirs.
struct User {
    key: PublicKey,
    /// Of the password: an argon2id hash.
    hash: String,
}

impl Users {
    /// Reads the list, and the files of each name in it.
    pub fn read(dir: &Path) -> Result<Self> {
        let list = files::read(&dir.join("server.keys/clients"))?;
        let users = list.lines().map(|name| Ok((name.to_owned(), user(dir, name)?)));
        Ok(Self(users.collect::<Result<_>>()?))
    }

    /// The name in a login that is good.
    pub fn check(&self, exchanged: &[u8], login: &[u8]) -> std::result::Result<String, Refusal> {
        let (name, signature, password) = parse(login).ok_or(Refusal::NotALogin)?;
        let user = self.0.get(name).ok_or(Refusal::NoSuchName)?;
        user.key
            .verify(USER, &signed_hash(exchanged, name), signature)
            .map_err(|_| Refusal::WrongSignature)?;
        // Only now: a hash is dear, and without the key nobody makes the server compute one.
        check_password(user, password)?;
        Ok(name.to_owned())
    }
}

fn check_password(user: &User, password: &[u8]) -> std::result::Result<(), Refusal> {
    let hash = PasswordHash::new(&user.hash).map_err(|_| Refusal::WrongPassword)?;
    let fits = Argon2::default().verify_password(password, &hash);
    fits.map_err(|_| Refusal::WrongPassword)
}

fn user(dir: &Path, name: &str) -> Result<User> {
    if !is_name(name) {
        return Err(format!("server.keys/clients has a line that is no name: {name:?}").into());
    }
    let file = |ending: &str| dir.join("server.keys").join(format!("{name}.{ending}"));
    Ok(User {
        key: files::key(&file("pub"), PublicKey::from_pem)?,
        hash: files::read(&file("phc"))?.trim_end().to_owned(),
    })
}
