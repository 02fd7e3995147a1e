//! The server's half, top to bottom: the search for a user, the welcome, the refusal.

use crate::{
    Error,
    keys::{PrivateKey, SessionSecrets},
    message::{Login, UserName, encode_replies},
    record::Opener,
};
use thiserror::Error;

/// Looks for the first candidate whose private key decrypts the login to its own name.
///
/// `candidates` are the enrolled users in the order of the list. The keys are tried one by one and no further than
/// needed. So the cost of a login shows the place of its user in the list, and an unknown user costs all of them.
///
/// # Errors
/// [`Refusal`] when the bytes are no login or no candidate fits.
pub fn accept(
    login: &[u8],
    candidates: impl IntoIterator<Item = (UserName, PrivateKey)>,
) -> Result<Authenticated, Refusal> {
    if login.is_empty() {
        return Err(Refusal(RefusalReason::SentNothing));
    }
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

// No `ExpectClientAuth`, no `Claim` and no `Claimant`: the server has said nothing before the login, so the login answers no
// challenge.
// No `KeyHolder`: the client proves no private key, and there is no password.
// No `Newcomer` and no `NewHolder`: a client writes new keys into the server's folder by itself.
// See `hardened::handshake`.

/// Somebody knows the name and the public key of this user. The server knows no more than that.
#[derive(Debug)]
pub struct Authenticated {
    user: UserName,
}

impl Authenticated {
    /// The claimed user.
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
    /// The connection ended before the first byte.
    #[error("no login: the client closed the connection before it sent one")]
    SentNothing,
    /// More than 128 bytes.
    #[error(transparent)]
    NotALogin(#[from] Error),
    /// The number is not below any modulus.
    #[error("the login is a number above the moduli of all {tried} private keys")]
    TooLarge {
        /// How many private keys were tried.
        tried: usize,
    },
    /// No private key decrypts it to its owner's name.
    #[error("none of the {tried} private keys decrypts the login to its owner's name")]
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

    // No `answer`: the server says nothing and hangs up. See `hardened::handshake`.
}
