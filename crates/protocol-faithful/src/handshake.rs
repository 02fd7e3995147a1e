//! Who may speak when, and what has been proven by then: nothing.
//!
//! The names are those of `hardened::handshake` wherever both have the step:
//!
//! ```text
//! client  ExpectReplies -> Sealer
//! server  accept()      -> Authenticated -> Opener
//! ```
//!
//! No transcript, no host key, no proof of the private key, no password: see `hardened::handshake`.

use crate::{
    Error,
    keys::{PrivateKey, PublicKey, SessionSecrets},
    message::{Login, UserName, decode_replies, encode_replies},
    record::Opener,
};
use thiserror::Error;

// ---------------------------------------------------------------------------------------------------- the client

/// The client has sent its login.
pub struct ExpectReplies(());

impl ExpectReplies {
    /// Begins: the bytes of the login are to be sent. The **public** key is all it takes, so anybody can.
    ///
    /// # Errors
    /// Never for a [`UserName`] and a key of 1024 bits.
    pub fn start(user: &UserName, key: &PublicKey) -> Result<(Self, Vec<u8>), Error> {
        Ok((Self(()), key.encrypt(user.as_str().as_bytes())?))
    }

    /// Reads the 66 bytes of the three replies. Nothing says who sent them.
    ///
    /// # Errors
    /// When the greeting is not the one of this protocol.
    pub fn replies(self, bytes: &[u8]) -> Result<SessionSecrets, Error> {
        Ok(decode_replies(bytes)?)
    }
}

// ---------------------------------------------------------------------------------------------------- the server

/// Looks for the first candidate whose private key decrypts the login to its own name.
///
/// `candidates` are the enrolled users in the order of the list. They are taken one by one and no further than needed,
/// so the cost of a login tells the place of its user in the list, and a login of nobody costs all of them.
///
/// # Errors
/// [`Refusal`] when the bytes are no login or no candidate fits.
pub fn accept(
    login: &[u8],
    candidates: impl IntoIterator<Item = (UserName, PrivateKey)>,
) -> Result<Authenticated, Refusal> {
    let login = Login::decode(login).map_err(|e| Refusal(Error::from(e).into()))?;
    let (mut tried, mut too_large) = (0, 0);
    for (user, key) in candidates {
        tried += 1;
        match key.decrypt(login.as_bytes()) {
            // The name's bytes are UTF-8, so equal bytes are equal text.
            Some(plaintext) if *plaintext == *user.as_str().as_bytes() => {
                return Ok(Authenticated { user });
            }
            Some(_) => {}
            None => too_large += 1,
        }
    }
    Err(Refusal(if tried == 0 {
        RefusalReason::NoKeys
    } else if tried == too_large {
        RefusalReason::TooLarge { tried }
    } else {
        RefusalReason::UnknownUser { tried }
    }))
}

/// Somebody knows the name and the public key of this user. That is all that is known.
#[derive(Debug)]
pub struct Authenticated {
    user: UserName,
}

impl Authenticated {
    /// Who they say they are.
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// Opens the session: the three replies are to be sent, apart from each other.
    pub fn welcome(self, secrets: &SessionSecrets) -> (Opener, [Vec<u8>; 3]) {
        (Opener::new(secrets), encode_replies(secrets))
    }
}

/// A login that failed. On the wire the connection ends, and that alone tells who has an account.
#[derive(Debug)]
pub struct Refusal(RefusalReason);

/// Why a login failed: for the server's screen, never for the peer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// 0 bytes, or more than 128.
    #[error(transparent)]
    NotALogin(#[from] Error),
    /// The number is not below any modulus.
    #[error("the number is too large for every one of the {tried} keys tried")]
    TooLarge {
        /// How many private keys were tried.
        tried: usize,
    },
    /// No private key decrypts it to its owner's name.
    #[error("none of the {tried} keys tried decrypts it to its owner's name")]
    UnknownUser {
        /// How many private keys were tried.
        tried: usize,
    },
    /// There is nobody to compare with.
    #[error("no user has a key here: generate one with faithful-client, option 2")]
    NoKeys,
}

impl Refusal {
    /// For the server's screen.
    pub fn reason(&self) -> &RefusalReason {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    /// Written by PyCrypto 2.6.1; generating keys takes seconds in a debug build.
    static VECTORS: LazyLock<serde_json::Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../../tests/vectors/faithful.json")).unwrap()
    });

    fn candidate(i: usize) -> (UserName, PrivateKey) {
        let user = &VECTORS["pycrypto"]["users"][i];
        let name = UserName::parse(user["name"].as_str().unwrap()).unwrap();
        let key = PrivateKey::from_pem(user["private"].as_str().unwrap()).unwrap();
        (name, key)
    }

    #[test]
    fn the_first_candidate_that_fits_wins_and_no_later_key_is_read() {
        let ((alice, a), (bob, b)) = (candidate(0), candidate(1));
        let (_, login) = ExpectReplies::start(&alice, &a.public_key()).unwrap();
        let mut read = 0;
        let list = [(bob.clone(), b.clone()), (alice.clone(), a), (bob, b)];
        let found = accept(&login, list.into_iter().inspect(|_| read += 1)).unwrap();
        assert_eq!((found.user(), read), (&alice, 2));
    }

    #[test]
    fn both_ends_hold_the_same_secrets() {
        let (alice, key) = candidate(0);
        let (client, login) = ExpectReplies::start(&alice, &key.public_key()).unwrap();
        let secrets = SessionSecrets::new([3; 32], [4; 8]);
        let (opener, replies) = accept(&login, [(alice, key)]).unwrap().welcome(&secrets);
        let sealer = crate::record::Sealer::new(&client.replies(&replies.concat()).unwrap());
        assert_eq!(&opener.open(&sealer.seal(b"hello").unwrap())[..], b"hello");
    }

    #[test]
    fn what_is_no_login_is_refused_with_its_reason() {
        let reason = |login: &[u8]| accept(login, [candidate(0), candidate(1)]).unwrap_err().0;
        assert!(matches!(reason(&[]), RefusalReason::NotALogin(_)));
        assert!(matches!(reason(&[1; 129]), RefusalReason::NotALogin(_)));
        assert_eq!(reason(&[0xff; 128]), RefusalReason::TooLarge { tried: 2 });
        assert_eq!(
            reason(&[0x11; 128]),
            RefusalReason::UnknownUser { tried: 2 }
        );
        assert_eq!(reason(&[0]), RefusalReason::UnknownUser { tried: 2 });
        assert_eq!(accept(&[1], []).unwrap_err().0, RefusalReason::NoKeys);
    }

    #[test]
    fn a_number_above_the_modulus_is_refused_although_it_is_congruent_to_a_login() {
        let (alice, key) = candidate(0);
        let n = key.public_key().modulus();
        assert!(accept(&n, [(alice.clone(), key.clone())]).is_err());
        // Leading zeros do not change the number, and PyCrypto does not mind them either.
        let (_, login) = ExpectReplies::start(&alice, &key.public_key()).unwrap();
        let short = [&vec![0; 128 - login.len()][..], &login].concat();
        assert!(accept(&short, [(alice, key)]).is_ok());
    }
}
