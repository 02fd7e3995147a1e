//! A small host for the client's tests: honest where a test does not say otherwise.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

use std::sync::{Arc, LazyLock};

use latchstring_client_core::Client;
use latchstring_keys::{AwsLc, RsaKey};
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    protocol::hardened::{
        full::Full,
        handshake::{ExpectClientAuth, accept},
        keys::Ephemeral,
        message::{CLIENT_HELLO_LEN, Fingerprint, Held, UserName},
        record::BUCKETS,
        session::{Event, KIND_TEXT, Session, content},
        signature::Signer,
    },
    public_key::Bits,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

pub static HOST: LazyLock<RsaKey> = LazyLock::new(|| RsaKey::generate(Bits::B3072).unwrap());
pub static ROGUE: LazyLock<RsaKey> = LazyLock::new(|| RsaKey::generate(Bits::B4096).unwrap());
pub static ALICE: LazyLock<Arc<RsaKey>> =
    LazyLock::new(|| Arc::new(RsaKey::generate(Bits::B3072).unwrap()));

pub const PASSWORD: &[u8] = b"correct horse";

pub fn pin(key: &RsaKey) -> Fingerprint {
    Fingerprint::of(key.public_key())
}

pub fn alice() -> Client {
    Client {
        user: UserName::parse("alice").unwrap(),
        key: ALICE.clone(),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(OsEntropy),
        defences: Full,
    }
}

/// What [`Client::login`] asks for a password.
pub fn password() -> Result<Zeroizing<Vec<u8>>, latchstring_client_core::password::PasswordError> {
    Ok(Zeroizing::new(PASSWORD.to_vec()))
}

/// The host's half up to its proof.
pub async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    key: &RsaKey,
) -> Option<ExpectClientAuth> {
    let mut hello = [0; CLIENT_HELLO_LEN];
    stream.read_exact(&mut hello).await.ok()?;
    let ephemeral = Ephemeral::new(&Zeroizing::new(OsEntropy.array()));
    let (expect, answer) = accept(&hello, ephemeral, key).unwrap();
    stream.write_all(&answer).await.ok()?;
    Some(expect)
}

/// The whole of the host's half; `None` when the client hangs up or is not alice.
pub async fn host_login<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    key: &RsaKey,
    last_message: u64,
) -> Option<Session> {
    let expect = greet(stream, key).await?;
    let mut auth = [0; 1060];
    stream.read_exact(&mut auth).await.ok()?;
    let claimant = expect.client_auth(&auth).unwrap();
    assert_eq!(claimant.user().as_str(), "alice");
    let enrolled = ALICE.public_key();
    let holder = claimant.prove_key(Some(enrolled), None, &AwsLc);
    let checked = holder.and_then(|h| h.prove_password(|p| p == PASSWORD));
    match checked {
        Ok(authenticated) => {
            let (session, record) = authenticated.welcome(last_message).unwrap();
            stream.write_all(&record).await.ok()?;
            Some(session)
        }
        Err(refusal) => {
            stream.write_all(&refusal.answer().unwrap()).await.ok()?;
            None
        }
    }
}

/// One record, or `None` at the end of the stream.
pub async fn read_record<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let record = latchstring_net::wire::read_record(stream, &BUCKETS, None).await;
    record.unwrap_or(None)
}

/// A message that a host holds: its number, the session that brought it, and the text.
pub type Kept = (u64, [u8; 16], String);

/// Acknowledges everything until the client closes; what was said.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    session: &mut Session,
) -> Vec<(u64, String)> {
    serve_with(stream, session, &[]).await
}

/// The same for a host that holds messages already.
pub async fn serve_with<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    session: &mut Session,
    kept: &[Kept],
) -> Vec<(u64, String)> {
    let mut said = Vec::new();
    while let Some(record) = read_record(stream).await {
        let answer = match session.receive(&record).unwrap() {
            Event::Message { id, text, .. } => {
                said.push((id, text));
                session.acknowledge(id).unwrap()
            }
            Event::Reply(answer) => answer,
            Event::NewKeysWanted => session.answer_rekey(&Zeroizing::new([7; 32])).unwrap(),
            Event::Closed { answer, .. } => {
                stream.write_all(&answer).await.unwrap();
                break;
            }
            Event::Query { id } => {
                let about = kept.iter().find(|(kept, ..)| *kept == id);
                let held = about.map(|(_, session, text)| Held {
                    session: *session,
                    content: content(KIND_TEXT, text),
                });
                session.held(id, held).unwrap()
            }
            _ => continue,
        };
        stream.write_all(&answer).await.unwrap();
    }
    said
}
