//! The client's half, top to bottom: the login, the replies.

use crate::{
    Error,
    keys::{PublicKey, SessionSecrets},
    message::{UserName, decode_replies},
};

// No `ExpectServerHello`: the two ends agree on no secret, and the first bytes on the wire are the login.
// No `ExpectServerAuth` and no `HostProven`: the server proves nothing, because it has no key of its own.
// No `TrustedHost`: the client compares nothing, so it sends the login to any machine that takes its connection.
// See `hardened::handshake`.

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

// No `ExpectVerdict` and no `Verdict`: the greeting is the verdict, and a refusal is the end of the connection. See
// `hardened::handshake`.
