//! From a fresh stream to an open session: prove the host, then the user, in that order.

use std::{sync::Arc, time::Duration};

use latchstring_net::{
    entropy::Entropy,
    protocol::hardened::{
        full::Full,
        handshake::{ExpectServerHello, ExpectVerdict, HostProven, TrustedHost, Verdict},
        keys::Ephemeral,
        message::{Fingerprint, Hello, Invite, UserName},
        parts::Parts,
        role::Role,
        signature::{Signer, Verifier},
    },
    wire::{WireError, read_exact_within, read_record, write_all_within},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use zeroize::Zeroizing;

use crate::{
    connection::Connection,
    error::{ClientError, Stage},
    password::PasswordError,
};

/// The whole handshake must be done within this time.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// Ciphertext lengths of `SERVER_AUTH`: a host key of 3072 or 4096 bits.
static SERVER_AUTH: [usize; 2] = [1024, 4096];
/// Ciphertext length of `AUTH_OK` and `AUTH_FAIL`.
static VERDICT: [usize; 1] = [64];

/// The user who logs in, and the parts of the handshake.
#[derive(Clone)]
pub struct Client<D = Full> {
    /// The user's name.
    pub user: UserName,
    /// The user's key.
    pub key: Arc<dyn Signer>,
    /// Checks the host's signature.
    pub verifier: Arc<dyn Verifier>,
    /// Fresh randomness for each connection.
    pub entropy: Arc<dyn Entropy>,
    /// [`Full`], except in the lab.
    pub defences: D,
}

impl<D: Parts + Clone> Client<D> {
    /// The fingerprint of the key that the host behind `stream` proves to hold. Tells the host nothing about the user.
    /// The caller hangs up, decides whether this is the right host, and comes back with a pin. A person takes longer to
    /// decide than a handshake may last.
    ///
    /// # Errors
    /// When the host is silent, talks nonsense, or cannot prove its key.
    pub async fn meet_host<S>(&self, stream: &mut S) -> Result<Fingerprint, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let by = Instant::now() + HANDSHAKE_DEADLINE;
        Ok(self.prove_host(stream, by).await?.fingerprint())
    }

    /// Logs in. `pin` is the fingerprint of the host's key, which is known, was given or has been confirmed by the
    /// user. `password` is called only after the host has proven that key, and must return at once.
    ///
    /// # Errors
    /// [`ClientError::HostKeyMismatch`] before anything of the user is sent, [`ClientError::Refused`], and every way in
    /// which a network or a peer can fail.
    pub async fn login<S>(
        &self,
        stream: S,
        pin: &Fingerprint,
        password: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, PasswordError>,
    ) -> Result<Connection<S, D>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let present = |trusted: TrustedHost<D>| {
            let shown = trusted.login(&self.user, &*self.key, &password()?);
            shown.map_err(|source| ClientError::protocol(Stage::HostProof, source))
        };
        let connection = self.present(stream, pin, present).await?;
        connection.ok_or(ClientError::Refused)
    }

    /// Makes the account to which `invite` invites, with this client's key and a new password, and logs in to it. The
    /// host must be the one of the invitation.
    ///
    /// # Errors
    /// As [`Client::login`]; [`ClientError::NotEnrolled`].
    pub async fn enrol<S>(
        &self,
        stream: S,
        invite: &Invite,
        password: &Zeroizing<Vec<u8>>,
    ) -> Result<Connection<S, D>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let present = |trusted: TrustedHost<D>| {
            let shown = trusted.enrol(&invite.user, &*self.key, password, &invite.token);
            shown.map_err(|source| ClientError::protocol(Stage::HostProof, source))
        };
        let connection = self.present(stream, &invite.host, present).await?;
        connection.ok_or(ClientError::NotEnrolled)
    }

    /// Proves the host, shows what `present` makes, and reads the answer: `None` is a no.
    async fn present<S>(
        &self,
        mut stream: S,
        pin: &Fingerprint,
        present: impl FnOnce(TrustedHost<D>) -> Result<(ExpectVerdict<D>, Vec<u8>), ClientError>,
    ) -> Result<Option<Connection<S, D>>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let by = Instant::now() + HANDSHAKE_DEADLINE;
        let proven = self.prove_host(&mut stream, by).await?;
        let trusted = proven
            .pinned(pin)
            .map_err(|source| ClientError::protocol(Stage::HostProof, source))?;
        let (expect_verdict, auth) = present(trusted)?;

        let broke = |source| ClientError::Wire {
            stage: Stage::Verdict,
            source,
        };
        write_all_within(&mut stream, &auth, left(by))
            .await
            .map_err(broke)?;
        let record = record(&mut stream, self.defences.lengths(&VERDICT), by)
            .await
            .map_err(broke)?;
        let verdict = expect_verdict
            .verdict(&record)
            .map_err(|source| ClientError::protocol(Stage::Verdict, source))?;
        match verdict {
            Verdict::Accepted {
                session,
                last_message,
            } => Ok(Some(Connection::new(
                stream,
                *session,
                last_message,
                Arc::clone(&self.entropy),
            ))),
            Verdict::Refused(_) => Ok(None),
        }
    }

    /// `ClientHello`, `ServerHello`, `SERVER_AUTH`.
    async fn prove_host<S>(&self, stream: &mut S, by: Instant) -> Result<HostProven<D>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut entropy = Zeroizing::new([0; 64]);
        self.entropy.fill(&mut *entropy);
        let ephemeral = Ephemeral::with(&self.defences, Role::Client, &entropy);
        let (expect_hello, hello) = ExpectServerHello::start_with(ephemeral, self.defences.clone());

        let stage = Stage::Hello;
        let broke = |source| ClientError::Wire { stage, source };
        write_all_within(stream, &hello, left(by))
            .await
            .map_err(broke)?;
        let answer = read_exact_within(stream, Hello::server_len(&self.defences), left(by))
            .await
            .map_err(broke)?;
        let expect_auth = expect_hello
            .server_hello(&answer)
            .map_err(|source| ClientError::protocol(stage, source))?;

        let stage = Stage::HostProof;
        let record = record(stream, self.defences.lengths(&SERVER_AUTH), by)
            .await
            .map_err(|source| ClientError::Wire { stage, source })?;
        expect_auth
            .server_auth(&record, &*self.verifier)
            .map_err(|source| ClientError::protocol(stage, source))
    }
}

fn left(by: Instant) -> Duration {
    by.saturating_duration_since(Instant::now())
}

async fn record<S: AsyncRead + Unpin>(
    stream: &mut S,
    allowed: &[usize],
    by: Instant,
) -> Result<Vec<u8>, WireError> {
    let record = read_record(stream, allowed, Some(by)).await?;
    record.ok_or(WireError::Closed)
}
