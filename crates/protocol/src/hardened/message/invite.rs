//! An invitation: an operator hands it to a person before that person has an account, over a trusted channel.
//!
//! One line of text, `USER:SHA256:FINGERPRINT:TOKEN`. The line names the user and the right host, and holds the token
//! that proves the invitation. The line is as secret as a password until it is used.

use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{Fingerprint, UserName};
use crate::{codec::DecodeError, hardened::primitives::hash};

/// 128 random bits that are good for one account.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; 16]>);

impl Token {
    /// From the best randomness there is.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes that travel, encrypted.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash of the token, which the server keeps instead. A token cannot be guessed, so a fast hash is enough.
    pub fn hash(&self) -> [u8; 32] {
        hash(&[&self.0[..]])
    }
}

impl fmt::Debug for Token {
    /// Prints nothing of the token: a reader of a log must not be able to use it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The user, the host, and the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The name of the new account.
    pub user: UserName,
    /// The fingerprint of the host's key: nothing has to be trusted on first use.
    pub host: Fingerprint,
    /// The proof.
    pub token: Token,
}

impl fmt::Display for Invite {
    /// The whole line, token and all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = Base64UrlUnpadded::encode_string(self.token.as_bytes());
        let token = Zeroizing::new(token);
        write!(f, "{}:{}:{}", self.user, self.host, *token)
    }
}

impl FromStr for Invite {
    type Err = DecodeError;

    fn from_str(line: &str) -> Result<Self, DecodeError> {
        let broken = DecodeError::Invalid {
            field: "invitation",
            why: "it must be the whole line USER:SHA256:FINGERPRINT:TOKEN that the operator gave you",
        };
        let (rest, token) = line.trim().rsplit_once(':').ok_or(broken.clone())?;
        let (user, host) = rest.split_once(':').ok_or(broken.clone())?;
        let mut bytes = Zeroizing::new([0; 16]);
        match Base64UrlUnpadded::decode(token, &mut *bytes) {
            Ok(decoded) if decoded.len() == 16 => {}
            _ => return Err(broken),
        }
        Ok(Self {
            user: UserName::parse(user)?,
            host: host.parse()?,
            token: Token(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Invite {
        Invite {
            user: UserName::parse("alice").unwrap(),
            host: Fingerprint([0xff; 32]),
            token: Token::new([0xfb; 16]),
        }
    }

    #[test]
    fn the_line_is_read_back_and_fits_where_passwords_do() {
        let line = invite().to_string();
        assert_eq!(
            line,
            "alice:SHA256://////////////////////////////////////////8:-_v7-_v7-_v7-_v7-_v7-w"
        );
        assert_eq!(format!(" {line}\n").parse(), Ok(invite()));
        let longest = Invite {
            user: UserName::parse(&"a".repeat(32)).unwrap(),
            ..invite()
        };
        assert!(longest.to_string().len() <= super::super::MAX_PASSWORD);
    }

    #[test]
    fn anything_else_is_refused_and_no_debug_output_shows_the_token() {
        let line = invite().to_string();
        for wrong in [
            "",
            ":",
            "alice",
            &line[..line.len() - 1],
            &format!("{line}A"),
            &line.replace("alice", "Alice"),
            &line.replace("SHA256", "MD5"),
            &line.replace("alice:", ""),
            &line.replace(":-", ":+"),
        ] {
            assert!(wrong.parse::<Invite>().is_err(), "{wrong}");
        }
        assert!(format!("{:?}", invite()).ends_with("token: Token(..) }"));
        assert_eq!(invite().token.hash(), hash(&[&[0xfb; 16]]));
    }
}
