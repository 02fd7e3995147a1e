//! The client's half, top to bottom: hello, the host's proof, the pin, our own proof, the verdict.

use hmac::Mac;
use zeroize::Zeroizing;

use super::{Transcript, open_as};
use crate::{
    codec::Reader,
    hardened::{
        Error,
        keys::{Ephemeral, HandshakeSecrets, SessionSecrets, finished},
        message::{ClientAuth, Fingerprint, Hello, MAX_PASSWORD, ServerAuth, Type, UserName},
        record::{Opener, Sealer},
        session::Session,
        signature::{Role, Signer, Verifier, signed_content},
    },
};

/// The client has sent its hello.
pub struct ExpectServerHello {
    ephemeral: Ephemeral,
    hello: Vec<u8>,
}

impl ExpectServerHello {
    /// Begins: the bytes of the `ClientHello` are to be sent.
    pub fn start(ephemeral: Ephemeral) -> (Self, Vec<u8>) {
        let hello = Hello {
            random: ephemeral.random,
            share: ephemeral.share(),
        }
        .encode_client();
        (
            Self {
                ephemeral,
                hello: hello.clone(),
            },
            hello,
        )
    }

    /// Reads the 66 bytes of the `ServerHello`.
    ///
    /// # Errors
    /// When they are not a hello of this version, or its value forces a zero secret.
    pub fn server_hello(self, bytes: &[u8]) -> Result<ExpectServerAuth, Error> {
        let server = Hello::decode_server(bytes)?;
        let transcript = Transcript::after_hellos(&self.hello, bytes);
        let prk = self.ephemeral.agree(&server.share)?;
        let secrets = HandshakeSecrets::derive(&prk, &transcript.hash());
        Ok(ExpectServerAuth {
            secrets,
            transcript,
        })
    }
}

/// The client shares a secret with somebody, and does not know with whom.
pub struct ExpectServerAuth {
    secrets: HandshakeSecrets,
    transcript: Transcript,
}

impl ExpectServerAuth {
    /// Reads `SERVER_AUTH` and checks `sigS` and `finS`.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag, the signature or `finS` does not fit.
    pub fn server_auth(
        mut self,
        record: &[u8],
        verifier: &dyn Verifier,
    ) -> Result<HostProven, Error> {
        let plaintext = open_as(
            &mut Opener::new(&self.secrets.server, 0),
            record,
            Type::ServerAuth,
        )?;
        let auth = ServerAuth::decode(&plaintext.body)?;

        self.transcript.host_key(&auth.spki);
        let content = signed_content(Role::Server, &self.transcript.hash());
        if !verifier.verify(&auth.spki, &content, &auth.signature) {
            return Err(Error::Forged("the host's signature"));
        }
        self.transcript.signature(&auth.signature);
        finished(&self.secrets.server, &self.transcript.hash())
            .verify_slice(&auth.finished)
            .map_err(|_| Error::Forged("finS"))?;
        self.transcript.finished(&auth.finished);
        Ok(HostProven {
            fingerprint: Fingerprint::of(&auth.spki),
            secrets: self.secrets,
            transcript: self.transcript,
        })
    }
}

/// The peer holds the private half of the key with this fingerprint. Whether that is the right host is another question.
pub struct HostProven {
    fingerprint: Fingerprint,
    secrets: HandshakeSecrets,
    transcript: Transcript,
}

impl HostProven {
    /// The fingerprint to look up, or to show to a person.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Answers the other question: `pin` is the fingerprint that was given, is known, or was just confirmed by the user.
    /// There is no other way to go on.
    ///
    /// # Errors
    /// [`Error::HostKeyMismatch`].
    pub fn pinned(self, pin: &Fingerprint) -> Result<TrustedHost, Error> {
        if self.fingerprint != *pin {
            return Err(Error::HostKeyMismatch {
                expected: *pin,
                presented: self.fingerprint,
            });
        }
        Ok(TrustedHost {
            secrets: self.secrets,
            transcript: self.transcript,
        })
    }
}

/// The peer is the host we meant. Only now may it learn who we are.
pub struct TrustedHost {
    secrets: HandshakeSecrets,
    transcript: Transcript,
}

impl TrustedHost {
    /// Proves key and password: the bytes of `CLIENT_AUTH` are to be sent.
    ///
    /// # Errors
    /// When the password is empty or longer than 128 bytes, or the key cannot sign.
    pub fn login(
        mut self,
        user: &UserName,
        key: &dyn Signer,
        password: &Zeroizing<Vec<u8>>,
    ) -> Result<(ExpectVerdict, Vec<u8>), Error> {
        if !(1..=MAX_PASSWORD).contains(&password.len()) {
            return Err(Error::Misuse("a password has 1 to 128 bytes"));
        }
        let kid = Fingerprint::of(key.public_key());
        self.transcript.claim(user, &kid);
        let signature = key.sign(&signed_content(Role::Client, &self.transcript.hash()))?;
        self.transcript.signature(&signature);
        let fin = finished(&self.secrets.client, &self.transcript.hash()).finalize();
        let fin = fin.into_bytes().into();
        self.transcript.finished(&fin);

        let body = ClientAuth {
            user: user.clone(),
            kid,
            signature,
            password: password.clone(),
            finished: fin,
        }
        .encode();
        let record = Sealer::new(&self.secrets.client, 0).seal(Type::ClientAuth, &body)?;
        let secrets = SessionSecrets::derive(&self.secrets.root, &self.transcript.hash());
        Ok((ExpectVerdict { secrets }, record))
    }
}

/// The client has shown all it has.
pub struct ExpectVerdict {
    secrets: SessionSecrets,
}

/// The server's answer to a login.
pub enum Verdict {
    /// Welcome.
    Accepted {
        /// The open session; its first message gets the id after `last_message`.
        session: Box<Session>,
        /// The id of the last message that the server holds of this user and key, 0 if none.
        last_message: u64,
    },
    /// No, and no reason is given.
    Refused,
}

impl ExpectVerdict {
    /// Reads `AUTH_OK` or `AUTH_FAIL`. That it opens at all proves that the server holds the same keys.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag does not fit.
    pub fn verdict(self, record: &[u8]) -> Result<Verdict, Error> {
        let mut opener = Opener::new(&self.secrets.server, 1);
        let plaintext = opener.open(record)?;
        let mut r = Reader::new(&plaintext.body);
        match plaintext.typ {
            Type::AuthOk => {
                let last_message = r.u64("last message id")?;
                r.finish()?;
                let sealer = Sealer::new(&self.secrets.client, 1);
                let (ours, theirs) = (self.secrets.chain_client, self.secrets.chain_server);
                let session = Session::new(self.secrets.id, sealer, opener)
                    .sending(last_message, ours)
                    .receiving(0, theirs);
                Ok(Verdict::Accepted {
                    session: Box::new(session),
                    last_message,
                })
            }
            Type::AuthFail => {
                r.finish()?;
                Ok(Verdict::Refused)
            }
            _ => Err(Error::Violation("a message that belongs to another state")),
        }
    }
}
