//! How a server decides about a login. It reads top to bottom in the order of the ladder.

use std::{collections::BTreeMap, time::Duration};

use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};
use latchstring_attacker::protocol_faithful::{
    handshake::accept, keys::PrivateKey, message::UserName,
};

use crate::{
    complaint::Refusal,
    hello::Transcript,
    login::{Signed, signed_hash},
    rung::{Idea, Rung},
    signature::{self, Context},
};

/// Wrong passwords by a key holder after which rung 8 disables the key.
pub const MAX_GUESSES: u32 = 10;

/// What a server holds of one user. A rung uses the part that it asks for.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub name: UserName,
    /// Rungs 0 to 5: the user's **private** key.
    pub private: Option<PrivateKey>,
    /// From rung 6 on: the user's public key.
    pub spki: Option<Vec<u8>>,
    /// From rung 7 on: the argon2id hash of the password.
    pub phc: Option<String>,
}

/// What a server spent, by kind of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Private keys of users tried on a login.
    pub trials: u32,
    /// Signatures made.
    pub signatures: u32,
    /// Signatures checked.
    pub checks: u32,
    /// Passwords hashed.
    pub hashes: u32,
}

impl Work {
    /// The time that it takes in memory, where work is counted and not measured. An operation with a public key takes 1 ms,
    /// one with a private key 5 ms, a password hash 100 ms.
    pub fn time(self) -> Duration {
        let millis = self.checks + 5 * (self.trials + self.signatures) + 100 * self.hashes;
        Duration::from_millis(millis.into())
    }
}

/// Decides about logins. Honest servers have [`Accounts`]; an attacker's server, or a flawed one, brings another door.
pub trait Door: Send {
    /// The user's name, or why not.
    ///
    /// # Errors
    /// [`Refusal`] when the login is not good.
    fn check(
        &mut self,
        rung: Rung,
        login: &[u8],
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<UserName, Refusal>;
}

/// The users that a server knows, in the order in which they were enrolled.
#[derive(Clone, Default)]
pub struct Accounts {
    users: Vec<Account>,
    /// Wrong passwords since the last right one, by name. Rung 8 alone looks at it.
    wrong: BTreeMap<UserName, u32>,
}

impl Accounts {
    /// Of these users.
    pub fn new(users: Vec<Account>) -> Self {
        Self {
            users,
            wrong: BTreeMap::new(),
        }
    }

    /// All users: what a thief finds in the store.
    pub fn users(&self) -> &[Account] {
        &self.users
    }

    /// Rungs 0 to 5: tries the private key of one user after the other, as the report's server does.
    fn by_trial(&self, login: &[u8], work: &mut Work) -> Result<UserName, Refusal> {
        let keys = self.users.iter();
        let keys = keys.filter_map(|user| Some((user.name.clone(), user.private.clone()?)));
        let counted = keys.inspect(|_| work.trials += 1);
        match accept(login, counted) {
            Ok(authenticated) => Ok(authenticated.user().clone()),
            Err(_) => Err(Refusal::UnknownName),
        }
    }

    /// From rung 6 on: looks the name up, then checks the signature over this transcript.
    fn by_proof(
        &self,
        login: &Signed,
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<&Account, Refusal> {
        let found = self.users.iter().find(|user| user.name == login.name);
        let user = found.ok_or(Refusal::UnknownName)?;
        let spki = user.spki.as_ref().ok_or(Refusal::UnknownName)?;
        let signed = signed_hash(transcript, login.name.as_str().as_bytes());
        work.checks += 1;
        match signature::verify(spki, Context::User, &signed, &login.signature) {
            true => Ok(user),
            false => Err(Refusal::BadSignature),
        }
    }

    /// From rung 7 on, and only for a holder of the key: so strangers can neither spend argon2 nor count against a user.
    fn by_password(
        &mut self,
        rung: Rung,
        user: &Account,
        password: &[u8],
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let wrong = self.wrong.entry(user.name.clone()).or_default();
        if rung.has(Idea::Quiet) && *wrong >= MAX_GUESSES {
            return Err(Refusal::Disabled);
        }
        work.hashes += 1;
        let phc = user.phc.as_deref().unwrap_or_default();
        match is_right(phc, password) {
            true => *wrong = 0,
            false => *wrong += 1,
        }
        match *wrong {
            0 => Ok(()),
            _ => Err(Refusal::WrongPassword),
        }
    }
}

impl Door for Accounts {
    fn check(
        &mut self,
        rung: Rung,
        login: &[u8],
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<UserName, Refusal> {
        if !rung.has(Idea::Proof) {
            return self.by_trial(login, work);
        }
        let login = Signed::decode(rung, login).map_err(|_| Refusal::NotALogin)?;
        let user = self.by_proof(&login, transcript, work)?.clone();
        if rung.has(Idea::Password) {
            self.by_password(rung, &user, &login.password, work)?;
        }
        Ok(user.name)
    }
}

/// Whether this is the password of the PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`).
pub fn is_right(phc: &str, password: &[u8]) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|stored| Argon2::default().verify_password(password, &stored).is_ok())
}
