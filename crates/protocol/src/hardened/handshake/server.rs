//! The server's half, top to bottom: hello and proof, the client's claim, its key, its password, the welcome.

use hmac::Mac;

use super::{Transcript, open_as};
use crate::hardened::{
    Error,
    keys::{Ephemeral, HandshakeSecrets, Secret, SessionSecrets, finished},
    message::{ClientAuth, Fingerprint, Hello, ServerAuth, Type, UserName},
    record::{Opener, Sealer},
    session::Session,
    signature::{Role, Signer, Verifier, signed_content},
};

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
            session: Box::new(self.session),
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
                session: Box::new(self.session),
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
    session: Box<SessionSecrets>,
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
