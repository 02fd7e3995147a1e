//! The client's half, top to bottom: hello, the host's proof, the pin, our own proof, the verdict.

use hmac::Mac;
use zeroize::Zeroizing;

use super::{Transcript, open_as};
use crate::{
    codec::Reader,
    hardened::{
        Error,
        defence::Defence,
        full::Full,
        keys::{Ephemeral, HandshakeSecrets, SessionSecrets, finished},
        message::{
            ClientAuth, Enrolment, Fingerprint, Hello, MAX_PASSWORD, ServerAuth, Token, Type,
            UserName,
        },
        parts::Parts,
        record::{Opener, Sealer},
        role::Role,
        session::{Epoch, MAX_ID, Session},
        signature::{Signer, Verifier},
    },
};

/// The client has sent its hello.
pub struct ExpectServerHello<D = Full> {
    ephemeral: Ephemeral,
    hello: Vec<u8>,
    defences: D,
}

impl ExpectServerHello {
    /// Begins: the bytes of the `ClientHello` are to be sent.
    pub fn start(ephemeral: Ephemeral) -> (Self, Vec<u8>) {
        Self::start_with(ephemeral, Full)
    }
}

impl<D: Parts> ExpectServerHello<D> {
    /// Begins for a client with these defences.
    pub fn start_with(ephemeral: Ephemeral, defences: D) -> (Self, Vec<u8>) {
        let hello = Hello {
            random: ephemeral.random,
            share: ephemeral.share(),
        }
        .encode_client(&defences);
        let state = Self {
            ephemeral,
            hello: hello.clone(),
            defences,
        };
        (state, hello)
    }

    /// Reads the 66 bytes of the `ServerHello`.
    ///
    /// # Errors
    /// When they are not a hello of this version, or its value forces a zero secret.
    pub fn server_hello(self, bytes: &[u8]) -> Result<ExpectServerAuth<D>, Error> {
        let server = Hello::decode_server(bytes, &self.defences)?;
        let transcript = Transcript::after_hellos(&self.hello, bytes);
        let prk = self.ephemeral.agree(&server.share)?;
        let secrets = HandshakeSecrets::derive(&prk, &transcript.hash());
        Ok(ExpectServerAuth {
            secrets,
            transcript,
            defences: self.defences,
        })
    }
}

/// The client shares a secret with an unknown peer.
pub struct ExpectServerAuth<D = Full> {
    secrets: HandshakeSecrets,
    transcript: Transcript,
    defences: D,
}

impl<D: Parts> ExpectServerAuth<D> {
    /// Reads `SERVER_AUTH` and checks `sigS` and `finS`.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag, the signature or `finS` does not fit.
    pub fn server_auth(
        mut self,
        record: &[u8],
        verifier: &dyn Verifier,
    ) -> Result<HostProven<D>, Error> {
        let plaintext = open_as(
            &mut Opener::with(&self.secrets.server, 0, &self.defences),
            record,
            Type::ServerAuth,
        )?;
        let auth = ServerAuth::decode(&plaintext.body)?;

        self.transcript.host_key(&auth.spki);
        let content = self.transcript.to_sign(Role::Server, &self.defences);
        if self.defences.keeps(Defence::ServerSignature)
            && !verifier.verify(&auth.spki, &content, &auth.signature)
        {
            return Err(Error::Forged("the host's signature"));
        }
        self.transcript.signature(&auth.signature);
        let fin = finished(&self.secrets.server, &self.transcript.hash());
        if self.defences.keeps(Defence::FinishedMacs) {
            fin.verify_slice(&auth.finished)
                .map_err(|_| Error::Forged("finS"))?;
        }
        self.transcript.finished(&auth.finished);
        Ok(HostProven {
            fingerprint: Fingerprint::of(&auth.spki),
            secrets: self.secrets,
            transcript: self.transcript,
            defences: self.defences,
        })
    }
}

/// The peer holds the private half of the key with this fingerprint. Whether that is the right host is another question.
pub struct HostProven<D = Full> {
    fingerprint: Fingerprint,
    secrets: HandshakeSecrets,
    transcript: Transcript,
    defences: D,
}

impl<D: Parts> HostProven<D> {
    /// The fingerprint to look up, or to show to a person.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Answers the other question: `pin` is the fingerprint that was given, is known, or was just confirmed by the
    /// user. A session needs this value.
    ///
    /// # Errors
    /// [`Error::HostKeyMismatch`].
    pub fn pinned(self, pin: &Fingerprint) -> Result<TrustedHost<D>, Error> {
        if self.defences.keeps(Defence::HostPin) && self.fingerprint != *pin {
            return Err(Error::HostKeyMismatch {
                expected: *pin,
                presented: self.fingerprint,
            });
        }
        Ok(TrustedHost {
            secrets: self.secrets,
            transcript: self.transcript,
            defences: self.defences,
        })
    }
}

/// The peer is the host we meant. Only now may it learn who we are.
pub struct TrustedHost<D = Full> {
    secrets: HandshakeSecrets,
    transcript: Transcript,
    defences: D,
}

impl<D: Parts> TrustedHost<D> {
    /// Proves key and password: the bytes of `CLIENT_AUTH` are to be sent.
    ///
    /// # Errors
    /// When the password is empty or longer than 128 bytes, or the key cannot sign.
    pub fn login(
        self,
        user: &UserName,
        key: &dyn Signer,
        password: &Zeroizing<Vec<u8>>,
    ) -> Result<(ExpectVerdict<D>, Vec<u8>), Error> {
        self.present(user, key, password, None)
    }

    /// Makes an account, where one was invited to: proves the new key, shows the token and says the new password. The
    /// bytes of `ENROL` are to be sent.
    ///
    /// # Errors
    /// As [`TrustedHost::login`].
    pub fn enrol(
        self,
        user: &UserName,
        key: &dyn Signer,
        password: &Zeroizing<Vec<u8>>,
        token: &Token,
    ) -> Result<(ExpectVerdict<D>, Vec<u8>), Error> {
        let enrolment = Enrolment {
            token: token.clone(),
            spki: key.public_key().to_vec(),
        };
        self.present(user, key, password, Some(enrolment))
    }

    fn present(
        mut self,
        user: &UserName,
        key: &dyn Signer,
        password: &Zeroizing<Vec<u8>>,
        enrolment: Option<Enrolment>,
    ) -> Result<(ExpectVerdict<D>, Vec<u8>), Error> {
        if !(1..=MAX_PASSWORD).contains(&password.len()) {
            return Err(Error::Misuse("a password has 1 to 128 bytes"));
        }
        let kid = Fingerprint::of(key.public_key());
        let new_key = enrolment.as_ref().map(|enrolment| &enrolment.spki[..]);
        self.transcript.claim(user, &kid, new_key);
        let signature = key.sign(&self.transcript.to_sign(Role::Client, &self.defences))?;
        self.transcript.signature(&signature);
        let fin = finished(&self.secrets.client, &self.transcript.hash()).finalize();
        let fin = fin.into_bytes().into();
        self.transcript.finished(&fin);

        let auth = ClientAuth {
            user: user.clone(),
            kid,
            signature,
            password: password.clone(),
            finished: fin,
            enrolment,
        };
        let mut sealer = Sealer::with(&self.secrets.client, 0, &self.defences);
        let record = sealer.seal(auth.typ(), &auth.encode())?;
        let th7 = self.transcript.hash();
        let state = ExpectVerdict {
            secrets: SessionSecrets::derive(&self.secrets.root, &th7, &self.defences),
            defences: self.defences,
        };
        Ok((state, record))
    }
}

/// The client has shown all it has.
pub struct ExpectVerdict<D = Full> {
    secrets: SessionSecrets,
    defences: D,
}

/// The server's answer to a login.
pub enum Verdict<D = Full> {
    /// Welcome.
    Accepted {
        /// The open session; its first message gets the id after `last_message`.
        session: Box<Session<D>>,
        /// The id of the last message that the server holds of this user and key, 0 if none.
        last_message: u64,
    },
    /// No, and no reason is given: the text is empty.
    Refused(String),
}

impl<D: Parts> ExpectVerdict<D> {
    /// Reads `AUTH_OK` or `AUTH_FAIL`. That it opens at all proves that the server holds the same keys.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag does not fit.
    pub fn verdict(self, record: &[u8]) -> Result<Verdict<D>, Error> {
        let mut opener = Opener::with(&self.secrets.server, 1, &self.defences);
        let plaintext = opener.open(record)?;
        let mut r = Reader::new(&plaintext.body);
        match plaintext.typ {
            Type::AuthOk => {
                let last_message = r.u64("last message id")?;
                r.finish()?;
                if last_message > MAX_ID {
                    return Err(Error::Violation("a last message id over 2^63 - 1"));
                }
                let sealer = Sealer::with(&self.secrets.client, 1, &self.defences);
                let (ours, theirs) = (self.secrets.chain_client, self.secrets.chain_server);
                let ends = (sealer, opener);
                let epoch = Epoch::first(self.secrets.rekey);
                let id = self.secrets.id;
                let session = Session::new(Role::Client, id, ends, epoch, self.defences)
                    .sending(last_message, ours)
                    .receiving(0, theirs);
                Ok(Verdict::Accepted {
                    session: Box::new(session),
                    last_message,
                })
            }
            Type::AuthFail => {
                if self.defences.keeps(Defence::UniformFailure) {
                    r.finish()?;
                }
                let said = str::from_utf8(&plaintext.body).unwrap_or("");
                Ok(Verdict::Refused(said.to_owned()))
            }
            _ => Err(Error::ANOTHER_STATE),
        }
    }
}
