//! Runs an honest host, and logs in elsewhere as a user who visits it.
//!
//! # Flaw
//! The faithful login names the user and not the server. This login has the same bytes at every server.
//!
//! # Attack
//! Wait for a visitor. Faithful: relay the visitor's login to the real server. Hardened: the attacker also has the
//! visitor's password. Use the same two random values in both handshakes, the visitor's and the real server's. Then
//! relay the visitor's signature. If a signature covers no more than those values, it fits both sessions.
//!
//! # What it proves
//! A fresh proof of a key is not enough. The proof must name its receiver, or the receiver can use it elsewhere.
//!
//! # Defence
//! The signature covers the whole transcript (`T5`), with both X25519 values and the key of the visited host. A server
//! that has other keys in its transcript finds the signature wrong.
//!
//! # In the wild
//! Lowe, 1995: the public-key protocol of Needham and Schroeder (1978) fails if a user talks to a dishonest party. The
//! triple handshake attack on TLS (2014): a malicious server presents its visitors' certificates at another one.

use anyhow::Context;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Loot, Report, Run, Scene, Story, Target,
    host::{listen, listen_faithful, prove, read_hello, read_login},
    net::keyfile::public_from_pem,
    peer::{Borrowed, Login, believe, show},
    protocol::hardened::{
        defence::Defence, handshake::ExpectServerHello, keys::Ephemeral, message::Hello, role::Role,
    },
    protocol_faithful::{message, record::Sealer},
    vantage::{BoxStream, Impostor, read_server_hello},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "relay",
    title: "log in to another server as a visitor",
    vantage: "a host that the victim visits on purpose (and that knows the victim's password at the real server)",
    loot: &[Loot::Password],
    scene: Scene {
        visits_attacker: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::TranscriptSignature], &[Defence::ClientSignature]],
    run: Run::Pose(run),
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "said by the host of another";

fn run<'a>(impostor: &'a Impostor<'a>) -> BoxFuture<'a, Report> {
    Box::pin(async move {
        let mut story = Story::default();
        let result = match impostor.dialect.target {
            Target::Faithful => faithful(impostor, &mut story).await,
            Target::Hardened => hardened(impostor, &mut story).await,
        };
        Report::of_dialogue(result, story)
    })
}

async fn faithful(impostor: &Impostor<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut visitor = visit(impostor, story).await?;
    let login = read_login(&mut visitor).await?;
    let mut stream = impostor.dial.dial().await?;
    stream.write_all(&login).await?;
    let mut replies = [0; message::REPLIES_LEN];
    stream.read_exact(&mut replies).await?;
    story.tell("Mallory -> server: the visitor's login; the server greets Mallory");
    let secrets = message::decode_replies(&replies)?;
    let said = Sealer::new(&secrets).seal(SAID.as_bytes())?;
    stream.write_all(&said).await?;
    listen_faithful(&mut visitor).await?;
    Ok(Claim::logged_in(impostor.user, Some(SAID)))
}

async fn hardened(impostor: &Impostor<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let defences = &*impostor.dialect.defences;
    let mut visitor = visit(impostor, story).await?;
    let hello = read_hello(&mut visitor, &impostor.dialect).await?;
    let rc = Hello::decode_client(&hello, defences)?.random;

    let mut stream = impostor.dial.dial().await?;
    let (state, own_hello) = ExpectServerHello::start_with(
        ephemeral(impostor, Role::Client, rc),
        impostor.dialect.defences.clone(),
    );
    stream.write_all(&own_hello).await?;
    let server_hello = read_server_hello(&mut stream, &impostor.dialect).await?;
    let rs = Hello::decode_server(&server_hello, defences)?.random;
    story.tell("Mallory -> server: the visitor's random; Mallory -> visitor: the server's random");

    let own_share = ephemeral(impostor, Role::Server, rs);
    let claimant = prove(
        impostor,
        &mut visitor,
        &hello,
        &*impostor.own_key,
        own_share,
    )
    .await?;
    story.tell(format!("{} -> Mallory: a signature", claimant.user()));

    let trusted = believe(&mut stream, state, &server_hello, &*impostor.verifier).await?;
    let shown = public_from_pem(impostor.public_key.as_bytes())?;
    let signature = claimant.auth().signature.clone();
    let key = Borrowed {
        shown: &shown,
        forge: &|_| Ok(signature.clone()),
    };
    let password = impostor.password.unwrap_or(b"none");
    let login = show(stream, trusted, impostor.user, &key, password).await?;
    story.tell("Mallory -> server: the visitor's signature, and the password");
    let claim = match login {
        Login::Accepted(mut inside) => {
            inside.say(SAID).await?;
            story.tell(format!(
                "server -> Mallory: welcome; Mallory says \"{SAID}\""
            ));
            Claim::logged_in(impostor.user, Some(SAID))
        }
        Login::Refused(_) => {
            story.tell("server -> Mallory: refused");
            Claim::Nothing
        }
    };
    listen(impostor, &mut visitor, claimant).await;
    Ok(claim)
}

async fn visit(impostor: &Impostor<'_>, story: &mut Story) -> anyhow::Result<BoxStream> {
    let visitor = impostor
        .calls
        .next_call()
        .await
        .context("no client connected")?;
    story.tell(format!("{} connects to Mallory's host", impostor.user));
    Ok(visitor)
}

/// A fresh secret under a random value that another party has chosen.
fn ephemeral(impostor: &Impostor<'_>, role: Role, random: [u8; 32]) -> Ephemeral {
    let mut entropy = Zeroizing::new([0; 64]);
    let (chosen, secret) = entropy.split_at_mut(32);
    chosen.copy_from_slice(&random);
    impostor.entropy.fill(secret);
    Ephemeral::with(&*impostor.dialect.defences, role, &entropy)
}
