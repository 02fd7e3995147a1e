//! The attacker's own server: an honest program that lets everybody in, and listens.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    net::keyfile::public_from_pem,
    peer::PeerParts,
    protocol::hardened::{
        handshake::{Claimant, accept_with},
        keys::Ephemeral,
        message::Hello,
        role::Role,
        session::Event,
        signature::{Signer, Verifier},
    },
    protocol_faithful::{
        keys::SessionSecrets,
        message::{CHANGE, MAX_LOGIN, QUIT, READ_LEN, encode_replies},
        record::Opener,
    },
    vantage::{BoxStream, Dialect, Impostor, read_record},
};

/// Reads a caller's hello.
///
/// # Errors
/// When the caller hangs up first.
pub async fn read_hello(stream: &mut BoxStream, dialect: &Dialect) -> anyhow::Result<Vec<u8>> {
    let mut hello = vec![0; Hello::client_len(&*dialect.defences)];
    stream.read_exact(&mut hello).await?;
    Ok(hello)
}

/// Answers a hello with any signer as the host key. Returns what the caller then says to be and to know.
///
/// # Errors
/// When the caller hangs up instead.
pub async fn prove(
    impostor: &Impostor<'_>,
    stream: &mut BoxStream,
    hello: &[u8],
    host: &dyn Signer,
    ephemeral: Ephemeral,
) -> anyhow::Result<Claimant<PeerParts>> {
    let kept = impostor.dialect.defences.clone();
    let (state, answer) = accept_with(hello, ephemeral, host, kept)?;
    stream.write_all(&answer).await?;
    Ok(state.client_auth(&read_record(stream).await?)?)
}

/// The whole of it, with fresh randomness.
///
/// # Errors
/// As [`prove`].
pub async fn receive(
    impostor: &Impostor<'_>,
    stream: &mut BoxStream,
    host: &dyn Signer,
) -> anyhow::Result<Claimant<PeerParts>> {
    let hello = read_hello(stream, &impostor.dialect).await?;
    let ephemeral = impostor.ephemeral(Role::Server);
    prove(impostor, stream, &hello, host, ephemeral).await
}

/// Finds every signature right.
struct Anything;

impl Verifier for Anything {
    fn verify(&self, _: &[u8], _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// Accepts the caller with any proof, and listens to the end of the session.
pub async fn listen(
    impostor: &Impostor<'_>,
    stream: &mut BoxStream,
    claimant: Claimant<PeerParts>,
) -> Vec<String> {
    let mut heard = Vec::new();
    // How it ends does not matter: what was heard was heard.
    let _ = listen_into(&mut heard, impostor, stream, claimant).await;
    heard
}

async fn listen_into(
    heard: &mut Vec<String>,
    impostor: &Impostor<'_>,
    stream: &mut BoxStream,
    claimant: Claimant<PeerParts>,
) -> anyhow::Result<()> {
    let refused = || anyhow::anyhow!("the visitor shows another user's key");
    let spki = public_from_pem(impostor.public_key.as_bytes())?;
    let holder = claimant.prove_key(Some(&spki), None, &Anything);
    let authenticated = (holder.map_err(|_| refused())?).prove_password(|_| true);
    let (mut session, welcome) = authenticated.map_err(|_| refused())?.welcome(0)?;
    stream.write_all(&welcome).await?;
    loop {
        match session.receive(&read_record(stream).await?)? {
            Event::Message { id, text, .. } => {
                heard.push(text);
                stream.write_all(&session.acknowledge(id)?).await?;
            }
            Event::Reply(answer) => stream.write_all(&answer).await?,
            Event::Closed { answer, .. } => return Ok(stream.write_all(&answer).await?),
            _ => {}
        }
    }
}

/// Reads a caller's faithful login: one read, with any content.
///
/// # Errors
/// When the caller hangs up first.
pub async fn read_login(stream: &mut BoxStream) -> anyhow::Result<Vec<u8>> {
    let mut login = vec![0; MAX_LOGIN];
    let len = stream.read(&mut login).await?;
    anyhow::ensure!(len > 0, "no login arrived");
    login.truncate(len);
    Ok(login)
}

/// Plays the report's server for a caller whose login is in: success, keys of the attacker's liking, and every message
/// until the end.
///
/// # Errors
/// When the caller is gone before the answer.
pub async fn listen_faithful(stream: &mut BoxStream) -> anyhow::Result<Vec<String>> {
    let secrets = SessionSecrets::new([0; 32], [0; 8]);
    stream.write_all(&encode_replies(&secrets).concat()).await?;
    let opener = Opener::new(&secrets);
    let (mut heard, mut buffer) = (Vec::new(), [0; READ_LEN]);
    loop {
        let len = stream.read(&mut buffer).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&opener.open(&buffer[..len])).into_owned();
        if len == 0 || text == CHANGE || text == QUIT {
            return Ok(heard);
        }
        heard.push(text);
    }
}
