//! Learns which users have an account from the way a login is refused.
//!
//! # Flaw
//! The faithful server greets known users and hangs up on others. A login needs only a name and a public key, and
//! neither is secret. So the answer to a login shows whether there is such an account.
//!
//! # Attack
//! Take a public directory and log in as every person in it. Against faithful, send the name under the public key.
//! Against hardened, send the name, the fingerprint of the public key and zeros for a signature. Read the answer, which
//! is a refusal in any case. Sort the names by the kind of refusal: one kind means known, the other means unknown.
//!
//! # What it proves
//! A refusal is an answer. If a server has two kinds of refusal, a stranger can ask it questions.
//!
//! # Defence
//! `AUTH_FAIL` is the same 100 bytes for every reason. The reason goes only to the operator's log.
//!
//! # In the wild
//! OpenSSH CVE-2018-15473: a malformed request was answered in one way for users that exist and in another for others.
//! OpenSSH CVE-2016-20012: without the private key, a client could ask whether a name accepts a given public key.
//! Erlang/OTP CVE-2026-48859.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Attack, Claim, Goal, Run, Scene, Story,
    net::keyfile::public_from_pem,
    peer::{Borrowed, Login, faithful_login, log_in},
    protocol::hardened::{defence::Defence, handshake::RefusalReason},
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "enumerate-reply",
    goal: Goal::Enumerate,
    title: "learn from the answer which users have an account",
    vantage: "a client of the server with many addresses and a public directory of names and keys, and no secret",
    scene: Scene {
        many_addresses: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::UniformFailure]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut known = Vec::new();
    for (name, public_key) in outsider.directory {
        let login = faithful_login(name, public_key)?;
        let mut stream = outsider.dial.dial().await?;
        stream.write_all(&login).await?;
        let greeted = stream.read(&mut [0; 1]).await.unwrap_or(0) > 0;
        story.tell(format!(
            "Mallory -> server: \"{name}\" under {name}'s public key; the server {}",
            if greeted { "says welcome" } else { "hangs up" }
        ));
        if greeted {
            known.push((*name).to_owned());
        }
    }
    Ok(claim(known))
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut known = Vec::new();
    for (name, public_key) in outsider.directory {
        let key = Borrowed {
            shown: &public_from_pem(public_key.as_bytes())?,
            forge: &|_| Ok(vec![0; 384]),
        };
        let said = match log_in(outsider, name, &key, b"none").await? {
            Login::Accepted(_) => "welcome".to_owned(),
            Login::Refused(said) => said,
        };
        story.tell(format!(
            "Mallory -> server: I am {name}, with {name}'s public key and a signature of zeros; the server says {}",
            if said.is_empty() { "only: refused" } else { &said }
        ));
        // The server's words are published with its source: it says this only of a user that it knows.
        if said == RefusalReason::BadKeyProof.to_string() {
            known.push((*name).to_owned());
        }
    }
    Ok(claim(known))
}

fn claim(known: Vec<String>) -> Claim {
    match known.is_empty() {
        true => Claim::Nothing,
        false => Claim::Exist(known),
    }
}
