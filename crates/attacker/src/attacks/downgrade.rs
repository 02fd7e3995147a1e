//! Makes a client fall back to a protocol that can be broken.
//!
//! # Flaw
//! A client that speaks two protocols is as safe as the worse of them, if the attacker can choose. The faithful
//! protocol has no version and no older protocol to fall back to. It is the protocol to which such a client falls back.
//!
//! # Attack
//! Hang up on every hello of the hardened protocol, as an old server would. If the client connects again with the
//! faithful protocol, greet it as the report's server does, and read the messages. The client asks for no proof there.
//!
//! # What it proves
//! "Try the new protocol, and the old one if that fails" is as weak as the old protocol. An attacker can always make
//! the new one fail.
//!
//! # Defence
//! The client has one protocol with one version, and code for no other. The client sends nothing to a host that does
//! not speak it.
//!
//! # In the wild
//! POODLE, CVE-2014-3566: browsers connected again with SSL 3.0 when a handshake with TLS had failed.

use anyhow::Context;
use futures_util::future::BoxFuture;

use crate::{
    Attack, Claim, Faithful, Goal, Report, Run, Story,
    host::{listen_faithful, read_login},
    protocol::hardened::{defence::Defence, message::magic},
    vantage::Impostor,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "downgrade",
    goal: Goal::Harvest,
    title: "make the client fall back to the faithful protocol",
    vantage: "in the server's place; if the first connection fails, the user connects once more",
    faithful: Faithful::DoesNotApply(
        "the faithful protocol is the one to which a client would fall back",
    ),
    returns_without: &[&[Defence::NoFallback]],
    run: Run::Pose(run),
    ..Attack::PLAIN
};

fn run<'a>(impostor: &'a Impostor<'a>) -> BoxFuture<'a, Report> {
    Box::pin(async move {
        let mut story = Story::default();
        let result = hang_up_and_wait(impostor, &mut story).await;
        Report::of_dialogue(result, story)
    })
}

async fn hang_up_and_wait(impostor: &Impostor<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let (user, hello) = (impostor.user, magic(&*impostor.dialect.defences));
    for call in ["connects", "connects again"] {
        let mut stream = impostor
            .calls
            .next_call()
            .await
            .context("no client connected")?;
        let said = read_login(&mut stream).await?;
        if said.starts_with(&hello) {
            story.tell(format!(
                "{user} {call} with a hello of {} bytes; Mallory hangs up",
                said.len()
            ));
            continue;
        }
        story.tell(format!(
            "{user} {call} with a faithful login of {} bytes; Mallory answers \"Authentication Successful!\"",
            said.len()
        ));
        let messages = listen_faithful(&mut stream).await?;
        for message in &messages {
            story.tell(format!("{user} -> Mallory: \"{message}\""));
        }
        let password = None;
        return Ok(Claim::Harvested { password, messages });
    }
    Ok(Claim::Nothing)
}
