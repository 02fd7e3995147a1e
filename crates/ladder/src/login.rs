//! The login: who the client says it is, and how it shows that.
//!
//! | rung | bytes |
//! | --- | --- |
//! | 0 to 5 | the name, encrypted with the user's public key (textbook RSA): 1 to 128 bytes |
//! | 6 | `u8 n ‖ name ‖ u16 n ‖ signature` |
//! | 7, 8 | `u8 n ‖ name ‖ u16 n ‖ signature ‖ u8 n ‖ password` |

use latchstring_attacker::{
    protocol::codec::{DecodeError, Reader, put_long, put_short},
    protocol_faithful::{keys::PublicKey, message::UserName},
};
use rand::rngs::ChaCha20Rng;
use thiserror::Error;

use crate::{
    hello::Transcript,
    rung::{Idea, Rung},
    signature::{Context, SigningKey},
};

/// Longest password in bytes.
pub const MAX_PASSWORD: usize = 128;

/// Makes the bytes of a login. Honest clients have an [`Identity`]; an attacker brings whatever it has.
pub trait Credentials: Send {
    /// The login for this connection.
    fn login(&mut self, rung: Rung, transcript: &Transcript, rng: &mut ChaCha20Rng) -> Vec<u8>;
}

/// Bytes that were made somewhere else.
pub struct Ready(pub Vec<u8>);

impl Credentials for Ready {
    fn login(&mut self, _: Rung, _: &Transcript, _: &mut ChaCha20Rng) -> Vec<u8> {
        self.0.clone()
    }
}

/// What a user has. A rung uses the part that it asks for.
#[derive(Clone)]
pub struct Identity {
    /// The name.
    pub name: UserName,
    /// Rungs 0 to 5: the user's *public* key, which is all it takes.
    pub public: Option<PublicKey>,
    /// From rung 6 on: the user's private key.
    pub key: Option<SigningKey>,
    /// From rung 7 on.
    pub password: String,
}

/// A user who lacks what the rung asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Lacking {
    /// No public key of 1024 bits.
    #[error("{0} has no public key for a textbook login: put it into client.keys/{0}.pub")]
    PublicKey(String),
    /// No private key of 3072 bits.
    #[error("{0} has no private key to sign with: put it into client.keys/{0}")]
    PrivateKey(String),
    /// No password, or one that is too long.
    #[error("{0} has no password of 1 to 128 bytes: put it into client.keys/{0}.password")]
    Password(String),
}

impl Identity {
    /// Whether the user has all that a login of this rung takes.
    ///
    /// # Errors
    /// [`Lacking`] names the part that is missing.
    pub fn suits(&self, rung: Rung) -> Result<(), Lacking> {
        let name = || self.name.to_string();
        if !rung.has(Idea::Proof) {
            return (self.public.is_some())
                .then_some(())
                .ok_or_else(|| Lacking::PublicKey(name()));
        }
        if self.key.is_none() {
            return Err(Lacking::PrivateKey(name()));
        }
        let fits = (1..=MAX_PASSWORD).contains(&self.password.len());
        match rung.has(Idea::Password) && !fits {
            true => Err(Lacking::Password(name())),
            false => Ok(()),
        }
    }
}

impl Credentials for Identity {
    /// # Panics
    /// When the user lacks a part: [`Identity::suits`] is asked before.
    fn login(&mut self, rung: Rung, transcript: &Transcript, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let name = self.name.as_str().as_bytes();
        if !rung.has(Idea::Proof) {
            let key = self.public.as_ref().expect("a textbook login has a key");
            return key.encrypt(name).expect("a name is below every modulus");
        }
        let key = self.key.as_ref().expect("a signed login has a key");
        let signed = signed_hash(transcript, name);
        let signature = key.sign(Context::User, &signed, rng);
        signed_login(rung, name, &signature, self.password.as_bytes())
    }
}

/// What a user signs: the transcript, then the login up to the name.
pub fn signed_hash(transcript: &Transcript, name: &[u8]) -> [u8; 32] {
    let mut head = vec![LOGIN_TYPE];
    put_short(&mut head, name);
    transcript.hash_with(&head)
}

/// The type byte of a login, which is signed with the name.
const LOGIN_TYPE: u8 = 4;

/// The bytes of a login from rung 6 on.
pub fn signed_login(rung: Rung, name: &[u8], signature: &[u8], password: &[u8]) -> Vec<u8> {
    let mut login = Vec::new();
    put_short(&mut login, name);
    put_long(&mut login, signature);
    if rung.has(Idea::Password) {
        put_short(&mut login, password);
    }
    login
}

/// A login from rung 6 on, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The name.
    pub name: UserName,
    /// The signature.
    pub signature: Vec<u8>,
    /// The password; empty on rung 6.
    pub password: Vec<u8>,
}

impl Signed {
    /// Reads the bytes of a login.
    ///
    /// # Errors
    /// When a length or the name is wrong.
    pub fn decode(rung: Rung, login: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(login);
        let name = std::str::from_utf8(r.short("name")?).map_err(|_| DecodeError::Invalid {
            field: "name",
            why: "it is not UTF-8",
        })?;
        let name = UserName::parse(name)?;
        let signature = r.long("signature")?.to_vec();
        let password = match rung.has(Idea::Password) {
            true => r.short("password")?.to_vec(),
            false => Vec::new(),
        };
        r.finish()?;
        if password.len() > MAX_PASSWORD {
            return Err(DecodeError::Invalid {
                field: "password",
                why: "it is longer than 128 bytes",
            });
        }
        Ok(Self {
            name,
            signature,
            password,
        })
    }
}
