//! The users that a server knows, and its decision about a login.

use std::{collections::HashMap, path::Path, sync::Mutex};

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey};

use crate::{
    error::Result,
    exchange::Transcript,
    files,
    login::{Refusal, Signed},
    rung::{PASSWORD, PROOF, QUIET},
    signature::{PublicKey, Use},
    textbook,
};

/// Wrong passwords after which rung 8 disables a key.
const MOST_GUESSES: u32 = 10;

/// What the server holds of one user.
enum Credential {
    /// Rungs 0 to 5: the user's **private** key, which is the flaw that rung 6 mends.
    Textbook(RsaPrivateKey),
    /// From rung 6 on the public key, and from rung 7 on the password's hash.
    Signing { key: PublicKey, hash: String },
}

pub struct Accounts {
    rung: u8,
    /// In the order of the list.
    users: Vec<(String, Credential)>,
    /// Wrong passwords since the last right one, by name.
    wrong: Mutex<HashMap<String, u32>>,
}

impl Accounts {
    /// Reads the list, and the file that each name in it needs.
    pub fn read(rung: u8, dir: &Path) -> Result<Self> {
        let list = files::read(&dir.join("server.keys/clients"))?;
        let user = |name: &str| Ok((name.to_owned(), credential(rung, dir, name)?));
        let users = list.lines().map(user).collect::<Result<_>>()?;
        Ok(Self {
            rung,
            users,
            wrong: Mutex::default(),
        })
    }

    /// The name of the user whose login this is.
    pub fn check(
        &self,
        login: &[u8],
        transcript: &Transcript,
    ) -> std::result::Result<&str, Refusal> {
        match self.rung >= PROOF {
            true => self.by_proof(login, transcript),
            false => self.by_trial(login),
        }
    }

    /// Rungs 0 to 5: tries one private key after the other.
    fn by_trial(&self, login: &[u8]) -> std::result::Result<&str, Refusal> {
        if !(1..=128).contains(&login.len()) {
            return Err(Refusal::Form);
        }
        let fits = |(name, credential): &&(String, Credential)| match credential {
            Credential::Textbook(key) => {
                textbook::decrypt(key, login).is_some_and(|m| m == name.as_bytes())
            }
            Credential::Signing { .. } => false,
        };
        let found = self.users.iter().find(fits);
        found
            .map(|(name, _)| name.as_str())
            .ok_or(Refusal::NoSuchName)
    }

    /// From rung 6 on: form, name, signature, and only then the password. So strangers without the key can neither make
    /// this server hash nor count against a user.
    fn by_proof(
        &self,
        login: &[u8],
        transcript: &Transcript,
    ) -> std::result::Result<&str, Refusal> {
        let login = Signed::decode(self.rung, login).ok_or(Refusal::Form)?;
        let found = self.users.iter().find(|(name, _)| name == login.name);
        let Some((name, Credential::Signing { key, hash })) = found else {
            return Err(Refusal::NoSuchName);
        };
        if !key.verify(Use::User, &transcript.hash_with_name(name), login.signature) {
            return Err(Refusal::WrongSignature);
        }
        if self.rung >= PASSWORD {
            self.check_password(name, hash, login.password)?;
        }
        Ok(name)
    }

    /// One password at a time: the count must be right when two guesses come together, and argon2id takes 19 MiB.
    fn check_password(
        &self,
        name: &str,
        hash: &str,
        password: &[u8],
    ) -> std::result::Result<(), Refusal> {
        let mut wrong = self
            .wrong
            .lock()
            .expect("no thread panics while it checks a password");
        let count = wrong.entry(name.to_owned()).or_default();
        if self.rung >= QUIET && *count >= MOST_GUESSES {
            return Err(Refusal::Disabled);
        }
        let fits = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok());
        *count = if fits { 0 } else { *count + 1 };
        if fits {
            Ok(())
        } else {
            Err(Refusal::WrongPassword)
        }
    }
}

fn credential(rung: u8, dir: &Path, name: &str) -> Result<Credential> {
    if !files::is_name(name) {
        return Err(format!("server.keys/clients has a line that is no name: {name:?}").into());
    }
    if rung < PROOF {
        let path = dir.join("client.keys").join(name);
        return Ok(Credential::Textbook(files::key(
            &path,
            RsaPrivateKey::from_pkcs1_pem,
        )?));
    }
    let file = |ending: &str| dir.join("server.keys").join(format!("{name}.{ending}"));
    let hash = if rung >= PASSWORD {
        files::read(&file("phc"))?.trim_end().to_owned()
    } else {
        String::new()
    };
    Ok(Credential::Signing {
        key: files::key(&file("pub"), PublicKey::from_pem)?,
        hash,
    })
}
