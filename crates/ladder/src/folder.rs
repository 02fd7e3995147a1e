//! The files that the peers of a rung keep below one folder, as the report's programs do.
//!
//! | file | rungs | content | read by |
//! | --- | --- | --- | --- |
//! | `client.keys/NAME` | 0 to 5 | RSA-1024 private key, PKCS#1 PEM | the **server** |
//! | `client.keys/NAME.pub` | 0 to 5 | its public key, SPKI PEM | the client |
//! | `client.keys/NAME` | 6 to 8 | RSA-3072 private key, PKCS#8 PEM | the client |
//! | `client.keys/NAME.password` | 7, 8 | the password, one line | the client |
//! | `server.keys/clients` | all | the names, one a line | the server |
//! | `server.keys/NAME.pub` | all | the user's public key, SPKI PEM | the server, from rung 6 on |
//! | `server.keys/NAME.phc` | 7, 8 | the password's argon2id hash, PHC string | the server |
//! | `host.key` | 5 to 8 | RSA-3072 private key, PKCS#8 PEM | the server |
//! | `host.pub` | 5 to 8 | its public key, SPKI PEM; the client pins it | the client |

use std::{fs, path::Path};

use anyhow::{Context, Result};
use latchstring_arena::{
    keys::HOST_PEM,
    peers::{
        self, PASSWORD,
        people::{FAITHFUL_KEYS, PEOPLE},
    },
};
use latchstring_attacker::{
    Target,
    protocol_faithful::{
        keys::{PrivateKey, PublicKey},
        message::UserName,
    },
};

use crate::{
    accounts::{Account, Accounts},
    cast::{ALICES_HASH, ZOES_HASH, ZOES_PASSWORD},
    login::Identity,
    rung::{Idea, Rung},
    signature::{self, SigningKey},
};

/// Names that a server must take, and that a careless one does not. Each of them has alice's keys, and all but Zoë have
/// alice's password.
pub const UNUSUAL: [&str; 5] = ["x", ZOE, "a b", "-", LONGEST];
/// Who has a password of her own.
pub const ZOE: &str = "Zo\u{eb}";
/// The longest name: 127 bytes.
const LONGEST: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\
                       nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

/// Writes the published keys of the lab's people as a rung wants them.
///
/// # Errors
/// When a file cannot be written.
pub fn write(rung: Rung, folder: &Path) -> Result<()> {
    let mut files = Vec::new();
    match rung.has(Idea::Proof) {
        false => textbook_keys(&mut files),
        true => signing_keys(rung, &mut files),
    }
    if rung.has(Idea::Exchange) {
        let public = SigningKey::from_pem(HOST_PEM)?.public_pem();
        files.push(("host.key".to_owned(), HOST_PEM.to_owned()));
        files.push(("host.pub".to_owned(), public));
    }
    for (name, content) in files {
        let path = folder.join(name);
        let above = path.parent().unwrap_or(folder);
        let write = || fs::create_dir_all(above).and_then(|()| fs::write(&path, content));
        write()
            .with_context(|| format!("cannot write {}: choose another --dir", path.display()))?;
    }
    Ok(())
}

/// A user's password, and its hash as a server stores it.
pub fn password_of(name: &str) -> (&'static str, &'static str) {
    match name {
        ZOE => (ZOES_PASSWORD, ZOES_HASH),
        _ => (PASSWORD, ALICES_HASH),
    }
}

type Files = Vec<(String, String)>;

fn textbook_keys(files: &mut Files) {
    let (_, private, public) = FAITHFUL_KEYS[0];
    let alices = UNUSUAL.map(|name| (name, private, public));
    let mut list = String::new();
    for (name, private, public) in FAITHFUL_KEYS.into_iter().chain(alices) {
        files.push((format!("client.keys/{name}"), private.to_owned()));
        files.push((format!("client.keys/{name}.pub"), public.to_owned()));
        files.push((format!("server.keys/{name}.pub"), public.to_owned()));
        list += &format!("{name}\n");
    }
    files.push(("server.keys/clients".to_owned(), list));
}

fn signing_keys(rung: Rung, files: &mut Files) {
    let private = peers::private_key_pem(Target::Hardened);
    let enrolled = PEOPLE.iter().filter(|person| person.enrolled);
    let enrolled = enrolled.map(|person| (person.name, person.public_key(Target::Hardened)));
    let alices = UNUSUAL.map(|name| (name, peers::public_key_pem(Target::Hardened)));
    let mut list = String::new();
    for (name, public) in enrolled.chain(alices) {
        files.push((format!("server.keys/{name}.pub"), public.to_owned()));
        if rung.has(Idea::Password) {
            let (_, hash) = password_of(name);
            files.push((format!("server.keys/{name}.phc"), hash.to_owned()));
        }
        list += &format!("{name}\n");
    }
    for name in UNUSUAL.into_iter().chain(["alice"]) {
        files.push((format!("client.keys/{name}"), private.to_owned()));
        if rung.has(Idea::Password) {
            let (password, _) = password_of(name);
            files.push((
                format!("client.keys/{name}.password"),
                format!("{password}\n"),
            ));
        }
    }
    files.push(("server.keys/clients".to_owned(), list));
}

/// What a server reads: its host key, from rung 5 on, and its users.
///
/// # Errors
/// When a file is missing or holds something else.
pub fn server(rung: Rung, folder: &Path) -> Result<(Option<SigningKey>, Accounts)> {
    let host = match rung.has(Idea::Exchange) {
        true => Some(read_key(&folder.join("host.key"))?),
        false => None,
    };
    let list = read(&folder.join("server.keys/clients"))?;
    let users = list.lines().map(|name| account(rung, folder, name));
    Ok((host, Accounts::new(users.collect::<Result<_>>()?)))
}

fn account(rung: Rung, folder: &Path, name: &str) -> Result<Account> {
    let (client, server) = (folder.join("client.keys"), folder.join("server.keys"));
    let mut account = Account {
        name: UserName::parse(name).with_context(|| format!("the list of clients has {name:?}"))?,
        private: None,
        spki: None,
        phc: None,
    };
    if !rung.has(Idea::Proof) {
        let path = client.join(name);
        account.private = Some(PrivateKey::from_pem(&read(&path)?).with_context(|| shown(&path))?);
        return Ok(account);
    }
    let path = server.join(format!("{name}.pub"));
    account.spki = Some(signature::public_from_pem(&read(&path)?).with_context(|| shown(&path))?);
    if rung.has(Idea::Password) {
        let phc = read(&server.join(format!("{name}.phc")))?;
        account.phc = Some(phc.trim_end().to_owned());
    }
    Ok(account)
}

/// What a client reads: the user's part, and from rung 5 on the fingerprint of the host's key.
///
/// # Errors
/// When a file is missing or holds something else.
pub fn client(rung: Rung, folder: &Path, name: &str) -> Result<(Identity, Option<[u8; 32]>)> {
    let keys = folder.join("client.keys");
    let mut user = Identity {
        name: UserName::parse(name).with_context(|| format!("the name {name:?}"))?,
        public: None,
        key: None,
        password: String::new(),
    };
    if rung.has(Idea::Proof) {
        user.key = Some(read_key(&keys.join(name))?);
    } else {
        let path = keys.join(format!("{name}.pub"));
        user.public = Some(PublicKey::from_pem(&read(&path)?).with_context(|| shown(&path))?);
    }
    if rung.has(Idea::Password) {
        let password = read(&keys.join(format!("{name}.password")))?;
        user.password = password.trim_end_matches(['\r', '\n']).to_owned();
    }
    let path = folder.join("host.pub");
    let pin = match rung.has(Idea::Exchange) {
        false => None,
        true => {
            let spki = signature::public_from_pem(&read(&path)?).with_context(|| shown(&path))?;
            Some(signature::fingerprint(&spki))
        }
    };
    user.suits(rung)?;
    Ok((user, pin))
}

fn read_key(path: &Path) -> Result<SigningKey> {
    SigningKey::from_pem(&read(path)?).with_context(|| shown(path))
}

fn read(path: &Path) -> Result<String> {
    let hint = "make the files of a rung with `latchstring ladder files`";
    fs::read_to_string(path).with_context(|| format!("cannot read {}: {hint}", path.display()))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_a_rung_is_read_again_by_both_ends() {
        for rung in Rung::spoken() {
            let folder = tempfile::tempdir().unwrap();
            write(rung, folder.path()).unwrap();
            let (host, accounts) = server(rung, folder.path()).unwrap();
            assert_eq!(host.is_some(), rung.has(Idea::Exchange));
            assert!(accounts.users().len() >= 9);
            for name in UNUSUAL.into_iter().chain(["alice"]) {
                client(rung, folder.path(), name).unwrap();
            }
            let error = client(rung, folder.path(), "nobody").err().unwrap();
            assert!(error.to_string().contains("ladder files"), "{error}");
        }
        assert_eq!(LONGEST.len(), 127);
    }
}
