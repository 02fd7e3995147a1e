//! The format of each message, byte for byte. There is no framing: a message is the result of one read.

use std::{fmt, str::FromStr};

use crate::keys::{IV_LEN, KEY_LEN, SessionSecrets};
use latchstring_protocol::codec::{DecodeError, Reader};

/// The server's first reply. No magic and no version: see `hardened::message::MAGIC`.
pub const SUCCESS: [u8; 26] = *b"Authentication Successful!";
/// Longest login, in bytes: a number below a 1024-bit modulus.
pub const MAX_LOGIN: usize = 128;
/// All three replies together.
pub const REPLIES_LEN: usize = SUCCESS.len() + KEY_LEN + IV_LEN;
/// How much both ends ask one read for.
pub const READ_LEN: usize = 1024;
/// Longest text of one message, in bytes: the limit of one read.
pub const MAX_TEXT: usize = READ_LEN;
/// As a message: ends the client **and the server**, for everybody.
pub const QUIT: &str = "quit()";
/// As a message: ends this connection.
pub const CHANGE: &str = "change()";

// No `Type`: a message is recognised by its place in the session. See `hardened::message`.

/// A user's name: anything that is a harmless file name and fits into one RSA block.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// Checks that the name stays inside the key directory and on its line of the list.
    ///
    /// The report's programs check nothing; this is one of our departures. A name that ends in `.pub` is *not* refused,
    /// so the user `a.pub` still overwrites the public key of the user `a`.
    ///
    /// # Errors
    /// When the name is empty, longer than 127 bytes, holds `/`, `\`, `..` or a control character, or is `.`.
    pub fn parse(name: &str) -> Result<Self, DecodeError> {
        let why = if name.is_empty() {
            "it is empty: type a name"
        } else if name.len() >= MAX_LOGIN {
            // 127 bytes are below every 1024-bit modulus, so that no name depends on its key.
            "it is longer than 127 bytes: choose a shorter one"
        } else if name.contains(['/', '\\']) || name.contains("..") || name == "." {
            "it would leave the key directory: choose one without / \\ and .."
        } else if name.chars().any(char::is_control) {
            "it holds a control character (a newline would add a line to the list): choose one without"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(DecodeError::Invalid {
            field: "user name",
            why,
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UserName {
    type Err = DecodeError;
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        Self::parse(s)
    }
}

// No `Fingerprint` and no `Hello`: there is no host key, and nothing is agreed on. See `hardened::message`.

/// Message 1: the login, a number as big-endian bytes without leading zeros.
///
/// No nonce, no time, no signature and no password, so the same login is valid for ever: see `hardened::message::ClientAuth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(Vec<u8>);

impl Login {
    /// Takes what one read returned.
    ///
    /// # Errors
    /// When the login has 0 bytes or more than [`MAX_LOGIN`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let why = match bytes.len() {
            0 => "it is empty",
            1..=MAX_LOGIN => return Ok(Self(bytes.to_vec())),
            _ => "it is longer than 128 bytes, which no 1024-bit key makes",
        };
        Err(DecodeError::Invalid {
            field: "login",
            why,
        })
    }

    /// The bytes of the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Messages 2, 3 and 4: the greeting, the session key and the IV, **in clear**.
///
/// A list of three because the report's client reads each with one `recv(1024)`: a sender keeps them apart.
pub fn encode_replies(secrets: &SessionSecrets) -> [Vec<u8>; 3] {
    [SUCCESS.to_vec(), secrets.key.to_vec(), secrets.iv.to_vec()]
}

/// Reads the 66 bytes of the three replies, however they arrived.
///
/// # Errors
/// When the greeting is another or the length is.
pub fn decode_replies(bytes: &[u8]) -> Result<SessionSecrets, DecodeError> {
    let mut r = Reader::new(bytes);
    if r.array("greeting")? != SUCCESS {
        return Err(DecodeError::Invalid {
            field: "greeting",
            why: "the peer does not speak this protocol",
        });
    }
    let secrets = SessionSecrets::new(r.array("session key")?, r.array("IV")?);
    r.finish()?;
    Ok(secrets)
}

// No `Close` and no `Held`: neither end says what it holds of the other's messages. See `hardened::message`.

/// The meaning of a decrypted message. Commands travel in band: a user who can type `quit()` can end the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text.
    Text(String),
    /// [`QUIT`].
    Quit,
    /// [`CHANGE`].
    Change,
}

impl Message {
    /// Sorts a plaintext. Bytes that are not UTF-8 are shown lossily (the report's server ends with an error there).
    pub fn decode(plaintext: &[u8]) -> Self {
        match String::from_utf8_lossy(plaintext) {
            text if text == QUIT => Self::Quit,
            text if text == CHANGE => Self::Change,
            text => Self::Text(text.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_directory_and_on_their_line() {
        for good in ["alice", "Zoë", "a b", "a.pub", "-", &"x".repeat(127)] {
            assert_eq!(UserName::parse(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(128);
        for bad in [
            "", ".", "..", "../x", "a/b", "a\\b", "/etc/x", "a\nb", "a\r", "\0a", &long,
        ] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_login_has_1_to_128_bytes() {
        for (n, ok) in [
            (0, false),
            (1, true),
            (128, true),
            (129, false),
            (1024, false),
        ] {
            assert_eq!(Login::decode(&vec![7; n]).is_ok(), ok, "{n} bytes");
        }
    }

    #[test]
    fn replies_are_26_and_32_and_8_bytes_and_read_back() {
        let secrets = SessionSecrets::new([1; 32], [2; 8]);
        let replies = encode_replies(&secrets);
        assert_eq!(replies.each_ref().map(Vec::len), [26, 32, 8]);
        let mut wire = replies.concat();
        assert_eq!(wire.len(), REPLIES_LEN);
        let read = decode_replies(&wire).unwrap();
        assert_eq!((*read.key, *read.iv), ([1; 32], [2; 8]));
        assert!(decode_replies(&wire[..65]).is_err());
        wire.push(0);
        assert!(decode_replies(&wire).is_err());
        wire.pop();
        wire[0] ^= 1;
        assert!(decode_replies(&wire).is_err());
    }

    #[test]
    fn only_the_exact_words_are_commands() {
        assert_eq!(Message::decode(b"quit()"), Message::Quit);
        assert_eq!(Message::decode(b"change()"), Message::Change);
        assert_eq!(Message::decode(b"quit() "), Message::Text("quit() ".into()));
        assert_eq!(Message::decode(b"\xff!"), Message::Text("\u{fffd}!".into()));
    }
}
