//! Makes a client fall back on a protocol that can be broken.
//!
//! # Flaw
//! A client that speaks two protocols is as safe as the worse of them, if somebody else can choose. The faithful
//! protocol has no version and nothing below it; it is what a client falls back *on*.
//!
//! # Attack
//! Hang up on every hello of the hardened protocol, as an old server would. If the client calls again and speaks the
//! faithful protocol, greet it as the report's server does and read what is typed. No proof is asked for there.
//!
//! # What it proves
//! "Try the new protocol, and the old one if that fails" is the old protocol: failing is what an attacker can do.
//!
//! # Defence
//! The client has one protocol with one version, and code for no other. A host that does not speak it gets nothing.
//!
//! # In the wild
//! POODLE, CVE-2014-3566: browsers called again with SSL 3.0 when a handshake with TLS had failed.

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
    title: "make the client fall back on the faithful protocol",
    vantage: "where the user believes the server to be; the user calls again once if the first call fails",
    faithful: Faithful::DoesNotApply("it is the protocol that others would fall back on"),
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
    for call in ["calls", "calls again"] {
        let mut stream = impostor.calls.next_call().await.context("nobody calls")?;
        let said = read_login(&mut stream).await?;
        if said.starts_with(&hello) {
            story.tell(format!(
                "{user} {call} with a hello of {} bytes; Mallory hangs up",
                said.len()
            ));
            continue;
        }
        story.tell(format!(
            "{user} {call} with {} bytes that are no hello: a faithful login; Mallory says \"Authentication Successful!\"",
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
