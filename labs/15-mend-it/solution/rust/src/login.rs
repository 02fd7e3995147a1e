//! The login of rungs 6 to 8: a name, the user's signature over the transcript, and from rung 7 on a password.

use crate::{
    exchange::{Transcript, long, short},
    files::is_name,
    rung::PASSWORD,
    signature::{PrivateKey, SIGNATURE, Use},
};

/// Why a login is not good. The byte is the reason that rungs 6 and 7 send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Form = 0,
    NoSuchName = 1,
    WrongSignature = 2,
    WrongPassword = 3,
    /// Rung 8, which sends no reason.
    Disabled = 4,
}

impl Refusal {
    /// In words, for the server's own log.
    pub fn words(self) -> &'static str {
        match self {
            Self::Form => "the login has another form",
            Self::NoSuchName => "there is no such name",
            Self::WrongSignature => "the signature is wrong",
            Self::WrongPassword => "the password is wrong",
            Self::Disabled => "the key is disabled",
        }
    }
}

/// A login as it came. Nothing in it is checked but its form.
pub struct Signed<'a> {
    pub name: &'a str,
    pub signature: &'a [u8],
    /// From rung 7 on.
    pub password: &'a [u8],
}

impl<'a> Signed<'a> {
    /// `u8 n ‖ name ‖ u16 384 ‖ signature`, from rung 7 on also `u8 n ‖ password`, and nothing behind.
    pub fn decode(rung: u8, body: &'a [u8]) -> Option<Self> {
        let (name, rest) = take_short(body)?;
        let (n, rest) = rest.split_first_chunk()?;
        if usize::from(u16::from_be_bytes(*n)) != SIGNATURE {
            return None;
        }
        let (signature, rest) = rest.split_at_checked(SIGNATURE)?;
        let (password, rest) = if rung >= PASSWORD {
            take_short(rest)?
        } else {
            (rest, &[][..])
        };
        let password_is_good = match rung >= PASSWORD {
            true => (1..=128).contains(&password.len()),
            false => password.is_empty(),
        };
        let name = str::from_utf8(name).ok().filter(|name| is_name(name))?;
        (password_is_good && rest.is_empty()).then_some(Self {
            name,
            signature,
            password,
        })
    }
}

fn take_short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*n))
}

/// The login of the user who holds this key. The signature is good in this session alone, and at this host alone.
pub fn sign(
    rung: u8,
    name: &str,
    key: &PrivateKey,
    password: &[u8],
    transcript: &Transcript,
) -> Vec<u8> {
    let signature = key.sign(Use::User, &transcript.hash_with_name(name));
    let mut login = [short(name.as_bytes()), long(&signature)].concat();
    if rung >= PASSWORD {
        login.extend(short(password));
    }
    login
}
