//! The proofs of both sides in the handshake.

use zeroize::Zeroizing;

use super::{Fingerprint, MAX_PASSWORD, Token, Type, UserName};
use crate::{
    codec::{DecodeError, Reader, put_long, put_short},
    hardened::defence::{Defence, Defences},
};

/// `SERVER_AUTH`: the host's key, its signature over the transcript, and `finS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAuth {
    /// The host key: DER of a SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// `sigS`.
    pub signature: Vec<u8>,
    /// `finS`.
    pub finished: [u8; 32],
}

impl ServerAuth {
    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_long(&mut out, &self.spki);
        put_long(&mut out, &self.signature);
        out.extend_from_slice(&self.finished);
        out
    }

    /// Reads the body.
    ///
    /// # Errors
    /// When a length points past the end or bytes are left over.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let auth = Self {
            spki: r.long("host key")?.to_vec(),
            signature: r.long("host signature")?.to_vec(),
            finished: r.array("finS")?,
        };
        r.finish()?;
        Ok(auth)
    }
}

/// `CLIENT_AUTH` in mode 01: who, the proof of the key, and the password. `ENROL`, in mode 02, adds what is new.
pub struct ClientAuth {
    /// The user who logs in.
    pub user: UserName,
    /// The key that proves the claim.
    pub kid: Fingerprint,
    /// `sigC`.
    pub signature: Vec<u8>,
    /// 1 to 128 bytes.
    pub password: Zeroizing<Vec<u8>>,
    /// `finC`.
    pub finished: [u8; 32],
    /// `None` for a user who has an account.
    pub enrolment: Option<Enrolment>,
}

/// The additional part of `ENROL`.
pub struct Enrolment {
    /// From the invitation.
    pub token: Token,
    /// The new key, whose fingerprint is the `kid`: DER of a SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
}

/// The mode of `CLIENT_AUTH`.
pub(in super::super) const MODE_LOGIN: u8 = 1;
/// The mode of `ENROL`.
pub(in super::super) const MODE_ENROL: u8 = 2;

impl ClientAuth {
    /// The type of the message, which depends on whether it has an enrolment.
    pub fn typ(&self) -> Type {
        match self.enrolment {
            None => Type::ClientAuth,
            Some(_) => Type::Enrol,
        }
    }

    /// Writes the body. The body holds the password, so it is wiped when dropped.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut out = Zeroizing::new(Vec::with_capacity(2048));
        out.push(match self.enrolment {
            None => MODE_LOGIN,
            Some(_) => MODE_ENROL,
        });
        put_short(&mut out, self.user.as_str().as_bytes());
        out.extend_from_slice(&self.kid.0);
        put_long(&mut out, &self.signature);
        put_long(&mut out, &self.password);
        out.extend_from_slice(&self.finished);
        if let Some(enrolment) = &self.enrolment {
            out.extend_from_slice(enrolment.token.as_bytes());
            put_long(&mut out, &enrolment.spki);
        }
        out
    }

    /// Reads the body; the mode decides whether of `CLIENT_AUTH` or of `ENROL`.
    ///
    /// # Errors
    /// When the mode or the name is not valid, a length points past the end or bytes are left over.
    pub fn decode(body: &[u8], defences: &(impl Defences + ?Sized)) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let mode = r.u8("mode")?;
        if ![MODE_LOGIN, MODE_ENROL].contains(&mode) {
            return Err(DecodeError::Invalid {
                field: "mode",
                why: "only 01 (login) and 02 (enrolment) exist",
            });
        }
        let user = std::str::from_utf8(r.short("user name")?).unwrap_or("");
        if defences.keeps(Defence::NameGrammar) {
            UserName::parse(user)?;
        }
        let auth = Self {
            user: UserName::as_claimed(user),
            kid: Fingerprint(r.array("kid")?),
            signature: r.long("client signature")?.to_vec(),
            password: Zeroizing::new(r.long("password")?.to_vec()),
            finished: r.array("finC")?,
            enrolment: match mode {
                MODE_ENROL => Some(Enrolment {
                    token: Token::new(r.array("token")?),
                    spki: r.long("client key")?.to_vec(),
                }),
                _ => None,
            },
        };
        r.finish()?;
        if !(1..=MAX_PASSWORD).contains(&auth.password.len()) {
            return Err(DecodeError::Invalid {
                field: "password",
                why: "it must have 1 to 128 bytes",
            });
        }
        Ok(auth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardened::full::Full;

    fn enrol() -> ClientAuth {
        ClientAuth {
            user: UserName::parse("alice").unwrap(),
            kid: Fingerprint([2; 32]),
            signature: vec![3; 384],
            password: Zeroizing::new(b"correct horse".to_vec()),
            finished: [4; 32],
            enrolment: Some(Enrolment {
                token: Token::new([5; 16]),
                spki: vec![6; 422],
            }),
        }
    }

    #[test]
    fn an_enrolment_is_laid_out_as_the_page_says() {
        let expected = [
            &[2, 5][..],
            b"alice",
            &[2; 32],
            &[1, 128],
            &[3; 384],
            &[0, 13],
            b"correct horse",
            &[4; 32],
            &[5; 16],
            &[1, 166],
            &[6; 422],
        ];
        assert_eq!(enrol().encode()[..], expected.concat());
    }

    #[test]
    fn what_is_written_is_read_and_the_mode_decides_what_it_is() {
        let login = ClientAuth {
            enrolment: None,
            ..enrol()
        };
        for (auth, typ) in [(enrol(), Type::Enrol), (login, Type::ClientAuth)] {
            let body = auth.encode();
            let read = ClientAuth::decode(&body, &Full).unwrap();
            assert_eq!(read.typ(), typ);
            assert_eq!(read.encode(), body);
            for len in 0..body.len() {
                assert!(ClientAuth::decode(&body[..len], &Full).is_err(), "{len}");
            }
            for mode in [0, 3, 255] {
                let mut other = body.clone();
                other[0] = mode;
                assert!(ClientAuth::decode(&other, &Full).is_err(), "{mode}");
            }
            // The other mode has another length.
            let mut other = body.clone();
            other[0] ^= 3;
            assert!(ClientAuth::decode(&other, &Full).is_err());
        }
    }
}
