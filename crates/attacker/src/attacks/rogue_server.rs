//! Answers in the server's place.
//!
//! # Flaw
//! The faithful server never proves its identity. It says that the login was a success and sends a session key. Any
//! host that answers in its place can do the same.
//!
//! # Attack
//! Answer the connection. Faithful: say "Authentication Successful!", send a session key of zeros, read the messages.
//! Hardened: on the first connection show a host key of the attacker's, with a valid signature. When the user tries
//! again, show the real host's public key with zeros for a signature.
//!
//! # What it proves
//! Encryption is worth nothing before the receiver is known. A name needs a key, and a key needs a proof.
//!
//! # Defence
//! Two defences that need each other: the client knows the host's key beforehand (the pin), and the host signs the
//! transcript with it (`sigS`). The client checks both before it sends the user's name.
//!
//! # In the wild
//! "goto fail", CVE-2014-1266: because of one duplicated line, Apple's TLS did not check the signature of the server's
//! key exchange. OpenSSH CVE-2025-26465: the client took an internal error for a matching host key.

use futures_util::future::BoxFuture;

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    host::{listen, listen_faithful, read_login, receive},
    peer::Borrowed,
    protocol::hardened::{defence::Defence, signature::Signer},
    vantage::Impostor,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "rogue-server",
    goal: Goal::Harvest,
    title: "pose as the server and listen",
    vantage: "in the server's place; if the first connection fails, the user connects once more",
    returns_without: &[&[Defence::HostPin], &[Defence::ServerSignature]],
    run: Run::Pose(run),
    ..Attack::PLAIN
};

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
    let Some(mut stream) = impostor.calls.next_call().await else {
        return Ok(Claim::Nothing);
    };
    let login = read_login(&mut stream).await?;
    story.tell(format!(
        "{} -> Mallory: a login of {} bytes, which Mallory cannot decrypt and does not need to",
        impostor.user,
        login.len()
    ));
    let messages = listen_faithful(&mut stream).await?;
    story.tell(
        "Mallory -> client: \"Authentication Successful!\", a session key and an IV of zeros",
    );
    Ok(harvested(impostor, story, None, messages))
}

async fn hardened(impostor: &Impostor<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let real = Borrowed {
        shown: &impostor.host_public_key,
        forge: &|_| Ok(vec![0; 384]),
    };
    let tries: [(&str, &dyn Signer); 2] = [
        (
            "Mallory's own host key, with a valid signature",
            &*impostor.own_key,
        ),
        (
            "the real host's public key, with zeros for a signature",
            &real,
        ),
    ];
    for (how, key) in tries {
        let Some(mut stream) = impostor.calls.next_call().await else {
            return Ok(Claim::Nothing);
        };
        story.tell(format!("{} connects; Mallory shows {how}", impostor.user));
        let Ok(claimant) = receive(impostor, &mut stream, key).await else {
            story.tell(format!("{} hangs up, and has sent no login", impostor.user));
            continue;
        };
        let password = claimant.auth().password.to_vec();
        let messages = listen(impostor, &mut stream, claimant).await;
        return Ok(harvested(impostor, story, Some(password), messages));
    }
    Ok(Claim::Nothing)
}

fn harvested(
    impostor: &Impostor<'_>,
    story: &mut Story,
    password: Option<Vec<u8>>,
    messages: Vec<String>,
) -> Claim {
    let user = impostor.user;
    if let Some(password) = &password {
        let password = String::from_utf8_lossy(password);
        story.tell(format!("{user} -> Mallory: the password \"{password}\""));
    }
    for message in &messages {
        story.tell(format!("{user} -> Mallory: \"{message}\""));
    }
    Claim::Harvested { password, messages }
}
