//! Who may speak when, and what has been proven by then.
//!
//! Each state is a type named for what it expects; a step consumes it and returns the next. What a check proves is a
//! value that only the check can make, so a program that leaves a check out does not compile:
//!
//! ```text
//! client  ExpectServerHello -> ExpectServerAuth -> HostProven -> TrustedHost -> ExpectVerdict -> Verdict
//! server  accept()          -> ExpectClientAuth -> Claimant   -> KeyHolder   -> Authenticated -> Session
//! ```
//!
//! The transcript is plain concatenation: every part has a fixed size or a length in front.

use hmac::Mac;
use zeroize::Zeroizing;

use super::{
    Error,
    keys::{Ephemeral, HandshakeSecrets, Secret, SessionSecrets, finished, hash},
    message::{
        ClientAuth, Fingerprint, Hello, MAX_PASSWORD, MODE_LOGIN, ServerAuth, Type, UserName,
    },
    record::{Opener, Plaintext, Sealer},
    session::Session,
    signature::{Role, Signer, Verifier, signed_content},
};
use crate::codec::{Reader, put_long, put_short};

/// All handshake bytes so far, in order.
#[derive(Clone)]
struct Transcript(Vec<u8>);

impl Transcript {
    fn after_hellos(client: &[u8], server: &[u8]) -> Self {
        Self([client, server].concat())
    }

    fn hash(&self) -> [u8; 32] {
        hash(&[&self.0])
    }

    /// `T2`: the host's key.
    fn host_key(&mut self, spki: &[u8]) {
        self.0.push(Type::ServerAuth as u8);
        put_long(&mut self.0, spki);
    }

    /// `T5`: who the client says it is.
    fn claim(&mut self, user: &UserName, kid: &Fingerprint) {
        self.0
            .extend_from_slice(&[Type::ClientAuth as u8, MODE_LOGIN]);
        put_short(&mut self.0, user.as_str().as_bytes());
        self.0.extend_from_slice(&kid.0);
    }

    /// `T3` and `T6`: a signature.
    fn signature(&mut self, signature: &[u8]) {
        put_long(&mut self.0, signature);
    }

    /// `T4` and `T7`: a Finished MAC.
    fn finished(&mut self, fin: &[u8; 32]) {
        self.0.extend_from_slice(fin);
    }
}

/// Opens a handshake record, which must be of one type.
fn open_as(opener: &mut Opener, record: &[u8], expected: Type) -> Result<Plaintext, Error> {
    let plaintext = opener.open(record)?;
    if plaintext.typ == expected {
        Ok(plaintext)
    } else {
        Err(Error::Violation("a message that belongs to another state"))
    }
}

// ---------------------------------------------------------------------------------------------------- the client

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

// ---------------------------------------------------------------------------------------------------- the server

/// Answers a `ClientHello` of 74 bytes: the bytes of `ServerHello` and `SERVER_AUTH` are to be sent, together.
///
/// # Errors
/// When the hello is not one of this version, its value forces a zero secret, or the host key cannot sign.
pub fn accept(
    hello: &[u8],
    ephemeral: Ephemeral,
    host: &dyn Signer,
) -> Result<(ExpectClientAuth, Vec<u8>), Error> {
    let client = Hello::decode_client(hello)?;
    let mut answer = Hello {
        random: ephemeral.random,
        share: ephemeral.share(),
    }
    .encode_server();
    let mut transcript = Transcript::after_hellos(hello, &answer);
    let prk = ephemeral.agree(&client.share)?;
    let secrets = HandshakeSecrets::derive(&prk, &transcript.hash());

    transcript.host_key(host.public_key());
    let signature = host.sign(&signed_content(Role::Server, &transcript.hash()))?;
    transcript.signature(&signature);
    let fin = finished(&secrets.server, &transcript.hash()).finalize();
    let fin = fin.into_bytes().into();
    transcript.finished(&fin);

    let body = ServerAuth {
        spki: host.public_key().to_vec(),
        signature,
        finished: fin,
    }
    .encode();
    answer.extend(Sealer::new(&secrets.server, 0).seal(Type::ServerAuth, &body)?);
    Ok((
        ExpectClientAuth {
            secrets,
            transcript,
        },
        answer,
    ))
}

/// The server has proven itself and waits for the client to do so.
pub struct ExpectClientAuth {
    secrets: HandshakeSecrets,
    transcript: Transcript,
}

impl ExpectClientAuth {
    /// Reads `CLIENT_AUTH`, and believes none of it yet.
    ///
    /// # Errors
    /// When the record's tag does not fit or its body has another shape: the caller closes without a word.
    pub fn client_auth(self, record: &[u8]) -> Result<Claimant, Error> {
        let plaintext = open_as(
            &mut Opener::new(&self.secrets.client, 0),
            record,
            Type::ClientAuth,
        )?;
        let auth = ClientAuth::decode(&plaintext.body)?;
        let mut transcript = self.transcript;
        transcript.claim(&auth.user, &auth.kid);
        let signed = signed_content(Role::Client, &transcript.hash());
        transcript.signature(&auth.signature);
        let before_fin = transcript.hash();
        transcript.finished(&auth.finished);
        Ok(Claimant {
            session: SessionSecrets::derive(&self.secrets.root, &transcript.hash()),
            hs_client: self.secrets.client,
            signed,
            before_fin,
            auth,
        })
    }
}

/// Somebody says to be a user, with proofs that are not checked yet.
pub struct Claimant {
    session: SessionSecrets,
    hs_client: Secret,
    signed: Vec<u8>,
    before_fin: [u8; 32],
    auth: ClientAuth,
}

impl Claimant {
    /// Who they say they are.
    pub fn user(&self) -> &UserName {
        &self.auth.user
    }

    /// The key they say they hold.
    pub fn kid(&self) -> &Fingerprint {
        &self.auth.kid
    }

    /// Checks `finC` and `sigC`, always both and always to the end. `known` is the key enrolled for this user and kid;
    /// when there is none, the same work is done with `dummy`, a key of 3072 bits, and refused.
    ///
    /// # Errors
    /// [`Refusal`], which holds the reason for the local log alone.
    pub fn prove_key(
        self,
        known: Option<&[u8]>,
        dummy: &[u8],
        verifier: &dyn Verifier,
    ) -> Result<KeyHolder, Refusal> {
        let spki = known.unwrap_or(dummy);
        let fin = finished(&self.hs_client, &self.before_fin)
            .verify_slice(&self.auth.finished)
            .is_ok();
        let signature = verifier.verify(spki, &self.signed, &self.auth.signature);
        let is_key = Fingerprint::of(spki) == self.auth.kid;
        let why = match (known.is_some() && is_key, fin & signature) {
            (true, true) => {
                return Ok(KeyHolder {
                    session: self.session,
                    auth: self.auth,
                });
            }
            (true, false) => RefusalReason::BadKeyProof,
            (false, _) => RefusalReason::UnknownUserOrKey,
        };
        Err(Refusal {
            session: self.session,
            why,
        })
    }
}

/// Holds the private key of an enrolled user. Only a key holder can make the server spend a password hash.
pub struct KeyHolder {
    session: SessionSecrets,
    auth: ClientAuth,
}

impl KeyHolder {
    /// Who they are, if the password fits too.
    pub fn user(&self) -> &UserName {
        &self.auth.user
    }

    /// Asks `check` about the password.
    ///
    /// # Errors
    /// [`Refusal`] when `check` says no.
    pub fn prove_password(
        self,
        check: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Authenticated, Refusal> {
        if check(&self.auth.password) {
            Ok(Authenticated {
                session: self.session,
            })
        } else {
            Err(Refusal {
                session: self.session,
                why: RefusalReason::WrongPassword,
            })
        }
    }
}

/// Holds the key and knows the password.
pub struct Authenticated {
    session: SessionSecrets,
}

impl Authenticated {
    /// Opens the session: the bytes of `AUTH_OK` are to be sent. `last_message` is the id of the last message that is
    /// durable for this user and key, 0 if none.
    ///
    /// # Errors
    /// Never in practice; sealing one record cannot exhaust a key.
    pub fn welcome(self, last_message: u64) -> Result<(Session, Vec<u8>), Error> {
        let mut sealer = Sealer::new(&self.session.server, 1);
        let record = sealer.seal(Type::AuthOk, &last_message.to_be_bytes())?;
        let opener = Opener::new(&self.session.client, 1);
        let (ours, theirs) = (self.session.chain_server, self.session.chain_client);
        let session = Session::new(self.session.id, sealer, opener)
            .sending(0, ours)
            .receiving(last_message, theirs);
        Ok((session, record))
    }
}

/// A login that failed. On the wire all failures are one.
pub struct Refusal {
    session: SessionSecrets,
    why: RefusalReason,
}

/// Why a login failed: for the local log, never for the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// No such user, or not with this key.
    #[error("no such user with this key")]
    UnknownUserOrKey,
    /// `sigC` or `finC` does not fit.
    #[error("the key was not proven")]
    BadKeyProof,
    /// The key was proven and the password is wrong.
    #[error("wrong password")]
    WrongPassword,
}

impl Refusal {
    /// For the local log.
    pub fn reason(&self) -> RefusalReason {
        self.why
    }

    /// The bytes of `AUTH_FAIL`, the same for every reason.
    ///
    /// # Errors
    /// Never in practice; sealing one record cannot exhaust a key.
    pub fn answer(self) -> Result<Vec<u8>, Error> {
        Sealer::new(&self.session.server, 1).seal(Type::AuthFail, &[])
    }
}
