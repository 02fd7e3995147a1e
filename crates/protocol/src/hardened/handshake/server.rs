//! The server's half, top to bottom: hello and proof, the client's claim, its key, its password, the welcome.

use hmac::Mac;
use zeroize::Zeroizing;

use super::Transcript;
use crate::hardened::{
    Error,
    defence::Defence,
    full::Full,
    keys::{Ephemeral, HandshakeSecrets, SessionSecrets, finished},
    message::{ClientAuth, Enrolment, Fingerprint, Hello, ServerAuth, Token, Type, UserName},
    parts::Parts,
    primitives::Secret,
    record::{Opener, Sealer},
    role::Role,
    session::{Epoch, Session},
    signature::{Signer, Verifier},
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
    accept_with(hello, ephemeral, host, Full)
}

/// The same for a server with these defences.
///
/// # Errors
/// As [`accept`].
pub fn accept_with<D: Parts>(
    hello: &[u8],
    ephemeral: Ephemeral,
    host: &dyn Signer,
    defences: D,
) -> Result<(ExpectClientAuth<D>, Vec<u8>), Error> {
    let client = Hello::decode_client(hello, &defences)?;
    let mut answer = Hello {
        random: ephemeral.random,
        share: ephemeral.share(),
    }
    .encode_server();
    let mut transcript = Transcript::after_hellos(hello, &answer);
    let prk = ephemeral.agree(&client.share)?;
    let secrets = HandshakeSecrets::derive(&prk, &transcript.hash());

    transcript.host_key(host.public_key());
    let signature = host.sign(&transcript.to_sign(Role::Server, &defences))?;
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
    let mut sealer = Sealer::with(&secrets.server, 0, &defences);
    answer.extend(sealer.seal(Type::ServerAuth, &body)?);
    let state = ExpectClientAuth {
        secrets,
        transcript,
        defences,
    };
    Ok((state, answer))
}

/// The server has proven itself and waits for the client to do so.
pub struct ExpectClientAuth<D = Full> {
    secrets: HandshakeSecrets,
    transcript: Transcript,
    defences: D,
}

impl<D: Parts> ExpectClientAuth<D> {
    /// Reads `CLIENT_AUTH`, and believes none of it yet.
    ///
    /// # Errors
    /// When the record's tag does not fit or its body has another shape: the caller closes without a word.
    pub fn client_auth(self, record: &[u8]) -> Result<Claimant<D>, Error> {
        match self.claim(record)? {
            Claim::Login(claimant) => Ok(claimant),
            Claim::Enrolment(_) => Err(Error::Violation("nobody is enrolled here")),
        }
    }

    /// Reads `CLIENT_AUTH` or `ENROL`, and believes none of it yet.
    ///
    /// # Errors
    /// As [`ExpectClientAuth::client_auth`].
    pub fn claim(self, record: &[u8]) -> Result<Claim<D>, Error> {
        let plaintext = Opener::with(&self.secrets.client, 0, &self.defences).open(record)?;
        let mut defences = self.defences;
        if ![Type::ClientAuth, Type::Enrol].contains(&plaintext.typ) {
            defences.out_of_state(plaintext.typ)?;
        }
        let mut auth = ClientAuth::decode(&plaintext.body, &defences)?;
        if defences.keeps(Defence::StateMachine) && auth.typ() != plaintext.typ {
            return Err(Error::Violation("a message in the mode of another"));
        }
        let enrolment = auth.enrolment.take();
        let new_key = enrolment.as_ref().map(|enrolment| &enrolment.spki[..]);
        let mut transcript = self.transcript;
        transcript.claim(&auth.user, &auth.kid, new_key);
        let signed = transcript.to_sign(Role::Client, &defences);
        transcript.signature(&auth.signature);
        let before_fin = transcript.hash();
        transcript.finished(&auth.finished);
        let claimant = Claimant {
            session: SessionSecrets::derive(&self.secrets.root, &transcript.hash(), &defences),
            hs_client: self.secrets.client,
            signed,
            before_fin,
            auth,
            defences,
        };
        Ok(match enrolment {
            None => Claim::Login(claimant),
            Some(enrolment) => Claim::Enrolment(Newcomer {
                claimant,
                enrolment,
            }),
        })
    }
}

/// The claim of a client, after the server has proven its identity.
pub enum Claim<D = Full> {
    /// "I am this user."
    Login(Claimant<D>),
    /// "I am invited to become this user, and this is my key."
    Enrolment(Newcomer<D>),
}

impl<D: Parts> Claim<D> {
    /// The claimed user, or the new one.
    pub fn user(&self) -> &UserName {
        match self {
            Self::Login(claimant) => claimant.user(),
            Self::Enrolment(newcomer) => newcomer.user(),
        }
    }

    /// The key that they say they hold.
    pub fn kid(&self) -> &Fingerprint {
        match self {
            Self::Login(claimant) => claimant.kid(),
            Self::Enrolment(newcomer) => newcomer.kid(),
        }
    }
}

/// Somebody says to be a user, with proofs that are not checked yet.
pub struct Claimant<D = Full> {
    session: SessionSecrets,
    hs_client: Secret,
    signed: Vec<u8>,
    before_fin: [u8; 32],
    auth: ClientAuth,
    defences: D,
}

impl<D: Parts> Claimant<D> {
    /// The claimed user.
    pub fn user(&self) -> &UserName {
        &self.auth.user
    }

    /// The key they say they hold.
    pub fn kid(&self) -> &Fingerprint {
        &self.auth.kid
    }

    /// All that they sent.
    pub fn auth(&self) -> &ClientAuth {
        &self.auth
    }

    /// Whether the key in `spki` made `sigC`.
    pub fn is_signed_by(&self, spki: &[u8], verifier: &dyn Verifier) -> bool {
        verifier.verify(spki, &self.signed, &self.auth.signature)
    }

    /// Checks `finC` and `sigC`, always both and always to the end. `known` is the key enrolled for this user and kid.
    /// Without such a key, the same work is done with the `stand_in`, a key of 3072 bits, and the login is refused.
    ///
    /// # Errors
    /// [`Refusal`], which holds the reason for the local log alone.
    pub fn prove_key(
        self,
        known: Option<&[u8]>,
        stand_in: Option<&[u8]>,
        verifier: &dyn Verifier,
    ) -> Result<KeyHolder<D>, Refusal<D>> {
        let fin = finished(&self.hs_client, &self.before_fin)
            .verify_slice(&self.auth.finished)
            .is_ok();
        let spki = known.or(stand_in);
        let signature = spki.is_some_and(|spki| self.is_signed_by(spki, verifier));
        let mut proven = true;
        if self.defences.keeps(Defence::FinishedMacs) {
            proven &= fin;
        }
        if self.defences.keeps(Defence::ClientSignature) {
            proven &= signature;
        }
        let is_key = spki.is_some_and(|spki| Fingerprint::of(spki) == self.auth.kid);
        let why = match (known.is_some() && is_key, proven) {
            (true, true) => return Ok(KeyHolder(self)),
            (true, false) => RefusalReason::BadKeyProof,
            (false, _) => RefusalReason::UnknownUserOrKey,
        };
        Err(self.refused(why))
    }

    fn refused(self, why: RefusalReason) -> Refusal<D> {
        Refusal {
            session: Box::new(self.session),
            why,
            defences: self.defences,
        }
    }
}

/// Holds the private key of an enrolled user. Only a key holder can make the server spend a password hash.
pub struct KeyHolder<D = Full>(Claimant<D>);

impl<D: Parts> KeyHolder<D> {
    /// The user, if the password fits too.
    pub fn user(&self) -> &UserName {
        self.0.user()
    }

    /// The key that they hold.
    pub fn kid(&self) -> &Fingerprint {
        self.0.kid()
    }

    /// Refuses without a look at the password.
    pub fn refuse(self, why: RefusalReason) -> Refusal<D> {
        self.0.refused(why)
    }

    /// Asks `check` about the password.
    ///
    /// # Errors
    /// [`Refusal`] when `check` says no.
    pub fn prove_password(
        self,
        check: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Authenticated<D>, Refusal<D>> {
        let claim = self.0;
        let right = check(&claim.auth.password);
        if claim.defences.keeps(Defence::Password) && !right {
            return Err(claim.refused(RefusalReason::WrongPassword));
        }
        Ok(Authenticated {
            session: claim.session,
            defences: claim.defences,
        })
    }
}

/// Somebody says to be invited, with proofs that are not checked yet.
pub struct Newcomer<D = Full> {
    claimant: Claimant<D>,
    enrolment: Enrolment,
}

impl<D: Parts> Newcomer<D> {
    /// The user to be enrolled.
    pub fn user(&self) -> &UserName {
        self.claimant.user()
    }

    /// The fingerprint that they say their key has.
    pub fn kid(&self) -> &Fingerprint {
        self.claimant.kid()
    }

    /// Checks that they hold the private half of the key that they brought.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn prove_key(self, verifier: &dyn Verifier) -> Result<NewHolder<D>, Refusal<D>> {
        let Self {
            claimant,
            enrolment,
        } = self;
        let spki = &enrolment.spki;
        let holder = claimant.prove_key(Some(spki), None, verifier)?;
        Ok(NewHolder { holder, enrolment })
    }
}

/// Somebody who holds a new key, which says nothing about whether they may come in.
pub struct NewHolder<D = Full> {
    holder: KeyHolder<D>,
    enrolment: Enrolment,
}

impl<D: Parts> NewHolder<D> {
    /// The user to be enrolled.
    pub fn user(&self) -> &UserName {
        self.holder.user()
    }

    /// Their proof that they may.
    pub fn token(&self) -> &Token {
        &self.enrolment.token
    }

    /// Their key: DER of a SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.enrolment.spki
    }

    /// The password that they want to have.
    pub fn password(&self) -> &Zeroizing<Vec<u8>> {
        &self.holder.0.auth.password
    }

    /// Lets them in if the account was `made`, with this key and this password, and only then.
    ///
    /// # Errors
    /// [`Refusal`], with the reason that was handed in.
    pub fn enrolled(self, made: Result<(), RefusalReason>) -> Result<Authenticated<D>, Refusal<D>> {
        let claim = self.holder.0;
        match made {
            Ok(()) => Ok(Authenticated {
                session: claim.session,
                defences: claim.defences,
            }),
            Err(why) => Err(claim.refused(why)),
        }
    }
}

/// Holds the key and knows the password.
pub struct Authenticated<D = Full> {
    session: SessionSecrets,
    defences: D,
}

impl<D: Parts> Authenticated<D> {
    /// Opens the session: the bytes of `AUTH_OK` are to be sent. `last_message` is the id of the last message that is
    /// durable for this user and key, 0 if none.
    ///
    /// # Errors
    /// Never in practice; sealing one record cannot exhaust a key.
    pub fn welcome(self, last_message: u64) -> Result<(Session<D>, Vec<u8>), Error> {
        let mut sealer = Sealer::with(&self.session.server, 1, &self.defences);
        let record = sealer.seal(Type::AuthOk, &last_message.to_be_bytes())?;
        let opener = Opener::with(&self.session.client, 1, &self.defences);
        let (ours, theirs) = (self.session.chain_server, self.session.chain_client);
        let ends = (sealer, opener);
        let epoch = Epoch::first(self.session.rekey);
        let id = self.session.id;
        let session = Session::new(Role::Server, id, ends, epoch, self.defences)
            .sending(0, ours)
            .receiving(last_message, theirs);
        Ok((session, record))
    }
}

/// A login or an enrolment that failed. On the wire all failures are one.
pub struct Refusal<D = Full> {
    session: Box<SessionSecrets>,
    why: RefusalReason,
    defences: D,
}

/// Why it failed: for the local log, never for the peer.
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
    /// No open invitation for this user has this token.
    #[error("not invited")]
    NotInvited,
    /// The new key is not one to be enrolled.
    #[error("the new key is weak")]
    WeakKey,
    /// The new password is not allowed.
    #[error("the new password is too short or not text")]
    BadPassword,
    /// The new password is one that attackers try first.
    #[error("the new password is in the list of breached passwords")]
    BreachedPassword,
    /// The key was proven, and the password not looked at: it came too soon after a wrong one.
    #[error("a password too soon after a wrong one")]
    TooSoon,
    /// The key was proven, and the password not looked at: there were too many wrong ones.
    #[error("too many wrong passwords; set a new one to let this user in again")]
    Disabled,
    /// The key was proven, and the password not looked at: the operator lets this user in no more.
    #[error("the user is disabled")]
    UserDisabled,
}

impl<D: Parts> Refusal<D> {
    /// For the local log.
    pub fn reason(&self) -> RefusalReason {
        self.why
    }

    /// The bytes of `AUTH_FAIL`, the same for every reason.
    ///
    /// # Errors
    /// Never in practice; sealing one record cannot exhaust a key.
    pub fn answer(self) -> Result<Vec<u8>, Error> {
        let said = self.defences.refusal(&self.why.to_string());
        Sealer::with(&self.session.server, 1, &self.defences).seal(Type::AuthFail, &said)
    }
}
