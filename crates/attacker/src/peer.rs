//! The attacker's own client of the server: an honest program with a dishonest user.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::{
    protocol::hardened::{
        handshake::{ExpectServerHello, TrustedHost, Verdict},
        message::UserName,
        parts::Parts,
        session::{KIND_TEXT, Session},
        signature::{SignError, Signer, Verifier},
    },
    protocol_faithful as faithful,
    vantage::{BoxStream, Outsider, read_record, read_server_hello},
};

/// The defences of the attacker's peers: the same as those of the server under attack.
pub type PeerParts = Arc<dyn Parts>;

/// The result of a login.
pub enum Login {
    /// The server believed it.
    Accepted(Box<Inside>),
    /// It did not, and said this about it.
    Refused(String),
}

/// A session that the attacker is in.
pub struct Inside {
    /// The connection.
    pub stream: BoxStream,
    /// The session.
    pub session: Session<PeerParts>,
}

impl Inside {
    /// Says something and waits until the server has it.
    ///
    /// # Errors
    /// When the server hangs up instead.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        let (_, record) = self.session.send(KIND_TEXT, text)?;
        self.stream.write_all(&record).await?;
        read_record(&mut self.stream).await?;
        Ok(())
    }
}

/// A session with the report's server.
pub struct FaithfulInside {
    /// The connection.
    pub stream: BoxStream,
    sealer: faithful::record::Sealer,
}

impl FaithfulInside {
    /// Says something; the report's server does not answer.
    ///
    /// # Errors
    /// When the text is no message of the report's, or the server is gone.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        let record = self.sealer.seal(text.as_bytes())?;
        Ok(self.stream.write_all(&record).await?)
    }
}

/// The report's login: the name under the public key. No secret goes in.
///
/// # Errors
/// When the name or the key is invalid.
pub fn faithful_login(user: &str, public_key: &str) -> anyhow::Result<Vec<u8>> {
    let user = faithful::message::UserName::parse(user)?;
    let key = faithful::keys::PublicKey::from_pem(public_key)?;
    let (_, login) = faithful::handshake::ExpectReplies::start(&user, &key)?;
    Ok(login)
}

/// Dials the report's server, shows it a login, and takes the session key that it answers with.
///
/// # Errors
/// When the server cannot be reached or hangs up.
pub async fn faithful_session(
    outsider: &Outsider<'_>,
    login: &[u8],
) -> anyhow::Result<FaithfulInside> {
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(login).await?;
    let mut replies = [0; faithful::message::REPLIES_LEN];
    stream.read_exact(&mut replies).await?;
    let secrets = faithful::message::decode_replies(&replies)?;
    let sealer = faithful::record::Sealer::new(&secrets);
    Ok(FaithfulInside { stream, sealer })
}

/// Dials, and believes any host that answers.
///
/// # Errors
/// When the server cannot be reached, hangs up or cannot prove its key.
pub async fn greet(outsider: &Outsider<'_>) -> anyhow::Result<(BoxStream, TrustedHost<PeerParts>)> {
    let mut stream = outsider.dial.dial().await?;
    let kept = outsider.dialect.defences.clone();
    let (state, hello) = ExpectServerHello::start_with(outsider.ephemeral(), kept);
    stream.write_all(&hello).await?;
    let server_hello = read_server_hello(&mut stream, &outsider.dialect).await?;
    let trusted = believe(&mut stream, state, &server_hello, &*outsider.verifier).await?;
    Ok((stream, trusted))
}

/// Takes the server's hello and proof, of any host.
///
/// # Errors
/// When the server hangs up or cannot prove its key.
pub async fn believe(
    stream: &mut BoxStream,
    state: ExpectServerHello<PeerParts>,
    server_hello: &[u8],
    verifier: &dyn Verifier,
) -> anyhow::Result<TrustedHost<PeerParts>> {
    let state = state.server_hello(server_hello)?;
    let proven = state.server_auth(&read_record(stream).await?, verifier)?;
    let pin = proven.fingerprint();
    Ok(proven.pinned(&pin)?)
}

/// A whole login, with any signer as the key.
///
/// # Errors
/// As [`greet`].
pub async fn log_in(
    outsider: &Outsider<'_>,
    user: &str,
    key: &dyn Signer,
    password: &[u8],
) -> anyhow::Result<Login> {
    let (stream, trusted) = greet(outsider).await?;
    show(stream, trusted, user, key, password).await
}

/// The second half of a login: the name, and the proof.
///
/// # Errors
/// When the server hangs up, or its answer does not open.
pub async fn show(
    mut stream: BoxStream,
    trusted: TrustedHost<PeerParts>,
    user: &str,
    key: &dyn Signer,
    password: &[u8],
) -> anyhow::Result<Login> {
    let password = Zeroizing::new(password.to_vec());
    let (state, proof) = trusted.login(&UserName::parse(user)?, key, &password)?;
    stream.write_all(&proof).await?;
    Ok(match state.verdict(&read_record(&mut stream).await?)? {
        Verdict::Refused(said) => Login::Refused(said),
        Verdict::Accepted { session, .. } => Login::Accepted(Box::new(Inside {
            stream,
            session: *session,
        })),
    })
}

/// Makes something that is to pass for a signature.
pub type Forge<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, SignError> + Send + Sync + 'a;

/// Shows one key, and signs with another method.
pub struct Borrowed<'a> {
    /// The public key that is shown, as DER of a SubjectPublicKeyInfo.
    pub shown: &'a [u8],
    /// The replacement for the private half.
    pub forge: &'a Forge<'a>,
}

impl<'a> Borrowed<'a> {
    /// The key with zeros for a signature: where nobody looks, they will do.
    pub fn unsigned(shown: &'a [u8]) -> Self {
        Self {
            shown,
            forge: &|_| Ok(vec![0; 384]),
        }
    }
}

impl Signer for Borrowed<'_> {
    fn public_key(&self) -> &[u8] {
        self.shown
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (self.forge)(message)
    }
}
